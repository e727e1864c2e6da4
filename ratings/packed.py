"""Cells of CSV as places in a block of bytes, and codes for them without a Python object a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ratings.data import Ints

Words = NDArray[np.uint64]
Codes = NDArray[np.int32]
COMMA, NEWLINE, RETURN, SPACE = 44, 10, 13, 32
LONG = 64
"""Bytes of the longest cell that is told apart as words; longer ones go through Python."""
MIX = np.uint64(0x9E3779B97F4A7C15)
SHIFT = np.uint64(29)
MASKS = np.array([0, *((1 << 8 * k) - 1 for k in range(1, 9))], dtype=np.uint64)
FIRST_BITS = 12


@dataclass(frozen=True, slots=True)
class PackedCells:
    """One column: where each cell starts in `data` and how many bytes it has. `data` ends in `LONG` spare bytes."""

    data: bytes
    start: Ints
    length: Ints

    def __len__(self) -> int:
        return self.start.size

    def text(self, row: int) -> str:
        """One cell as text."""
        first = int(self.start[row])
        return self.data[first : first + int(self.length[row])].decode("utf-8")

    def texts(self) -> list[str]:
        """All cells as text."""
        ends = (self.start + self.length).tolist()
        return [self.data[i:j].decode("utf-8") for i, j in zip(self.start.tolist(), ends, strict=True)]

    def words(self) -> list[Words]:
        """The cells as 64-bit words, short ones padded by zeros; together they are the cell, for no cell holds NUL."""
        every_place = np.ndarray((max(len(self.data) - 7, 0),), np.dtype("<u8"), self.data, strides=(1,))
        longest = int(self.length.max(initial=0))
        found = []
        for first in range(0, max(longest, 1), 8):
            rest = np.clip(self.length - first, 0, 8)
            place = np.minimum(self.start + first, every_place.size - 1)
            found.append(every_place[place] & MASKS[rest])
        return found

    def stripped(self) -> PackedCells:
        """Without spaces around the cells."""
        data = np.frombuffer(self.data, np.uint8)
        start, length = self.start, self.length
        while (blank := (length > 0) & (data[start] == SPACE)).any():
            start, length = start + blank, length - blank
        while (blank := (length > 0) & (data[start + length - 1] == SPACE)).any():
            length = length - blank
        return PackedCells(self.data, start, length)


Column = Sequence[str] | PackedCells


def pack(texts: Sequence[str]) -> PackedCells:
    """Cells that came as text."""
    cells = [text.encode("utf-8", "surrogatepass") for text in texts]
    length = np.fromiter(map(len, cells), np.int64, len(cells))
    return PackedCells(b"".join(cells) + bytes(LONG), np.cumsum(length) - length, length)


def hashes(column: Column) -> Words:
    """64 bits of each cell; the same for the same text in whatever way it was read, and one-to-one up to 8 bytes."""
    cells = (column if isinstance(column, PackedCells) else pack(column)).stripped()
    found = np.zeros(len(cells), np.uint64)
    rows = np.arange(len(cells))
    first = 0
    while rows.size:
        part = PackedCells(cells.data, cells.start[rows] + first, np.minimum(cells.length[rows] - first, 8))
        found[rows] = mixed(found[rows], part.words()[0])
        first += 8
        rows = rows[cells.length[rows] > first]
    return found


def mixed(state: Words, word: Words) -> Words:
    """One step: one-to-one in `word` for each `state`."""
    state = (state ^ word) * MIX
    state ^= state >> SHIFT
    return state


def split(data: bytes, columns: int) -> list[PackedCells] | None:
    """The columns of a block of plain CSV, or None where anything in it asks for a real parser."""
    if b'"' in data:
        return None
    if not data.endswith(b"\n"):
        data += b"\n"
    seen = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero((seen == COMMA) | (seen == NEWLINE))
    if ends.size % columns or (seen[ends[columns - 1 :: columns]] != NEWLINE).any():
        return None
    if np.count_nonzero(seen == NEWLINE) != ends.size // columns:
        return None
    starts = np.concatenate([np.zeros(1, np.int64), ends[:-1] + 1])
    lengths = ends - starts
    if b"\r" in data:
        last = lengths[columns - 1 :: columns]
        last -= (last > 0) & (seen[ends[columns - 1 :: columns] - 1] == RETURN)
        if data.count(b"\r") != np.count_nonzero(seen[ends[columns - 1 :: columns] - 1] == RETURN):
            return None
    spare = data + bytes(LONG)
    return [PackedCells(spare, starts[k::columns], lengths[k::columns]) for k in range(columns)]


class Coder(dict[str, int]):
    """Codes of texts: `make` is asked once for each distinct text, whatever number of rows hold it."""

    def __init__(self, make: Callable[[str], int]) -> None:
        super().__init__()
        self._make = make
        self._seen = _Seen()

    def __missing__(self, text: str) -> int:
        code = self._make(text)
        if code >= 0:
            self[text] = code
        return code

    def encode(self, column: Column) -> Codes:
        """Codes of a column, shape (m,); what `make` refused is negative."""
        if isinstance(column, PackedCells):
            if column.length.max(initial=0) <= LONG:
                return self._seen.encode(column, self.__getitem__)
            column = column.texts()
        return np.fromiter(map(self.__getitem__, column), np.int32, len(column))


@dataclass(slots=True)
class _Seen:
    """Cells met so far, by their words: a table of places by hash, exact because all words are compared."""

    bits: int = FIRST_BITS
    table: Codes = field(default_factory=lambda: np.full(1 << FIRST_BITS, -1, np.int32))
    codes: Codes = field(default_factory=lambda: np.full(64, -1, np.int32))
    words: list[Words] = field(default_factory=list)
    place_of: dict[int, int] = field(default_factory=dict)

    def encode(self, cells: PackedCells, code_of: Callable[[str], int]) -> Codes:
        words = cells.words()
        while len(self.words) < len(words):
            self.words.append(np.zeros(self.codes.size, np.uint64))
        key = mixed(np.zeros(len(cells), np.uint64), words[0])
        for word in words[1:]:
            key = np.where(word > 0, mixed(key, word), key)  # a cell's hash does not depend on its neighbours' length
        place = self.table[self._slot(key)]
        known = place >= 0
        for mine, word in zip(self.words, words, strict=False):
            known &= mine[place] == word
        for mine in self.words[len(words) :]:
            known &= mine[place] == 0
        found = self.codes[place]
        unknown = np.flatnonzero(~known)
        if unknown.size:
            found[unknown] = self._learn(cells, words, key, unknown, code_of)
        return found

    def _slot(self, key: Words) -> Ints:
        return (key >> np.uint64(64 - self.bits)).astype(np.int64)

    def _learn(
        self, cells: PackedCells, words: list[Words], key: Words, rows: Ints, code_of: Callable[[str], int]
    ) -> Codes:
        """Codes of cells that the table does not hold (or no longer: two in one place drive each other out)."""
        _, first, where = np.unique(key[rows], return_index=True, return_inverse=True)
        codes = np.empty(first.size, np.int32)
        for k in np.argsort(first, kind="stable").tolist():  # codes are given in the order of the file
            row = int(rows[first[k]])
            codes[k] = code_of(cells.text(row))
            if codes[k] >= 0:
                self._keep(int(codes[k]), int(key[row]), [word[row] for word in words])
        found = codes[where]
        chosen = rows[first[where]]
        same = np.logical_and.reduce([word[rows] == word[chosen] for word in words])
        for k in np.flatnonzero(~same).tolist():  # two texts of one hash
            found[k] = code_of(cells.text(int(rows[k])))
        return found

    def _keep(self, code: int, key: int, words: list[np.uint64]) -> None:
        place = self.place_of.setdefault(key, len(self.place_of))
        if place == self.codes.size:
            self._grow(2 * place)
        self.codes[place] = code
        for k, mine in enumerate(self.words):
            mine[place] = words[k] if k < len(words) else 0
        self.table[key >> 64 - self.bits] = place

    def _grow(self, size: int) -> None:
        self.codes = np.resize(self.codes, size)
        self.words = [np.resize(word, size) for word in self.words]
        if size << 3 > 1 << self.bits:  # at most an eighth is full, so that few drive each other out
            self.bits = (size << 3).bit_length()
            self.table = np.full(1 << self.bits, -1, np.int32)
            held = np.fromiter(self.place_of, np.uint64, len(self.place_of))
            self.table[self._slot(held)] = np.arange(held.size, dtype=np.int32)
