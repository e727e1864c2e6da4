"""Rows of a board: points, intervals, ranks and plain counts of each competitor and each pair."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ratings import ranks
from ratings.data import Comparisons
from ratings.electorate import Electorate
from ratings.options import BoardOptions
from ratings.scale import POINTS
from ratings.tallies import Tallies, tally
from ratings.uncertainty import Part


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One competitor. Blank values are None: they are not known, which is not zero.

    Attributes
    ----------
    model_name : str
    component : int
        Ratings of different components do not compare.
    status : {'ranked', 'preliminary', 'provisional', 'not_comparable'}
        Fewer than two voters; an interval that data alone do not carry; no chain of comparisons to the others.
    rating, rating_lower, rating_upper : float or None, points
        The bounds of an anchor are None: its rating is a convention.
    variance : float or None, points²
    vote_count : float
        Sum of the weights.
    rank : int or None
        1 + competitors whose interval lies wholly above.
    rank_lower, rank_upper : int or None
        The best and worst place, right for all rows at once at the board's level.
    win_rate, tie_rate, both_bad_rate : float or None
        Shares of this competitor's votes.
    voters : int or None
        None when votes carry no voters.
    """

    model_name: str
    component: int
    status: str
    rating: float | None = None
    rating_lower: float | None = None
    rating_upper: float | None = None
    variance: float | None = None
    vote_count: float = 0.0
    rank: int | None = None
    rank_lower: int | None = None
    rank_upper: int | None = None
    win_rate: float | None = None
    tie_rate: float | None = None
    both_bad_rate: float | None = None
    voters: int | None = None


@dataclass(frozen=True, slots=True)
class PairRow:
    """Two competitors of one component: difference in points with a simultaneous interval, and what would settle it.

    Attributes
    ----------
    first, second : str
        The better estimate first.
    difference, lower, upper : float, points
    votes : float
        Between the two.
    more_votes : int or None
        About how many more at the present rate; None where no number of votes would do, or far too many.
    """

    first: str
    second: str
    difference: float
    lower: float
    upper: float
    votes: float
    more_votes: int | None

    @property
    def separated(self) -> bool:
        return self.lower > 0 or self.upper < 0


def assemble(
    data: Comparisons, parts: list[Part], voted: NDArray[np.bool_], options: BoardOptions, who: Electorate | None, *,
    comparable: bool,
) -> tuple[tuple[BoardRow, ...], tuple[PairRow, ...]]:  # fmt: skip
    tallies = tally(data)
    if who is not None:
        tallies = replace(tallies, voters=np.array([who.judges.get(name, 0) for name in data.names], dtype=np.int64))
    rows: list[BoardRow] = []
    pairs: list[PairRow] = []
    for number, part in enumerate(parts):
        rows += _rows_of(data, part, number, tallies, options, comparable)
        pairs += _pairs_of(data, part, tallies)
    for index in np.flatnonzero(~voted).tolist():
        voters = None if data.voter is None else 0
        rows.append(BoardRow(data.names[index], len(parts), "not_comparable", vote_count=0.0, voters=voters))
    rows.sort(key=lambda row: (row.rating is None, -(row.rating or 0.0), row.model_name))
    return tuple(rows), tuple(pairs)


def _rows_of(
    data: Comparisons, part: Part, number: int, tallies: Tallies, options: BoardOptions, comparable: bool
) -> list[BoardRow]:
    members = part.members
    local = [data.names[i] for i in members].index(options.anchor) if options.anchor in {
        data.names[i] for i in members} else None  # fmt: skip
    variance = np.diag(part.covariance)
    zero, middle, half, error = 0.0, part.centre, part.half, np.sqrt(variance)
    if local is not None:  # intervals are those of differences to the anchor, whose own bounds are blank
        zero, middle = float(part.strength[local]), part.centre - part.centre[local]
        difference = variance + variance[local] - 2 * part.covariance[local]
        half = part.half / np.maximum(error, 1e-300) * np.sqrt(np.maximum(difference, 0.0))
        error = np.sqrt(np.maximum(difference, 0.0))
    rating = options.anchor_rating + POINTS * (part.strength - zero)
    lower, upper = (options.anchor_rating + POINTS * (middle + sign * half) for sign in (-1, 1))
    lower, upper = np.minimum(lower, rating), np.maximum(upper, rating)  # Firth's can be far off for three votes
    rank = ranks.rank(lower, upper)
    best, worst = ranks.rank_intervals(part.pairs)
    rows = []
    for i, index in enumerate(members.tolist()):
        alone = members.size == 1
        bounded = not alone and i != local
        ranked = comparable and not alone
        votes = float(tallies.votes[index])
        rows.append(
            BoardRow(
                model_name=data.names[index],
                component=number,
                status=_status(part, i, tallies.voters[index], data, comparable),
                rating=float(rating[i]),
                rating_lower=float(lower[i]) if bounded else None,
                rating_upper=float(upper[i]) if bounded else None,
                variance=float((POINTS * error[i]) ** 2) if bounded else None,
                vote_count=votes,
                rank=int(rank[i]) if ranked else None,
                rank_lower=int(best[i]) if ranked else None,
                rank_upper=int(worst[i]) if ranked else None,
                win_rate=float(tallies.wins[index] / votes),
                tie_rate=float(tallies.ties[index] / votes),
                both_bad_rate=float(tallies.both_bad[index] / votes),
                voters=None if data.voter is None else int(tallies.voters[index]),
            )
        )
    return rows


def _status(part: Part, i: int, voters: int, data: Comparisons, comparable: bool) -> str:
    """The strongest reservation first."""
    if not comparable or part.members.size == 1:
        return "not_comparable"
    if part.provisional[i]:
        return "provisional"
    if data.voter is not None and voters < 2:
        return "preliminary"
    return "ranked"


def _pairs_of(data: Comparisons, part: Part, tallies: Tallies) -> list[PairRow]:
    """All pairs of a component, the better one first."""
    order = sorted(range(part.members.size), key=lambda i: (-part.strength[i], data.names[part.members[i]]))
    votes = tallies.votes[part.members]
    rows = []
    for place, i in enumerate(order):
        for j in order[place + 1 :]:
            difference, lower, upper = (
                float(POINTS * x[i, j]) for x in (part.pairs.difference, part.pairs.lower, part.pairs.upper)
            )
            low, high = sorted((int(part.members[i]), int(part.members[j])))
            more = ranks.votes_to_separate(part.pairs, votes, i, j)
            names = data.names[part.members[i]], data.names[part.members[j]]
            rows.append(PairRow(*names, difference, lower, upper, tallies.pairs.get((low, high), 0.0), more))
    return rows
