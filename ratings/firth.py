"""Firth's bias-reduced Bradley-Terry fit: finite whenever the competitors are connected, better centred in thin data.

The score of each cell becomes s - n p + h (1/2 - p) with h its leverage, which takes away the bias of order 1/m. It is
the mode under Jeffreys' prior, |information|^(1/2), so it can be stated as a prior and does not hang on any reference.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from ratings.bradley_terry import (
    MAX_STEP,
    BradleyTerryFit,
    differences,
    hessian,
    invert,
    log_likelihood,
    side_is_identifiable,
)
from ratings.connectivity import components, refuse_groups
from ratings.data import Cells, Floats, net, unordered


def fit_firth(
    table: Cells, *, side_effect: bool = False, tolerance: float = 1e-9, max_iterations: int = 200
) -> BradleyTerryFit:
    """The mode of likelihood times the root of the information's determinant (Jeffreys' prior).

    sum_c x_c [s_c - n_c p_c + h_c (1/2 - p_c)] = 0 with h_c = n_c p_c (1 - p_c) x_c' H^-1 x_c.

    Parameters
    ----------
    table : Cells
    side_effect : bool
        Fit gamma jointly; left out where no comparison could tell it from the strengths.
    tolerance : float
        Largest step, log-odds, at which to stop.

    Returns
    -------
    BradleyTerryFit
        With `bias_reduced` true; `covariance` is the inverse information there, without the prior's part.

    Raises
    ------
    NotStronglyConnected
        The competitors fall into groups that were never compared.

    References
    ----------
    Firth, D. (1993). Bias reduction of maximum likelihood estimates. Biometrika 80, 27-38. Heinze, G. & Schemper, M.
    (2002). A solution to the problem of separation in logistic regression. Statist. Med. 21, 2409-2419.

    Examples
    --------
    One win of one: the log of 1.5 wins against 0.5, where maximum likelihood has no answer.

    >>> from ratings.data import cells, comparisons
    >>> fit = fit_firth(cells(comparisons("xy", [0], [1], [0])))
    >>> round(float(np.exp(fit.strength[0] - fit.strength[1])), 6)
    3.0
    """
    refuse_groups(components(table))
    side_effect = side_effect and side_is_identifiable(table)
    if not side_effect:
        table = unordered(table)
    parameters, iteration, size = np.zeros(table.n + 1), 0, 0.0
    value, information = _penalised(table, parameters, side_effect)
    for iteration in range(max_iterations):  # noqa: B007 - how many were needed is reported
        slope, step = _step(table, parameters, information, side_effect)
        size = float(np.abs(step).max(initial=0.0))
        if size <= tolerance:
            break
        step *= min(1.0, MAX_STEP / size)
        for power in range(30):
            trial = parameters + step * 0.5**power
            reached, information = _penalised(table, trial, side_effect)
            if reached >= value - 1e-11 * (1 + abs(value)):
                break
        parameters, value = trial, reached
    slope, _ = _step(table, parameters, information, side_effect)
    strength = parameters[:-1] - parameters[:-1].mean() if table.n else parameters[:-1]
    return BradleyTerryFit(
        strength=strength, side_effect=float(parameters[-1]), covariance=invert(information, side_effect),
        log_likelihood=log_likelihood(table, parameters), iterations=iteration,
        gradient_norm=float(np.abs(slope).max(initial=0.0)), prior=0.0, bias_reduced=True,
    )  # fmt: skip


def leverages(table: Cells, fit: BradleyTerryFit) -> Floats:
    """h_c = n_c p_c (1 - p_c) x_c' H^-1 x_c of each cell, shape (p,); they sum to the number of free parameters.

    Examples
    --------
    >>> from ratings.data import cells, comparisons
    >>> table = cells(comparisons("xyz", [0, 1, 2], [1, 2, 0], [0, 0, 0]))
    >>> round(float(leverages(table, fit_firth(table)).sum()), 6)
    2.0
    """
    return _leverages(table, np.append(fit.strength, fit.side_effect), fit.covariance)


def _leverages(table: Cells, parameters: Floats, inverse: Floats) -> Floats:
    p = expit(differences(table, parameters))
    n, a, b = table.n, table.a, table.b
    spread = inverse[a, a] + inverse[b, b] - 2 * inverse[a, b] + 2 * (inverse[a, n] - inverse[b, n]) + inverse[n, n]
    return np.asarray(table.count * p * (1 - p) * spread)


def _step(table: Cells, parameters: Floats, information: Floats, side_effect: bool) -> tuple[Floats, Floats]:
    """Slope of the penalised likelihood, and a scoring step with the pseudo-votes h in the information."""
    h = _leverages(table, parameters, invert(information, side_effect))
    p = expit(differences(table, parameters))
    residual = table.score - table.count * p + h * (0.5 - p)
    slope = np.append(net(table, residual), residual.sum() if side_effect else 0.0)
    padded = Cells(table.n, table.a, table.b, table.count + h, table.score + h / 2)
    step = invert(hessian(padded, parameters, side_effect=side_effect), side_effect) @ slope
    return np.asarray(slope, dtype=np.float64), np.asarray(step)


def _penalised(table: Cells, parameters: Floats, side_effect: bool) -> tuple[float, Floats]:
    """Log-likelihood plus half the log-determinant of the information off the direction of all ones."""
    information = hessian(table, parameters, side_effect=side_effect)
    n = table.n
    size = n + 1 if side_effect else n
    block = information[:size, :size].copy()
    block[:n, :n] += 1.0
    sign, logdet = np.linalg.slogdet(block) if size else (1.0, 0.0)
    value = log_likelihood(table, parameters) + (0.5 * float(logdet) if sign > 0 else -np.inf)
    return float(value), information
