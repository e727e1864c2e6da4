"""The public formats' words: which column is which, which outcome is meant. Nothing is guessed."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import nan

from ratings.data import Outcome
from ratings.errors import BadInput, unquoted
from ratings.rows import Batch

ALIASES: dict[str, tuple[str, ...]] = {
    "model_a": ("model_a", "left", "model_x"),
    "model_b": ("model_b", "right", "model_y"),
    "winner": ("winner",),
    "id": ("id", "question_id"),
    "voter": ("voter", "judge", "judge_hash", "evaluator", "worker", "user"),
    "weight": ("weight",),
    "wins_a": ("wins_a",),
    "wins_b": ("wins_b",),
    "ties": ("ties",),
    "both_bad": ("both_bad",),
    "timestamp": ("timestamp", "tstamp"),
    "prompt_id": ("prompt_id", "prompt"),
    "category": ("category", "category_tag"),
    "language": ("language",),
    "voter_since": ("voter_since",),
    "cluster": ("cluster",),
}
"""Our columns, and what the public formats call them; the first one that a file has is taken."""
STYLE = ("length", "headers", "lists", "bold")
_THEIRS = {"length": "sum_assistant_{}_tokens", "headers": "header_count_{}", "lists": "list_count_{}",
           "bold": "bold_count_{}"}  # fmt: skip
for _feature, _name in _THEIRS.items():
    for _side in "ab":
        _flat = _name.format(_side)
        ALIASES[f"{_feature}_{_side}"] = (f"{_feature}_{_side}", _flat, f"conv_metadata.{_flat}")
STYLE_COLUMNS = tuple(f"{feature}_{side}" for feature in STYLE for side in "ab")
NUMBERS = ("timestamp", "voter_since", *STYLE_COLUMNS)
"""Columns that are numbers; times are seconds since 1970."""
COUNTS = ("wins_a", "wins_b", "ties", "both_bad")
COUNT_OUTCOMES = (Outcome.A, Outcome.B, Outcome.TIE, Outcome.BOTH_BAD)
ONE_HOT = ("winner_model_a", "winner_model_b", "winner_tie")
NOT_RATED = ("anony", "rated")
"""Columns that are false where a vote counts towards no rating: the older public sets' where names were seen before the
vote, ours for the second judgement of a repeated battle."""
LABELS = {
    "model_a": Outcome.A, "a": Outcome.A, "left": Outcome.A, "model_b": Outcome.B, "b": Outcome.B, "right": Outcome.B,
    "tie": Outcome.TIE, "draw": Outcome.TIE, "both_bad": Outcome.BOTH_BAD, "tie (bothbad)": Outcome.BOTH_BAD,
    "bothbad": Outcome.BOTH_BAD,
}  # fmt: skip
ALLOWED = ("model_a", "model_b", "tie", "both_bad")
MOST = 1e15
FREQUENCY = "a number, zero or more and below 1e15"
"""What a weight or a count is, in words."""
SHOWN = 30


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things are in one file.

    Attributes
    ----------
    kind : {'votes', 'one_hot', 'counts'}
    where : mapping of our columns to the file's
    """

    kind: str
    where: Mapping[str, str]


def layout(batch: Batch, given: Mapping[str, str], path: str) -> Layout:
    """Which column is which. `--columns theirs=ours` wins over the words of the public formats.

    Raises
    ------
    BadInput
        A column of `given` is not in the file or means nothing here, or what is needed is missing.
    """
    where: dict[str, str] = {}
    for theirs, ours in given.items():
        if ours not in ALIASES:
            raise BadInput(f"--columns {theirs}={ours}: {ours!r} means nothing here; use {', '.join(ALIASES)}.")
        if not has(batch, theirs):
            raise BadInput(
                f"--columns {theirs}={ours}: the file has no column {theirs!r}; it has {shown(batch.header)}.",
                file=path, line=1,
            )  # fmt: skip
        if ours in where:
            raise BadInput(f"--columns: both {where[ours]!r} and {theirs!r} are called {ours}; keep one.")
        where[ours] = theirs
    for ours, aliases in ALIASES.items():
        match = next((alias for alias in aliases if has(batch, alias)), None)
        if ours not in where and match is not None:
            where[ours] = match
    kind = _kind(batch, where)
    needed = ("model_a", "model_b") + (("winner",) if kind == "votes" else ())
    missing = [name for name in needed if name not in where]
    if missing:
        raise BadInput(
            f"has no column {', '.join(missing)}; it has {shown(batch.header)}. "
            f"Name yours with --columns theirs={missing[0]}.",
            file=path, line=1,
        )  # fmt: skip
    return Layout(kind, where)


def _kind(batch: Batch, where: Mapping[str, str]) -> str:
    if "winner" in where:
        return "votes"
    if all(map(batch.has, ONE_HOT)):
        return "one_hot"
    return "counts" if "wins_a" in where and "wins_b" in where else "votes"


def has(batch: Batch, name: str) -> bool:
    """Is there such a column? A cell of CSV may hold `conv_metadata` as JSON."""
    return batch.has(name) or (
        batch.values is None and name.startswith("conv_metadata.") and "conv_metadata" in batch.header
    )


def shown(names: Sequence[str]) -> str:
    """Names for a message, not too many."""
    return ", ".join(map(unquoted, names[:SHOWN])) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def words(given: Mapping[str, str]) -> dict[str, int]:
    """Every understood word of an outcome, in small letters; `--labels theirs=ours` stand beside the standard ones.

    Raises
    ------
    BadInput
        The right-hand side is no outcome.
    """
    found = {word: int(outcome) for word, outcome in LABELS.items()}
    for theirs, ours in given.items():
        if ours.strip().lower() not in LABELS:
            raise BadInput(f"--labels {theirs}={ours}: {ours!r} is not an outcome; use {', '.join(ALLOWED)}.")
        found[theirs.strip().lower()] = int(LABELS[ours.strip().lower()])
    return found


def pairs(text: str, flag: str) -> dict[str, str]:
    """`theirs=ours,…` as a mapping; a name that holds a comma stands in quotes as in CSV.

    Raises
    ------
    BadInput
        A part has no equals sign, or an empty side.

    Examples
    --------
    >>> pairs('who=voter,"a,b=winner"', "--columns")
    {'who': 'voter', 'a,b': 'winner'}
    """
    found: dict[str, str] = {}
    for item in filter(None, next(csv.reader([text]), [])):
        theirs, equals, ours = item.rpartition("=")
        if not equals or not theirs or not ours:
            raise BadInput(f"{flag} {item!r} must read theirs=ours, several joined by commas.")
        found[theirs] = ours.strip()
    return found


def number(text: str) -> float:
    """A frequency: zero or more, finite; NaN where it is none of that.

    Examples
    --------
    >>> number("2"), number("-1"), number("1_0"), number("inf")
    (2.0, nan, nan, nan)
    """
    try:
        value = float(text)
    except ValueError:
        return nan
    return value if 0 <= value < MOST and "_" not in text else nan


def moment(text: str) -> float:
    """Seconds since 1970 from such a number or from ISO 8601, without zone taken as UTC; NaN where it is neither.

    Examples
    --------
    >>> moment("1700000000.5"), moment("2023-11-14T22:13:20Z"), moment("2023-11-14 22:13:20")
    (1700000000.5, 1700000000.0, 1700000000.0)
    """
    try:
        value = float(text)
        return value if abs(value) < MOST and "_" not in text else nan
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return nan
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
