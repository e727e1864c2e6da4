"""Ranks that claim no more than the data: from marginal intervals, and from simultaneous ones for all pairs at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, stdtrit

from ratings.data import Floats, Ints

MOST_DF = 1e8
"""Degrees of freedom that are as good as infinite."""


@dataclass(frozen=True, slots=True)
class PairIntervals:
    """Simultaneous intervals of all pairwise differences.

    Attributes
    ----------
    difference, lower, upper : float64, shape (n, n)
        Row minus column; the claim that every true difference lies inside holds for all pairs at once.
    critical : float
        How many standard errors wide the half-interval is, with all degrees of freedom.
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
    strength: Floats,
    draws: Floats,
    *,
    level: float,
    covariance: Floats | None = None,
    centre: Floats | None = None,
    df: Floats | None = None,
) -> PairIntervals:
    """Max-t intervals for all pairwise differences from draws around the estimate.

    |delta_ij - d_ij| <= c_ij s_ij with c the quantile of max_ij |draw_ij| / s_ij at `level`; for few degrees of freedom
    the t quantile of the same tail, with the smaller df of the two.

    Parameters
    ----------
    strength : float64, shape (n,)
    draws : float64, shape (r, n)
        Bootstrap replicates, or draws from the estimate's covariance.
    level : float
        Simultaneous coverage, 0 to 1.
    covariance : float64, shape (n, n), optional
        Where it is known; else that of the draws.
    centre : float64, shape (n,), optional
        What the intervals lie around, where that is not `strength`.
    df : float64, shape (n,), optional
        Degrees of freedom of each variance; at least 1.0 is taken, infinite without.

    References
    ----------
    Hothorn, T., Bretz, F. & Westfall, P. (2008). Simultaneous inference in general parametric models. Biom. J. 50.

    Examples
    --------
    >>> draws = np.random.default_rng(1).normal(0, 0.1, (500, 2))
    >>> found = pair_intervals(np.array([0.0, 1.0]), draws, level=0.95)
    >>> bool(found.upper[0, 1] < 0), round(found.critical, 1)
    (True, 2.1)
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
    safe = np.where(error > 1e-9 * error.max(), error, np.inf)  # what is left of a variance of nothing is rounding
    largest = np.zeros(draws.shape[0])
    for row in range(n - 1):
        gaps = np.abs(centred[:, row, None] - centred[:, row + 1 :]) / safe[row, row + 1 :]
        np.maximum(largest, gaps.max(axis=1), out=largest)
    critical = float(np.quantile(largest, level, method="higher"))
    half = critical * error
    if df is not None and not np.isinf(df).all():
        half = error * -stdtrit(
            np.minimum(*np.broadcast_arrays(df[:, None], df)).clip(1.0, MOST_DF), max(ndtr(-critical), 1e-12)
        )
    middle = difference if centre is None else centre[:, None] - centre[None, :]
    return PairIntervals(difference, middle - half, middle + half, critical)


def rank_intervals(pairs: PairIntervals) -> tuple[Ints, Ints]:
    """Best and worst rank of each that no simultaneous interval excludes; two arrays of shape (n,).

    Best is 1 + those surely better, worst is n - those surely worse: true for all rows at once at the level of `pairs`.

    References
    ----------
    Mogstad, M., Romano, J. P., Shaikh, A. M. & Wilhelm, D. (2024). Inference for ranks with applications to mobility
    across neighbourhoods and academic achievement across countries. Rev. Econ. Stud. 91, 476-518.

    Examples
    --------
    >>> draws = np.random.default_rng(1).normal(0, 0.1, (500, 3))
    >>> best, worst = rank_intervals(pair_intervals(np.array([1.0, 0.1, 0.0]), draws, level=0.95))
    >>> best.tolist(), worst.tolist()
    ([1, 2, 2], [1, 3, 3])
    """
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

    Examples
    --------
    A half-width of twice the difference asks for four times the votes, so for three times as many more.

    >>> one = np.array([[0.0, 1.0], [-1.0, 0.0]])
    >>> votes_to_separate(PairIntervals(one, one - 2, one + 2, 2.0), np.array([100.0, 100.0]), 0, 1)
    300
    """
    gap = abs(float(pairs.difference[first, second]))
    half = float(pairs.upper[first, second] - pairs.lower[first, second]) / 2
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
