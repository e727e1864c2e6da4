"""Firth's bias-reduced fit: against closed forms, an independent maximiser and simulated truth, and in thin data."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from scipy.optimize import minimize

from ratings import NotStronglyConnected, bootstrap_by_vote, cells, comparisons, fit_bradley_terry
from ratings.firth import fit_firth, leverages
from ratings.simulate import Design, simulate


@pytest.mark.parametrize(("wins", "losses"), [(1, 0), (3, 1), (40, 2)])
def test_two_competitors_get_half_a_win_each(wins: int, losses: int) -> None:
    """Jeffreys' prior of one proportion: the log-odds are log (w + 1/2) / (l + 1/2) (Firth 1993)."""
    data = comparisons("xy", [0, 0], [1, 1], [0, 1], weight=[wins, losses])
    strength = fit_firth(cells(data)).strength
    assert strength[0] - strength[1] == pytest.approx(log((wins + 0.5) / (losses + 0.5)), abs=1e-8)


@pytest.mark.parametrize("seed", range(3))
def test_the_fit_maximises_likelihood_times_jeffreys_prior(seed: int) -> None:
    """An independent maximiser over dense rows; the determinant is that of the information of n - 1 free strengths."""
    data = simulate(Design(models=5, votes=40, voters=4, side_effect=0.5, tie=0.3), seed).data
    design = np.zeros((40, 6))
    design[np.arange(40), data.a], design[np.arange(40), data.b], design[:, 5] = 1, -1, 1
    design = np.delete(design, 0, axis=1)  # the first strength is the reference
    score = np.array([1.0, 0.0, 0.5, 0.5])[data.outcome]

    def loss(x: np.ndarray) -> float:
        p = 1 / (1 + np.exp(-design @ x))
        information = design.T * (p * (1 - p)) @ design
        return -(score @ np.log(p) + (1 - score) @ np.log(1 - p) + np.linalg.slogdet(information)[1] / 2)

    best = minimize(loss, np.zeros(5), method="BFGS", options={"gtol": 1e-7}).x
    fit = fit_firth(cells(data), side_effect=True)
    assert fit.strength[1:] - fit.strength[0] == pytest.approx(best[:4], abs=1e-4)
    assert fit.side_effect == pytest.approx(best[4], abs=1e-4)
    assert fit.gradient_norm < 1e-7


def test_a_winless_competitor_has_a_finite_estimate() -> None:
    data = comparisons("xyz", [0, 1, 0, 1], [1, 0, 2, 2], [0, 0, 0, 0])
    with pytest.raises(NotStronglyConnected):
        fit_bradley_terry(cells(data))
    fit = fit_firth(cells(data))
    assert fit.strength.argmin() == 2
    assert np.abs(fit.strength).max() < 4


def test_all_votes_for_the_first_shown_stay_finite() -> None:
    data = comparisons("xy", [0, 1] * 10, [1, 0] * 10, [0] * 20)
    fit = fit_firth(cells(data), side_effect=True)
    assert fit.side_effect == pytest.approx(log(10.5 / 0.5), abs=1e-8)  # two cells, each saturated by one parameter
    assert fit.strength == pytest.approx([0, 0], abs=1e-8)


def test_unconnected_competitors_are_refused() -> None:
    with pytest.raises(NotStronglyConnected):
        fit_firth(cells(comparisons("wxyz", [0, 2], [1, 3], [0, 0])))


def test_no_comparisons_and_one_competitor_are_zeros() -> None:
    assert fit_firth(cells(comparisons("x", [], [], []))).strength.tolist() == [0.0]
    assert fit_firth(cells(comparisons("", [], [], []))).strength.size == 0


def test_the_spread_of_estimates_is_less_inflated_than_by_maximum_likelihood() -> None:
    """Regression of estimates on truth: its slope is 1 without bias. 80 worlds of 8 models and 120 votes, SE .02."""
    slopes: dict[str, list[float]] = {"ml": [], "firth": []}
    for seed in range(80):
        world = simulate(Design(models=8, votes=120, voters=120), seed)
        table = cells(world.data)
        try:
            maximum = fit_bradley_terry(table).strength
        except NotStronglyConnected:
            continue
        power = world.target @ world.target
        slopes["ml"].append(maximum @ world.target / power)
        slopes["firth"].append(fit_firth(table).strength @ world.target / power)
    assert np.mean(slopes["firth"]) == pytest.approx(1, abs=0.05)
    assert np.mean(slopes["ml"]) > np.mean(slopes["firth"]) + 0.05


def test_leverages_sum_to_the_free_parameters() -> None:
    table = cells(simulate(Design(models=6, votes=200, side_effect=0.3), 1).data)
    assert leverages(table, fit_firth(table, side_effect=True)).sum() == pytest.approx(6)


def test_replicates_under_the_prior_never_separate() -> None:
    """The prior's half-votes go into every replicate: a winless competitor is refitted, not lost."""
    data = comparisons("xyz", [0, 1, 0, 1] * 5, [1, 0, 2, 2] * 5, [0, 0, 0, 0] * 5)
    found = bootstrap_by_vote(data, fit_firth(cells(data)), rounds=200, seed=1)
    assert found.separated == 0
    assert np.abs(found.strength).max() < 12
