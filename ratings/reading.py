"""Votes from files: the public formats by their own words, any other through --columns and --labels.

Nothing is guessed: an unknown outcome, a missing column, a duplicate or a self-comparison is an error with its place.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from ratings.data import Comparisons, Outcome, comparisons
from ratings.errors import BadInput, DuplicateVote, SelfComparison, UnknownLabel

MAX_LINE = 50_000_000
ALIASES = {
    "model_a": ("model_a", "left", "model_x"),
    "model_b": ("model_b", "right", "model_y"),
    "winner": ("winner",),
    "id": ("id", "question_id"),
    "voter": ("voter", "judge", "judge_hash", "evaluator", "worker", "user"),
    "weight": ("weight",),
    "wins_a": ("wins_a",),
    "wins_b": ("wins_b",),
    "ties": ("ties",),
}
LABELS = {
    "model_a": Outcome.A, "a": Outcome.A, "left": Outcome.A, "model_b": Outcome.B, "b": Outcome.B, "right": Outcome.B,
    "tie": Outcome.TIE, "draw": Outcome.TIE, "both_bad": Outcome.BOTH_BAD, "tie (bothbad)": Outcome.BOTH_BAD,
    "bothbad": Outcome.BOTH_BAD,
}  # fmt: skip
ALLOWED = ("model_a", "model_b", "tie", "both_bad")
ONE_HOT = ("winner_model_a", "winner_model_b", "winner_tie")


@dataclass(slots=True)
class _Rows:
    """Columns as they fill."""

    names: dict[str, int] = field(default_factory=dict)
    voters: dict[str, int] = field(default_factory=dict)
    seen: dict[tuple[str, str], int] = field(default_factory=dict)
    a: list[int] = field(default_factory=list)
    b: list[int] = field(default_factory=list)
    outcome: list[int] = field(default_factory=list)
    weight: list[float] = field(default_factory=list)
    voter: list[int] = field(default_factory=list)


def read_votes(
    path: str, *, columns: Mapping[str, str] | None = None, labels: Mapping[str, str] | None = None
) -> Comparisons:
    """Comparisons from `.csv`, `.csv.gz`, `.jsonl`, `.json`, or `-` for CSV on standard input.

    Parameters
    ----------
    columns : mapping of the file's column names to ours, optional
    labels : mapping of the file's outcomes to ours, optional
        Standard words stay understood beside them.

    Raises
    ------
    BadInput, UnknownLabel, SelfComparison, DuplicateVote
        With file, line (from 1, the header), column and value.
    """
    words = {**LABELS}
    for theirs, ours in (labels or {}).items():
        if ours not in LABELS:
            raise BadInput(f"--labels {theirs}={ours}: {ours!r} is not an outcome; use {', '.join(ALLOWED)}.")
        words[theirs.strip().lower()] = LABELS[ours]
    rows = _Rows()
    read = _json_rows if path.endswith((".json", ".jsonl", ".jsonl.gz", ".json.gz")) else _csv_rows
    where: dict[str, str] | None = None
    try:
        with _open(path) as file:
            for line, row in read(file, path):
                if where is None:
                    where = _columns(list(row), columns or {}, path)
                _add(rows, row, where, words, path, line)
    except UnicodeDecodeError as error:
        raise BadInput(f"byte {error.start} is not UTF-8: save the file as UTF-8.", file=path) from None
    except (EOFError, gzip.BadGzipFile, OSError) as error:
        raise BadInput(f"cannot be read: {error}", file=path) from None
    names = sorted(rows.names, key=lambda name: name)
    order = {rows.names[name]: place for place, name in enumerate(names)}
    return comparisons(
        names, [order[i] for i in rows.a], [order[i] for i in rows.b], rows.outcome,
        weight=rows.weight, voter=rows.voter if where and "voter" in where else None,
    )  # fmt: skip


def _open(path: str) -> TextIO:
    if path == "-":
        return io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8-sig", newline="")
    if path.endswith(".gz"):
        return io.TextIOWrapper(gzip.open(path), encoding="utf-8-sig", newline="")
    return Path(path).open(encoding="utf-8-sig", newline="")


def _csv_rows(file: TextIO, path: str) -> Iterator[tuple[int, dict[str, Any]]]:
    csv.field_size_limit(MAX_LINE)
    reader = csv.reader(file)
    try:
        header = next(reader, None)
        if header is None:
            return
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                raise BadInput(f"has {len(row)} cells; the header has {len(header)}.", file=path, line=reader.line_num)
            yield reader.line_num, dict(zip(header, row, strict=True))
    except csv.Error as error:
        raise BadInput(f"is not CSV: {error}", file=path, line=reader.line_num) from None


def _json_rows(file: TextIO, path: str) -> Iterator[tuple[int, dict[str, Any]]]:
    lines = ".jsonl" in path
    source: Iterator[tuple[int, Any]]
    if lines:
        source = ((number, text) for number, text in enumerate(file, 1) if text.strip())
    else:
        try:
            body = json.load(file)
        except json.JSONDecodeError as error:
            raise BadInput(f"is not JSON: {error.msg}", file=path, line=error.lineno) from None
        if not isinstance(body, list):
            raise BadInput("must hold a list of votes.", file=path)
        source = enumerate(body, 1)
    for number, item in source:
        if lines:
            try:
                item = json.loads(item)
            except json.JSONDecodeError as error:
                raise BadInput(f"is not JSON: {error.msg}", file=path, line=number) from None
        if not isinstance(item, dict):
            raise BadInput("is not an object.", file=path, line=number)
        yield number, item


def _columns(found: Sequence[str], given: Mapping[str, str], path: str) -> dict[str, str]:
    """Ours to theirs. `--columns theirs=ours` wins over the aliases."""
    where: dict[str, str] = {}
    for theirs, ours in given.items():
        if theirs not in found:
            raise BadInput(
                f"--columns {theirs}={ours}: the file has no column {theirs!r}; it has {', '.join(found)}.", file=path
            )
        where[ours] = theirs
    for ours, aliases in ALIASES.items():
        if ours not in where:
            match = next((alias for alias in aliases if alias in found), None)
            if match is not None:
                where[ours] = match
    if all(name in found for name in ONE_HOT):
        where["winner"] = ""
    needed = ("model_a", "model_b") + (() if "wins_a" in where else ("winner",))
    missing = [name for name in needed if name not in where]
    if missing:
        raise BadInput(
            f"has no column {', '.join(missing)}; it has {', '.join(found)}. "
            f"Name yours with --columns theirs={missing[0]}.",
            file=path, line=1,
        )  # fmt: skip
    return where


def _add(
    rows: _Rows, row: dict[str, Any], where: dict[str, str], words: Mapping[str, Outcome], path: str, line: int
) -> None:
    if str(row.get("anony", "")).lower() == "false":
        return
    a, b = (_name(row.get(where[side]), where[side], path, line) for side in ("model_a", "model_b"))
    if a == b:
        raise SelfComparison(a, file=path, line=line)
    codes = [rows.names.setdefault(name, len(rows.names)) for name in (a, b)]
    voter = str(row.get(where["voter"], "")) if "voter" in where else ""
    code = rows.voters.setdefault(voter, len(rows.voters))
    if "wins_a" in where:
        for column, outcome in (("wins_a", Outcome.A), ("wins_b", Outcome.B), ("ties", Outcome.TIE)):
            count = _number(row.get(where[column]), where[column], path, line) if column in where else 0.0
            _append(rows, codes, outcome, count, code)
        return
    if "id" in where:
        key = (str(row.get(where["id"])), voter)
        if key in rows.seen:
            said = f"{key[0]} by {voter}" if voter else key[0]
            raise DuplicateVote(said, rows.seen[key], line, file=path)
        rows.seen[key] = line
    weight = _number(row.get(where["weight"]), where["weight"], path, line) if "weight" in where else 1.0
    _append(rows, codes, _outcome(row, where, words, path, line), weight, code)


def _append(rows: _Rows, codes: list[int], outcome: Outcome, weight: float, voter: int) -> None:
    rows.a.append(codes[0])
    rows.b.append(codes[1])
    rows.outcome.append(int(outcome))
    rows.weight.append(weight)
    rows.voter.append(voter)


def _outcome(row: dict[str, Any], where: dict[str, str], words: Mapping[str, Outcome], path: str, line: int) -> Outcome:
    if where["winner"]:
        value = str(row.get(where["winner"], ""))
        try:
            return words[value.strip().lower()]
        except KeyError:
            raise UnknownLabel(value, ALLOWED, file=path, line=line, column=where["winner"]) from None
    hot = [_number(row.get(name), name, path, line) for name in ONE_HOT]
    if sorted(hot) != [0.0, 0.0, 1.0]:
        raise BadInput(f"{dict(zip(ONE_HOT, hot, strict=True))} must hold exactly one 1.", file=path, line=line)
    return (Outcome.A, Outcome.B, Outcome.TIE)[hot.index(1.0)]


def _name(value: Any, column: str, path: str, line: int) -> str:
    name = "" if value is None else str(value).strip()
    if not name:
        raise BadInput("the name is empty.", file=path, line=line, column=column)
    return name


def _number(value: Any, column: str, path: str, line: int) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1.0
    if not 0 <= number < 1e15:
        raise BadInput(f"{value!r} must be a number, zero or more.", file=path, line=line, column=column)
    return number
