"""Confidence sequences: intervals that hold at all times at once, so that looking costs nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri, stdtrit

from ratings.data import Floats

EXPECTED_INFORMATION = 100.0
"""1/s² (log-odds) at which the sequence is tightest: 400 even votes between the two, where about 50 points are told."""


def half_width(
    variance: ArrayLike, *, level: float = 0.95, expected_information: float = EXPECTED_INFORMATION
) -> Floats:
    """Half the width of the normal-mixture confidence sequence, s² sqrt((I + rho) log((I + rho) / (rho alpha²))).

    Parameters
    ----------
    variance : array_like of float
        s²; the unit of the result is that of s. Infinite variances give infinite widths.
    level : float
    expected_information : float
        I* = 1/s² at which the sequence is tightest.

    Examples
    --------
    >>> half_width([0.01]).round(4).tolist()
    [0.3035]
    """
    alpha = 1 - level
    rho = expected_information / (-2 * np.log(alpha) + np.log(1 - 2 * np.log(alpha)))
    square = np.asarray(variance, dtype=np.float64)
    information = 1 / np.maximum(square, 1e-300)
    return np.asarray(square * np.sqrt((information + rho) * np.log((information + rho) / (rho * alpha**2))))


def t_over_z(df: ArrayLike, level: float) -> Floats:
    """Ratio of the t to the normal quantile: how much wider few degrees of freedom make an interval; 1 for infinite."""
    freedom = np.asarray(df, dtype=np.float64)
    finite = np.isfinite(freedom)
    t = stdtrit(np.where(finite, np.maximum(freedom, 1.0), 1.0), 0.5 + level / 2)
    return np.asarray(np.where(finite, t / ndtri(0.5 + level / 2), 1.0))
