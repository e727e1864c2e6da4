"""Large files: two ways of splitting CSV that agree, duplicates found in a few bytes a row, bounded memory."""

from __future__ import annotations

import csv
import io
import tracemalloc
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratings import packed, sources
from ratings.csv_rows import csv_batches
from ratings.data import Ints
from ratings.duplicates import Keys
from ratings.errors import BadInput, DuplicateVote
from ratings.packed import Coder, PackedCells, hashes, pack, split
from ratings.reading import read_table

HEADER = ("model_a", "model_b", "winner", "id")
CELLS = st.text(st.sampled_from('ab ä模\u2028\x1c,"\n\r'), max_size=12)

WRITTEN = CELLS.map(lambda text: text.replace("\r", ""))
"""What `csv.writer` quotes in every version where it must."""


def write(folder: Path, lines: Iterator[str], name: str = "votes.csv") -> str:
    with (folder / name).open("w", encoding="utf-8", newline="") as file:
        file.writelines(lines)
    return str(folder / name)


def votes(rows: int, *, seed: int = 0) -> Iterator[str]:
    """Rows of 40 competitors and a hundredth as many voters; ids of 32 characters."""
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 40, rows)
    b = (a + rng.integers(1, 40, rows)) % 40
    columns = (a, b, rng.integers(0, 3, rows), rng.integers(0, rows // 100, rows))
    yield "question_id,model_a,model_b,winner,judge\n"
    for k, (x, y, o, v) in enumerate(zip(*columns, strict=True)):
        word = ("left", "right", "tie")[o]
        yield f"{k:032x},vendor/model-{x:03d}-instruct,vendor/model-{y:03d}-instruct,{word},j{v}\n"


@settings(max_examples=150, deadline=None)
@given(rows=st.lists(st.lists(CELLS, min_size=2, max_size=4), max_size=8), end=st.sampled_from(["\n", "\r\n"]))
def test_splitting_by_bytes_is_the_csv_module_or_nothing(rows: list[list[str]], end: str) -> None:
    """Whatever is split without the `csv` module is split as by it."""
    text = "".join(",".join(row) + end for row in rows)
    cells = split(text.encode(), 3)
    if cells is None:
        return
    expected = list(csv.reader(io.StringIO(text, newline="\n")))
    assert [list(row) for row in zip(*(column.texts() for column in cells), strict=True)] == expected


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(st.tuples(WRITTEN, WRITTEN), min_size=1, max_size=8), block=st.integers(3, 40))
def test_rows_and_their_lines_are_right_wherever_blocks_end(rows: list[tuple[str, str]], block: int) -> None:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    starts = []
    writer.writerow(("one", "two"))
    for row in rows:
        starts.append(out.getvalue().count("\n") + 1)
        writer.writerow(row)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "BLOCK", block)
        found, lines = [], []
        for batch in csv_batches(io.BytesIO(out.getvalue().encode()), "-"):
            one, two = (column if isinstance(column, list) else column.texts()
                        for column in map(batch.column, ("one", "two")))  # fmt: skip
            found += list(zip(one, two, strict=True))
            lines += [batch.line(row) for row in range(batch.size)]
    assert found == rows
    assert lines == starts


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(st.sampled_from("abcü"), max_size=30), min_size=1, max_size=40))
def test_codes_are_those_of_a_dictionary(texts: list[str]) -> None:
    plain: dict[str, int] = {}
    expected = [plain.setdefault(text, len(plain)) for text in texts]
    for column in (texts, pack(texts)):
        known: dict[str, int] = {}
        coder = Coder(lambda text, known=known: known.setdefault(text, len(known)))
        half = len(texts) // 2
        parts = (column[:half], column[half:]) if isinstance(column, list) else (
            PackedCells(column.data, column.start[:half], column.length[:half]),
            PackedCells(column.data, column.start[half:], column.length[half:]),
        )  # fmt: skip
        assert np.concatenate([coder.encode(part) for part in parts]).tolist() == expected


def test_two_texts_of_one_hash_keep_their_own_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "mixed", lambda state, word: state * np.uint64(0) + word * np.uint64(0))
    known: dict[str, int] = {}
    coder = Coder(lambda text: known.setdefault(text, len(known)))
    cells = pack(["x", "y", "x", "z", "y"])
    assert [coder.encode(cells).tolist() for _ in range(2)] == [[0, 1, 0, 2, 1]] * 2


def test_hashes_do_not_depend_on_how_a_cell_was_read() -> None:
    texts = ["", "a", "12345678", "123456789", "ü" * 40, " 1 ", "1"]
    alone = np.concatenate([hashes(pack([text])) for text in texts])
    np.testing.assert_array_equal(hashes(pack(texts)), alone)
    np.testing.assert_array_equal(hashes(texts), alone)
    assert np.unique(alone).size == len(texts) - 1  # " 1 " is 1


def keys_of(values: list[int], voters: list[int] | None = None) -> Keys:
    keys = Keys()
    for first in range(0, len(values), 3):
        part = np.array(values[first : first + 3], dtype=np.uint64)
        keys.add(part, None if voters is None else np.array(voters[first : first + 3]), np.zeros(0, np.int64))
    return keys


def test_a_shared_hash_alone_refuses_nobody() -> None:
    """Rows 1 and 4 share a hash and are not the same; rows 2 and 5 are."""
    asked: list[list[int]] = []

    def look(rows: Ints) -> Mapping[int, object]:
        asked.append(rows.tolist())
        return {1: "p", 4: "q", 2: "r", 5: "r"}

    assert keys_of([7, 8, 9, 6, 8, 9]).first_repeat(look) == (2, 5)
    assert asked == [[1, 2, 4, 5]]
    assert keys_of([7, 8, 9, 6, 8]).first_repeat(lambda rows: {1: "p", 4: "q"}) is None


def test_the_first_repetition_in_the_file_is_named_however_many_there_are() -> None:
    values = [5, 1, 2, 3, 3, 2, 1, 5] * 200
    assert keys_of(values).first_repeat(lambda rows: {row: values[row] for row in rows.tolist()}) == (3, 4)


def test_many_keys_of_one_hash_are_all_looked_at() -> None:
    names = [*map(str, range(150)), "149"]
    look = dict(enumerate(names))
    found = keys_of([4] * len(names)).first_repeat(lambda rows: {row: look[row] for row in rows.tolist()})
    assert found == (149, 150)


def test_one_voter_may_judge_what_another_did() -> None:
    assert keys_of([1, 1, 1], [0, 1, 2]).first_repeat(lambda rows: {}) is None


def test_a_duplicate_far_away_in_a_large_file_is_named_with_both_lines(tmp_path: Path) -> None:
    lines = list(votes(60_000))
    lines.append(lines[12_345])
    with pytest.raises(DuplicateVote, match="stands on line 12346 and again on line 60002"):
        read_table(write(tmp_path, iter(lines)))


def test_mistakes_far_down_have_their_line_whether_quoted_or_not(tmp_path: Path) -> None:
    lines = list(votes(150_000))
    lines[140_000] = (
        lines[140_000].replace("vendor/", "").replace("tie", "left").replace("left", "lft").replace("right", "lft")
    )
    for quoted in (False, True):
        if quoted:
            lines[70_000] = lines[70_000].replace("vendor/", '"vendor/', 1).replace("-instruct", '-instruct"', 1)
        with pytest.raises(BadInput, match="line 140001, column winner: 'lft'"):
            read_table(write(tmp_path, iter(lines)))


def test_quotes_anywhere_change_nothing_but_the_way(tmp_path: Path) -> None:
    lines = list(votes(80_000))
    plain = read_table(write(tmp_path, iter(lines)))
    lines[60_000] = lines[60_000].replace("left", '"left"').replace("right", '"right"').replace("tie", '"tie"')
    quoted = read_table(write(tmp_path, iter(lines)))
    assert (plain.names, plain.voters) == (quoted.names, quoted.voters)
    for column in ("a", "b", "outcome", "voter"):
        np.testing.assert_array_equal(getattr(plain, column), getattr(quoted, column))


def test_a_row_costs_few_bytes(tmp_path: Path) -> None:
    """13 bytes of columns, 8 of a hashed id and 8 of its sorted copy; the rest is what 4 MB blocks need, the same for
    any file. So the difference of two sizes is measured: at most 48 bytes a row, where a dictionary takes over 200."""
    peaks = []
    for rows in (200_000, 600_000):
        path = write(tmp_path, votes(rows))
        tracemalloc.start()
        file = read_table(path)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert file.a.size == rows
        held = sum(column.nbytes for column in (file.a, file.b, file.outcome, file.voter))
        assert held == 13 * rows
    assert (peaks[1] - peaks[0]) / 400_000 <= 48
