"""What a file of votes held: compact columns, aligned by row, for every command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ratings.data import Comparisons, Floats, Ints, Outcome, comparisons
from ratings.errors import BadInput
from ratings.formats import shown
from ratings.packed import Codes


@dataclass(frozen=True, slots=True)
class Texts:
    """A column of texts: `codes`, int32, shape (m,), are positions in `values`; -1 where the cell was blank."""

    codes: Codes
    values: tuple[str, ...]

    def at(self, rows: NDArray[np.bool_]) -> Texts:
        """Some rows; all values stay known."""
        return Texts(self.codes[rows], self.values)

    def counts(self) -> dict[str, int]:
        """Rows of each value that occurs, the commonest first."""
        count = np.bincount(self.codes[self.codes >= 0], minlength=len(self.values)).tolist()
        order = sorted(range(len(count)), key=lambda k: (-count[k], self.values[k]))
        return {self.values[k]: count[k] for k in order if count[k]}


@dataclass(frozen=True, slots=True)
class VoteFile:
    """Votes in the order of the file, 9 bytes a row, 13 with voters, 21 with weights; made by `read_table`.

    Attributes
    ----------
    file : str
    header : tuple of str
        The file's own columns.
    names : tuple of str, length n
        Competitors, sorted.
    a, b : int32, shape (m,)
        Positions in `names`, by side.
    outcome : int8, shape (m,)
        Values of `Outcome`.
    weight : float64, shape (m,), or None
        Frequencies, above zero; None where each row is one vote.
    voter : int32, shape (m,), or None
        Voters by the order of their first vote.
    voters : tuple of str, length v
        Their names; empty for votes that carry none among votes that do.
    texts : mapping of str to Texts
        Columns that were asked for: `prompt_id`, `category`, `language`, `cluster`, or any by the file's own name.
    numbers : mapping of str to float64, shape (m,)
        Columns that were asked for: `timestamp` and `voter_since` in seconds since 1970, style counts by side as
        `length_a`. NaN where the cell was blank.
    notes : tuple of str
        What was left out, and why.
    """

    file: str
    header: tuple[str, ...]
    names: tuple[str, ...]
    a: Codes
    b: Codes
    outcome: NDArray[np.int8]
    weight: Floats | None = None
    voter: Codes | None = None
    voters: tuple[str, ...] = ()
    texts: Mapping[str, Texts] = field(default_factory=dict)
    numbers: Mapping[str, Floats] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def comparisons(self) -> Comparisons:
        """One comparison a row, in the order of the file and aligned with the other columns."""
        return comparisons(self.names, self.a, self.b, self.outcome, voter=self.voter, weight=self.weight)

    def counted(self) -> Comparisons:
        """The same votes counted by voter, pair, side and outcome: all that a board needs, in far less memory.

        Examples
        --------
        >>> one, zero = np.ones(3, np.int32), np.zeros(3, np.int32)
        >>> VoteFile("", (), ("x", "y"), zero, one, zero.astype(np.int8)).counted().weight.tolist()
        [3.0]
        """
        n, outcomes = max(len(self.names), 1), len(Outcome)
        key = np.zeros(self.a.size, np.int64) if self.voter is None else self.voter.astype(np.int64)
        for size, column in ((n, self.a), (n, self.b), (outcomes, self.outcome)):
            key *= size
            key += column
        keys, weight = _summed(key, self.weight)
        pair, outcome = np.divmod(keys, outcomes)
        voter = None if self.voter is None else pair // (n * n)
        return comparisons(self.names, pair // n % n, pair % n, outcome, voter=voter, weight=weight)

    def where(self, column: str, value: str) -> VoteFile:
        """The votes of one category, as if the file had held no others.

        Raises
        ------
        BadInput
            The column is not there, or the value does not occur; the allowed ones are named.
        """
        if column not in self.texts:
            raise BadInput(f"has no column {column!r} to choose by; it has {shown(self.header)}.", file=self.file)
        texts = self.texts[column]
        counts = texts.counts()
        if value not in counts:
            raise BadInput(
                f"{value!r} does not occur; use one of {shown([f'{name} ({n:,})' for name, n in counts.items()])}.",
                file=self.file, column=column,
            )  # fmt: skip
        part = self.at(texts.codes == texts.values.index(value))
        note = f"{column} is {value} in {part.a.size:,} of {self.a.size:,} rows; only these are rated."
        return replace(part, notes=(*self.notes, note))

    def at(self, rows: NDArray[np.bool_]) -> VoteFile:
        """Some rows, with the competitors and voters that occur in them."""
        a, b = self.a[rows], self.b[rows]
        alive = np.unique(np.concatenate([a, b]))
        place = np.zeros(len(self.names), np.int32)
        place[alive] = np.arange(alive.size, dtype=np.int32)
        voter, who = (None, ()) if self.voter is None else by_first_vote(self.voter[rows], self.voters)
        return replace(
            self, names=tuple(self.names[i] for i in alive.tolist()), a=place[a], b=place[b],
            outcome=self.outcome[rows], weight=None if self.weight is None else self.weight[rows],
            voter=voter, voters=who,
            texts={name: texts.at(rows) for name, texts in self.texts.items()},
            numbers={name: values[rows] for name, values in self.numbers.items()},
        )  # fmt: skip


def by_first_vote(voter: Codes, names: tuple[str, ...]) -> tuple[Codes, tuple[str, ...]]:
    """Voters coded anew by the order of their first row, so that pseudonyms change nothing.

    Examples
    --------
    >>> codes, names = by_first_vote(np.array([2, 0, 2], np.int32), ("ann", "bob", "cy"))
    >>> codes.tolist(), names
    ([0, 1, 0], ('cy', 'ann'))
    """
    first = np.full(len(names), -1, np.int64)
    first[voter[::-1]] = np.arange(voter.size - 1, -1, -1, dtype=np.int32)  # of several rows the last one written stays
    found = np.flatnonzero(first >= 0)
    order = found[np.argsort(first[found])]
    place = np.zeros(len(names), np.int32)
    place[order] = np.arange(order.size, dtype=np.int32)
    return place[voter], tuple(names[i] for i in order.tolist())


def _summed(key: Ints, weight: Floats | None) -> tuple[Ints, Floats]:
    """Distinct keys in order, and how much stands under each."""
    if weight is not None:
        keys, where = np.unique(key, return_inverse=True)
        return keys, np.bincount(where.ravel(), weight, minlength=keys.size).astype(np.float64)
    space = int(key.max(initial=0)) + 1
    if space <= 4 * key.size:
        count = np.bincount(key, minlength=space)
        keys = np.flatnonzero(count)
        return keys, count[keys].astype(np.float64)
    key.sort()
    begin = np.flatnonzero(np.diff(key, prepend=-1))
    return key[begin], np.diff(begin, append=key.size).astype(np.float64)
