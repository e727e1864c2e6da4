"""How often intervals hold what they state: our methods, and the neighbours' where they can be installed.

    python tests/bench/coverage.py [--worlds 200] [--peers 60] [--out docs/coverage.md]

Worlds come from `ratings.simulate` with stated seeds; what an interval must cover is the strength that a fit of
endlessly many votes would give. Monte-Carlo errors are those of means over worlds, whose competitors are not
independent.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from scipy.special import ndtri, stdtrit

from ratings import BoardOptions, Comparisons, NotStronglyConnected, cells, fit_bradley_terry, make_board
from ratings.bootstrap import bootstrap_by_vote, bootstrap_by_voter
from ratings.data import canonical
from ratings.firth import fit_firth
from ratings.sandwich import Covariance, model_covariance, sandwich_by_vote, sandwich_by_voter
from ratings.scale import POINTS
from ratings.simulate import Design, World, simulate

HERE = Path(__file__).resolve().parent
Interval = tuple[np.ndarray, np.ndarray]
SEED, ROUNDS, HALF_VOTES = 1000, 200, 0.5
DESIGNS = {
    "independent": Design(),
    "tastes": Design(taste=0.5),
    "400 votes, nobody twice": Design(models=20, votes=400, voters=400, popularity=0.7),
    "400 votes, 20 voters": Design(models=20, votes=400, voters=20, taste=0.5, popularity=0.7),
    "400 votes, 8 voters": Design(votes=400, voters=8, taste=0.5),
    "unbalanced": Design(models=20, taste=0.5, popularity=0.7),
    "sparse": Design(models=20, votes=1500, voters=50, taste=0.5, popularity=0.7, density=0.2),
    "ties, side effect": Design(votes=1000, voters=50, taste=0.5, tie=0.7, side_effect=0.3),
    "few busy voters": Design(taste=0.5, activity=1.0),
}
THIN = {
    "150 votes, 20 competitors": Design(models=20, votes=150, voters=15, taste=0.5, popularity=0.7),
    "60 votes, 10 competitors": Design(votes=60, voters=6, taste=0.5),
}
"""Where often no finite maximum-likelihood estimate exists: half-votes of ties against Jeffreys' prior."""


def ours(data: Comparisons, *, side: bool) -> dict[str, Interval]:
    """95 % intervals in log-odds by every method, from the same votes."""
    table = cells(data)
    try:
        fit = fit_bradley_terry(table, side_effect=side)
    except NotStronglyConnected:
        fit = fit_bradley_terry(table, side_effect=side, prior=HALF_VOTES)
    firth = fit_firth(table, side_effect=side)
    plain_vote, plain_voter = (f(data, fit, correction=False) for f in (sandwich_by_vote, sandwich_by_voter))
    corrected = sandwich_by_voter(data, firth)
    options = {"rounds": ROUNDS, "seed": 1, "side_effect": side}
    return {
        "model (inverse Hessian), z": around(fit.strength, model_covariance(fit), t=False),
        "vote bootstrap": percentiles(bootstrap_by_vote(data, fit, **options).strength),
        "vote sandwich, z": around(fit.strength, plain_vote, t=False),
        "Firth + vote sandwich HC2, t": around(firth.strength, sandwich_by_vote(data, firth), t=True),
        "voter bootstrap": percentiles(bootstrap_by_voter(data, fit, **options).strength),
        "voter sandwich CR1, z": around(fit.strength, plain_voter, t=False),
        "voter sandwich CR1, t": around(fit.strength, plain_voter, t=True),
        "voter sandwich CR2, t": around(fit.strength, sandwich_by_voter(data, fit), t=True),
        "Firth + voter sandwich CR2, t of independent votes": around(
            firth.strength, sandwich_by_voter(data, firth, tastes=False), t=True
        ),
        "maximum likelihood ± Firth's CR2, t": around(fit.strength, corrected, t=True),
        "**Firth + voter sandwich CR2, t** (`auto`)": around(firth.strength, corrected, t=True),
    }


def around(centre: np.ndarray, found: Covariance, *, t: bool) -> Interval:
    df = np.clip(found.df, 1, 1e8)
    half = np.sqrt(np.diag(found.matrix)) * (stdtrit(df, 0.975) if t else ndtri(0.975))
    return centre - half, centre + half


def percentiles(replicates: np.ndarray) -> Interval:
    lower, upper = np.quantile(replicates, [0.025, 0.975], axis=0)
    return lower, upper


def worlds(design: Design, count: int) -> list[World]:
    """The first `count` in which every competitor has votes and all are connected: others are not rated as one."""
    found: list[World] = []
    seed = SEED
    while len(found) < count:
        world = simulate(design, seed)
        seed += 1
        try:
            fit_firth(cells(world.data))
        except NotStronglyConnected:
            continue
        found.append(World(canonical(world.data), world.strength, world.target))
    return found


def ranks_hold(world: World, *, side: bool) -> bool:
    """Whether every true rank lies in its simultaneous interval, all rows at once."""
    board = make_board(world.data, BoardOptions(rounds=ROUNDS, side_effect=side))
    above = 1 + (world.target[None, :] > world.target[:, None]).sum(axis=1)
    true = dict(zip(world.data.names, above.tolist(), strict=True))
    return all(row.rank_lower <= true[row.model_name] <= row.rank_upper for row in board.rows)


class Tally:
    """Hits and widths by method."""

    def __init__(self) -> None:
        self.hits: dict[str, list[np.ndarray]] = defaultdict(list)
        self.widths: dict[str, list[float]] = defaultdict(list)

    def add(self, method: str, target: np.ndarray, interval: Interval) -> None:
        lower, upper = interval
        self.hits[method].append((lower <= target) & (target <= upper))
        self.widths[method].append(float(np.mean(upper - lower)) * POINTS / 2)

    def cell(self, method: str) -> str:
        """Coverage ± its Monte-Carlo error, and the mean half-width in points."""
        if method not in self.hits:
            return "–"
        each = np.array(self.hits[method])
        error = each.mean(axis=1).std(ddof=1) / len(each) ** 0.5
        return f"{short(each.mean())} ± {short(error)}<br>±{np.mean(self.widths[method]):.0f}"

    def worst(self, method: str) -> str:
        return short(float(np.array(self.hits[method]).mean(axis=0).min()))


def short(value: float) -> str:
    return f"{value:.3f}".removeprefix("0") if value < 1 else f"{value:.2f}"


def peers(python: str, found: list[World], tally: Tally) -> dict[str, str]:
    """Runs the neighbours on these worlds in their own interpreter; what failed, by name."""
    with tempfile.TemporaryDirectory() as folder:
        for number, world in enumerate(found):
            data = world.data
            rows = np.repeat(np.arange(data.a.size), data.weight.astype(np.int64))
            np.savez(
                Path(folder, f"{number}.npz"), names=np.array(data.names), a=data.a[rows], b=data.b[rows],
                outcome=np.minimum(data.outcome[rows], 2), voter=data.voter[rows],
            )  # fmt: skip
        environment = {**os.environ, "JAX_PLATFORMS": "cpu", "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
        command = [python, str(HERE / "coverage_peers.py"), folder, str(len(found)), str(ROUNDS)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"neighbours": done.stderr.strip().rpartition("\n")[2]}
    reply: dict[str, Any] = json.loads(done.stdout.rpartition("\n")[2] or done.stdout)
    for method, intervals in reply["intervals"].items():
        for world, (lower, upper) in zip(found, intervals, strict=True):
            tally.add(method, world.target, (np.array(lower) / POINTS, np.array(upper) / POINTS))
    return dict(reply["failed"])


def study(count: int, peer_count: int) -> str:
    found_peers, notes = interpreter() if peer_count else ("", [])
    columns: dict[str, Tally] = {}
    ranked, seconds = {}, time.perf_counter()
    for name, design in DESIGNS.items():
        side, tally = design.side_effect != 0, Tally()
        made = worlds(design, count)
        for world in made:
            for method, interval in ours(world.data, side=side).items():
                tally.add(method, world.target, interval)
        held = np.array([ranks_hold(world, side=side) for world in made])
        ranked[name] = f"{short(held.mean())} ± {short(held.std(ddof=1) / count**0.5)}"
        if found_peers:
            notes += [f"{what}: {why}" for what, why in peers(found_peers, made[:peer_count], tally).items()]
        columns[name] = tally
        sys.stderr.write(f"{name}: {time.perf_counter() - seconds:.0f} s\n")
    return report(columns, ranked, thin(count), count, peer_count if found_peers else 0, notes)


def interpreter() -> tuple[str, list[str]]:
    """The neighbours' interpreter, made by the speed benchmark's helper; or why there is none."""
    from ratings_venv import peers as made

    found = made()
    missing = [f"{name}: {why}" for name, why in found.missing.items() if name in ("arenakit", "arena-rank")]
    return ("" if len(missing) == 2 else found.python), missing


def thin(count: int) -> list[str]:
    """Where no finite estimate exists: the error and coverage under each stated prior, in those worlds alone."""
    lines = []
    for name, design in THIN.items():
        tally, errors, without = Tally(), defaultdict(list), 0
        for world in worlds(design, count):
            table = cells(world.data)
            try:
                fit_bradley_terry(table)
            except NotStronglyConnected:
                without += 1
            else:
                continue
            for prior, fit in (
                ("half a vote of ties against the mean", fit_bradley_terry(table, prior=HALF_VOTES)),
                ("Jeffreys (Firth)", fit_firth(table)),
            ):
                errors[prior].append(np.mean((fit.strength - world.target) ** 2))
                tally.add(prior, world.target, around(fit.strength, sandwich_by_voter(world.data, fit), t=True))
        for prior, squares in errors.items():
            root = POINTS * np.mean(squares) ** 0.5
            cell = tally.cell(prior).replace("<br>", ", ")
            lines.append(f"| {name} ({without} of {count} worlds) | {prior} | {root:.0f} | {cell} |")
    return lines


def report(
    columns: dict[str, Tally],
    ranked: dict[str, str],
    thin_rows: list[str],
    count: int,
    peer_count: int,
    notes: list[str],
) -> str:
    methods = list(dict.fromkeys(method for tally in columns.values() for method in tally.hits))
    head = "| method | " + " | ".join(columns) + " |\n|---|" + "---|" * len(columns)
    rows = [
        " | ".join([f"| {method}", *(tally.cell(method) for tally in columns.values())]) + " |" for method in methods
    ]
    for method in methods:
        if "maximum likelihood" in method or "auto" in method:
            worst = [tally.worst(method) for tally in columns.values()]
            rows.append(" | ".join([f"| worst competitor: {method}", *worst]) + " |")
    rows.append("| all ranks inside `rank_lower` to `rank_upper` at once | " + " | ".join(ranked.values()) + " |")
    designs = [f"- **{name}**: {words(design)}" for name, design in DESIGNS.items()]
    command = f"python tests/bench/coverage.py --worlds {count} --peers {peer_count} --out docs/coverage.md"
    return TEXT.format(
        command=command, seed=SEED, rounds=ROUNDS, count=count, peers=peer_count, table="\n".join([head, *rows]),
        designs="\n".join(designs), thin="\n".join(thin_rows), notes="\n".join(f"- {n}" for n in dict.fromkeys(notes)),
    ).rstrip() + "\n"  # fmt: skip


TEXT = """# Coverage

How often intervals that state 95 % hold the true strength: coverage ± Monte-Carlo error, and below it the mean
half-width in points. Ours from {count} worlds a design, the neighbours' from {peers}; seeds from {seed}, bootstraps of
{rounds} rounds. Written by `{command}`.

{table}

{designs}

`auto` is the row in bold where votes carry voters, and the same by vote (HC2) where they do not. The rating stays the
maximum-likelihood estimate; only the interval lies around Firth's, for the worst competitor's sake. Degrees of freedom
are those of votes that tastes make alike: the last column is why.

## Without a finite maximum-likelihood estimate

| worlds | prior | root mean square error, points | coverage of CR2, t, and half-width |
|---|---|---|---|
{thin}

So Jeffreys' prior is the one that stands in.

{notes}
"""


def words(design: Design) -> str:
    parts = [f"{design.models} competitors", f"{design.votes} votes", f"{design.voters} voters"]
    if design.taste:
        parts.append(f"tastes of SD {design.taste}")
    if design.popularity:
        parts.append(f"the i-th competitor drawn 1/i^{design.popularity} as often")
    if design.density < 1:
        parts.append(f"{design.density:.0%} of the pairs ever shown")
    if design.activity:
        parts.append(f"the g-th voter casts 1/g^{design.activity} as many")
    if design.tie:
        parts.append(f"Davidson ties with ν = {design.tie}")
    if design.side_effect:
        parts.append(f"a side effect of {design.side_effect}")
    return ", ".join(parts) + "."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=200)
    parser.add_argument("--peers", type=int, default=60, help="worlds for the neighbours; 0 leaves them out")
    parser.add_argument("--out", default="")
    options = parser.parse_args()
    text = study(options.worlds, options.peers)
    if options.out:
        Path(options.out).write_text(text)
    else:
        print(text)


if __name__ == "__main__":
    main()
