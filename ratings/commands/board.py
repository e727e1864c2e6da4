"""`board VOTES`: ratings with intervals and ranks."""

from __future__ import annotations

import argparse
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ratings.board import Board, BoardOptions, BoardRow, make_board
from ratings.columns import at
from ratings.commands.common import Commands, chosen, command, features, finite, interval, out, style_columns, whole
from ratings.commands.serving import BLANK, CLUSTER, TIME, WINNER, log_of, times, unvoted
from ratings.csv_rows import csv_batches
from ratings.data import Comparisons
from ratings.errors import BadInput, quoted
from ratings.excluding import counted_without, left_out, read_exclusions
from ratings.formats import STYLE
from ratings.outputs import Output
from ratings.scale import MEAN_RATING
from ratings.sources import opened
from ratings.style import relative_difference
from ratings.votefile import VoteFile
from ratings.writing import CHECK, OURS, PUBLIC, Meta, board_csv, board_json

JOINED = [column for column in (*PUBLIC, *OURS) if column not in {field.name for field in fields(BoardRow)}
          and column not in ("rating_plain", "category")]  # fmt: skip
"""What votes cannot know, and so may come by --meta."""
TEXTS = ("organization", "license", "leaderboard_publish_date")


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Tells the parser."""
    parser = command(commands, "board", run, "ratings with intervals and ranks")
    out(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object with the method and all notes")
    parser.add_argument(
        "--ties", choices=["half", "davidson"], default="half", help="half a win each, or an outcome of their own"
    )
    parser.add_argument(
        "--style", type=features, default=(), metavar=",".join(STYLE),
        help="control for these counts of each answer, in columns like length_a and length_b",
    )  # fmt: skip
    interval(parser)
    parser.add_argument(
        "--interval", choices=["auto", "bootstrap", "sandwich", "model"], default="auto", help="how intervals are made"
    )
    parser.add_argument(
        "--rounds", type=whole, default=1000, metavar="1000", help="bootstrap replicates, or draws for the ranks"
    )
    parser.add_argument("--anchor", default="", metavar="NAME=RATING", help="pin a competitor instead of the mean")
    parser.add_argument("--side-effect", action="store_true", help="put the effect of being shown first into the fit")
    parser.add_argument("--no-prior", action="store_true", help="refuse where no finite estimate exists")
    parser.add_argument("--meta", default="", metavar="FILE", help="CSV by model_name that is joined to the rows")
    parser.add_argument(
        "--screen", action=_Screened, nargs=0, default=False,
        help="leave out what a screen for campaigns finds; rating_plain is then the rating with it",
    )  # fmt: skip
    parser.add_argument(
        "--served", default="", metavar="FILE", help="battles that nobody voted on, which make a screen see more"
    )
    parser.add_argument(
        "--exclusions", default="", action=_WithIds, metavar="FILE",
        help="CSV of votes or voters that do not count; rating_plain is then the rating with them",
    )  # fmt: skip


class _WithIds(argparse.Action):
    """Single votes are named by their ids, which are read for nothing else."""

    def __call__(self, parser: object, namespace: argparse.Namespace, values: object, option: object = None) -> None:
        setattr(namespace, self.dest, values)
        namespace.wanted = (*namespace.wanted, "id")


class _Screened(argparse.Action):
    """A screen reads who was served what and when, and takes a row without a winner for a battle without a vote."""

    def __call__(self, parser: object, namespace: argparse.Namespace, values: object, option: object = None) -> None:
        namespace.screen, namespace.clusters, namespace.understood = True, CLUSTER, BLANK
        namespace.wanted = (*namespace.wanted, WINNER, TIME)


def run(file: VoteFile, options: argparse.Namespace) -> Output:
    """CSV, or one JSON object; with --out the CSV has the object beside it as `.json`."""
    meta: Meta = _meta(options.meta)
    told = _told(options)
    if options.served and not options.screen:
        raise BadInput("--served belongs to --screen: add it.")
    if options.screen:
        board, meta = _screened(file, told, meta, options)
    elif options.exclusions:
        out = left_out(file, read_exclusions(options.exclusions))
        board, meta = _defended(file, told, meta, out, options.exclusions)
    else:
        board = make_board(_entered(_with_style(file, options.style) if options.style else file.counted(), meta), told)
    board = replace(board, notes=(*file.notes, *board.notes))
    extra = {}
    if options.category:
        extra["category"] = dict(chosen(options.category))
        named = ", ".join(options.category)
        meta = {row.model_name: {**meta.get(row.model_name, {}), "category": named} for row in board.rows}
    text = board_json(board, meta, **extra)
    files: dict[Path, str] = {}
    if options.out.endswith(".json"):
        return Output(files={Path(options.out): text}, notes=board.notes)
    if options.out:
        files = {Path(options.out): board_csv(board, meta), Path(f"{options.out}.json"): text}
    if options.json:
        return Output(text, files)  # which holds the notes
    return Output("" if options.out else board_csv(board, meta), files, board.notes)


def _told(options: argparse.Namespace) -> BoardOptions:
    anchor, rating = _anchor(options.anchor)
    return BoardOptions(
        by=options.by, interval=options.interval, rounds=options.rounds, seed=options.seed, level=options.level,
        anchor=anchor, anchor_rating=rating, side_effect=options.side_effect, prior=not options.no_prior,
        ties=options.ties, style=options.style,
    )  # fmt: skip


def _screened(file: VoteFile, told: BoardOptions, meta: Meta, options: argparse.Namespace) -> tuple[Board, Meta]:
    """The board without what a screen of the very votes finds."""
    from ratings.campaigns import ScreenOptions, screen  # which other boards need not load

    if options.exclusions:
        raise BadInput("--screen and --exclusions do not go together: leave one of them out.")
    if file.voter is None and file.a.size:
        raise BadInput("has no column that names the voter, and without accounts there is nothing to screen.",
                       file=file.file)  # fmt: skip
    never = unvoted(file)
    given = log_of(file, options)
    weight = np.empty(given.order.size)
    weight[given.order] = screen(given.log, ScreenOptions(d5=False, d6=False, d7=False, d8=False)).weight
    first = np.cumsum(times(file)) - times(file)  # a row that weighs k stands k times in the log
    out = np.zeros(file.a.size, dtype=bool)
    out[~never] = weight[first[~never]] == 0
    cast = file.at(~never) if never.any() else file
    return _defended(cast, told, meta, out[~never], "a screen for campaigns")


def _defended(file: VoteFile, told: BoardOptions, meta: Meta, out: NDArray[np.bool_], by: str) -> tuple[Board, Meta]:
    """The board without the votes that are left out, and beside its ratings the plain ones."""
    if told.style:
        raise BadInput("Leaving votes out and --style do not go together: leave one of them out.")
    data, who = counted_without(file, out)
    board = make_board(_entered(data, meta), told, voted=who)
    if not out.any():
        return board, meta
    plain = make_board(_entered(file.counted(), meta), told)
    note = f"{int(out.sum()):,} votes were left out by {by}; rating_plain counts them."
    joined = {row.model_name: {**meta.get(row.model_name, {}), "rating_plain": row.rating} for row in plain.rows}
    return replace(board, notes=(*board.notes, note)), joined


def _entered(data: Comparisons, meta: Meta) -> Comparisons:
    """With whom the catalogue knows to have been served and no vote names: they stand on the board without a rating."""
    served = sorted(name for name, known in meta.items() if known.get("battles_served") and name not in data.names)
    return replace(data, names=(*data.names, *served)) if served else data


def _with_style(file: VoteFile, features: tuple[str, ...]) -> Comparisons:
    """One comparison a row, with (a - b) / (a + b) of each count."""
    columns = []
    for name in features:
        counts = []
        for column in style_columns([name]):
            if column not in file.numbers:
                raise BadInput(f"has no column {column}; --style {name} needs it.", file=file.file)
            values = file.numbers[column]
            wrong = np.flatnonzero(~(values >= 0))
            if wrong.size:
                raise BadInput(
                    f"vote {wrong[0] + 1} has no count, zero or more, to control for.", file=file.file, column=column
                )
            counts.append(values)
        columns.append(relative_difference(*counts))
    return replace(file.comparisons(), covariates=np.column_stack(columns), covariate_names=features)


def _anchor(text: str) -> tuple[str | None, float]:
    if not text:
        return None, MEAN_RATING
    name, _, rating = text.rpartition("=")
    try:
        return name, finite(rating)
    except (ValueError, argparse.ArgumentTypeError):
        raise BadInput(f"--anchor {text!r} must read NAME=RATING, for example gpt=1000.") from None


def _meta(path: str) -> dict[str, dict[str, object]]:
    """Columns by model name; those that the votes themselves tell are left out."""
    found: dict[str, dict[str, object]] = {}
    if not path:
        return found
    with opened(path) as source:
        for batch in csv_batches(source, path):
            if "model_name" not in batch.header:
                raise BadInput("has no column model_name.", file=path, line=1)
            checks = [name for name in batch.header if name.startswith(CHECK)]
            joined = [name for name in ("model_name", *JOINED, *checks) if name in batch.header]
            columns = {name: batch.column(name) for name in joined}
            for row in range(batch.size):
                values = {name: at(cells, row) for name, cells in columns.items()}
                name = values.pop("model_name")
                if name in found:
                    raise BadInput(
                        f"{quoted(name)} stands twice.", file=path, line=batch.line(row), column="model_name"
                    )
                found[name] = {column: _value(column, text) for column, text in values.items()}
    return found


def _value(column: str, text: str) -> object:
    """Figures as numbers, so that they look alike wherever they came from."""
    if not text:
        return None
    if column in TEXTS:
        return text
    try:
        return finite(text) if not text.isdecimal() else int(text)
    except (ValueError, argparse.ArgumentTypeError):
        return text
