"""Attackers. Each is served what the world's policy serves, recognises models nearly always, and votes by a plan.

An attack is a pure function of a world, a plan, a target and a seed: it returns the world with the attackers' accounts
and served battles, voted or not, put between the others in time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ratings.data import Floats
from ratings.scale import POINTS
from ratings.served import Codes, Flags, ServedLog, served
from tests.redteam.world_tastes import outcomes
from tests.redteam.worlds import DAY, LIFE, World, bursts, rng_of

IDENTIFY = 0.95
"""How often an attacker names a model from its answer; published figures are above it."""
TIE = 0.86
Goal = Literal["target", "band", "tie", "random", "left", "none"]


@dataclass(frozen=True)
class Plan:
    """What attackers do.

    Attributes
    ----------
    share : float
        Attackers' part of all votes afterwards.
    per_account : int
        Votes of each account; the next battle then goes to the next account. 0 takes a fresh account for every
        battle served.
    sign : int
        +1 promotes the target, -1 demotes it.
    goal : str
        "target" votes for it where it is seen; "band" votes everywhere, also against those up to 60 points above;
        "tie" ties wherever it is seen; "random" and "left" care about nothing; "none" votes as others do.
    others : float
        Rate of voting, as an honest voter would, on battles without the target.
    honesty : float
        Part of the battles with the target that is voted on honestly.
    begin, end : float
        When the accounts are active, as parts of the arena's life.
    drip : bool
        All accounts are active all the time, instead of one after the other.
    bought_age : float
        Days for which an account lay idle before its first vote.
    cluster : int
        Accounts behind one address; 0 for an address each.
    company : bool
        Accounts are planted inside the world's companies.
    """

    share: float
    per_account: int = 20
    sign: int = 1
    goal: Goal = "target"
    others: float = 0.0
    honesty: float = 0.0
    identify: float = IDENTIFY
    begin: float = 0.0
    end: float = 1.0
    drip: bool = False
    bought_age: float = 0.0
    cluster: int = 0
    company: bool = False
    band: float = 60.0


def attack(world: World, plan: Plan, target: int, seed: int) -> World:
    """The world with the attackers in it."""
    rng = rng_of(seed, target, 7)
    log = world.log
    votes = round(int(log.voted.sum()) * plan.share / (1 - plan.share))
    rows, outcome = _until(world, plan, target, votes, rng)
    account, accounts = _accounts(plan, outcome >= 0, rng)
    battles = (log.a[rows], log.b[rows], outcome, account, log.at[rows])
    if plan.bought_age:
        battles = _aged(world, plan, battles, accounts, rng)
    return _joined(world, plan, battles, accounts, rng)


def _until(
    world: World, plan: Plan, target: int, votes: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], Codes]:
    """Battles as the honest were served them in that time, until there are enough votes: rows, outcomes."""
    log = world.log
    time = log.at / LIFE
    pool = np.flatnonzero(world.honest[log.account] & (time >= plan.begin) & (time <= plan.end))
    size = max(1000, 4 * votes)
    while True:
        rows = _shuffled(log, pool[rng.integers(0, pool.size, size)], rng)
        outcome = _votes(world, plan, target, rows, rng)
        if (outcome >= 0).sum() >= votes:
            break
        size *= 2
    kept = np.sort(rng.permutation(size)[: int(size * min(1.0, 1.05 * votes / (outcome >= 0).sum()))])
    rows, outcome = rows[kept], outcome[kept]
    if plan.per_account == 0 or (outcome >= 0).sum() < votes:
        return rows, outcome
    spare = np.flatnonzero(outcome >= 0)
    dropped = rng.permutation(spare)[: spare.size - votes]
    keep = np.ones(rows.size, dtype=np.bool_)
    keep[dropped] = False
    return rows[keep], outcome[keep]


def _shuffled(log: ServedLog, rows: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """In the order of time, give or take a day: where few battles are drawn from often, one that comes again and again
    must not come in a run, or an account would be shown nothing but the target, as no policy shows it."""
    return rows[np.argsort(log.at[rows] + rng.normal(0, DAY, rows.size), kind="stable")]


def _votes(world: World, plan: Plan, target: int, rows: NDArray[np.int64], rng: np.random.Generator) -> Codes:
    """The attackers' outcome of each battle; -1 where they leave."""
    log = world.log
    a, b = log.a[rows], log.b[rows]
    honest = np.where(log.outcome[rows] >= 0, log.outcome[rows], outcomes(
        world.strength[a] - world.strength[b], np.full(rows.size, TIE), rng))  # fmt: skip
    if plan.goal == "random":
        return rng.integers(0, 3, rows.size).astype(np.int32)
    if plan.goal == "left":
        return np.zeros(rows.size, dtype=np.int32)
    if plan.goal == "none":
        return np.where(rng.random(rows.size) < plan.others, honest, -1).astype(np.int32)
    left, right = _seen(a == target, b == target, log.n, plan.identify, rng)
    wanted = np.where(left == (plan.sign > 0), 0, 1)
    if plan.goal == "tie":
        wanted = np.full(rows.size, 2)
    wanted = np.where(rng.random(rows.size) < plan.honesty, honest, wanted)
    rest = np.where(rng.random(rows.size) < plan.others, honest, -1)
    if plan.goal == "band":
        rest = _against(world, plan, target, a, b, honest, rng)
    return np.where(left | right, wanted, rest).astype(np.int32)


def _seen(left: Flags, right: Flags, n: int, identify: float, rng: np.random.Generator) -> tuple[Flags, Flags]:
    """On which side the target is believed to be; errors fall on any other model alike."""
    wrong = (1 - identify) / (n - 1)
    first = rng.random(left.size) < np.where(left, identify, wrong)
    second = rng.random(left.size) < np.where(right, identify, wrong)
    return first & ~second, second & ~first


def _against(
    world: World, plan: Plan, target: int, a: Codes, b: Codes, honest: Codes, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Votes on battles without the target: against rivals up to a band above it, otherwise as an honest voter's."""
    lead = (world.strength - world.strength[target]) * POINTS
    rival = (lead > 0) & (lead <= plan.band)
    knows = rng.random(a.size) < plan.identify
    one = rival[a] != rival[b]
    return np.where(one & knows, np.where(rival[a], 1, 0), honest)


def _accounts(plan: Plan, voted: Flags, rng: np.random.Generator) -> tuple[Codes, int]:
    if plan.per_account == 0:
        return np.arange(voted.size, dtype=np.int32), voted.size
    count = max(1, -(-int(voted.sum()) // plan.per_account))
    if plan.drip:
        account = np.empty(voted.size, dtype=np.int32)
        for some in (np.flatnonzero(voted), np.flatnonzero(~voted)):
            account[some] = rng.permutation(np.arange(some.size) % count)
        return account, count
    before = np.cumsum(voted) - voted
    return np.minimum(before // plan.per_account, count - 1).astype(np.int32), count


Battles = tuple[Codes, Codes, Codes, Codes, Floats]


def _aged(world: World, plan: Plan, battles: Battles, accounts: int, rng: np.random.Generator) -> Battles:
    """A battle for each account, seen and left, long before its first vote."""
    a, b, outcome, account, at = battles
    first = np.full(accounts, np.inf)
    np.minimum.at(first, account, at)
    rows = rng.integers(0, world.log.battles, accounts)
    early = np.minimum(first, LIFE) - plan.bought_age * DAY
    return (
        np.r_[a, world.log.a[rows]], np.r_[b, world.log.b[rows]], np.r_[outcome, np.full(accounts, -1)],
        np.r_[account, np.arange(accounts, dtype=np.int32)], np.r_[at, early],
    )  # fmt: skip


def _joined(world: World, plan: Plan, battles: Battles, accounts: int, rng: np.random.Generator) -> World:
    log, v = world.log, world.log.accounts
    a, b, outcome, account, at = battles
    group = np.full(accounts, -1, dtype=np.int32)
    clusters = {kind: np.r_[of, _fresh(of, kind, plan, accounts)] for kind, of in log.clusters.items()}
    if plan.company:
        firms = rng.permutation(np.arange(accounts) % (log.clusters["domain"].max() + 1)).astype(np.int32)
        clusters |= {kind: np.r_[log.clusters[kind], firms] for kind in ("domain", "address")}
    joined = {
        "a": np.r_[log.a, a], "b": np.r_[log.b, b], "outcome": np.r_[log.outcome, outcome],
        "account": np.r_[log.account, account + v], "at": np.r_[log.at, at],
    }  # fmt: skip
    first = np.full(v + accounts, np.inf)
    np.minimum.at(first, joined["account"], joined["at"])
    if "burst" in clusters:
        clusters["burst"] = bursts(first - joined["at"].min())
    vouched = None if log.vouched is None else np.r_[log.vouched, np.zeros(accounts, dtype=np.bool_)]
    merged = served(log.names, **joined, clusters=clusters, vouched=vouched, clone_group=log.clone_group,
                    selected_at=log.selected_at)  # fmt: skip
    return replace(
        world, log=merged, honest=np.r_[world.honest, np.zeros(accounts, dtype=np.bool_)],
        group=np.r_[world.group, group],
    )  # fmt: skip


def _fresh(of: Codes, kind: str, plan: Plan, accounts: int) -> Codes:
    """Attackers' addresses: new ones, shared by `plan.cluster` accounts; no mail domain or invitation in common."""
    if kind != "address" or plan.cluster < 2:
        return np.full(accounts, -1, dtype=np.int32)
    return (of.max(initial=-1) + 1 + np.arange(accounts) // plan.cluster).astype(np.int32)


def attack_votes(world: World) -> ServedLog:
    """The attackers' battles alone."""
    return world.log.take(~world.honest[world.log.account])
