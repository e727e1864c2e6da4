"""Who was served what, and what came of it: one stake an account and competitor that met.

Letters besides those of the log: c stakes, e entries. A voted battle is two entries, one in the stake of either side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ratings.data import Floats, Ints
from ratings.served import ServedLog

Whole = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Stakes:
    """All (account, competitor) that met, by competitor, then account.

    Attributes
    ----------
    n, v : int
    competitor, account : int32, shape (c,)
    begin : int64, shape (n + 1,)
        Where each competitor's stakes begin.
    served, voted : int32, shape (c,)
        Battles with this competitor shown to this account, and voted on.
    vote : int32, shape (e,)
        Entries by stake: positions among the voted battles.
    side : int8, shape (e,)
        +1 where the competitor was side a, else -1.
    first : int64, shape (c + 1,)
        Where each stake's entries begin.
    all_served, all_voted : int64, shape (v,)
        Of each account over all competitors, battles.
    """

    n: int
    v: int
    competitor: Whole
    account: Whole
    begin: Ints
    served: Whole
    voted: Whole
    vote: Whole
    side: NDArray[np.int8]
    first: Ints
    all_served: Ints
    all_voted: Ints

    def of(self, competitor: int) -> slice:
        """The stakes on one competitor."""
        return slice(int(self.begin[competitor]), int(self.begin[competitor + 1]))

    def entries(self, stakes: Whole) -> tuple[Ints, Ints]:
        """Positions of the entries of these stakes, one stake after the other, and where each begins (and the end)."""
        length = self.first[stakes + 1] - self.first[stakes]
        start = np.zeros(stakes.size + 1, dtype=np.int64)
        np.cumsum(length, out=start[1:])
        return np.arange(start[-1]) + np.repeat(self.first[stakes] - start[:-1], length), start


def stakes_of(log: ServedLog) -> Stakes:
    """Sorts a log once; nothing here depends on any fit.

    Examples
    --------
    >>> from ratings.served import served
    >>> stakes = stakes_of(served("xy", [0, 1], [1, 0], [0, -1], [0, 0]))
    >>> stakes.served.tolist(), stakes.voted.tolist(), stakes.side.tolist()
    ([2, 2], [1, 1], [1, -1])
    """
    n, v, m = log.n, log.accounts, log.battles
    voted = log.voted
    number = np.cumsum(voted, dtype=np.int32) - np.int32(1)
    key = np.concatenate([log.a, log.b]).astype(np.int64) * max(v, 1)
    key += np.tile(log.account, 2)
    order = np.argsort(key, kind="stable")
    sorted_key = key[order]
    head = np.flatnonzero(np.diff(sorted_key, prepend=-1))
    found = sorted_key[head]
    battle = order % max(m, 1)
    counted = voted[battle]
    upto = np.concatenate([[0], np.cumsum(counted)])
    first = np.append(upto[head], upto[-1])
    entries = order[counted]
    competitor = (found // max(v, 1)).astype(np.int32)
    return Stakes(
        n=n, v=v, competitor=competitor, account=(found % max(v, 1)).astype(np.int32),
        begin=np.searchsorted(competitor, np.arange(n + 1)),
        served=np.diff(np.append(head, order.size)).astype(np.int32), voted=np.diff(first).astype(np.int32),
        vote=number[entries % max(m, 1)], side=np.where(entries < m, 1, -1).astype(np.int8), first=first,
        all_served=np.bincount(log.account, minlength=v), all_voted=np.bincount(log.account[voted], minlength=v),
    )  # fmt: skip


def log_sum(logs: Floats) -> Floats:
    """ln Σ e^x over the last axis; scipy's own minds cases that do not arise here and takes three times as long.

    Examples
    --------
    >>> log_sum(np.log([[1.0, 3.0]])).round(6).tolist()
    [1.386294]
    """
    top = logs.max(axis=-1, keepdims=True, initial=-np.inf)
    return np.asarray(np.log(np.exp(logs - top).sum(axis=-1)) + top[..., 0])


def sums(values: Floats, start: Whole) -> Floats:
    """Sums of `values`, shape (e,) or (e, k), from each start to the next; 0 where nothing lies between."""
    result = np.zeros((start.size - 1, *values.shape[1:]))
    filled = np.flatnonzero(np.diff(start))
    if filled.size:
        result[filled] = np.add.reduceat(values, start[:-1][filled], axis=0)
    return result


def of_stakes(stakes: Stakes, votes: Floats | np.ndarray) -> Floats:
    """Sum over the votes of each stake, shape (c,), of a figure that each voted battle has."""
    return sums(np.asarray(votes, dtype=np.float64)[stakes.vote], stakes.first)
