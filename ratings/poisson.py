"""Poisson draws for bootstrap weights: numpy's own would cost more than all the refits.

A draw is the inverse distribution function at the middle of one of 2^16 equal steps. The grid's error in probability,
2^-17, is far below what a thousand replicates can show.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.special import ndtri, pdtr

from ratings.data import Floats, Ints

STEPS = 1 << 16
EXPANDED = 16.0
"""Means from which on the expansion is as close to the distribution as the grid is."""
LARGE = 20_000
"""Means beyond which the sum of three draws may not fit into 16 bits."""
LARGER = 1e9
"""The same for 32 bits."""
ROWS = 64
"""Rows that are drawn together: they stay in the cache."""


def poisson(mass: Floats, rounds: int, rng: np.random.Generator) -> Ints:
    """Draws with means `mass`, shape (len(mass), rounds), unsigned; three may be added without overflow.

    `rng` stands on a bit generator of 64 bits, such as PCG64.

    Means below `EXPANDED` by a table each; the others by the expansion of the inverse about the normal quantile w,
    x = mu + sqrt(mu) w + (2 + w^2)/6 - (2 w + w^3)/(72 sqrt(mu)), rounded down.

    References
    ----------
    Giles, M. B. (2016). Algorithm 955: Approximation of the inverse Poisson cumulative distribution function. ACM
    Transactions on Mathematical Software 42, 7, equation 14.

    Examples
    --------
    >>> poisson(np.array([0.0, 1.0, 400.0]), 10_000, np.random.default_rng(1)).mean(axis=1).round()
    array([  0.,   1., 400.])
    """
    kind = _narrowest(float(mass.max(initial=0.0)))
    drawn: Any = np.empty((mass.size, rounds), kind)
    grid = (np.arange(STEPS) + 0.5) / STEPS
    for mean, rows in _by_mean(mass):
        drawn[rows] = _table(mean, grid).take(_uniform(rows.size, rounds, rng))
    large, quantile = np.flatnonzero(mass >= EXPANDED), ndtri(grid)
    for start in range(0, large.size, ROWS):
        rows = large[start : start + ROWS]
        drawn[rows] = _expanded(mass[rows, None], quantile.take(_uniform(rows.size, rounds, rng)))
    return np.asarray(drawn)


def _narrowest(largest: float) -> Any:
    """The unsigned kind that holds the sum of three draws, none of whose means is above `largest`."""
    if largest <= LARGE:
        return np.uint16
    return np.uint32 if largest <= LARGER else np.uint64


def _uniform(rows: int, rounds: int, rng: np.random.Generator) -> Any:
    """Steps of the grid, 16 bits each, four from every raw draw: `integers` takes twice as long for the same bits."""
    raw: Any = rng.bit_generator.random_raw(-(-rows * rounds // 4))
    return raw.astype("<u8", copy=False).view("<u2")[: rows * rounds].reshape(rows, rounds)


def _by_mean(mass: Floats) -> Iterator[tuple[float, Ints]]:
    """Each distinct small mean with its rows."""
    small = np.flatnonzero(mass < EXPANDED)
    means, where = np.unique(mass[small], return_inverse=True)
    order = np.argsort(where, kind="stable")
    bounds = np.searchsorted(where[order], np.arange(means.size + 1))
    for number, mean in enumerate(means.tolist()):
        yield mean, small[order[bounds[number] : bounds[number + 1]]]


def _table(mean: float, grid: Floats) -> Any:
    """The draw of each step, exactly."""
    top = np.arange(int(mean + 12 * np.sqrt(mean) + 20))
    edges = np.searchsorted(grid, pdtr(top, mean), side="right")
    return np.repeat(np.arange(top.size + 1, dtype=np.uint16), np.diff(edges, prepend=0, append=STEPS))


def _expanded(mean: Floats, w: Floats) -> Floats:
    """Not rounded yet; never negative from `EXPANDED` on, for |w| stays below 4.4."""
    root = np.sqrt(mean)
    x = w * (-1 / (72 * root))
    x += 1 / 6
    x *= w
    x += root - 1 / (36 * root)
    x *= w
    x += mean + 1 / 3
    return np.asarray(x)
