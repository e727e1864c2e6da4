"""Covariances that hold when the model or the independence of votes does not: H^-1 B H^-1, by vote and by voter.

With few voters the plain ones are too narrow twice over: residuals are smaller than errors where a voter has leverage,
and a normal quantile takes an estimated variance for a known one. So scores are corrected for leverage (CR2; HC2 by
vote) and every parameter has its own degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ratings.data import Comparisons, Floats, Ints
from ratings.linear import (
    Rows,
    group_information,
    group_shares,
    information,
    leverage,
    predict,
    scores,
    share_sums,
    spread,
)

BLOCK = 1 << 21
"""Numbers of group × parameter worked on at once."""
HEAVY = 0.999
"""Leverage of a voter (the trace) from which its correction is found by eigenvalues, for it might be singular."""
EXACT, TERMS = 1e-9, 60
"""Where the series for lighter voters stops, and how long it may take before eigenvalues are cheaper."""
ALONE = 1e-8
"""How near to one an eigenvalue of a voter's leverage means that nobody else speaks about that direction."""
WEAK_SHARE = 0.5
"""Share of a competitor's variance in such directions from which its interval is provisional."""
MANY = 20_000_000
"""Votes × parameters beyond which degrees of freedom by vote are votes less parameters: nobody could tell."""


@dataclass(frozen=True, slots=True)
class Covariance:
    """A covariance of the strengths and how far to trust it.

    Attributes
    ----------
    matrix : float64, shape (n, n), log-odds squared
    df : float64, shape (n,)
        Degrees of freedom of each strength's t quantile; infinite for the normal one.
    unit : {'voter', 'vote', 'model'}
    full : float64, shape (K, K), optional
        The same with side effect and covariates after the strengths.
    full_df : float64, shape (K,), optional
    weak : bool, shape (n,), optional
        Whose variance rests on one unit alone in part, so that the model's had to stand in.
    """

    matrix: Floats
    df: Floats
    unit: str
    full: Floats | None = None
    full_df: Floats | None = None
    weak: NDArray[np.bool_] | None = None


class Fit(Protocol):
    """What a covariance needs of a fit of any of the models."""

    @property
    def strength(self) -> Floats: ...

    @property
    def covariance(self) -> Floats: ...

    def rows(self, data: Comparisons) -> Rows: ...


def model_covariance(fit: Fit) -> Covariance:
    """The inverse Hessian: right when votes are independent and the model holds.

    Examples
    --------
    >>> from ratings.bradley_terry import fit_bradley_terry
    >>> from ratings.data import cells, comparisons
    >>> fit = fit_bradley_terry(cells(comparisons("xy", [0, 0], [1, 1], [0, 1])))
    >>> model_covariance(fit).matrix.tolist()
    [[0.5, -0.5], [-0.5, 0.5]]
    """
    n, size = fit.strength.size, fit.covariance.shape[0]
    endless = np.full(size, np.inf)
    return Covariance(fit.covariance[:n, :n], endless[:n], "model", fit.covariance, endless, np.zeros(n, dtype=bool))


def sandwich_by_vote(data: Comparisons, fit: Fit, *, correction: bool = True) -> Covariance:
    """H^-1 B H^-1 with B summed over votes, corrected for leverage (HC2) or times m / (m - n) (HC1).

    HC2 divides each residual by the root of 1 - h, h = w x' H^-1 x the vote's leverage; a model with several residuals
    a vote (Davidson's) takes HC1 all the same.

    Parameters
    ----------
    data : Comparisons
    fit : BradleyTerryFit, DavidsonFit or StyleFit of these data
    correction : bool
        False gives HC1.

    References
    ----------
    White, H. (1982). Maximum likelihood estimation of misspecified models. Econometrica 50, 1-25. MacKinnon, J. G. &
    White, H. (1985). Some heteroskedasticity-consistent covariance matrix estimators. J. Econometrics 29, 305-325.

    Examples
    --------
    >>> from ratings.bradley_terry import fit_bradley_terry
    >>> from ratings.data import cells, comparisons
    >>> votes = comparisons("xy", [0, 0], [1, 1], [0, 1])
    >>> sandwich_by_vote(votes, fit_bradley_terry(cells(votes))).matrix.round(6).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    rows = fit.rows(data)
    n = fit.strength.size
    inverse, votes = fit.covariance, data.votes
    alone = np.zeros((0, rows.size))
    small = votes / max(votes - n, 1.0)
    if rows.a.size > data.a.size:
        meat = small * _meat_by_vote(rows, data.weight)
    elif not correction:
        meat = small * information(rows, rows.mass * rows.residual**2)
    else:
        left = 1.0 - leverage(rows, inverse)
        single = left < ALONE
        some = bool(single.any())
        squares = rows.residual**2
        squares *= rows.mass
        squares /= np.where(single, np.inf, left) if some else left
        meat = information(rows, squares)
        if some:
            alone = _designs(rows, single) * np.sqrt(rows.curvature[single])[:, None] @ inverse
    matrix = inverse @ meat @ inverse
    df = np.full(rows.size, max(votes - n, 1.0))
    if rows.a.size * rows.size <= MANY:
        df = _effective(*share_sums(rows, inverse))
    return _finish(matrix, df, "vote", n, alone, inverse)


def sandwich_by_voter(data: Comparisons, fit: Fit, *, correction: bool = True, tastes: bool = True) -> Covariance:
    """Cluster-robust covariance with leverage-corrected scores (CR2) or plain ones (CR1), and degrees of freedom.

    CR1 is B = G / (G - 1) sum_g u_g u_g', u_g the sum of voter g's scores. For CR2, with M = H^-1 = L L' and
    S_g = X_g' W_g X_g the information of voter g, M B M = L [sum_g z_g z_g'] L' and z_g = (I - L' S_g L)^(-1/2) L' u_g:
    Bell and McCaffrey's (I - H_gg)^(-1/2), carried over from votes to parameters, so that no matrix is larger than
    K × K. Where I - L' S_g L is singular (a direction of which only voter g speaks) the model's variance stands in.

    df = (sum q)^2 / sum q^2 - 1 for contrast c, with q_g the voter's share of its variance under a working model of
    votes that tastes of variance tau^2 make alike: q_g = c' M (S_g + tau^2 S_g S_g) M c, tau^2 by moments. Bell and
    McCaffrey take tau = 0, which credits a voter of 400 votes with as much as 400 voters: where the busiest voters cast
    most votes, as they do everywhere, coverage was then .93 of a stated .95, and .965 so (docs/coverage.md).

    Parameters
    ----------
    data : Comparisons
    fit : BradleyTerryFit, DavidsonFit or StyleFit of these data
    correction : bool
        False gives CR1.
    tastes : bool
        False takes tau = 0 for the degrees of freedom.

    Raises
    ------
    ValueError
        The votes carry no voters, or fewer than two.

    References
    ----------
    Liang, K.-Y. & Zeger, S. L. (1986). Biometrika 73, 13-22. Bell, R. M. & McCaffrey, D. F. (2002). Bias reduction in
    standard errors for linear regression with multi-stage samples. Survey Methodology 28, 169-181.

    Examples
    --------
    >>> from ratings.bradley_terry import fit_bradley_terry
    >>> from ratings.data import cells, comparisons
    >>> votes = comparisons("xy", [0, 0, 0, 0], [1, 1, 1, 1], [0, 0, 1, 1], voter=[0, 1, 2, 3])
    >>> found = sandwich_by_voter(votes, fit_bradley_terry(cells(votes)))
    >>> found.df.round(6).tolist(), round(float(found.matrix[0, 0]), 6)
    ([3.0, 3.0], 0.333333)
    """
    if data.voter is None or data.voters < 2:
        raise ValueError("a covariance by voter needs at least two voters; take sandwich_by_vote.")
    rows = fit.rows(data)
    inverse, root = fit.covariance, _root(fit.covariance)
    meat = np.zeros((root.shape[1],) * 2)
    alone: list[Floats] = []
    groups = 0
    rows, voter = _in_order(rows, data.voter[rows.vote])
    for block, where, count in _by_group(rows, voter, rows.size):
        groups += count
        z = scores(block, where, count) @ root
        if correction:
            z, single = _corrected(block, where, z, root)
            alone.append(single)
        meat += z.T @ z
    if not correction:
        meat *= groups / (groups - 1)
    directions = np.concatenate(alone) @ root.T if alone else np.zeros((0, rows.size))
    excess = float(np.trace(meat)) - root.shape[1] + directions.shape[0]
    df = _degrees(rows, voter, inverse, excess if tastes else 0.0)
    return _finish(root @ meat @ root.T, df, "voter", fit.strength.size, directions, inverse)


def _finish(matrix: Floats, df: Floats, unit: str, n: int, alone: Floats, inverse: Floats) -> Covariance:
    """Adds the model's variance in directions (q, K) that one unit alone speaks of, and says whom that concerns."""
    model = np.diag(inverse)
    missing = (alone**2).sum(axis=0)
    weak = missing > WEAK_SHARE * np.where(model > 0, model, np.inf)
    if alone.size:
        rest = np.where(model - missing > 1e-9, model - missing, np.inf)
        swollen = float(np.median(np.maximum(np.diag(matrix) / rest, 1.0)[:n]))
        matrix = matrix + swollen * alone.T @ alone
    return Covariance(matrix[:n, :n], df[:n], unit, matrix, df, weak[:n])


def _degrees(rows: Rows, voter: Ints, inverse: Floats, excess: float) -> Floats:
    """Satterthwaite's degrees of freedom under votes that tastes make alike, shape (K,).

    The tastes' variance is what the scores' variance exceeds the model's by, `excess`, over what unit tastes would add.
    """
    plain, squares, cross = (np.zeros(rows.size) for _ in range(3))
    tasted, tasted_squares, added = np.zeros(rows.size), np.zeros(rows.size), 0.0
    for block, where, count in _by_group(rows, voter, rows.size * rows.n):
        independent, tastes, trace = group_shares(block, where, count, inverse)
        plain += independent.sum(axis=0)
        squares += (independent**2).sum(axis=0)
        cross += (independent * tastes).sum(axis=0)
        tasted += tastes.sum(axis=0)
        tasted_squares += (tastes**2).sum(axis=0)
        added += trace
    tau = max(0.0, excess / added) if added > 0 else 0.0
    return _effective(plain + tau * tasted, squares + 2 * tau * cross + tau**2 * tasted_squares)


def _effective(total: Floats, squares: Floats) -> Floats:
    """(sum q)² / sum q² - 1."""
    return np.asarray(np.where(squares > 0, total**2 / np.where(squares > 0, squares, 1.0) - 1.0, 0.0))


def _root(inverse: Floats) -> Floats:
    """L of shape (K, r) with L L' = M, without the directions that carry no variance."""
    values, vectors = np.linalg.eigh(inverse)
    kept = values > 1e-12 * max(float(values.max(initial=0.0)), 1e-300)
    return np.asarray(vectors[:, kept] * np.sqrt(values[kept]))


def _in_order(rows: Rows, group: Ints) -> tuple[Rows, Ints]:
    """Rows of one group together."""
    if (group[1:] >= group[:-1]).all():
        return rows, group
    order = np.argsort(group, kind="stable")
    return rows.part(order), group[order]


def _by_group(rows: Rows, group: Ints, each: int) -> Iterator[tuple[Rows, Ints, int]]:
    """Blocks of whole groups, with `each` numbers to a group: their rows, the group of each row from 0, how many."""
    fresh = np.diff(group, prepend=-1) > 0
    number, bounds = np.cumsum(fresh) - 1, np.append(np.flatnonzero(fresh), group.size)
    step = max(1, BLOCK // each)
    for start in range(0, bounds.size - 1, step):
        stop = min(start + step, bounds.size - 1)
        part = slice(int(bounds[start]), int(bounds[stop]))
        yield rows.part(part), number[part] - start, stop - start


def _corrected(rows: Rows, where: Ints, z: Floats, root: Floats) -> tuple[Floats, Floats]:
    """(I - T_g)^(-1/2) z_g, shape (groups, r), and unit directions (q, r) that one group alone speaks of."""
    trace = np.bincount(where, rows.mass * leverage(rows, root @ root.T), minlength=z.shape[0])
    heavy = trace > HEAVY
    result, slow = _by_series(rows, where, np.where(heavy[:, None], 0.0, z), root)
    alone = [np.zeros((0, root.shape[1]))]
    chosen = np.flatnonzero(heavy | slow)
    step = max(1, BLOCK // rows.size**2)
    for start in range(0, chosen.size, step):
        some = chosen[start : start + step]
        result[some], single = _by_eigenvalues(rows, where, some, z, root)
        alone.append(single)
    return result, np.concatenate(alone)


def _by_series(rows: Rows, where: Ints, z: Floats, root: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """sum_k binom(2k, k) / 4^k T^k z, T applied through the rows; and where it has not converged."""
    total, term, factor = z.copy(), z, 1.0
    limit = EXACT * np.abs(z).max(initial=0.0)
    size = np.abs(z).max(axis=1)
    for power in range(1, TERMS):
        if not (size > limit).any():
            break
        factor *= (2 * power - 1) / (2 * power)
        value = predict(rows, term @ root.T, where) * rows.mass * rows.curvature
        term = spread(rows, value, where, z.shape[0]) @ root
        total += factor * term
        size = np.abs(term).max(axis=1)
    return total, np.asarray(size > limit)


def _by_eigenvalues(rows: Rows, where: Ints, some: Ints, z: Floats, root: Floats) -> tuple[Floats, Floats]:
    """The same for the groups `some`, exactly; and their singular directions."""
    place = np.full(z.shape[0], -1)
    place[some] = np.arange(some.size)
    mine = place[where] >= 0
    own = group_information(rows.part(mine), place[where[mine]], some.size)
    values, vectors = np.linalg.eigh(root.T @ own @ root)
    single = values > 1 - ALONE
    scale = np.where(single, 0.0, 1 / np.sqrt(np.where(single, 1.0, 1 - values)))
    turned = np.einsum("gij,gi->gj", vectors, z[some]) * scale
    return np.einsum("gij,gj->gi", vectors, turned), np.swapaxes(vectors, 1, 2)[single]


def _designs(rows: Rows, chosen: NDArray[np.bool_]) -> Floats:
    """The design of the chosen rows, shape (q, K)."""
    some = rows.part(chosen)
    ones = np.ones(some.a.size)
    return spread(some, ones, np.arange(some.a.size), some.a.size)


def _meat_by_vote(rows: Rows, weight: Floats) -> Floats:
    """Sum over votes of weight · u u', u the sum of a vote's scores."""
    meat = np.zeros((rows.size, rows.size))
    single = replace(rows, mass=np.ones(rows.a.size))
    for block, where, count in _by_group(*_in_order(single, rows.vote), rows.size):
        first = np.flatnonzero(np.diff(where, prepend=-1))
        u = scores(block, where, count)
        meat += (u * weight[block.vote[first]][:, None]).T @ u
    return meat
