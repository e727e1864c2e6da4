"""CSV in batches: plain blocks by their bytes, anything quoted or odd by the `csv` module."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from operator import itemgetter
from typing import IO

from ratings.errors import BadInput, quoted
from ratings.packed import PackedCells, split
from ratings.rows import BATCH, Batch
from ratings.sources import MAX_LINE, Block, whole_lines


def csv_batches(file: IO[bytes], path: str) -> Iterator[Batch]:
    """Rows of CSV. The first block that is not plain hands the rest over to the `csv` module.

    Raises
    ------
    BadInput
        With the line: a row has too many or too few cells, a quote never closes, a column stands twice.
    """
    blocks = whole_lines(file, path)
    first = next(blocks, None)
    if first is None:
        return
    header, rest = _header(first, path)
    yield _text_batch(header, [], (), 0)  # the names of the columns are checked even where no row follows
    number = 0
    for block in chain([rest], blocks):
        if not block.data:
            continue
        _utf8(block, path)
        cells = split(block.data, len(header))
        if cells is None:
            yield from _parsed(chain([block], blocks), header, path, number)
            return
        yield _packed_batch(header, cells, block.line, number)
        number += len(cells[0])


def _utf8(block: Block, path: str) -> None:
    """ASCII is what nearly every block is; anything else must be UTF-8."""
    if not block.data.isascii():
        block.text(path)


def _header(block: Block, path: str) -> tuple[tuple[str, ...], Block]:
    """The names of the columns, and the block without them."""
    end = block.data.find(b"\n") + 1 or len(block.data)
    line = Block(block.data[:end], 1, 1).text(path)
    if line.count('"') % 2:
        raise BadInput("a name of a column holds a line end or an open quote.", file=path, line=1)
    names = tuple(name.strip() for name in next(csv.reader([line]), []))
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise BadInput(f"the column {quoted(twice)} stands twice.", file=path, line=1)
    if len(names) == 1 and (mark := next((mark for mark in ";\t|" if mark in names[0]), None)):
        raise BadInput(f"the cells are separated by {mark!r}: separate them by commas.", file=path, line=1)
    return names, Block(block.data[end:], 2, max(block.ends - 1, 0))


def _packed_batch(header: tuple[str, ...], cells: list[PackedCells], line: int, number: int) -> Batch:
    place = {name: k for k, name in enumerate(header)}
    return Batch(header, len(cells[0]), lambda name: cells[place[name]], lambda row: line + row, first=number)


def _parsed(blocks: Iterator[Block], header: tuple[str, ...], path: str, number: int) -> Iterator[Batch]:
    first = next(blocks)
    size = min(BATCH, max(first.ends, 16))
    texts = (io.StringIO(block.text(path), newline="\n") for block in chain([first], blocks))
    csv.field_size_limit(MAX_LINE)
    reader = csv.reader(chain.from_iterable(texts), strict=True)
    line = first.line
    while True:
        rows: list[list[str]] = []
        problem = None
        try:
            rows.extend(islice(reader, size))  # what came before a problem is kept
        except csv.Error as error:
            problem = str(error)
        after = first.line + reader.line_num if problem is None else None
        starts = _starts(rows, line, after)
        if [] in rows:  # blank lines
            rows, starts = [row for row in rows if row], [at for at, row in zip(starts, rows, strict=True) if row]
        bad = next((k for k, row in enumerate(rows) if len(row) != len(header)), None)
        if rows and bad != 0:
            yield _text_batch(header, rows[:bad], starts, number)
        if bad is not None:
            raise BadInput(f"has {len(rows[bad])} cells; the header has {len(header)}.", file=path, line=starts[bad])
        if after is None:
            raise _not_csv(problem or "", path, starts[-1] + _span(rows[-1]) if rows else line)
        if after == line:
            return
        number, line = number + len(rows), after


def _not_csv(problem: str, path: str, line: int) -> BadInput:
    if "unexpected end of data" in problem or "field larger than" in problem:
        problem = "a quote that opens in this row is never closed"
    elif "new-line character" in problem:
        problem = "a carriage return stands inside a row"
    return BadInput(f"is not CSV: {problem}.", file=path, line=line)


def _starts(rows: list[list[str]], line: int, after: int | None) -> Sequence[int]:
    """Lines on which rows begin; cells with line ends make rows of several lines."""
    if after is not None and after - line == len(rows):
        return range(line, after)
    starts = []
    for row in rows:
        starts.append(line)
        line += _span(row)
    return starts


def _span(row: list[str]) -> int:
    return 1 + sum(cell.count("\n") for cell in row)


def _text_batch(header: tuple[str, ...], rows: list[list[str]], lines: Sequence[int], number: int) -> Batch:
    place = {name: k for k, name in enumerate(header)}
    return Batch(
        header, len(rows), lambda name: list(map(itemgetter(place[name]), rows)), lines.__getitem__, first=number
    )
