"""The draw: fair sides, stated probabilities, a graph that gets connected."""

from __future__ import annotations

import random
from collections import Counter
from itertools import permutations

import pytest

from arena.battles.matchmaking import TooFewCandidates, coverage_weights, draw_pair


def draws(candidates: list[int], weights: dict[tuple[int, int], float] | None, count: int) -> Counter[tuple[int, int]]:
    rng = random.Random(7)
    return Counter((d.a, d.b) for d in (draw_pair(candidates, weights, rng=rng) for _ in range(count)))


def chances(candidates: list[int], weights: dict[tuple[int, int], float] | None) -> dict[tuple[int, int], float]:
    """Stated probabilities, collected by drawing often."""
    rng, found = random.Random(3), {}
    for _ in range(20_000):
        draw = draw_pair(candidates, weights, rng=rng)
        found[draw.a, draw.b] = draw.probability
    return found


@pytest.mark.parametrize("weights", [None, {(1, 2): 3.0, (2, 3): 1.0}, {(1, 2): 0.0}])
def test_draws_happen_as_often_as_stated(weights: dict[tuple[int, int], float] | None) -> None:
    """χ² over ordered pairs; the .999 quantile at 11 degrees of freedom is 31.3."""
    stated = chances([1, 2, 3, 4], weights)
    assert sum(stated.values()) == pytest.approx(1)
    assert set(stated) == set(permutations([1, 2, 3, 4], 2))
    seen = draws([1, 2, 3, 4], weights, 24_000)
    statistic = sum((seen[pair] - 24_000 * p) ** 2 / (24_000 * p) for pair, p in stated.items())
    assert statistic < 31.3


def test_the_same_seed_draws_the_same_pair() -> None:
    first, second = (draw_pair([1, 2, 3, 4, 5], None, rng=random.Random("seed")) for _ in range(2))
    assert first == second


def test_one_candidate_is_too_few() -> None:
    with pytest.raises(TooFewCandidates, match="1 competitor"):
        draw_pair([4, 4], None, rng=random.Random(1))


def test_coverage_connects_the_graph_before_anything_else() -> None:
    weights = coverage_weights([1, 2, 3, 4], {(1, 2): 50, (3, 4): 2})
    assert set(weights) == {(1, 3), (1, 4), (2, 3), (2, 4)}


def test_coverage_then_takes_the_least_compared() -> None:
    compared = {(1, 2): 5, (2, 3): 1, (1, 3): 4}
    assert coverage_weights([1, 2, 3], compared) == {(2, 3): 1.0}


def test_coverage_evens_out() -> None:
    compared: dict[tuple[int, int], int] = {}
    rng = random.Random(5)
    for _ in range(300):
        draw = draw_pair([1, 2, 3, 4, 5], coverage_weights([1, 2, 3, 4, 5], compared), rng=rng)
        key = (min(draw.a, draw.b), max(draw.a, draw.b))
        compared[key] = compared.get(key, 0) + 1
    # The uniform floor of 10 % lets a pair run ahead by some draws, never far.
    assert max(compared.values()) - min(compared.get(p, 0) for p in compared) <= 6
    assert len(compared) == 10
