"""Whose votes are held beside those of a campaign: nobody's without need, and nobody's at a loss."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ratings.campaigns import ScreenOptions, screen
from ratings.campaigns.accounts import asks_for_holds, worth_holding
from ratings.campaigns.evidence import Finding, Units, find
from tests.ratings.test_campaigns import CALM, TARGET, VOTERS, honest, moved, out, targeted
from tests.redteam.cases import CASES, by_key


def units(log_l: np.ndarray, *, large: bool = True, gated: np.ndarray | None = None) -> Units:
    """One competitor, a row a unit, each with this ln L as a promoter and none as a demoter, whatever the style."""
    rows = log_l.size
    both = np.column_stack([log_l, -np.abs(log_l)])
    return Units(
        n=1, competitor=np.zeros(rows, np.int64), unit=np.arange(rows), begin=np.array([0, rows]),
        large=np.full(rows, large), log_l=both, log_lifted=np.zeros((rows, 2, 0)),
        log_selection=np.zeros(rows), told=np.repeat(both[:, :, None], 3, axis=2), chosen=np.zeros((rows, 1)),
        rates=np.zeros((rows, 0)), claimed=np.zeros(rows, np.bool_), gated=gated,
    )  # fmt: skip


def finding(odds: float) -> Finding:
    style = np.full((2, 3, 1), -np.log(3))
    return Finding(0, 1, 50.0, np.zeros(3), np.arange(0), np.zeros(0), np.array([odds, odds]), 0, style, np.zeros(2))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_small_accounts_that_give_themselves_away_are_held_alone(seed: int) -> None:
    """Four votes, all on the target, of sixteen battles served: others of few votes are not held for their sake."""
    log = honest(30 + seed)
    found = screen(targeted(log, accounts=12, shown=16, seed=seed), CALM)
    touched = np.array(sorted(out(found) | out(found, "quarantined")))
    assert (touched >= log.accounts).sum() >= 8
    assert (touched < log.accounts).sum() <= 1  # a single one that looks the same
    plain, defended = moved(found, log)
    assert abs(defended) < min(plain, 4)


def test_a_hold_must_take_more_bias_out_than_it_puts_noise_in() -> None:
    """Of 1,000 votes 400 could be held. Honest ones alone cost 4 · 400 / (1000 · 600), as 26 of a campaign's do."""
    counted, rows = np.ones(1000), np.arange(400)
    few, many = np.where(np.arange(1000) < 15, 9.0, -9.0), np.where(np.arange(1000) < 60, 9.0, -9.0)
    for suspects, count in ((few, 15), (many, 60)):  # the campaign's stand first, and nobody else need be held
        assert worth_holding(units(suspects), rows, finding(0.0), counted) == count
    last = rows[::-1]  # they stand last: it is all or nobody
    assert worth_holding(units(few), last, finding(0.0), counted) == 0
    assert worth_holding(units(many), last, finding(0.0), counted) == 400
    counted[:60] = 0  # the strata gate took the campaign's votes already
    assert worth_holding(units(many), rows, finding(0.0), counted) == 0
    assert worth_holding(units(many), rows[:0], finding(0.0), counted) == 0


def test_what_the_strata_gate_took_is_no_reason_to_hold_others() -> None:
    weak = np.where(np.arange(400) < 100, 2.0, -1.0)  # many, and none of them plain
    (alone,) = find(units(weak), ScreenOptions())
    (with_gate,) = find(units(weak, gated=weak > 0), ScreenOptions())
    assert alone.log_e == with_gate.log_e > 9
    assert alone.left[0] > ScreenOptions().stratum > with_gate.left[0]


def test_clusters_of_one_vote_accounts_go_before_anybody_is_held_for_their_sake() -> None:
    log = targeted(honest(42), accounts=60, shown=4, seed=5)
    ring = np.where(np.arange(log.accounts) < VOTERS, -1, (np.arange(log.accounts) - VOTERS) // 6)
    found = screen(replace(log, clusters={"address": ring.astype(np.int32)}), CALM)
    assert "D4" in {alarm.rule for alarm in found.alarms}
    assert {one.kind for one in found.exclusions if one.action == "excluded"} == {"address"}
    honest_lost = (found.weight == 0) & log.voted & (log.account < VOTERS)
    assert honest_lost.sum() == 0
    alone = screen(log, CALM)  # the same accounts without an address in common
    assert ((alone.weight == 0) & log.voted & (log.account < VOTERS)).sum() > 20


def test_holds_of_both_strata_leave_votes_to_measure_by() -> None:
    """Each of two holds may be worth it, and both together leave nothing: one vote of 979 was left here once."""
    case = next(case for case in CASES if case.key == "n100b")
    row = case.run("W1", 1, 3)
    assert row["plain"] > 250 and row["caught"] > 95
    assert abs(row["defended"]) < 8
    assert row["honest_votes_lost"] < 1  # percent


def test_a_hold_of_nearly_all_votes_is_refused_whatever_it_catches() -> None:
    counted, rows = np.ones(1000), np.arange(998)
    few, most = (np.where((np.arange(1000) >= begin) & (np.arange(1000) < end), 9.0, -9.0)
                 for begin, end in ((300, 600), (698, 998)))  # fmt: skip
    assert worth_holding(units(few), np.arange(600), finding(0.0), counted) == 600
    assert worth_holding(units(most), rows, finding(0.0), counted) == 0


def large_units(plain: int, leaning: int) -> Units:
    """Of 300 accounts `plain` that are beyond doubt, and `leaning` that lean towards the competitor."""
    log_l = np.full(300, -3.0)
    log_l[:plain], log_l[plain : plain + leaning] = 20.0, 1.5
    return units(log_l)


def test_a_plain_account_or_two_are_no_ground_to_hold_dozens_of_others() -> None:
    options = ScreenOptions()
    several, two = large_units(60, 40), large_units(2, 140)
    ask = [asks_for_holds(some, replace(find(some, options)[0], left=np.zeros(2)), True, options)
           for some in (several, two)]  # fmt: skip
    assert ask == [True, False]


def test_selection_may_stand_alone_where_it_stands_at_a_greater_pull_too() -> None:
    """A crowd that has moved the fit says nothing new by its votes: 717 of log evidence had 714 of it by selection."""
    chosen = np.where(np.arange(1000) < 300, 3.0, -3.0)
    crowd = replace(units(chosen, large=False), log_selection=chosen)
    assert find(crowd, ScreenOptions()) == []
    (found,) = find(replace(crowd, eager=lambda: chosen / 2), ScreenOptions())
    assert (found.sign, found.rows.tolist()) == (1, list(range(300)))
    assert (
        find(replace(crowd, eager=lambda: np.full(1000, -0.1)), ScreenOptions()) == []
    )  # answers that pull explain it


def test_accounts_that_only_lean_are_told_from_those_that_do_as_others_of_a_campaign() -> None:
    """Ninety vote for nothing but the target; two of its honest voters said so once among many votes on others."""
    rows = 200
    log_l = np.full((rows, 2), -2.0)
    log_l[:92, 0], log_l[:, 1] = 4.0, -4.0
    rates = np.where(np.arange(rows) < 90, 3.0, -12.0)[:, None]  # those ninety hardly vote on others, all others do
    alike = replace(units(log_l[:, 0]), told=np.repeat(log_l[:, :, None], 3, axis=2), rates=rates)
    (found,) = find(alike, ScreenOptions())
    firm = found.rows[found.log_l >= ScreenOptions().claim]
    assert firm.tolist() == list(range(90))
    assert (found.log_odds(alike, np.arange(90)) > 3).all() and (found.log_odds(alike, np.array([90, 91])) < 1).all()


def test_a_decoy_does_not_hide_accounts_of_another_style() -> None:
    """A hundred blatant accounts beside thirty that also vote on others: these lose little of what speaks for them."""
    log_l = np.full(400, -2.0)
    log_l[:100], log_l[100:130] = 9.0, 6.0
    rates = np.where(np.arange(400) < 100, 3.0, -12.0)[:, None]
    (found,) = find(replace(units(log_l), rates=rates), ScreenOptions())
    assert set(range(130)) <= set(found.rows[found.log_l >= ScreenOptions().claim].tolist())


@pytest.mark.parametrize("say", [1, -1])
def test_the_last_account_of_a_campaign_goes_with_those_that_selection_showed(say: int) -> None:
    """Alone it is not plain enough: six votes, half a dozen of its kind having been shown to choose the target."""
    log = honest(50)
    attacked = targeted(log, accounts=8, shown=70, seed=7, say=say)
    last = log.accounts + 7
    mine = np.flatnonzero(attacked.account == last)
    attacked = attacked.take(np.setdiff1d(np.arange(attacked.battles), mine[28:]))
    assert 5 <= (attacked.voted & (attacked.account == last)).sum() <= 12
    found = screen(attacked, CALM)
    assert out(found) == set(range(log.accounts, log.accounts + 8))
    assert ("D1", TARGET, say) in {(alarm.rule, alarm.competitor, alarm.sign) for alarm in found.alarms}


def test_nobody_is_held_by_strengths_that_a_campaign_has_just_made() -> None:
    """A demotion by five votes an account moves the fit so far that honest voters look like promoters."""
    row = by_key("4a").run("W1", 1, 10)
    assert row["plain"] < -100 and row["caught"] > 99
    assert abs(row["defended"]) < 1 and row["honest_votes_lost"] < 0.1
