"""Arguments that every command takes, and words that several understand."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from math import isfinite

from ratings.board import NO_VOTES
from ratings.errors import BadInput
from ratings.formats import STYLE, STYLE_COLUMNS
from ratings.outputs import Output
from ratings.reading import MOST_NAMES
from ratings.votefile import VoteFile

Commands = argparse._SubParsersAction
MANY_NAMES = 10_000_000
"""Competitors for a command whose cost grows with the votes alone."""
Run = Callable[[VoteFile, argparse.Namespace], Output]
VOTES = """VOTES is CSV, JSON Lines or a JSON array, packed by gzip or not, or - for standard input: the public arena's
sets, Kaggle's one-hot columns, LLMFAO, Open WebUI's feedback, a table of counts (model_a, model_b, wins_a, wins_b and
perhaps ties), or any other with --columns and --labels."""


def command(
    commands: Commands[argparse.ArgumentParser],
    name: str,
    run: Run,
    text: str,
    *,
    wanted: Sequence[str] = (),
    most_names: int = MOST_NAMES,
) -> argparse.ArgumentParser:
    """One command with what all of them take; `wanted` are optional columns, `most_names` its patience."""
    parser = commands.add_parser(
        name, help=text, description=f"{text[0].upper()}{text[1:]}. {VOTES}", allow_abbrev=False
    )
    parser.add_argument("votes", metavar="VOTES", help="a file of votes, or - for standard input")
    parser.add_argument(
        "--columns", default="", metavar="THEIRS=OURS,...",
        help="what the file's columns mean, for example 'who=voter,first=model_a'",
    )  # fmt: skip
    parser.add_argument(
        "--labels", default="", metavar="THEIRS=OURS,...",
        help="what the file's outcomes mean: model_a, model_b, tie, both_bad; standard words stay understood",
    )  # fmt: skip
    parser.add_argument(
        "--category", action="append", default=[], metavar="COL=VALUE",
        help="only the votes with this value in this column; may be repeated",
    )  # fmt: skip
    parser.set_defaults(run=run, wanted=tuple(wanted), most_names=most_names)
    return parser


def out(parser: argparse.ArgumentParser) -> None:
    """`--out FILE`."""
    parser.add_argument("--out", default="", metavar="FILE", help="write here instead of printing; whole or not at all")


def interval(parser: argparse.ArgumentParser) -> None:
    """What an interval is told: `--by`, `--level`, `--seed`."""
    parser.add_argument("--by", choices=["auto", "voter", "vote"], default="auto", help="the resampled unit")
    parser.add_argument("--level", type=share, default=0.95, metavar="0.95", help="of the intervals, between 0 and 1")
    parser.add_argument("--seed", type=whole, default=0, metavar="0", help="the same seed gives the same bytes")


def emptiness(file: VoteFile) -> tuple[str, ...]:
    """The note beside a table that is empty because there is nothing to count."""
    return () if file.a.size else (NO_VOTES,)


def chosen(parts: Sequence[str]) -> list[tuple[str, str]]:
    """Columns and values of `--category`.

    Raises
    ------
    BadInput
        One has no equals sign, or an empty side.
    """
    found = []
    for text in parts:
        column, equals, value = text.partition("=")
        if not equals or not column or not value:
            raise BadInput(f"--category {text!r} must read COL=VALUE, for example language=English.")
        found.append((column, value))
    return found


def style_columns(features: Sequence[str]) -> list[str]:
    """The columns that hold these style counts."""
    return [column for column in STYLE_COLUMNS if column.rpartition("_")[0] in features]


def features(text: str) -> tuple[str, ...]:
    """Style counts by name, without repetition."""
    names = tuple(dict.fromkeys(text.split(",")))
    for name in names:
        if name not in STYLE:
            raise argparse.ArgumentTypeError(f"{name!r} is not known: use {', '.join(STYLE)}")
    return names


def as_json(body: Mapping[str, object]) -> str:
    """One JSON object as every command prints it."""
    return json.dumps(body, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def whole(text: str) -> int:
    """A whole number, zero or more."""
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} must be zero or more")
    return value


def finite(text: str) -> float:
    """A finite number."""
    value = float(text)
    if not isfinite(value):
        raise argparse.ArgumentTypeError(f"{text} must be a finite number")
    return value


def share(text: str) -> float:
    """A number between 0 and 1."""
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text} must lie between 0 and 1, for example 0.95")
    return value


def number_or_zero(text: str) -> float:
    """A finite number, zero or more."""
    value = finite(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} must be zero or more")
    return value
