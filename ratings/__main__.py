"""The command line: `python -m ratings board|elo|matrix VOTES`."""

from __future__ import annotations

import argparse
import csv
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # at these sizes threads cost more than they bring

import numpy as np

from ratings.board import BoardOptions, make_board
from ratings.data import Comparisons, Outcome
from ratings.elo import elo
from ratings.errors import BadInput, RatingsError
from ratings.reading import read_votes
from ratings.scale import MEAN_RATING
from ratings.writing import board_csv, board_json, safe_cell, write_whole


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; 0 done, 2 bad input or usage."""
    options = _parser().parse_args(argv)
    try:
        data = read_votes(
            options.votes, columns=_pairs(options.columns, "--columns"), labels=_pairs(options.labels, "--labels")
        )
        text = str(options.run(data, options))
        if options.out:
            write_whole(Path(options.out), text)
        else:
            sys.stdout.write(text)
    except RatingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except BrokenPipeError:
        return 0
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ratings", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    board = _command(commands, "board", _board, "ratings with intervals and ranks")
    board.add_argument("--json", action="store_true", help="print one JSON object instead of CSV")
    board.add_argument("--ties", choices=["half"], default="half", help="how ties enter the fit")
    board.add_argument("--by", choices=["auto", "voter", "vote"], default="auto", help="the resampled unit")
    board.add_argument("--interval", choices=["auto", "bootstrap", "sandwich", "model"], default="auto")
    board.add_argument("--rounds", type=int, default=1000, help="bootstrap replicates, or draws for the ranks")
    board.add_argument("--seed", type=int, default=0)
    board.add_argument("--level", type=float, default=0.95)
    board.add_argument("--anchor", default="", metavar="NAME=RATING", help="pin a competitor instead of the mean")
    board.add_argument("--side-effect", action="store_true", help="put the effect of being shown first into the fit")
    board.add_argument("--no-prior", action="store_true", help="refuse where no finite estimate exists")
    board.add_argument("--meta", default="", help="CSV by model_name that is joined to the rows")
    online = _command(commands, "elo", _elo, "online Elo, which depends on the order of the votes")
    online.add_argument("--k", type=float, default=4.0)
    online.add_argument("--init", type=float, default=MEAN_RATING)
    _command(commands, "matrix", _matrix, "who beat whom how often")
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, run: object, text: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text)
    parser.add_argument("votes", help="a .csv, .csv.gz, .jsonl or .json file of votes, or - for standard input")
    parser.add_argument("--out", default="", help="write here instead of printing; whole or not at all")
    parser.add_argument("--columns", default="", metavar="THEIRS=OURS,…", help="names of the file's columns")
    parser.add_argument("--labels", default="", metavar="THEIRS=OURS,…", help="words of the file's outcomes")
    parser.set_defaults(run=run)
    return parser


def _board(data: Comparisons, options: argparse.Namespace) -> str:
    anchor, rating = _anchor(options.anchor)
    board = make_board(
        data,
        BoardOptions(
            by=options.by, interval=options.interval, rounds=options.rounds, seed=options.seed, level=options.level,
            anchor=anchor, anchor_rating=rating, side_effect=options.side_effect, prior=not options.no_prior,
        ),
    )  # fmt: skip
    meta = _meta(options.meta)
    if options.out:
        write_whole(Path(f"{options.out}.json"), board_json(board, meta))
    return board_json(board, meta) if options.json else board_csv(board, meta)


def _elo(data: Comparisons, options: argparse.Namespace) -> str:
    rating = elo(data, k=options.k, initial=options.init)
    votes = np.bincount(np.concatenate([data.a, data.b]), np.tile(data.weight, 2), minlength=len(data.names))
    order = sorted(range(len(data.names)), key=lambda i: (-rating[i], data.names[i]))
    return _csv(
        ["model_name", "rating", "vote_count"], [[data.names[i], float(rating[i]), int(votes[i])] for i in order]
    )


def _matrix(data: Comparisons, options: argparse.Namespace) -> str:
    """Every unordered pair that met, names in order."""
    found: dict[tuple[str, str], list[float]] = {}
    for a, b, what, mass in zip(
        data.a.tolist(), data.b.tolist(), data.outcome.tolist(), data.weight.tolist(), strict=True
    ):
        first, second = data.names[a], data.names[b]
        if first > second:
            first, second, what = second, first, {Outcome.A: Outcome.B, Outcome.B: Outcome.A}.get(what, what)
        found.setdefault((first, second), [0.0] * 4)[what] += mass
    header = ["model_a", "model_b", "wins_a", "ties", "both_bad", "wins_b", "votes", "win_rate_a"]
    rows = []
    for (first, second), (wins_a, wins_b, ties, bad) in sorted(found.items()):
        votes = wins_a + wins_b + ties + bad
        rows.append([first, second, wins_a, ties, bad, wins_b, votes, (wins_a + (ties + bad) / 2) / votes])
    return _csv(header, rows)


def _csv(header: list[str], rows: list[list[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow(
            [
                int(v) if isinstance(v, float) and v.is_integer() else safe_cell(v) if isinstance(v, str) else v
                for v in row
            ]
        )
    return out.getvalue()


def _pairs(text: str, flag: str) -> dict[str, str]:
    pairs = {}
    for item in filter(None, text.split(",")):
        theirs, equals, ours = item.partition("=")
        if not equals or not theirs or not ours:
            raise BadInput(f"{flag} {item!r} must read theirs=ours, several joined by commas.")
        pairs[theirs] = ours
    return pairs


def _anchor(text: str) -> tuple[str | None, float]:
    if not text:
        return None, MEAN_RATING
    name, equals, rating = text.rpartition("=")
    try:
        return name, float(rating) if equals else float("nan")
    except ValueError:
        raise BadInput(f"--anchor {text!r} must read NAME=RATING, for example gpt=1000.") from None


def _meta(path: str) -> dict[str, dict[str, str | None]]:
    if not path:
        return {}
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"cannot be read: {error}", file=path) from None
    if rows and "model_name" not in rows[0]:
        raise BadInput("has no column model_name.", file=path, line=1)
    return {
        row["model_name"]: {key: value or None for key, value in row.items() if key != "model_name"} for row in rows
    }


if __name__ == "__main__":
    sys.exit(main())
