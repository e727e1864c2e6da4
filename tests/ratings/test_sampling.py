"""Which pair next: against plain inversion, the arena's own rule, the draw itself, and a small simulation."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest
from scipy.special import expit

from arena.battles.matchmaking import coverage_weights, draw_pair
from ratings import BadInput, Cells, Outcome, cells, comparisons
from ratings.sampling import PairWeights, coverage, gains, informative, informative_from_counts, uniform
from tests.bench import sampling_sim


def board(seed: int, n: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Strengths, and the covariance of a board with uneven counts, mean zero."""
    rng = np.random.default_rng(seed)
    strength = rng.normal(0, 1, n)
    return strength - strength.mean(), sampling_sim.covariance_of(strength, rng.uniform(1, 60, n * (n - 1) // 2))


@pytest.mark.parametrize("seed", range(5))
def test_a_gain_is_what_one_more_vote_takes_from_the_sum_of_variances(seed: int) -> None:
    strength, covariance = board(seed)
    information = np.linalg.inv(covariance + 1 / 6)
    found = gains(strength, covariance, 6)
    for i, j in ((0, 1), (2, 5), (3, 4)):
        c = np.eye(6)[i] - np.eye(6)[j]
        p = expit(strength[i] - strength[j])
        after = np.linalg.inv(information + p * (1 - p) * np.outer(c, c)) - 1 / 6
        expected = pytest.approx(np.trace(covariance) - np.trace(after), rel=1e-8)
        assert (found[i, j], found[j, i]) == (expected, expected)
    assert np.diag(found).tolist() == [0.0] * 6


@pytest.mark.parametrize("policy", ["uniform", "coverage", "informative", "counts"])
def test_weights_are_probabilities_of_unordered_pairs(policy: str) -> None:
    ids, (strength, covariance) = [9, 2, 5, 4, 30, 7], board(3)
    compared = np.arange(36).reshape(6, 6) % 4
    i, j = np.triu_indices(6, 1)
    table = Cells(6, i, j, np.full(15, 4.0), np.full(15, 2.0))
    weights: PairWeights = {
        "uniform": lambda: uniform(ids),
        "coverage": lambda: coverage(ids, compared),
        "informative": lambda: informative(ids, strength, covariance),
        "counts": lambda: informative_from_counts(ids, table),
    }[policy]()
    mapping = weights.mapping()
    assert len(mapping) == 15
    assert all(low < high for low, high in mapping)
    assert {candidate for pair in mapping for candidate in pair} == set(ids)
    assert sum(mapping.values()) == pytest.approx(1, abs=1e-12)
    assert min(mapping.values()) >= 0
    assert sum(weights.shares().values()) == pytest.approx(1, abs=1e-12)


def test_no_pair_falls_below_the_floor_and_the_rest_follows_the_gain() -> None:
    strength, covariance = board(4)
    found = gains(strength, covariance, 6)[np.triu_indices(6, 1)]
    for sharpness in (1.0, 4.0):
        weights = informative(range(6), strength, covariance, sharpness=sharpness).weight
        assert weights.min() >= 0.2 / 15
        expected = 0.2 / 15 + 0.8 * found**sharpness / (found**sharpness).sum()
        assert weights == pytest.approx(expected, rel=1e-12)
    assert informative(range(6), strength, covariance, floor=1.0).weight == pytest.approx(np.full(15, 1 / 15))


def test_the_probability_that_is_stored_is_the_one_that_was_weighed() -> None:
    strength, covariance = board(5, n=4)
    weights = informative([11, 12, 13, 14], strength, covariance).mapping()
    rng, seen = random.Random(6), dict.fromkeys(weights, 0)
    for _ in range(6000):
        draw = draw_pair([11, 12, 13, 14], weights, rng=rng, floor=0.0)
        pair = (min(draw.a, draw.b), max(draw.a, draw.b))
        assert draw.probability == pytest.approx(weights[pair] / 2, rel=1e-12)
        seen[pair] += 1
    for pair, weight in weights.items():  # five standard errors of a binomial share
        assert seen[pair] / 6000 == pytest.approx(weight, abs=5 * np.sqrt(weight * (1 - weight) / 6000))


@pytest.mark.parametrize("seed", range(30))
def test_coverage_is_the_arenas_own_rule(seed: int) -> None:
    """An independent implementation: union-find over dictionaries in arena.battles.matchmaking."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 9))
    ids = (rng.permutation(50)[:n] + 1).tolist()
    counts = np.triu(rng.poisson(rng.uniform(0, 1.5), (n, n)), 1)
    pairs = {(min(ids[i], ids[j]), max(ids[i], ids[j])): int(counts[i, j]) for i in range(n) for j in range(n) if i < j}
    expected = coverage_weights(ids, pairs)
    found = {pair: weight for pair, weight in coverage(ids, counts).mapping().items() if weight > 0}
    assert found == pytest.approx({pair: 1 / len(expected) for pair in expected})


def test_pairs_that_cannot_be_shown_are_never_drawn() -> None:
    strength, covariance = board(7, n=4)
    served = np.ones((4, 4), bool)
    served[0, 1] = served[1, 0] = False
    for weights in (
        uniform(range(4), served=served),
        coverage(range(4), np.ones((4, 4)), served=served),
        informative(range(4), strength, covariance, served=served),
    ):
        assert weights.mapping()[(0, 1)] == 0
        assert sum(weights.mapping().values()) == pytest.approx(1)


def test_a_newcomer_is_shown_more_often_and_a_twin_as_often() -> None:
    """Five competitors with 40 votes a pair, and one with none: half of all places but the floor's."""
    i, j = np.triu_indices(6, 1)
    count = np.where(j == 5, 0.0, 40.0)
    shares = informative_from_counts(range(6), Cells(6, i, j, count, count / 2)).shares()
    assert shares[5] > 2 * shares[0]
    assert shares[0] == pytest.approx(shares[4])


def test_no_votes_at_all_are_sampled_evenly() -> None:
    empty = cells(comparisons("wxyz", [], [], []))
    assert informative_from_counts([1, 2, 3, 4], empty).weight == pytest.approx(np.full(6, 1 / 6))
    assert coverage([1, 2, 3, 4], np.zeros((4, 4))).weight == pytest.approx(np.full(6, 1 / 6))
    assert informative([1, 2], [0, 0], np.zeros((2, 2))).mapping() == {(1, 2): 1.0}


def test_two_candidates_leave_no_choice() -> None:
    table = cells(comparisons("xy", [0, 0], [1, 1], [Outcome.A, Outcome.B]))
    assert informative_from_counts([8, 3], table).mapping() == {(3, 8): 1.0}


def test_a_hundred_competitors_take_milliseconds() -> None:
    """Best of five, below 50 ms on a loaded machine; about 3 ms on an idle one."""
    strength, covariance = board(8, n=100)
    times = []
    for _ in range(5):
        began = time.perf_counter()
        informative(range(100), strength, covariance)
        times.append(time.perf_counter() - began)
    assert min(times) < 0.05


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: uniform([1]), "1 candidate"),
        (lambda: uniform([1, 2, 1]), "twice"),
        (lambda: uniform([1, 2], served=np.zeros((2, 2))), "can be shown"),
        (lambda: coverage([1, 2], np.zeros((3, 3))), "compared must be 2 by 2"),
        (lambda: informative([1, 2], [0, np.nan], np.eye(2)), "strength must be 2 finite"),
        (lambda: informative([1, 2], [0, 0], np.full((2, 2), np.inf)), "covariance must be 2 by 2 finite"),
        (lambda: informative([1, 2], [0, 0], np.eye(2), floor=1.5), "floor 1.5"),
        (lambda: informative([1, 2], [0, 0], np.eye(2), sharpness=-1), "sharpness -1"),
        (lambda: informative_from_counts([1, 2, 3], cells(comparisons("xy", [], [], []))), "of 2 competitors"),
    ],
)
def test_what_cannot_be_weighed_is_refused(call: object, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        call()  # type: ignore[operator]


# Votes to a width


def test_newcomers_get_their_intervals_with_far_fewer_votes() -> None:
    """Four paired seeds of ten competitors, SD 1, one a newcomer; the long simulation finds .45 ± .01 of uniform."""
    ratios = []
    for seed in range(4):
        theta = sampling_sim.strengths(10, 1.0, seed)
        ours, even = (
            sampling_sim.simulate(sampling_sim.POLICIES[name], theta, seed, grown=True).votes
            for name in ("gain⁴", "uniform")
        )
        ratios.append(ours / even)
    assert np.mean(ratios) < 0.6


def test_the_best_design_is_the_optimum() -> None:
    """Kiefer and Wolfowitz: at the optimum no pair's slope exceeds the mean slope under the design."""
    theta = sampling_sim.strengths(8, 1.5, 1)
    best = sampling_sim.best_possible(theta)
    assert best == pytest.approx(sampling_sim.best_possible(theta, steps=4000), abs=1e-4)
    assert best < 1
    assert sampling_sim.best_possible(np.zeros(8)) == pytest.approx(1, abs=1e-9), "equals are best compared evenly"
