"""Screening in small worlds whose truth is known: who is removed, who is not, and what is left of an attack."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ratings.campaigns import Screening, ScreenOptions, screen
from ratings.campaigns.selection import log_selection
from ratings.campaigns.stakes import stakes_of
from ratings.campaigns.strata import aged
from ratings.scale import POINTS
from ratings.served import ServedLog, served

N, VOTERS, BATTLES, TARGET = 8, 700, 9_000, 3
STRENGTH = np.linspace(0.6, -0.6, N)
DAY = 86_400.0
CALM = ScreenOptions(d2=False, d3=False)


def outcomes(a: np.ndarray, b: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Davidson's model with nu = .8."""
    d = STRENGTH[a] - STRENGTH[b]
    weights = np.stack([np.exp(d / 2), np.exp(-d / 2), np.full(d.size, 0.8)])
    return np.asarray((rng.random(d.size) > np.cumsum(weights / weights.sum(axis=0), axis=0)).sum(axis=0))


def battles(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    a = rng.integers(0, N, count)
    return a, (a + rng.integers(1, N, count)) % N


def honest(seed: int, count: int = BATTLES) -> ServedLog:
    """Voters of very different diligence, who leave more or less of what they are shown unvoted."""
    rng = np.random.default_rng(seed)
    diligence = rng.pareto(1.2, VOTERS) + 0.5
    account = np.sort(rng.choice(VOTERS, count, p=diligence / diligence.sum()))
    a, b = battles(count, rng)
    ready = rng.beta(3, 1.5, VOTERS)
    outcome = np.where(rng.random(count) < ready[account], outcomes(a, b, rng), -1)
    return served([f"m{i}" for i in range(N)], a, b, outcome, account, rng.uniform(0, 90 * DAY, count))


def with_accounts(
    log: ServedLog, a: np.ndarray, b: np.ndarray, outcome: np.ndarray, account: np.ndarray, seed: int
) -> ServedLog:
    """More accounts, their battles put between the others in time."""
    at = np.random.default_rng(seed).uniform(0, 90 * DAY, a.size)
    return served(
        log.names, np.r_[log.a, a], np.r_[log.b, b], np.r_[log.outcome, outcome],
        np.r_[log.account, account + log.accounts], np.r_[log.at, at],
    )  # fmt: skip


def targeted(log: ServedLog, accounts: int, shown: int, seed: int, *, target: int = TARGET, say: int = 1) -> ServedLog:
    """Accounts that vote only where they see the target: for it (1), against it (-1), or a tie (0)."""
    rng = np.random.default_rng([seed, target, say + 1])
    a, b = battles(accounts * shown, rng)
    wins = np.where(a == target, 0, 1)
    told = {1: wins, -1: 1 - wins, 0: np.full(a.size, 2)}[say]
    outcome = np.where((a == target) | (b == target), told, -1)
    return with_accounts(log, a, b, outcome, np.repeat(np.arange(accounts), shown), seed)


def out(found: Screening, action: str = "excluded") -> set[int]:
    return {one.unit for one in found.exclusions if one.action == action and one.kind == "account"}


def moved(found: Screening, log: ServedLog, competitor: int = TARGET) -> tuple[float, float]:
    """Plain and defended shift in points against the world without the attack."""
    before = screen(log, ScreenOptions(d1=False, d2=False, d3=False, d4=False)).plain[competitor]
    return (
        float(found.plain[competitor] - before) * POINTS, float(found.defended[competitor] - before) * POINTS,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_honest_worlds_raise_no_alarm_and_lose_nobody(seed: int) -> None:
    found = screen(honest(seed))
    assert found.alarms == ()
    assert found.exclusions == ()
    assert np.array_equal(found.plain, found.defended)


@pytest.mark.parametrize("say", [1, -1])
def test_a_campaign_that_votes_on_its_target_only_is_removed_whole(say: int) -> None:
    log = honest(20)
    found = screen(targeted(log, accounts=20, shown=60, seed=1, say=say), CALM)
    plain, defended = moved(found, log)
    assert say * plain > 40
    assert abs(defended) < 1  # the honest votes are the same, and nobody else's were dropped
    assert out(found) == set(range(log.accounts, log.accounts + 20))


def test_each_decision_says_why_in_words_and_numbers() -> None:
    found = screen(targeted(honest(20), accounts=20, shown=60, seed=1), CALM)
    first = found.exclusions[0]
    assert first.log_l > 3
    assert first.votes > 0
    assert first.sentence.startswith(f"Account {first.unit}")
    assert "m3" in first.sentence


def test_accounts_of_one_vote_are_held_whatever_they_said() -> None:
    """Excluding the wins alone would pull the target down, for honest accounts of one vote win too."""
    log = honest(21)
    rng = np.random.default_rng(5)
    a = np.full(400, TARGET)
    b = (a + rng.integers(1, N, a.size)) % N
    attacked = with_accounts(log, a, b, np.zeros(a.size, int), np.arange(a.size), 2)
    found = screen(attacked, CALM)
    plain, defended = moved(found, log)
    assert plain > 40
    assert abs(defended) < 12  # one standard error of the target in this world is about nine points
    held = out(found, "quarantined")
    lost = attacked.voted & np.isin(attacked.account, list(held)) & (found.weight == 0)
    honest_lost = lost & (attacked.account < log.accounts)
    wins = attacked.outcome[honest_lost] == np.where(attacked.a[honest_lost] == TARGET, 0, 1)
    assert 0.2 < wins.mean() < 0.8
    assert ((attacked.a == TARGET) | (attacked.b == TARGET))[honest_lost].all()


def test_a_staged_promotion_of_a_rival_removes_none_of_its_honest_supporters() -> None:
    log = honest(22)
    rival = TARGET + 1
    found = screen(targeted(log, accounts=12, shown=60, seed=3, target=rival), CALM)
    assert all(unit >= log.accounts for unit in out(found))
    assert abs(moved(found, log, rival)[1]) < 1


def test_two_opposed_campaigns_do_not_hide_each_other() -> None:
    log = honest(23)
    both = targeted(targeted(log, accounts=12, shown=60, seed=4), accounts=12, shown=60, seed=5, say=-1)
    found = screen(both, CALM)
    assert out(found) == set(range(log.accounts, log.accounts + 24))


def test_bots_that_tie_are_found_by_whom_they_choose_alone() -> None:
    log = honest(24)
    found = screen(targeted(log, accounts=12, shown=90, seed=6, say=0), CALM)
    assert out(found) == set(range(log.accounts, log.accounts + 12))
    assert {one.rule for one in found.exclusions if one.action == "excluded"} == {"selection"}


def test_a_cluster_of_promoters_goes_and_a_company_with_a_taste_stays() -> None:
    """Each member votes too little to be judged; the company votes on everything and likes its model a little."""
    log = targeted(honest(25), accounts=40, shown=7, seed=7)
    few = ScreenOptions(d1=False, d2=False, d3=False)
    ring = np.where(np.arange(log.accounts) >= VOTERS, (np.arange(log.accounts) - VOTERS) // 8, -1)
    ring[:200] = 50 + np.arange(200) // 20
    found = screen(replace(log, clusters={"address": ring.astype(np.int32)}), few)
    gone = {one.unit for one in found.exclusions}
    assert gone and gone <= set(range(5))
    assert {one.kind for one in found.exclusions} == {"address"}


def test_accounts_that_always_choose_one_side_are_flagged_and_keep_their_votes() -> None:
    log = honest(26)
    rng = np.random.default_rng(8)
    a, b = battles(15 * 40, rng)
    found = screen(with_accounts(log, a, b, np.zeros(a.size, int), np.repeat(np.arange(15), 40), 9), CALM)
    assert out(found, "flagged") == set(range(log.accounts, log.accounts + 15))
    assert out(found) == set()
    assert (found.weight[found.weight > 0] == 1).all()


def test_new_accounts_that_disagree_with_aged_ones_lose_their_votes_on_that_competitor() -> None:
    log = honest(27)
    vouched = np.ones(log.accounts, np.bool_)
    rng = np.random.default_rng(10)
    a, b = battles(2500, rng)
    outcome = outcomes(a, b, rng)
    outcome = np.where(a == TARGET, 0, np.where(b == TARGET, 1, outcome))
    attacked = with_accounts(log, a, b, outcome, np.arange(a.size) // 5, 11)
    attacked = replace(attacked, vouched=np.r_[vouched, np.zeros(attacked.accounts - log.accounts, np.bool_)])
    found = screen(attacked, ScreenOptions(d1=False, d3=False, d4=False))
    alarm = next(alarm for alarm in found.alarms if alarm.competitor == TARGET)
    assert (alarm.rule, alarm.sign) == ("D2", 1)
    fresh = ~aged(attacked, ScreenOptions()) & attacked.voted
    on_target = (attacked.a == TARGET) | (attacked.b == TARGET)
    assert (found.weight[fresh & on_target] == 0).all()
    assert (found.weight[attacked.voted & ~(fresh & on_target)] == 1).all()


def test_a_swapped_model_is_heard_and_a_quiet_stream_is_not() -> None:
    log = honest(28, 20_000)
    quiet = screen(log, ScreenOptions(d1=False, d2=False, d4=False))
    assert quiet.alarms == ()
    late = log.voted & (np.arange(log.battles) > 15_000)
    on_target = (log.a == TARGET) | (log.b == TARGET)
    better = np.where(late & on_target, np.where(log.a == TARGET, 0, 1), log.outcome).astype(np.int8)
    found = screen(replace(log, outcome=better), ScreenOptions(d1=False, d2=False, d4=False))
    alarm = next(alarm for alarm in found.alarms if alarm.competitor == TARGET)
    assert (alarm.rule, alarm.sign) == ("D3", 1)
    assert 15_000 < alarm.at_vote < 16_000


def test_the_same_log_gives_the_same_bits() -> None:
    log = targeted(honest(20), accounts=20, shown=60, seed=1)
    one, two = screen(log), screen(log)
    assert one.weight.tobytes() == two.weight.tobytes()
    assert one.defended.tobytes() == two.defended.tobytes()
    assert one.exclusions == two.exclusions


def test_selection_is_fishers_noncentral_law() -> None:
    """Against the law by hand: 4 of 10 battles with x, 3 of the 10 voted on, all of them with x."""
    a = np.array([0] * 4 + [1] * 6)
    b = np.array([1] * 4 + [2] * 6)
    outcome = np.array([0, 0, 0, -1] + [-1] * 6)
    stakes = stakes_of(served("xyz", a, b, outcome, np.zeros(10, int)))
    found = log_selection(stakes, np.zeros(1, np.bool_))[0]  # nobody teaches delta, so it is zero
    ways = np.array([20.0, 60.0, 36.0, 4.0])  # C(4, k) C(6, 3 - k), k = 0 to 3
    for omega, value in zip([1, 0.3, 0.1, 0.03, 0.01], found, strict=True):
        psi = 1 / omega
        chance = 4 * psi**3 / (ways @ psi ** np.arange(4.0))
        assert np.isclose(np.exp(value), chance / (4 / 120), rtol=1e-9)


def test_selection_has_mean_one_for_honest_accounts() -> None:
    """E-values bet fairly: the mean over 700 voters and all competitors, two standard errors allowed."""
    stakes = stakes_of(honest(29))
    ratio = np.exp(log_selection(stakes, np.ones(stakes.v, np.bool_))[:, 1])
    error = ratio.std() / ratio.size**0.5
    assert abs(ratio.mean() - 1) < 2 * error + 0.01  # and a hundredth, for delta is fitted to the same battles
