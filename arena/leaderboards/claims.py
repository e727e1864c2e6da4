"""What a board claims of two competitors, as a snapshot keeps it. Reading it needs no statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

BETTER, NO_DIFFERENCE, CANNOT_TELL, TOO_FEW = "better", "no_practical_difference", "cannot_tell", "too_few"
"""The words of `ratings.verdicts`, which a process that only serves battles need not load."""
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


def opened(stored: list[list[Any]]) -> dict[tuple[str, str], PairVerdict]:
    """What a snapshot keeps, by the two names in the order that it has them."""
    found = (PairVerdict(**dict(zip(COLUMNS, row, strict=True))) for row in stored)
    return {(pair.first, pair.second): pair for pair in found}


def between(known: Mapping[tuple[str, str], PairVerdict], first: str, second: str) -> PairVerdict | None:
    """The verdict of two names, seen from the first; None where the board has no such pair."""
    pair = known.get((first, second)) or known.get((second, first))
    return pair and pair.seen_from(first)
