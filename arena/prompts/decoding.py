"""Bytes to rows: encoding, form and delimiter are recognised, and what cannot be read is said with its line."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

from arena.prompts.rows import ImportRefused, Problem, Row, Table, is_storable

# Python refuses CSV cells over 128 kB, which a long answer may pass.
csv.field_size_limit(10_000_000)
LARGEST = 20_000_000
"""Bytes of one import. More is imported in parts."""
ENCODINGS = ("utf-8", "windows-1252", "utf-16")
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".json")
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
OTHER_FORMATS = ((b"PK\x03\x04", "a spreadsheet or an archive"), (b"%PDF", "a PDF"), (b"\x1f\x8b", "compressed"))
SNIFFED = 50
"""Records by which the delimiter is told."""


@dataclass(frozen=True, slots=True)
class File:
    """What somebody sent: a name and bytes."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Reading:
    """How files are read. Empty means: told from the content; `guess` allows an encoding that only seems to fit."""

    encoding: str = ""
    delimiter: str = ""
    guess: bool = False


def read_table(path: Path) -> Table:
    """Read one file of a known ending. Raises ImportRefused when it is no such file; else problems are gathered."""
    if path.suffix.lower() not in ENDINGS:
        says = f"is no known ending. Use {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}."
        raise ImportRefused([Problem(path.name, 0, "", path.suffix, says)])
    try:
        content = path.read_bytes()
    except OSError as error:
        says = f"cannot be read ({error.strerror}). Check the path."
        raise ImportRefused([Problem(str(path), 0, "", "", says)]) from None
    return read_files([File(path.name, content)])


def read_files(files: Sequence[File], reading: Reading | None = None) -> Table:
    """The rows of all files, in their order. Raises ImportRefused where one is no such file at all."""
    reading = reading or Reading()
    table = Table(files[0].name if files else "")
    refused: list[Problem] = []
    for file in files:
        try:
            part = _read(file, reading)
        except ImportRefused as error:
            refused += error.problems
            continue
        table.rows += part.rows
        table.problems += part.problems
        table.notes += part.notes
    if refused:
        raise ImportRefused(refused + table.problems)
    return table


def _read(file: File, reading: Reading) -> Table:
    table = Table(file.name)
    text = _decoded(file, reading, table)
    form = _form(file.name, text)
    if form == "json":
        rows = _json_rows(text, table)
    elif form == "jsonl":
        rows = _jsonl_rows(text, table)
    else:
        rows = _csv_rows(text, table, reading.delimiter or _delimiter(text))
    for row in rows:
        row.file = file.name
        if wrong := [name for name in row.values if not is_storable(name)]:
            table.refuse(row.line, ascii(wrong[0]), None, _("holds characters no database keeps. Rename the column."))
        else:
            table.rows.append(row)
    if not table.rows and not table.problems:
        table.refuse(0, "", None, _("holds no rows. Check that it is the right file."))
    return table


def _decoded(file: File, reading: Reading, table: Table) -> str:
    for mark, what in OTHER_FORMATS:
        if file.content.startswith(mark):
            says = _("is %(what)s, not text. Save it as CSV (UTF-8), or copy the cells and paste them.")
            raise ImportRefused([Problem(file.name, 0, "", "", says % {"what": what})])
    encoding = next((name for mark, name in BOMS if file.content.startswith(mark)), reading.encoding or "utf-8")
    try:
        return file.content.decode(encoding)
    except UnicodeDecodeError as error:
        if not (reading.guess and not reading.encoding):
            raise ImportRefused([_no_text(file, encoding, error)]) from None
    try:
        text = file.content.decode("windows-1252")
    except UnicodeDecodeError as error:
        raise ImportRefused([_no_text(file, "utf-8", error)]) from None
    table.notes.append(
        _("%(file)s is not UTF-8. It was read as Windows-1252: look whether accents are right.") % {"file": file.name}
    )
    return text


def _no_text(file: File, encoding: str, error: UnicodeDecodeError) -> Problem:
    line = error.object[: error.start].count(b"\n") + 1
    bad = error.object[error.start : error.end].hex(" ")
    name = encoding.removesuffix("-sig").upper()
    return Problem(file.name, line, "", bad, _("is not %(name)s. Save the file as UTF-8.") % {"name": name})


def _form(name: str, text: str) -> str:
    """json, jsonl or csv: by the name's ending, else by the first sign."""
    ending, begins = Path(name).suffix.lower(), text.lstrip()[:1]
    if ending in (".csv", ".tsv"):
        return "csv"
    if ending in (".jsonl", ".ndjson"):
        return "jsonl"
    return {"[": "json", "{": "jsonl"}.get(begins, "csv")


def _delimiter(text: str) -> str:
    """The sign that cuts the header into most cells and the lines after it into as many."""
    best, found = (0.0, 0), ","
    for sign in DELIMITERS:
        try:
            reader = csv.reader(io.StringIO(text, newline=""), delimiter=sign)
            widths = [len(cells) for _number, cells in zip(range(SNIFFED), reader, strict=False) if cells]
        except csv.Error:
            continue
        if not widths or widths[0] < 2:
            continue
        alike = sum(width == widths[0] for width in widths) / len(widths)
        if (alike, widths[0]) > best:
            best, found = (alike, widths[0]), sign
    return found


def _json_rows(text: str, table: Table) -> Iterator[Row]:
    """The objects of one JSON list, each with its line."""
    decoder, place = json.JSONDecoder(), text.find("[") + 1
    line, counted = 1, 0
    while True:
        while place < len(text) and text[place] in " \t\r\n,":
            place += 1
        if text[place : place + 1] == "]":
            return
        line, counted = line + text.count("\n", counted, place), place
        try:
            values, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError) as error:
            table.refuse(line, "", text[place : place + 80], _no_json(error))
            return
        if isinstance(values, dict):
            yield Row(line, values)
        else:
            table.refuse(line, "", values, _("is not an object. Write a list of JSON objects."))


def _jsonl_rows(text: str, table: Table) -> Iterator[Row]:
    # Not splitlines(): it also splits at U+2028, which may stand unescaped inside a JSON string.
    for line, raw in enumerate(text.split("\n"), start=1):
        if not raw.strip():
            continue
        try:
            values = json.loads(raw)
        except (ValueError, RecursionError) as error:
            table.refuse(line, "", raw, _no_json(error))
            continue
        if not isinstance(values, dict):
            table.refuse(line, "", raw, _("is not an object. Write one JSON object a line."))
            continue
        yield Row(line, values)


def _no_json(error: Exception) -> str:
    return _("is no JSON (%(error)s). Is the line cut off?") % {"error": getattr(error, "msg", error)}


def _csv_rows(text: str, table: Table, delimiter: str) -> Iterator[Row]:
    """Records below the header; empty lines, and columns without name and content, are no part of a table."""
    records = list(_records(text, table, delimiter))
    if not records:
        return
    line, header = records[0][0], [name.strip() for name in records[0][1]]
    body = [(number, cells) for number, cells in records[1:] if any(cell.strip() for cell in cells)]
    filled = {place for _number, cells in body for place, cell in enumerate(cells) if cell.strip()}
    kept = [place for place, name in enumerate(header) if name or place in filled]
    _check_header([header[place] for place in kept], line, table)
    for number, cells in body:
        if len(cells) != len(header):
            says = _("has %(cells)d cells where the header has %(header)d. Is the line cut off, or a quote missing?")
            table.refuse(number, "", delimiter.join(cells), says % {"cells": len(cells), "header": len(header)})
        else:
            yield Row(number, {header[place]: cells[place] for place in kept})


def _records(text: str, table: Table, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    while True:
        line = reader.line_num + 1  # a quoted cell may span lines: a record is named by its first
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            says = _("is no CSV (%(error)s). Is a quotation mark open, or the file cut off?")
            table.refuse(line, "", None, says % {"error": error})
            return
        if cells:
            yield line, cells


def _check_header(header: list[str], line: int, table: Table) -> None:
    for position, name in enumerate(header, start=1):
        if not name:
            table.refuse(line, str(position), None, _("has no name. Name every column in the first line."))
        elif header.index(name) + 1 != position:
            table.refuse(line, name, None, _("is there twice. Keep one of them."))
