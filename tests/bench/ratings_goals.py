"""The goals one by one: which world, which two jobs, and when a goal is met."""

from __future__ import annotations

import csv
import io
import json
import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from ratings_child import HERE, Worker, whole_command
from ratings_venv import Peers
from ratings_worlds import as_csv, votes

ROOT = HERE.parents[1]
N, VOTERS = 100, 20_000
NEAR = 0.5
"""Points: FastChat's method stops that early in an uneven arena; G5 holds our estimates to a hundredth."""
MET, SHORT, SEE = "met", "**falls short**", "–"
Run = Callable[[int], dict[str, Any]]


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    goal: str
    job: str
    ours: str
    peer: str
    ratio: str
    memory: str
    verdict: str


@dataclass
class Setting:
    """What a run is told: where its worlds lie, who the peers are, how much to do."""

    folder: Path
    peers: Peers
    quick: bool
    rounds: int
    repeats: int
    worlds: dict[str, Path] = field(default_factory=dict)

    @property
    def m(self) -> int:
        return 50_000 if self.quick else 1_000_000

    def world(self, name: str, make: Callable[[Path], Path]) -> Path:
        if name not in self.worlds:
            self.worlds[name] = make(self.folder / name)
        return self.worlds[name]

    def votes(self) -> Path:
        return self.world("votes.npz", lambda path: votes(path, m=self.m, n=N, voters=VOTERS, seed=1))

    def ours(self, job: str, world: Path) -> Worker:
        return Worker(sys.executable, "ratings_ours", job, world)

    def theirs(self, job: str, world: Path) -> Worker:
        return Worker(self.peers.python, "ratings_peers", job, world)

    def lacks(self, *packages: str) -> str:
        return "; ".join(f"{name}: {why}" for name, why in self.peers.missing.items() if name in packages)


# Side by side


@dataclass(frozen=True)
class Duel:
    """Seconds and memory of both sides in alternating runs, and their last answers."""

    ours: list[dict[str, Any]]
    theirs: list[dict[str, Any]]
    ratios: list[float]

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)

    def cells(self) -> tuple[str, str, str]:
        """Ours, theirs, ratio, each a median with its range."""
        sides = [[run["seconds"] for run in runs] for runs in (self.ours, self.theirs)]
        texts = [f"{spell(statistics.median(side))} ({spell(min(side))}–{spell(max(side))})" for side in sides]
        return texts[0], texts[1], f"{self.ratio:.3g}× ({min(self.ratios):.3g}–{max(self.ratios):.3g})"


def spell(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 10 else f"{seconds:.2f} s" if seconds >= 0.1 else f"{1000 * seconds:.2g} ms"


def alternate(ours: Callable[[], dict[str, Any]], theirs: Callable[[], dict[str, Any]], repeats: int) -> Duel:
    """Ours before and after each of theirs, so that both meet the same load; a ratio is theirs to ours around it."""
    ours_runs, their_runs, ratios = [ours()], [], []
    for _ in range(repeats):
        their_runs.append(theirs())
        ours_runs.append(ours())
        around = statistics.mean(run["seconds"] for run in ours_runs[-2:])
        ratios.append(their_runs[-1]["seconds"] / around)
    return Duel(ours_runs, their_runs, ratios)


def duel(ours: Worker, theirs: Worker, rounds: int, repeats: int, warm: int = 2) -> Duel:
    """Both sides have run once, briefly, before anything counts."""
    try:
        ours.run(warm)
        theirs.run(warm)
        return alternate(lambda: ours.run(rounds), lambda: theirs.run(rounds), repeats)
    finally:
        ours.close()
        theirs.close()


def agreement(ours: dict[str, Any], theirs: dict[str, Any], rounds: int, near: float = NEAR) -> tuple[str, bool]:
    """The largest differences in points, and whether two right answers could differ by that.

    Estimates: `near` points. Ends: an end of a percentile
    interval has a Monte-Carlo error of 2.7/sqrt(r) standard errors, 1.36/sqrt(r) half-widths; the largest of 2 n
    differences of two such lies below 3.6 sqrt(2) times that with a chance of 90 %, below 5.7 sqrt(2) for certain.
    The mean width is much surer: 5 % at a thousand replicates.
    """
    point, lower, upper = (np.array(ours[key]) - np.array(theirs[key]) for key in ("point", "lower", "upper"))
    widths = [float((np.array(side["upper"]) - side["lower"]).mean()) for side in (ours, theirs)]
    ends = float(np.maximum(np.abs(lower), np.abs(upper)).max())
    allowed = 11 / rounds**0.5 * widths[1] / 2
    share = widths[0] / widths[1]
    fine = np.abs(point).max() < near and ends < allowed and abs(share - 1) < max(0.05, 1.6 / rounds**0.5)
    text = f"estimates {np.abs(point).max():.2g}, ends {ends:.2g}, mean width ×{share:.3f}"
    return text, bool(fine)


def judged(reached: bool, agreed: bool, text: str, missed: str = "") -> str:
    if not agreed:
        return f"**answers differ**: {text} points"
    return f"{MET if reached else SHORT + missed}; differences in points: {text}"


def resampling(
    goal: str,
    title: str,
    setting: Setting,
    sides: tuple[Worker, Worker],
    wanted: float,
    limit: float | None,
    *,
    near: float = NEAR,
    least: int = 1,
) -> Row:
    """A bootstrap of ours against one of theirs: ratio, memory on top of the loaded data, agreement."""
    found = duel(*sides, setting.rounds, max(setting.repeats, least))
    text, agreed = agreement(found.ours[-1]["answer"], found.theirs[-1]["answer"], setting.rounds, near)
    extra = [statistics.median(run["extra_mb"] for run in runs) for runs in (found.ours, found.theirs)]
    reached = found.ratio >= wanted and (limit is None or extra[0] < limit)
    bound = f", < {limit:.0f} MB" if limit else ""
    return Row(
        goal, f"{title}; goal ≥ {wanted:.0f}×{bound}", *found.cells(), f"{extra[0]:.0f} / {extra[1]:.0f} MB on top",
        judged(reached, agreed, text),
    )  # fmt: skip


def g1(setting: Setting) -> Iterator[Row]:
    world = setting.votes()
    sides = setting.ours("by_vote", world), setting.theirs("fastchat", world)
    title = f"m = {setting.m:,}, n = {N}, r = {setting.rounds}, vote bootstrap from codes; FastChat's method"
    yield resampling("G1", title, setting, sides, 100, 64)
    few = 2
    ours, theirs = setting.ours("by_vote", world), setting.theirs("notebook", world)
    found = duel(ours, theirs, few, 1, warm=1)
    worst = np.abs(np.array(found.ours[-1]["answer"]["point"]) - found.theirs[-1]["answer"]["point"]).max()
    per_round = found.theirs[-1]["seconds"] / (few + 1)
    yield Row(
        "G1, older", f"the same by FastChat's earlier notebook (scikit-learn), from {few + 1} of its fits", "see G1",
        f"{spell(per_round)} a replicate: about {spell(per_round * setting.rounds)}", "–",
        f"– / {found.theirs[-1]['extra_mb']:.0f} MB on top", f"no goal; estimates differ by {worst:.2g} points",
    )  # fmt: skip


def g1b(setting: Setting) -> Iterator[Row]:
    world = setting.votes()
    sides = setting.ours("strings_by_vote", world), setting.theirs("fastchat_strings", world)
    yield resampling("G1b", "the same from string arrays in memory", setting, sides, 30, None)


def g1c(setting: Setting) -> Iterator[Row]:
    path = setting.world("votes.csv", lambda path: as_csv(path, setting.votes()))
    rounds = str(setting.rounds)
    command = [sys.executable, "-m", "ratings", "board", str(path), "--by", "vote", "--interval", "bootstrap",
               "--rounds", rounds]  # fmt: skip
    peer = [setting.peers.python, str(HERE / "ratings_peers.py"), "fastchat_csv", str(path), rounds]
    whole_command(command, ROOT)  # the file is in the cache of the system, and code is compiled
    found = alternate(lambda: whole_command(command, ROOT), lambda: whole_command(peer, HERE), setting.repeats)
    text, agreed = agreement(board_answer(found.ours[-1]["printed"]), json.loads(found.theirs[-1]["printed"]),
                             setting.rounds)  # fmt: skip
    peak = [statistics.median(run["peak_mb"] for run in runs) for runs in (found.ours, found.theirs)]
    yield Row(
        "G1c", "the whole command from a CSV file, process start included; goal ≥ 8×", *found.cells(),
        f"{peak[0]:.0f} / {peak[1]:.0f} MB peak", judged(found.ratio >= 8, agreed, text),
    )  # fmt: skip


def board_answer(printed: str) -> dict[str, Any]:
    """Our CSV as arrays around the mean, names in order."""
    rows = sorted(csv.DictReader(io.StringIO(printed)), key=lambda row: row["model_name"])
    names = {"point": "rating", "lower": "rating_lower", "upper": "rating_upper"}
    return {key: np.array([float(row[name]) - 1000 for row in rows]) for key, name in names.items()}


def g2(setting: Setting) -> Iterator[Row]:
    yield from by_voters("G2", "voter-clustered, 500 groups; arenakit's voter bootstrap", "by_voter", 40, 100, setting)


def g3(setting: Setting) -> Iterator[Row]:
    yield from by_voters("G3", "every voter by itself; the same", "by_each_voter", 5, None, setting)


def by_voters(goal: str, title: str, job: str, wanted: float, limit: float | None, setting: Setting) -> Iterator[Row]:
    title = f"{title} of {VOTERS:,} voters, r = {setting.rounds}, its load excluded"
    if why := setting.lacks("arenakit"):
        yield Row(goal, title, SEE, why, SEE, SEE, SEE)
        return
    world = setting.votes()
    sides = setting.ours(job, world), setting.theirs("arenakit", world)
    # its default prior, half a battle against the mean, moves those who battled little by a few tenths
    yield resampling(goal, title, setting, sides, wanted, limit, near=1.0, least=1 if setting.quick else 3)
