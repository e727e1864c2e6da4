"""Davidson's ties: the printed optimum, a log-linear model written independently, simulated truth, and the edges."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from ratings import (
    BadInput,
    BoardOptions,
    Comparisons,
    NotStronglyConnected,
    board_json,
    cells,
    comparisons,
    fit_bradley_terry,
    make_board,
)
from ratings.davidson import fit_davidson
from ratings.sandwich import sandwich_by_vote, sandwich_by_voter
from ratings.simulate import Design, simulate


def puddings(folder: Path) -> Comparisons:
    with (folder / "textbook/pudding_davidson1970.csv").open() as file:
        table = [[int(v) for v in row] for row in list(csv.reader(file))[1:]]
    rows = np.array([(i, j, what, n) for i, j, _, *counts in table for what, n in enumerate(counts)])
    return comparisons("123456", rows[:, 0] - 1, rows[:, 1] - 1, rows[:, 2], weight=rows[:, 3])


def test_puddings_reach_davidsons_optimum(validation_data: Path) -> None:
    """Davidson 1970: worths with sum one, and nu."""
    fit = fit_davidson(puddings(validation_data))
    worth = np.exp(fit.strength) / np.exp(fit.strength).sum()
    printed = [0.1388034, 0.1730015, 0.1617474, 0.1653730, 0.1586854, 0.2023893]
    assert worth == pytest.approx(printed, abs=5e-5)
    assert fit.tie == pytest.approx(0.7468230, abs=5e-5)


def poisson(data: Comparisons) -> tuple[np.ndarray, np.ndarray]:
    """Davidson's model as a log-linear one (Fienberg & Larntz 1976), by reweighted least squares on dense counts.

    log mu(pair, outcome) = alpha(pair) + (d/2, -d/2, log nu), d = theta_a - theta_b + gamma, theta_0 = 0: the other
    strengths, gamma and log nu, and their covariance.
    """
    n = len(data.names)
    met = sorted({(int(a), int(b)) for a, b in zip(data.a, data.b, strict=True)})
    design, counts = [], []
    for place, (a, b) in enumerate(met):
        for outcome in range(3):
            row = np.zeros(n + 2 + len(met))
            sign = (0.5, -0.5, 0.0)[outcome]
            row[a] += sign
            row[b] -= sign
            row[n], row[n + 1], row[n + 2 + place] = sign, float(outcome == 2), 1.0
            design.append(row)
            counts.append(data.weight[(data.a == a) & (data.b == b) & (np.minimum(data.outcome, 2) == outcome)].sum())
    x, y = np.delete(np.array(design), 0, axis=1), np.array(counts)
    mu = y + 0.5
    for _ in range(60):
        eta = np.log(mu)
        beta = np.linalg.solve(x.T * mu @ x, x.T @ (mu * eta + y - mu))
        mu = np.exp(x @ beta)
    return beta[: n + 1], np.linalg.inv(x.T * mu @ x)[: n + 1, : n + 1]


@pytest.mark.parametrize("seed", range(3))
def test_a_poisson_regression_gives_the_same_estimates_and_errors(seed: int) -> None:
    data = simulate(Design(models=4, votes=400, voters=40, spread=0.6, tie=0.8, side_effect=0.3), seed).data
    beta, covariance = poisson(data)
    fit = fit_davidson(data, side_effect=True)
    assert fit.strength[1:] - fit.strength[0] == pytest.approx(beta[:3], abs=1e-6)
    assert (fit.side_effect, np.log(fit.tie)) == pytest.approx(tuple(beta[3:]), abs=1e-6)
    turn = np.hstack([-np.ones((3, 1)), np.eye(3)])
    assert turn @ fit.covariance[:4, :4] @ turn.T == pytest.approx(covariance[:3, :3], abs=1e-6)
    assert fit.covariance[4:, 4:] == pytest.approx(covariance[3:, 3:], abs=1e-6)


def test_simulated_truth_is_recovered() -> None:
    """200,000 votes: standard errors near .01."""
    world = simulate(Design(models=6, votes=200_000, voters=500, tie=0.7, side_effect=0.3), 2)
    fit = fit_davidson(world.data, side_effect=True)
    assert fit.strength == pytest.approx(world.strength, abs=0.04)
    assert (fit.side_effect, fit.tie) == pytest.approx((0.3, 0.7), abs=0.03)


def test_half_ties_shrink_the_scale_and_keep_the_order() -> None:
    world = simulate(Design(models=6, votes=50_000, tie=0.9), 3)
    half, davidson = fit_bradley_terry(cells(world.data)).strength, fit_davidson(world.data).strength
    assert half.argsort().tolist() == davidson.argsort().tolist()
    assert 0.5 < np.abs(half).sum() / np.abs(davidson).sum() < 0.85


def test_errors_by_vote_and_voter_are_those_of_the_model_when_it_holds() -> None:
    data = simulate(Design(models=5, votes=20_000, voters=1000, tie=0.7, side_effect=0.2), 4).data
    fit = fit_davidson(data, side_effect=True)
    model = np.sqrt(np.diag(fit.covariance))
    for found in (sandwich_by_vote(data, fit), sandwich_by_voter(data, fit)):
        assert found.full is not None
        assert np.sqrt(np.diag(found.full)) / model == pytest.approx(np.ones(7), abs=0.1)


def test_without_ties_it_is_bradley_terry() -> None:
    data = simulate(Design(models=5, votes=500), 5).data
    fit = fit_davidson(data)
    assert fit.tie == 0.0
    assert fit.strength == pytest.approx(fit_bradley_terry(cells(data)).strength, abs=1e-8)


def test_nothing_but_ties_stays_finite() -> None:
    fit = fit_davidson(comparisons("xy", [0] * 20, [1] * 20, [2] * 20))
    assert fit.strength.tolist() == pytest.approx([0, 0])
    assert np.isfinite(fit.tie) and fit.held == (3,)


def test_a_winless_competitor_is_refused_or_held_by_the_prior() -> None:
    data = comparisons("xyz", [0, 1, 0, 1], [1, 0, 2, 2], [0, 0, 0, 0])
    with pytest.raises(NotStronglyConnected, match="z"):
        fit_davidson(data)
    assert np.isfinite(fit_davidson(data, prior=0.5).strength).all()


def test_a_board_reports_nu_with_its_interval() -> None:
    data = simulate(Design(models=5, votes=3000, voters=60, taste=0.3, tie=0.7, side_effect=0.2), 6).data
    body = json.loads(board_json(make_board(data, BoardOptions(ties="davidson", side_effect=True))))
    tie, side = body["parameters"]["tie"], body["parameters"]["side_effect"]
    assert tie["lower"] < tie["nu"] < tie["upper"]
    assert tie["lower"] < 0.7 < tie["upper"]
    assert side["lower"] < 0.2 < side["upper"]
    assert body["method"]["model"] == "Davidson"


def test_a_board_of_one_winner_under_davidson_is_provisional() -> None:
    board = make_board(comparisons("xy", [0, 0], [1, 1], [0, 0], voter=[0, 1]), BoardOptions(ties="davidson"))
    assert {row.status for row in board.rows} == {"provisional"}
    assert all(row.rating_upper > row.rating_lower for row in board.rows)


def test_the_bootstrap_of_davidsons_model_is_refused() -> None:
    with pytest.raises(BadInput, match="sandwich"):
        make_board(comparisons("xy", [0], [1], [2]), BoardOptions(ties="davidson", interval="bootstrap"))
