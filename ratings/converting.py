"""Votes of any shape that is read, row by row in the shape that is written; texts of battles come along."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import isnan
from typing import Any

from ratings.data import Outcome
from ratings.errors import BadInput, RatingsError, SelfComparison, UnknownLabel, quoted
from ratings.formats import (
    ALLOWED,
    COUNT_OUTCOMES,
    COUNTS,
    FREQUENCY,
    NOT_RATED,
    ONE_HOT,
    Layout,
    layout,
    moment,
    number,
    words,
)  # fmt: skip
from ratings.json_rows import as_text
from ratings.packed import PackedCells
from ratings.reading import batches
from ratings.rows import Batch
from ratings.sources import opened
from ratings.writers import OURS, PUBLIC, both_said, said, when

Turn = tuple[str, str, str]
"""What the user said, and what the two sides answered."""
Refuse = Callable[[RatingsError], None]
LABEL = dict(zip(Outcome, ALLOWED, strict=True))
AS_THEY_ARE = ("evaluation_session_id", "evaluation_order", "conv_metadata", "category_tag", "is_code", "policy",
               "draw_probability", "source")  # fmt: skip
"""Columns of the written shape that a file may have under the same name."""
OBJECTS = ("conv_metadata", "category_tag")
TEXTS = ("id", "category", "language", "cluster", "prompt_id")


@dataclass(frozen=True, slots=True)
class ForeignVote:
    """One row of a file.

    Attributes
    ----------
    line : int
        From 1, the header.
    item : int or None
        The vote's number where many share a line.
    values : dict
        By the names of `writers.PUBLIC` and `writers.OURS`; what the file does not know is left out.
    turns : tuple of (user, a, b)
        Empty where the file holds no texts.
    """

    line: int
    item: int | None
    values: dict[str, Any]
    turns: tuple[Turn, ...] = ()


def raise_it(error: RatingsError) -> None:
    """The first problem ends the reading."""
    raise error


def read_rows(
    path: str,
    *,
    columns: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    refuse: Refuse = raise_it,
    notes: list[str] | None = None,
) -> Iterator[ForeignVote]:
    """Votes in the order of the file; a row of a table of counts becomes one a counted outcome, with its weight.

    Rows that no board rates (`anony` or `rated` false) and rows of weight zero are left out and noted. Duplicates are
    not looked for: `reading.read_table` does that in bounded memory.

    Parameters
    ----------
    columns, labels : mapping of the file's words to ours, optional
    refuse : callable
        Told of each problem of a row, which is then left out; by default it raises.
    notes : list of str, optional
        Sentences on what was left out are added to it.

    Raises
    ------
    BadInput
        The file as a whole cannot be read, or a column is missing.
    """
    told: list[str] = [] if notes is None else notes
    understood = words(labels or {})
    with opened(path) as file:
        source = batches(file, path, told)
        first = next(source, None)
        if first is None:
            return
        reader = _Reader(path, layout(first, columns or {}, path), understood, refuse)
        for batch in chain([first], source):
            yield from reader.votes(batch)
    told.extend(reader.notes())


class _Reader:
    """Rows of one file, and what was left out."""

    def __init__(self, path: str, form: Layout, understood: Mapping[str, int], refuse: Refuse) -> None:
        self.path, self.form, self.where, self.understood, self.refuse = path, form, form.where, understood, refuse
        self.unrated = dict.fromkeys(NOT_RATED, 0)
        self.empty = 0

    def notes(self) -> Iterator[str]:
        yield from (f"{rows:,} rows with {name} false are not rated." for name, rows in self.unrated.items() if rows)
        if self.empty:
            yield f"{self.empty:,} rows of weight zero were left out."

    def votes(self, batch: Batch) -> Iterator[ForeignVote]:
        cells = {name: _values(batch, name) for name in self._needed(batch)}
        for row in range(batch.size):
            given = {name: values[row] for name, values in cells.items()}
            place = {"file": self.path, "line": batch.line(row),
                     "item": batch.first + row + 1 if batch.counted else None}  # fmt: skip
            if mark := next((name for name in NOT_RATED if as_text(given.get(name)).strip().lower() == "false"), None):
                self.unrated[mark] += 1
                continue
            try:
                yield from self._row(given, place)
            except BadInput as problem:
                self.refuse(problem)

    def _needed(self, batch: Batch) -> Collection[str]:
        names = [*self.where.values(), *NOT_RATED, *ONE_HOT, *AS_THEY_ARE, *_SPOKEN]
        return [name for name in dict.fromkeys(names) if name in batch.header or batch.has(name)]

    def _row(self, given: Mapping[str, Any], place: dict[str, Any]) -> Iterator[ForeignVote]:
        values = self._known(given, place)
        turns = _turns(given, place)
        if turns:
            values |= {
                "conversation_a": said((user, a) for user, a, _ in turns),
                "conversation_b": said((user, b) for user, _, b in turns),
                "full_conversation": both_said(turns),
            }
            if "response_a" in given:  # the public set of that shape has the text where others have an id
                values.pop("prompt_id", None)
        for outcome, mass in self._outcomes(given, place):
            if mass == 0:
                self.empty += self.form.kind != "counts"
                continue
            weight = {} if self.form.kind != "counts" and "weight" not in self.where else {"weight": mass}
            yield ForeignVote(
                place["line"], place["item"], {**values, **weight, "winner": LABEL[Outcome(outcome)]}, turns
            )

    def _known(self, given: Mapping[str, Any], place: dict[str, Any]) -> dict[str, Any]:
        names = [as_text(self._at(given, side)).strip() for side in ("model_a", "model_b")]
        for side, name in zip(("model_a", "model_b"), names, strict=True):
            if not name:
                raise BadInput("the name is empty.", **place, column=self.where[side])
        if names[0] == names[1]:
            raise SelfComparison(names[0], **place)
        found: dict[str, Any] = {"model_a": names[0], "model_b": names[1]}
        found |= {name: text for name in TEXTS if (text := as_text(self._at(given, name)).strip())}
        if judge := as_text(self._at(given, "voter")).strip():
            found["judge"] = judge
        for ours in ("timestamp", "voter_since"):
            if text := as_text(self._at(given, ours)).strip():
                found[ours] = _moment(text, place, self.where[ours])
        for name in AS_THEY_ARE:
            if given.get(name) not in (None, ""):
                found[name] = _object(given[name]) if name in OBJECTS else given[name]
        return found

    def _at(self, given: Mapping[str, Any], ours: str) -> Any:
        return given.get(self.where.get(ours, ""))

    def _outcomes(self, given: Mapping[str, Any], place: dict[str, Any]) -> Iterator[tuple[int, float]]:
        """Outcomes of a row and how often each was given."""
        weight = self._number(given, self.where["weight"], place) if "weight" in self.where else 1.0
        if self.form.kind == "counts":
            for ours, outcome in zip(COUNTS, COUNT_OUTCOMES, strict=True):
                if ours in self.where:
                    yield int(outcome), weight * self._number(given, self.where[ours], place)
        elif self.form.kind == "one_hot":
            hot = [{"true": 1.0, "false": 0.0}.get(as_text(given[name]).lower(), number(as_text(given[name])))
                   for name in ONE_HOT]  # fmt: skip
            if sorted(hot) != [0.0, 0.0, 1.0]:
                raise BadInput(f"exactly one of {', '.join(ONE_HOT)} must be 1.", **place)
            yield hot.index(1.0), weight
        else:
            word = as_text(self._at(given, "winner"))
            code = self.understood.get(word.strip().lower())
            if code is None:
                raise UnknownLabel(word, ALLOWED, **place, column=self.where["winner"])
            yield code, weight

    def _number(self, given: Mapping[str, Any], column: str, place: dict[str, Any]) -> float:
        value = number(as_text(given[column]).strip())
        if isnan(value):
            raise BadInput(f"{quoted(as_text(given[column]))} must be {FREQUENCY}.", **place, column=column)
        return value


_SPOKEN = ("conversation_a", "conversation_b", "response_a", "response_b", "prompt")


def _values(batch: Batch, name: str) -> Sequence[Any]:
    if batch.values is not None:
        return batch.values(name)
    cells = batch.column(name)
    return cells.texts() if isinstance(cells, PackedCells) else cells


def _moment(text: str, place: dict[str, Any], column: str) -> str:
    seconds = moment(text)
    if isnan(seconds) or not -6e10 < seconds < 2.5e11:  # the years that can be written
        raise BadInput(
            f"{text[:80]!r} must be a time: seconds since 1970, or as 2025-01-31T12:00:00Z.", **place, column=column
        )
    return when(seconds)


def _turns(given: Mapping[str, Any], place: dict[str, Any]) -> tuple[Turn, ...]:
    """Turns of both sides, whichever way a public set holds them."""
    if given.get("conversation_a") and given.get("conversation_b"):
        a, b = (_talk(given[f"conversation_{side}"], place, f"conversation_{side}") for side in "ab")
    elif given.get("response_a") is not None and given.get("prompt"):
        asked = _texts(given["prompt"])
        a, b = (list(zip(asked, _texts(given[f"response_{side}"]), strict=False)) for side in "ab")
    else:
        return ()
    return tuple((user, first, second) for (user, first), (_, second) in zip(a, b, strict=False))


def _talk(value: Any, place: dict[str, Any], column: str) -> list[tuple[str, str]]:
    """(user, assistant) of each turn; a system message is the competitor's own and is passed over."""
    messages = _object(value)
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        raise BadInput("must be a list of messages, each with role and content.", **place, column=column)
    turns: list[tuple[str, str]] = []
    asked = ""
    for message in messages:
        text = _content(message.get("content"))
        if message.get("role") == "user":
            asked = text
        elif message.get("role") == "assistant":
            turns.append((asked, text))
            asked = ""
    return turns


def _content(value: Any) -> str:
    """Text as it is, or the texts among typed parts."""
    if isinstance(value, list):
        return "".join(as_text(part.get("text")) for part in value if isinstance(part, dict))
    return as_text(value)


def _texts(value: Any) -> list[str]:
    """One text a turn: a list, a list as JSON, or one text."""
    found = _object(value)
    return [as_text(text) for text in found] if isinstance(found, list) else [as_text(value)]


def _object(value: Any) -> Any:
    """What a cell of CSV holds as JSON, and anything else as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


WRITTEN = (*PUBLIC, *OURS)
