"""The scenarios: attack, world, limits. One `Case` is one row of the table in each of its worlds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from ratings import cells, fit_bradley_terry
from ratings.sandwich import sandwich_by_voter
from ratings.scale import POINTS
from tests.redteam.attacks import Plan, attack
from tests.redteam.measure import Row, shift
from tests.redteam.world_crowd import crowd
from tests.redteam.world_skills import Skills, skills
from tests.redteam.world_tastes import Tastes, tastes
from tests.redteam.worlds import World

RANKS = (10, 3, 17)
ALL = ("W1", "W2", "W3")


@dataclass(frozen=True)
class Limits:
    """What a case must keep, over all its seeds and targets; None where nothing was promised.

    `mean` and `worst` in points, `ranks` moved, `excluded` and `group` in percent of honest accounts, `votes` for a
    drift alarm: attackers' votes on the target until it rings. `errors`: standard errors of the honest board.
    `mean` is that of sizes; `bias` lets errors of both signs cancel.
    """

    mean: float | None = None
    worst: float | None = None
    ranks: int | None = None
    excluded: float | None = None
    group: float | None = None
    votes: int | None = None
    flagged: float | None = None
    errors: float | None = None
    bias: float | None = None

    def __str__(self) -> str:
        parts = [
            (self.mean, "mean ≤ {}"), (self.worst, "max ≤ {}"), (self.ranks, "≤ {} rank"),
            (self.excluded, "honest out ≤ {} %"), (self.group, "any group out ≤ {} %"),
            (self.votes, "alarm within {} attack votes"), (self.flagged, "≥ {} % of the attackers flagged"),
            (self.bias, "bias ≤ {}"), (self.errors, "max ≤ {} standard error"),
        ]  # fmt: skip
        return ", ".join(text.format(f"{value:g}") for value, text in parts if value is not None)


@dataclass(frozen=True)
class Case:
    """One row of the table: what is attacked, by which plans, in which worlds, and what must hold."""

    key: str
    title: str
    plans: Sequence[Plan]
    limits: Limits
    worlds: Sequence[str] = ALL
    ranks: Sequence[int] = RANKS
    measure: Callable[[Case, str, int, int], Row] | None = None
    votes: int = 0
    aged: float = 0.0
    n: int = 20

    def run(self, world: str, seed: int, rank: int) -> Row:
        return self.measure(self, world, seed, rank) if self.measure else attacked(self, world, seed, rank)[0]


@lru_cache(maxsize=2)
def world_of(name: str, seed: int, votes: int = 0, n: int = 20, aged: float = 0.0) -> World:
    """A world by its name; `votes` about so many instead of its own 50,000 or 8,931."""
    if name == "W1":
        return tastes(Tastes(n=n, votes=votes or 50_000, aged=aged), seed)
    if name == "W2":
        return skills(Skills(n=n, battles=int((votes or 50_000) * 1.6), aged=aged), seed)
    if name == "W3":
        return crowd(seed, aged=aged)
    if name == "LLMFAO":
        return crowd(seed, deal=False)
    raise ValueError(f"no world is called {name}: there are W1, W2, W3 and LLMFAO.")


def attacked(case: Case, name: str, seed: int, rank: int) -> tuple[Row, World]:
    before = world_of(name, seed, case.votes, case.n, case.aged)
    target = before.at_rank(rank)
    after = before
    for number, plan in enumerate(case.plans):
        after = attack(after, plan, target, seed + 1000 * number)
    row, found = shift(before, after, target)
    row["heard"] = _heard(after, target, [alarm.at_vote for alarm in found.alarms
                                          if alarm.rule == "D3" and alarm.competitor == target])  # fmt: skip
    return row, after


def _heard(world: World, target: int, bells: list[int]) -> int | None:
    """Attackers' votes on the target up to the first drift alarm about it; None when none rang."""
    log = world.log
    bad = log.voted & ~world.honest[log.account] & ((log.a == target) | (log.b == target))
    return int(bad[: min(bells) + 1].sum()) if bells else None


def on_real_people(case: Case, name: str, seed: int, rank: int) -> Row:
    """With the target's standard error on the honest board, by voter."""
    row, _ = attacked(case, name, seed, rank)
    before = world_of(name, seed, case.votes, case.n, case.aged)
    data = before.log.comparisons()
    covariance = sandwich_by_voter(data, fit_bradley_terry(cells(data))).matrix
    target = before.at_rank(rank)
    return row | {"error": float(covariance[target, target] ** 0.5 * POINTS)}


STRICT = Limits(mean=3, worst=10, ranks=1, excluded=0.5)
TARGET = Plan(0.05)
EVADE = Plan(0.05, others=0.27)
HIDDEN = Plan(0.05, 100, others=0.65)
BAND = Plan(0.05, 100, goal="band")
BURST = Plan(0.01, 5, begin=0.7, end=0.7 + 3 / 180)

CASES: tuple[Case, ...] = (
    Case("1a", "target-only 5 %, 20 votes each", [TARGET], STRICT),
    Case("1b", "target-only 20 %, 20 votes each", [replace(TARGET, share=0.2)], replace(STRICT, excluded=1)),
    Case("2a", "one-vote Sybils 5 %", [replace(TARGET, per_account=1)], Limits(worst=10, ranks=1)),
    Case("2b", "a fresh account for each served battle, 5 %", [replace(TARGET, per_account=0)],
         Limits(worst=10, ranks=1)),
    Case("2c", "one-vote Sybils 1 % in clusters of 5 at one address", [Plan(0.01, 1, cluster=5)], Limits(worst=6)),
    Case("3a", "target-only 1 %, 5 votes each", [Plan(0.01, 5)], Limits(mean=8, worst=8)),
    Case("3b", "the same at 3,000 votes", [Plan(0.01, 5)], Limits(mean=8, worst=8), ("W1", "W2"), votes=3000),
    Case("3c", "the same, slow drip", [Plan(0.01, 5, drip=True)], Limits(mean=8, worst=8)),
    Case("3d", "the same, a three-day burst", [BURST], Limits(mean=8, worst=8)),
    Case("4a", "demotion 5 %, 5 votes each", [Plan(0.05, 5, -1)], Limits(mean=3, worst=10)),
    Case("4b", "demotion 5 %, 20 votes each", [Plan(0.05, 20, -1)], Limits(mean=3, worst=10)),
    Case("4c", "promotion 3 % against demotion 3 %", [Plan(0.03, 20), Plan(0.03, 20, -1)], Limits(mean=3, worst=10)),
    Case("4d", "staged promotion of a rival, 1 %", [Plan(0.01, 20)], Limits(mean=3, worst=10)),
    Case("5a", "selection-evading 5 %, 5 votes each", [replace(EVADE, per_account=5)], Limits(mean=10)),
    Case("5b", "selection-evading 5 %, 20 votes each", [EVADE], Limits(mean=6)),
    Case("5c", "selection-evading 5 %, 50 votes each", [replace(EVADE, per_account=50)], Limits(mean=6)),
    Case("6a", "camouflaged 5 %, 100 votes each (D1)", [HIDDEN], Limits(mean=10)),
    Case("6b", "camouflaged 5 %, new accounts, 5 votes each, aged share 60 % (D2)", [replace(HIDDEN, per_account=5)],
         Limits(mean=4), aged=0.6),
    Case("6c", "camouflaged 5 % within the last tenth of the time, 5 votes each (D3)",
         [replace(HIDDEN, per_account=5, begin=0.9)], Limits(votes=150), ("W1", "W2")),
    Case("7a", "omnipresent, band of 60 points above, 5 %, 100 votes each", [BAND], Limits(worst=8)),
    Case("7b", "omnipresent, 10 %, new accounts, 20 votes each, aged share 60 %",
         [replace(BAND, share=0.1, per_account=20)], Limits(mean=4), aged=0.6),
    Case("8a", "20 % random bots", [Plan(0.2, 20, goal="random")], Limits(ranks=1), ("W1", "W2")),
    Case("8b", "10 % always left", [Plan(0.1, 20, goal="left")], Limits(ranks=1, flagged=90), ("W1", "W2")),
    Case("8c", "bots that tie whenever they see the target, 5 %", [replace(TARGET, goal="tie")], Limits(worst=5)),
    Case("13", "planted inside honest companies, 1 %", [Plan(0.01, 5, company=True)], Limits(mean=6, group=3), ("W2",)),
    Case("n100a", "100 competitors, target-only 5 %, 20 votes each", [TARGET], Limits(mean=5), ("W1", "W2"), n=100),
    Case("n100b", "100 competitors, target-only 5 %, 5 votes each", [replace(TARGET, per_account=5)], Limits(mean=8),
         ("W1", "W2"), n=100),
    Case("real", "real workers as they are, target-only 5 %, 20 votes each", [TARGET],
         Limits(mean=10, excluded=0, errors=1), ("LLMFAO",), measure=on_real_people),
)  # fmt: skip


def by_key(key: str) -> Case:
    found = next((case for case in CASES if case.key == key), None)
    if found is None:
        raise ValueError(f"no scenario is called {key}: there are {', '.join(case.key for case in CASES)}.")
    return found


def verdict(limits: Limits, rows: Sequence[dict[str, Any]]) -> list[str]:
    """What falls short, in words; empty for a pass."""
    moved = np.array([row["defended"] for row in rows])
    sizes = np.abs(moved)
    heard = [row.get("heard") for row in rows]
    checks = [
        (limits.mean, sizes.mean(), "mean"),
        (limits.bias, abs(moved.mean()), "bias"),
        (limits.worst, sizes.max(), "max"),
        (limits.ranks, max(abs(row["defended_ranks"]) for row in rows), "ranks"),
        (limits.excluded, np.mean([row["honest_excluded"] for row in rows]), "honest out"),
        (limits.group, max(row["group_excluded"] for row in rows), "group out"),
        (limits.errors, max(abs(row["defended"]) / row.get("error", np.inf) for row in rows), "standard errors"),
        (limits.votes, max(np.inf if bell is None else bell for bell in heard), "alarm"),
    ]
    short = [what for limit, value, what in checks if limit is not None and value > limit + 1e-9]
    if limits.flagged is not None and min(row["caught"] or 0 for row in rows) < limits.flagged:
        short.append("flagged")
    return short
