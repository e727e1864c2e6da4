"""Files of votes: what is understood, and how each mistake is named."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from ratings import BadInput, Outcome, SelfComparison, UnknownLabel
from ratings.errors import DuplicateVote
from ratings.reading import read_votes


def write(folder: Path, text: str, name: str = "votes.csv") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("word", "outcome"),
    [("model_a", Outcome.A), ("left", Outcome.A), ("model_b", Outcome.B), ("tie", Outcome.TIE),
     ("tie (bothbad)", Outcome.BOTH_BAD), ("both_bad", Outcome.BOTH_BAD)],
)  # fmt: skip
def test_the_words_of_the_field_are_understood(tmp_path: Path, word: str, outcome: Outcome) -> None:
    data = read_votes(write(tmp_path, f"model_a,model_b,winner\nx,y,{word}\n"))
    assert data.outcome.tolist() == [outcome]


def test_an_unknown_outcome_is_never_a_tie(tmp_path: Path) -> None:
    with pytest.raises(UnknownLabel, match=r"line 3, column winner: 'lft'.*model_a, model_b, tie, both_bad"):
        read_votes(write(tmp_path, "model_a,model_b,winner\nx,y,left\nx,y,lft\n"))


def test_labels_and_columns_are_translated(tmp_path: Path) -> None:
    path = write(tmp_path, "one,two,who,result\nx,y,ann,1\nx,y,bob,model_b\n")
    data = read_votes(
        path, columns={"one": "model_a", "two": "model_b", "who": "voter", "result": "winner"}, labels={"1": "model_a"}
    )
    assert data.outcome.tolist() == [0, 1]
    assert data.voters == 2


def test_duplicates_are_refused_with_both_lines(tmp_path: Path) -> None:
    text = "id,model_a,model_b,winner,judge\n1,x,y,tie,ann\n1,x,y,tie,bob\n1,x,y,tie,ann\n"
    with pytest.raises(DuplicateVote, match="line 2 and again on line 4"):
        read_votes(write(tmp_path, text))


def test_a_self_comparison_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(SelfComparison, match=r"line 2.*'x'"):
        read_votes(write(tmp_path, "model_a,model_b,winner\nx,x,tie\n"))


@pytest.mark.parametrize(
    ("text", "message"),
    [("a,b\nx,y\n", "no column model_a"), ("model_a,model_b,winner\nx,y\n", "line 2: has 2 cells"),
     ("model_a,model_b,winner\n,y,tie\n", "column model_a: the name is empty"),
     ("model_a,model_b,winner,weight\nx,y,tie,nan\n", "column weight: 'nan'")],
)  # fmt: skip
def test_each_mistake_is_named_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        read_votes(write(tmp_path, text))


def test_latin_1_and_a_cut_gzip_are_named(tmp_path: Path) -> None:
    latin = tmp_path / "votes.csv"
    latin.write_bytes("model_a,model_b,winner\nx,ü,tie\n".encode("latin-1"))
    with pytest.raises(BadInput, match="UTF-8"):
        read_votes(str(latin))
    cut = tmp_path / "votes.csv.gz"
    cut.write_bytes(gzip.compress(b"model_a,model_b,winner\n" + b"x,y,tie\n" * 5000)[:60])
    with pytest.raises(BadInput, match="cannot be read"):
        read_votes(str(cut))


def test_bom_and_crlf_are_nothing_special(tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_bytes(b"\xef\xbb\xbfmodel_a,model_b,winner\r\nx,y,tie\r\n")
    assert read_votes(str(path)).votes == 1


def test_json_lines_and_one_hot_columns(tmp_path: Path) -> None:
    row = {"model_a": "x", "model_b": "y", "winner_model_a": 0, "winner_model_b": 1, "winner_tie": 0}
    path = write(tmp_path, json.dumps(row) + "\n", "votes.jsonl")
    assert read_votes(path).outcome.tolist() == [1]
    array = write(
        tmp_path, json.dumps([{"model_a": "x", "model_b": "y", "winner": "tie", "anony": False}]), "votes.json"
    )
    assert read_votes(array).votes == 0


def test_the_command_exits_with_2_and_no_traceback(tmp_path: Path) -> None:
    path = write(tmp_path, "model_a,model_b,winner\nx,y,who\n")
    done = subprocess.run([sys.executable, "-m", "ratings", "board", path], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "'who'" in done.stderr and "Traceback" not in done.stderr


def test_the_command_writes_both_files_or_none(tmp_path: Path) -> None:
    path = write(tmp_path, "model_a,model_b,winner\nx,y,tie\nx,y,left\nx,y,right\n")
    out = tmp_path / "board.csv"
    subprocess.run([sys.executable, "-m", "ratings", "board", path, "--out", str(out)], check=True)
    assert out.read_text().startswith("model_name,organization,license,rating")
    assert json.loads((tmp_path / "board.csv.json").read_text())["data"]["votes"] == 3
    assert sorted(p.name for p in tmp_path.iterdir()) == ["board.csv", "board.csv.json", "votes.csv"]


def test_the_matrix_counts_each_pair_once(tmp_path: Path) -> None:
    path = write(tmp_path, "model_a,model_b,winner\nx,y,left\ny,x,left\ny,x,tie\n")
    done = subprocess.run([sys.executable, "-m", "ratings", "matrix", path], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1] == "x,y,1,1,0,1,3,0.5"
