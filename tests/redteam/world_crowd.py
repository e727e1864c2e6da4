"""W3: real people. The crowd workers of LLMFAO, their own votes dealt to accounts, inside a synthetic served log."""

from __future__ import annotations

import csv
import os
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ratings.scale import POINTS
from ratings.served import Codes, served
from tests.redteam.worlds import World, bursts, in_clusters, lives, moments, plain_points, rng_of, vouch

OUTCOME = {"left": 0, "right": 1, "tie": 2}
SEVERAL = 0.35
"""Chance that a vote opens another account of its worker: about three votes each, as in open arenas."""
KNOWN = (15, 70)
"""The two workers who chose one model in 106 of 110 and 43 of 45 decisions: whoever excludes them errs not."""


def available() -> bool:
    return bool(os.environ.get("ARENA_VALIDATION_DATA", ""))


@cache
def workers() -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """Names, and one row a vote: a, b, outcome, worker."""
    path = Path(os.environ["ARENA_VALIDATION_DATA"]) / "llmfao/crowd-comparisons.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = sorted({row[side] for row in rows for side in ("left", "right")})
    at = {name: i for i, name in enumerate(names)}
    who = {worker: i for i, worker in enumerate(sorted({row["worker"] for row in rows}, key=int))}
    coded = [[at[r["left"]], at[r["right"]], OUTCOME[r["winner"]], who[r["worker"]]] for r in rows]
    return tuple(names), np.array(coded, dtype=np.int32)


def crowd(seed: int, *, deal: bool = True, aged: float = 0.0) -> World:
    """One world of 8,931 real votes; `deal` splits each worker into accounts, else a worker is an account.

    Groups are the workers themselves, so that "no group" means "no worker".
    """
    rng = rng_of(seed, 3)
    names, rows = workers()
    rows = rows[rng.permutation(len(rows))]
    rows = rows[np.argsort(rows[:, 3], kind="stable")]
    opens = np.r_[True, np.diff(rows[:, 3]) != 0]
    if deal:
        opens |= rng.random(len(rows)) < SEVERAL
    account = (np.cumsum(opens) - 1).astype(np.int32)
    voters = int(account[-1]) + 1
    a, b, outcome, who, total = _with_unvoted(rows, account, voters, rng)
    start, stay = lives(total, rng)
    first = np.full(total, np.inf)
    at = moments(who, start, stay, rng)
    np.minimum.at(first, who, at)
    log = served(
        names, a, b, outcome, who, at,
        clusters={"address": in_clusters(total, 0.1, 4, rng), "burst": bursts(first)},
        vouched=vouch(who, outcome >= 0, at, total, aged, rng),
    )  # fmt: skip
    worker = np.full(total, -1, dtype=np.int32)
    worker[:voters] = rows[opens, 3]
    strength = plain_points(log) / POINTS
    return World(log, strength, np.ones(total, dtype=np.bool_), worker, tuple(str(i) for i in range(worker.max() + 1)))


def _with_unvoted(
    rows: NDArray[np.int32], account: Codes, voters: int, rng: np.random.Generator
) -> tuple[Codes, Codes, Codes, Codes, int]:
    """The votes, and battles that were shown and left: pairs as the study showed them, readiness by account."""
    votes = np.bincount(account, minlength=voters)
    unvoted = rng.negative_binomial(votes, np.clip(rng.beta(3, 1.2, voters), 0.1, 0.98))
    looked = rng.geometric(0.5, voters // 4)
    idle = np.concatenate([np.repeat(np.arange(voters), unvoted),
                           np.repeat(voters + np.arange(looked.size), looked)])  # fmt: skip
    pairs = rows[rng.integers(0, len(rows), idle.size)]
    return (
        np.concatenate([rows[:, 0], pairs[:, 0]]), np.concatenate([rows[:, 1], pairs[:, 1]]),
        np.concatenate([rows[:, 2], np.full(idle.size, -1)]), np.concatenate([account, idle]).astype(np.int32),
        voters + looked.size,
    )  # fmt: skip
