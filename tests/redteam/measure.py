"""What an attack, or an honest world, does to the plain and to the defended board."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from ratings.campaigns import Screening, ScreenOptions, screen
from ratings.data import Floats
from ratings.scale import POINTS
from ratings.served import Flags
from tests.redteam.world_crowd import KNOWN
from tests.redteam.worlds import World, plain_points, rank_of

Row = dict[str, Any]
ACCUSING = ("D1", "D2", "D4", "selection")
"""Alarms that accuse somebody; a drift alarm (D3) may as well have found a swapped model."""


def excluded(world: World, found: Screening, action: str = "excluded") -> Flags:
    """Accounts that met this action, themselves or with their cluster, shape (v,)."""
    flags = np.zeros(world.log.accounts, dtype=np.bool_)
    for exclusion in found.exclusions:
        if exclusion.action != action:
            continue
        if exclusion.kind == "account":
            flags[exclusion.unit] = True
        else:
            flags |= world.log.clusters[exclusion.kind] == exclusion.unit
    return flags


def harm(world: World, found: Screening) -> Row:
    """What honest accounts lost: percentages of those who voted."""
    log = world.log
    votes = np.bincount(log.account[log.voted], minlength=log.accounts)
    people = world.honest & (votes > 0)
    if world.groups and world.groups[0] == "0":  # workers: the two known ones are nobody's loss
        people &= ~np.isin(world.group, KNOWN)
    out, held, flagged = (excluded(world, found, action) for action in ("excluded", "quarantined", "flagged"))
    worst, share = "", 0.0
    for number, name in enumerate(world.groups):
        members = people & (world.group == number)
        if members.sum() >= 20 and (lost := float(out[members].mean())) > share:
            worst, share = name, lost
    attackers = ~world.honest & (votes > 0)
    honest_votes = log.voted & people[log.account]
    return {
        "honest_excluded": 100 * float(out[people].mean()), "honest_out": int(out[people].sum()),
        "honest_held": 100 * float(held[people].mean()),
        "honest_flagged": 100 * float(flagged[people].mean()),
        "honest_votes_lost": 100 * float((found.weight[honest_votes] == 0).mean()),
        "group": worst, "group_excluded": 100 * share, "attackers": int(attackers.sum()),
        "caught": 100 * float((out | held | flagged)[attackers].mean()) if attackers.any() else None,
        "alarms": sorted({alarm.rule for alarm in found.alarms}),
    }  # fmt: skip


def shift(before: World, after: World, target: int, options: ScreenOptions | None = None) -> tuple[Row, Screening]:
    """How far the target moved from its plain rating without the attack: plain, defended, in points and in ranks."""
    base = plain_points(before.log)
    began = time.perf_counter()
    found = screen(after.log, options)
    seconds = time.perf_counter() - began
    row: Row = {"seconds": round(seconds, 2), "votes": int(after.log.voted.sum()), "battles": after.log.battles}
    for board, theta in (("plain", found.plain), ("defended", found.defended)):
        points = theta * POINTS
        row[board] = float(points[target] - base[target])
        row[f"{board}_ranks"] = rank_of(points, target) - rank_of(base, target)
    return row | harm(after, found), found


def honest(world: World, options: ScreenOptions | None = None) -> Row:
    """A world without attackers: alarms, people lost, and how far the two boards lie apart."""
    began = time.perf_counter()
    found = screen(world.log, options)
    seconds = time.perf_counter() - began
    apart = np.abs(found.defended - found.plain) * POINTS
    accusing = [alarm for alarm in found.alarms if alarm.rule in ACCUSING]
    return {
        "seconds": round(seconds, 2), "votes": int(world.log.voted.sum()), "battles": world.log.battles,
        "apart": float(apart.max()), "accused": [f"{alarm.rule}: {alarm.sentence}" for alarm in accusing],
        "known_out": _known_out(world, found),
    } | harm(world, found)  # fmt: skip


def _known_out(world: World, found: Screening) -> int:
    """Of real workers: how many of the two known ones lost an account."""
    if not (world.groups and world.groups[0] == "0"):
        return 0
    out = excluded(world, found)
    return sum(bool(out[world.group == worker].any()) for worker in KNOWN)


def largest(before: Floats, after: Floats, but: Mapping[int, object] | set[int]) -> float:
    """The largest move of anybody else, points, when both are put on the mean of those who are compared."""
    kept = [i for i in range(len(before)) if i not in but]
    move = (after[kept] - after[kept].mean()) - (before[kept] - before[kept].mean())
    return float(np.abs(move).max() * POINTS)
