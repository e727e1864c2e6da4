"""The command line: `python -m ratings COMMAND VOTES`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # at these sizes threads cost more than they bring

from ratings.board import VERSION
from ratings.commands import agreement, board, compare, convert, elo, influence, matrix, screen
from ratings.commands.common import chosen, style_columns
from ratings.errors import RatingsError
from ratings.formats import pairs
from ratings.reading import read_table
from ratings.votefile import VoteFile

COMMANDS = (board, compare, elo, matrix, agreement, influence, convert, screen)
EXAMPLES = """examples:
  python -m ratings board votes.csv
  python -m ratings board votes.csv.gz --category language=German --out board.csv
  python -m ratings compare votes.csv "model one" "model two" --margin 15
  python -m ratings elo votes.jsonl --columns first=model_a,second=model_b,who=voter --labels 1=model_a,2=model_b

exit status: 0 done, 2 bad input or usage, said on standard error with file, line, column and value."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; 0 done, 2 bad input or usage."""
    options = _parser().parse_args(argv)
    try:
        file = _read(options)
        output = options.run(file, options)
        for note in dict.fromkeys((*file.notes, *output.notes)):
            sys.stderr.write(f"note: {note}\n")
        output.deliver()
    except RatingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except MemoryError:
        sys.stderr.write(f"{options.votes}: there is not enough memory for this.\n")
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # who read along has left; closing must not fail as well
    return 0


def _read(options: argparse.Namespace) -> VoteFile:
    categories = chosen(options.category)
    file = read_table(
        options.votes, columns=pairs(options.columns, "--columns"),
        labels={**getattr(options, "understood", {}), **pairs(options.labels, "--labels")},
        wanted=list(dict.fromkeys([
            *options.wanted, *style_columns(getattr(options, "style", ())), *getattr(options, "clusters", ()),
            *(column for column, _ in categories),
        ])), progress=_progress,
        most_names=options.most_names,
    )  # fmt: skip
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
    for column, value in categories:
        file = file.where(column, value)
    return file


def _progress(rows: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{rows:,} rows read …")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ratings", description="Ratings from votes between pairs, with intervals that are honest.",
        epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
    )  # fmt: skip
    parser.add_argument("--version", action="version", version=f"ratings {VERSION}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in COMMANDS:
        module.add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
