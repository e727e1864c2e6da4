"""How readily does an account vote where one competitor is, and where it is not, and how do honest people?

Selection is conditional on how much an account voted, so that nobody is suspect for voting much or little. Where there
is a campaign it may say so after all: who votes on its competitor and never on anything else is another kind of person
than who votes on half of everything.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit, xlog1py, xlogy

from ratings.campaigns.stakes import Stakes, Whole, log_sum
from ratings.data import Floats

RATES = np.array([(here, elsewhere) for here in (0.5, 0.95) for elsewhere in (0.003, 0.03, 0.1, 0.3, 0.7)])
"""How often a campaign's accounts vote where the competitor is, and where it is not, shape (10, 2)."""
GRID = expit(np.linspace(-6, 6, 19))
STEPS, UNIFORM = 30, 0.02
"""Of the law of readiness: EM steps, and the share that is spread evenly."""


def log_rates(stakes: Stakes, teaches: np.ndarray) -> Floats:
    """ln of what each account voted on at each of RATES over honest people's chance of as many votes, shape (c, 10).

    Of s battles served, t of them with the competitor, n were voted on, k with it: p^k (1 - p)^(t - k) q^(n - k)
    (1 - q)^(s - t - n + k) over the mean of r^n (1 - r)^(s - n) under the law of honest readiness, a nonparametric
    mixture of r on GRID.

    Parameters
    ----------
    teaches : bool, shape (v,)
        Accounts that are not excluded, and so may shape the law.
    """
    account = stakes.account
    counts = np.stack([stakes.all_served[account], stakes.all_voted[account], stakes.served, stakes.voted])
    kinds, where = np.unique(counts, axis=1, return_inverse=True)
    s, n, t, k = kinds.astype(np.float64)[:, :, None]
    law = np.log(_law(stakes.all_served[teaches], stakes.all_voted[teaches]))
    usual = log_sum(_log_chance(s, n, GRID) + law)
    told = _log_chance(t, k, RATES[:, 0]) + _log_chance(s - t, n - k, RATES[:, 1])
    return np.asarray((told - usual[:, None])[where.ravel()])


def _law(served: Whole, voted: Whole) -> Floats:
    """Weights on GRID by EM over these accounts, shape (19,)."""
    kinds, often = np.unique(np.stack([served, voted]), axis=1, return_counts=True)
    weight = np.full(GRID.size, 1 / GRID.size)
    if not often.size:
        return weight
    s, n = kinds.astype(np.float64)[:, :, None]
    chance = _log_chance(s, n, GRID)
    chance = np.exp(chance - chance.max(axis=1, keepdims=True))
    for _ in range(STEPS):
        joint = chance * weight
        weight = often @ (joint / joint.sum(axis=1, keepdims=True)) / often.sum()
    return np.asarray((1 - UNIFORM) * weight + UNIFORM / GRID.size)


def _log_chance(served: Floats, voted: Floats, rate: Floats) -> Floats:
    return np.asarray(xlogy(voted, rate) + xlog1py(served - voted, -rate))
