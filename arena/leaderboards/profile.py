"""What the last snapshot lets be said of one competitor."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from math import ceil
from typing import Any

from django.db.models import Avg, Count, F, Q
from django.db.models.functions import Mod

from arena.battles.models import Battle, Response, Vote
from arena.battles.words import Side, Winner
from arena.competitors.models import Competitor
from arena.leaderboards import counting
from arena.leaderboards.claims import PairVerdict, between
from arena.leaderboards.models import Snapshot, SnapshotRow
from arena.leaderboards.reading import PublishedBoard
from arena.leaderboards.shares import cutoffs_of
from arena.teams.models import Arena
from arena.teams.person import User

POINTS = 200
"""Snapshots that the chart of the history shows at most; the CSV has all of them."""
READS = 3
"""Wins, and losses, that an operator is given to read."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """One opponent: direct votes, and the verdict seen from the page's competitor."""

    opponent: str
    won: int
    ties: int
    both_bad: int
    lost: int
    verdict: PairVerdict | None

    @property
    def votes(self) -> int:
        return self.won + self.ties + self.both_bad + self.lost

    @property
    def share(self) -> float | None:
        """Of the direct votes, those that it won, ties and both-bad half; None without any."""
        return (self.won + (self.ties + self.both_bad) / 2) / self.votes if self.votes else None


@dataclass(frozen=True, slots=True)
class Answered:
    """Answers asked for up to a snapshot, those that failed by code, and mean tokens of those that did not."""

    asked: int
    failures: dict[str, int]
    input_tokens: float | None
    output_tokens: float | None

    @property
    def failed(self) -> int:
        return sum(self.failures.values())


@dataclass(frozen=True, slots=True)
class Point:
    """One snapshot's line of a competitor."""

    number: int
    published_at: datetime
    rating: float | None
    lower: float | None
    upper: float | None
    votes: int


@dataclass(frozen=True, slots=True)
class Read:
    """A judged battle with names: for operators alone."""

    prompt: str
    own: str
    other: str
    opponent: str


def find(arena: Arena, label: str) -> Competitor | None:
    """The competitor of this label, retired or not."""
    wanted = Q(name=label, version=1)
    if found := re.fullmatch(r"(.+) v([1-9]\d{0,8})", label, re.DOTALL):
        wanted |= Q(name=found[1], version=int(found[2]))
    rows = Competitor.objects.filter(wanted, arena=arena).order_by("version")
    return next((row for row in rows if row.label == label), None)


def meetings(published: PublishedBoard, label: str) -> list[Meeting]:
    """Every other row of the board, in the board's order."""
    counts = _counts(published)
    others = [row["model_name"] for row in published.rows if row["model_name"] != label]
    return [_meeting(published, counts, label, other) for other in others]


def meeting(published: PublishedBoard, first: str, second: str) -> Meeting:
    """The two as the board has them, seen from the first."""
    return _meeting(published, _counts(published), first, second)


Counts = dict[tuple[str, str], tuple[int, int, int, int]]


def _counts(published: PublishedBoard) -> Counts:
    """Wins, ties, both bad and losses of the first, by ordered pair."""
    counts: Counts = {}
    for first, second, won, ties, bad, lost in published.matrix:
        counts[first, second], counts[second, first] = (won, ties, bad, lost), (lost, ties, bad, won)
    return counts


def _meeting(published: PublishedBoard, counts: Counts, first: str, second: str) -> Meeting:
    verdict = between(published.verdicts, first, second)
    return Meeting(second, *counts.get((first, second), (0, 0, 0, 0)), verdict)


def answered(snapshot: Snapshot, competitor: Competitor) -> Answered:
    """Counted once a snapshot and process, of battles that may be told alone."""
    limits = cutoffs_of(snapshot)
    return _answered(competitor.pk, limits.vote, limits.battle, limits.response, snapshot.published_at)


@lru_cache(maxsize=256)
def _answered(pk: int, vote: int, battle: int, response: int, published_at: datetime) -> Answered:
    told = counting.tellable(counting.Cutoffs(vote, battle, response), "turn__battle__")
    rows = Response.objects.filter(told, competitor=pk, id__lte=response)
    codes = dict(rows.values_list("error_code").annotate(count=Count("id")).order_by())
    tokens = rows.filter(error_code="").aggregate(read=Avg("input_tokens"), written=Avg("output_tokens"))
    asked = sum(codes.values())
    codes.pop("", None)
    return Answered(asked, dict(sorted(codes.items())), tokens["read"], tokens["written"])


def history(snapshot: Snapshot, competitor: Competitor, *, most: int | None = None) -> list[Point]:
    """Its line in every snapshot so far, or in about `most` of them evenly, the last one always among them."""
    rows = SnapshotRow.objects.filter(
        competitor=competitor, snapshot__arena=snapshot.arena_id, snapshot__number__lte=snapshot.number
    )
    if most is not None and snapshot.number > most:
        step = ceil(snapshot.number / most)
        rows = rows.annotate(turn=Mod(F("snapshot__number"), step)).filter(turn=snapshot.number % step)
    columns = ("snapshot__number", "snapshot__published_at", "rating", "rating_lower", "rating_upper", "vote_count")
    return [Point(*row) for row in rows.order_by("snapshot__number").values_list(*columns)]


def votes_here(user: User, arena: Arena) -> bool:
    """Whether this person was ever served a battle here."""
    return Battle.objects.filter(arena=arena, voter__user=user.pk).exists()


def reads(snapshot: Snapshot, competitor: Competitor, *, won: bool, recorded: bool) -> list[Read]:
    """Its latest wins, or losses, up to the snapshot: prompt and both answers, with who wrote them.

    For operators alone. An answer whose author is known must not be served to the one who knows, and a recorded answer
    comes back to many voters: `recorded` is false for an operator who votes here. Sealed prompts are left out.
    """
    one, two = (Winner.A, Winner.B) if won else (Winner.B, Winner.A)
    judged = Vote.objects.filter(
        Q(battle__competitor_a=competitor, winner=one) | Q(battle__competitor_b=competitor, winner=two),
        battle__arena=snapshot.arena_id, id__lte=snapshot.cutoff_vote_id, battle__repeat_of__isnull=True,
    )  # fmt: skip
    judged = judged.exclude(battle__prompt__prompt_set__is_sealed=True)
    if not recorded:
        judged = judged.filter(battle__prompt__isnull=True)
    ids = list(judged.order_by("-id").values_list("battle_id", flat=True)[:READS])
    rows = (
        Response.objects.filter(turn__battle__in=ids, turn__index=1)
        .exclude(turn__prompt="")  # of a voter whose words were deleted
        .select_related("turn", "competitor", "recorded_answer")
        .order_by("-turn__battle_id", "side")
    )
    return list(_paired(rows, competitor.pk))


def _paired(rows: Any, own: int) -> Any:
    sides: dict[int, dict[str, Response]] = {}
    for row in rows:
        sides.setdefault(row.turn.battle_id, {})[row.side] = row
    for both in sides.values():
        if len(both) == len(Side):
            mine, other = sorted(both.values(), key=lambda row: row.competitor_id != own)
            yield Read(mine.turn.prompt, mine.content, other.content, other.competitor.label)


def known_names(arena: Arena) -> Sequence[str]:
    """Labels of all competitors ever entered, in order."""
    return [row.label for row in Competitor.objects.filter(arena=arena)]
