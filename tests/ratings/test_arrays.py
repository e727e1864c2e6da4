"""Columns of strings become comparisons, or an error with the row."""

from __future__ import annotations

import numpy as np
import pytest

from ratings import BadInput, SelfComparison, UnknownLabel
from ratings.arrays import from_columns
from ratings.reading import read_votes

ROWS = [
    ("b", "a", "model_a", "ann"),
    ("a", "c", "tie", "bob"),
    ("c", "b", "both_bad", "ann"),
    ("a", "b", "model_b", "eve"),
]


@pytest.mark.parametrize("kind", [list, tuple, np.array, lambda column: np.array(column, dtype=object)])
def test_columns_read_like_the_same_file(kind: type, tmp_path: object) -> None:
    a, b, winner, voter = (kind(column) for column in zip(*ROWS, strict=True))
    data = from_columns(a, b, winner, voter=voter)
    path = f"{tmp_path}/votes.csv"
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(["model_a,model_b,winner,voter", *map(",".join, ROWS)]) + "\n")
    same = read_votes(path)
    assert data.names == same.names == ("a", "b", "c")
    for ours, theirs in ((data.a, same.a), (data.b, same.b), (data.outcome, same.outcome), (data.voter, same.voter)):
        assert np.array_equal(ours, theirs)


def test_weights_and_other_words_are_taken() -> None:
    data = from_columns(["x"], ["y"], ["win"], weight=[2.5], labels={"win": "model_a"})
    assert data.votes == 2.5
    assert data.voter is None


def test_no_rows_are_no_comparisons() -> None:
    assert from_columns([], [], []).a.size == 0


def test_an_unknown_word_is_named_with_its_row_and_is_no_tie() -> None:
    with pytest.raises(UnknownLabel, match=r"row 1.*'modle_a'"):
        from_columns(["x", "x"], ["y", "y"], ["tie", "modle_a"])


def test_a_competitor_against_itself_is_named_with_its_row() -> None:
    with pytest.raises(SelfComparison, match=r"row 1.*'y'"):
        from_columns(["x", "y"], ["y", "y"], ["tie", "tie"])


@pytest.mark.parametrize("name", [None, "", float("nan"), 7])
def test_a_name_that_is_no_text_is_refused(name: object) -> None:
    with pytest.raises(BadInput, match="no name of a competitor"):
        from_columns(["x", name], ["y", "y"], ["tie", "tie"])  # type: ignore[list-item]


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(BadInput, match="one length"):
        from_columns(["x"], ["y", "z"], ["tie"])


def test_a_translation_into_an_unknown_word_is_refused() -> None:
    with pytest.raises(BadInput, match="cannot become"):
        from_columns(["x"], ["y"], ["tie"], labels={"win": "won"})
