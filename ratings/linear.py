"""Votes as rows of a weighted linear model at a fit: all that a robust covariance asks of any of the models.

Parameters lie in one vector of length K = n + 1 + k: n strengths, the side effect, k covariates. A row's design is
x = (e_a - e_b, side, z); its score is residual · x and its information curvature · x x'.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array

from ratings.data import Floats, Ints

CHUNK = 1 << 20
"""Numbers worked on at once."""
BLOCK = 1 << 15
"""Rows worked on at once: what is made of them stays in the cache."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of the linearised model; a vote may have several, which share its unit.

    Attributes
    ----------
    n : int
        Competitors.
    a, b : int64, shape (m,)
        Equal where a row says nothing about strengths.
    mass : float64, shape (m,)
        Frequencies.
    residual, curvature : float64, shape (m,)
        Derivative of one vote's log-likelihood by the linear predictor, and its expected negative second derivative.
    vote : int64, shape (m,)
        The comparison that a row belongs to.
    side : float64, shape (m,)
        Design of the side effect.
    covariates : float64, shape (m, k)
    pairs : int64, shape (m,), optional
        a · n + b, where it is needed more than once.
    """

    n: int
    a: Ints
    b: Ints
    mass: Floats
    residual: Floats
    curvature: Floats
    vote: Ints
    side: Floats
    covariates: Floats
    pairs: Ints | None = None

    @property
    def size(self) -> int:
        """K, the length of the parameter vector."""
        return self.n + 1 + int(self.covariates.shape[1])

    def part(self, chosen: slice | Ints | NDArray[np.bool_]) -> Rows:
        """Some of the rows."""
        return Rows(
            self.n, self.a[chosen], self.b[chosen], self.mass[chosen], self.residual[chosen], self.curvature[chosen],
            self.vote[chosen], self.side[chosen], self.covariates[chosen],
            None if self.pairs is None else self.pairs[chosen],
        )  # fmt: skip

    def pair(self) -> Ints:
        """a · n + b of each row."""
        return self.a * self.n + self.b if self.pairs is None else self.pairs


def slices(m: int, n: int = 0) -> Iterator[slice]:
    """All of m rows in blocks, none so small that tables of n · n numbers would cost more than its rows."""
    step = max(BLOCK, 2 * n * n)
    for start in range(0, m, step):
        yield slice(start, min(start + step, m))


def scores(rows: Rows, where: Ints, groups: int) -> Floats:
    """Sum of the scores of each group, shape (groups, K); `where` has the group of each row."""
    return spread(rows, rows.mass * rows.residual, where, groups)


def spread(rows: Rows, value: Floats, where: Ints, groups: int) -> Floats:
    """Sum over each group's rows of value · x, shape (groups, K)."""
    size, n = rows.size, rows.n
    flat = np.bincount(where * size + rows.a, value, minlength=groups * size)
    flat -= np.bincount(where * size + rows.b, value, minlength=groups * size)
    total = flat.reshape(groups, size)
    for column, design in enumerate((rows.side, *rows.covariates.T)):
        total[:, n + column] = np.bincount(where, value * design, minlength=groups)
    return np.asarray(total, dtype=np.float64)


def slope(rows: Rows) -> Floats:
    """The gradient, shape (K,)."""
    n, total = rows.n, np.zeros(rows.size)
    pairs = np.zeros(n * n)
    for part in slices(rows.a.size, n):
        block = rows.part(part)
        value = block.mass * block.residual
        pairs += np.bincount(block.pair(), value, minlength=n * n)
        total[n] += block.side @ value
        total[n + 1 :] += block.covariates.T @ value
    total[:n] = _lead(pairs.reshape(n, n))
    return total


def _lead(pairs: Floats) -> Floats:
    """Sums by pair (…, n, n) where each competitor is a less those where it is b, shape (…, n)."""
    return np.asarray(pairs.sum(axis=-1) - pairs.sum(axis=-2))


def predict(rows: Rows, vectors: Floats, where: Ints) -> Floats:
    """x · v of each row with its group's vector; `vectors` has shape (groups, K), the result (m,)."""
    flat, start = vectors.ravel(), where * vectors.shape[1]
    value = flat[start + rows.a] - flat[start + rows.b]
    for column, design in enumerate((rows.side, *rows.covariates.T)):
        value += flat[start + rows.n + column] * design
    return np.asarray(value)


def information(rows: Rows, mass: Floats) -> Floats:
    """X' diag(mass) X, shape (K, K)."""
    n, size = rows.n, rows.size
    met, beside = np.zeros(n * n), np.zeros((size - n, n * n))
    total = np.zeros((size, size))
    for part in slices(rows.a.size, n):
        block, weight = rows.part(part), mass[part]
        pair, side, styles = block.pair(), weight * block.side, block.covariates.T
        own = np.bincount(pair, weight, minlength=n * n)
        met += own
        beside[0] += own if (block.side == 1).all() else np.bincount(pair, side, minlength=n * n)
        total[n, n] += side @ block.side
        total[n + 1 :, n] += styles @ side
        weighted = styles * weight
        total[n + 1 :, n + 1 :] += weighted @ styles.T
        for column, values in enumerate(weighted, 1):
            beside[column] += np.bincount(pair, values, minlength=n * n)
    total[n, n + 1 :] = total[n + 1 :, n]
    total[n:, :n] = _lead(beside.reshape(-1, n, n))
    total[:n, n:] = total[n:, :n].T
    table = met.reshape(n, n)
    total[:n, :n] -= table + table.T
    total[np.arange(n), np.arange(n)] += table.sum(axis=0) + table.sum(axis=1)
    return total


def group_information(rows: Rows, where: Ints, groups: int) -> Floats:
    """Each group's X' W X, shape (groups, K, K)."""
    size, n = rows.size, rows.n
    mass = rows.mass * rows.curvature
    at = where * size * size
    keys = [at + i * size + j for i, j in ((rows.a, rows.a), (rows.b, rows.b), (rows.a, rows.b), (rows.b, rows.a))]
    values = np.concatenate([mass, mass, -mass, -mass])
    total = np.bincount(np.concatenate(keys), values, minlength=groups * size * size).astype(np.float64)
    blocks = total.reshape(groups, size, size)
    for i, first in enumerate((rows.side, *rows.covariates.T)):
        cross = spread(rows, mass * first, where, groups)
        blocks[:, n + i, :] = cross
        blocks[:, :, n + i] = cross
    return blocks


def leverage(rows: Rows, inverse: Floats) -> Floats:
    """curvature · x' M x of one vote of each row, shape (m,), with M the inverse information."""
    n = rows.n
    diagonal = np.diag(inverse)[:n]
    pair = (diagonal[:, None] + diagonal[None, :] - 2 * inverse[:n, :n]).ravel()
    ends, own, mixed = 2 * inverse[n:, :n], inverse[n + 1 :, n + 1 :], 2 * inverse[n, n + 1 :]
    value = np.empty(rows.a.size)
    for part in slices(rows.a.size):
        block = rows.part(part)
        a, b, side, styles = block.a, block.b, block.side, block.covariates.T
        found = np.take(pair, block.pair())
        if inverse[n, n] > 0:
            found += side * (ends[0, a] - ends[0, b] + inverse[n, n] * side + mixed @ styles)
        crossed = own @ styles
        crossed += np.take(ends[1:], a, axis=1)
        crossed -= np.take(ends[1:], b, axis=1)
        crossed *= styles
        found += crossed.sum(axis=0)
        found *= block.curvature
        value[part] = found
    return value


def share_sums(rows: Rows, contrasts: Floats) -> Floats:
    """Sums over votes of q and of q², shape (2, q), with q = curvature · (x · M c)² of one vote.

    `contrasts` has shape (q, K) and holds M c; q is the vote's share of the variance of c under the working model.
    """
    total = np.zeros((2, contrasts.shape[0]))
    columns = np.ascontiguousarray(contrasts.T)
    extra = np.column_stack([rows.side, rows.covariates])
    step = max(1, CHUNK // max(contrasts.shape[0], 1))
    for start in range(0, rows.a.size, step):
        part = slice(start, start + step)
        lever = columns[rows.a[part]]
        lever -= columns[rows.b[part]]
        lever += extra[part] @ columns[rows.n :]
        lever *= lever
        lever *= rows.curvature[part, None]
        total[0] += rows.mass[part] @ lever
        lever *= lever
        total[1] += rows.mass[part] @ lever
    return total


def group_shares(rows: Rows, where: Ints, groups: int, inverse: Floats) -> tuple[Floats, Floats, float]:
    """Each group's share of every parameter's variance, if votes are independent, and for tastes of variance one.

    With S_g the group's information and Y_g = S_g M: c' M S_g M c, and |rows of Y_g c that belong to strengths|², which
    is what independent additions of variance one to each strength of this group would add.

    Returns
    -------
    independent, tastes : float64, shape (groups, K)
    trace : float
        Sum over groups of tr(M S_g J S_g), J the identity on the strengths: what such tastes add to sum z' z.
    """
    n, size = rows.n, rows.size
    mass, at = rows.mass * rows.curvature, where * n
    values = np.concatenate([mass, mass, -mass, -mass])
    places = (np.concatenate([at + rows.a, at + rows.b] * 2), np.concatenate([rows.a, rows.b, rows.b, rows.a]))
    own = coo_array((values, places), shape=(groups * n, n)).tocsr()
    y = np.asarray(own @ inverse[:n])
    y3 = y.reshape(groups, n, size)
    independent = np.zeros((groups, size))
    crosses = []
    for column, design in enumerate((rows.side, *rows.covariates.T)):
        if inverse[n + column, n + column] > 0:
            cross = spread(rows, mass * design, where, groups)
            y3 += cross[:, :n, None] * inverse[n + column]
            independent += inverse[n + column] * (cross @ inverse)
            crosses.append((n + column, cross))
    independent += np.einsum("kj,gkj->gj", inverse[:n], y3)
    tastes = np.einsum("gkj,gkj->gj", y3, y3)
    row = np.repeat(np.arange(groups * n), np.diff(own.indptr))
    trace = float(own.data @ y[row, own.indices])
    trace += sum(float((cross[:, :n] * y3[:, :, column]).sum()) for column, cross in crosses)
    return independent, tastes, trace
