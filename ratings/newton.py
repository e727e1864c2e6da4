"""Newton's method for models whose votes are rows of a linear model: strengths, side effect, covariates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit

from ratings.data import Floats
from ratings.linear import Rows, information, slope

MAX_STEP = 4.0
"""Log-odds: a plain Newton step can overshoot without bound in thin data."""
SEPARATED = 6.0
"""Log-odds of a parameter beside the strengths beyond which it has no finite estimate of its own."""
FAR = 12.0
"""The same of a strength, where it was to have one: covariates can separate what counts alone do not."""
HOLD = 1.0
"""Votes of ties that hold such a parameter then."""
DISTINCT = 1e-10
"""Share of its information that a parameter must have for itself."""


@dataclass(frozen=True, slots=True)
class Maximum:
    """Where a log-likelihood is largest.

    Attributes
    ----------
    parameters : float64, shape (K,)
        Strengths with mean zero, side effect, covariates; zeros where they were not free.
    covariance : float64, shape (K, K)
        Inverse information there; zeros where parameters were not free.
    value, gradient_norm : float
    iterations : int
    held : tuple of int
        Parameters that one vote of ties had to hold.
    """

    parameters: Floats
    covariance: Floats
    value: float
    iterations: int
    gradient_norm: float
    held: tuple[int, ...]


NEAR = 1e-3
"""Log-odds: steps up to it are taken by the inverse of the step before, as long as each is a tenth of the last."""
CLOSE = 1e-5
"""Log-odds from the maximum within which the inverse is made that is handed out."""

Evaluate = Callable[[Floats], tuple[float, Rows]]
"""Log-likelihood at the parameters, and its rows there."""


def maximise(
    evaluate: Evaluate,
    start: Floats,
    free: NDArray[np.bool_],
    *,
    n: int,
    prior: float = 0.0,
    held: tuple[int, ...] = (),
    tolerance: float = 1e-9,
) -> Maximum:
    """The maximum by Newton's method with limited and halved steps; concave, so that there is one.

    l(x) + prior/2 sum_i [log sigma(theta_i) + log sigma(-theta_i)], and the same with `HOLD` votes for any parameter
    that runs away: one beside the strengths beyond `SEPARATED`, all strengths when one is beyond `FAR`.

    Parameters
    ----------
    evaluate : callable
    start : float64, shape (K,)
    free : bool, shape (K,)
        Which parameters are fitted; all strengths are.
    n : int
        Strengths come first.
    prior : float
        Votes of ties of each competitor against the mean.
    held : tuple of int
        Parameters that are held from the start, where it is known that they have no finite estimate.
    tolerance : float
        Largest step, log-odds, at which to stop.
    """
    votes = np.where(np.arange(start.size) < n, prior, 0.0)
    votes[list(held)] = HOLD
    strengths = np.arange(start.size) < n
    for more in (free & ~strengths, strengths, strengths):
        try:
            found = _climb(evaluate, start, free, votes, n, tolerance)
        except np.linalg.LinAlgError:  # nothing tells some of them from the others, or all of them run away at once
            lost = more & (votes == 0)
        else:
            lost = (np.abs(found.parameters) > np.where(strengths, FAR, SEPARATED)) & free & (votes == 0)
            if not lost.any():
                break
        if (lost & strengths).any():
            lost |= strengths  # a prior on some of them would pull the others
        votes[lost] = HOLD
        held = (*held, *np.flatnonzero(lost).tolist())
    return replace(found, held=tuple(sorted(held)))


def centred_inverse(matrix: Floats, free: NDArray[np.bool_], n: int) -> Floats:
    """Inverse of the information of the free parameters, for strengths centred at mean zero, shape (K, K).

    Raises
    ------
    numpy.linalg.LinAlgError
        A parameter has less than `DISTINCT` of its information left when those before it are known.
    """
    result = np.zeros_like(matrix)
    if n == 0:
        return result
    kept = np.flatnonzero(free)
    block = matrix[np.ix_(kept, kept)]
    if float(block[:n, :n].sum()) <= 1e-9 * max(float(np.trace(block[:n, :n])), 1.0):
        block[:n, :n] += max(float(np.trace(block[:n, :n])) / n, 1e-12) / n  # the direction of all ones knows nothing
    size = np.sqrt(np.maximum(np.diag(block), 1e-300))
    factor = np.linalg.cholesky(block / np.outer(size, size))
    if np.diag(factor).min() ** 2 < DISTINCT:
        raise np.linalg.LinAlgError("the information is singular")
    inverse = np.linalg.inv(factor) / size
    inverse = inverse.T @ inverse
    inverse[:n] -= inverse[:n].mean(axis=0)
    inverse[:, :n] -= inverse[:, :n].mean(axis=1, keepdims=True)
    result[np.ix_(kept, kept)] = inverse
    return result


def _climb(
    evaluate: Evaluate, start: Floats, free: NDArray[np.bool_], votes: Floats, n: int, tolerance: float
) -> Maximum:
    x, iteration = start, 0
    value, rows = evaluate(x)
    value += _prior(x, votes)
    inverse, gone, before = np.zeros((x.size, x.size)), np.inf, np.inf
    for iteration in range(200):  # noqa: B007 - how many were needed is reported
        gradient = slope(rows) + votes * (0.5 - expit(x))
        step = inverse @ gradient
        size = float(np.abs(step).max(initial=0.0))
        if gone > CLOSE and not CLOSE < size <= min(NEAR, before / 10):
            inverse, gone = _inverse(rows, x, votes, free, n), 0.0
            step = inverse @ gradient
            size = float(np.abs(step).max(initial=0.0))
        if size <= tolerance:
            break  # gradient and, within `CLOSE`, inverse are those of here
        step *= min(1.0, MAX_STEP / size)
        for power in range(40):
            trial = x + step * 0.5**power
            reached, there = evaluate(trial)
            reached += _prior(trial, votes)
            if reached >= value - 1e-12 * abs(value):
                break
        gone, before = gone + float(np.abs(trial - x).max()), size
        x, value, rows = trial, reached, there
    else:
        gradient, inverse = slope(rows) + votes * (0.5 - expit(x)), _inverse(rows, x, votes, free, n)
    x = x.copy()
    x[:n] -= x[:n].mean() if n else 0.0
    return Maximum(x, inverse, value, iteration, float(np.abs(gradient[free]).max(initial=0.0)), ())


def _inverse(rows: Rows, x: Floats, votes: Floats, free: NDArray[np.bool_], n: int) -> Floats:
    chance = expit(x)
    matrix = information(rows, rows.mass * rows.curvature)
    matrix[np.diag_indices_from(matrix)] += votes * chance * (1 - chance)
    return centred_inverse(matrix, free, n)


def _prior(x: Floats, votes: Floats) -> float:
    return float(votes / 2 @ (log_expit(x) + log_expit(-x)))
