"""Intervals of a component where there is little to stand on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import ndtri, stdtrit

from ratings import BoardOptions, Comparisons, cells, comparisons, make_board
from ratings.firth import fit_firth
from ratings.sandwich import sandwich_by_vote, sandwich_by_voter
from ratings.scale import POINTS
from ratings.simulate import Design, simulate


def test_two_voters_have_one_degree_of_freedom_and_a_flag() -> None:
    """t of one degree is 12.7 errors: wide, and still not more than two people can tell about all others."""
    data = simulate(Design(models=5, votes=300, voters=2, taste=0.5), 1).data
    board = make_board(data)
    fit = fit_firth(cells(data))
    own, by_vote = sandwich_by_voter(data, fit), sandwich_by_vote(data, fit)
    assert {row.status for row in board.rows} == {"provisional"}
    for row in board.rows:
        i = data.names.index(row.model_name)
        spread = max(
            stdtrit(1, 0.975) * own.matrix[i, i] ** 0.5,
            ndtri(0.975) * max(by_vote.matrix[i, i], fit.covariance[i, i]) ** 0.5,
        )
        assert row.rating_upper - row.rating_lower == pytest.approx(2 * POINTS * spread, rel=1e-6)


def test_intervals_hold_with_three_voters() -> None:
    """100 worlds × 10 models; .95 with a Monte-Carlo error of .007 (more worlds gave .951)."""
    inside = []
    for seed in range(100):
        world = simulate(Design(votes=400, voters=3, taste=0.5), seed)
        truth = dict(zip(world.data.names, 1000 + POINTS * world.target, strict=True))
        rows = make_board(world.data, BoardOptions(rounds=20)).rows
        inside.append(np.mean([row.rating_lower <= truth[row.model_name] <= row.rating_upper for row in rows]))
    assert 0.92 < np.mean(inside) < 0.98


def test_a_competitor_of_one_voter_is_provisional_and_the_others_are_not() -> None:
    data = simulate(Design(models=8, votes=800, voters=20), 2).data
    data = comparisons(
        (*data.names, "new"), np.append(data.a, [8] * 24), np.append(data.b, [*range(8)] * 3),
        np.append(data.outcome, [0, 1, 1, 0] * 6), voter=np.append(data.voter, [3] * 24),
    )  # fmt: skip
    rows = {row.model_name: row for row in make_board(data).rows}
    assert {name for name, row in rows.items() if row.status == "provisional"} == {"new"}
    assert rows["new"].rating_upper - rows["new"].rating_lower > 2 * (
        rows["m000"].rating_upper - rows["m000"].rating_lower
    )


def test_the_rating_is_maximum_likelihood_and_lies_inside_an_interval_around_firths() -> None:
    data = simulate(Design(models=8, votes=200, voters=40), 3).data
    board = make_board(data, BoardOptions(side_effect=True))
    middle = [(row.rating_lower + row.rating_upper) / 2 for row in board.rows]
    assert all(row.rating_lower < row.rating < row.rating_upper for row in board.rows)
    assert np.std(middle) < np.std([row.rating for row in board.rows])


def test_an_anchors_interval_is_that_of_differences() -> None:
    data = simulate(Design(models=5, votes=900, voters=60), 4).data
    board = make_board(data, BoardOptions(anchor="m002", anchor_rating=1500))
    rows = {row.model_name: row for row in board.rows}
    assert rows["m002"].rating == 1500 and rows["m002"].rating_lower is None
    assert all(row.rating_lower < row.rating < row.rating_upper for name, row in rows.items() if name != "m002")


def tiny(seed: int) -> Comparisons:
    """A handful of votes with every kind of gap: absent voters, one outcome, one-sided pairs, a covariate by chance."""
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(2, 6)), int(rng.integers(4, 25))
    a = rng.integers(0, n, m)
    b = (a + rng.integers(1, n, m)) % n
    outcome = np.where(a < b, 0, 1) if seed % 4 == 0 else rng.integers(0, seed % 4 + 1, m)
    voter = np.unique(rng.integers(0, rng.integers(1, 6), m), return_inverse=True)[1]
    return comparisons(
        [f"m{i}" for i in range(n)], a, b, outcome, voter=voter if seed % 5 else None,
        weight=rng.integers(1, 3, m), covariates=rng.normal(0, 0.3, (m, 1)), covariate_names=["length"],
    )  # fmt: skip


@pytest.mark.parametrize(
    "options",
    [
        {"side_effect": True},
        {"by": "vote"},
        {"interval": "model"},
        {"interval": "bootstrap"},
        {"ties": "davidson", "side_effect": True},
        {"style": ("length",), "side_effect": True},
    ],
    ids=str,
)
def test_tiny_arenas_have_finite_ratings_inside_intervals_of_some_width(options: dict[str, Any]) -> None:
    for seed in range(60):
        for row in make_board(tiny(seed), BoardOptions(rounds=20, **options)).rows:
            if row.rating_lower is not None:
                assert abs(row.rating) < 20_000
                assert row.rating_lower <= row.rating <= row.rating_upper
                assert row.rating_upper - row.rating_lower > 1
