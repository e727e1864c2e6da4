"""A small part of the suite: what must hold in every change, and cannot hold without screening."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ratings.campaigns import ScreenOptions
from tests.redteam import adaptive
from tests.redteam.attacks import Plan, attack
from tests.redteam.cases import CASES, Case, Limits, attacked, verdict, world_of
from tests.redteam.ledger import Ledger, key_of
from tests.redteam.measure import honest, shift
from tests.redteam.report import page
from tests.redteam.special import SPECIAL, clones
from tests.redteam.world_crowd import crowd
from tests.redteam.world_skills import Skills, skills
from tests.redteam.world_tastes import Tastes, tastes
from tests.redteam.worlds import World, plain_points

VOTES = 10_000
"""A fifth of the full suite's, so that a screen takes a fraction of a second."""
OFF = ScreenOptions(d1=False, d2=False, d3=False, d4=False, d5=False, d6=False, d7=False, d8=False)
MAKERS: dict[str, Callable[[int], World]] = {
    "W1": lambda seed: tastes(Tastes(votes=3000), seed),
    "W2": lambda seed: skills(Skills(battles=5000), seed),
}
PAGE = Path(__file__).resolve().parents[2] / "docs/redteam.md"


def case(key: str) -> Case:
    return next(case for case in CASES if case.key == key)


@pytest.mark.parametrize("name", MAKERS)
def test_the_same_seed_makes_the_same_world_and_another_makes_another(name: str) -> None:
    one, same, other = (MAKERS[name](seed).log for seed in (4, 4, 5))
    assert all(np.array_equal(getattr(one, part), getattr(same, part)) for part in ("a", "b", "outcome", "account"))
    assert not np.array_equal(one.outcome[:1000], other.outcome[:1000])


@pytest.mark.parametrize("name", MAKERS)
def test_a_world_is_what_its_truth_says(name: str) -> None:
    world = world_of(name, 1, VOTES)
    assert np.corrcoef(plain_points(world.log), world.strength)[0, 1] > 0.97  # .99 in W1, .98 in W2
    voted = world.log.voted
    assert 0.4 < voted.mean() < 0.75 and world.honest.all()
    assert 0.15 < np.isin(world.log.outcome[voted], (2, 3)).mean() < 0.4


@pytest.mark.parametrize(("share", "each", "others"), [(0.05, 20, 0.0), (0.02, 1, 0.0), (0.05, 50, 0.65)])
def test_attackers_have_the_votes_and_accounts_that_their_plan_says(share: float, each: int, others: float) -> None:
    world = world_of("W1", 1, VOTES)
    target = world.at_rank(10)
    after = attack(world, Plan(share, each, others=others), target, 1)
    log, bad = after.log, ~after.honest[after.log.account]
    cast = np.bincount(log.account[bad & log.voted], minlength=log.accounts)[~after.honest]
    assert (bad & log.voted).sum() / log.voted.sum() == pytest.approx(share, abs=0.001)
    assert (cast[:-1] == each).all() and cast.size == -(-int(cast.sum()) // each)
    on_target = (bad & log.voted & ((log.a == target) | (log.b == target))).sum() / cast.sum()
    expected = 0.95 if others == 0 else 0.095 / (0.095 + 0.905 * others)
    assert on_target == pytest.approx(expected, abs=0.06)  # some 100 votes at 2 %


@pytest.mark.parametrize(
    ("key", "world", "plain", "left"),
    [("1a", "W1", 80, 3), ("1a", "W2", 60, 3), ("4b", "W1", 80, 3), ("5b", "W1", 25, 10), ("13", "W2", 30, 10)],
)
def test_an_attack_moves_the_plain_board_and_hardly_the_defended_one(
    key: str, world: str, plain: float, left: float
) -> None:
    """10 points are a standard error here: quarantine takes honest votes of small accounts with the others."""
    row, _ = attacked(Case(key, "", case(key).plans, Limits(), votes=VOTES), world, 1, 10)
    assert abs(row["plain"]) > plain
    assert abs(row["defended"]) <= left and abs(row["defended_ranks"]) <= left // 10
    assert row["honest_excluded"] <= 0.5 and row["group_excluded"] <= 3


def test_attackers_are_not_served_their_target_in_runs() -> None:
    """Few battles fall into three days, and each is drawn often: in a run they would be all that accounts see."""
    world = world_of("W1", 1, VOTES)
    target = world.at_rank(10)
    log = attack(world, Plan(0.01, 5, begin=0.7, end=0.7 + 3 / 180), target, 1).log
    bad = log.account >= world.log.accounts
    there = (log.a == target) | (log.b == target)
    seen, hit = (np.bincount(log.account[rows], minlength=log.accounts)[world.log.accounts :]
                 for rows in (bad, bad & there))  # fmt: skip
    assert (hit[:-1] <= 0.4 * seen[:-1]).all()  # one in ten by policy, of some fifty


def test_without_screening_the_defended_board_is_the_plain_one() -> None:
    before = world_of("W1", 1, VOTES)
    target = before.at_rank(10)
    row, found = shift(before, attack(before, Plan(0.05), target, 1), target, OFF)
    assert row["defended"] == pytest.approx(row["plain"], abs=1e-6) and row["plain"] > 80
    assert found.exclusions == () and row["caught"] == 0


def test_bots_that_tie_where_they_see_a_weak_target_do_not_lift_it() -> None:
    row, _ = attacked(Case("8c", "", case("8c").plans, Limits(), votes=VOTES), "W1", 1, 17)
    assert row["plain"] > 15 and abs(row["defended"]) <= 5


@pytest.mark.parametrize("name", MAKERS)
def test_honest_worlds_accuse_nobody(name: str) -> None:
    row = honest(world_of(name, 2, VOTES))
    assert row["accused"] == [] and row["honest_excluded"] <= 0.1 and row["apart"] <= 5


def test_declared_clones_move_nobody_though_undeclared_ones_would() -> None:
    row = clones(4, 0.6).run("W1", 1, 10)
    assert row["plain"] > 10 and row["defended"] <= 0.1


def test_real_workers_keep_their_votes_and_an_attack_among_them_is_found(validation_data: Path) -> None:
    row = honest(crowd(1, deal=False))
    assert row["accused"] == [] and row["honest_out"] == 0
    row = case("real").run("LLMFAO", 1, 10)
    assert row["plain"] > 150 and abs(row["defended"]) <= min(10, row["error"]) and row["honest_out"] == 0


def test_a_limit_that_is_passed_is_named() -> None:
    row = {"defended": 4.0, "defended_ranks": 2, "honest_excluded": 0.0, "group_excluded": 0.0, "caught": 100.0}
    assert verdict(Limits(mean=5, worst=5), [row, {**row, "defended": -4.0}]) == []
    assert verdict(Limits(mean=3, worst=5, ranks=1), [row, {**row, "defended": -4.0}]) == ["mean", "ranks"]
    assert verdict(Limits(bias=3), [row, {**row, "defended": -4.0}]) == []
    assert verdict(Limits(votes=150), [{**row, "heard": None}]) == ["alarm"]


def test_the_adaptive_attacker_climbs_to_the_worst_plan_that_its_choices_hold() -> None:
    def measure(plan: Plan, seed: int) -> dict[str, float]:
        return {"defended": plan.others + plan.honesty + (plan.cluster == 5) - abs(plan.per_account - 5)}

    best, row = adaptive.search(measure, random=5, rounds=20)[0]
    assert (best.others, best.honesty, best.cluster, best.per_account) == (0.9, 0.6, 5, 5) and row["defended"] == 2.5


def test_a_run_goes_on_where_it_stopped_and_forgets_the_results_of_other_code(tmp_path: Path) -> None:
    kept, said = tmp_path / "results.jsonl", list[str]()
    first = Ledger(kept, "code 1", said.append)
    first.once(key_of("case", "1a", "W1", 1, 10), lambda: {"defended": 1.0})
    again = Ledger(kept, "code 1", said.append)
    assert again.once("case|1a|W1|1|10", lambda: {"defended": 9.0}) == {"defended": 1.0} and len(said) == 1
    assert Ledger(kept, "code 2", said.append).rows == {}


def test_the_page_says_where_a_case_falls_short(tmp_path: Path) -> None:
    ledger = Ledger(None, "code", lambda key: None)
    row = {"plain": 120.0, "defended": 40.0, "defended_ranks": 0, "honest_excluded": 0.0, "group_excluded": 0.0,
           "caught": 10.0, "heard": None}  # fmt: skip
    ledger.once(key_of("case", "1a", "W1", 1, 10), lambda: row)
    text = page(ledger, CASES)
    assert "| +120 | +40.0 |" in text and "**falls short**: mean, max |" in text and "0 of 1 rows pass." in text


def test_the_published_table_is_that_of_the_command() -> None:
    text = PAGE.read_text(encoding="utf-8")
    limits = {case.key: str(case.limits) for case in (*CASES, *SPECIAL)}
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()
            if line.startswith("| ") and line.count("|") == 13]  # fmt: skip
    shown = {row[0]: row[10] for row in rows[2:]}
    assert shown == limits
    missing = [f"{case.key} in {world}" for case in (*CASES, *SPECIAL) for world in case.worlds
               if not any(row[0] == case.key and row[2] == world for row in rows)]  # fmt: skip
    assert not missing, f"measure anew with make redteam: {', '.join(missing)}"
