"""Real voters differ more in habits than in taste: some never tie, some nearly always do, some hardly discriminate.

A grid of slopes kappa and tie habits e^m. Each stake gets the mean habits of its account, learnt from the account's
votes on *other* competitors, so that a campaign cannot explain itself by a habit of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ratings.campaigns.calibration import Calibration
from ratings.campaigns.stakes import Stakes, Whole
from ratings.data import Floats

SLOPES = np.array([0.1, 0.35, 0.7, 1.0, 1.5])
TIES = np.log([0.05, 0.3, 0.7, 1.5, 4.0])
GRID = np.array([(slope, tie) for slope in SLOPES for tie in TIES])
"""Shape (25, 2)."""
EM_STEPS, LEAST_VOTES, UNIFORM = 30, 3, 0.1
"""Of the prior: its steps, the votes of an account that teaches it, and the share that is spread evenly."""
TEACHERS = 50_000
"""Accounts that the prior learns from, evenly spaced; more would not move it."""
BLOCK = 1 << 17
"""Rows worked on at once."""


@dataclass(frozen=True)
class Habits:
    """Mean habits of each stake.

    Attributes
    ----------
    prior : float64, shape (25,)
    slope, tie : float64, shape (c,)
        kappa and m.
    """

    prior: Floats
    slope: Floats
    tie: Floats


def habits_of(stakes: Stakes, calibration: Calibration, lead: Floats, teaches: np.ndarray) -> Habits:
    """Prior by EM, then the mean habits of each stake without its own votes.

    Parameters
    ----------
    lead : float64, shape (voted,)
        +1 where a won, -1 where b did, 0 for a tie.
    teaches : bool, shape (v,)
        Accounts that are not excluded, and so may shape the prior.
    """
    by_vote = log_likelihoods(calibration, lead)
    entries = csr_array((np.ones(stakes.vote.size, np.float32), stakes.vote, stakes.first), shape=(
        stakes.account.size, by_vote.shape[0]))  # fmt: skip
    account = np.zeros((stakes.v, len(GRID)))
    own = np.zeros((stakes.account.size, len(GRID)), np.float32)
    for begin in range(0, stakes.account.size, BLOCK):
        part = slice(begin, begin + BLOCK)
        own[part] = entries[part] @ by_vote
    for column in range(len(GRID)):  # each vote stands in two stakes
        account[:, column] = np.bincount(stakes.account, own[:, column], minlength=stakes.v) / 2
    prior = _prior(account[teaches & (stakes.all_voted >= LEAST_VOTES)])
    slope, tie = np.empty(stakes.account.size), np.empty(stakes.account.size)
    for begin in range(0, stakes.account.size, BLOCK):
        part = slice(begin, begin + BLOCK)
        posterior = _normalised(account[stakes.account[part]] - own[part] + np.log(prior))
        slope[part], tie[part] = (posterior @ GRID).T
    return Habits(prior, slope, tie)


def log_likelihoods(calibration: Calibration, lead: Floats) -> NDArray[np.float32]:
    """Of each vote under each habit, float32, shape (voted, 25)."""
    result = np.empty((lead.size, len(GRID)), np.float32)
    extra = np.exp(TIES)
    for begin in range(0, lead.size, BLOCK):
        part = slice(begin, begin + BLOCK)
        z, log_tie, sign = calibration.z[part, None], calibration.log_tie[part, None], lead[part, None]
        tied = sign == 0
        tie = np.exp(log_tie) * extra
        for i, slope in enumerate(SLOPES.tolist()):
            half = slope / 2 * z
            up = np.exp(half)
            total = np.log(up + 1 / up + tie)
            result[part, i * TIES.size : (i + 1) * TIES.size] = sign * half + tied * (log_tie + TIES) - total
    return result


def _prior(likelihood: Floats) -> Floats:
    """Nonparametric maximum likelihood over the grid by EM, mixed with a uniform part."""
    uniform = np.full(len(GRID), 1 / len(GRID))
    if not likelihood.shape[0]:
        return uniform
    some: Whole = np.unique(
        np.linspace(0, likelihood.shape[0] - 1, min(likelihood.shape[0], TEACHERS)).astype(np.int64)
    )
    chance = np.exp(likelihood[some] - likelihood[some].max(axis=1, keepdims=True))
    prior = uniform
    for _ in range(EM_STEPS):
        joint = chance * prior
        prior = (joint / joint.sum(axis=1, keepdims=True)).mean(axis=0)
    return np.asarray((1 - UNIFORM) * prior + UNIFORM * uniform)


def _normalised(logs: Floats) -> Floats:
    weight = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))
