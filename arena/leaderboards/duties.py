"""What an operator owes the readers of a board: what became of battles, who votes how much, what flips the first place.

Counted at publication and kept with the snapshot, since a page must not go through ten million battles. A large arena
is counted anew when it has grown by a fiftieth: the cut-offs it was counted up to stand beside the figures, and
`verify_snapshot` counts up to the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, Min
from django.db.models.functions import TruncDate

import ratings
from arena.battles.models import Battle
from arena.battles.words import Winner
from arena.integrity.models import Exclusion
from arena.integrity.standing import Withheld, decisions
from arena.leaderboards import counting, shares
from arena.teams.models import Arena
from ratings.data import canonical
from ratings.influence import flip_first

AGED = timedelta(days=30)
"""A vote is an aged one when it was cast at least this long after its voter's first battle, by whole days."""
TOP = 0.01
"""The most active voters of whom the share is told."""
SMALL = 5_000
"""Battles up to which everything is counted at every publication."""
GROWTH = 50
"""A larger arena is counted anew when it has grown by one part in so many."""
DECISIVE = {Winner.A, Winner.B}


@dataclass(frozen=True, slots=True)
class Counted:
    """What is counted, as plain values, and up to which rows."""

    as_of: dict[str, int]
    battles: dict[str, Any]
    voters: dict[str, Any]
    flip: dict[str, Any]


def duties_of(
    arena: Arena, limits: counting.Cutoffs, data: ratings.Comparisons, earlier: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The figures for a snapshot: those of an earlier one while a large arena has hardly grown since."""
    if earlier is not None and not _has_grown(arena, limits, earlier):
        return dict(earlier)
    battles = asdict(shares.count_served(arena.pk, limits))
    battles["by_competitor"] = {str(pk): count for pk, count in battles["by_competitor"].items()}  # as JSON has them
    return asdict(Counted(limits.as_json(), battles, _voters(arena, limits), _flip(data)))


def _has_grown(arena: Arena, limits: counting.Cutoffs, earlier: Mapping[str, Any]) -> bool:
    before = earlier["battles"]["all"]
    if before <= SMALL:
        return True
    fresh = Battle.objects.filter(arena=arena, id__gt=earlier["as_of"]["battle"], id__lte=limits.battle)
    return bool(fresh.count() * GROWTH >= before)


def _voters(arena: Arena, limits: counting.Cutoffs) -> dict[str, Any]:
    """Share of the rated votes that are aged, and of those by the most active hundredth of voters."""
    first = dict(
        Battle.objects.filter(arena=arena, id__lte=limits.battle).order_by().values_list("voter_id")
        .annotate(first=Min("served_at"))
    )  # fmt: skip
    votes = counting.rated(arena, limits.vote).order_by()
    by_day = votes.annotate(day=TruncDate("created_at")).values_list("voter_id", "day").annotate(votes=Count("id"))
    by_voter, aged = Counter[int](), 0
    for voter, day, count in by_day.iterator(chunk_size=5000):
        by_voter[voter] += count
        aged += count * (day - first[voter].date() >= AGED)
    total, top = by_voter.total(), max(1, round(len(by_voter) * TOP))
    most = sum(count for _, count in by_voter.most_common(top))
    return {
        "voters": len(by_voter), "votes": total, "top_voters": top if total else 0,
        "aged_share": aged / total if total else None, "top_share": most / total if total else None,
    }  # fmt: skip


def _flip(data: ratings.Comparisons) -> dict[str, Any]:
    """The fewest votes, and voters, found whose removal puts somebody else first; groups of voters where there are more
    than are resampled one by one."""
    found = flip_first(canonical(data), side_effect=True)  # the order of rows must not decide between equals
    return {
        "status": found.status, "first": found.first, "second": found.second, "votes": found.votes_to_flip,
        "voters": found.voters_to_flip,
    }  # fmt: skip


def exclusions_of(arena: Arena, limits: counting.Cutoffs, out: Withheld, cast: ratings.Comparisons) -> dict[str, Any]:
    """Decisions in force by reason, how many were taken back, and whether they hit those who disagree."""
    through = limits.exclusion or 0
    reasons = (
        decisions(arena, through=through).order_by().values_list("rule", "action", "decided_by")
        .annotate(decisions=Count("pk"))
    )  # fmt: skip
    cleared = Exclusion.objects.filter(arena=arena, pk__lte=through, action=Exclusion.Action.CLEARED)
    return {
        "votes": out.votes,
        "voters": len(out.voters),
        "by_reason": [
            {"rule": rule, "action": action, "decided_by": by, "decisions": count}
            for rule, action, by, count in sorted(reasons)
        ],
        "cleared": cleared.count(),
        "minority_ratio": _minority_ratio(arena, out, cast),
    }


def _minority_ratio(arena: Arena, out: Withheld, cast: ratings.Comparisons) -> float | None:
    """How much likelier a vote against its pair's majority was set aside than one with it; 1 is even-handed."""
    if not out:
        return None
    wins = Counter[tuple[int, int]]()
    labels = {pk: cast.names.index(label) for pk, label in counting.labels_of(arena).items() if label in cast.names}
    for a, b, outcome, weight in zip(cast.a, cast.b, cast.outcome, cast.weight, strict=True):
        if outcome in (0, 1):
            wins[(int(a), int(b)) if outcome == 0 else (int(b), int(a))] += round(weight)
    gone = Counter[tuple[int, int]]()
    for _, a, b, winner, votes in out.counts:
        if winner in DECISIVE:
            pair = (labels[a], labels[b])
            gone[pair if winner == Winner.A else pair[::-1]] += votes
    against, with_it = _shares(wins, gone)
    return round(against / with_it, 3) if against is not None and with_it else None


def _shares(wins: Counter[tuple[int, int]], gone: Counter[tuple[int, int]]) -> tuple[float | None, float | None]:
    """Shares set aside of the votes against and with the majority of their pair; even pairs have neither."""
    cast, lost = [0, 0], [0, 0]
    for (winner, loser), count in wins.items():
        other = wins[loser, winner]
        if count != other:
            side = int(count > other)
            cast[side] += count
            lost[side] += gone[winner, loser]
    against, with_it = (lost[side] / cast[side] if cast[side] else None for side in (0, 1))
    return against, with_it
