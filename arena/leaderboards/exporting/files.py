"""Votes and the served log as bytes, a piece at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from arena.leaderboards.exporting.scope import Scope
from arena.leaderboards.exporting.votes import SERVED, served_rows, vote_rows

KINDS = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}
"""What can be streamed, with its content type. Parquet is written to a file."""
ALONE = ("judge", "prompt_id", "category", "rated", "source", "policy", "draw_probability")
"""Ours behind the public set's columns."""


def columns(scope: Scope) -> tuple[str, ...]:
    """The columns of a file of votes: the public arena's, then ours."""
    from ratings.writers import PUBLIC

    return (*PUBLIC, *ALONE, *(("voter_since",) if scope.is_full else ()))


def vote_pieces(scope: Scope, kind: str) -> Iterator[bytes]:
    """A file of votes in one of `KINDS`."""
    from ratings.writers import PIECES

    return PIECES[kind](vote_rows(scope), columns(scope))


def served_pieces(scope: Scope) -> Iterator[bytes]:
    """The served log as CSV, as `ratings` reads it."""
    from ratings.writers import csv_pieces

    return csv_pieces(served_rows(scope), SERVED)


def write_votes(scope: Scope, kind: str, path: Path) -> None:
    """A file of votes, whole or not at all. Raises ratings.errors.BadInput."""
    from ratings.writers import write_votes as write

    write(vote_rows(scope), path, kind, columns(scope))


def write_served(scope: Scope, path: Path) -> None:
    """The served log, whole or not at all. Raises ratings.errors.BadInput."""
    from ratings.writers import write_votes as write

    write(served_rows(scope), path, "csv", SERVED)
