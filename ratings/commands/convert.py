"""`convert VOTES`: any shape of votes that is read, in the public arena's shape."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from ratings.commands.common import MANY_NAMES, Commands, chosen, command, emptiness, out
from ratings.converting import WRITTEN, ForeignVote, read_rows
from ratings.errors import BadInput
from ratings.formats import pairs
from ratings.json_rows import as_text
from ratings.outputs import Output
from ratings.votefile import VoteFile
from ratings.writers import FORMATS, LEAN, PIECES, VoteRow, write_votes

LIGHT = (*LEAN, "weight", "voter_since", "cluster")


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Tells the parser."""
    parser = command(commands, "convert", run, "the same votes in the public arena's shape", most_names=MANY_NAMES)
    out(parser)
    parser.add_argument("--format", choices=FORMATS, help="by default what the name of FILE ends in, printed CSV")
    parser.add_argument("--no-texts", action="store_true", help="leave conversations and their counts out")


def run(file: VoteFile, options: argparse.Namespace) -> Output:
    """The file was checked as a whole, duplicates too, when it was read for its votes; now its rows are written."""
    if options.votes == "-":
        raise BadInput("convert reads a file twice: name the file instead of -.")
    kind = options.format or (Path(options.out).suffix[1:] if options.out else "csv")
    if kind not in FORMATS:
        raise BadInput(f"--out {options.out!r} does not say the format: end it in .{', .'.join(FORMATS)}, or --format.")
    if kind not in PIECES and not options.out:
        raise BadInput(f"{kind} is not printed: name a file with --out.")
    rows = read_rows(
        options.votes, columns=pairs(options.columns, "--columns"), labels=pairs(options.labels, "--labels")
    )
    columns: tuple[str, ...] = LIGHT if options.no_texts else WRITTEN
    if file.weight is None:  # an empty cell would be no frequency
        columns = tuple(name for name in columns if name != "weight")
    written = _written(rows, chosen(options.category))
    if options.out:
        write_votes(written, Path(options.out), kind, columns)
    else:
        sys.stdout.buffer.writelines(PIECES[kind](written, columns))
        sys.stdout.buffer.flush()
    return Output(notes=emptiness(file))


def _written(rows: Iterator[ForeignVote], wanted: list[tuple[str, str]]) -> Iterator[VoteRow]:
    for row in rows:
        if all(as_text(row.values.get(column)) == value for column, value in wanted):
            yield row.values
