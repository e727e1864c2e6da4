"""Crowds of accounts that leave after a battle or a few: seen by turnout, and by nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from ratings.campaigns import Screening, ScreenOptions, screen
from ratings.campaigns.stakes import stakes_of
from ratings.campaigns.turnout import crowds
from ratings.served import ServedLog, served

N, TARGET, ACCOUNTS = 12, 4, 6_000


def passers_by(seed: int, *, attackers: int = 0, size: int = 1, pull: float = 0.0) -> ServedLog:
    """Accounts served `size` battles each, half of them voted on; attackers vote where they see the target, for it.

    `pull` is added to honest people's log-odds of voting where the target stands.
    """
    rng = np.random.default_rng(seed)
    account = np.repeat(np.arange(ACCOUNTS + attackers), size)
    a = rng.integers(0, N, account.size)
    b = (a + rng.integers(1, N, account.size)) % N
    there = (a == TARGET) | (b == TARGET)
    honest = account < ACCOUNTS
    votes = rng.random(account.size) < 1 / (1 + np.exp(-pull * there))
    said = np.where(honest, rng.integers(0, 3, account.size), np.where(a == TARGET, 0, 1))
    outcome = np.where(np.where(honest, votes, there), said, -1)
    return served([f"m{i}" for i in range(N)], a, b, outcome, account)


def held(found: Screening) -> np.ndarray:
    return np.array([one.unit for one in found.exclusions if (one.rule, one.action) == ("selection", "quarantined")])


@pytest.mark.parametrize("size", [1, 3])
def test_a_fresh_account_for_every_battle_or_few_is_seen_by_turnout(size: int) -> None:
    log = passers_by(1, attackers=6_000, size=size)
    found = screen(log, ScreenOptions(d2=False, d3=False))
    alarm = next(alarm for alarm in found.alarms if alarm.rule == "selection")
    assert (alarm.competitor, alarm.sign) == (TARGET, 0)
    assert alarm.sentence.startswith("Accounts that were served")
    there = ((log.a == TARGET) | (log.b == TARGET)) & log.voted
    attack = log.account >= ACCOUNTS
    assert (found.weight[there & attack] == 0).all()
    others = log.voted & ~there & ~np.isin(log.account, [one.unit for one in found.exclusions])
    assert (found.weight[others] == 1).all()
    if size == 1:  # both outcomes of the honest go, so that the hold itself promotes and demotes nobody
        lost = there & ~attack & (found.weight == 0)
        assert lost.sum() == (there & ~attack).sum()
        assert np.isin(np.unique(log.account[there]), held(found)).all()
        assert abs(found.defended[TARGET]) < 0.5 < found.plain[TARGET]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("pull", [0.0, 0.8])
def test_answers_that_make_people_vote_more_readily_accuse_nobody(seed: int, pull: float) -> None:
    log = passers_by(seed, pull=pull)
    assert crowds(stakes_of(log), ScreenOptions()) == []


def test_a_log_of_votes_alone_says_nothing_about_turnout() -> None:
    log = passers_by(3)
    assert crowds(stakes_of(log.take(log.voted)), ScreenOptions()) == []


def test_a_few_battles_are_too_few_to_know_what_turnout_is_usual() -> None:
    log = passers_by(2, attackers=1_000)
    few, many = (log.take((log.account >= ACCOUNTS) & (log.account < ACCOUNTS + count)) for count in (200, 1_000))
    assert crowds(stakes_of(few), ScreenOptions()) == []  # flagrant, but only some 170 battles without the target
    assert [crowd.competitor for crowd in crowds(stakes_of(many), ScreenOptions())] == [TARGET]
