"""What a board claims of its competitors: verdicts that stay true under a look after every vote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import ratings
from ratings.connectivity import components
from ratings.deciding import BETTER
from ratings.verdicts import MARGIN, all_verdicts, top

DIGITS = 4
COLUMNS = ("first", "second", "verdict", "difference", "lower", "upper", "votes", "direct_votes", "more_votes",
           "needs_new_voters")  # fmt: skip


@dataclass(frozen=True, slots=True)
class PairVerdict:
    """What the votes say of two competitors, in points; `difference` is the first's rating less the second's."""

    first: str
    second: str
    verdict: str
    difference: float | None
    lower: float | None
    upper: float | None
    votes: float
    direct_votes: float
    more_votes: int | None
    needs_new_voters: bool

    @property
    def better(self) -> str | None:
        """The better one's name, where the verdict is that one is."""
        if self.verdict != BETTER or self.difference is None:
            return None
        return self.first if self.difference > 0 else self.second

    def seen_from(self, first: str) -> PairVerdict:
        """The same with `first` as the first."""
        if first == self.first or self.difference is None:
            return self if first == self.first else replace(self, first=self.second, second=self.first)
        lower, upper = (None if end is None else -end for end in (self.upper, self.lower))
        return replace(
            self, first=self.second, second=self.first, difference=-self.difference, lower=lower, upper=upper
        )


def verdicts_of(data: ratings.Comparisons) -> list[list[Any]]:
    """Every pair's verdict as plain values in the order of `COLUMNS`, the better estimate first: for a snapshot."""
    return [[_plain(getattr(found, name)) for name in COLUMNS] for found in all_verdicts(data, side_effect=True)]


def opened(stored: list[list[Any]]) -> dict[tuple[str, str], PairVerdict]:
    """What a snapshot keeps, by the two names in the order that it has them."""
    found = (PairVerdict(**dict(zip(COLUMNS, row, strict=True))) for row in stored)
    return {(pair.first, pair.second): pair for pair in found}


def between(known: Mapping[tuple[str, str], PairVerdict], first: str, second: str) -> PairVerdict | None:
    """The verdict of two names, seen from the first; None where the board has no such pair."""
    pair = known.get((first, second)) or known.get((second, first))
    return pair and pair.seen_from(first)


def facts_of(data: ratings.Comparisons, voters: int, pairs: list[list[Any]]) -> dict[str, Any]:
    """The facts behind the sentence on top, as plain values: stored in the snapshot, worded when shown."""
    found = top(data, side_effect=True)
    known = opened(pairs)
    open_pairs = [between(known, found.leader, name) for name in found.undecided] if found.leader else []
    more = [pair.more_votes for pair in open_pairs if pair and pair.more_votes]
    met = np.unique(np.concatenate([data.a, data.b]))
    voted = {data.names[place] for place in met.tolist()}
    return {
        "votes": round(data.votes),
        "voters": voters,
        "groups": np.unique(components(ratings.cells(data))[met]).size,
        "leader": found.leader,
        "level": list(found.level),
        "undecided": list(found.undecided),
        "behind": list(found.behind),
        "too_few": [name for name in found.too_few if name in voted],
        "more_votes": min(more) if more else None,
        "needs_new_voters": any(pair.needs_new_voters for pair in open_pairs if pair),
        "margin": MARGIN,
    }


def _plain(value: Any) -> Any:
    return round(value, DIGITS) if isinstance(value, float) else value
