"""Scenarios without voters who cheat: clones, choosing among variants, style, template prompts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ratings.campaigns import ScreenOptions, screen
from ratings.data import Floats
from ratings.scale import POINTS
from ratings.served import ServedLog, served
from tests.redteam.cases import Case, Limits
from tests.redteam.measure import Row, harm, largest, shift
from tests.redteam.world_tastes import Tastes, outcomes, tastes
from tests.redteam.worlds import LIFE, World, plain_points, rng_of

REPEATS = {500: 80, 3000: 20}
"""Choices in one job by battles of a variant: a bias is a mean, and one fresh estimate errs by 15 or 6 points."""
STYLE = (0.15, 0.06)
QUIET = ScreenOptions(d1=False, d2=False, d3=False, d4=False)


def clones(count: int, cycle: float) -> Case:
    def measure(case: Case, name: str, seed: int, rank: int) -> Row:
        before = tastes(Tastes(votes=20_000, cycle=cycle), seed)
        target = before.at_rank(rank)
        after = cloned(before, target, count)
        found, base = screen(after.log), plain_points(before.log) / POINTS
        n = before.log.n
        row: Row = {board: largest(base, theta[:n], set())
                    for board, theta in (("plain", found.plain), ("defended", found.defended))}  # fmt: skip
        return row | {"plain_ranks": 0, "defended_ranks": 0} | harm(after, found)

    return Case(f"9 {count}/{cycle:g}", f"{count} declared clones, cyclic skill {cycle:g}; the largest move of anybody",
                (), Limits(worst=0.1), ("W1",), (10,), measure=measure)  # fmt: skip


def cloned(world: World, target: int, count: int) -> World:
    """Each clone meets whom the target met, with the same result, before other people: nothing new is learnt."""
    rng = rng_of(target, count, 9)
    log, n = world.log, world.log.n
    rows = np.flatnonzero((log.a == target) | (log.b == target))
    account = log.account.copy()
    parts = [(log.a, log.b, np.arange(log.battles), log.account)]
    for clone in range(n, n + count):
        a, b = log.a[rows], log.b[rows]
        for some in (log.voted, ~log.voted):  # so that everybody's readiness to vote stays what it is
            account[some] = rng.permutation(log.account[some])
        parts.append((np.where(a == target, clone, a), np.where(b == target, clone, b), rows, account[rows]))
    a, b, source, account = (np.concatenate(part) for part in zip(*parts, strict=True))
    group = np.r_[np.where(np.arange(n) == target, 0, -1), np.zeros(count, dtype=np.int32)]
    joined = served(
        [*log.names, *(f"clone{i}" for i in range(count))], a, b, log.outcome[source], account,
        log.at[source], clusters=log.clusters, vouched=log.vouched, clone_group=group,
    )  # fmt: skip
    return replace(world, log=joined)


def variants(count: int, battles: int, *, wait: bool) -> Case:
    """The best of equal private variants is published: by fresh votes, or, before there are any, shrunk."""

    def measure(case: Case, name: str, seed: int, rank: int) -> Row:
        base = tastes(Tastes(votes=5_000), seed)
        found = np.array([_chosen(base, count, battles, rng_of(seed, rank, i), wait) for i in range(REPEATS[battles])])
        plain, defended = found.mean(axis=0)
        error = found.std(axis=0, ddof=1)[1] / REPEATS[battles] ** 0.5
        return {"plain": float(plain), "defended": float(defended), "error": float(error), "plain_ranks": 0,
                "defended_ranks": 0, "honest_excluded": 0.0, "group_excluded": 0.0, "caught": None,
                "heard": None, "alarms": []}  # fmt: skip

    key, after, limit = ("10a", "fresh votes", 2) if wait else ("10b", "shrunk", 4)
    return Case(f"{key} {count}/{battles}", f"best of {count} equal variants, {battles} battles each: {after}", (),
                Limits(bias=limit), ("W1",), (10,), measure=measure)  # fmt: skip


def _chosen(base: World, count: int, battles: int, rng: np.random.Generator, wait: bool) -> tuple[float, float]:
    """Bias of the chosen one on the plain and the defended board, against the mean of all variants before the choice:
    they are equal, so that this mean has no bias."""
    log, n = base.log, base.log.n
    strength = float(rng.uniform(base.strength.min(), base.strength.max()))
    trial = _entered(base, range(n, n + count), count, battles, strength, (0.0, 0.5), rng, log)
    private = plain_points(trial)[n:]
    best = n + int(private.argmax())
    final = _entered(base, [best], count, battles, strength, (0.5, 1.0), rng, trial) if wait else trial
    selected = np.full(n + count, np.nan)
    selected[best] = LIFE / 2
    group = np.r_[np.full(n, -1), np.zeros(count, dtype=np.int32)].astype(np.int32)
    found = screen(replace(final, clone_group=group, selected_at=selected), QUIET)
    truth = _level(private.mean(), plain_points(trial), n)
    return (
        _level(found.plain[best] * POINTS, found.plain * POINTS, n) - truth,
        _level(found.defended[best] * POINTS, found.defended * POINTS, n) - truth,
    )


def _level(points: float, board: Floats, n: int) -> float:
    """Above the mean of the first n, who are on every board."""
    return float(points - board[:n].mean())


def _entered(
    base: World, who: range | list[int], count: int, battles: int, strength: float, part: tuple[float, float],
    rng: np.random.Generator, log: ServedLog,
) -> ServedLog:  # fmt: skip
    """The log with so many voted battles of each entrant against the others, within this part of the time."""
    n = base.log.n
    entrant = np.repeat(np.array(list(who)), battles)
    rival = rng.integers(0, n, entrant.size)
    first = rng.random(entrant.size) < 0.5
    d = np.where(first, 1, -1) * (strength - base.strength[rival])
    outcome = outcomes(d, np.full(d.size, 0.86), rng)
    voters = np.unique(base.log.account[base.log.voted])
    return served(
        [*base.log.names, *(f"variant{i}" for i in range(count))],
        np.r_[log.a, np.where(first, entrant, rival)], np.r_[log.b, np.where(first, rival, entrant)],
        np.r_[log.outcome, outcome], np.r_[log.account, rng.choice(voters, d.size)],
        np.r_[log.at, rng.uniform(part[0], part[1], d.size) * LIFE], clusters=base.log.clusters,
        vouched=base.log.vouched,
    )  # fmt: skip


def style_gamer(case: Case, name: str, seed: int, rank: int) -> Row:
    """The same world twice; in the second the target writes longer answers with more markup."""
    before = tastes(Tastes(style=STYLE), seed)
    target = before.at_rank(rank)
    after = tastes(Tastes(style=STYLE, gamer=target), seed)
    return shift(before, after, target)[0]


def templates(share: float) -> Case:
    """Ten prompts, sent again and again, on which the target has been trained."""

    def measure(case: Case, name: str, seed: int, rank: int) -> Row:
        before = tastes(Tastes(), seed)
        target = before.at_rank(rank)
        rng, log = rng_of(seed, rank, 11), before.log
        sent = rng.random(log.battles) < share
        cluster = np.where(sent, rng.integers(0, 10, log.battles), -1).astype(np.int32)
        trained = sent & log.voted & ((log.a == target) | (log.b == target)) & (rng.random(log.battles) < 0.8)
        outcome = np.where(trained, np.where(log.a == target, 0, 1), log.outcome).astype(np.int8)
        after = replace(before, log=replace(log, outcome=outcome, prompt_cluster=cluster))
        return shift(before, after, target)[0]

    return Case(f"11b {share:.0%}", f"ten template prompts, {share:.0%} of the votes", (), Limits(mean=2), ("W1",),
                measure=measure)  # fmt: skip


SPECIAL: tuple[Case, ...] = (
    *(clones(count, cycle) for count in (1, 4, 9) for cycle in (0.0, 0.3, 0.6)),
    *(variants(count, battles, wait=wait)
      for wait in (True, False) for count in (3, 10, 27) for battles in (500, 3000)),
    Case("11a", "style gamer: +2 SD length, +1 SD markup", (), Limits(worst=6, ranks=1), ("W1",), measure=style_gamer),
    templates(0.05), templates(0.10),
)  # fmt: skip
