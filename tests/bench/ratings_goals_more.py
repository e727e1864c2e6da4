"""The goals that are no race of bootstraps: fits, growth, one vote, coverage, degenerate inputs, first fit."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterable, Iterator

import numpy as np
from ratings_child import HERE, Worker, whole_command
from ratings_goals import MET, ROOT, SEE, SHORT, N, Row, Setting, alternate, duel, judged
from ratings_worlds import STYLE, as_csv, counts, styled, votes

FITS = 50
"""Point fits in one timed run: a single one is too short."""
STEPS, VOTES_BEFORE = 2_000, 100_000
FIRST_VOTES = 10_000


def g4(setting: Setting) -> Iterator[Row]:
    world = setting.world("styled.npz", lambda path: styled(path, m=setting.m, n=N, seed=2))
    repeats = max(setting.repeats, 1 if setting.quick else 9)  # ours is short, and the machine noisy
    title = f"four style covariates, m = {setting.m:,}, robust covariance"
    estimate = np.array([])  # FastChat's: its ridge of half a unit is nothing against these votes
    for tool, job, wanted in (
        ("FastChat's fit, without", "fastchat_style", 6),
        ("arena-rank", "arena_rank_style", 12),
    ):
        whole = f"{title}; {tool}; goal ≥ {wanted}×, coefficients within 5 % of the maximum-likelihood estimate"
        if job.startswith("arena") and (why := setting.lacks("arena-rank")):
            yield Row("G4", whole, SEE, why, SEE, SEE, SEE)
            continue
        found = duel(setting.ours("style", world), setting.theirs(job, world), 1, repeats, warm=1)
        ours, theirs = (np.array(runs[-1]["answer"]["coefficients"]) for runs in (found.ours, found.theirs))
        estimate = estimate if estimate.size else theirs
        extra = [statistics.median(run["extra_mb"] for run in runs) for runs in (found.ours, found.theirs)]
        near = bool((np.abs(ours / estimate - 1) < 0.05).all())
        told = f"coefficients {listed(ours)} against {listed(theirs)}, simulated {listed(STYLE)}"
        verdict = f"{MET if found.ratio >= wanted else SHORT}; {told}" if near else f"**answers differ**: {told}"
        yield Row("G4", whole, *found.cells(), f"{extra[0]:.0f} / {extra[1]:.0f} MB on top", verdict)


def listed(values: Iterable[float]) -> str:
    return " ".join(f"{value:.3f}" for value in values)


def g5(setting: Setting) -> Iterator[Row]:
    title = f"point fit from counts, m = {setting.m:,}, n = {N}, {FITS} in a row; choix `ilsr_pairwise_dense`"
    if why := setting.lacks("choix"):
        yield Row("G5", title, SEE, why, SEE, SEE, SEE)
        return
    world = setting.votes()
    found = duel(setting.ours("point_fit", world), setting.theirs("choix", world), FITS, max(setting.repeats, 7))
    worst = np.abs(np.array(found.ours[-1]["answer"]["point"]) - found.theirs[-1]["answer"]["point"]).max()
    ours, theirs, _ = found.cells()
    times = sorted(1 / ratio for ratio in found.ratios)
    middle = statistics.median(times)
    missed = ", though ours includes the inverse Hessian and the check that an answer exists"
    verdict = judged(middle <= 1.2, bool(worst < 0.01), f"estimates {worst:.1g}", missed)
    yield Row("G5", f"{title}; goal ≤ 1.2 times its time", ours, theirs,
              f"{middle:.2f} times its time ({times[0]:.2f}–{times[-1]:.2f})", SEE, verdict)  # fmt: skip


def g6(setting: Setting) -> Iterator[Row]:
    small, large = (100_000, 10_000_000)
    worlds = [
        setting.world(f"counts-{m}.npz", lambda path, m=m: counts(path, m=m, n=N, seed=3)) for m in (small, large)
    ]
    sides = [setting.ours("from_counts", world) for world in worlds]
    found = duel(sides[0], sides[1], setting.rounds, max(setting.repeats, 3))
    ours, theirs, ratio = found.cells()
    extra = [statistics.median(run["extra_mb"] for run in runs) for runs in (found.ours, found.theirs)]
    yield Row(
        "G6", f"r = {setting.rounds} from counts: m = {large:,} against m = {small:,}; goal ≤ 1.2×",
        f"{theirs} at 10 M", f"ours, {ours} at 100 k", ratio, f"{extra[1]:.0f} / {extra[0]:.0f} MB on top",
        MET if found.ratio <= 1.2 else SHORT,
    )  # fmt: skip


def g7(setting: Setting) -> Iterator[Row]:
    world = setting.world("followed.npz", lambda path: votes(path, m=VOTES_BEFORE + STEPS, n=N, voters=2_000, seed=4))
    worker = setting.ours("followed", world)
    try:
        runs = [worker.run(1)["answer"] for _ in range(max(setting.repeats, 3))]
    finally:
        worker.close()
    vote, fit = (statistics.median(run[key] for run in runs) for key in ("vote_ms", "fit_ms"))
    drift, points = runs[0]["drift"], runs[0]["points"]
    yield Row(
        "G7", f"one vote → all ratings, n = {N}, after {VOTES_BEFORE:,} votes, against a whole fit from counts; "
        f"goal < 0.5 ms, drift < 1 % of the standard error after {STEPS:,} votes",
        f"{vote:.3f} ms", f"ours, {fit:.1f} ms", f"{fit / vote:.0f}×", SEE,
        f"{MET if vote < 0.5 and drift < 0.01 else SHORT}; drift {100 * drift:.2f} %, {points:.2g} points",
    )  # fmt: skip


def g8(setting: Setting) -> Iterator[Row]:
    yield Row("G8", "coverage of a stated 95 %; goal .94–.97 in every design", SEE, SEE, SEE, SEE,
              "told by `python tests/bench/coverage.py`")  # fmt: skip


def g10(setting: Setting) -> Iterator[Row]:
    title = f"first fit with robust errors in a fresh process, {FIRST_VOTES:,} votes of {N} from CSV; goal ≤ 0.4 s"
    path = setting.world(
        "first.csv",
        lambda path: as_csv(path, votes(path.with_suffix(".npz"), m=FIRST_VOTES, n=N, voters=500, seed=5)),
    )
    ours = [sys.executable, str(HERE / "ratings_first.py"), str(path)]
    theirs = [setting.peers.python, str(HERE / "ratings_peers.py"), "arena_rank", str(path)]
    whole_command(ours, ROOT)
    repeats = max(setting.repeats, 5)
    if why := setting.lacks("arena-rank"):
        seconds = [whole_command(ours, ROOT)["seconds"] for _ in range(repeats)]
        middle = statistics.median(seconds)
        yield Row("G10", title, f"{middle:.2f} s", why, SEE, SEE, MET if middle <= 0.4 else SHORT)
        return
    whole_command(theirs, HERE)
    found = alternate(lambda: whole_command(ours, ROOT), lambda: whole_command(theirs, HERE), repeats)
    mine, other = (json.loads(runs[-1]["printed"]) for runs in (found.ours, found.theirs))
    point = max(abs(mine[name][0] - other[name][0]) for name in other)
    spread = max(abs(mine[name][1] / other[name][1] - 1) for name in other)
    peak = [statistics.median(run["peak_mb"] for run in runs) for runs in (found.ours, found.theirs)]
    middle = statistics.median(run["seconds"] for run in found.ours)
    text = f"estimates {point:.2g}; standard errors within {100 * spread:.1f} %"
    yield Row("G10", f"{title}; arena-rank", *found.cells(), f"{peak[0]:.0f} / {peak[1]:.0f} MB peak",
              judged(middle <= 0.4, point < 0.5 and spread < 0.05, text))  # fmt: skip


def g9(setting: Setting) -> Iterator[Row]:
    found = degenerate(setting)
    ours = {word: said for word, tool, said in found if tool == "Blindfold"}
    good = [word for word, said in ours.items() if flagged(said)]
    others = {tool: [said for _, name, said in found if name == tool] for _, tool, _ in found if tool != "Blindfold"}
    silent = [f"{tool} {sum(flagged(said) for said in words)}" for tool, words in others.items()]
    yield Row("G9", "unconnected, winless, single vote, unknown label, self-battle; goal 5 of 5 flagged or refused",
              f"{len(good)} of {len(ours)}", ", ".join(silent), SEE, SEE,
              f"{MET if len(good) == len(ours) else SHORT}; see below")  # fmt: skip


def flagged(said: str) -> bool:
    return said.startswith("refuses") or any(word in said for word in ("provisional", "not_comparable"))


def degenerate(setting: Setting) -> list[tuple[str, str, str]]:
    """Input, tool, what it does; ours and every peer's."""
    nowhere, found = setting.folder / "degenerate", []
    for python, module in ((sys.executable, "ratings_ours"), (setting.peers.python, "ratings_peers")):
        worker = Worker(python, module, "degenerate", nowhere)
        try:
            found += [tuple(row) for row in worker.run(0)["answer"]]
        finally:
            worker.close()
    return found


def degenerate_table(found: list[tuple[str, str, str]]) -> list[str]:
    tools = list(dict.fromkeys(tool for _, tool, _ in found))
    said = {(word, tool): text for word, tool, text in found}
    lines = ["| input | " + " | ".join(tools) + " |", "|---" * (len(tools) + 1) + "|"]
    for word in dict.fromkeys(word for word, _, _ in found):
        lines.append(f"| {word} | " + " | ".join(said.get((word, tool), "–") for tool in tools) + " |")
    return lines
