"""What a screen does with hardly anything to screen, with declared groups, and with real people."""

from __future__ import annotations

import csv
import doctest
import importlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ratings.__main__ import main
from ratings.campaigns import ScreenOptions, screen
from ratings.data import comparisons
from ratings.errors import BadInput, SelfComparison
from ratings.served import ServedLog, served, voted_only

KNOWN = {"15", "70"}
"""The two workers who chose one model in 106 of 110 and 43 of 45 decisions."""


MODULES = (
    "served", "campaigns.calibration", "campaigns.drift", "campaigns.evidence", "campaigns.screening",
    "campaigns.sentences", "campaigns.stakes", "campaigns.taste", "campaigns.turnout", "campaigns.weights",
)  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_examples_hold(name: str) -> None:
    found = doctest.testmod(importlib.import_module(f"ratings.{name}"))
    assert found.attempted > 0
    assert found.failed == 0


@pytest.mark.parametrize(
    "log",
    [
        served([], [], [], [], []),
        served(["x"], [], [], [], []),
        served("xy", [0], [1], [-1], [0]),
        served("xy", [0], [1], [0], [0]),
        served("xyz", [0, 1], [1, 0], [2, 3], [0, 1]),
        served("wxyz", [0, 2], [1, 3], [0, 0], [0, 0], clusters={"address": [4]}),
        served("xy", [0] * 30, [1] * 30, [0] * 30, [0] * 30),
        served("xy", [0] * 30, [1] * 30, [0] * 30, range(30)),
    ],
    ids=["nothing", "one name", "never voted", "one vote", "ties only", "two components", "one voter", "one outcome"],
)
def test_a_log_that_says_next_to_nothing_is_screened_without_a_word(log: ServedLog) -> None:
    found = screen(log)
    assert found.weight.shape == (log.battles,)
    assert np.isfinite(found.plain).all()
    assert np.isfinite(found.defended).all()
    assert [one for one in found.exclusions if one.action != "flagged"] == []


def test_strengths_have_mean_zero_in_each_component() -> None:
    found = screen(served("wxyz", [0, 1, 2, 3], [1, 0, 3, 2], [0, 2, 1, 2], [0, 1, 2, 3]))
    for part in (found.plain, found.defended):
        assert np.allclose([part[:2].sum(), part[2:].sum()], 0, atol=1e-12)


def test_a_log_refuses_what_cannot_be_and_names_it() -> None:
    with pytest.raises(BadInput, match=r"outcome\[1\] is 4"):
        served("xy", [0, 0], [1, 1], [0, 4], [0, 0])
    with pytest.raises(BadInput, match=r"a\[0\] is 2"):
        served("xy", [2], [1], [0], [0])
    with pytest.raises(BadInput, match="'x' stands twice"):
        served("xx", [0], [1], [0], [0])
    with pytest.raises(SelfComparison, match="'y'"):
        served("xy", [1], [1], [0], [0])
    with pytest.raises(BadInput, match=r"at\[1\] is nan"):
        served("xy", [0, 0], [1, 1], [0, 0], [0, 0], at=[1, np.nan])
    with pytest.raises(BadInput, match="one entry for each of 1 accounts"):
        served("xy", [0], [1], [0], [0], vouched=[True], clusters={"address": [1, 1]})
    with pytest.raises(BadInput, match=r"account\[0\] is 1.5"):
        served("xy", [0], [1], [0], [1.5])


def test_alpha_must_be_a_chance() -> None:
    with pytest.raises(BadInput, match=r"alpha 1\.5"):
        ScreenOptions(alpha=1.5)


def random_log(n: int, battles: int, seed: int, **more: object) -> ServedLog:
    rng = np.random.default_rng(seed)
    a = rng.integers(0, n, battles)
    b = (a + rng.integers(1, n, battles)) % n
    return served(
        [f"m{i}" for i in range(n)], a, b, rng.integers(0, 3, battles), rng.integers(0, 200, battles), **more  # type: ignore[arg-type]
    )  # fmt: skip


def test_declared_clones_move_nobody_else() -> None:
    """A clone that meets whom its original met with the same results adds nothing: the others stay to a tenth."""
    log = random_log(6, 3000, 1)
    rows = np.flatnonzero((log.a == 0) | (log.b == 0))
    a, b = np.where(log.a == 0, 6, log.a)[rows], np.where(log.b == 0, 6, log.b)[rows]
    cloned = served(
        [*log.names, "clone"], np.r_[log.a, a], np.r_[log.b, b], np.r_[log.outcome, log.outcome[rows]],
        np.r_[log.account, log.account[rows]], clone_group=[0, -1, -1, -1, -1, -1, 0],
    )  # fmt: skip
    only = ScreenOptions(d1=False, d2=False, d3=False, d4=False)
    before, after = screen(log, only).defended, screen(cloned, only).defended[:6]
    assert np.allclose(before - before.mean(), after - after.mean(), atol=5e-4)  # a tenth of a point is 6e-4


def test_a_chosen_variant_is_scored_by_fresh_votes_only() -> None:
    log = random_log(4, 2000, 2)
    chosen = np.array([np.nan, 1000.0, np.nan, np.nan])
    found = screen(replace(log, selected_at=chosen), ScreenOptions(d1=False, d2=False, d3=False, d4=False))
    stale = ((log.a == 1) | (log.b == 1)) & (log.at < 1000)
    assert (found.weight[stale] == 0).all()
    assert (found.weight[~stale] == 1).all()


def test_variants_shrink_together_until_there_are_fresh_votes() -> None:
    log = random_log(8, 2000, 3)
    group = np.array([-1, -1, -1, -1, 0, 0, 0, 0], np.int32)
    chosen = np.full(8, np.nan)
    chosen[5] = 1e9
    only = ScreenOptions(d1=False, d2=False, d3=False, d4=False, d5=False)
    found = screen(replace(log, clone_group=group, selected_at=chosen), only)
    spread = np.ptp(found.defended[4:]) / np.ptp(found.plain[4:])
    assert spread < 0.75  # all are equal in truth; without shrinkage this is 1


def test_a_prompt_cluster_counts_as_twenty_votes_at_most() -> None:
    log = random_log(4, 500, 4)
    cluster = np.where(np.arange(500) < 100, 0, -1).astype(np.int32)
    found = screen(replace(log, prompt_cluster=cluster), ScreenOptions(d1=False, d2=False, d3=False, d4=False))
    assert np.isclose(found.weight[:100].sum(), 20)
    assert (found.weight[100:] == 1).all()


def test_votes_without_a_served_log_are_screened_by_what_they_said() -> None:
    data = comparisons("xy", [0, 0], [1, 1], [0, 1], voter=[3, 9], weight=[2, 1])
    log = voted_only(data)
    assert log.account.tolist() == [0, 0, 1]
    with pytest.raises(BadInput, match=r"0\.5"):
        voted_only(comparisons("xy", [0], [1], [0], weight=[0.5]))


def test_real_workers_lose_nobody_but_at_most_the_two_known_ones(validation_data: Path) -> None:
    with (validation_data / "llmfao/crowd-comparisons.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = sorted({row[side] for row in rows for side in ("left", "right")})
    workers = sorted({row["worker"] for row in rows})
    place = {name: i for i, name in enumerate(names)}
    said = {"left": 0, "right": 1, "tie": 2}
    log = served(
        names, [place[row["left"]] for row in rows], [place[row["right"]] for row in rows],
        [said[row["winner"]] for row in rows], [workers.index(row["worker"]) for row in rows],
    )  # fmt: skip
    found = screen(log)
    assert {workers[one.unit] for one in found.exclusions if one.action != "flagged"} <= KNOWN


def votes_file(path: Path) -> str:
    """Three honest voters and one who votes for x alone, out of a hundred battles that it was shown."""
    rng = np.random.default_rng(6)
    lines = ["model_a,model_b,winner,voter,office"]
    for row in range(1200):
        a, b = rng.permutation(5)[:2].tolist()
        voter = row % 12
        if voter == 0:
            winner = "model_a" if a == 0 else "model_b" if b == 0 else ""
        else:
            winner = rng.choice(["model_a", "model_b", "tie", ""], p=[0.3, 0.3, 0.2, 0.2])
        lines.append(f"{'xyzuv'[a]},{'xyzuv'[b]},{winner},v{voter},o{voter % 3}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def test_the_command_names_the_account_and_prints_both_boards(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = votes_file(tmp_path / "votes.csv")
    assert main(["screen", file, "--clusters", "office"]) == 0
    printed = capsys.readouterr().out
    assert "1,200 battles served to 12 accounts" in printed
    assert "(voter v0)" in printed
    assert main(["screen", file, "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert {one["unit"] for one in body["exclusions"] if one["action"] == "excluded"} == {"v0"}
    best = max(body["competitors"], key=lambda row: abs(row["difference"]))
    assert best["model_name"] == "x"
    assert best["difference"] < 0


def test_battles_never_voted_may_stand_in_a_file_of_their_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = Path(votes_file(tmp_path / "whole.csv")).read_text(encoding="utf-8").splitlines()
    voted = [line for line in whole if line.split(",")[2]]
    idle = [whole[0], *(line for line in whole if not line.split(",")[2])]
    (tmp_path / "votes.csv").write_text("\n".join(voted) + "\n", encoding="utf-8")
    (tmp_path / "idle.csv").write_text("\n".join(idle) + "\n", encoding="utf-8")
    assert main(["screen", str(tmp_path / "votes.csv"), "--served", str(tmp_path / "idle.csv"), "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert body["battles"] == 1200
    assert {one["unit"] for one in body["exclusions"] if one["action"] == "excluded"} == {"v0"}


def test_a_file_without_voters_cannot_be_screened(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "votes.csv"
    file.write_text("model_a,model_b,winner\nx,y,model_a\n", encoding="utf-8")
    assert main(["screen", str(file)]) == 2
    assert "voter" in capsys.readouterr().err
