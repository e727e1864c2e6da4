"""Does an account vote more readily where one competitor appears, against its own served battles?

Readiness alpha has a nonparametric mixing law w on 19 log-odds; delta_t is the competitor's own pull. An account that
leaves other battles unvoted has their odds multiplied by omega < 1. Sampling policy, entries and boosts cancel, since
all is conditional on what was served.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit, log_expit

from ratings.campaigns.stakes import Stakes, Whole, log_sum
from ratings.data import Floats

READINESS = np.linspace(-6, 6, 19)
OMEGAS = np.array([1.0, 0.3, 0.1, 0.03, 0.01])
EM_STEPS, UNIFORM = 200, 0.02
PULL = 0.8
"""How far delta may go from its median: beyond it a competitor's readiness is no property of its answers."""
BLOCK = 1 << 15


def log_selection(stakes: Stakes, teaches: np.ndarray) -> Floats:
    """ln (S_omega / S_1) of each stake, shape (c, 5), the first column zero.

    Parameters
    ----------
    teaches : bool, shape (v,)
        Accounts that are not excluded, and so may shape w and delta.

    References
    ----------
    S_omega = sum_j w_j sigma(alpha_j + delta)^k_t sigma(-alpha_j - delta)^(s_t - k_t)
    sigma(alpha_j + ln omega)^(n - k_t) sigma(-alpha_j - ln omega)^((s - s_t) - (n - k_t)).
    """
    weight, posterior = _readiness(stakes, teaches)
    delta = _pulls(stakes, teaches, posterior)
    s, n = stakes.all_served[stakes.account], stakes.all_voted[stakes.account]
    columns = (stakes.competitor, stakes.served, stakes.voted, s, n)
    key = np.zeros(stakes.account.size, np.int64)
    for column in columns:  # as many as 2^63 keys; where that is not enough, stakes are taken one by one
        key = key * (int(column.max(initial=0)) + 1) + column
    spaces = [float(column.max(initial=0)) + 1 for column in columns]
    if np.prod(spaces) >= 2.0**62:
        key = np.arange(stakes.account.size)
    _, first, where = np.unique(key, return_index=True, return_inverse=True)
    result = np.empty((first.size, OMEGAS.size))
    for begin in range(0, first.size, BLOCK):
        some = first[begin : begin + BLOCK]
        result[begin : begin + BLOCK] = _kinds(
            weight, delta[stakes.competitor[some]], stakes.served[some], stakes.voted[some], s[some], n[some]
        )
    return np.asarray(result[where.ravel()])


def factor(log_ratio: Floats) -> Floats:
    """ln of the mean over omega."""
    return np.asarray(log_sum(log_ratio) - np.log(log_ratio.shape[1]))


def _kinds(weight: Floats, delta: Floats, s_t: Whole, k_t: Whole, s: Whole, n: Whole) -> Floats:
    """ln (S_omega / S_1), shape (rows, 5)."""
    alpha = READINESS + delta[:, None]
    here = k_t[:, None] * log_expit(alpha) + (s_t - k_t)[:, None] * log_expit(-alpha) + np.log(weight)
    voted, left = (n - k_t)[:, None], (s - s_t - n + k_t)[:, None]
    columns = []
    for omega in OMEGAS:
        other = READINESS + np.log(omega)
        columns.append(log_sum(here + voted * log_expit(other) + left * log_expit(-other)))
    found = np.column_stack(columns)
    return np.asarray(found - found[:, :1])


def _readiness(stakes: Stakes, teaches: np.ndarray) -> tuple[Floats, Floats]:
    """w, and each account's posterior over READINESS, shape (v, 19)."""
    s, n = stakes.all_served, stakes.all_voted
    key = s * (int(n.max(initial=0)) + 1) + n
    _, first, where = np.unique(key, return_index=True, return_inverse=True)
    logs = n[first, None] * log_expit(READINESS) + (s - n)[first, None] * log_expit(-READINESS)
    chance = np.exp(logs - logs.max(axis=1, keepdims=True)) if logs.size else logs
    often = np.bincount(where.ravel(), teaches & (s > 0), minlength=first.size)
    uniform = np.full(READINESS.size, 1 / READINESS.size)
    weight = uniform
    for _ in range(EM_STEPS if often.sum() > 0 else 0):
        joint = chance * weight
        weight = often @ (joint / joint.sum(axis=1, keepdims=True)) / often.sum()
    weight = (1 - UNIFORM) * weight + UNIFORM * uniform
    joint = chance * weight
    posterior = joint / joint.sum(axis=1, keepdims=True) if joint.size else joint
    return weight, np.asarray(posterior[where.ravel()])


def _pulls(stakes: Stakes, teaches: np.ndarray, posterior: Floats) -> Floats:
    """delta, shape (n,): expected votes on each competitor at its served battles equal to those that came."""
    delta = np.zeros(stakes.n)
    for t in range(stakes.n):
        part = stakes.of(t)
        account = stakes.account[part]
        counts = teaches[account]
        served = (counts * stakes.served[part]) @ posterior[account]
        came = float(counts @ stakes.voted[part])
        for _ in range(30):
            chance = expit(READINESS + delta[t])
            gap = came - served @ chance
            delta[t] += np.clip(gap / max(float(served @ (chance * (1 - chance))), 1.0), -0.5, 0.5)
            delta[t] = np.clip(delta[t], -10, 10)
    return np.asarray(np.clip(delta - np.median(delta), -PULL, PULL)) if stakes.n else delta
