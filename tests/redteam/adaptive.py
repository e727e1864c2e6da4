"""An attacker who adapts: searches plans for the largest defended shift, at given shares of the votes.

The search sees the truth that a real attacker would have to guess, the defended board after each trial, and may try as
often as it likes. Its best plan is then measured on worlds that the search has not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from tests.redteam.attacks import Plan, attack
from tests.redteam.cases import world_of
from tests.redteam.measure import Row, shift
from tests.redteam.worlds import World, rng_of

VOTES, RANK, SEED = 20_000, 10, 900
FRESH = (901, 902, 903)
SHARES = (0.005, 0.01, 0.02, 0.05)
SEARCHED = 0.02
LIMIT = 15.0
CHOICES: dict[str, tuple[Any, ...]] = {
    "per_account": (1, 2, 3, 4, 5, 10, 20, 50, 100),
    "goal": ("target", "target", "band"),
    "identify": (0.8, 0.95),
    "others": (0.0, 0.1, 0.3, 0.65, 0.9),
    "honesty": (0.0, 0.2, 0.4, 0.6),
    "begin": (0.0, 0.5, 0.9),
    "drip": (False, True),
    "bought_age": (0.0, 40.0),
    "cluster": (0, 0, 5),
}
"""What the attacker may choose; what stands twice is drawn twice as often."""
Measure = Callable[[Plan, int], Row]


def trial(plan: Plan, seed: int) -> Row:
    """One plan on one world: the shifts, and what it costs the attacker."""
    before: World = world_of("W1", seed, VOTES)
    target = before.at_rank(RANK)
    after = attack(before, plan, target, seed)
    row, _ = shift(before, after, target)
    bad = ~after.honest[after.log.account]
    return row | {"accounts": int((~after.honest).sum()), "served": int(bad.sum()),
                  "cast": int((bad & after.log.voted).sum())}  # fmt: skip


def search(measure: Measure, random: int, rounds: int) -> list[tuple[Plan, Row]]:
    """Random plans at the searched share, then the best is varied one choice at a time; the best first."""
    rng = rng_of(SEED, 99)
    tried: dict[Plan, Row] = {}

    def look(plan: Plan) -> None:
        if plan not in tried:
            tried[plan] = measure(plan, SEED)

    for start in STARTS:
        look(start)
    for _ in range(random):
        look(Plan(SEARCHED, **{name: rng.choice(np.array(values, dtype=object)) for name, values in CHOICES.items()}))
    for _ in range(rounds):
        best = max(tried, key=lambda plan: tried[plan]["defended"])
        for varied in neighbours(best):
            look(varied)
        if max(tried, key=lambda plan: tried[plan]["defended"]) == best:
            break
    return sorted(tried.items(), key=lambda item: -item[1]["defended"])


def neighbours(plan: Plan) -> Iterator[Plan]:
    """Every plan that differs in one choice."""
    for name, values in CHOICES.items():
        for value in dict.fromkeys(values):
            if value != getattr(plan, name):
                yield replace(plan, **{name: value})


STARTS = (
    Plan(SEARCHED), Plan(SEARCHED, 5), Plan(SEARCHED, 1), Plan(SEARCHED, 5, others=0.3),
    Plan(SEARCHED, 100, others=0.65), Plan(SEARCHED, 4, others=0.65, honesty=0.2), Plan(SEARCHED, 100, goal="band"),
)  # fmt: skip


def in_words(plan: Plan) -> str:
    """What a plan does, where it differs from voting on the target only, one account after the other."""
    parts = [f"{plan.per_account} votes an account", f"names models with {plan.identify:.0%}"]
    if plan.goal == "band":
        parts.append("also votes against those up to 60 points above, honestly elsewhere")
    elif plan.others:
        parts.append(f"votes on others honestly at a rate of {plan.others:g}")
    if plan.honesty:
        parts.append(f"honest on {plan.honesty:.0%} of the target's battles")
    if plan.begin:
        parts.append(f"within the last {1 - plan.begin:.0%} of the time")
    if plan.drip:
        parts.append("all accounts at all times")
    if plan.bought_age:
        parts.append(f"accounts aged {plan.bought_age:g} days")
    if plan.cluster:
        parts.append(f"{plan.cluster} accounts an address")
    return ", ".join(parts)


def plan_of(fields: dict[str, Any]) -> Plan:
    return Plan(**fields)


def fields_of(plan: Plan) -> dict[str, Any]:
    """Plain values, so that a plan can be a line of JSON and its key."""
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in asdict(plan).items()}
