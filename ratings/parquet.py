"""Votes as Parquet, where the package pyarrow is installed: the columns of `writers`, typed, a row group at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from math import isfinite
from pathlib import Path
from typing import Any

from ratings.errors import BadInput, quoted
from ratings.writers import OURS, PUBLIC, VoteRow, as_cell

ROW_GROUP = 5_000
"""Rows that are held at once, at most."""
GROUP_CHARS = 16_000_000
"""Characters that are held at once, about: conversations are long."""
TRUTH = {"true": True, "false": False, "1": True, "0": False}
"""A truth value as files of others spell it, in lower case."""
WHOLE, NUMBER, YES_NO = "int64", "float64", "bool_"
KINDS = {"evaluation_order": WHOLE, "is_code": YES_NO, "rated": YES_NO, "draw_probability": NUMBER, "weight": NUMBER}
"""Columns that are no text, and the pyarrow function that makes their type."""


def write_parquet(rows: Iterable[VoteRow], path: Path, columns: Sequence[str] = (*PUBLIC, *OURS)) -> int:
    """Row groups of votes, compressed; lists and objects as JSON text, unknown as null. Says how many rows.

    Parameters
    ----------
    rows : iterable of mapping
        By the names of `writers.PUBLIC` and `writers.OURS`; never all held.
    path : Path
        Written over.
    columns : sequence of str
        Those that are written, in this order.

    Returns
    -------
    int

    Raises
    ------
    BadInput
        pyarrow is not there, or a value does not fit its column's type.
    """
    pyarrow, parquet = arrow()
    types = [(name, getattr(pyarrow, KINDS.get(name, "string"))()) for name in columns]
    schema, count = pyarrow.schema(types), 0
    with parquet.ParquetWriter(str(path), schema) as writer:
        for group in _groups(rows, columns, first=1):
            writer.write_table(pyarrow.Table.from_pydict(group, schema=schema))
            count += len(group[columns[0]])
    return count


def arrow() -> tuple[Any, Any]:
    """The package, and its module for Parquet. Raises BadInput where it is not installed."""
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise BadInput("Parquet needs the package pyarrow, which is not installed: take csv or jsonl.") from None


def _groups(rows: Iterable[VoteRow], columns: Sequence[str], *, first: int) -> Iterator[dict[str, list[Any]]]:
    """Columns of a few thousand rows, fewer where they are long; `first` is the number of the first row."""
    held: dict[str, list[Any]] = {name: [] for name in columns}
    size = 0
    for number, row in enumerate(rows, first):
        for name in columns:
            value = _typed(row.get(name), name, number)
            held[name].append(value)
            size += len(value) if isinstance(value, str) else 1
        if size > GROUP_CHARS or len(held[columns[0]]) == ROW_GROUP:
            yield held
            held, size = {name: [] for name in columns}, 0
    if held[columns[0]]:
        yield held


def _typed(value: Any, column: str, number: int) -> Any:
    """A value as its column's type has it, from whatever a file had. Raises BadInput."""
    kind = KINDS.get(column)
    if value is None or (kind is not None and value == ""):
        return None
    if kind is None:
        text = value if isinstance(value, str) else as_cell(value)
        # Half a character, which JSON may hold and UTF-8 may not, as its escape.
        return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
    found = _truth(value) if kind == YES_NO else _number(value, whole=kind == WHOLE)
    if found is None:
        wanted = {YES_NO: "true or false", WHOLE: "a whole number", NUMBER: "a number"}[kind]
        raise BadInput(f"{quoted(str(value))} must be {wanted} in Parquet.", item=number, column=column)
    return found


def _truth(value: Any) -> bool | None:
    return value if isinstance(value, bool) else TRUTH.get(str(value).strip().lower())


def _number(value: Any, *, whole: bool) -> int | float | None:
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    if not isfinite(found) or isinstance(value, bool):
        return None
    if not whole:
        return found
    return int(found) if found.is_integer() and abs(found) < 2**53 else None
