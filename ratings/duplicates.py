"""Which vote stands twice, found in 8 bytes a row while reading and as many again at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ratings.data import Ints
from ratings.packed import Words, mixed

LOOK = 256
"""Suspected keys that are looked at in one further reading."""
FEW = 64
"""Rows of one key that are looked at first."""
VOTER = np.uint64(0xD6E8FEB86659FD93)
NO_KEY = np.uint64(0xA0761D6478BD642F)

Look = Callable[[Ints], Mapping[int, object]]
"""The keys of some rows, by a second reading; None for a row without one."""


class Keys:
    """64 bits of each row's key, in the order of rows."""

    def __init__(self) -> None:
        self._parts: list[Words] = []
        self._rows = 0

    def add(self, key: Words, voter: Ints | None, keyless: Ints) -> None:
        """Keys of further rows: their hashed id, their voter's code, and which of them (positions) have no id."""
        if voter is not None:
            key = mixed(key, voter.astype(np.uint64) * VOTER)
        if keyless.size:  # a hash of their own each, so that they meet nobody but by chance
            key[keyless] = mixed(np.full(keyless.size, NO_KEY), (keyless + self._rows).astype(np.uint64))
        self._parts.append(key)
        self._rows += key.size

    def first_repeat(self, look: Look) -> tuple[int, int] | None:
        """The earlier row and the first one that repeats it; `look` confirms every suspicion. The keys are let go."""
        key = np.concatenate(self._parts) if self._parts else np.zeros(0, np.uint64)
        self._parts = []
        ordered = np.sort(key)
        twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
        del ordered
        if not twice.size:
            return None
        rows = _rows_of(key, twice)
        rows = rows[np.argsort(key[rows], kind="stable")]  # by key, and in the order of the file within one
        begin = np.flatnonzero(np.diff(key[rows], prepend=key[rows[0]] ^ np.uint64(1)))
        end = np.append(begin[1:], rows.size)
        order = np.argsort(rows[begin + 1])
        for first in range(0, order.size, LOOK):
            found = _confirmed([rows[begin[k] : end[k]] for k in order[first : first + LOOK].tolist()], look)
            if found:
                return found
        return None


def _rows_of(key: Words, wanted: Words) -> Ints:
    """Rows whose hash is among `wanted` (sorted), a slice at a time."""
    found = []
    for first in range(0, key.size, 1 << 20):
        part = key[first : first + (1 << 20)]
        place = np.minimum(np.searchsorted(wanted, part), wanted.size - 1)
        found.append(np.flatnonzero(wanted[place] == part) + first)
    return np.concatenate(found)


def _confirmed(groups: list[Ints], look: Look) -> tuple[int, int] | None:
    most = FEW
    while True:
        keys = look(np.sort(np.concatenate([group[:most] for group in groups])))
        found = [pair for group in groups if (pair := _repeat(group[:most].tolist(), keys))]
        if found:
            return min(found, key=lambda pair: pair[1])
        if all(group.size <= most for group in groups):
            return None
        most *= FEW


def _repeat(rows: list[int], keys: Mapping[int, object]) -> tuple[int, int] | None:
    seen: dict[object, int] = {}
    for row in rows:
        key = keys.get(row)
        if key is None:
            continue
        if key in seen:
            return seen[key], row
        seen[key] = row
    return None
