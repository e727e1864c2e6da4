"""The red-team suite: every scenario in every world, printed as one table and written to docs/redteam.md.

    python -m tests.redteam.run [--quick] [--seeds 5] [--only 1a,5a,12,adaptive] [--ranks 10,3,17] [--minutes 30]

It goes on where it stopped: results are kept as JSON lines and count while the code that measures and is measured
stays the same. `--quick` takes a minute, one small world each, and writes nothing. Real people (W3, LLMFAO) need
ARENA_VALIDATION_DATA.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from tests.redteam import adaptive, report, stress
from tests.redteam.cases import CASES, RANKS, Case
from tests.redteam.ledger import ROOT, Ledger, code, key_of
from tests.redteam.special import SPECIAL
from tests.redteam.world_crowd import available

Job = tuple[str, Callable[[], dict[str, Any]]]
KEPT = ROOT / "var/redteam/results.jsonl"
QUICK = ("1a", "2a", "3a", "4b", "5b", "6a", "7a", "8c", "13")
QUICK_VOTES = 10_000


def main() -> None:
    options = arguments().parse_args()
    cases = chosen(options.only, options.quick)
    began = time.perf_counter()
    ledger = Ledger(None if options.quick else options.kept, code(), lambda key: say(key, began))
    jobs = list(plan(cases, options))
    done = all(measured(ledger, number, len(jobs), job, began, options) for number, job in enumerate(jobs, start=1))
    if done and wanted(options.only, "adaptive") and not options.quick:
        adapt(ledger, options)
    page = report.page(ledger, cases)
    if options.write and not options.quick and not options.only:
        Path(options.write).write_text(page, encoding="utf-8")
    print(page)


def measured(ledger: Ledger, number: int, total: int, job: Job, began: float, options: argparse.Namespace) -> bool:
    """Measures one job unless it is there already; False when the time is up."""
    if options.minutes and time.perf_counter() - began > 60 * options.minutes:
        sys.stderr.write(f"time is up: {number - 1} of {total} jobs are there; the same command goes on.\n")
        return False
    row = ledger.once(*job)
    if number % 20 == 0:
        sys.stderr.write(f"{number} of {total} jobs, the last moved {row.get('defended', 0):+.1f}\n")
    return True


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one seed, one target, small worlds: about a minute")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--worlds", default="W1,W2,W3,LLMFAO", help="several runs may share a file of results")
    parser.add_argument("--ranks", default=",".join(map(str, RANKS)))
    parser.add_argument("--only", default="", help="scenarios by key; 12 for honest worlds, adaptive for the search")
    parser.add_argument("--stress-seeds", type=int, default=stress.SEEDS)
    parser.add_argument("--trials", type=int, default=24, help="random plans of the adaptive attacker")
    parser.add_argument("--rounds", type=int, default=3, help="rounds in which its best plan is varied")
    parser.add_argument("--minutes", type=float, default=0, help="stop after so long; 0 for never")
    parser.add_argument("--kept", type=Path, default=KEPT, help="where results are kept")
    parser.add_argument("--write", default="", help="the document to write; not with --quick or --only")
    return parser


def wanted(only: str, key: str) -> bool:
    return not only or key in only.split(",")


def chosen(only: str, quick: bool) -> list[Case]:
    cases: Sequence[Case] = (*CASES, *SPECIAL)
    if quick:
        return [replace(case, votes=QUICK_VOTES) for case in cases if case.key in QUICK and wanted(only, case.key)]
    known = {case.key.split()[0] for case in cases} | {case.key for case in cases} | {"12", "adaptive"}
    if unknown := [key for key in only.split(",") if only and key not in known]:
        raise SystemExit(f"no such scenario: {', '.join(unknown)}; there are {', '.join(sorted(known))}.")
    return [case for case in cases if wanted(only, case.key) or wanted(only, case.key.split()[0])]


def plan(cases: Sequence[Case], options: argparse.Namespace) -> Iterator[Job]:
    """All jobs, whole tables first: each seed and target goes through every case before the next begins."""
    ranks = [int(rank) for rank in options.ranks.split(",")]
    if options.quick:
        yield from (attack_job(case, case.worlds[0], 1, ranks[0]) for case in cases)
        yield stress_job("W1, 3,000 votes", 0)
        return
    for seed in range(1, max(options.seeds, options.stress_seeds) + 1):
        if wanted(options.only, "12") and seed <= options.stress_seeds:
            yield from (stress_job(kind, seed - 1) for kind in stress.kinds())
        if seed > options.seeds:
            continue
        for rank in ranks:
            for world in options.worlds.split(","):
                if world in ("W3", "LLMFAO") and not available():
                    continue
                yield from (attack_job(case, world, seed, rank)
                            for case in cases if world in case.worlds and rank in case.ranks)  # fmt: skip


def attack_job(case: Case, world: str, seed: int, rank: int) -> Job:
    return key_of("case", case.key, world, seed, rank), lambda: case.run(world, seed, rank)


def stress_job(kind: str, seed: int) -> Job:
    return key_of("honest", kind, seed), lambda: stress.stress(kind, seed)


def adapt(ledger: Ledger, options: argparse.Namespace) -> None:
    """The search at one share, then its best plans at every share, on fresh worlds."""

    def measure(plan: adaptive.Plan, seed: int) -> dict[str, Any]:
        fields = adaptive.fields_of(plan)
        name = ",".join(f"{value}" for value in fields.values())
        return ledger.once(key_of("adaptive", name, seed), lambda: {"plan": fields} | adaptive.trial(plan, seed))

    best = adaptive.search(measure, options.trials, options.rounds)[:3]
    for plan, _ in best:
        for share in adaptive.SHARES:
            for seed in adaptive.FRESH:
                measure(replace(plan, share=share), seed)


def say(key: str, began: float) -> None:
    sys.stderr.write(f"{time.perf_counter() - began:7.0f} s  {key}\n")


if __name__ == "__main__":
    main()
