"""Checked arrays of comparisons, and the counts that a fit needs.

Letters: n competitors, m comparisons, p ordered cells (pair and side), v voters.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ratings.errors import BadInput, SelfComparison

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Outcome(IntEnum):
    """What a comparison said. Both-bad counts as a tie in the fit and is reported apart."""

    A = 0
    B = 1
    TIE = 2
    BOTH_BAD = 3


SCORE_OF_A = np.array([1.0, 0.0, 0.5, 0.5])
"""Half a win each for a tie: the public arena's rule, and this package's default."""


@dataclass(frozen=True, slots=True)
class Comparisons:
    """Comparisons, one a row or already counted; made by `comparisons`, which checks them.

    Attributes
    ----------
    names : tuple of str, length n
    a, b : int64, shape (m,)
        Positions in `names`, by the side on which each was shown.
    outcome : int64, shape (m,)
        Values of `Outcome`.
    weight : float64, shape (m,)
        Frequencies: 2.0 counts as two identical votes of that voter.
    voter : int64, shape (m,), or None
        Voters coded in the order of their first vote, so that pseudonyms change no byte.
    """

    names: tuple[str, ...]
    a: Ints
    b: Ints
    outcome: Ints
    weight: Floats
    voter: Ints | None

    @property
    def votes(self) -> float:
        """Sum of the weights."""
        return float(self.weight.sum())

    @property
    def voters(self) -> int:
        """Number of distinct voters; 0 when unknown."""
        return 0 if self.voter is None else int(np.unique(self.voter).size)


@dataclass(frozen=True, slots=True)
class Cells:
    """Sufficient statistics of a Bradley-Terry fit: one cell an ordered pair that was shown.

    Attributes
    ----------
    n : int
        Competitors.
    a, b : int64, shape (p,)
        Who was shown first and second.
    count, score : float64, shape (p,)
        Comparisons, and wins of a with half of the ties.
    """

    n: int
    a: Ints
    b: Ints
    count: Floats
    score: Floats


def comparisons(
    names: Sequence[str],
    a: ArrayLike,
    b: ArrayLike,
    outcome: ArrayLike,
    *,
    voter: ArrayLike | None = None,
    weight: ArrayLike | None = None,
) -> Comparisons:
    """Checks and freezes comparisons.

    Parameters
    ----------
    names : sequence of str, length n
    a, b, outcome : array_like of int, shape (m,)
    voter : array_like of int, shape (m,), optional
    weight : array_like of float, shape (m,), optional
        Non-negative and finite; ones by default. Rows of weight zero are dropped.

    Raises
    ------
    BadInput
        Lengths differ, a code is out of range, a weight is negative or not finite, a name stands twice.
    SelfComparison

    Examples
    --------
    >>> data = comparisons(["x", "y"], [0, 0], [1, 1], [Outcome.A, Outcome.TIE])
    >>> data.votes
    2.0
    """
    labels = tuple(str(name) for name in names)
    if len(set(labels)) != len(labels):
        twice = next(name for name in labels if labels.count(name) > 1)
        raise BadInput(f"the name {twice!r} stands twice in the list of competitors.")
    first, second, what = (np.asarray(x, dtype=np.int64).ravel() for x in (a, b, outcome))
    mass = np.ones(first.size) if weight is None else np.asarray(weight, dtype=np.float64).ravel()
    who = None if voter is None else np.asarray(voter, dtype=np.int64).ravel()
    if not first.size == second.size == what.size == mass.size == (first.size if who is None else who.size):
        raise BadInput("a, b, outcome, weight and voter must have one length.")
    _check_range(first, len(labels), "a")
    _check_range(second, len(labels), "b")
    _check_range(what, len(Outcome), "outcome")
    same = np.flatnonzero(first == second)
    if same.size:
        raise SelfComparison(labels[first[same[0]]])
    wrong = np.flatnonzero(~np.isfinite(mass) | (mass < 0))
    if wrong.size:
        raise BadInput(f"the weight {mass[wrong[0]]} of row {wrong[0]} must be a finite number, zero or more.")
    kept = mass > 0
    return Comparisons(labels, first[kept], second[kept], what[kept], mass[kept], None if who is None else who[kept])


def cells(data: Comparisons) -> Cells:
    """Counts comparisons by ordered pair; the order of rows changes nothing.

    Returns
    -------
    Cells
    """
    n = len(data.names)
    keys, where = np.unique(data.a * n + data.b, return_inverse=True)
    count = exact_sums(where, data.weight, keys.size)
    score = exact_sums(where, data.weight * SCORE_OF_A[data.outcome], keys.size)
    return Cells(n, keys // max(n, 1), keys % max(n, 1), count, score)


def exact_sums(where: Ints, values: Floats, size: int) -> Floats:
    """Sums by group; for weights that are whole or half numbers, exact and so free of the order of rows."""
    return np.bincount(where, values, minlength=size).astype(np.float64)


def canonical(data: Comparisons) -> Comparisons:
    """The same votes counted by voter, pair, side and outcome, names and rows in order.

    Whatever order rows or names came in, and whether votes were counted before, what follows is the same to the bit.
    """
    order = sorted(range(len(data.names)), key=data.names.__getitem__)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    voter = np.zeros(data.a.size, dtype=np.int64) if data.voter is None else data.voter
    columns = (
        np.stack([voter, place[data.a], place[data.b], data.outcome]) if data.a.size else np.zeros((4, 0), np.int64)
    )
    keys, where = np.unique(columns, axis=1, return_inverse=True)
    weight = exact_sums(where.ravel(), data.weight, keys.shape[1])
    names = tuple(data.names[i] for i in order)
    return Comparisons(names, keys[1], keys[2], keys[3], weight, None if data.voter is None else keys[0])


def fingerprint(data: Comparisons) -> str:
    """SHA-256 over canonical votes: names, then voter (by first vote), a, b, outcome and frequency of each row."""
    columns = [np.zeros(0, np.int64) if data.voter is None else data.voter, data.a, data.b, data.outcome]
    digest = hashlib.sha256("\x00".join(data.names).encode())
    for column in columns:
        digest.update(b"|" + column.astype("<i8").tobytes())
    digest.update(b"|" + data.weight.astype("<f8").tobytes())
    return digest.hexdigest()


def _check_range(codes: Ints, size: int, name: str) -> None:
    wrong = np.flatnonzero((codes < 0) | (codes >= size))
    if wrong.size:
        raise BadInput(f"{name}[{wrong[0]}] is {codes[wrong[0]]}, and only 0 to {size - 1} are known.")
