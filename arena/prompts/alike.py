"""Prompts that read nearly alike: such a pair counts twice what it asks once.

Two texts are alike by the share of word pairs they have in common (Jaccard's index), found without comparing
everything with everything: of two such sets one of the rarest members must be shared (prefix filtering).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil

ALIKE = 0.75
"""Share of common word pairs from which two prompts are reported: one word of 15 may differ."""
COMPARED, COMPARISONS, MOST = 3000, 1_000_000, 1000
"""Texts, comparisons and pairs up to which somebody waits about two seconds; beyond, only the very same is found."""
# Scripts without blanks between words are read sign by sign.
WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0eff]|[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0eff]+"
)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts by their places, the earlier first, and the share of word pairs that they have in common."""

    first: int
    second: int
    share: float


@dataclass(frozen=True, slots=True)
class Alike:
    """The pairs that were found, and whether everything was compared."""

    pairs: tuple[Pair, ...]
    is_whole: bool


def near_duplicates(texts: Sequence[str], *, new_from: int = 0, alike: float = ALIKE) -> Alike:
    """Pairs at least that much alike of which one is at `new_from` or later, in the order of the second.

    Of texts with the very same words each is paired with the first alone.
    """
    sets = [_shingles(text) for text in texts]
    frequency = Counter(shingle for shingles in sets for shingle in shingles)
    seen_with: dict[tuple[str, ...], list[int]] = defaultdict(list)
    same: dict[frozenset[tuple[str, ...]], int] = {}
    found: list[Pair] = []
    left = COMPARISONS if len(sets) <= COMPARED else 0
    for place, shingles in enumerate(sets):
        first = same.setdefault(shingles, place)
        if first != place:
            found += [Pair(first, place, 1.0)] if place >= new_from else []
        elif left > 0:
            prefix = _rarest(shingles, frequency, alike)
            if place >= new_from:
                others = {other for shingle in prefix for other in seen_with[shingle]}
                left -= len(others)
                shares = ((other, _jaccard(shingles, sets[other])) for other in sorted(others))
                found += [Pair(other, place, share) for other, share in shares if share >= alike]
            for shingle in prefix:
                seen_with[shingle].append(place)
    return Alike(tuple(found[:MOST]), left > 0 and len(found) <= MOST)


def _rarest(
    shingles: frozenset[tuple[str, ...]], frequency: Counter[tuple[str, ...]], alike: float
) -> list[tuple[str, ...]]:
    """So many of the rarest that a set as much alike must hold one of them, and have it among its own rarest."""
    ordered = sorted(shingles, key=lambda shingle: (frequency[shingle], shingle))
    return ordered[: len(ordered) - ceil(alike * len(ordered)) + 1]


def _jaccard(first: frozenset[tuple[str, ...]], second: frozenset[tuple[str, ...]]) -> float:
    common = len(first & second)
    return common / (len(first) + len(second) - common)


def _shingles(text: str) -> frozenset[tuple[str, ...]]:
    """Neighbouring words without case and punctuation; a text of one word, or of signs alone, is one shingle."""
    words = WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    if len(words) < 2:
        return frozenset([tuple(words) or (text.strip(),)])
    return frozenset(pairwise(words))
