"""Which endpoints answer: three failures in a row take one out of the draw, longer each time; a probe brings it back.

The only writer of `Endpoint`'s health fields. Every write is one conditional UPDATE, so that two processes that see
the same endpoint fail need no lock.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Case, DateTimeField, F, Q, Value, When

from arena.competitors.models import Competitor, Endpoint
from arena.competitors.providers import ErrorCode

FAILURES_BEFORE_OUT = 3
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=15)
LOCAL_MODEL = "local-model"
"""The base URL that stands for the model that comes with Blindfold."""
VOTERS_DOING = frozenset({str(ErrorCode.TOO_LONG)})
"""Three prompts beyond a model's context must not be enough to take it out of everybody's draw."""


def healthy_filter(now: datetime) -> Q:
    """Competitors that may be drawn for a live answer: not retired, and with an endpoint that could be asked at `now`.

    Once `out_until` has passed the endpoint is in the draw again, and that draw is its probe: see `claim_probes`.
    """
    in_the_draw = Q(endpoint__out_until__isnull=True) | Q(endpoint__out_until__lte=now)
    return Q(retired_at__isnull=True) & Q(endpoint__isnull=False) & in_the_draw & _askable()


def local_model_missing() -> str:
    """Why the model that comes with Blindfold cannot be asked; "" when it can, as far as its starter knows."""
    try:
        said = (settings.VAR_DIR / "local-model-unavailable.txt").read_text(encoding="utf-8", errors="replace")
    except OSError:
        said = ""
    if said.strip():
        return " ".join(said.split())[:300]
    return "" if settings.LOCAL_MODEL_URL else "LOCAL_MODEL_URL is not set; `make run` starts the model and sets it."


def _askable() -> Q:
    """Endpoints whose address and key this process knows; drawing others would only void battles."""
    keys = Q(endpoint__key_env__in=["", *(name for name, value in os.environ.items() if value)])
    return keys & ~Q(endpoint__base_url=LOCAL_MODEL) if local_model_missing() else keys


def claim_probes(competitor_ids: Iterable[int], *, now: datetime) -> int:
    """Keep everybody else off the endpoints that this draw will probe; says how many those are.

    A probe counts as failed in advance: the endpoint goes out for its next pause, and the probe's success brings it
    back at once. So there is one probe a pause, also when its battle never reports.
    """
    due = Endpoint.objects.filter(competitor__pk__in=list(competitor_ids), out_until__lte=now)
    ids = list(due.values_list("pk", flat=True).distinct())
    if not ids:  # the ordinary case costs a read and no write
        return 0
    return Endpoint.objects.filter(pk__in=ids, out_until__lte=now).update(**_one_more_failure(now))


def note_success(competitor: Competitor) -> None:
    """Bring the competitor's endpoint back, if it had failed; an endpoint in good health costs a read and no write."""
    if competitor.endpoint_id is None:
        return
    troubled = Endpoint.objects.filter(pk=competitor.endpoint_id, failures_in_a_row__gt=0)
    if troubled.exists():
        troubled.update(failures_in_a_row=0, out_until=None)


def put_back(endpoint_ids: Iterable[int]) -> int:
    """Forget these endpoints' failures, for an operator who has mended them; says how many had any."""
    troubled = Endpoint.objects.filter(pk__in=list(endpoint_ids), failures_in_a_row__gt=0)
    return troubled.update(failures_in_a_row=0, out_until=None)


def note_failure(competitor: Competitor, code: str, detail: str, *, now: datetime) -> None:
    """Count a failure of the competitor's endpoint; the third in a row, and each after a pause, takes it out.

    Failures that arrive while it is out belong to battles drawn earlier: they are noted and do not lengthen the pause.
    So are those that a voter can cause at will.
    """
    if competitor.endpoint_id is None:
        return
    endpoint = Endpoint.objects.filter(pk=competitor.endpoint_id)
    key_env = endpoint.values_list("key_env", flat=True).first() or ""
    said: dict[str, Any] = {"last_failure": _without_key(f"{code}: {detail}", key_env)[:300], "last_failure_at": now}
    in_the_draw = Q(out_until__isnull=True) | Q(out_until__lte=now)
    if code in VOTERS_DOING or not endpoint.filter(in_the_draw).update(**said, **_one_more_failure(now)):
        endpoint.update(**said)


def pause_after(failures: int) -> timedelta:
    """How long an endpoint is out after that many failures in a row: 30 s from the third on, doubling to 15 minutes."""
    if failures < FAILURES_BEFORE_OUT:
        return timedelta(0)
    # The exponent is capped first: the count has no bound, a timedelta has.
    doublings: int = min(failures - FAILURES_BEFORE_OUT, 10)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)


def _one_more_failure(now: datetime) -> dict[str, Any]:
    """The UPDATE of one more failure: the pause follows from the count as stored, not as some process remembers it."""
    counts = range(FAILURES_BEFORE_OUT + 10, FAILURES_BEFORE_OUT - 1, -1)
    pauses = [
        When(failures_in_a_row__gte=count - 1, then=Value(now + pause_after(count), output_field=DateTimeField()))
        for count in counts
    ]
    return {
        "failures_in_a_row": F("failures_in_a_row") + 1,
        "out_until": Case(*pauses, default=Value(None, output_field=DateTimeField())),
    }


def _without_key(text: str, key_env: str) -> str:
    """The text without the endpoint's key, which some servers repeat in their refusals."""
    key = os.environ.get(key_env, "") if key_env else ""
    return text.replace(key, f"[{key_env}]") if key else text
