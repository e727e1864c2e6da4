"""Fits against printed figures. Sources stand beside the numbers; statistics of the literature are typed in."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from math import exp, log
from pathlib import Path

import numpy as np
import pytest

from ratings import BoardOptions, cells, comparisons, fit_bradley_terry, make_board
from ratings.elo import elo
from ratings.reading import read_votes
from ratings.scale import POINTS

# Agresti, A. (1990). Categorical Data Analysis, American League baseball 1987.
TEAMS = ("Milwaukee", "Detroit", "Toronto", "New York", "Boston", "Cleveland", "Baltimore")
# Stigler, S. (1994). Citation patterns in the journals of statistics and probability. Statistical Science 9.
CITATIONS = [
    ("Biometrika", "Comm Statist", 730, 33), ("Biometrika", "JASA", 498, 320), ("Biometrika", "JRSS-B", 221, 284),
    ("Comm Statist", "JASA", 68, 813), ("Comm Statist", "JRSS-B", 17, 276), ("JASA", "JRSS-B", 142, 325),
]  # fmt: skip


def command(*args: str) -> str:
    done = subprocess.run([sys.executable, "-m", "ratings", *args], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows(text: str) -> dict[str, dict[str, str]]:
    return {row["model_name"]: row for row in csv.DictReader(io.StringIO(text))}


def citations() -> tuple[list[str], np.ndarray]:
    names = ["Biometrika", "Comm Statist", "JASA", "JRSS-B"]
    data = [(names.index(a), names.index(b), what, n) for a, b, x, y in CITATIONS for what, n in ((0, x), (1, y))]
    return names, np.array(data)


def test_journals_are_ordered_as_stigler_printed() -> None:
    names, table = citations()
    data = comparisons(names, table[:, 0], table[:, 1], table[:, 2], weight=table[:, 3])
    board = make_board(data, BoardOptions(interval="model", anchor="Biometrika", anchor_rating=0))
    found = {row.model_name: row for row in board.rows}
    for name, strength, error in (
        ("Comm Statist", -2.9491, 0.1025),
        ("JASA", -0.4796, 0.0606),
        ("JRSS-B", 0.2690, 0.0708),
    ):
        row = found[name]
        assert row.rating / POINTS == pytest.approx(strength, abs=1e-4)
        assert row.variance**0.5 / POINTS == pytest.approx(error, abs=1e-4)


def test_the_command_gives_wikipedias_example(validation_data: Path) -> None:
    found = rows(command("board", str(validation_data / "textbook/wikipedia_bt_votes.csv")))
    strengths = [exp((float(found[name]["rating"]) - 1000) / POINTS) for name in "ABCD"]
    assert strengths == pytest.approx([0.639835, 1.043314, 0.659810, 2.270377], abs=1e-5)


@pytest.mark.parametrize(("flags", "milwaukee", "error"), [((), 1.5814, 0.3433), (("--side-effect",), 1.6196, None)])
def test_the_command_gives_agrestis_baseball(
    validation_data: Path, flags: tuple[str, ...], milwaukee: float, error: float | None
) -> None:
    names = "home.team=model_a,away.team=model_b,home.wins=wins_a,away.wins=wins_b"
    path = str(validation_data / "textbook/baseball_al_east_1987.csv")
    common = (path, "--columns", names, "--interval", "model", "--anchor", "Baltimore=0", *flags)
    found = rows(command("board", *common))
    assert float(found["Milwaukee"]["rating"]) / POINTS == pytest.approx(milwaukee, abs=1e-4)
    assert set(found) == set(TEAMS)
    if error:
        assert float(found["Milwaukee"]["variance"]) ** 0.5 / POINTS == pytest.approx(error, abs=1e-4)
        printed = {"Detroit": 1.4364, "Toronto": 1.2945, "New York": 1.2476, "Boston": 1.1077, "Cleveland": 0.6839}
        for name, strength in printed.items():
            assert float(found[name]["rating"]) / POINTS == pytest.approx(strength, abs=1e-4)
    body = json.loads(command("board", *common, "--json"))
    assert body["parameters"]["side_effect"]["estimate"] == pytest.approx(0.3023, abs=1e-4)


def test_the_command_gives_the_journals_too(validation_data: Path) -> None:
    names = "journal1=model_a,journal2=model_b,win1=wins_a,win2=wins_b"
    path = str(validation_data / "textbook/citations_stigler1994.csv")
    found = rows(command("board", path, "--columns", names, "--anchor", "Biometrika=0", "--interval", "model"))
    assert float(found["JRSS-B"]["rating"]) / POINTS == pytest.approx(0.2690, abs=1e-4)
    assert float(found["JRSS-B"]["variance"]) ** 0.5 / POINTS == pytest.approx(0.0708, abs=1e-4)


def test_puddings_with_half_ties_agree_with_an_independent_fit(validation_data: Path) -> None:
    """Davidson's own model belongs to another module; half-win ties are checked by fixed-point iteration (MM)."""
    path = validation_data / "textbook/pudding_davidson1970.csv"
    names = "i=model_a,j=model_b,w_ij=wins_a,w_ji=wins_b,t_ij=ties"
    found = rows(command("board", str(path), "--columns", names))
    with path.open() as file:
        table = [[int(v) for v in row] for row in list(csv.reader(file))[1:]]
    worth = np.ones(6)
    for _ in range(5000):
        wins, mass = np.zeros(6), np.zeros(6)
        for i, j, n, w_ij, w_ji, t in table:
            wins[i - 1] += w_ij + t / 2
            wins[j - 1] += w_ji + t / 2
            mass[[i - 1, j - 1]] += n / (worth[i - 1] + worth[j - 1])
        worth = wins / mass
        worth /= np.exp(np.log(worth).mean())
    ours = [(float(found[str(i + 1)]["rating"]) - 1000) / POINTS for i in range(6)]
    assert ours == pytest.approx(np.log(worth).tolist(), abs=1e-6)


def test_food_gives_evalicas_golden_worth(validation_data: Path) -> None:
    """evalica (Apache-2.0), golden file: Bradley-Terry worth of Tacos, sum 1."""
    found = rows(command("board", str(validation_data / "food/food.csv")))
    worth = {name: exp(float(row["rating"]) / POINTS) for name, row in found.items()}
    assert worth["Tacos"] / sum(worth.values()) == pytest.approx(0.434289828, abs=1e-6)


def test_llmfao_gives_the_published_worth_and_elo(validation_data: Path) -> None:
    """LLMFAO crowd votes, evalica's golden file: GPT 4's worth .041218 and Elo 1095.593548 (K 4, start 1000)."""
    path = str(validation_data / "llmfao/crowd-comparisons.csv")
    found = rows(command("board", path, "--rounds", "50"))
    assert len(found) == 59
    worth = {name: exp(float(row["rating"]) / POINTS) for name, row in found.items()}
    assert worth["GPT 4"] / sum(worth.values()) == pytest.approx(0.041218, abs=1e-6)
    online = rows(command("elo", path))
    assert float(online["GPT 4"]["rating"]) == pytest.approx(1095.593548, abs=1e-6)


def test_intervals_by_voter_are_wider_than_by_vote_on_llmfao(validation_data: Path) -> None:
    """Measured ratio of the mean widths: 1.13."""
    data = read_votes(str(validation_data / "llmfao/crowd-comparisons.csv"))

    def width(**options: str) -> float:
        board = make_board(data, BoardOptions(interval="bootstrap", rounds=400, **options))
        return float(np.mean([row.variance**0.5 for row in board.rows]))  # quantiles of 400 are too rough for this

    assert width(by="voter") / width(by="vote") == pytest.approx(1.13, abs=0.04)


def test_elo_follows_its_equation() -> None:
    data = comparisons(["x", "y"], [0, 1], [1, 0], [0, 0])
    first = 4 * (1 - 0.5)
    expected = 1 / (1 + 10 ** ((1000 + first - (1000 - first)) / 400))
    assert elo(data)[1] == pytest.approx(1000 - first + 4 * (1 - expected))


def test_two_to_one_is_log_two() -> None:
    """With two competitors the estimate is the log of the odds: no iteration needed to know it."""
    data = comparisons(["x", "y"], [0, 0, 1], [1, 1, 0], [0, 0, 0])
    fit = fit_bradley_terry(cells(data))
    assert fit.strength[0] - fit.strength[1] == pytest.approx(log(2), abs=1e-9)
