"""The Bradley-Terry model: likelihood, gradient, Hessian, fit. Ties count half a win each.

P(a beats b) = sigma(theta_a - theta_b + gamma), with theta in natural log-odds, its mean zero, and gamma the effect of
being shown first. The log-likelihood is sum_c [s_c log sigma(d_c) + (n_c - s_c) log sigma(-d_c)] over ordered cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs
from scipy.special import expit, log_expit

from ratings import dense
from ratings.connectivity import refuse_groups, strong_components
from ratings.data import SCORE_OF_A, Cells, Comparisons, Floats, net, unordered
from ratings.linear import Rows

MAX_STEP = 4.0
"""Log-odds: a plain Newton step can overshoot without bound in thin data."""

SIDE_SEPARATED = 6.0
"""Log-odds of a side effect that no person shows: beyond it there is no finite estimate."""
SIDE_PRIOR = 1.0
"""Votes of ties that hold the side effect then."""


@dataclass(frozen=True, slots=True)
class BradleyTerryFit:
    """A converged fit.

    Attributes
    ----------
    strength : float64, shape (n,)
        theta, natural log-odds, mean zero.
    side_effect : float
        gamma, log-odds in favour of the first shown; 0.0 when it was not in the fit.
    covariance : float64, shape (n + 1, n + 1)
        Inverse Hessian under mean zero; the last row and column belong to gamma (zeros when it was not in the fit).
    log_likelihood : float
    iterations : int
    gradient_norm : float
        Largest absolute gradient entry, in votes.
    prior : float
        Votes of ties that each competitor was given against the mean; 0.0 for maximum likelihood.
    side_prior : float
        Votes of ties that the side effect was given; 0.0 unless it had no finite estimate of its own, as when every
        vote went to the first shown.
    bias_reduced : bool
        Firth's estimate instead of maximum likelihood (`ratings.firth`).
    """

    strength: Floats
    side_effect: float
    covariance: Floats
    log_likelihood: float
    iterations: int
    gradient_norm: float
    prior: float
    side_prior: float = 0.0
    bias_reduced: bool = False

    def rows(self, data: Comparisons) -> Rows:
        """The votes as rows of a linear model at this fit, for robust covariances."""
        p = expit(self.strength[data.a] - self.strength[data.b] + self.side_effect)
        m = data.a.size
        return Rows(
            self.strength.size, data.a, data.b, data.weight, SCORE_OF_A[data.outcome] - p, p * (1 - p), np.arange(m),
            np.ones(m), np.zeros((m, 0)),
        )  # fmt: skip


def fit_bradley_terry(
    table: Cells, *, side_effect: bool = False, prior: float = 0.0, tolerance: float = 1e-10, max_iterations: int = 200
) -> BradleyTerryFit:
    """Maximum likelihood by Newton's method with step halving; unique where it exists.

    Parameters
    ----------
    table : Cells
    side_effect : bool
        Fit gamma jointly; left out where no comparison could tell it from the strengths.
    prior : float
        Votes of ties of each competitor against an opponent at the mean. Any positive value makes the fit finite.
    tolerance : float
        Largest absolute gradient entry at which to stop, relative to the largest count of a competitor (at least 1).

    Raises
    ------
    NotStronglyConnected
        Without a prior, when no finite estimate exists.

    References
    ----------
    Bradley, R. A. & Terry, M. E. (1952). Rank analysis of incomplete block designs I. Biometrika 39, 324-345.

    Examples
    --------
    >>> from ratings.data import cells, comparisons
    >>> table = cells(comparisons("xy", [0, 0, 0, 1], [1, 1, 1, 0], [0, 0, 1, 0]))
    >>> fit_bradley_terry(table).strength.round(6).tolist()
    [0.0, 0.0]
    """
    wins = dense.wins_of(table) if dense.is_dense(table) else None
    if prior <= 0 and (wins is None or not dense.somebody_links_all(wins)):
        refuse_groups(strong_components(table))
    if not (side_effect and side_is_identifiable(table)):
        quick = None if wins is None else _in_full(wins, prior, tolerance)
        return quick or _newton(unordered(table), False, prior, 0.0, tolerance, max_iterations)
    fit = _newton(table, side_effect, prior, 0.0, tolerance, max_iterations)
    if abs(fit.side_effect) > SIDE_SEPARATED:
        fit = _newton(table, side_effect, prior, SIDE_PRIOR, tolerance, max_iterations)
    return fit


def _in_full(wins: Floats, prior: float, tolerance: float) -> BradleyTerryFit | None:
    """The fit without the side effect from the matrix of wins, where a few steps lead there."""
    top = dense.climb(wins, prior, tolerance)
    if top is None:
        return None
    n = len(wins)
    information = np.zeros((n + 1, n + 1))
    information[:n, :n] = top.information
    covariance = invert(information, False)
    return BradleyTerryFit(top.strength, 0.0, covariance, top.value, top.iterations, top.gradient_norm, prior)


def _newton(
    table: Cells, side_effect: bool, prior: float, side_prior: float, tolerance: float, max_iterations: int
) -> BradleyTerryFit:
    priors = (prior, side_prior)
    scale = max(1.0, float(np.bincount(table.a, table.count, minlength=1).max(initial=0.0)))
    parameters = np.zeros(table.n + 1)
    value = log_likelihood(table, parameters, prior=prior, side_prior=side_prior)
    parameters, value, _ = _halve(table, parameters, _first_guess(table), value, priors)
    gradient_norm, iteration = np.inf, 0
    for iteration in range(max_iterations):  # noqa: B007 - how many were needed is reported
        chance = _sigmoid(differences(table, parameters))
        slope = gradient(table, parameters, side_effect=side_effect, prior=prior, side_prior=side_prior, chance=chance)
        gradient_norm = float(np.abs(slope).max(initial=0.0))
        if gradient_norm <= tolerance * scale:
            break
        information = hessian(
            table, parameters, side_effect=side_effect, prior=prior, side_prior=side_prior, chance=chance
        )
        step = _solve(information, slope, side_effect)
        step *= min(1.0, MAX_STEP / max(float(np.abs(step).max()), 1e-300))
        parameters, value, moved = _halve(table, parameters, step, value, priors)
        if not moved:
            break
    strength = parameters[:-1] - parameters[:-1].mean() if table.n else parameters[:-1]
    parameters = np.append(strength, parameters[-1])
    information = hessian(table, parameters, side_effect=side_effect, prior=prior, side_prior=side_prior)
    covariance = invert(information, side_effect)
    gamma = float(parameters[-1])
    return BradleyTerryFit(strength, gamma, covariance, value, iteration, gradient_norm, prior, side_prior)


def side_is_identifiable(table: Cells) -> bool:
    """Whether gamma can be told from the strengths: not so when strengths alone could explain every "first wins"."""
    design = np.zeros((table.count.size, table.n + 1))
    rows = np.arange(table.count.size)
    design[rows, table.a], design[rows, table.b], design[:, -1] = 1.0, -1.0, 1.0
    gram = design.T @ design
    cross = np.linalg.lstsq(gram[:-1, :-1], gram[:-1, -1], rcond=None)[0] if table.n else np.zeros(0)
    left = gram[-1, -1] - gram[:-1, -1] @ cross
    return bool(left > 1e-9 * max(gram[-1, -1], 1.0))


def differences(table: Cells, parameters: Floats) -> Floats:
    """d_c = theta_a - theta_b + gamma for each cell, shape (p,)."""
    found = np.take(parameters, table.a)
    found -= np.take(parameters, table.b)
    found += parameters[-1]
    return np.asarray(found)


def log_likelihood(table: Cells, parameters: Floats, *, prior: float = 0.0, side_prior: float = 0.0) -> float:
    """Log-likelihood at (theta, gamma), shape (n + 1,); natural log, without the constant."""
    d = differences(table, parameters)
    value = table.score @ np.minimum(d, 0.0) - (table.count - table.score) @ np.maximum(d, 0.0)
    value -= table.count @ np.log(1.0 + np.exp(-np.abs(d)))  # numpy's own: several times as fast as log_expit
    theta = parameters[:-1]
    gamma = parameters[-1]
    value += side_prior / 2 * (log_expit(gamma) + log_expit(-gamma))
    return float(value + prior / 2 * (log_expit(theta) + log_expit(-theta)).sum())


def gradient(
    table: Cells,
    parameters: Floats,
    *,
    side_effect: bool,
    prior: float = 0.0,
    side_prior: float = 0.0,
    chance: Floats | None = None,
) -> Floats:
    """Gradient of the log-likelihood, shape (n + 1,); the last entry is zero without the side effect.

    `chance` spares computing sigma(d_c), shape (p,), where it is known.
    """
    residual = table.score - table.count * (_sigmoid(differences(table, parameters)) if chance is None else chance)
    theta = parameters[:-1]
    slope = net(table, residual) + prior * (0.5 - expit(theta))
    gamma_slope = residual.sum() + side_prior * (0.5 - expit(parameters[-1]))
    return np.append(slope, gamma_slope if side_effect else 0.0)


def hessian(
    table: Cells,
    parameters: Floats,
    *,
    side_effect: bool,
    prior: float = 0.0,
    side_prior: float = 0.0,
    chance: Floats | None = None,
) -> Floats:
    """Negative Hessian (the information), shape (n + 1, n + 1)."""
    p = _sigmoid(differences(table, parameters)) if chance is None else chance
    weight = table.count * p * (1 - p)
    n = table.n
    met = np.bincount(table.a * (n + 1) + table.b, weight, minlength=(n + 1) ** 2).reshape(n + 1, n + 1)
    information: Floats = np.negative(met + met.T, dtype=np.float64)
    q = expit(parameters[:-1])
    degree = np.bincount(table.a, weight, minlength=n) + np.bincount(table.b, weight, minlength=n)
    information[np.arange(n), np.arange(n)] += degree + prior * q * (1 - q)
    if side_effect:
        information[:n, n] = information[n, :n] = net(table, weight)
        share = expit(parameters[-1])
        information[n, n] = weight.sum() + side_prior * share * (1 - share)
    return information


def invert(information: Floats, side_effect: bool) -> Floats:
    """Inverse of the information for strengths centred at mean zero, shape (n + 1, n + 1)."""
    n = information.shape[0] - 1
    result = np.zeros((n + 1, n + 1))
    if n == 0:
        return result
    block = _proper(information, side_effect)
    factor, failed = dpotrf(block)
    if failed:
        inverse = np.linalg.inv(block)
    else:
        inverse = dpotri(factor)[0]  # its lower triangle is that of the factor: zeros
        diagonal = inverse.diagonal().copy()
        inverse = inverse + inverse.T
        np.fill_diagonal(inverse, diagonal)
    inverse[:n] -= inverse[:n].mean(axis=0)
    inverse[:, :n] -= inverse[:, :n].mean(axis=1, keepdims=True)
    result[: len(block), : len(block)] = inverse
    return result


def _proper(information: Floats, side_effect: bool) -> Floats:
    """The part of the information that can be inverted; shape (n, n), or (n + 1, n + 1) with the side effect."""
    n = information.shape[0] - 1
    size = n + 1 if side_effect and information[n, n] > 0 else n
    block = information[:size, :size].copy()
    ones = float(block[:n, :n].sum())
    if ones <= 1e-9 * max(float(np.trace(block[:n, :n])), 1.0):
        # Without a prior the direction of all ones carries no information: give it some, and centre afterwards.
        block[:n, :n] += max(float(np.trace(block[:n, :n])) / n, 1e-12) / n
    return block


def _solve(information: Floats, slope: Floats, side_effect: bool) -> Floats:
    step = np.zeros(slope.size)
    if slope.size > 1:
        block = _proper(information, side_effect)
        factor, failed = dpotrf(block)
        size = len(block)
        step[:size] = np.linalg.solve(block, slope[:size]) if failed else dpotrs(factor, slope[:size])[0]
    return step


def _first_guess(table: Cells) -> Floats:
    """The first step of Newton's method from zero, as it would be if everybody had met everybody equally often."""
    total = net(table, table.score - table.count / 2)
    met = np.bincount(table.a, table.count, minlength=table.n) + np.bincount(table.b, table.count, minlength=table.n)
    guess = 4.0 * total / np.maximum(met, 1.0)
    return np.append(guess - guess.mean() if table.n else guess, 0.0)


def _sigmoid(x: Floats) -> Floats:
    """By the hyperbolic tangent, which numpy has in vector instructions."""
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * x))


def _halve(
    table: Cells, start: Floats, step: Floats, value: float, priors: tuple[float, float]
) -> tuple[Floats, float, bool]:
    for power in range(40):
        trial = start + step * 0.5**power
        reached = log_likelihood(table, trial, prior=priors[0], side_prior=priors[1])
        if reached >= value - 1e-12 * abs(value):
            return trial, reached, not np.array_equal(trial, start)
    return start, value, False
