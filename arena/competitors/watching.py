"""How an arena's endpoints and competitors are, for those who run it."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import datetime

from arena.competitors.health import LOCAL_MODEL, local_model_missing
from arena.competitors.models import Competitor, Endpoint
from arena.teams.models import Arena

ANSWERS, RESTS, NO_KEY, NO_MODEL = "answers", "rests", "no_key", "no_model"
RESTS_ALONE = "rests_alone"
"""The competitor is out of the draw, its endpoint is not."""


@dataclass(frozen=True, slots=True)
class EndpointState:
    """An endpoint, whom it answers for here, and whether it is in the draw."""

    name: str
    serves: tuple[str, ...]
    state: str
    back_at: datetime | None
    key_env: str
    last_failure: str
    last_failure_at: datetime | None


def endpoint_states(arena: Arena, *, now: datetime) -> list[EndpointState]:
    """The endpoints of the competitors that are in service, those in trouble first."""
    serves: dict[int, list[str]] = {}
    for row in Competitor.objects.filter(arena=arena, retired_at__isnull=True, endpoint__isnull=False):
        serves.setdefault(row.endpoint_id or 0, []).append(row.label)
    rows = [
        state_of(row, tuple(serves[row.pk]), now=now) for row in Endpoint.objects.filter(pk__in=serves).order_by("name")
    ]
    return sorted(rows, key=lambda row: row.state == ANSWERS)


def state_of(endpoint: Endpoint, serves: tuple[str, ...] = (), *, now: datetime) -> EndpointState:
    """How one endpoint is."""
    word = ANSWERS
    if endpoint.out_until is not None and endpoint.out_until > now:
        word = RESTS
    if endpoint.key_env and not os.environ.get(endpoint.key_env):
        word = NO_KEY
    if endpoint.base_url == LOCAL_MODEL and local_model_missing():
        word = NO_MODEL
    back_at = endpoint.out_until if word == RESTS else None
    return EndpointState(
        endpoint.name, serves, word, back_at, endpoint.key_env, endpoint.last_failure, endpoint.last_failure_at
    )


def state_of_competitor(row: Competitor, *, now: datetime) -> EndpointState | None:
    """How the way to a competitor's answers is: its endpoint's state, else its own; None with recorded answers only."""
    if row.endpoint is None:
        return None
    state = state_of(row.endpoint, (row.label,), now=now)
    if state.state != ANSWERS or row.last_failure_at is None:
        return state
    rests = row.out_until is not None and row.out_until > now
    return replace(
        state,
        state=RESTS_ALONE if rests else ANSWERS,
        back_at=row.out_until if rests else None,
        last_failure=row.last_failure,
        last_failure_at=row.last_failure_at,
    )


def resting_alone(arena: Arena, *, now: datetime) -> list[Competitor]:
    """The arena's competitors that are out of the draw while their endpoint is in it."""
    live = Competitor.objects.filter(arena=arena, retired_at__isnull=True, out_until__gt=now).select_related("endpoint")
    states = [(row, state_of_competitor(row, now=now)) for row in live.order_by("name", "version")]
    return [row for row, state in states if state is not None and state.state == RESTS_ALONE]
