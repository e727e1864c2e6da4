"""Covariances that hold when the model or the independence of votes does not: H^-1 B H^-1, by vote and by voter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from ratings.bradley_terry import BradleyTerryFit
from ratings.data import SCORE_OF_A, Comparisons, Floats, Ints

CHUNK = 50_000


@dataclass(frozen=True, slots=True)
class Covariance:
    """A covariance of the strengths and how far to trust it.

    Attributes
    ----------
    matrix : float64, shape (n, n), log-odds squared
    df : float64, shape (n,)
        Degrees of freedom of each strength's t quantile; infinite for the normal one.
    unit : {'voter', 'vote', 'model'}
    """

    matrix: Floats
    df: Floats
    unit: str


def model_covariance(fit: BradleyTerryFit) -> Covariance:
    """The inverse Hessian: right when votes are independent and the model holds."""
    n = fit.strength.size
    return Covariance(fit.covariance[:n, :n], np.full(n, np.inf), "model")


def sandwich_by_vote(data: Comparisons, fit: BradleyTerryFit) -> Covariance:
    """H^-1 B H^-1 with B summed over votes, times m / (m - n).

    References
    ----------
    White, H. (1982). Maximum likelihood estimation of misspecified models. Econometrica 50, 1-25.
    """
    n = fit.strength.size
    p = _probability(data, fit)
    mass = data.weight * (SCORE_OF_A[data.outcome] - p) ** 2
    meat = _information(data, mass, n)
    matrix = fit.covariance @ meat @ fit.covariance
    votes = data.votes
    matrix *= votes / max(votes - n, 1.0)
    return Covariance(matrix[:n, :n], np.full(n, max(votes - n, 1.0)), "vote")


def sandwich_by_voter(data: Comparisons, fit: BradleyTerryFit) -> Covariance:
    """Cluster-robust covariance (CR1) with Satterthwaite degrees of freedom from the voters' shares of the variance.

    B = G/(G - 1) sum_g u_g u_g', u_g the sum of voter g's scores. For contrast c the share of voter g under the
    working model is q_g = c' H^-1 X_g' W_g X_g H^-1 c, and df = (sum q)^2 / sum q^2 - 1.

    Raises
    ------
    ValueError
        The votes carry no voters, or fewer than two.

    References
    ----------
    Liang, K.-Y. & Zeger, S. L. (1986). Biometrika 73, 13-22. Bell, R. M. & McCaffrey, D. F. (2002). Survey
    Methodology 28, 169-181.
    """
    if data.voter is None or data.voters < 2:
        raise ValueError("a covariance by voter needs at least two voters; take sandwich_by_vote.")
    n = fit.strength.size
    groups, where = np.unique(data.voter, return_inverse=True)
    p = _probability(data, fit)
    scores = _scores_by_group(data, data.weight * (SCORE_OF_A[data.outcome] - p), where, groups.size, n)
    matrix = fit.covariance @ (scores.T @ scores) @ fit.covariance * (groups.size / (groups.size - 1))
    df = _satterthwaite(data, data.weight * p * (1 - p), where, groups.size, fit.covariance)
    return Covariance(matrix[:n, :n], df, "voter")


def gamma_variance(data: Comparisons, fit: BradleyTerryFit, *, by_voter: bool) -> float:
    """Robust variance of the side effect gamma, log-odds squared."""
    n = fit.strength.size
    residual = data.weight * (SCORE_OF_A[data.outcome] - _probability(data, fit))
    if by_voter and data.voter is not None:
        groups, where = np.unique(data.voter, return_inverse=True)
        scores = _scores_by_group(data, residual, where, groups.size, n)
        meat = scores.T @ scores * (groups.size / max(groups.size - 1, 1))
    else:
        meat = _information(data, residual**2 / data.weight, n)
    return float((fit.covariance @ meat @ fit.covariance)[n, n])


def _probability(data: Comparisons, fit: BradleyTerryFit) -> Floats:
    return np.asarray(expit(fit.strength[data.a] - fit.strength[data.b] + fit.side_effect))


def _information(data: Comparisons, mass: Floats, n: int) -> Floats:
    """X' diag(mass) X with rows x = e_a - e_b and 1 for the side effect."""
    size = n + 1
    meat = np.bincount(data.a * size + data.b, -mass, minlength=size * size).reshape(size, size)
    meat = meat + meat.T
    both = np.bincount(data.a, mass, minlength=n) + np.bincount(data.b, mass, minlength=n)
    meat[np.arange(n), np.arange(n)] += both
    cross = np.bincount(data.a, mass, minlength=n) - np.bincount(data.b, mass, minlength=n)
    meat[:n, n] = meat[n, :n] = cross
    meat[n, n] = mass.sum()
    return np.asarray(meat, dtype=np.float64)


def _scores_by_group(data: Comparisons, residual: Floats, where: Ints, groups: int, n: int) -> Floats:
    size = n + 1
    flat = np.bincount(where * size + data.a, residual, minlength=groups * size)
    flat -= np.bincount(where * size + data.b, residual, minlength=groups * size)
    scores = flat.reshape(groups, size)
    scores[:, n] = np.bincount(where, residual, minlength=groups)
    return np.asarray(scores, dtype=np.float64)


def _satterthwaite(data: Comparisons, weight: Floats, where: Ints, groups: int, inverse: Floats) -> Floats:
    """Degrees of freedom per competitor, shape (n,)."""
    n = inverse.shape[0] - 1
    shares = np.zeros((groups, n))
    for start in range(0, data.a.size, CHUNK):
        part = slice(start, start + CHUNK)
        lever = inverse[data.a[part], :n] - inverse[data.b[part], :n] + inverse[n, :n]
        np.add.at(shares, where[part], weight[part, None] * lever**2)
    total, squares = shares.sum(axis=0), (shares**2).sum(axis=0)
    return np.asarray(np.where(squares > 0, total**2 / np.where(squares > 0, squares, 1.0) - 1.0, 0.0))
