"""Rows of a vote file in batches: columns by name, and the line of each row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ratings.packed import Column

BATCH = 1 << 14
"""Most rows that are held at once as Python objects; fewer where rows are long."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a file.

    Attributes
    ----------
    header : tuple of str
        Names of the columns; for JSON the keys of the first rows.
    size : int
        Rows.
    column : callable
        The cells of one column as text, by its name.
    line : callable
        The line on which a row begins, from 1.
    first : int
        Rows of the file before this batch.
    nested : tuple of str
        Dotted names of what JSON holds in objects, as `conv_metadata.turns`.
    values : callable or None
        The values of one column as JSON holds them; None for CSV.
    counted : bool
        Rows are told by their number beside their line, for many may share one.
    """

    header: tuple[str, ...]
    size: int
    column: Callable[[str], Column]
    line: Callable[[int], int]
    first: int = 0
    nested: tuple[str, ...] = ()
    values: Callable[[str], list[Any]] | None = None
    counted: bool = False

    def has(self, name: str) -> bool:
        """Is there a column, or a nested value, of this name?"""
        return name in self.header or name in self.nested
