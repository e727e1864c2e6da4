"""Worlds with known truth: the same seed, the same votes; targets that fits of many votes reach."""

from __future__ import annotations

import numpy as np
import pytest

from ratings import cells, fit_bradley_terry
from ratings.simulate import Design, outcome_chances, simulate


def test_the_same_seed_gives_the_same_world() -> None:
    first, second = (simulate(Design(taste=0.5, activity=1.0, density=0.3), 4) for _ in range(2))
    assert np.array_equal(first.data.outcome, second.data.outcome)
    assert not np.array_equal(
        first.data.outcome, simulate(Design(taste=0.5, activity=1.0, density=0.3), 5).data.outcome
    )


@pytest.mark.parametrize("tie", [0.0, 0.7])
def test_chances_follow_davidson(tie: float) -> None:
    """pi_a : pi_b : nu sqrt(pi_a pi_b), written out."""
    d = np.array([-2.0, 0.0, 1.5])
    worth = np.exp(d)
    total = worth + 1 + tie * np.sqrt(worth)
    first, tied = outcome_chances(d, tie)
    assert first == pytest.approx(worth / total)
    assert tied == pytest.approx(tie * np.sqrt(worth) / total)


@pytest.mark.parametrize(
    "design",
    [
        Design(models=6, taste=0.7),
        Design(models=6, tie=0.8, side_effect=0.4),
        Design(models=6, taste=0.5, popularity=1.0, density=0.3),
    ],
)
def test_a_fit_of_many_votes_reaches_the_target(design: Design) -> None:
    """400,000 votes of as many voters: standard errors below .02."""
    many = Design(**{**{name: getattr(design, name) for name in design.__slots__}, "votes": 400_000, "voters": 400_000})
    world = simulate(many, 9)
    fit = fit_bradley_terry(cells(world.data), side_effect=design.side_effect != 0)
    assert fit.strength == pytest.approx(world.target, abs=0.06)
    assert np.abs(world.strength).mean() > np.abs(world.target).mean()  # tastes and half-ties draw towards zero
