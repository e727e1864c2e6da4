"""Checked arrays of comparisons, and the counts that a fit needs.

Letters: n competitors, m comparisons, p ordered cells (pair and side), v voters.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ratings.errors import BadInput, SelfComparison

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Outcome(IntEnum):
    """What a comparison said. Both-bad counts as a tie in the fit and is reported apart.

    Examples
    --------
    >>> [(outcome.name, float(SCORE_OF_A[outcome])) for outcome in Outcome]
    [('A', 1.0), ('B', 0.0), ('TIE', 0.5), ('BOTH_BAD', 0.5)]
    """

    A = 0
    B = 1
    TIE = 2
    BOTH_BAD = 3


SCORE_OF_A = np.array([1.0, 0.0, 0.5, 0.5])
"""Half a win each for a tie: the public arena's rule, and this package's default."""
FEW_KEYS = 1 << 16
"""Keys that are always counted rather than sorted."""


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
    covariates : float64, shape (m, k), or None
        Style of a against b, (a - b) / (a + b) of a count each, -1 to 1; rows that carry them are never merged.
    covariate_names : tuple of str, length k
    """

    names: tuple[str, ...]
    a: Ints
    b: Ints
    outcome: Ints
    weight: Floats
    voter: Ints | None
    covariates: Floats | None = None
    covariate_names: tuple[str, ...] = ()

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
    covariates: ArrayLike | None = None,
    covariate_names: Sequence[str] = (),
) -> Comparisons:
    """Checks and freezes comparisons; arrays of the right type are kept, not copied, so leave them as they are.

    Parameters
    ----------
    names : sequence of str, length n
    a, b, outcome : array_like of int, shape (m,)
    voter : array_like of int, shape (m,), optional
    weight : array_like of float, shape (m,), optional
        Non-negative and finite; ones by default. Rows of weight zero are dropped.
    covariates : array_like of float, shape (m, k), optional
        Finite; see `style.relative_difference`.
    covariate_names : sequence of str, length k

    Raises
    ------
    BadInput
        Lengths differ, a code is out of range, a weight or covariate is not finite, a weight is negative, a name stands
        twice.
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
    same = first == second
    if same.any():
        raise SelfComparison(labels[first[same.argmax()]])
    if mass.size and not 0 <= mass.min() <= mass.max() < np.inf:
        wrong = np.flatnonzero(~np.isfinite(mass) | (mass < 0))
        raise BadInput(f"the weight {mass[wrong[0]]} of row {wrong[0]} must be a finite number, zero or more.")
    style, styles = _covariates(covariates, covariate_names, first.size)
    if (mass > 0).all():  # arrays of a million votes are not copied without need
        return Comparisons(labels, first, second, what, mass, who, style, styles)
    kept = mass > 0
    return Comparisons(
        labels, first[kept], second[kept], what[kept], mass[kept], None if who is None else who[kept],
        None if style is None else style[kept], styles,
    )  # fmt: skip


def _covariates(given: ArrayLike | None, names: Sequence[str], rows: int) -> tuple[Floats | None, tuple[str, ...]]:
    if given is None:
        return None, ()
    style = np.asarray(given, dtype=np.float64)
    if style.shape != (rows, len(names)):
        raise BadInput(f"covariates of shape {style.shape} must have {rows} rows and {len(names)} named columns.")
    finite = np.isfinite(style)
    if not finite.all():
        row, column = np.argwhere(~finite)[0].tolist()
        raise BadInput(f"the covariate {names[column]!r} of row {row} is {style[row, column]}, not a finite number.")
    return style, tuple(names)


def cells(data: Comparisons) -> Cells:
    """Counts comparisons by ordered pair; the order of rows changes nothing.

    Returns
    -------
    Cells
    """
    n = len(data.names)
    score = SCORE_OF_A[data.outcome]
    score *= data.weight
    keys, count, total = sums_by_key(ordered_pair(data), n * n, data.weight, score)
    return Cells(n, keys // max(n, 1), keys % max(n, 1), count, total)


def ordered_pair(data: Comparisons) -> Ints:
    """a · n + b of each comparison, shape (m,)."""
    key = data.a * len(data.names)
    key += data.b
    return key


def sums_by_key(keys: Ints, space: int, *values: Floats) -> tuple[Any, ...]:
    """The keys that occur, in order, and the sum of each of the values by key; `group` without keeping an inverse."""
    if space > max(4 * keys.size, FEW_KEYS):
        found, where = np.unique(keys, return_inverse=True)
        return found, *(exact_sums(where.ravel(), column, found.size) for column in values)
    found = np.flatnonzero(np.bincount(keys, minlength=space))
    return found, *(exact_sums(keys, column, space)[found] for column in values)


def net(table: Cells, values: Floats) -> Floats:
    """Sums by competitor of a value of each cell: added for who was shown first, taken from the other; shape (n,).

    Examples
    --------
    >>> net(Cells(3, np.array([0, 2]), np.array([1, 0]), np.ones(2), np.ones(2)), np.array([5.0, 1.0])).tolist()
    [4.0, -5.0, 1.0]
    """
    first = np.bincount(table.a, values, minlength=table.n)
    return np.asarray(first - np.bincount(table.b, values, minlength=table.n), dtype=np.float64)


def unordered(table: Cells) -> Cells:
    """The same counts by unordered pair, the lower position as a: all that a fit without the side effect needs.

    Examples
    --------
    >>> merged = unordered(cells(comparisons("xy", [0, 1, 1], [1, 0, 0], [Outcome.A, Outcome.A, Outcome.TIE])))
    >>> merged.count.tolist(), merged.score.tolist()
    ([3.0], [1.5])
    """
    if table.n**2 <= 4 * table.count.size:
        return _unordered_in_full(table)
    keys, where, turned = pair_of_cell(table)
    count = exact_sums(where, table.count, keys.size)
    score = exact_sums(where, np.where(turned, table.count - table.score, table.score), keys.size)
    return Cells(table.n, keys // max(table.n, 1), keys % max(table.n, 1), count, score)


def _unordered_in_full(table: Cells) -> Cells:
    """By whole matrices, where most pairs met."""
    n, keys = table.n, table.a * table.n + table.b
    seen = np.bincount(keys, minlength=n * n).reshape(n, n)
    count, score = (exact_sums(keys, values, n * n).reshape(n, n) for values in (table.count, table.score))
    a, b = np.nonzero(np.triu(seen + seen.T, 1))
    score += (count - score).T
    return Cells(n, a, b, (count + count.T)[a, b], score[a, b])


def pair_of_cell(table: Cells) -> tuple[Ints, Ints, NDArray[np.bool_]]:
    """Keys of the unordered pairs, the pair of each cell, and whether the cell shows it the other way round."""
    low, high = np.minimum(table.a, table.b), np.maximum(table.a, table.b)
    keys, where = group(low * table.n + high, table.n**2)
    return keys, where, table.a > table.b


def group(keys: Ints, space: int) -> tuple[Ints, Ints]:
    """`np.unique` with the inverse, for keys of 0 to `space` - 1; by counting where that is cheaper than sorting."""
    if space > max(4 * keys.size, FEW_KEYS):
        found, where = np.unique(keys, return_inverse=True)
        return found, where.ravel()
    seen = np.bincount(keys, minlength=space) > 0
    return np.flatnonzero(seen), (np.cumsum(seen) - 1)[keys]


def exact_sums(where: Ints, values: Floats, size: int) -> Floats:
    """Sums by group; for weights that are whole or half numbers, exact and so free of the order of rows."""
    return np.bincount(where, values, minlength=size).astype(np.float64)


def canonical(data: Comparisons) -> Comparisons:
    """The same votes counted by voter, pair, side and outcome, names and rows in order.

    Whatever order rows or names came in, and whether votes were counted before, what follows is the same to the bit.
    Rows with covariates are put in order and not counted.

    Examples
    --------
    >>> counted = canonical(comparisons("yx", [0, 0, 1], [1, 1, 0], [0, 0, 2]))
    >>> counted.names, counted.a.tolist(), counted.outcome.tolist(), counted.weight.tolist()
    (('x', 'y'), [0, 1], [2, 0], [1.0, 2.0])
    """
    order = sorted(range(len(data.names)), key=data.names.__getitem__)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    voter = np.zeros(data.a.size, dtype=np.int64) if data.voter is None else data.voter
    names = tuple(data.names[i] for i in order)
    n = max(len(names), 1)
    codes, who = (np.zeros(1, np.int64), voter) if data.voter is None else np.unique(voter, return_inverse=True)
    key = ((who * n + place[data.a]) * n + place[data.b]) * len(Outcome) + data.outcome  # below 2^63 for any real n, v
    if data.covariates is not None:
        return _in_order(data, names, place, key)
    keys, weight = sums_by_key(key, codes.size * n * n * len(Outcome), data.weight)
    pair, outcome = np.divmod(keys, len(Outcome))
    who, a, b = pair // (n * n), pair // n % n, pair % n
    return Comparisons(names, a, b, outcome, weight, None if data.voter is None else codes[who])


def _in_order(data: Comparisons, names: tuple[str, ...], place: Ints, key: Ints) -> Comparisons:
    """Rows by voter, pair, outcome and covariates; equal ones are alike, so that their order says nothing."""
    style = np.zeros((data.a.size, 0)) if data.covariates is None else data.covariates
    order = np.argsort(key, kind="stable")
    ties = np.flatnonzero(np.diff(key[order]) == 0)
    if ties.size:  # only where voter, pair and outcome are the same do weight and covariates decide
        some = np.union1d(ties, ties + 1)
        rows = order[some]
        order[some] = rows[np.lexsort((*style[rows].T, data.weight[rows], key[rows]))]
    return Comparisons(
        names, place[data.a[order]], place[data.b[order]], data.outcome[order], data.weight[order],
        None if data.voter is None else data.voter[order], np.ascontiguousarray(style[order]), data.covariate_names,
    )  # fmt: skip


def fingerprint(data: Comparisons) -> str:
    """SHA-256 over canonical votes: names, then voter (by first vote), a, b, outcome and frequency of each row.

    Covariates follow, with their names, where there are any.

    Examples
    --------
    >>> fingerprint(canonical(comparisons("xy", [0], [1], [0])))[:8]
    'f5ffbe9d'
    """
    columns = [np.zeros(0, np.int64) if data.voter is None else data.voter, data.a, data.b, data.outcome]
    digest = hashlib.sha256("\x00".join(data.names).encode())
    for column in columns:
        digest.update(b"|" + column.astype("<i8").tobytes())
    digest.update(b"|" + data.weight.astype("<f8").tobytes())
    if data.covariates is not None:
        digest.update("\x00".join(data.covariate_names).encode() + b"|" + data.covariates.astype("<f8").tobytes())
    return digest.hexdigest()


def _check_range(codes: Ints, size: int, name: str) -> None:
    if codes.size and codes.view(np.uint64).max() >= size:  # negative ones are the largest then
        wrong = np.flatnonzero((codes < 0) | (codes >= size))
        raise BadInput(f"{name}[{wrong[0]}] is {codes[wrong[0]]}, and only 0 to {size - 1} are known.")
