"""D3: has a competitor begun to win more, or less, than a frozen fit says? A swapped model, or a campaign at work."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logsumexp

from ratings.bradley_terry import fit_bradley_terry
from ratings.campaigns.options import ScreenOptions
from ratings.connectivity import strong_components
from ratings.data import SCORE_OF_A, Floats, cells
from ratings.served import ServedLog
from ratings.uncertainty import PRIOR_VOTES

BETS = np.array([0.1, 0.25, 0.5, 0.8])
"""lambda."""
FREEZES = tuple(2.0**-k for k in range(6, 0, -1))
"""Shares of the log after which strengths are frozen for those that are settled by then."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One alarm: the competitor, the sign, the battle at which it rang, and the largest log of the mixed sums."""

    competitor: int
    sign: int
    at: int
    statistic: float


def drifts(log: ServedLog, weight: Floats, options: ScreenOptions) -> list[Drift]:
    """Alarms over the votes that count, in the order of the log.

    S ← max(S, 0) + log(1 + lambda (± r - delta)), r = y - p with p from the frozen fit; an alarm rings when the log of
    the mean of exp S over lambda passes the threshold. A competitor's watch starts when its standard error, and its
    opponent's, is at most `settled`: a frozen fit that is a third of a logit off would ring in nearly every honest
    stream.
    """
    rows = np.flatnonzero(weight > 0)
    if not rows.size:
        return []
    a, b = log.a[rows], log.b[rows]
    score = SCORE_OF_A[log.outcome[rows]]
    chance, watched = _frozen(log, weight, rows, options)
    found = []
    for t in range(log.n):
        for sign in (1, -1):
            side = np.where(a == t, 1.0, -1.0)
            mine = np.flatnonzero(((a == t) | (b == t)) & watched[:, 0] & watched[:, 1])
            if not mine.size:
                continue
            r = sign * side[mine] * (score[mine] - chance[mine])
            path = mixture(r, options.slack)
            rang = np.flatnonzero(path > options.drift)
            if rang.size:
                found.append(Drift(t, sign, int(rows[mine[rang[0]]]), float(path.max())))
    return found


def mixture(r: Floats, slack: float) -> Floats:
    """log mean_lambda exp S_lambda after each residual, shape (m,).

    Examples
    --------
    >>> bool(mixture(np.full(100, 0.5), 0.04)[-1] > 9 > mixture(np.tile([0.5, -0.5], 50), 0.04).max())
    True
    """
    steps = np.log1p(BETS[:, None] * (r - slack))
    total = np.cumsum(steps, axis=1)
    floor = np.minimum.accumulate(np.concatenate([np.zeros((BETS.size, 1)), total[:, :-1]], axis=1), axis=1)
    return np.asarray(logsumexp(total - floor, axis=0) - np.log(BETS.size))


def _frozen(log: ServedLog, weight: Floats, rows: np.ndarray, options: ScreenOptions) -> tuple[Floats, np.ndarray]:
    """P(a) of each vote by strengths frozen before it, and whether either side is settled, shape (rows, 2).

    Each competitor keeps the strength of the first freeze at which it is settled.
    """
    theta, since = np.zeros(log.n), np.full(log.n, rows.size)
    gamma = 0.0
    for share in FREEZES:
        upto = int(rows.size * share)
        head = np.zeros(log.battles)
        head[rows[:upto]] = weight[rows[:upto]]
        data = log.comparisons(head)
        if data.votes == 0:
            continue
        table = cells(data)
        prior = PRIOR_VOTES if strong_components(table).any() else 0.0
        fit = fit_bradley_terry(table, side_effect=True, prior=prior)
        error = np.sqrt(np.diag(fit.covariance)[: log.n])
        votes = np.bincount(np.concatenate([data.a, data.b]), minlength=log.n)
        new = (since == rows.size) & (error <= options.settled) & (votes > 0)
        settled = since < rows.size
        if settled.any() and new.any():  # a later fit has another zero: put it onto that of the ones kept
            theta[new] = fit.strength[new] + np.mean(theta[settled] - fit.strength[settled])
        else:
            theta[new] = fit.strength[new]
            gamma = fit.side_effect if new.any() else gamma
        since[new] = upto
    order = np.arange(rows.size)
    watched = np.column_stack([order >= since[log.a[rows]], order >= since[log.b[rows]]])
    return np.asarray(expit(theta[log.a[rows]] - theta[log.b[rows]] + gamma)), watched
