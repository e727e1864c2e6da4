"""Poisson draws: against the exact distribution, numpy's own, and at the edges."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import poisson as exact

from ratings.poisson import EXPANDED, LARGE, LARGER, STEPS, _expanded, _table, _uniform, poisson


def every_step(mean: float) -> np.ndarray:
    """The draw of each step of the grid."""
    grid = (np.arange(STEPS) + 0.5) / STEPS
    if mean < EXPANDED:
        return np.asarray(_table(mean, grid), dtype=np.int64)
    return np.asarray(_expanded(np.array(mean), exact_quantiles(grid)), dtype=np.int64)


def exact_quantiles(grid: np.ndarray) -> np.ndarray:
    from scipy.stats import norm

    return np.asarray(norm.ppf(grid))


@pytest.mark.parametrize("mean", [1e-9, 0.3, 1.0, 2.5, 7.0, 15.99, 16.0, 20.3, 67.0, 400.0, 3_000.5, 19_999.0])
def test_every_step_draws_the_exact_inverse_or_its_neighbour(mean: float) -> None:
    """Below 16 to the last step; from there off by one, at worst (at 16) in 0.154 % of the steps."""
    grid = (np.arange(STEPS) + 0.5) / STEPS
    wanted, found = exact.ppf(grid, mean), every_step(mean)
    assert np.abs(found - wanted).max() <= (0 if mean < EXPANDED else 1)
    assert np.mean(found != wanted) < 1.6e-3


@pytest.mark.parametrize("mean", [0.3, 1.0, 7.0, 16.0, 67.0, 3_000.5])
def test_mean_and_variance_over_the_grid_are_the_mean(mean: float) -> None:
    found = every_step(mean)
    assert found.mean() == pytest.approx(mean, abs=2e-4)
    assert found.var() == pytest.approx(mean, rel=3e-4)


def test_draws_are_distributed_like_those_of_numpy() -> None:
    """Two-sample Kolmogorov-Smirnov distance of 200,000 draws each: 0.0062 is passed by chance once in 1,000."""
    for mean in (0.7, 5.0, 40.0):
        ours = poisson(np.array([mean]), 200_000, np.random.default_rng(1)).ravel()
        theirs = np.random.default_rng(2).poisson(mean, 200_000)
        top = np.arange(max(int(ours.max()), theirs.max()) + 1)
        gap = np.abs(np.searchsorted(np.sort(ours), top, "right") - np.searchsorted(np.sort(theirs), top, "right"))
        assert gap.max() / 200_000 < 0.0062


def test_rows_are_independent_and_belong_to_their_means() -> None:
    mean = np.array([30.0, 0.5, 16.0, 0.0, 0.5, 9.0, 500.0])
    drawn = poisson(mean, 20_000, np.random.default_rng(3)).astype(float)
    assert drawn.mean(axis=1) == pytest.approx(mean, abs=5 * np.sqrt(500 / 20_000))
    assert drawn[3].max() == 0.0
    links = np.corrcoef(drawn[[0, 1, 2, 4, 5, 6]])
    assert np.abs(links - np.eye(6)).max() < 5 / np.sqrt(20_000)


def test_the_same_seed_gives_the_same_bits() -> None:
    mean = np.array([0.5, 3.0, 18.0, 4_000.0])
    first, second = (poisson(mean, 100, np.random.default_rng(4)) for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize(
    ("mean", "kind"), [(LARGE, np.uint16), (LARGE + 1, np.uint32), (LARGER, np.uint32), (1e12, np.uint64)]
)
def test_three_draws_never_overflow(mean: float, kind: type) -> None:
    drawn = poisson(np.array([mean]), 50_000, np.random.default_rng(5))
    assert drawn.dtype == kind
    added = drawn + drawn + drawn
    assert np.array_equal(added.astype(float), 3 * drawn.astype(float))


def test_the_grid_takes_the_bits_that_the_generator_would_give() -> None:
    """Four steps of 16 bits a raw draw, in the order of `Generator.integers`."""
    steps = _uniform(3, 100, np.random.default_rng(7))
    assert np.array_equal(steps, np.random.default_rng(7).integers(0, 1 << 16, (3, 100), dtype=np.uint16))
    assert _uniform(1, 3, np.random.default_rng(7)).tolist() == steps[:1, :3].tolist()


def test_no_rows_or_no_rounds_are_no_draws() -> None:
    assert poisson(np.zeros(0), 5, np.random.default_rng(6)).shape == (0, 5)
    assert poisson(np.ones(3), 0, np.random.default_rng(6)).shape == (3, 0)
