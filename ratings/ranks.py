"""Ranks that claim no more than the data: from marginal intervals, and from simultaneous ones for all pairs at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratings.data import Floats, Ints


@dataclass(frozen=True, slots=True)
class PairIntervals:
    """Simultaneous intervals of all pairwise differences.

    Attributes
    ----------
    difference, lower, upper : float64, shape (n, n)
        Row minus column; the claim that every true difference lies inside holds for all pairs at once.
    critical : float
        How many standard errors wide the half-interval is.
    """

    difference: Floats
    lower: Floats
    upper: Floats
    critical: float


def rank(lower: Floats, upper: Floats) -> Ints:
    """1 + the number of competitors whose interval lies wholly above; shape (n,).

    Examples
    --------
    >>> rank(np.array([1.0, 0.0, -3.0]), np.array([2.0, 1.5, -2.0])).tolist()
    [1, 1, 3]
    """
    return np.asarray(1 + (lower[None, :] > upper[:, None]).sum(axis=1), dtype=np.int64)


def pair_intervals(
    strength: Floats, draws: Floats, *, level: float, widen: float = 1.0, covariance: Floats | None = None
) -> PairIntervals:
    """Max-t intervals for all pairwise differences from draws around the estimate.

    Parameters
    ----------
    strength : float64, shape (n,)
    draws : float64, shape (r, n)
        Bootstrap replicates, or draws from the estimate's covariance.
    level : float
        Simultaneous coverage, 0 to 1.
    widen : float
        Factor for few degrees of freedom, the ratio of the t to the normal quantile.
    covariance : float64, shape (n, n), optional
        Where it is known; else that of the draws.

    References
    ----------
    Hothorn, T., Bretz, F. & Westfall, P. (2008). Simultaneous inference in general parametric models. Biom. J. 50.
    """
    n = strength.size
    difference = strength[:, None] - strength[None, :]
    if n < 2 or draws.shape[0] < 2:
        infinite = np.full((n, n), np.inf)
        return PairIntervals(difference, -infinite, infinite, np.inf)
    centred = draws - draws.mean(axis=0)
    if covariance is None:
        covariance = centred.T @ centred / (draws.shape[0] - 1)
    variance = np.diag(covariance)[:, None] + np.diag(covariance)[None, :] - 2 * covariance
    error = np.sqrt(np.maximum(variance, 0.0))
    safe = np.where(error > 0, error, np.inf)
    largest = np.zeros(draws.shape[0])
    for row in range(n - 1):
        gaps = np.abs(centred[:, row, None] - centred[:, row + 1 :]) / safe[row, row + 1 :]
        np.maximum(largest, gaps.max(axis=1), out=largest)
    critical = float(np.quantile(largest, level, method="higher")) * widen
    return PairIntervals(difference, difference - critical * error, difference + critical * error, critical)


def rank_intervals(pairs: PairIntervals) -> tuple[Ints, Ints]:
    """Best and worst rank of each that no simultaneous interval excludes; two arrays of shape (n,)."""
    surely_better = pairs.lower > 0
    surely_worse = pairs.upper < 0
    best = 1 + surely_worse.sum(axis=1)
    worst = pairs.difference.shape[0] - surely_better.sum(axis=1)
    return best.astype(np.int64), worst.astype(np.int64)


def votes_to_separate(
    pairs: PairIntervals, votes: Floats, first: int, second: int, *, most: float = 20.0
) -> int | None:
    """About how many more votes on the two would separate them at their present difference; None beyond `most` times.

    The half-width shrinks with the square root of the votes, so that w²/δ² times the present ones are needed: a
    rough figure that says the order of magnitude.
    """
    gap = abs(float(pairs.difference[first, second]))
    half = float(pairs.upper[first, second] - pairs.difference[first, second])
    if gap == 0 or not np.isfinite(half):
        return None
    factor = (half / gap) ** 2
    if factor <= 1:
        return 0
    if factor > most:
        return None
    more = float(votes[first] + votes[second]) / 2 * (factor - 1)
    unit: int = 10 ** max(0, len(str(int(more))) - 2)
    return max(1, round(more / unit) * unit)
