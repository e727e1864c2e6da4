"""What those who run an arena watch: votes a day, who has judged how much, what is under way, what it cost.

No figure here names a competitor of a battle that is still open: counts are of whole arenas, and costs go up to the
last publication (`counting.tellable`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Min, Q, Sum
from django.db.models.functions import TruncDate

from arena.battles.models import Battle, Response, Vote
from arena.battles.words import OPEN_STATES, BattleState
from arena.competitors.models import Competitor
from arena.leaderboards import counting
from arena.leaderboards.models import Snapshot
from arena.leaderboards.reading import latest_snapshot
from arena.leaderboards.shares import cutoffs_of
from arena.prompts.models import Prompt, PromptSet, RecordedAnswer
from arena.teams.models import Arena, Membership

DAYS = 28
VOTERS_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Readiness:
    """How far an arena has come: what each of the steps to a board has brought about."""

    prompts: int
    competitors: int
    answers: int
    members: int
    voters: int
    votes: int
    published: datetime | None

    @property
    def has_field(self) -> bool:
        """Whether two can meet."""
        return self.competitors >= 2


@dataclass(frozen=True, slots=True)
class VoterProgress:
    """One voter, by the number of their first vote here; the name only for those who run the arena."""

    number: int
    name: str
    cohort: str
    role: str
    votes: int
    served: int
    skipped: int
    last_vote: datetime


@dataclass(frozen=True, slots=True)
class UnderWay:
    """Battles that are open now."""

    writing: int
    waiting: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Spending:
    """What one competitor's answers cost at its prices; None where a price is not known."""

    name: str
    answers: int
    tokens_in: int
    tokens_out: int
    cost: float | None


def readiness(arena: Arena) -> Readiness:
    """Counted now."""
    prompts = Prompt.objects.filter(
        prompt_set__arena=arena, prompt_set__purpose=PromptSet.Purpose.BATTLES, retired_at__isnull=True
    )
    votes = Vote.objects.filter(battle__arena=arena)
    voted = votes.aggregate(votes=Count("id"), voters=Count("voter", distinct=True))
    last = latest_snapshot(arena)
    return Readiness(
        prompts=prompts.count(),
        competitors=Competitor.objects.filter(arena=arena, retired_at__isnull=True).count(),
        answers=RecordedAnswer.objects.filter(prompt__in=prompts, competitor__retired_at__isnull=True).count(),
        members=Membership.objects.filter(arena=arena, ended_at__isnull=True).count(),
        voters=voted["voters"],
        votes=voted["votes"],
        published=last.published_at if last else None,
    )


def votes_a_day(arena: Arena, *, now: datetime, days: int = DAYS) -> list[tuple[date, int]]:
    """The last days up to today (UTC), days without votes among them."""
    first = now.astimezone(UTC).date() - timedelta(days=days - 1)
    start = datetime.combine(first, datetime.min.time(), UTC)
    rows = Vote.objects.filter(battle__arena=arena, created_at__gte=start)
    counted = dict(
        rows.annotate(day=TruncDate("created_at", tzinfo=UTC)).values_list("day").annotate(n=Count("id")).order_by()
    )
    return [(day, counted.get(day, 0)) for day in (first + timedelta(days=n) for n in range(days))]


def progress_of_voters(arena: Arena, *, with_names: bool, most: int = VOTERS_SHOWN) -> list[VoterProgress]:
    """The voters of an arena in the order of their first vote, at most so many."""
    first = dict(
        Vote.objects.filter(battle__arena=arena).values_list("voter_id").annotate(n=Min("id")).order_by("n")[:most]
    )
    battles = Battle.objects.filter(arena=arena, voter__in=list(first))
    rows = {
        row["voter"]: row
        for row in battles.values("voter").annotate(
            served=Count("id"), voted=Count("vote"), last=Max("vote__created_at"),
            skipped=Count("id", filter=Q(state=BattleState.SKIPPED)),
        ).order_by()
    }  # fmt: skip
    members = {row.voter_id: row for row in Membership.objects.filter(arena=arena, voter__in=list(first))}
    return [_progress(n, rows[voter], members.get(voter), with_names) for n, voter in enumerate(first, 1)]


def _progress(number: int, row: Mapping[str, Any], member: Membership | None, with_names: bool) -> VoterProgress:
    return VoterProgress(
        number=number,
        name=member.display_name if member and with_names else "",
        cohort=member.cohort if member else "",
        role=member.role if member else "",
        votes=row["voted"],
        served=row["served"],
        skipped=row["skipped"],
        last_vote=row["last"],
    )


def under_way(arena: Arena, *, now: datetime) -> UnderWay:
    """Battles being answered, and those whose answers wait for a vote."""
    battles = Battle.objects.filter(arena=arena, state__in=OPEN_STATES, vote__isnull=True, expires_at__gt=now)
    states = dict(battles.values_list("state").annotate(n=Count("id")).order_by())
    return UnderWay(
        writing=states.get(BattleState.SERVED, 0) + states.get(BattleState.ANSWERING, 0),
        waiting=states.get(BattleState.COMPLETE, 0),
        oldest=battles.aggregate(first=Min("served_at"))["first"],
    )


def voids(arena: Arena) -> dict[str, int]:
    """Battles set aside, by reason, most frequent first."""
    rows = Battle.objects.filter(arena=arena, state=BattleState.VOID).values_list("void_reason")
    return dict(Counter(dict(rows.annotate(n=Count("id")).order_by())).most_common())


def spending(arena: Arena) -> list[Spending]:
    """Of live answers up to the last publication, the dearest first; empty before the first one."""
    snapshot = latest_snapshot(arena)
    return _spending(arena, snapshot) if snapshot else []


def _spending(arena: Arena, snapshot: Snapshot) -> list[Spending]:
    limits = cutoffs_of(snapshot)
    told = counting.tellable(limits, "turn__battle__")
    answers = Response.objects.filter(
        told, turn__battle__arena=arena, id__lte=limits.response, recorded_answer__isnull=True
    )
    rows = answers.values_list("competitor").annotate(
        n=Count("id"), tokens_in=Sum("input_tokens", default=0), tokens_out=Sum("output_tokens", default=0)
    )
    known = Competitor.objects.in_bulk([row[0] for row in rows.order_by()])
    found = [
        Spending(known[pk].label, n, read, written, cost_of(known[pk], read, written))
        for pk, n, read, written in rows.order_by()
    ]
    return sorted(found, key=lambda row: (-(row.cost or 0), row.name))


def cost_of(competitor: Competitor, tokens_in: int, tokens_out: int) -> float | None:
    """In the currency of the prices, which are per million tokens; None where one of them is not known."""
    if competitor.price_in is None or competitor.price_out is None:
        return None
    return float(competitor.price_in * tokens_in + competitor.price_out * tokens_out) / 1_000_000
