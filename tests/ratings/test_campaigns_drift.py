"""D3 and D2: what is heard soon, what is explained, and what needs no second proof."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ratings.campaigns import ScreenOptions, screen
from ratings.campaigns.drift import drifts
from ratings.campaigns.strata import gate, least_z
from ratings.served import ServedLog, served
from tests.ratings.test_campaigns import TARGET, VOTERS, honest, targeted, with_accounts

ONLY_DRIFT = ScreenOptions(d1=False, d2=False, d4=False)
BEGIN = 18_000


def better_from(log: ServedLog, begin: int, share: float, seed: int) -> ServedLog:
    """From a battle on the target wins this share of its battles whatever its answers are like."""
    rng = np.random.default_rng(seed)
    there = log.voted & ((log.a == TARGET) | (log.b == TARGET))
    swapped = there & (np.arange(log.battles) >= begin) & (rng.random(log.battles) < share)
    return replace(log, outcome=np.where(swapped, np.where(log.a == TARGET, 0, 1), log.outcome).astype(np.int8))


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_the_watch_that_begins_late_hears_sooner(seed: int) -> None:
    """By what is known after three quarters of the log: two hundred battles of the target, and then it is heard."""
    log = better_from(honest(seed, 20_000), BEGIN, 0.5, seed)
    weight = log.voted.astype(np.float64)
    found = {(one.competitor, one.sign): one for one in drifts(log, weight, ScreenOptions())}
    since = log.voted & ((log.a == TARGET) | (log.b == TARGET)) & (np.arange(log.battles) >= BEGIN)
    assert found[TARGET, 1].at >= BEGIN and since[: found[TARGET, 1].at + 1].sum() < 200
    early = drifts(log, weight, ScreenOptions(settled=1e-9))
    assert early == []  # nobody is settled, so nobody is watched


@pytest.mark.parametrize("seed", range(8))
def test_a_strength_that_was_frozen_too_early_rings_no_alarm(seed: int) -> None:
    log = honest(60 + seed, 12_000)
    assert drifts(log, log.voted.astype(np.float64), ScreenOptions(settled=0.3)) == []


def test_a_drift_that_a_campaign_explains_is_no_second_alarm() -> None:
    log = honest(70, 20_000)
    attacked = targeted(log, accounts=60, shown=60, seed=4)
    moved = np.where(attacked.account >= VOTERS, 80 * 86_400 + attacked.at / 9, attacked.at)
    late = served(attacked.names, attacked.a, attacked.b, attacked.outcome, attacked.account, moved)
    assert (TARGET, 1) in {(one.competitor, one.sign) for one in screen(late, ONLY_DRIFT).alarms}
    found = screen(late, ScreenOptions(d2=False))
    assert {alarm.rule for alarm in found.alarms if alarm.competitor == TARGET} == {"D1"}


def strata_of(seed: int, share: float) -> ServedLog:
    """Aged voters, and new ones of five votes each of whom this share votes for the target where they see it."""
    log = honest(seed)
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, log.battles, 3_000)
    rows = rows[log.voted[rows]]
    a, b = log.a[rows], log.b[rows]
    account = np.arange(a.size) // 5
    for_it = rng.random(account[-1] + 1) < share
    told = np.where(a == TARGET, 0, np.where(b == TARGET, 1, log.outcome[rows]))
    joined = with_accounts(log, a, b, np.where(for_it[account], told, log.outcome[rows]), account, seed)
    vouched = np.arange(joined.accounts) < VOTERS
    return replace(joined, vouched=vouched)


def test_the_gate_needs_less_where_a_campaign_is_known_and_only_in_its_direction() -> None:
    log = strata_of(2, 0.12)
    weight, options = log.voted.astype(np.float64), ScreenOptions()
    assert gate(log, weight, options) == []
    ((competitor, z, least),) = gate(log, weight, options, [(TARGET, 1)])
    assert competitor == TARGET and least == 2.0 < z < least_z(log, options)
    assert gate(log, weight, options, [(TARGET, -1)]) == []


def test_the_gate_has_its_share_of_the_chance_that_anybody_is_accused_falsely() -> None:
    """A quarter of alpha, both signs, eight competitors: 1 - .01 / 64 of the normal law, from its table."""
    assert least_z(honest(1, 100), ScreenOptions()) == pytest.approx(3.604, abs=0.002)
