"""Many voters are dealt into groups; nothing but the degrees of freedom changes."""

from __future__ import annotations

import numpy as np
import pytest

from ratings import Comparisons, cells, comparisons, fit_bradley_terry, make_board
from ratings.electorate import MAX_GROUPS, Electorate, dealt, electorate
from ratings.sandwich import sandwich_by_voter
from ratings.scale import POINTS


def crowd(voters: int, votes: int, *, seed: int = 5, n: int = 6) -> Comparisons:
    rng = np.random.default_rng(seed)
    voter = np.concatenate([np.arange(voters), rng.integers(0, voters, votes - voters)])
    a = rng.integers(0, n, votes)
    b = (a + rng.integers(1, n, votes)) % n
    strength = np.linspace(1, -1, n)
    taste = rng.normal(0, 0.5, (voters, n))
    gap = strength[a] - strength[b] + taste[voter, a] - taste[voter, b]
    outcome = np.where(rng.random(votes) < 1 / (1 + np.exp(-gap)), 0, 1)
    return comparisons([f"m{i}" for i in range(n)], a, b, outcome, voter=voter)


def test_few_voters_stay_as_they_are() -> None:
    data = crowd(50, 400)
    assert dealt(data) is data


def test_votes_scores_and_groups_add_up() -> None:
    data = crowd(1300, 4000)
    found = dealt(data)
    assert found.voters == MAX_GROUPS and found.votes == data.votes
    assert found.voter is not None and data.voter is not None
    assert np.array_equal(
        np.bincount(found.voter, found.weight), np.bincount(data.voter % MAX_GROUPS, data.weight, minlength=MAX_GROUPS)
    )


def test_dealing_changes_no_rating_and_hardly_an_interval() -> None:
    """Grouping is a coarser clustering of the same scores; standard errors agree within the noise of 500 groups.

    The relative error of a variance from G clusters is about sqrt(2 / G), 6 % at 500, so of an error 3 %; 4 of those.
    """
    data = crowd(1300, 20_000)
    whole = {row.model_name: row for row in make_board(data).rows}
    fit = fit_bradley_terry(cells(data))
    exact = POINTS * np.sqrt(np.diag(sandwich_by_voter(data, fit).matrix))
    for place, name in enumerate(data.names):
        error = (whole[name].variance or 0.0) ** 0.5
        assert error == pytest.approx(exact[place], rel=0.12)


def test_counts_by_group_with_their_electorate_give_the_same_board() -> None:
    """What an arena of many voters keeps, against what its export holds."""
    data = crowd(1300, 4000)
    board = make_board(data)
    again = make_board(dealt(data), voted=electorate(data))
    assert again == board
    assert board.voters == 1300 and max(row.voters or 0 for row in board.rows) > MAX_GROUPS
    assert board.method["units"] == MAX_GROUPS


def test_the_electorate_counts_distinct_voters() -> None:
    data = comparisons("xyz", [0, 0, 1], [1, 1, 2], [0, 0, 0], voter=[4, 9, 9])
    assert electorate(data) == Electorate(2, {"x": 2, "y": 2, "z": 1})
    assert electorate(comparisons("xy", [], [], [], voter=[])) == Electorate(0, {"x": 0, "y": 0})
