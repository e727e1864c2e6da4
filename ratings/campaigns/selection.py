"""Does an account vote more readily where one competitor appears, against its own served battles?

All is conditional on what an account was served and on how many of these battles it voted on, so that neither sampling
policy, entries and boosts nor anybody's readiness to vote at all can look like a campaign. Of s battles served, s_t of
them with the competitor, n were voted on; how many of the n are with it, k, is noncentral hypergeometric:

P(k) ∝ C(s_t, k) C(s - s_t, n - k) psi^k, psi = e^delta_t / omega,

with delta_t the competitor's own pull and omega < 1 what is left of the odds of voting on others.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import gammaln

from ratings.campaigns.stakes import Stakes, Whole, log_sum
from ratings.data import Floats

OMEGAS = np.array([1.0, 0.3, 0.1, 0.03, 0.01])
PULL = 0.8
"""How far delta may go from its median: beyond it a competitor's readiness is no property of its answers."""
STEPS, SETTLED = 4, 0.1
"""Newton steps for delta at most, and the last step after which another would not matter."""
PRODUCT = 120
"""Widths up to which powers of omega stay within floating point."""
BLOCK = 1 << 18
"""Chances worked on at once."""


def log_selection(stakes: Stakes, teaches: np.ndarray, more: float = 0.0) -> Floats:
    """ln of P(k) at each omega over P(k) at omega = 1, of each stake, shape (c, 5), the first column zero.

    Parameters
    ----------
    teaches : bool, shape (v,)
        Accounts that are not excluded, and so may shape delta.
    more : float
        Added to delta, for a bound that holds whatever pulls.

    References
    ----------
    Fisher, R. A. (1935). The logic of inductive inference. J. R. Statist. Soc. 98(1), 39-82 (the noncentral law).
    """
    kinds, where = _kinds(stakes)
    often = np.asarray(np.bincount(where, teaches[stakes.account], minlength=kinds.shape[1]), dtype=np.float64)
    delta = _pulls(stakes.n, kinds, often) + more
    result = np.zeros((kinds.shape[1], OMEGAS.size))
    away = -np.log(OMEGAS)
    for rows, k, chance in _laws(kinds, delta):
        result[rows] = kinds[4, rows, None] * away - _log_moments(k - k[:, :1], chance) - k[:, :1] * away
    return np.asarray(result[where])


def factor(log_ratio: Floats) -> Floats:
    """ln of the mean over omega."""
    return np.asarray(log_sum(log_ratio) - np.log(log_ratio.shape[1]))


def _log_moments(step: Whole, chance: Floats) -> Floats:
    """ln Σ_k P(k) omega^(-step) for each row and omega; `step` counts from 0."""
    if step.shape[1] <= PRODUCT:
        powers = OMEGAS ** -np.arange(step.shape[1], dtype=np.float64)[:, None]
        return np.asarray(np.log(chance @ powers))
    with np.errstate(divide="ignore"):
        logs = np.log(chance)
    return np.stack([log_sum(logs - step * np.log(omega)) for omega in OMEGAS.tolist()], axis=1)


def _kinds(stakes: Stakes) -> tuple[Whole, Whole]:
    """Distinct (t, s, n, s_t, k), shape (5, kinds), and the kind of each stake."""
    account = stakes.account
    columns = [
        stakes.competitor, stakes.all_served[account], stakes.all_voted[account], stakes.served, stakes.voted,
    ]  # fmt: skip
    spaces = [int(column.max(initial=0)) + 1 for column in columns]
    if float(np.prod([float(space) for space in spaces])) < 2.0**62:
        key = np.zeros(account.size, np.int64)
        for column, space in zip(columns, spaces, strict=True):
            key = key * space + column
    else:  # too many for one number: stakes are taken one by one
        key = np.arange(account.size)
    _, first, where = np.unique(key, return_index=True, return_inverse=True)
    return np.stack([np.asarray(column, dtype=np.int64)[first] for column in columns]), where.ravel()


def _laws(kinds: Whole, delta: Floats) -> Iterator[tuple[Whole, Whole, Floats]]:
    """Kinds, the k that they allow, and the chance of each at omega = 1; a block of similar widths at a time."""
    t, s, n, s_t, _k = kinds
    low, high = np.maximum(n - (s - s_t), 0), np.minimum(s_t, n)
    table = gammaln(np.arange(int(s.max(initial=0)) + 1) + 1.0)
    length = high - low + 1
    order = np.argsort(length, kind="stable")
    begin = 0
    while begin < order.size:
        end = min(order.size, begin + max(1, BLOCK // int(length[order[begin]])))
        while end > begin + 1 and length[order[end - 1]] > 2 * length[order[begin]]:
            end = begin + (end - begin) // 2
        rows = order[begin:end]
        allowed = low[rows, None] + np.arange(int(length[rows[-1]]))
        k = np.minimum(allowed, high[rows, None])
        terms = k * delta[t[rows], None] - table[k] - table[s_t[rows, None] - k]
        terms -= table[n[rows, None] - k] + table[(s - s_t - n)[rows, None] + k]
        terms[allowed > k] = -np.inf
        chance = np.exp(terms - terms.max(axis=1, keepdims=True))
        yield rows, allowed, chance / chance.sum(axis=1, keepdims=True)
        begin = end


def _pulls(n: int, kinds: Whole, often: Floats) -> Floats:
    """delta, shape (n,): expected votes on each competitor are those that came; median zero."""
    t, s, voted, s_t, k = kinds
    share = s_t / np.maximum(s, 1)
    mean, variance = voted * share, voted * share * (1 - share) * (s - voted) / np.maximum(s - 1, 1)
    delta = np.zeros(n)
    for step in range(STEPS):
        if step:
            mean, variance = np.zeros(t.size), np.zeros(t.size)
            for rows, values, chance in _laws(kinds, delta):
                mean[rows] = (chance * values).sum(axis=1)
                variance[rows] = (chance * values**2).sum(axis=1) - mean[rows] ** 2
        move: Floats = np.asarray(np.bincount(t, often * (k - mean), minlength=n), dtype=np.float64)
        move /= np.maximum(np.bincount(t, often * variance, minlength=n), 1.0)
        delta += np.clip(move, -0.5, 0.5)
        if np.abs(move).max(initial=0.0) <= SETTLED:
            break
    return np.asarray(np.clip(delta - np.median(delta), -PULL, PULL)) if n else delta
