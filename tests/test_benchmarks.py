"""The table of `docs/benchmarks.md` is what the command would write: its goals, its columns, its pins, its options."""

from __future__ import annotations

import importlib
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs/benchmarks.md").read_text(encoding="utf-8")
MODULES = (
    "ratings_bench",
    "ratings_goals",
    "ratings_goals_more",
    "ratings_child",
    "ratings_venv",
    "ratings_worlds",
    "document",
)


@pytest.fixture(scope="module")
def bench() -> Iterator[ModuleType]:
    """The command as a module; what it adds to the path and to the modules is taken away again."""
    path = list(sys.path)
    sys.path.insert(0, str(ROOT / "tests/bench"))
    yield importlib.import_module("ratings_bench")
    sys.path[:] = path
    for name in MODULES:
        sys.modules.pop(name, None)


def measured() -> list[list[str]]:
    """Rows of the first table between the marks."""
    inside = PAGE.split("<!-- measured -->")[1].split("<!-- end of measured -->")[0].strip()
    table = inside.split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def test_the_columns_are_those_of_the_command(bench: ModuleType) -> None:
    assert measured()[0] == list(bench.HEAD)


def test_every_goal_has_its_row_and_every_row_its_goal(bench: ModuleType) -> None:
    named = [row[0].partition(",")[0] for row in measured()[2:]]
    assert list(dict.fromkeys(named)) == list(bench.GOALS)


def test_every_row_says_whether_the_goal_is_met(bench: ModuleType) -> None:
    words = ("met", "**falls short**", "**answers differ**", "no goal", "not built yet", "told by")
    assert [row[0] for row in measured()[2:] if not row[6].startswith(words)] == []


def test_versions_and_date_stand_below_the_table(bench: ModuleType) -> None:
    assert re.search(r"^20\d\d-\d\d-\d\d, ", PAGE, flags=re.MULTILINE)
    for name, pin in bench.PINS.items():
        assert f"{name} {pin.partition('==')[2]}" in PAGE
    assert PAGE.count("OpenBLAS kernel") == 2


def test_every_command_line_of_the_page_is_understood(bench: ModuleType) -> None:
    lines = [line for line in PAGE.splitlines() if "ratings_bench.py --" in line]
    assert len(lines) >= 3
    for line in lines:
        options = bench.arguments().parse_args(shlex.split(line, comments=True)[2:])
        assert set(filter(None, options.only.split(","))) <= set(bench.GOALS)


def test_the_page_takes_a_new_table_and_nothing_else_changes(bench: ModuleType) -> None:
    once = bench.with_table(PAGE, "| new |\n")
    assert "| new |" in once and "| G1 |" not in once
    assert bench.with_table(once, "| new |\n") == once
    assert once.split("<!-- measured -->")[0] == PAGE.split("<!-- measured -->")[0]
    with pytest.raises(SystemExit, match="marks"):
        bench.with_table("no marks", "")


def test_the_tables_of_the_web_side_and_of_integrity_have_their_places() -> None:
    for name in ("web", "integrity"):
        inside = PAGE.split(f"<!-- {name} -->")[1].split(f"<!-- end of {name} -->")[0].strip().splitlines()
        assert len(inside) >= 10 and {line.count("|") for line in inside[:-2]} == {inside[0].count("|")}


def test_an_unknown_goal_is_named(bench: ModuleType) -> None:
    command = [sys.executable, str(ROOT / "tests/bench/ratings_bench.py"), "--only", "G1,G99"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert "no such goal: G99" in done.stderr


def test_worlds_are_the_same_for_the_same_seed(bench: ModuleType, tmp_path: Path) -> None:
    worlds: Any = importlib.import_module("ratings_worlds")
    for name in ("first.npz", "second.npz"):
        worlds.votes(tmp_path / name, m=500, n=5, voters=20, seed=1)
    assert (tmp_path / "first.npz").read_bytes() == (tmp_path / "second.npz").read_bytes()


def test_a_fast_wrong_answer_is_caught(bench: ModuleType) -> None:
    goals: Any = importlib.import_module("ratings_goals")
    right = {"point": [10.0, -10.0], "lower": [0.0, -20.0], "upper": [20.0, 0.0]}
    moved = {key: [value + 1.0 for value in values] for key, values in right.items()}
    narrow = {**right, "lower": [2.0, -18.0], "upper": [18.0, -2.0]}
    assert goals.agreement(right, right, 1000)[1]
    assert not goals.agreement(moved, right, 1000)[1]
    assert not goals.agreement(narrow, right, 1000)[1]
    assert "answers differ" in goals.judged(True, False, "")


def test_goals_measured_anew_replace_their_rows_and_leave_the_others(bench: ModuleType) -> None:
    rows = "| G1 | a |\n| G1, older | b |\n| G4 | c |\n| G4 | d |"
    page = f"<!-- measured -->\n\n| goal |\n|---|\n{rows}\n\nwhen\n<!-- end of measured -->"
    found = bench.with_rows(page, ["| G4 | e |", "| G4 | f |"], ["G4"])
    assert found == "| goal |\n|---|\n| G1 | a |\n| G1, older | b |\n| G4 | e |\n| G4 | f |\n\nwhen\n"
