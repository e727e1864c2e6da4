"""D3: has a competitor begun to win more, or less, than a frozen fit says? A swapped model, or a campaign at work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logsumexp

from ratings.bradley_terry import fit_bradley_terry
from ratings.campaigns.options import ScreenOptions
from ratings.connectivity import strong_components
from ratings.data import SCORE_OF_A, Floats, Ints, cells
from ratings.served import ServedLog
from ratings.uncertainty import PRIOR_VOTES

BETS = np.array([0.1, 0.25, 0.5, 0.8])
"""lambda."""
FREEZES = (*(2.0**-k for k in range(6, 0, -1)), 0.75)
"""Shares of the log after which strengths are frozen, those that are settled by then, and a watch begins."""
LEFT = 3.0
"""What must be left of a drift without the votes that other rules took: else it is explained."""
CARRIED = 1.0
"""delta for each standard error of a strength: four of them at p (1 - p). The largest of forty is off by 2.5 or so, and
honest votes drift a little."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One alarm: the competitor, the sign, the battle at which it rang, and the largest log of the mixed sums."""

    competitor: int
    sign: int
    at: int
    statistic: float


def drifts(log: ServedLog, weight: Floats, options: ScreenOptions) -> list[Drift]:
    """Alarms over the votes that count, in the order of the log.

    S ← max(S, 0) + log(1 + lambda (± r - delta)), r = y - p with p from a frozen fit; an alarm rings when the log of
    the mean of exp S over lambda passes the threshold. Strengths are frozen several times, and each time a watch begins
    over those whose standard error is at most `settled` then. A frozen fit that is off would ring in honest streams:
    delta grows with the standard error, so that a late watch, which knows more, hears more.
    """
    rows = np.flatnonzero(weight > 0)
    first: dict[tuple[int, int], Drift] = {}
    for share in FREEZES:
        for drift in _watch(log, weight, rows, int(rows.size * share), options):
            key = drift.competitor, drift.sign
            if key not in first or drift.at < first[key].at:
                first[key] = drift
    return [first[key] for key in sorted(first, key=lambda key: (key[0], -key[1]))]


def _watch(log: ServedLog, weight: Floats, rows: Ints, upto: int, options: ScreenOptions) -> Iterator[Drift]:
    """Alarms after the first `upto` votes, by strengths frozen there."""
    theta, gamma, error = _frozen(log, weight, rows[:upto])
    settled = error <= options.settled
    later = rows[upto:]
    later = later[settled[log.a[later]] & settled[log.b[later]]]
    a, b = log.a[later], log.b[later]
    r = SCORE_OF_A[log.outcome[later]] - expit(theta[a] - theta[b] + gamma)
    for t in np.flatnonzero(settled).tolist():
        mine = np.flatnonzero((a == t) | (b == t))
        if not mine.size:
            continue
        lead = np.where(a[mine] == t, r[mine], -r[mine])
        slack = max(options.slack, CARRIED * float(error[t]))
        for sign in (1, -1):
            path = mixture(sign * lead, slack)
            rang = np.flatnonzero(path > options.drift)
            if rang.size:
                yield Drift(t, sign, int(later[mine[rang[0]]]), float(path.max()))


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


def _frozen(log: ServedLog, weight: Floats, rows: Ints) -> tuple[Floats, float, Floats]:
    """Strengths, side effect and standard errors by these votes alone; without end for who has none."""
    head = np.zeros(log.battles)
    head[rows] = weight[rows]
    data = log.comparisons(head)
    if data.votes == 0:
        return np.zeros(log.n), 0.0, np.full(log.n, np.inf)
    table = cells(data)
    prior = PRIOR_VOTES if strong_components(table).any() else 0.0
    fit = fit_bradley_terry(table, side_effect=True, prior=prior)
    votes = np.bincount(np.concatenate([data.a, data.b]), minlength=log.n)
    error = np.where(votes > 0, np.sqrt(np.diag(fit.covariance)[: log.n]), np.inf)
    return fit.strength, fit.side_effect, error
