"""Columns of a batch as numbers and codes, and single cells for messages."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import blake2b
from math import nan

import numpy as np

from ratings.data import Floats, Ints
from ratings.formats import number
from ratings.packed import LONG, Coder, Codes, Column, PackedCells
from ratings.rows import Batch

FEW = 1 << 16
"""Distinct numbers of a column that are remembered while it is read."""
MOST_CHARS = 200
"""Characters of a value that are kept; longer ones keep their beginning and a hash."""
KEPT_CHARS = 60


def only(batch: Batch, rows: Ints) -> Batch:
    """Some rows of a batch."""
    chosen = rows.tolist()

    def column(name: str) -> Column:
        cells = batch.column(name)
        if isinstance(cells, PackedCells):
            return PackedCells(cells.data, cells.start[rows], cells.length[rows])
        return [cells[row] for row in chosen]

    values = batch.values
    return Batch(
        batch.header, rows.size, column, lambda row: batch.line(chosen[row]), batch.first, batch.nested,
        None if values is None else lambda name: [values(name)[row] for row in chosen], batch.counted,
    )  # fmt: skip


def at(cells: Column, row: int) -> str:
    """One cell as text."""
    return cells.text(row) if isinstance(cells, PackedCells) else cells[row]


def cell(batch: Batch, column: str, row: int) -> str:
    """One cell of a batch as text."""
    return at(batch.column(column), row)


def blank_rows(cells: Column) -> Ints:
    """Rows whose cell holds nothing but spaces."""
    if isinstance(cells, PackedCells):
        return np.flatnonzero(cells.stripped().length == 0)
    return np.array([row for row, text in enumerate(cells) if not text.strip()], dtype=np.int64)


class Numbers:
    """Numbers of one column; each distinct text is parsed once while they are few."""

    def __init__(self, parse: Callable[[str], float]) -> None:
        self._parse = parse
        self._values: list[float] = []
        self._codes = Coder(self._code)

    def _code(self, text: str) -> int:
        value = self._parse(text.strip())
        if np.isnan(value):
            return -1
        self._values.append(value)
        return len(self._values) - 1

    def take(self, cells: Column) -> Floats:
        """The numbers of these cells, NaN where a cell holds none."""
        if len(self._values) > FEW:
            texts = cells.texts() if isinstance(cells, PackedCells) else cells
            return np.fromiter((self._parse(text.strip()) for text in texts), np.float64, len(texts))
        codes = self._codes.encode(cells)
        return np.array([*self._values, nan])[codes]


class Values:
    """Codes of one column of texts, by the order of their first row; blank is -1."""

    def __init__(self) -> None:
        self.values: dict[str, int] = {}
        self._codes = Coder(self._code)

    def _code(self, text: str) -> int:
        value = text.strip()
        return self.values.setdefault(value, len(self.values)) if value else -1

    def take(self, cells: Column) -> Codes:
        """The codes of these cells."""
        if not isinstance(cells, PackedCells):
            return self._codes.encode(list(map(short, cells)))
        return self._codes.encode(cells if cells.length.max(initial=0) <= LONG else list(map(short, cells.texts())))


def short(text: str) -> str:
    """A value as it is kept: the same for the same text, and never long."""
    if len(text) <= MOST_CHARS:
        return text
    digest = blake2b(text.strip().encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return f"{text.strip()[:KEPT_CHARS]}… {digest}"


def flag(text: str) -> float:
    """One of a one-hot group: 0, 1, true or false; NaN where it is no number."""
    return {"true": 1.0, "false": 0.0}.get(text.lower(), number(text))


def amount(text: str) -> float:
    """A style count: a number, or an object of counts as `{"h1": 2, "h2": 0}`, which is summed; NaN otherwise.

    Examples
    --------
    >>> amount("12"), amount('{"h1": 2, "h2": 1}'), amount("many")
    (12.0, 3.0, nan)
    """
    if not text.startswith("{"):
        return number(text)
    try:
        parts = json.loads(text)
    except (ValueError, RecursionError):
        return nan
    return float(sum(number(str(part)) for part in parts.values()))
