"""The bound of verdicts: against the integral that defines it, dense algebra, and simulated truth under peeking."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit

from ratings import Outcome, cells, comparisons, fit_bradley_terry
from ratings import contrasts as contrasts_module
from ratings.bradley_terry import log_likelihood
from ratings.contrasts import contrasts, drop_if_equal, satterthwaite_of_differences
from ratings.sandwich import sandwich_by_vote, sandwich_by_voter
from ratings.scale import POINTS
from ratings.sequences import half_width, t_over_z
from ratings.verdicts import compare
from tests.bench import peeking
from tests.ratings.verdict_worlds import world

# The sequence


@pytest.mark.parametrize("information", [3.0, 40.0, 100.0, 2500.0])
def test_the_bound_is_where_the_normal_mixture_reaches_one_over_alpha(information: float) -> None:
    """Ville: the mixture of exp(λS - λ²t/2) over λ ~ N(0, 1/ρ) is a martingale, and stays below 1/α with 1 - α."""
    alpha = 0.05
    rho = 100 / (-2 * np.log(alpha) + np.log(1 - 2 * np.log(alpha)))
    total = information * float(half_width(1 / information))

    def density(x: float) -> float:
        return float(np.exp(x * total - x**2 * information / 2 - rho * x**2 / 2) * np.sqrt(rho / (2 * np.pi)))

    centre, scale = total / (information + rho), 1 / np.sqrt(information + rho)
    assert quad(density, centre - 12 * scale, centre + 12 * scale)[0] == pytest.approx(1 / alpha, rel=1e-9)


def test_the_sequence_is_tightest_at_the_expected_information() -> None:
    """The closed form for rho is an approximation (Waudby-Smith et al. 2021): within a thousandth of the best width."""
    best = minimize_scalar(lambda log: float(half_width(0.01, expected_information=np.exp(log))), bounds=(0, 10)).fun
    assert float(half_width(0.01, expected_information=100)) == pytest.approx(best, rel=1e-3)


def test_a_random_walk_seldom_ever_leaves_the_sequence() -> None:
    """2,000 Gaussian walks of 3,000 steps; the bound of 5 % holds for all time, about 3 % are reached here (± .4)."""
    steps = np.arange(1, 3001)
    walks = np.random.default_rng(4).standard_normal((2000, steps.size)).cumsum(axis=1) / steps
    left = (np.abs(walks) > half_width(1 / steps)).any(axis=1).mean()
    assert 0.015 < left <= 0.05
    assert (np.abs(walks) > 1.96 / np.sqrt(steps)).any(axis=1).mean() > 0.5, "a fixed interval would be wrong by then"


def test_few_degrees_of_freedom_widen_by_students_quantiles() -> None:
    """12.7062, 2.7764 and 1.9600 are the two-sided 95 % quantiles for 1, 4 and infinite df (any t table)."""
    assert t_over_z([1, 4, np.inf], 0.95) == pytest.approx(np.array([12.7062, 2.7764, 1.95996]) / 1.95996, rel=1e-4)


# Variances and degrees of freedom


@pytest.mark.parametrize("side_effect", [False, True])
def test_degrees_of_freedom_agree_with_dense_algebra(side_effect: bool) -> None:
    data = world(1, voters=7, m=400, side=0.4)
    fit = fit_bradley_terry(cells(data), side_effect=side_effect)
    n, rows = 6, np.arange(data.a.size)
    design = np.zeros((rows.size, n + 1))
    design[rows, data.a], design[rows, data.b], design[:, n] = 1, -1, side_effect
    p = expit(design @ np.append(fit.strength, fit.side_effect))
    contrast = np.eye(n + 1)[1] - np.eye(n + 1)[4]
    push = (design @ fit.covariance @ contrast) ** 2 * p * (1 - p)
    shares = np.array([push[data.voter == voter].sum() for voter in range(7)])
    expected = shares.sum() ** 2 / (shares**2).sum() - 1
    assert satterthwaite_of_differences(data, fit, np.array([1, 4]))[0, 1] == pytest.approx(expected, rel=1e-9)


def test_folding_light_voters_together_never_adds_degrees_of_freedom(monkeypatch: pytest.MonkeyPatch) -> None:
    data = world(2, voters=60)
    fit, every = fit_bradley_terry(cells(data)), np.arange(6)
    exact = satterthwaite_of_differences(data, fit, every)
    monkeypatch.setattr(contrasts_module, "GROUPS", 20)
    folded = satterthwaite_of_differences(data, fit, every)
    off = ~np.eye(6, dtype=bool)
    assert (folded[off] < exact[off]).all()
    assert (folded[off] > 10).all()


def test_the_variance_is_the_larger_of_clustered_and_vote_level() -> None:
    data = world(3, voters=8, taste=0.8)
    fit, c = fit_bradley_terry(cells(data)), np.array([1.0, 0, 0, -1, 0, 0])
    found = contrasts(data, np.array([0, 3]), unit="voter")
    by_vote, by_voter = (c @ cov.matrix @ c for cov in (sandwich_by_vote(data, fit), sandwich_by_voter(data, fit)))
    assert by_voter > by_vote
    assert found.variance[0, 1] == pytest.approx(by_voter, rel=1e-9)
    assert found.by_vote[0, 1] == pytest.approx(by_vote, rel=0.03), "the dispersion is held towards one by four votes"


def test_the_closed_forms_of_the_simulation_are_the_librarys_vote_for_vote() -> None:
    """Two competitors, three voters, 15 % ties; the first eleven votes go one way, where only a prior is finite."""
    rng = np.random.default_rng(5)
    score = np.append(np.ones(11), rng.choice([0.0, 0.5, 1.0], 60, p=[0.35, 0.15, 0.5]))
    voter = rng.integers(0, 3, score.size)
    outcome = np.select([score == 1, score == 0], [Outcome.A, Outcome.B], Outcome.TIE)
    state = peeking.TwoCompetitors(1, 3)
    for m in range(1, score.size + 1):
        state.add(voter[m - 1 : m], score[m - 1 : m])
        if m < 10:
            continue
        at = state.estimate()
        verdict = compare(comparisons("xy", [0] * m, [1] * m, outcome[:m], voter=voter[:m]), "x", "y")
        assert verdict.difference == pytest.approx(POINTS * at["d"][0], rel=1e-7)
        assert verdict.df == pytest.approx(at["df"][0], rel=1e-9)
        half = POINTS * peeking.halves(at)["ours"][0]
        expected = pytest.approx(verdict.difference + half, rel=1e-6) if at["df"][0] >= 1 else None
        assert verdict.upper == expected


def test_six_competitors_are_simulated_as_they_are_fitted() -> None:
    """Estimates and degrees of freedom alike; the simulation's CR1 is within a tenth of CR2 for 20 even voters."""
    rng, state = np.random.default_rng(16), peeking.ManyCompetitors(1, 20, 6)
    voter, pair, score = rng.integers(0, 20, 600), rng.integers(0, 15, 600), rng.integers(0, 2, 600)
    for vote in range(600):
        state.add(voter[vote : vote + 1], pair[vote : vote + 1], score[vote : vote + 1].astype(float))
    at = state.estimate()
    a, b = state.pairs[pair].T
    found = contrasts(comparisons("abcdef", a, b, 1 - score, voter=voter), np.arange(6), unit="voter")
    i, j = state.pairs.T
    assert at["d"][0] == pytest.approx(found.strength[i] - found.strength[j], abs=1e-6)
    assert at["df"][0] == pytest.approx(found.df[i, j], rel=1e-5)
    assert at["variance"][0] == pytest.approx(found.variance[i, j], rel=0.1)


@pytest.mark.parametrize("side_effect", [False, True])
def test_the_fall_of_the_likelihood_is_that_of_a_constrained_optimum(side_effect: bool) -> None:
    data = world(15, n=4, m=200, side=0.3)
    found = contrasts(data, np.array([1, 3]), unit="vote", side_effect=side_effect)

    def loss(x: np.ndarray) -> float:
        return -log_likelihood(found.table, np.array([x[0], x[1], -x[0] - 2 * x[1], x[1], side_effect * x[2]]))

    best = -minimize(loss, np.zeros(3), method="BFGS", options={"gtol": 1e-8}).fun
    free = log_likelihood(found.table, np.append(found.strength, found.fit.side_effect))
    assert drop_if_equal(found, 1, 3) == pytest.approx(free - best, abs=1e-5)


# Peeking


@pytest.mark.parametrize(("voters", "taste"), [(5, 0.5), (10, 0.5), (20, 0.0), (100, 0.5)])
def test_a_look_after_every_vote_seldom_finds_a_difference_that_is_not_there(voters: int, taste: float) -> None:
    """800 runs of 600 votes. The long simulation finds 0 to 3 % by 2,000 votes, so 5 % is four standard errors away."""
    looks = peeking.simulate(peeking.World(voters, taste, votes=600), 800, seed=11)
    assert looks.wrong["ours"].mean() <= 0.05
    assert looks.wrong["fixed, clustered t"].mean() > 0.15, "the world does tempt: the usual interval falls for it"


def test_voters_who_come_one_after_another_fool_nobody() -> None:
    looks = peeking.simulate(peeking.World(20, 0.5, votes=600, in_turn=True), 800, seed=12)
    assert looks.wrong["ours"].mean() <= 0.05
    assert looks.wrong["sequence, clustered"].mean() > 0.5


def test_true_differences_are_found() -> None:
    """A difference of 120 points among 20 voters of one mind takes a median of about 123 votes in the simulation."""
    looks = peeking.simulate(peeking.World(20, 0.0, difference=120, votes=500), 200, seed=13)
    assert (looks.first["ours"] > 0).mean() > 0.98
    assert 100 < np.median(looks.first["ours"]) < 150
    assert looks.wrong["ours"].mean() == 0
