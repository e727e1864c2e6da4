"""Accounts that always choose the same side: they say nothing about anybody, and pull all strengths together."""

from __future__ import annotations

import numpy as np

from ratings.campaigns import accounts, taste
from ratings.campaigns.accounts import Honest
from ratings.campaigns.evidence import Units
from ratings.campaigns.habits import GRID, Habits
from ratings.campaigns.options import ScreenOptions
from ratings.campaigns.stakes import Stakes, Whole


def side_units(honest: Honest, options: ScreenOptions) -> Units:
    """Accounts as units whose "competitor" is side a, all with the prior's habits; no selection."""
    stakes = _on_side_a(honest.stakes)
    slope, tie = honest.habits.prior @ GRID
    size = stakes.account.size
    habits = Habits(honest.habits.prior, np.full(size, slope), np.full(size, tie))
    every = np.arange(size)
    some = taste.teachers(stakes, honest.teaches)
    likelihood = taste.log_likelihoods(stakes, honest.calibration, habits, honest.lead, some)
    tau = taste.taste_of(likelihood, stakes.voted[some])
    seen = Honest(
        stakes, honest.calibration, habits, honest.lead, tau, np.zeros((size, 1)), np.zeros((size, 0)),
        honest.teaches,
    )  # fmt: skip
    ratio, moved = accounts.campaign_ratio(seen, every)
    return Units(
        n=1, competitor=np.zeros(size, np.int64), unit=every, begin=np.array([0, size]),
        large=stakes.all_voted >= options.few, log_l=accounts.mean_promise(ratio), log_lifted=moved,
        log_selection=np.zeros(size), told=ratio, chosen=np.zeros((size, 1)),
        rates=np.zeros((size, 0)), claimed=np.zeros(size, np.bool_),
    )  # fmt: skip


def _on_side_a(stakes: Stakes) -> Stakes:
    """One stake an account: all of its votes, seen from side a."""
    mine = stakes.side > 0
    account: Whole = np.repeat(stakes.account, np.diff(stakes.first))[mine]
    order = np.argsort(account, kind="stable")
    first = np.searchsorted(account[order], np.arange(stakes.v + 1))
    return Stakes(
        n=1, v=stakes.v, competitor=np.zeros(stakes.v, np.int32), account=np.arange(stakes.v, dtype=np.int32),
        begin=np.array([0, stakes.v]), served=stakes.all_served, voted=stakes.all_voted,
        vote=stakes.vote[mine][order], side=np.ones(order.size, np.int8), first=first,
        all_served=stakes.all_served, all_voted=stakes.all_voted,
    )  # fmt: skip
