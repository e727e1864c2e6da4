"""Measures the statistics beside the named neighbours, and prints one Markdown table.

    python tests/bench/ratings_bench.py [--quick] [--only G1,G2,…] [--rounds 1000] [--repeats 3] [--write FILE]

The neighbours come from the package registry into a throwaway environment under the temporary folder, kept for the
next run. Both sides run in processes of their own, in turn, with one BLAS thread. `--quick` shows in a minute that
everything runs; its figures mean nothing.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import document
import ratings_goals as goals
import ratings_goals_more as more
from ratings_child import about
from ratings_goals import SEE, Row, Setting
from ratings_venv import PINS, peers

GOALS: dict[str, Callable[[Setting], Iterator[Row]]] = {
    "G1": goals.g1, "G1b": goals.g1b, "G1c": goals.g1c, "G2": goals.g2, "G3": goals.g3, "G4": more.g4, "G5": more.g5,
    "G6": more.g6, "G7": more.g7, "G8": more.g8, "G9": more.g9, "G10": more.g10,
}  # fmt: skip
HEAD = ("goal", "job", "ours", "peer", "ratio", "memory ours / peer", "met or falls short")


def main() -> None:
    options = arguments().parse_args()
    only = options.only.split(",") if options.only else list(GOALS)
    if unknown := [name for name in only if name not in GOALS]:
        raise SystemExit(f"no such goal: {', '.join(unknown)}; there are {', '.join(GOALS)}.")
    rounds = options.rounds or (100 if options.quick else 1000)
    repeats = options.repeats or (1 if options.quick else 3)
    with tempfile.TemporaryDirectory(prefix="blindfold-bench-worlds-") as folder:
        setting = Setting(Path(folder), peers(), options.quick, rounds, repeats)
        rows = [row for name in only for row in measured(name, setting)]
        lines = document.table(HEAD, [cells(row) for row in rows])
        lines += ["", *machine(setting)]
        if "G9" in only:
            lines += ["", *degenerate(setting)]
    text = "\n".join(lines) + "\n"
    sys.stdout.write(text)
    if options.write:
        page = Path(options.write)
        old = page.read_text(encoding="utf-8")
        text = with_rows(old, lines[2 : 2 + len(rows)], only) if options.only else text
        page.write_text(with_table(old, text), encoding="utf-8")


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small worlds, 100 replicates, one run of each")
    parser.add_argument("--only", default="", metavar="G1,G2,…", help="some of the goals")
    parser.add_argument("--rounds", type=int, default=0, help="bootstrap replicates")
    parser.add_argument("--repeats", type=int, default=0, help="alternating runs, of which the medians are told")
    parser.add_argument(
        "--write",
        default="",
        metavar="FILE",
        help="put the table, or the rows of --only, between the marks of this document",
    )
    return parser


def measured(name: str, setting: Setting) -> Iterator[Row]:
    """A goal's rows as they come; what goes wrong is told in its row, and the run goes on."""
    try:
        for row in GOALS[name](setting):
            sys.stderr.write(document.line(cells(row)) + "\n")
            yield row
    except (RuntimeError, OSError) as error:
        yield Row(name, "did not run", SEE, SEE, SEE, SEE, f"**not measured**: {error}")


def degenerate(setting: Setting) -> list[str]:
    try:
        return more.degenerate_table(more.degenerate(setting))
    except RuntimeError as error:
        return [f"What each makes of votes without an answer was not measured: {error}."]


def cells(row: Row) -> tuple[str, ...]:
    return row.goal, row.job, row.ours, row.peer, row.ratio, row.memory, row.verdict


def machine(setting: Setting) -> Iterator[str]:
    """When, where, with which versions and kernels."""
    ours, theirs = about(sys.executable, ["numpy", "scipy"]), about(setting.peers.python, ["numpy", "scipy", *PINS])
    yield f"{document.machine()}; "
    for title, found in (("ours", ours), ("peers", theirs)):
        kernel = found.pop("kernel")
        packages = ", ".join(f"{name} {version}" for name, version in found.items())
        yield f"{title}: {packages}, OpenBLAS kernel {kernel}, one thread{'; ' if title == 'ours' else '.'}"


MARK = "measured"


def with_table(page: str, table: str) -> str:
    """The document with the table between its marks."""
    return document.between(page, MARK, table)


def with_rows(page: str, rows: list[str], goals: list[str]) -> str:
    """The document's table with some goals measured anew, all else as it was."""
    begin, end = document.marks(MARK)
    old = page.split(begin, 1)[1].split(end, 1)[0].strip().split("\n")
    kept: list[str] = []
    for text in old:
        goal = text.removeprefix("| ").split(" |", 1)[0].split(",")[0]
        if goal not in goals:
            kept.append(text)
        else:
            kept += [row for row in rows if row.startswith((f"| {goal} ", f"| {goal},")) and row not in kept]
    return "\n".join(kept) + "\n"


if __name__ == "__main__":
    main()
