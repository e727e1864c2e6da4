"""Bursts of sign-ups are those who came when far more came than usual, and nobody else."""

from __future__ import annotations

import numpy as np
import pytest

from ratings.bursts import QUARTER_DAY, bursts
from ratings.errors import BadInput
from tests.redteam import worlds

DAY = 86_400.0


def arrivals(seed: int, *, days: int = 60, each_day: float = 40.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.sort(rng.uniform(0, days * DAY, rng.poisson(days * each_day)))


@pytest.mark.parametrize("seed", range(5))
def test_steady_arrivals_are_no_burst(seed: int) -> None:
    assert (bursts(arrivals(seed)) == -1).all()


@pytest.mark.parametrize("seed", range(5))
def test_those_who_came_at_once_are_one_cluster_wherever_time_begins(seed: int) -> None:
    usual = arrivals(seed)
    usual -= usual[0]
    found = bursts(np.r_[usual, 30 * DAY + np.linspace(600, 4200, 60)] + 1.8e9)
    window = 30 * DAY // QUARTER_DAY
    assert set(found[usual.size :].tolist()) == {window}
    beside = usual // QUARTER_DAY == window
    assert ((found[: usual.size] >= 0) == beside).all()


@pytest.mark.parametrize("seed", range(5))
def test_it_finds_what_the_red_team_suite_takes_for_a_burst(seed: int) -> None:
    """Written apart, for worlds whose time begins at nought and whose accounts were all served."""
    rng = np.random.default_rng(seed)
    first = np.r_[0.0, arrivals(seed), *(rng.uniform(0, 60) * DAY + rng.exponential(3600, 80) for _ in range(3))]
    found = bursts(first)
    assert (found >= 0).any() and found.tolist() == worlds.bursts(first).tolist()


def test_a_crowd_without_a_usual_day_is_no_burst() -> None:
    assert bursts(np.linspace(0, 600, 500)).tolist() == [-1] * 500
    assert bursts([]).tolist() == [] and bursts([np.inf, np.inf]).tolist() == [-1, -1]


def test_who_was_never_served_came_in_none_and_changes_nothing() -> None:
    first = np.r_[arrivals(1), 30 * DAY + np.linspace(0, 600, 60)]
    with_absent = bursts(np.insert(first, [0, 700], np.inf))
    assert with_absent[0] == with_absent[701] == -1
    assert np.delete(with_absent, [0, 701]).tolist() == bursts(first).tolist()


def test_what_is_no_time_is_named() -> None:
    with pytest.raises(BadInput, match="account 1 was first served at nan"):
        bursts([0.0, np.nan])
    with pytest.raises(BadInput, match="a window of -1 s"):
        bursts([0.0], window=-1)
