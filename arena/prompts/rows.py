"""Rows that remember where they stand in which file, and everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

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
    """One record with the line it begins on; `names` are its columns' names in the file where they differ."""

    line: int
    values: Mapping[str, Any]
    file: str = ""
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Table:
    """The rows of one import, what is wrong with them so far, and what the reader should know of how they were read."""

    file: str
    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def refuse(self, where: Row | int, column: str, value: object, says: str) -> None:
        """Remember a problem with a row, or with a line of the file; line 0 is the file as a whole."""
        file, line = self.file, where if isinstance(where, int) else where.line
        if isinstance(where, Row):
            file = where.file or self.file
            column = " or ".join(where.names.get(name, name) for name in column.split(" or "))
        problem = Problem(file, line, column, "" if value is None else str(value), says)
        if self.problems[-1:] != [problem]:  # a row of several answers is read once for each
            self.problems.append(problem)

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
                self.refuse(row, name, value, "is not text. Write a string.")
                return ""
            if not value.strip():
                continue
            if not is_storable(value):
                self.refuse(row, name, ascii(value), "holds characters no database keeps. Remove NUL and surrogates.")
                return ""
            if longest is not None and len(value) > longest:
                self.refuse(row, name, value, f"has {len(value)} characters. Use at most {longest}.")
            return value
        if required:
            self.refuse(row, " or ".join(names), None, "is empty. Fill it in.")
        return ""

    def number(self, row: Row, name: str) -> float | None:
        """A number of at least 0, or None where the cell is empty."""
        value = row.values.get(name)
        if value is None or value == "":
            return None
        try:
            number = float(value) if not isinstance(value, bool) else -1.0
        except (TypeError, ValueError, OverflowError):
            number = -1.0
        if not 0 <= number < 1e12:  # false for NaN too
            self.refuse(row, name, value, "is not a number of at least 0.")
            return None
        return number

    def whole(self, row: Row, name: str) -> int | None:
        """A whole number of at least 0, or None where the cell is empty."""
        number = self.number(row, name)
        if number is not None and (number != int(number) or number > 2**31 - 1):
            self.refuse(row, name, row.values.get(name), "is not a whole number below 2,147,483,648.")
            return None
        return None if number is None else int(number)

    def moment(self, row: Row, name: str) -> datetime | None:
        """A date and time, or a date; without a zone it is UTC. A number is seconds since 1970."""
        if isinstance(row.values.get(name), float):
            return self._of_epoch(row, name)
        raw = self.text(row, name)
        if not raw:
            return None
        try:
            found = parse_datetime(raw) or parse_date(raw)
        except ValueError:
            found = None
        if found is None:
            self.refuse(row, name, raw, _("is no date and time. Write 2026-11-24T12:00:00Z."))
            return None
        if not isinstance(found, datetime):
            found = datetime(found.year, found.month, found.day)
        try:
            return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
        except OverflowError:  # the first or last day there is, in another zone
            self.refuse(row, name, raw, _("is no date and time. Write 2026-11-24T12:00:00Z."))
            return None

    def _of_epoch(self, row: Row, name: str) -> datetime | None:
        seconds = self.number(row, name)
        try:
            return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
        except (ValueError, OverflowError, OSError):  # a year that no calendar has
            self.refuse(row, name, row.values[name], _("is no date and time. Write 2026-11-24T12:00:00Z."))
            return None


def is_storable(text: str) -> bool:
    """Whether every database keeps this text, and every page can show it."""
    return "\x00" not in text and (text.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in text))


def _shortened(value: str) -> str:
    return value if len(value) <= SHOWN else value[: SHOWN - 1] + "…"
