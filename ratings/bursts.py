"""Bursts of sign-ups: accounts that came in a quarter day in which far more came than usual, as one cluster."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ratings.errors import BadInput
from ratings.served import NONE, Codes

QUARTER_DAY = 21_600.0
LOUD = 5.0
"""Standard deviations of a Poisson count, and accounts, by which a window must be above the usual."""


def bursts(first: ArrayLike, *, window: float = QUARTER_DAY) -> Codes:
    """The burst in which each account came, by its window's number, and -1 where it came in none.

    A window is loud when its count exceeds u + 5 sqrt(u) + 5, u the median count of windows in which anybody came. A
    crowd that all came in one window is no burst: there is nothing that it is more than.

    Parameters
    ----------
    first : array_like of float, shape (v,)
        When each account was first served, seconds from any origin; inf for never.
    window : float
        Seconds.

    Returns
    -------
    int32, shape (v,)

    Raises
    ------
    BadInput
        A moment is not a number, or the window is not positive.

    Examples
    --------
    Two come in each quarter of ten days, and thirty more in the fifth.

    >>> from collections import Counter
    >>> usual, more = [6 * 3600 * (k // 2) for k in range(80)], [4 * 6 * 3600 + 60 * k for k in range(30)]
    >>> Counter(bursts(usual + more).tolist())
    Counter({-1: 78, 4: 32})
    """
    moments = np.asarray(first, dtype=np.float64)
    if np.isnan(moments).any():
        raise BadInput(f"account {int(np.flatnonzero(np.isnan(moments))[0])} was first served at nan; give seconds.")
    if not window > 0:
        raise BadInput(f"a window of {window} s; it must be positive.")
    came = np.isfinite(moments)
    if not came.any():
        return np.full(moments.size, NONE, dtype=np.int32)
    number = ((moments[came] - moments[came].min()) // window).astype(np.int64)
    windows, place, count = np.unique(number, return_inverse=True, return_counts=True)
    usual = float(np.median(count))
    loud = count > usual + LOUD * np.sqrt(usual) + LOUD
    found = np.full(moments.size, NONE, dtype=np.int32)
    found[came] = np.where(loud, windows, NONE)[place]
    return found
