"""JSON Lines, and JSON arrays element by element, in batches."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from typing import IO, Any

from ratings.errors import BadInput
from ratings.rows import BATCH, Batch
from ratings.sources import BLOCK, MAX_LINE, chunks, not_utf8, too_long, whole_lines

Item = tuple[int, dict[str, Any], int]
"""Line, object, and the characters that it took."""
SHOWN_ROWS = 200
"""Rows whose nested names are looked at."""
DEPTH = 4
_BLANK = re.compile(r"[ \t\r\n]*")


def line_items(file: IO[bytes], path: str) -> Iterator[Item]:
    """The objects of JSON Lines.

    Raises
    ------
    BadInput
        With the line.
    """
    for block in whole_lines(file, path):
        for number, text in enumerate(block.text(path).split("\n"), block.line):
            if not text.strip():
                continue
            try:
                value = json.loads(text)
            except (ValueError, RecursionError) as error:
                raise _not_json(error, path, number) from None
            yield number, _object(value, path, number), len(text)


def array_items(file: IO[bytes], path: str) -> Iterator[Item]:
    """The elements of one JSON array, each as soon as it is whole.

    Raises
    ------
    BadInput
        With the line, and the number of the element.
    """
    text = _Text(_pieces(file, path))
    if text.next_char() != "[":
        raise BadInput("must hold a list of votes: [ {…}, {…} ].", file=path, line=text.line)
    text.at += 1
    count = 0
    mark = text.next_char()
    while mark != "]":
        if count and mark != ",":
            said = f"{mark!r} stands where a comma or the end of the list should" if mark else "the list is cut short"
            raise BadInput(f"is not JSON: {said}.", file=path, line=text.line, item=count + 1)
        text.at += 1 if count else 0
        count += 1
        text.next_char()
        line = text.line
        value, taken = text.value(path, count)
        yield line, _object(value, path, line, count), taken
        mark = text.next_char()
    text.at += 1
    if extra := text.next_char():
        raise BadInput(f"is not JSON: {extra!r} stands after the list.", file=path, line=text.line)


class _Text:
    """A text that comes in pieces: where we are, and on which line."""

    def __init__(self, pieces: Iterator[str]) -> None:
        self.pieces, self.text, self.at, self.line = pieces, "", 0, 1
        self.decoder = json.JSONDecoder()

    def more(self) -> bool:
        piece = next(self.pieces, None)
        if piece is None:
            return False
        self.text, self.at = self.text[self.at :] + piece, 0
        return True

    def next_char(self) -> str:
        """The next character that is not blank, without taking it; empty at the end."""
        while True:
            found = _BLANK.match(self.text, self.at)
            end = found.end() if found else self.at
            self.line += self.text.count("\n", self.at, end)
            self.at = end
            if end < len(self.text):
                return self.text[end]
            if not self.more():
                return ""

    def value(self, path: str, number: int) -> tuple[Any, int]:
        """Takes the value that begins here; an element longer than `MAX_LINE` is refused."""
        while True:
            try:
                value, end = self.decoder.raw_decode(self.text, self.at)
            except (ValueError, RecursionError) as error:
                if len(self.text) - self.at > MAX_LINE and self._goes_on(error):
                    raise too_long(path, self.line, number) from None
                if len(self.text) - self.at > MAX_LINE or not self.more():
                    raise _not_json(error, path, self.line, number) from None
                continue
            taken = end - self.at
            self.line += self.text.count("\n", self.at, end)
            self.at = end
            return value, taken

    def _goes_on(self, error: Exception) -> bool:
        """Whether it is the end of what was read that stopped the parser, rather than a mistake before it."""
        if not isinstance(error, json.JSONDecodeError):
            return False
        return error.msg.startswith("Unterminated string") or error.pos >= len(self.text)


def _pieces(file: IO[bytes], path: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    line = 1
    try:
        for block in chunks(file, path):
            line = block.line
            yield decoder.decode(block.data)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        line += error.object.count(b"\n", 0, error.start)
        raise not_utf8(error.object, error.start, path, line) from None


def _object(value: Any, path: str, line: int, number: int | None = None) -> dict[str, Any]:
    if not isinstance(value, dict):
        kind = {list: "a list", str: "a text", type(None): "null"}.get(type(value), "a number or a truth value")
        raise BadInput(f"is {kind}; every vote must be an object.", file=path, line=line, item=number)
    return value


def _not_json(error: Exception, path: str, line: int, number: int | None = None) -> BadInput:
    said = "too deeply nested" if isinstance(error, RecursionError) else getattr(error, "msg", str(error))
    return BadInput(f"is not JSON: {said}.", file=path, line=line, item=number)


def json_batches(items: Iterable[Item], *, counted: bool) -> Iterator[Batch]:
    """Batches of objects, by rows and by characters."""
    held: list[Item] = []
    size, first = 0, 0
    names: tuple[tuple[str, ...], tuple[str, ...]] | None = None
    problem = None
    try:
        for item in items:
            held.append(item)
            size += item[2]
            if len(held) == BATCH or size > BLOCK:
                names = names or _names(held)
                yield _batch(held, *names, first, counted)
                first, held, size = first + len(held), [], 0
    except BadInput as error:
        problem = error  # what came before it may hold an earlier one
    if held:
        yield _batch(held, *(names or _names(held)), first, counted)
    if problem is not None:
        raise problem


def _batch(held: list[Item], header: tuple[str, ...], nested: tuple[str, ...], first: int, counted: bool) -> Batch:
    rows = [item for _, item, _ in held]
    lines = [line for line, _, _ in held]

    def values(name: str) -> list[Any]:
        return [row.get(name) for row in rows] if name in header else [inside(row, name) for row in rows]

    def column(name: str) -> list[str]:
        return [value if type(value) is str else as_text(value) for value in values(name)]

    return Batch(header, len(rows), column, lines.__getitem__, first, nested, values, counted)


def as_text(value: Any) -> str:
    """A JSON value as a cell of CSV would hold it."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, (dict, list, bool)):
        return json.dumps(value, ensure_ascii=False)
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def inside(row: Any, name: str) -> Any:
    """What an object holds under a dotted name, whose parts may hold dots themselves."""
    if not isinstance(row, dict):
        return None
    if name in row:
        return row[name]
    for dot in (k for k, char in enumerate(name) if char == "."):
        if name[:dot] in row:
            return inside(row[name[:dot]], name[dot + 1 :])
    return None


def _names(held: list[Item]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    header = dict.fromkeys(key for _, item, _ in held for key in item)
    nested = dict.fromkeys(
        name for _, item, _ in held[:SHOWN_ROWS] for name in _dotted(item, "", DEPTH) if name not in header
    )
    return tuple(header), tuple(nested)


def _dotted(value: dict[str, Any], before: str, depth: int) -> Iterator[str]:
    for key, inner in value.items():
        if before:
            yield before + key
        if isinstance(inner, dict) and depth:
            yield from _dotted(inner, f"{before}{key}.", depth - 1)
