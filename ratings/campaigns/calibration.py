"""What honest votes look like on average: strengths, a common slope, ties by competitor.

d = theta_a - theta_b + gamma (+ x · beta) from the weighted Bradley-Terry fit, ties half. Then Davidson on top of it:
P(a) = e^(s d / 2) / Z, P(b) = e^(-s d / 2) / Z, P(tie) = nu_ab / Z, ln nu_ab = ln nu + eta_a + eta_b.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ratings.bradley_terry import fit_bradley_terry
from ratings.campaigns.stakes import Whole
from ratings.connectivity import components, strong_components
from ratings.data import Comparisons, Floats, Outcome, cells
from ratings.errors import BadInput
from ratings.served import ServedLog
from ratings.style import fit_style
from ratings.uncertainty import PRIOR_VOTES

STEPS = 12
STEP, EASE, FARTHEST = 0.7, 20.0, 2.0
"""Of the tie propensities: the damping, the ties added to observed and expected ones, and how far they may go."""
LEAST_TIE = 1e-6
"""Davidson's nu where nobody tied: else a first tie would be proof of everything."""


@dataclass(frozen=True)
class Strengths:
    """A weighted fit of the voted battles.

    Attributes
    ----------
    theta : float64, shape (n,)
        Mean zero per component of the weighted votes.
    variance : float64, shape (n,)
    gamma : float
    d : float64, shape (voted,)
        theta_a - theta_b + gamma + x · beta of every voted battle, whatever its weight.
    """

    theta: Floats
    variance: Floats
    gamma: float
    d: Floats


@dataclass(frozen=True)
class Calibration:
    """Davidson's model of the average voter at each voted battle.

    Attributes
    ----------
    z : float64, shape (voted,)
        s · d, log-odds of a decided vote for side a.
    log_tie : float64, shape (voted,)
        ln nu_ab.
    slope : float
        s.
    propensity : float64, shape (n,)
        eta.
    """

    z: Floats
    log_tie: Floats
    slope: float
    propensity: Floats


def fit_strengths(log: ServedLog, weight: Floats, *, style: bool) -> Strengths:
    """Bradley-Terry with a side effect (and style), weighted; the stated prior where no finite estimate exists."""
    data = log.comparisons(weight)
    table = cells(data)
    prior = PRIOR_VOTES if strong_components(table).any() else 0.0
    voted = log.voted
    a, b = log.a[voted], log.b[voted]
    extra: Floats | float = 0.0
    if style and log.style is not None and log.style.shape[1] and data.votes > 0:
        fit, extra = _styled(data, log.style[voted], prior)
    else:
        fit = fit_bradley_terry(table, side_effect=True, prior=prior)
    theta = centred(fit.strength, components(table))
    n = theta.size
    return Strengths(
        theta, np.diag(fit.covariance)[:n], fit.side_effect, np.asarray(theta[a] - theta[b] + fit.side_effect + extra)
    )


def _styled(data: Comparisons, style: Floats, prior: float) -> tuple[Any, Floats | float]:
    """Covariates that never vary say nothing and must not stop a screen."""
    try:
        fit = fit_style(data, side_effect=True, prior=prior)
    except BadInput:
        return fit_bradley_terry(cells(data), side_effect=True, prior=prior), 0.0
    return fit, style / fit.scale @ fit.coefficients


def centred(theta: Floats, component: Whole) -> Floats:
    """The same differences with mean zero in each component.

    Examples
    --------
    >>> centred(np.array([1.0, 3.0, 7.0]), np.array([0, 0, 1])).tolist()
    [-1.0, 1.0, 0.0]
    """
    if not theta.size:
        return theta
    size = np.bincount(component)
    return np.asarray(theta - (np.bincount(component, theta) / size)[component])


def calibrate(log: ServedLog, d: Floats, weight: Floats) -> Calibration:
    """Slope and nu by maximum likelihood at these d, then a tie propensity for each competitor.

    Parameters
    ----------
    d : float64, shape (voted,)
    weight : float64, shape (m,)
    """
    voted = log.voted
    a, b, outcome, mass = log.a[voted], log.b[voted], log.outcome[voted], weight[voted]
    tied = (outcome >= Outcome.TIE).astype(np.float64)
    lead = np.where(outcome == Outcome.A, 1.0, np.where(outcome == Outcome.B, -1.0, 0.0))
    slope, log_tie = _slope_and_tie(d, lead, tied, mass)
    eta = np.zeros(log.n)
    if tied @ mass > 0:
        seen = _by_competitor(a, b, mass * tied, log.n)
        for _ in range(STEPS):
            chance = _tie_chance(slope * d, log_tie + eta[a] + eta[b])
            expected = _by_competitor(a, b, mass * chance, log.n)
            eta = np.clip(eta + STEP * np.log((seen + EASE) / (expected + EASE)), -FARTHEST, FARTHEST)
    return Calibration(slope * d, log_tie + eta[a] + eta[b], slope, eta)


def _slope_and_tie(d: Floats, lead: Floats, tied: Floats, mass: Floats) -> tuple[float, float]:
    """Newton's method in (s, ln nu), with halved steps; s held within a plain range where d says nothing."""
    ties = float(tied @ mass)
    log_tie = np.log(LEAST_TIE) if ties <= 0 else 0.0
    x = np.array([1.0, log_tie])
    value = _value(x, d, lead, tied, mass)
    for _ in range(30):
        slope, information = _derivatives(x, d, lead, tied, mass)
        if ties <= 0:
            slope[1], information[0, 1], information[1, 0], information[1, 1] = 0.0, 0.0, 0.0, 1.0
        step = np.linalg.solve(information + 1e-9 * np.eye(2), slope)
        step *= min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-300))
        for power in range(20):
            trial = x + step * 0.5**power
            reached = _value(trial, d, lead, tied, mass)
            if reached >= value:
                break
        else:
            break
        done = abs(reached - value) <= 1e-9 * max(abs(value), 1.0)
        x, value = trial, reached
        if done:
            break
    return float(np.clip(x[0], 0.2, 5.0)), float(np.clip(x[1], np.log(LEAST_TIE), 6.0))


def _value(x: Floats, d: Floats, lead: Floats, tied: Floats, mass: Floats) -> float:
    half = x[0] * d / 2
    total = np.log(np.exp(half) + np.exp(-half) + np.exp(x[1]))
    return float(mass @ (lead * half + tied * x[1] - total) - (x[0] - 1) ** 2 / 2 - x[1] ** 2 / 200)


def _derivatives(x: Floats, d: Floats, lead: Floats, tied: Floats, mass: Floats) -> tuple[Floats, Floats]:
    half = x[0] * d / 2
    up, down, tie = np.exp(half), np.exp(-half), np.exp(x[1])
    total = up + down + tie
    gap, chance = (up - down) / total, tie / total
    move = d / 2
    slope = np.array([
        mass @ (move * (lead - gap)) - (x[0] - 1), mass @ (tied - chance) - x[1] / 100,
    ])  # fmt: skip
    cross = -float(mass @ (move * gap * chance))
    information = np.array([
        [mass @ (move**2 * (1 - chance - gap**2)) + 1, cross],
        [cross, mass @ (chance * (1 - chance)) + 0.01],
    ])  # fmt: skip
    return slope, information


def _tie_chance(z: Floats, log_tie: Floats) -> Floats:
    tie = np.exp(log_tie)
    return np.asarray(tie / (np.exp(z / 2) + np.exp(-z / 2) + tie))


def _by_competitor(a: Whole, b: Whole, values: Floats, n: int) -> Floats:
    return np.asarray(np.bincount(a, values, minlength=n) + np.bincount(b, values, minlength=n))
