"""Read a CSV or JSONL file into rows that remember their line, and gather everything that is wrong with it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Python refuses CSV cells over 128 kB, which a long answer may pass.
csv.field_size_limit(10_000_000)
SHOWN = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and where; `says` ends with what to do."""

    file: str
    line: int
    column: str
    value: str
    says: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        column = f", column {self.column}" if self.column else ""
        value = f": {_shortened(self.value)!r}" if self.value else ""
        return f"{place}{column}{value}: {self.says}"


class ImportRefused(Exception):
    """A file was not imported, not even in part. Carries all of its problems at once."""

    def __init__(self, problems: Collection[Problem]) -> None:
        self.problems = tuple(problems)
        lines = "\n".join(f"  {problem}" for problem in self.problems[:100])
        more = f"\n  and {len(self.problems) - 100} more" if len(self.problems) > 100 else ""
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        super().__init__(f"Nothing was imported: {count}.\n{lines}{more}")


@dataclass(slots=True)
class Row:
    """One record with the line it begins on."""

    line: int
    values: Mapping[str, Any]


@dataclass(slots=True)
class Table:
    """The rows of one file and what was found wrong with them so far."""

    file: str
    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, line: int, column: str, value: object, says: str) -> None:
        self.problems.append(Problem(self.file, line, column, "" if value is None else str(value), says))

    def columns(self) -> list[str]:
        return list(dict.fromkeys(name for row in self.rows for name in row.values))

    def text(self, row: Row, *names: str, required: bool = False, longest: int | None = None) -> str:
        """The first of these columns that is filled, as text; refused when missing, of another type or too long."""
        for name in names:
            value = row.values.get(name)
            if value is None or value == "":
                continue
            if isinstance(value, int) and not isinstance(value, bool):
                value = str(value)
            if not isinstance(value, str):
                self.refuse(row.line, name, value, "is not text. Write a string.")
                return ""
            if not value.strip():
                continue
            if "\x00" in value or any("\ud800" <= sign <= "\udfff" for sign in value):
                self.refuse(
                    row.line, name, ascii(value), "holds characters no database keeps. Remove NUL and surrogates."
                )
                return ""
            if longest is not None and len(value) > longest:
                self.refuse(row.line, name, value, f"has {len(value)} characters. Use at most {longest}.")
            return value
        if required:
            self.refuse(row.line, " or ".join(names), None, "is empty. Fill it in.")
        return ""

    def number(self, row: Row, name: str) -> float | None:
        """A number of at least 0, or None where the cell is empty."""
        value = row.values.get(name)
        if value is None or value == "":
            return None
        try:
            number = float(value) if not isinstance(value, bool) else -1.0
        except (TypeError, ValueError):
            number = -1.0
        if not 0 <= number < 1e12:  # false for NaN too
            self.refuse(row.line, name, value, "is not a number of at least 0.")
            return None
        return number

    def whole(self, row: Row, name: str) -> int | None:
        """A whole number of at least 0, or None where the cell is empty."""
        number = self.number(row, name)
        if number is not None and (number != int(number) or number > 2**31 - 1):
            self.refuse(row.line, name, row.values.get(name), "is not a whole number below 2,147,483,648.")
            return None
        return None if number is None else int(number)


def read_table(path: Path) -> Table:
    """Read a .csv or .jsonl file. Raises ImportRefused when it is no such file at all; else problems are gathered."""
    table = Table(path.name)
    readers = {".csv": _csv_rows, ".jsonl": _jsonl_rows, ".ndjson": _jsonl_rows}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise ImportRefused([Problem(path.name, 0, "", path.suffix, "is no known ending. Use .jsonl or .csv.")])
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        says = f"cannot be read ({error.strerror}). Check the path."
        raise ImportRefused([Problem(str(path), 0, "", "", says)]) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        bad = error.object[error.start : error.end].hex(" ")
        raise ImportRefused([Problem(path.name, line, "", bad, "is not UTF-8. Save the file as UTF-8.")]) from None
    table.rows.extend(reader(text, table))
    if not table.rows and not table.problems:
        table.refuse(0, "", None, "holds no rows. Check that it is the right file.")
    return table


def _jsonl_rows(text: str, table: Table) -> Iterator[Row]:
    # Not splitlines(): it also splits at U+2028, which may stand unescaped inside a JSON string.
    for line, raw in enumerate(text.split("\n"), start=1):
        if not raw.strip():
            continue
        try:
            values = json.loads(raw)
        except (ValueError, RecursionError) as error:
            says = f"is no JSON ({getattr(error, 'msg', error)}). Is the line cut off?"
            table.refuse(line, "", raw, says)
            continue
        if not isinstance(values, dict):
            table.refuse(line, "", raw, "is not an object. Write one JSON object a line.")
            continue
        yield Row(line, values)


def _csv_rows(text: str, table: Table) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    while True:
        line = reader.line_num + 1  # a quoted cell may span lines: a record is named by its first
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            table.refuse(line, "", None, f"is no CSV ({error}). Is a quotation mark open, or the file cut off?")
            return
        if not cells:
            continue
        if not header:
            header = [name.strip() for name in cells]
            _check_header(header, line, table)
        elif len(cells) != len(header):
            says = (
                f"has {len(cells)} cells where the header has {len(header)}. Is the line cut off, or a quote missing?"
            )
            table.refuse(line, "", ",".join(cells), says)
        else:
            yield Row(line, dict(zip(header, cells, strict=True)))


def _check_header(header: list[str], line: int, table: Table) -> None:
    for position, name in enumerate(header, start=1):
        if not name:
            table.refuse(line, str(position), None, "has no name. Name every column in the first line.")
        elif header.index(name) + 1 != position:
            table.refuse(line, name, None, "is there twice. Keep one of them.")


def _shortened(value: str) -> str:
    return value if len(value) <= SHOWN else value[: SHOWN - 1] + "…"
