"""Whose votes are held beside those of a campaign: nobody's without need, and nobody's at a loss."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ratings.campaigns import ScreenOptions, screen
from ratings.campaigns.accounts import worth_holding
from ratings.campaigns.evidence import Finding, Units, find
from tests.ratings.test_campaigns import CALM, VOTERS, honest, moved, out, targeted
from tests.redteam.cases import CASES


def units(log_l: np.ndarray, *, large: bool = True, gated: np.ndarray | None = None) -> Units:
    """One competitor, a row a unit, each with this ln L as a promoter and none as a demoter."""
    rows = log_l.size
    return Units(
        n=1, competitor=np.zeros(rows, np.int64), unit=np.arange(rows), begin=np.array([0, rows]),
        large=np.full(rows, large), log_l=np.column_stack([log_l, -np.abs(log_l)]), log_lifted=np.zeros((rows, 2, 0)),
        log_selection=np.zeros(rows), claimed=np.zeros(rows, np.bool_), gated=gated,
    )  # fmt: skip


def finding(odds: float) -> Finding:
    return Finding(0, 1, 50.0, np.zeros(3), np.arange(0), np.zeros(0), np.array([odds, odds]), 0, np.zeros(2))


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
    assert not worth_holding(units(few), rows, finding(0.0), counted)
    assert worth_holding(units(many), rows, finding(0.0), counted)
    counted[:60] = 0  # the strata gate took the campaign's votes already
    assert not worth_holding(units(many), rows, finding(0.0), counted)


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
    assert ((alone.weight == 0) & log.voted & (log.account < VOTERS)).sum() > 100


def test_holds_of_both_strata_leave_votes_to_measure_by() -> None:
    """Each of two holds may be worth it, and both together leave nothing: one vote of 979 was left here once."""
    case = next(case for case in CASES if case.key == "n100b")
    row = case.run("W1", 1, 3)
    assert row["plain"] > 250 and row["caught"] > 95
    assert abs(row["defended"]) < 8
    assert row["honest_votes_lost"] < 1  # percent


def test_a_hold_of_nearly_all_votes_is_refused_whatever_it_catches() -> None:
    counted, rows = np.ones(1000), np.arange(998)
    suspects = np.where(np.arange(1000) < 300, 9.0, -9.0)
    assert worth_holding(units(suspects), np.arange(600), finding(0.0), counted)
    assert not worth_holding(units(suspects), rows, finding(0.0), counted)
