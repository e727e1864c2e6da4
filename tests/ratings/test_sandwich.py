"""Robust covariances: against dense matrices of votes, in simulation, and where one voter stands alone."""

from __future__ import annotations

import numpy as np
import pytest

from ratings import Comparisons, cells, comparisons, fit_bradley_terry
from ratings.bradley_terry import BradleyTerryFit
from ratings.data import canonical
from ratings.firth import fit_firth
from ratings.sandwich import sandwich_by_vote, sandwich_by_voter
from ratings.simulate import Design, simulate


def dense(data: Comparisons, fit: BradleyTerryFit, unit: np.ndarray) -> np.ndarray:
    """Bell and McCaffrey's CR2 with matrices of the size of a unit's votes, as they printed it."""
    rows = fit.rows(data)
    design = np.zeros((data.a.size, rows.size))
    every = np.arange(data.a.size)
    design[every, data.a], design[every, data.b], design[:, -1] = 1, -1, 1
    root = np.sqrt(rows.curvature)
    scaled, residual, total = design * root[:, None], rows.residual / root, np.zeros((rows.size, rows.size))
    for one in np.unique(unit):
        mine = unit == one
        hat = scaled[mine] @ fit.covariance @ scaled[mine].T
        values, vectors = np.linalg.eigh(np.eye(hat.shape[0]) - hat)
        score = scaled[mine].T @ (vectors / np.sqrt(values) @ vectors.T) @ residual[mine]
        total += np.outer(fit.covariance @ score, fit.covariance @ score)
    return total


@pytest.mark.parametrize("voters", [5, 60])
def test_corrected_scores_equal_bell_and_mccaffreys_matrices(voters: int) -> None:
    """5 voters go by eigenvalues, 60 by the series; counted or not, in any order."""
    data = simulate(Design(models=6, votes=240, voters=voters, side_effect=0.2, tie=0.3), 3).data
    fit = fit_bradley_terry(cells(data), side_effect=True)
    expected = dense(data, fit, data.voter)
    assert sandwich_by_voter(data, fit, correction=True).full == pytest.approx(expected, abs=1e-9)
    assert sandwich_by_voter(canonical(data), fit, correction=True).full == pytest.approx(expected, abs=1e-9)


def test_corrected_votes_equal_the_same_with_a_vote_a_unit() -> None:
    data = simulate(Design(models=6, votes=240, voters=20, side_effect=0.2, tie=0.3), 4).data
    fit = fit_bradley_terry(cells(data), side_effect=True)
    expected = dense(data, fit, np.arange(data.a.size))
    assert sandwich_by_vote(data, fit, correction=True).full == pytest.approx(expected, abs=1e-12)
    assert sandwich_by_vote(canonical(data), fit, correction=True).full == pytest.approx(expected, abs=1e-12)


def test_a_voter_of_one_vote_each_is_the_sandwich_by_vote() -> None:
    data = simulate(Design(models=5, votes=150, voters=150), 5).data
    fit = fit_firth(cells(data))
    by_voter, by_vote = sandwich_by_voter(data, fit, correction=True), sandwich_by_vote(data, fit, correction=True)
    assert by_voter.matrix == pytest.approx(by_vote.matrix, abs=1e-9)


def test_equal_voters_have_degrees_of_freedom_of_their_number_less_one() -> None:
    """Each of 12 voters has judged the same pairs as often: nobody's share is larger, with tastes or without."""
    pairs = np.array([(0, 1), (1, 2), (2, 0)])
    a, b = np.tile(pairs, (24, 1)).T
    outcome = np.random.default_rng(1).integers(0, 2, a.size)
    data = comparisons("xyz", a, b, outcome, voter=np.arange(a.size) // 6)
    assert sandwich_by_voter(data, fit_firth(cells(data)), correction=True).df == pytest.approx([11, 11, 11], abs=1e-6)


def test_tastes_make_a_busy_voter_count_as_one() -> None:
    """The same busy voters: degrees of freedom fall when votes of one voter are alike."""
    calm, tasted = (simulate(Design(activity=1.0, taste=taste, votes=4000), 6).data for taste in (0.0, 1.0))
    df = [np.median(sandwich_by_voter(data, fit_firth(cells(data)), correction=True).df) for data in (calm, tasted)]
    assert df[1] < 0.6 * df[0]


def test_variances_are_those_of_the_estimates_over_many_worlds() -> None:
    """12 voters with tastes, the same strengths: mean corrected variance within 15 % of the estimates' variance.

    The standard error of a variance of 400 draws is 7 %.
    """
    rng = np.random.default_rng(7)
    strength = np.array([0.6, 0.2, -0.2, -0.6])
    estimates, variances, plain = [], [], []
    for _ in range(400):
        a = rng.integers(0, 4, 360)
        b = (a + rng.integers(1, 4, 360)) % 4
        voter = np.arange(360) // 30
        own = rng.normal(0, 0.5, (12, 4))
        d = strength[a] - strength[b] + own[voter, a] - own[voter, b]
        outcome = (rng.random(360) > 1 / (1 + np.exp(-d))).astype(int)
        data = comparisons("wxyz", a, b, outcome, voter=voter)
        fit = fit_bradley_terry(cells(data))
        estimates.append(fit.strength)
        variances.append(np.diag(sandwich_by_voter(data, fit, correction=True).matrix))
        plain.append(np.diag(sandwich_by_vote(data, fit, correction=True).matrix))
    truth = np.var(estimates, axis=0).mean()
    assert np.mean(variances) / truth == pytest.approx(1, abs=0.15)
    assert np.mean(plain) / truth < 0.8


def test_a_competitor_of_one_voter_is_flagged_and_gets_the_models_variance() -> None:
    data = simulate(Design(models=4, votes=300, voters=20), 8).data
    extra = 12
    data = comparisons(
        (*data.names, "new"), np.append(data.a, [4] * extra), np.append(data.b, [0, 1, 2, 3] * 3),
        np.append(data.outcome, [0, 1, 1, 0] * 3), voter=np.append(data.voter, [3] * extra),
    )  # fmt: skip
    fit = fit_bradley_terry(cells(data))
    found = sandwich_by_voter(data, fit, correction=True)
    assert found.weak[4] and not found.weak[:4].any()
    assert found.matrix[4, 4] > 0.8 * fit.covariance[4, 4]


def test_fewer_than_two_voters_are_refused() -> None:
    data = comparisons("xy", [0, 0], [1, 1], [0, 1], voter=[0, 0])
    fit = fit_bradley_terry(cells(data))
    with pytest.raises(ValueError, match="two voters"):
        sandwich_by_voter(data, fit, correction=True)
    with pytest.raises(ValueError, match="two voters"):
        sandwich_by_voter(comparisons("xy", [0, 0], [1, 1], [0, 1]), fit)
