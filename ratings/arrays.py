"""Comparisons from columns of strings in memory, as a data frame holds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ratings.data import Comparisons, Ints, Outcome, comparisons
from ratings.errors import BadInput, SelfComparison, UnknownLabel

WORDS = {"model_a": Outcome.A, "model_b": Outcome.B, "tie": Outcome.TIE, "both_bad": Outcome.BOTH_BAD}


def from_columns(
    model_a: Iterable[str],
    model_b: Iterable[str],
    winner: Iterable[str],
    *,
    voter: Iterable[object] | None = None,
    weight: ArrayLike | None = None,
    labels: Mapping[str, str] | None = None,
) -> Comparisons:
    """Comparisons, names in order and voters by their first vote; one dictionary look-up a cell.

    Parameters
    ----------
    model_a, model_b, winner : iterable of str, length m
        Lists, arrays, or columns of a data frame. `winner` holds model_a, model_b, tie or both_bad.
    voter : iterable of hashables, length m, optional
    weight : array_like of float, shape (m,), optional
        Frequencies: 2.0 counts as two identical votes of that voter.
    labels : mapping of other outcomes to these four, optional
        Standard words stay understood beside them.

    Raises
    ------
    BadInput, UnknownLabel, SelfComparison
        With the row, counted from 0.

    Examples
    --------
    >>> data = from_columns(["x", "y"], ["y", "x"], ["model_a", "tie"], voter=["ann", "bob"])
    >>> data.names, data.outcome.tolist(), data.voter.tolist()
    (('x', 'y'), [0, 2], [0, 1])
    """
    words = dict[object, int](WORDS)
    for theirs, ours in (labels or {}).items():
        if ours not in WORDS:
            raise BadInput(f"labels: {theirs!r} cannot become {ours!r}; use {', '.join(WORDS)}.")
        words[theirs] = WORDS[ours]
    first, second, said = _cells(model_a), _cells(model_b), _cells(winner)
    if not len(first) == len(second) == len(said):
        raise BadInput("model_a, model_b and winner must have one length.")
    known = {*first, *second}
    if wrong := [name for name in known if not isinstance(name, str) or not name]:
        raise BadInput(f"{wrong[0]!r} is no name of a competitor: names are text, and not empty.")
    names = sorted(map(str, known))
    place: dict[object, int] = {name: number for number, name in enumerate(names)}
    try:
        outcome = _codes(said, words)
    except KeyError:
        row = next(row for row, word in enumerate(said) if word not in words)
        raise UnknownLabel(str(said[row]), tuple(WORDS), column=f"winner, row {row}") from None
    a, b = _codes(first, place), _codes(second, place)
    if same := np.flatnonzero(a == b)[:1].tolist():
        raise SelfComparison(names[a[same[0]]], column=f"model_b, row {same[0]}")
    return comparisons(names, a, b, outcome, voter=None if voter is None else _by_first(voter), weight=weight)


def _cells(column: Iterable[object]) -> list[object]:
    """A list, which numpy and pandas make in one go."""
    to_list = getattr(column, "tolist", None)
    return to_list() if to_list else list(column)


def _codes(cells: list[object], places: Mapping[Any, int]) -> Ints:
    return np.fromiter(map(places.__getitem__, cells), np.int64, len(cells))


def _by_first(column: Iterable[object]) -> Ints:
    cells = _cells(column)
    return _codes(cells, {value: number for number, value in enumerate(dict.fromkeys(cells))})
