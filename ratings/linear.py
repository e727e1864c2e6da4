"""Votes as rows of a weighted linear model at a fit: all that a robust covariance asks of any of the models.

Parameters lie in one vector of length K = n + 1 + k: n strengths, the side effect, k covariates. A row's design is
x = (e_a - e_b, side, z); its score is residual · x and its information curvature · x x'.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array

from ratings.data import Floats, Ints

CHUNK = 1 << 20
"""Numbers worked on at once."""


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

    @property
    def size(self) -> int:
        """K, the length of the parameter vector."""
        return self.n + 1 + int(self.covariates.shape[1])

    def part(self, chosen: slice | Ints | NDArray[np.bool_]) -> Rows:
        """Some of the rows."""
        return Rows(
            self.n, self.a[chosen], self.b[chosen], self.mass[chosen], self.residual[chosen], self.curvature[chosen],
            self.vote[chosen], self.side[chosen], self.covariates[chosen],
        )  # fmt: skip


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
    value = rows.mass * rows.residual
    own = np.bincount(rows.a, value, minlength=rows.n) - np.bincount(rows.b, value, minlength=rows.n)
    return np.concatenate([own, [rows.side @ value], rows.covariates.T @ value])


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
    total = np.bincount(rows.a * size + rows.b, -mass, minlength=size * size).reshape(size, size)
    total = total + total.T
    total[np.arange(n), np.arange(n)] += np.bincount(rows.a, mass, minlength=n) + np.bincount(rows.b, mass, minlength=n)
    columns = (rows.side, *rows.covariates.T)
    for i, first in enumerate(columns):
        weighted = mass * first
        cross = np.bincount(rows.a, weighted, minlength=n) - np.bincount(rows.b, weighted, minlength=n)
        total[:n, n + i] = total[n + i, :n] = cross
        for j, second in enumerate(columns[: i + 1]):
            total[n + i, n + j] = total[n + j, n + i] = weighted @ second
    return np.asarray(total, dtype=np.float64)


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
    pair = diagonal[:, None] + diagonal[None, :] - 2 * inverse[:n, :n]
    value = pair[rows.a, rows.b]
    columns = (rows.side, *rows.covariates.T)
    for i, first in enumerate(columns):
        value += 2 * first * (inverse[n + i, rows.a] - inverse[n + i, rows.b])
        for j, second in enumerate(columns):
            value += inverse[n + i, n + j] * first * second
    return np.asarray(rows.curvature * value)


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
