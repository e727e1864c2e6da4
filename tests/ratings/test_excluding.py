"""Votes left out by a file of exclusions, by the command line."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from ratings.__main__ import main

VOTES = "id,model_a,model_b,winner,voter\n" + "".join(
    f"{k},{'xyz'[k % 3]},{'xyz'[(k + 1) % 3]},{'a' if k % 4 else 'b'},v{k % 6}\n" for k in range(60)
)


def board(
    capfdbinary: pytest.CaptureFixture[bytes], votes: Path, *args: str, status: int = 0
) -> tuple[list[dict[str, str]], str]:
    assert main(["board", str(votes), "--rounds", "50", *args]) == status
    out, err = capfdbinary.readouterr()
    return list(csv.DictReader(io.StringIO(out.decode(), newline=""))), err.decode()


@pytest.fixture
def votes(tmp_path: Path) -> Path:
    path = tmp_path / "votes.csv"
    path.write_text(VOTES)
    return path


def exclude(tmp_path: Path, text: str) -> str:
    path = tmp_path / "exclusions.csv"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    ("exclusions", "keeps"),
    [
        ("voter,action\nv1,exclude\n", lambda key, a, b, voter: voter != "v1"),
        ("voter,model_name,action\nv2,x,quarantine\n", lambda key, a, b, voter: voter != "v2" or "x" not in (a, b)),
        ("id,action\n7,held\n8,excluded\n", lambda key, a, b, voter: key not in ("7", "8")),
        ("id,voter,action\n7,v1,held\n8,v1,held\n", lambda key, a, b, voter: key != "7"),
    ],
)
def test_what_is_named_is_left_out_and_the_plain_rating_counts_it(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], votes: Path, exclusions: str, keeps: object
) -> None:
    defended, _ = board(capfdbinary, votes, "--exclusions", exclude(tmp_path, exclusions))
    header, *rows = csv.reader(VOTES.splitlines())
    left = tmp_path / "left.csv"
    kept = [row for row in rows if keeps(row[0], row[1], row[2], row[4])]  # type: ignore[operator]
    assert len(kept) < len(rows)
    left.write_text("\n".join(map(",".join, [header, *kept])) + "\n")
    alone, _ = board(capfdbinary, left)
    plain, _ = board(capfdbinary, votes)
    for row, same in zip(defended, alone, strict=True):
        assert {**row, "rating_plain": ""} == {**same, "rating_plain": ""}
    ratings = {row["model_name"]: row["rating"] for row in plain}
    assert {row["model_name"]: row["rating_plain"] for row in defended} == ratings


def test_no_exclusions_change_nothing(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], votes: Path) -> None:
    plain, _ = board(capfdbinary, votes)
    for text in ("voter,action\n", "voter,action\nv1,cleared\n", "voter,action\nnobody,exclude\n"):
        assert board(capfdbinary, votes, "--exclusions", exclude(tmp_path, text))[0] == plain


def test_the_object_says_how_many_votes_were_left_out(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], votes: Path
) -> None:
    path = exclude(tmp_path, "voter,action\nv1,exclude\n")
    assert main(["board", str(votes), "--rounds", "50", "--json", "--exclusions", path]) == 0
    said = json.loads(capfdbinary.readouterr().out)
    assert f"10 votes were left out by {path}; rating_plain counts them." in said["notes"]
    assert said["data"]["votes"] == 50 and said["data"]["voters"] == 5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("voter\nv1\n", "needs a column action, and id or voter"),
        ("voter,action\nv1,banish\n", "line 2, column action: 'banish' is no action: use exclude"),
        ("voter,action\n,exclude\n", "line 2: names neither a vote nor a voter"),
    ],
)
def test_a_file_that_cannot_be_exclusions_is_refused(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], votes: Path, text: str, said: str
) -> None:
    assert said in board(capfdbinary, votes, "--exclusions", exclude(tmp_path, text), status=2)[1]


def test_votes_without_what_the_exclusions_name_are_refused(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    bare = tmp_path / "bare.csv"
    bare.write_text("model_a,model_b,winner\nx,y,a\n")
    for text, said in (("voter,action\nv,exclude\n", "has no voters"), ("id,action\n1,exclude\n", "has no column id")):
        assert said in board(capfdbinary, bare, "--exclusions", exclude(tmp_path, text), status=2)[1]
    styled = ("--style", "length", "--exclusions", exclude(tmp_path, "voter,action\n"))
    assert "do not go together" in board(capfdbinary, bare, *styled, status=2)[1]
