"""Votes from files: the public formats by their own words, any other through --columns and --labels.

A file is read in one pass, a block at a time, into compact columns. Nothing is guessed: an unknown outcome, a missing
column, a duplicate or a self-comparison is an error with its place.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import IO

from ratings import openwebui
from ratings.collecting import Rows, nothing
from ratings.csv_rows import csv_batches
from ratings.data import Comparisons
from ratings.formats import layout, words
from ratings.json_rows import array_items, json_batches, line_items
from ratings.rows import Batch
from ratings.sources import Block, chunks, opened
from ratings.votefile import VoteFile

MOST_NAMES = 2_000
"""Competitors in one file that is to be fitted: a fit holds matrices of their number squared."""
Progress = Callable[[int], None]


def read_votes(
    path: str, *, columns: Mapping[str, str] | None = None, labels: Mapping[str, str] | None = None
) -> Comparisons:
    """Comparisons, one a row in the order of the file; `read_table` says what is read and what is refused.

    Parameters
    ----------
    path : str
        CSV, JSON Lines or a JSON array, packed by gzip or not; `-` is standard input.
    columns : mapping of the file's column names to ours, optional
    labels : mapping of the file's outcomes to ours, optional

    Raises
    ------
    BadInput, UnknownLabel, SelfComparison, DuplicateVote
        With file, line (from 1, the header), column and value.
    """
    return read_table(path, columns=columns, labels=labels).comparisons()


def read_table(
    path: str,
    *,
    columns: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    wanted: Collection[str] = (),
    most_names: int = MOST_NAMES,
    progress: Progress | None = None,
) -> VoteFile:
    """Votes from CSV, JSON Lines or a JSON array, packed by gzip or not; `-` is standard input.

    Parameters
    ----------
    columns : mapping of the file's column names to ours, optional
    labels : mapping of the file's outcomes to ours, optional
        Standard words stay understood beside them.
    wanted : collection of str
        Optional columns to keep, ours or the file's own; those that the file lacks are left out of the result.
    most_names : int
        Competitors at most; more are refused as soon as they are met.
    progress : callable, optional
        Told the number of rows read, once a block.

    Raises
    ------
    BadInput, UnknownLabel, SelfComparison, DuplicateVote
        With file, line (from 1, the header), column and value.
    """
    notes: list[str] = []
    given, understood = columns or {}, words(labels or {})
    with opened(path) as file:
        source = batches(file, path, notes)
        first = next(source, None)
        if first is None:
            return VoteFile(path, (), (), *nothing())
        rows = Rows(path, layout(first, given, path), first, understood, wanted, most_names)
        for batch in chain([first], source):
            rows.take(batch)
            if progress:
                progress(batch.first + batch.size)
        rows.refuse_repeats(lambda: batches(file, path, []))
    table = rows.table()
    return replace(table, notes=(*notes, *table.notes))


def batches(file: IO[bytes], path: str, notes: list[str]) -> Iterator[Batch]:
    """The rows of a file in whatever form it has: by its name, otherwise by its first character."""
    form = _form(file, path)
    if form == "csv":
        return csv_batches(file, path)
    items = array_items if form == "json" else line_items
    source = json_batches(items(file, path), counted=form == "json")
    first = next(source, None)
    if first is None:
        return iter(())
    source = chain([first], source)
    return openwebui.votes(source, path, notes) if openwebui.is_feedback(first) else source


def _form(file: IO[bytes], path: str) -> str:
    name = path.removesuffix(".gz")
    for form in ("csv", "jsonl"):
        if name.endswith(f".{form}"):
            return form
    start = next(chunks(file, path), Block(b"", 1, 0)).data.lstrip()[:1]
    if start == b"{":
        return "jsonl"
    return "json" if start == b"[" or name.endswith(".json") else "csv"
