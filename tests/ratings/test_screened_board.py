"""`board --screen`: the ratings without what a screen finds, beside the plain ones, whatever the order of the rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ratings.__main__ import main
from tests.ratings.test_campaigns_edges import votes_file


def board(capsys: pytest.CaptureFixture[str], *args: str, status: int = 0) -> Any:
    assert main(["board", *args]) == status
    said = capsys.readouterr()
    return json.loads(said.out) if status == 0 else said.err


def ratings(body: Any, column: str = "rating") -> dict[str, float]:
    return {row["model_name"]: row[column] for row in body["board"]}


def kept(file: str, to: Path, *, without: str = "") -> str:
    """The voted rows of a file, without a voter's."""
    header, *lines = Path(file).read_text(encoding="utf-8").splitlines()
    rows = [line.split(",") for line in lines]
    voted = [",".join(row) for row in rows if row[2] and row[3] != without]
    to.write_text("\n".join([header, *voted]) + "\n", encoding="utf-8")
    return str(to)


def test_the_board_is_that_of_the_votes_without_the_campaign(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = votes_file(tmp_path / "votes.csv")
    found = board(capsys, file, "--screen", "--json")
    honest = board(capsys, kept(file, tmp_path / "honest.csv", without="v0"), "--json")
    everybody = board(capsys, kept(file, tmp_path / "all.csv"), "--json")
    assert ratings(found) == pytest.approx(ratings(honest), abs=1e-9)
    assert ratings(found, "rating_plain") == pytest.approx(ratings(everybody), abs=1e-9)
    assert ratings(everybody)["x"] - ratings(found)["x"] > 10
    assert any("left out by a screen for campaigns" in note for note in found["notes"])


def test_a_screens_file_of_exclusions_gives_the_same_board(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, out = votes_file(tmp_path / "votes.csv"), tmp_path / "exclusions.csv"
    assert main(["screen", file, "--out", str(out)]) == 0
    header, *lines = out.read_text(encoding="utf-8").splitlines()
    assert header == "id,voter,cluster,model_name,direction,votes,log_evidence,action,reason"
    assert [line.split(",")[1] for line in lines] == ["v0"]
    assert ",exclude,Account 0 voted on 45 of 45 battles with x" in lines[0]
    named = board(capsys, kept(file, tmp_path / "all.csv"), "--exclusions", str(out), "--json")
    screened = board(capsys, file, "--screen", "--json")
    assert named["board"] == screened["board"]


def test_rows_out_of_the_order_of_time_change_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    header, *lines = Path(votes_file(tmp_path / "votes.csv")).read_text(encoding="utf-8").splitlines()
    timed = [f"{line},{second}" for second, line in enumerate(lines)]
    found = []
    for name, rows in (("forth", timed), ("back", [*timed[600:], *timed[:600]])):
        file = tmp_path / f"{name}.csv"
        file.write_text("\n".join([f"{header},timestamp", *rows]) + "\n", encoding="utf-8")
        found.append(ratings(board(capsys, str(file), "--screen", "--json")))
    assert found[0] == pytest.approx(found[1], abs=1e-9)


def test_an_honest_file_keeps_all_its_votes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = kept(votes_file(tmp_path / "votes.csv"), tmp_path / "honest.csv", without="v0")
    assert board(capsys, file, "--screen", "--json")["board"] == board(capsys, file, "--json")["board"]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--served", "idle.csv"], "--served belongs to --screen"),
        (["--screen", "--exclusions", "x.csv"], "do not go together"),
    ],
)
def test_what_does_not_go_together_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], args: list[str], says: str
) -> None:
    file = kept(votes_file(tmp_path / "votes.csv"), tmp_path / "all.csv")
    assert says in board(capsys, file, *args, status=2)
