"""Votes out: the public arena's columns by its own names, read back as they were, by every reader we have."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from ratings.__main__ import main
from ratings.converting import read_rows
from ratings.errors import BadInput, RatingsError
from ratings.reading import read_table
from ratings.writers import OURS, PUBLIC, csv_pieces, jsonl_pieces, said, write_votes

HF_140K = (
    "id", "model_a", "model_b", "winner", "evaluation_session_id", "evaluation_order", "conversation_a",
    "conversation_b", "full_conversation", "conv_metadata", "category_tag", "language", "is_code", "timestamp",
)  # fmt: skip
"""The columns of the public set lmarena-ai/arena-human-preference-140k, in its order."""
UNWEIGHTED = tuple(name for name in (*PUBLIC, *OURS) if name != "weight")
ROWS = [
    {
        "id": f"b{number}", "model_a": "Ash", "model_b": 'Birch, "the" 2nd\nline', "winner": winner, "judge": judge,
        "evaluation_session_id": "s1", "evaluation_order": number, "language": "German", "is_code": False,
        "conversation_a": said([("Wie?", "So.")]), "conversation_b": said([("Wie?", "=1+1")]),
        "conv_metadata": {"turns": 1, "sum_assistant_a_tokens": 2, "header_count_a": {"h1": 1, "h2": 2}},
        "category_tag": {"category": "talk"}, "category": "talk", "timestamp": "2026-03-01T12:00:00Z",
        "prompt_id": "p1", "rated": rated, "policy": "uniform", "draw_probability": 1 / 12,
    }
    for number, (winner, judge, rated) in enumerate(
        [("model_a", "v1", True), ("both_bad", "v1", True), ("tie", "v2", True), ("model_b", "v2", False)]
    )
]  # fmt: skip


def command(capfdbinary: pytest.CaptureFixture[bytes], *args: str) -> tuple[int, str, str]:
    status = main(args)
    out, err = capfdbinary.readouterr()
    return status, out.decode(), err.decode()


def test_the_columns_are_the_public_sets_and_ours_come_after() -> None:
    assert PUBLIC == HF_140K
    header = next(csv_pieces([])).decode().strip().split(",")
    assert header == [*HF_140K, *OURS]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_what_is_written_is_read_back(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"votes.{kind}"
    write_votes(ROWS, path, kind, UNWEIGHTED)
    found = read_table(str(path), wanted=["timestamp", "prompt_id", "category", "language", "length_a", "headers_a"])
    assert found.names == ("Ash", 'Birch, "the" 2nd\nline') and found.voters == ("v1", "v2")
    assert found.outcome.tolist() == [0, 3, 2], "the vote that is not rated stays out"
    assert found.notes == ("1 rows with rated false are not rated.",)
    assert found.numbers["timestamp"].tolist() == [1772366400.0] * 3
    assert found.numbers["length_a"].tolist() == [2.0] * 3 and found.numbers["headers_a"].tolist() == [3.0] * 3
    assert [found.texts[name].values for name in ("prompt_id", "category", "language")] == [
        ("p1",), ("talk",), ("German",),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_conversations_come_back_turn_by_turn(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"votes.{kind}"
    write_votes(ROWS, path, kind, UNWEIGHTED)
    rows = list(read_rows(str(path)))
    assert len(rows) == 3
    assert rows[0].turns == (("Wie?", "So.", "=1+1"),)
    assert rows[0].values["conv_metadata"] == ROWS[0]["conv_metadata"]
    assert rows[0].values["full_conversation"][0]["model_side_b"]["content"][0]["text"] == "=1+1"


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_file_written_from_a_written_file_is_the_same(
    tmp_path: Path, kind: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    first, second = tmp_path / f"first.{kind}", tmp_path / f"second.{kind}"
    write_votes(ROWS, tmp_path / "rows.jsonl", "jsonl", UNWEIGHTED)
    for source, target in ((tmp_path / "rows.jsonl", first), (first, second)):
        status, _, err = command(capfdbinary, "convert", str(source), "--out", str(target))
        assert status == 0, err
    assert first.read_bytes() == second.read_bytes()


def test_only_what_a_spreadsheet_would_run_is_changed_and_only_in_csv() -> None:
    rows = [{"id": "1", "model_a": "@cf/x", "model_b": "-b", "judge": "v"}]
    text = b"".join(csv_pieces(rows, ("model_a", "model_b", "judge"))).decode()
    _, cells = csv.reader(io.StringIO(text, newline=""))
    assert cells == ["'@cf/x", "'-b", "v"]
    assert json.loads(b"".join(jsonl_pieces(rows)))["model_a"] == "@cf/x"


def test_rows_are_written_as_they_come() -> None:
    taken = 0

    def endless() -> object:
        nonlocal taken
        while True:
            taken += 1
            yield {"id": str(taken), "model_a": "x" * 100}

    for pieces in (csv_pieces, jsonl_pieces):
        taken = 0
        next(pieces(endless()))
        assert 0 < taken < 2000, "a piece holds about 64 kB"


PUBLIC_SHAPES = {
    "100k": (
        '{"question_id": "q1", "model_a": "x", "model_b": "y", "winner": "tie (bothbad)", "judge": "j", "turn": 1, '
        '"conversation_a": [{"role": "user", "content": "Hi", "num_tokens": 1}, {"role": "assistant", "content": "A"}],'
        '"conversation_b": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "B"}], '
        '"anony": true, "language": "English", "tstamp": 1700000000.5, "is_code": false}\n'
        '{"question_id": "q2", "model_a": "x", "model_b": "y", "winner": "model_a", "anony": false}\n',
        ("q1", "both_bad", "j", "2023-11-14T22:13:20Z", (("Hi", "A", "B"),)),
    ),
    "kaggle": (
        "id,model_a,model_b,prompt,response_a,response_b,winner_model_a,winner_model_b,winner_tie\n"
        '1,x,y,"[""Hi"", ""And?""]","[""A"", ""A2""]","[""B"", ""B2""]",0,1,0\n',
        ("1", "model_b", None, None, (("Hi", "A", "B"), ("And?", "A2", "B2"))),
    ),
    "llmfao": (
        "id,prompt,model_x,model_y,worker,winner,left,right\n0,8,97,98,58,left,x,y\n",
        ("0", "model_a", "58", None, ()),
    ),
    "openwebui": (
        '[{"id": "f1", "user_id": "u1", "created_at": 1700000000, "data": {"rating": 1, "model_id": "x", '
        '"sibling_model_ids": ["y"]}, "meta": {"chat_id": "c", "message_index": 1}}]',
        (None, "model_a", "u1", "2023-11-14T22:13:20Z", ()),
    ),
}


@pytest.mark.parametrize("shape", PUBLIC_SHAPES)
def test_every_public_shape_becomes_this_one(tmp_path: Path, shape: str) -> None:
    text, (key, winner, judge, moment, turns) = PUBLIC_SHAPES[shape]
    path = tmp_path / f"votes.{ {'{': 'jsonl', '[': 'json'}.get(text[0], 'csv') }"
    path.write_text(text)
    notes: list[str] = []
    (row,) = read_rows(str(path), notes=notes)
    assert (row.values["model_a"], row.values["model_b"], row.values["winner"]) == ("x", "y", winner)
    assert (row.values.get("id"), row.values.get("judge"), row.values.get("timestamp")) == (key, judge, moment)
    assert row.turns == turns
    if shape == "100k":
        assert notes == ["1 rows with anony false are not rated."]


def test_a_table_of_counts_keeps_its_counts_as_weights(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    counts, votes = tmp_path / "counts.csv", tmp_path / "votes.csv"
    counts.write_text("model_a,model_b,wins_a,wins_b,ties\nx,y,3,1,0\ny,z,2,2,1\n")
    assert command(capfdbinary, "convert", str(counts), "--out", str(votes))[0] == 0
    boards = {command(capfdbinary, "board", str(path))[1] for path in (counts, votes)}
    assert len(boards) == 1


def test_llmfao_written_anew_gives_the_same_board(
    validation_data: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    source = validation_data / "llmfao/crowd-comparisons.csv"
    boards = [command(capfdbinary, "board", str(source), "--rounds", "50")[1]]
    for kind in ("csv", "jsonl"):
        assert command(capfdbinary, "convert", str(source), "--out", str(tmp_path / f"v.{kind}"), "--no-texts")[0] == 0
        boards.append(command(capfdbinary, "board", str(tmp_path / f"v.{kind}"), "--rounds", "50")[1])
    assert len(set(boards)) == 1 and boards[0].count("\n") == 60


def test_every_problem_can_be_gathered_and_the_rest_read(tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    path.write_text("model_a,model_b,winner,timestamp\nx,x,a,\nx,,a,\nx,y,maybe,\nx,y,a,soon\nx,y,tie,1700000000\n")
    problems: list[RatingsError] = []
    (row,) = read_rows(str(path), refuse=problems.append)
    assert row.line == 6 and row.values["winner"] == "tie"
    assert [str(problem).split(": ")[0].removeprefix(f"{path}, ") for problem in problems] == [
        "line 2", "line 3, column model_b", "line 4, column winner", "line 5, column timestamp",
    ]  # fmt: skip
    with pytest.raises(BadInput, match="line 2"):
        list(read_rows(str(path)))


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("convert", "{votes}", "--out", "{folder}/votes.txt"), "does not say the format: end it in .csv, .jsonl"),
        (("convert", "-", "--out", "{folder}/v.csv"), "name the file instead of -"),
        (("convert", "{votes}", "--out", "{folder}/no/v.csv"), "cannot be written: No such file or directory"),
    ],
)
def test_refusals_are_sentences(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], args: tuple[str, ...], said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    votes = tmp_path / "votes.csv"
    votes.write_text("model_a,model_b,winner\nx,y,a\n")
    with votes.open("rb") as standard:
        import os

        kept = os.dup(0)
        os.dup2(standard.fileno(), 0)
        try:
            status, _, err = command(capfdbinary, *(arg.format(votes=votes, folder=tmp_path) for arg in args))
        finally:
            os.dup2(kept, 0)
            os.close(kept)
    assert status == 2 and said in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["votes.csv"], "nothing half written stays"


def test_without_a_file_the_rows_are_printed(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    votes = tmp_path / "votes.csv"
    votes.write_text("model_a,model_b,winner,language\nx,y,a,de\nx,y,b,fr\n")
    status, out, err = command(capfdbinary, "convert", str(votes), "--format", "jsonl", "--category", "language=fr")
    assert status == 0, err
    assert [json.loads(line)["winner"] for line in out.splitlines()] == ["model_b"]
    assert command(capfdbinary, "convert", str(votes), "--format", "parquet")[0] == 2
