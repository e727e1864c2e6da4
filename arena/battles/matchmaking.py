"""Which two competitors meet, on which sides, and with what probability they were drawn.

The draw is a function of its candidates, weights and random source alone; the server seeds that source from the
operating system's generator for every battle and stores the seed, so that any draw can be repeated and none foreseen.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

Pair = tuple[int, int]
UNIFORM_FLOOR = 0.1
"""Share of draws that ignore the weights: no pair is ever impossible, and none can be foreseen."""


@dataclass(frozen=True, slots=True)
class Weighing:
    """A policy's name for the log, its weights per unordered pair (low id first; None means uniform), and its floor."""

    policy: str
    weights: Mapping[Pair, float] | None = None
    floor: float = UNIFORM_FLOOR


Policy = Callable[[Sequence[int]], Weighing]
"""From candidates to how their pairs are weighed."""


class TooFewCandidates(ValueError):
    """Fewer than two competitors can answer."""


@dataclass(frozen=True, slots=True)
class Draw:
    """Competitor ids by side, and the probability of just this pair on just these sides."""

    a: int
    b: int
    probability: float


def draw_pair(
    candidates: Sequence[int],
    weights: Mapping[Pair, float] | None,
    *,
    rng: random.Random,
    floor: float = UNIFORM_FLOOR,
) -> Draw:
    """Two distinct competitors on random sides; `weights` are per unordered pair (low id first), None means uniform.

    A share `floor` of the draws ignores the weights.

    Raises TooFewCandidates below two candidates.
    """
    pairs = list(combinations(sorted(set(candidates)), 2))
    if not pairs:
        raise TooFewCandidates(f"{len(set(candidates))} competitor(s) can answer; a battle needs two.")
    given = [max(0.0, weights.get(pair, 0.0)) for pair in pairs] if weights is not None else [1.0] * len(pairs)
    total = sum(given)
    uniform = 1.0 / len(pairs)
    if total > 0:
        chances = [floor * uniform + (1 - floor) * weight / total for weight in given]
    else:
        chances = [uniform] * len(pairs)
    (index,) = rng.choices(range(len(pairs)), chances)
    first, second = pairs[index]
    if rng.random() < 0.5:
        first, second = second, first
    return Draw(first, second, chances[index] / 2)


def coverage_weights(candidates: Sequence[int], compared: Mapping[Pair, int]) -> dict[Pair, float]:
    """Connect the graph first, then even out: weight 1 for the least compared of the pairs that help most.

    While the comparisons fall into several components only pairs that bridge two of them count; afterwards all do.
    """
    pairs = list(combinations(sorted(set(candidates)), 2))
    root = {candidate: candidate for candidate in candidates}

    def find(node: int) -> int:
        while root[node] != node:
            root[node] = root[root[node]]
            node = root[node]
        return node

    for first, second in pairs:
        if compared.get((first, second), 0):
            root[find(first)] = find(second)
    bridges = [pair for pair in pairs if find(pair[0]) != find(pair[1])]
    useful = bridges or pairs
    fewest = min((compared.get(pair, 0) for pair in useful), default=0)
    return {pair: 1.0 for pair in useful if compared.get(pair, 0) == fewest}
