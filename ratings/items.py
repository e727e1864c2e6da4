"""Items that several people judged: an unordered pair of competitors on one prompt, its labels turned to one side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ratings.data import Comparisons, Ints, Outcome, group
from ratings.errors import BadInput

TURNED = np.array([Outcome.B, Outcome.A, Outcome.TIE, Outcome.BOTH_BAD], dtype=np.int64)
"""What an outcome is called when the two sides change places."""


@dataclass(frozen=True, slots=True)
class Items:
    """Comparisons and the item that each of them judges; made by `items`.

    Attributes
    ----------
    data : Comparisons
    prompt : int64, shape (m,), or None
        As given; None when a pair alone is the item.
    item : int64, shape (m,)
        Items, numbered in the order of their first rows.
    label : int64, shape (m,)
        Values of `Outcome`, as the sides of the item's first row would have it.
    first : int64, shape (items,)
        The first row of each item.
    """

    data: Comparisons
    prompt: Ints | None
    item: Ints
    label: Ints
    first: Ints

    @property
    def flipped(self) -> Ints:
        """1 where a row shows its item the other way round than the item's first row, else 0; shape (m,)."""
        return np.asarray(self.data.a != self.data.a[self.first[self.item]], dtype=np.int64)


def items(data: Comparisons, prompt: ArrayLike | None = None) -> Items:
    """Codes the items of comparisons: unordered pair × prompt, or the pair alone where no prompts are known.

    Parameters
    ----------
    data : Comparisons
    prompt : array_like of int, shape (m,), optional
        Any codes, one a row of `data`. A negative one is an unknown prompt: that vote stands for itself.

    Raises
    ------
    BadInput
        Another number of prompts than of rows.

    Examples
    --------
    >>> from ratings.data import comparisons
    >>> same = items(comparisons("xy", [0, 1], [1, 0], [Outcome.A, Outcome.B]), [7, 7])
    >>> same.item.tolist(), same.label.tolist()
    ([0, 0], [0, 0])
    """
    n, m = len(data.names), data.a.size
    _, item = group(np.minimum(data.a, data.b) * n + np.maximum(data.a, data.b), n * n)
    known = None
    if prompt is not None:
        known = np.asarray(prompt, dtype=np.int64).ravel()
        if known.size != m:
            raise BadInput(f"{known.size} prompts were given for {m} comparisons; rows of weight zero are dropped.")
        found, code = np.unique(known, return_inverse=True)
        own = np.where(known < 0, found.size + np.arange(m), code.ravel())
        _, item = group(item * (found.size + m) + own, max(n * n * (found.size + m), 1))
    first = first_rows(item)
    order = np.argsort(first)
    number = np.empty_like(order)
    number[order] = np.arange(order.size)
    item, first = number[item], first[order]
    label = np.where(data.a == data.a[first[item]], data.outcome, TURNED[data.outcome])
    return Items(data, known, item, label, first)


def first_rows(code: Ints) -> Ints:
    """The first row of each code from 0 to the largest, every one of which must occur."""
    first = np.empty(int(code.max(initial=-1)) + 1, dtype=np.int64)
    first[code[::-1]] = np.arange(code.size)[::-1]  # of several assignments the last stays
    return first


def first_votes(judged: Items) -> Ints:
    """Rows that are their voter's first on their item, in order; a repeat is no second opinion."""
    voter = judged.data.voter
    if voter is None or not voter.size:
        return np.zeros(0, dtype=np.int64)
    _, who = np.unique(voter, return_inverse=True)
    count = judged.first.size
    _, code = group(who.ravel() * count + judged.item, (int(who.max()) + 1) * count)
    return np.sort(first_rows(code))


def label_counts(judged: Items) -> tuple[Ints, Ints]:
    """Voters by label for each item that at least two voters judged.

    Returns
    -------
    shared : int64, shape (i,)
        The items.
    table : int64, shape (i, 4)
        How many voters gave each label of `Outcome`; a voter counts once an item, whatever the weight.
    """
    rows, kinds = first_votes(judged), len(Outcome)
    flat = np.bincount(judged.item[rows] * kinds + judged.label[rows], minlength=judged.first.size * kinds)
    table = flat.reshape(-1, kinds).astype(np.int64)
    shared = np.flatnonzero(table.sum(axis=1) >= 2)
    return shared, table[shared]
