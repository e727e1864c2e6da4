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


def near_duplicates(texts: Sequence[str], *, new_from: int = 0, alike: float = ALIKE) -> list[Pair]:
    """Every pair at least that much alike of which one is at `new_from` or later, in the order of the second."""
    sets = [_shingles(text) for text in texts]
    frequency = Counter(shingle for shingles in sets for shingle in shingles)
    seen_with: dict[tuple[str, ...], list[int]] = defaultdict(list)
    found = []
    for place, shingles in enumerate(sets):
        rarest = sorted(shingles, key=lambda shingle: (frequency[shingle], shingle))
        prefix = rarest[: len(rarest) - ceil(alike * len(rarest)) + 1]
        candidates = {other for shingle in prefix for other in seen_with[shingle]} if place >= new_from else ()
        for other in sorted(candidates):
            share = _jaccard(shingles, sets[other])
            if share >= alike:
                found.append(Pair(other, place, share))
        for shingle in prefix:
            seen_with[shingle].append(place)
    return found


def _jaccard(first: frozenset[tuple[str, ...]], second: frozenset[tuple[str, ...]]) -> float:
    common = len(first & second)
    return common / (len(first) + len(second) - common)


def _shingles(text: str) -> frozenset[tuple[str, ...]]:
    """Neighbouring words without case and punctuation; a text of one word, or of signs alone, is one shingle."""
    words = WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    if len(words) < 2:
        return frozenset([tuple(words) or (text.strip(),)])
    return frozenset(pairwise(words))
