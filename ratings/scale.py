"""From strength in log-odds to points, and back."""

from __future__ import annotations

from math import log
from typing import TypeVar

import numpy as np

from ratings.data import Floats

POINTS = 400 / log(10)
"""Points per unit of natural log-odds: 400 points are odds of ten to one (the public arena's constants)."""
MEAN_RATING = 1000.0
Number = TypeVar("Number", float, Floats)


def to_points(strength: Floats, *, anchor: int | None = None, anchor_rating: float = MEAN_RATING) -> Floats:
    """rating = anchor_rating + 400/ln 10 · (theta - theta_anchor); without an anchor theta_anchor is the mean.

    Parameters
    ----------
    strength : float64, shape (n,), natural log-odds
    anchor : int, optional
        Position of the competitor that is pinned to `anchor_rating`.

    Examples
    --------
    >>> to_points(np.array([log(10) / 2, -log(10) / 2])).tolist()
    [1200.0, 800.0]
    """
    zero = strength.mean() if anchor is None and strength.size else strength[anchor] if anchor is not None else 0.0
    return np.asarray(anchor_rating + POINTS * (strength - zero))
