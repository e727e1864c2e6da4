"""Batches checked and laid into compact columns, row by row what they say and where they stand."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import product
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from ratings.columns import Numbers, Values, amount, at, blank_rows, cell, flag, only
from ratings.data import Floats, Ints
from ratings.duplicates import Keys
from ratings.errors import MOST_SHOWN, BadInput, DuplicateVote, SelfComparison, UnknownLabel, quoted
from ratings.formats import (
    ALLOWED,
    COUNT_OUTCOMES,
    COUNTS,
    FREQUENCY,
    NOT_RATED,
    NUMBERS,
    ONE_HOT,
    Layout,
    has,
    moment,
    number,
)  # fmt: skip
from ratings.json_rows import as_text, inside
from ratings.packed import Coder, Codes, Column, hashes
from ratings.rows import Batch
from ratings.votefile import Texts, VoteFile, by_first_vote

REFUSED, TOO_MANY, BROKEN = -1, -2, -3


def nothing() -> tuple[Codes, Codes, NDArray[np.int8]]:
    """Columns of a file without votes."""
    return np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.int8)


class Rows:
    """Columns as they fill."""

    def __init__(
        self, path: str, form: Layout, first: Batch, understood: Mapping[str, int], wanted: Collection[str], most: int
    ) -> None:
        self.path, self.form, self.where, self.header, self.most = path, form, form.where, first.header, most
        self.names: dict[str, int] = {}
        self.voters: dict[str, int] = {}
        self.name_codes = Coder(self._name)
        self.voter_codes = Coder(lambda text: self.voters.setdefault(text.strip(), len(self.voters)))
        self.words = Coder(lambda text: understood.get(text.strip().lower(), REFUSED))
        self.rated = Coder(lambda text: text.strip().lower() != "false")
        self.columns: dict[str, list[NDArray[Any]]] = {}
        self.floats: dict[str, Numbers] = {}
        self.texts: dict[str, Values] = {}
        self.kept = [name for name in wanted if name in self.where or has(first, name)]
        self.keys = Keys()
        self.unrated = dict.fromkeys(NOT_RATED, 0)
        self.keyless = 0

    def _name(self, text: str) -> int:
        name = text.strip()
        if not name:
            return REFUSED
        if not name.isascii() and any("\ud800" <= char <= "\udfff" for char in name):
            return BROKEN
        if name not in self.names and len(self.names) >= self.most:
            return TOO_MANY
        return self.names.setdefault(name, len(self.names))

    def take(self, batch: Batch) -> None:
        """One batch: every column of it is checked, then laid to the others."""
        batch = self._only_rated(batch)
        if not batch.size:
            return
        known = len(self.names)
        a, b = (self._names(batch, side, known) for side in ("model_a", "model_b"))
        same = np.flatnonzero(a == b)
        if same.size:
            name = cell(batch, self.where["model_b"], int(same[0])).strip()
            raise SelfComparison(name, **self._place(batch, same[0]), column=self.where["model_b"])
        voter = self.voter_codes.encode(batch.column(self.where["voter"])) if "voter" in self.where else None
        self._remember_keys(batch, voter)
        weight = self._weights(batch) if "weight" in self.where else None
        found: dict[str, NDArray[Any]] = {"a": a, "b": b}
        if voter is not None:
            found["voter"] = voter
        for name in self.kept:
            found[f"wanted {name}"] = self._wanted(batch, name)
        outcome: NDArray[Any]
        if self.form.kind == "counts":
            rows, outcome, mass = self._counts(batch)
            found = {name: column[rows] for name, column in found.items()}
            weight = mass if weight is None else mass * weight[rows]
        else:
            outcome = self._outcomes(batch) if self.form.kind == "votes" else self._one_hot(batch)
        found["outcome"] = outcome.astype(np.int8)
        if weight is not None:
            found["weight"] = weight
            found = {name: column[weight > 0] for name, column in found.items()}
        for name, column in found.items():
            self.columns.setdefault(name, []).append(column)

    # what a row says

    def _only_rated(self, batch: Batch) -> Batch:
        for name in NOT_RATED:
            if name in batch.header:
                rated = np.flatnonzero(self.rated.encode(batch.column(name)) == 1)
                self.unrated[name] += batch.size - rated.size
                batch = batch if rated.size == batch.size else only(batch, rated)
        return batch

    def _names(self, batch: Batch, side: str, known: int) -> Codes:
        column = self.where[side]
        codes = self.name_codes.encode(batch.column(column))
        wrong = np.flatnonzero(codes < 0)
        if wrong.size:
            if (codes[wrong] == TOO_MANY).any():
                self._refuse_too_many(batch, known)
            if codes[wrong[0]] == REFUSED:
                self._refuse(batch, wrong[0], column, "the name is empty")
            value = ascii(cell(batch, column, int(wrong[0]))[:MOST_SHOWN])
            self._refuse(batch, wrong[0], column, f"the name {value} holds half a character")
        return codes

    def _refuse_too_many(self, batch: Batch, known: int) -> NoReturn:
        """Names the cell with which the competitors became too many; codes were given a column at a time."""
        names = set(list(self.names)[:known])
        columns = [self.where[side] for side in ("model_a", "model_b")]
        cells = [batch.column(column) for column in columns]
        for row, side in product(range(batch.size), (0, 1)):
            names.add(at(cells[side], row).strip())
            if len(names) > self.most:
                break
        self._refuse(
            batch, row, columns[side],
            f"{quoted(at(cells[side], row))} is competitor number {self.most + 1:,}, and at most {self.most:,} can be "
            "rated together: does this column hold names of competitors? Name yours with --columns",
        )  # fmt: skip

    def _outcomes(self, batch: Batch) -> Codes:
        column = self.where["winner"]
        codes = self.words.encode(batch.column(column))
        wrong = np.flatnonzero(codes < 0)
        if wrong.size:
            value = cell(batch, column, int(wrong[0]))
            raise UnknownLabel(value, ALLOWED, **self._place(batch, wrong[0]), column=column)
        return codes

    def _one_hot(self, batch: Batch) -> Ints:
        hot = np.stack([self._numbers(batch, name, flags=True) for name in ONE_HOT])
        wrong = np.flatnonzero((hot.sum(axis=0) != 1) | (hot.max(axis=0) != 1))
        if wrong.size:
            held = ", ".join(
                f"{name} {value:g}" for name, value in zip(ONE_HOT, hot[:, wrong[0]].tolist(), strict=True)
            )
            self._refuse(batch, wrong[0], "", f"exactly one of the outcomes must be 1, and the row has {held}")
        return np.asarray(np.argmax(hot, axis=0))

    def _counts(self, batch: Batch) -> tuple[Ints, Ints, Floats]:
        """Rows, outcomes and frequencies of a table of counts: one each where something was counted."""
        given = [
            (self.where[name], what) for name, what in zip(COUNTS, COUNT_OUTCOMES, strict=True) if name in self.where
        ]
        mass = np.stack([self._numbers(batch, column) for column, _ in given], axis=1)
        rows = np.repeat(np.arange(batch.size), len(given))
        outcome = np.tile(np.array([int(what) for _, what in given]), batch.size)
        return rows, outcome, mass.ravel()

    def _weights(self, batch: Batch) -> Floats:
        return self._numbers(batch, self.where["weight"])

    def _numbers(self, batch: Batch, column: str, *, flags: bool = False) -> Floats:
        parse = flag if flags else number
        values = self.floats.setdefault(column, Numbers(parse)).take(batch.column(column))
        wrong = np.flatnonzero(np.isnan(values))
        if wrong.size:
            value = cell(batch, column, int(wrong[0]))
            self._refuse(batch, wrong[0], column, f"{quoted(value)} must be {FREQUENCY}")
        return values

    # columns that were asked for

    def _wanted(self, batch: Batch, name: str) -> NDArray[Any]:
        column = self.where.get(name, name)
        if name not in NUMBERS:
            return self.texts.setdefault(name, Values()).take(self._cells(batch, column))
        parse = moment if name in ("timestamp", "voter_since") else amount
        cells = self._cells(batch, column)
        values = self.floats.setdefault(name, Numbers(parse)).take(cells)
        blank = np.flatnonzero(np.isnan(values))
        wrong = next((row for row in blank.tolist() if at(cells, row).strip()), None)
        if wrong is not None:
            said = "a time: seconds since 1970, or as 2025-01-31T12:00:00Z" if parse is moment else "a number"
            self._refuse(batch, wrong, column, f"{quoted(at(cells, wrong))} must be {said}")
        return values

    def _cells(self, batch: Batch, column: str) -> Column:
        if batch.has(column):
            return batch.column(column)
        if batch.values is not None:
            return [""] * batch.size
        outer, _, inner = column.partition(".")  # a cell of CSV that holds an object
        found = []
        for row in range(batch.size):
            text = cell(batch, outer, row)
            try:
                found.append(as_text(inside(json.loads(text), inner)) if text.strip() else "")
            except (ValueError, RecursionError):
                self._refuse(batch, row, outer, f"{text[:80]!r} is not JSON")
        return found

    # duplicates

    def _remember_keys(self, batch: Batch, voter: Codes | None) -> None:
        if "id" not in self.where:
            return
        ids = batch.column(self.where["id"])
        blank = blank_rows(ids)
        self.keyless += blank.size
        self.keys.add(hashes(ids), None if voter is None else voter.astype(np.int64), blank)

    def refuse_repeats(self, again: Callable[[], Iterable[Batch]]) -> None:
        """The same id by the same voter, or the same id without voter, is refused with both places."""
        if "id" not in self.where:
            return
        places: dict[int, tuple[int, int, str, bool]] = {}

        def look(rows: Ints) -> dict[int, object]:
            found: dict[int, object] = {}
            before = 0
            for batch in map(self._only_rated, again()):
                inside_batch = rows[(rows >= before) & (rows < before + batch.size)] - before
                for row in inside_batch.tolist():
                    key, voter = (cell(batch, self.where[name], row).strip() if name in self.where else ""
                                  for name in ("id", "voter"))  # fmt: skip
                    found[before + row] = (key, voter) if key else None
                    said = f"{key} by {voter}" if voter else key
                    places[before + row] = batch.line(row), batch.first + row + 1, said, batch.counted
                before += batch.size
                if before > rows[-1]:
                    break
            return found

        unrated, pair = dict(self.unrated), self.keys.first_repeat(look)
        self.unrated = unrated
        if pair is not None:
            (one, first, said, counted), (two, second, _, _) = places[pair[0]], places[pair[1]]
            items = (first, second) if counted else None
            raise DuplicateVote(said, one, two, file=self.path, column=self.where["id"], items=items)

    # the whole

    def table(self) -> VoteFile:
        """All of it, competitors in the order of their names, voters in the order of their first vote."""
        names = sorted(self.names)
        place = np.zeros(max(len(names), 1), np.int32)
        place[[self.names[name] for name in names]] = np.arange(len(names), dtype=np.int32)
        a, b, outcome = nothing()
        if "a" in self.columns:
            a, b, outcome = place[self._whole("a")], place[self._whole("b")], self._whole("outcome")
        weight = self._whole("weight") if "weight" in self.columns else None
        notes: list[str] = []
        voter: Codes | None = None
        who: tuple[str, ...] = ()
        if "voter" in self.columns:
            voter, who = self._voters(notes)
        notes += [f"{rows:,} rows with {name} false are not rated." for name, rows in self.unrated.items() if rows]
        if self.keyless:
            notes.append(f"{self.keyless:,} votes carry no id and could not be checked for duplicates.")
        texts = {
            name: Texts(self._whole(f"wanted {name}"), tuple(values.values)) for name, values in self.texts.items()
        }
        numbers = {name: self._whole(f"wanted {name}") for name in self.kept if name in NUMBERS and self.columns}
        return VoteFile(
            self.path, self.header, tuple(names), a, b, outcome, weight, voter, who, texts, numbers, tuple(notes)
        )

    def _whole(self, name: str) -> NDArray[Any]:
        parts = self.columns.pop(name)
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _voters(self, notes: list[str]) -> tuple[Codes | None, tuple[str, ...]]:
        """Voters by first vote; a vote without voter, among votes with one, stands for itself."""
        voter, names = self._whole("voter"), tuple(self.voters)
        unknown = self.voters.get("")
        if unknown is not None:
            blank = np.flatnonzero(voter == unknown)
            if blank.size == voter.size:
                return None, ()
            if blank.size:
                voter[blank] = len(names) + np.arange(blank.size, dtype=np.int32)
                names = (*names, *([""] * blank.size))
                notes.append(f"{blank.size:,} votes carry no voter; each is taken for a voter of its own.")
        return by_first_vote(voter, names)

    def _place(self, batch: Batch, row: Any) -> dict[str, Any]:
        item = batch.first + int(row) + 1 if batch.counted else None
        return {"file": self.path, "line": batch.line(int(row)), "item": item}

    def _refuse(self, batch: Batch, row: Any, column: str, said: str) -> NoReturn:
        raise BadInput(f"{said}.", **self._place(batch, row), column=column)
