"""Newton's method on whole matrices of wins, which is several times as quick where most pairs met.

It takes full steps and no search along them: the log-likelihood is concave, so whatever point has no gradient is its
maximum, and where that is not reached in a few steps nothing is said and the careful method has to answer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotrs
from scipy.special import log_expit

from ratings.data import Cells, Floats

STEPS = 8
"""Steps that are enough for any full table; from a good start it takes three."""
FARTHEST = 30.0
"""Log-odds from the mean up to which odds of all are added in one precision."""
SMALL = 1 << 10
"""Pairs that are never too many to hold."""


@dataclass(frozen=True, slots=True)
class Top:
    """The maximum of the log-likelihood.

    Attributes
    ----------
    strength : float64, shape (n,)
        Mean zero.
    information : float64, shape (n, n)
        Negative Hessian there.
    value, gradient_norm : float
    iterations : int
    """

    strength: Floats
    information: Floats
    value: float
    gradient_norm: float
    iterations: int


def is_dense(table: Cells) -> bool:
    """Whether matrices of all pairs are no larger than what is known."""
    return table.n > 1 and table.n**2 <= max(4 * table.count.size, SMALL)


def wins_of(table: Cells) -> Floats:
    """Wins of each over each with half of the ties, shape (n, n).

    Examples
    --------
    >>> wins_of(Cells(2, np.array([0, 1]), np.array([1, 0]), np.array([3.0, 1.0]), np.array([2.0, 0.5]))).tolist()
    [[0.0, 2.5], [1.5, 0.0]]
    """
    n, keys = table.n, table.a * table.n
    keys += table.b
    wins = np.bincount(keys, table.score, minlength=n * n).reshape(n, n)
    return np.asarray(wins + np.bincount(keys, table.count - table.score, minlength=n * n).reshape(n, n).T)


def somebody_links_all(wins: Floats) -> bool:
    """Whether the busiest scored against everybody and conceded to everybody, so that all is strongly connected.

    Enough, not necessary, and so much quicker than a search that in a full arena it is all that is needed.
    """
    busiest = int((wins.sum(axis=1) + wins.sum(axis=0)).argmax())
    others = len(wins) - 1
    return bool(np.count_nonzero(wins[busiest]) == others == np.count_nonzero(wins[:, busiest]))


def climb(wins: Floats, prior: float, tolerance: float) -> Top | None:
    """The maximum for the wins (n, n), n at least 2; None where a few full steps do not lead there.

    Parameters
    ----------
    wins : float64, shape (n, n)
    prior : float
        Votes of ties of each competitor against the mean.
    tolerance : float
        Largest absolute gradient entry at which to stop, relative to the largest count of a competitor (at least 1).
    """
    met = wins + wins.T
    own, battles = wins.sum(axis=1), met.sum(axis=1)
    limit = tolerance * max(1.0, float(battles.max()))
    strength = (4.0 * own - 2.0 * battles) / np.maximum(battles, 1.0)  # Newton's step if all had met equally often
    strength -= strength.mean()
    for iteration in range(STEPS + 1):
        if not np.abs(strength).max() <= FARTHEST:
            return None
        gradient, information, sums = _at(strength, met, own, prior)
        norm = float(np.abs(gradient).max())
        if norm <= limit:
            value = float(own @ strength) - 0.5 * float(met.ravel() @ np.log(sums).ravel())
            value += prior / 2 * float((log_expit(strength) + log_expit(-strength)).sum())
            return _centred(Top(strength, information, value, norm, iteration), met, own, prior)
        if not prior:  # the direction of all ones knows nothing
            information += float(np.trace(information)) / len(own) ** 2
        factor, failed = dpotrf(information)
        if failed:
            return None
        strength = strength + dpotrs(factor, gradient)[0]
    return None


def _at(strength: Floats, met: Floats, own: Floats, prior: float) -> tuple[Floats, Floats, Floats]:
    """Gradient (n,), information (n, n), and the sums of both odds (n, n): i beats j in odds_i of odds_i + odds_j."""
    odds = np.exp(strength)
    sums = np.add.outer(odds, odds)
    weight = met / sums
    share = odds / (1.0 + odds)
    gradient = own - odds * weight.sum(axis=1) + prior * (0.5 - share)
    weight /= sums
    weight *= odds
    weight *= -odds[:, None]
    degree = prior * share * (1.0 - share) - weight.sum(axis=1)
    weight.ravel()[:: len(odds) + 1] += degree
    return gradient, weight, sums


def _centred(top: Top, met: Floats, own: Floats, prior: float) -> Top:
    """Around the mean, which a prior does not leave at zero."""
    strength = top.strength - top.strength.mean()
    information = _at(strength, met, own, prior)[1] if prior else top.information
    return replace(top, strength=strength, information=information)
