"""Plain counts beside the fit: votes, wins, ties, both-bad, voters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratings.data import Comparisons, Floats, Ints, Outcome


@dataclass(frozen=True, slots=True)
class Tallies:
    """Plain counts by competitor, shape (n,), and comparisons by unordered pair."""

    votes: Floats
    wins: Floats
    ties: Floats
    both_bad: Floats
    voters: Ints
    pairs: dict[tuple[int, int], float]


def tally(data: Comparisons) -> Tallies:
    """Counts votes, wins, ties, both-bad and voters of each competitor, and votes of each pair.

    Examples
    --------
    >>> from ratings.data import comparisons
    >>> found = tally(comparisons("xy", [0, 0, 1], [1, 1, 0], [0, 2, 0], voter=[0, 0, 1]))
    >>> found.wins.tolist(), found.ties.tolist(), found.voters.tolist(), found.pairs
    ([1.0, 1.0], [1.0, 1.0], [2, 2], {(0, 1): 3.0})
    """
    n = len(data.names)

    def by_side(chosen: Floats, side: Ints) -> Floats:
        return np.bincount(side, chosen, minlength=n).astype(np.float64)

    both = [by_side(data.weight * (data.outcome == what), side) for what in Outcome for side in (data.a, data.b)]
    a_wins_a, _, _, b_wins_b, tie_a, tie_b, bad_a, bad_b = both
    voters = np.zeros(n, dtype=np.int64)
    if data.voter is not None and data.a.size:
        top = int(data.voter.max()) + 1
        seen = np.unique(np.concatenate([data.a * top + data.voter, data.b * top + data.voter]))
        voters = np.bincount(seen // top, minlength=n)
    low, high = np.minimum(data.a, data.b), np.maximum(data.a, data.b)
    keys, where = np.unique(low * max(n, 1) + high, return_inverse=True)
    mass = np.bincount(where, data.weight, minlength=keys.size)
    pairs = {(int(k // n), int(k % n)): float(v) for k, v in zip(keys, mass, strict=True)}
    total = sum(both, np.zeros(n))
    return Tallies(total, a_wins_a + b_wins_b, tie_a + tie_b, bad_a + bad_b, voters, pairs)
