"""Parquet, where pyarrow is installed: the same votes as in CSV, typed, in bounded memory; elsewhere a sentence."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ratings import parquet as ours
from ratings.__main__ import main
from ratings.errors import BadInput
from ratings.writers import OURS, PUBLIC, as_cell, csv_pieces, said, write_votes

COLUMNS = (*PUBLIC, *OURS)
TYPED = {
    "evaluation_order": "int64", "is_code": "bool", "rated": "bool", "draw_probability": "double", "weight": "double",
}  # fmt: skip


def vote(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"b{number}", "model_a": "Ash", "model_b": 'Birch, "the" 2nd\nline', "winner": "tie", "judge": "v1",
        "evaluation_session_id": "s1", "evaluation_order": number, "language": "Ελληνικά", "is_code": number % 2 == 0,
        "conversation_a": said([("Wie?", "So: ✓")]), "conversation_b": said([("Wie?", "=1+1")]),
        "category_tag": {"category": "talk"}, "timestamp": "2026-03-01T12:00:00Z", "rated": True,
        "draw_probability": 1 / 12, **more,
    }  # fmt: skip


@pytest.fixture
def arrow() -> Any:
    return pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")


@pytest.fixture
def without_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)


def test_without_pyarrow_it_is_refused_by_name_and_nothing_is_there(
    tmp_path: Path, without_pyarrow: None, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(BadInput, match="pyarrow, which is not installed: take csv or jsonl"):
        write_votes([vote(1)], tmp_path / "votes.parquet", "parquet")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "votes.csv").write_text("model_a,model_b,winner\nx,y,a\n")
    assert main(["convert", str(tmp_path / "votes.csv"), "--out", str(tmp_path / "votes.parquet")]) == 2
    assert "pyarrow, which is not installed" in capsys.readouterr().err


def test_columns_are_typed_and_in_the_order_of_csv(tmp_path: Path, arrow: Any) -> None:
    write_votes([vote(1)], tmp_path / "votes.parquet", "parquet")
    schema = arrow.read_schema(tmp_path / "votes.parquet")
    assert schema.names == list(COLUMNS)
    assert {name: str(schema.field(name).type) for name in COLUMNS} == dict.fromkeys(COLUMNS, "string") | TYPED


def test_it_holds_what_csv_holds(tmp_path: Path, arrow: Any) -> None:
    votes = [vote(n, **({"draw_probability": None, "prompt_id": "p"} if n == 2 else {})) for n in range(1, 6)]
    write_votes(votes, tmp_path / "votes.parquet", "parquet")
    table = list(csv.DictReader(io.StringIO(b"".join(csv_pieces(votes)).decode(), newline="")))
    back = arrow.read_table(tmp_path / "votes.parquet").to_pylist()
    assert len(table) == len(back) == 5
    for cells, row in zip(table, back, strict=True):
        told = {name: "" if value is None else as_cell(value) for name, value in row.items()}
        assert told == cells
    assert json.loads(back[0]["conversation_b"]) == votes[0]["conversation_b"]


def test_no_votes_are_a_file_with_columns(tmp_path: Path, arrow: Any) -> None:
    write_votes([], tmp_path / "votes.parquet", "parquet")
    table = arrow.read_table(tmp_path / "votes.parquet")
    assert (table.num_rows, table.column_names) == (0, list(COLUMNS))


def test_a_name_that_csv_would_neutralise_and_half_a_character_are_kept(tmp_path: Path, arrow: Any) -> None:
    write_votes([vote(1, model_a="@cf/meta", language="a\ud800b")], tmp_path / "votes.parquet", "parquet")
    (row,) = arrow.read_table(tmp_path / "votes.parquet").to_pylist()
    assert (row["model_a"], row["language"]) == ("@cf/meta", "a\\ud800b")


def test_no_more_rows_are_held_than_a_row_group_has(
    tmp_path: Path, arrow: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows are asked for as they are written: at most one group ahead of what the file holds."""
    monkeypatch.setattr(ours, "ROW_GROUP", 10)
    path, ahead = tmp_path / "votes.parquet", [0]
    written = [0]
    inner = arrow.ParquetWriter.write_table

    def counted(self: Any, table: Any, *args: Any, **kwargs: Any) -> None:
        inner(self, table, *args, **kwargs)
        written[0] += table.num_rows

    def rows() -> Iterator[dict[str, Any]]:
        for number in range(1, 36):
            ahead[0] = max(ahead[0], number - written[0])
            yield vote(number)

    monkeypatch.setattr(arrow.ParquetWriter, "write_table", counted)
    assert ours.write_parquet(rows(), path) == 35
    found = arrow.ParquetFile(path)
    assert [found.metadata.row_group(n).num_rows for n in range(found.num_row_groups)] == [10, 10, 10, 5]
    assert ahead == [10]


def test_long_conversations_make_smaller_groups(tmp_path: Path, arrow: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ours, "GROUP_CHARS", 50_000)
    path = tmp_path / "votes.parquet"
    ours.write_parquet((vote(n, conversation_a="x" * 20_000) for n in range(7)), path)
    found = arrow.ParquetFile(path)
    assert [found.metadata.row_group(n).num_rows for n in range(found.num_row_groups)] == [3, 3, 1]


@pytest.mark.parametrize(
    ("column", "given", "kept"),
    [("is_code", "True", True), ("is_code", "false", False), ("is_code", 0, False), ("is_code", "", None),
     ("evaluation_order", "3", 3), ("evaluation_order", 3.0, 3), ("draw_probability", "0.25", 0.25),
     ("weight", 2, 2.0), ("rated", None, None), ("source", 7, "7"), ("language", "", "")],
)  # fmt: skip
def test_values_as_files_of_others_have_them_take_their_columns_type(
    tmp_path: Path, arrow: Any, column: str, given: Any, kept: Any
) -> None:
    ours.write_parquet([vote(1, **{column: given})], tmp_path / "votes.parquet")
    assert arrow.read_table(tmp_path / "votes.parquet").to_pylist()[0][column] == kept


@pytest.mark.parametrize(
    ("column", "given", "wanted"),
    [("is_code", "maybe", "true or false"), ("evaluation_order", "2.5", "a whole number"),
     ("evaluation_order", True, "a whole number"), ("draw_probability", "nan", "a number"),
     ("draw_probability", [1], "a number"), ("evaluation_order", 10**40, "a whole number")],
)  # fmt: skip
def test_a_value_of_another_type_is_named_with_its_place_and_nothing_is_there(
    tmp_path: Path, arrow: Any, column: str, given: Any, wanted: str
) -> None:
    with pytest.raises(BadInput, match=f"vote 2, column {column}: .* must be {wanted} in Parquet"):
        write_votes([vote(1), vote(2, **{column: given})], tmp_path / "votes.parquet", "parquet")
    assert list(tmp_path.iterdir()) == []


def test_a_csv_of_the_public_arenas_shape_is_converted(tmp_path: Path, arrow: Any) -> None:
    source, path = tmp_path / "votes.csv", tmp_path / "votes.parquet"
    columns = [name for name in COLUMNS if name != "weight"]
    source.write_bytes(b"".join(csv_pieces([vote(n) for n in range(1, 4)], columns)))
    assert main(["convert", str(source), "--out", str(path)]) == 0
    rows = arrow.read_table(path).to_pylist()
    assert [(row["id"], row["evaluation_order"], row["is_code"]) for row in rows] == [
        ("b1", 1, False), ("b2", 2, True), ("b3", 3, False),
    ]  # fmt: skip
    assert {row["draw_probability"] for row in rows} == {1 / 12}
