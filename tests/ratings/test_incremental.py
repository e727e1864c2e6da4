"""Ratings one vote at a time: against the algebra, an exact fit, simulated truth, and at the edges."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from ratings import BadInput, Cells, NotStronglyConnected, Outcome, SelfComparison, cells, comparisons
from ratings.bradley_terry import fit_bradley_terry, hessian
from ratings.data import unordered
from ratings.incremental import BoardState, residual_gradient, start, with_vote


def votes(seed: int, n: int, m: int, ties: float = 0.2) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Sides, outcomes, and the strengths behind them."""
    rng = np.random.default_rng(seed)
    strength = rng.normal(0, 0.7, n)
    a = rng.integers(0, n, m)
    b = (a + rng.integers(1, n, m)) % n
    outcome = (rng.random(m) > expit(strength[a] - strength[b])).astype(int)
    outcome[rng.random(m) < ties] = 2
    return a, b, outcome, strength - strength.mean()


def table(n: int, a: np.ndarray, b: np.ndarray, outcome: np.ndarray) -> Cells:
    return cells(comparisons([f"m{i:03}" for i in range(n)], a, b, outcome))


def follow(state: BoardState, a: np.ndarray, b: np.ndarray, outcome: np.ndarray, **how: int) -> BoardState:
    for first, second, what in zip(a.tolist(), b.tolist(), outcome.tolist(), strict=True):
        state = with_vote(state, first, second, Outcome(what), **how)
    return state


def test_one_vote_is_the_step_of_the_textbook() -> None:
    """Two competitors, 20 wins each: I = 10 before, and theta moves by g / (I + 1/4) along (1, -1), g = 1/2."""
    state = start(table(2, np.repeat(0, 40), np.repeat(1, 40), np.tile([0, 1], 20)))
    after = with_vote(state, 0, 1, Outcome.A)
    assert after.strength[0] - after.strength[1] == pytest.approx(0.5 / (10 + 0.25), abs=1e-12)


def test_the_inverse_is_that_of_the_information_with_the_vote_added() -> None:
    """Sherman-Morrison against numpy's pseudo-inverse of the rebuilt information at the same strengths."""
    a, b, outcome, _ = votes(1, 6, 400)
    state = start(table(6, a, b, outcome))
    after = with_vote(state, 2, 4, Outcome.B)
    information = hessian(unordered(after.cells), np.append(state.strength, 0.0), side_effect=False)[:6, :6]
    assert after.covariance == pytest.approx(np.linalg.pinv(information), abs=1e-10)


def test_two_thousand_votes_drift_by_less_than_a_hundredth_of_the_standard_error() -> None:
    """The stated bound for 100 competitors, with no exact fit in between."""
    a, b, outcome, _ = votes(2, 100, 52_000)
    state = follow(start(table(100, a[:50_000], b[:50_000], outcome[:50_000])), a[50_000:], b[50_000:],
                   outcome[50_000:], refresh_every=10**9)  # fmt: skip
    fit = fit_bradley_terry(table(100, a, b, outcome))
    error = np.sqrt(np.diag(fit.covariance)[:100])
    assert state.since == 2_000
    assert np.abs((state.strength - fit.strength) / error).max() < 0.01
    assert np.sqrt(np.diag(state.covariance)) == pytest.approx(error, rel=0.01)


def test_a_refresh_is_the_exact_fit_to_the_bit() -> None:
    a, b, outcome, _ = votes(3, 8, 600)
    state = follow(start(table(8, a[:500], b[:500], outcome[:500])), a[500:], b[500:], outcome[500:], refresh_every=1)
    fit = fit_bradley_terry(table(8, a, b, outcome))
    assert state.since == 0
    assert np.array_equal(state.strength, fit.strength)
    assert np.array_equal(state.covariance, fit.covariance[:8, :8])
    assert np.array_equal(state.cells.count, table(8, a, b, outcome).count)


def test_a_young_board_is_refreshed_often_enough_to_stay_close() -> None:
    """From 100 votes to 1,000 under the default schedule: never a tenth of a standard error away."""
    a, b, outcome, _ = votes(4, 10, 1_000)
    state = start(table(10, a[:100], b[:100], outcome[:100]))
    for number in range(100, 1_000):
        state = with_vote(state, int(a[number]), int(b[number]), Outcome(int(outcome[number])))
        if number % 50 == 49:
            upto = slice(number + 1)
            fit = fit_bradley_terry(table(10, a[upto], b[upto], outcome[upto]))
            error = np.sqrt(np.diag(fit.covariance)[:10])
            assert np.abs((state.strength - fit.strength) / error).max() < 0.1


def test_simulated_strengths_are_recovered_within_their_standard_errors() -> None:
    """The mean square of 40 standardised errors is 1 give or take 0.22: above 2 by a chance of 1e-4."""
    a, b, outcome, truth = votes(5, 40, 12_000, ties=0.0)
    state = follow(start(table(40, a[:8_000], b[:8_000], outcome[:8_000])), a[8_000:], b[8_000:], outcome[8_000:])
    errors = (state.strength - truth) / np.sqrt(np.diag(state.covariance))
    assert 0.4 < np.mean(errors**2) < 2.0


def test_the_state_before_is_left_as_it_was() -> None:
    a, b, outcome, _ = votes(7, 5, 200)
    state = start(table(5, a, b, outcome))
    kept = [array.copy() for array in (state.count, state.score, state.strength, state.covariance)]
    with_vote(state, 0, 1, Outcome.TIE)
    for now, before in zip((state.count, state.score, state.strength, state.covariance), kept, strict=True):
        assert np.array_equal(now, before)


def test_a_tie_between_equals_changes_no_strength_and_narrows_the_inverse() -> None:
    state = start(table(2, np.repeat(0, 40), np.repeat(1, 40), np.tile([0, 1], 20)))
    after = with_vote(state, 0, 1, Outcome.TIE)
    assert after.strength == pytest.approx([0.0, 0.0], abs=1e-12)
    assert after.covariance[0, 0] < state.covariance[0, 0]


def test_how_far_a_state_is_from_the_exact_fit_is_told() -> None:
    a, b, outcome, _ = votes(8, 12, 6_000)
    state = start(table(12, a[:5_500], b[:5_500], outcome[:5_500]))
    assert residual_gradient(state) < 1e-5
    after = follow(state, a[5_500:], b[5_500:], outcome[5_500:], refresh_every=10**9)
    assert 1e-5 < residual_gradient(after) < 5.0


def test_a_winless_competitor_needs_the_prior_and_keeps_it() -> None:
    lost = table(3, np.array([0, 1, 0, 1]), np.array([1, 0, 2, 2]), np.array([0, 0, 0, 0]))
    with pytest.raises(NotStronglyConnected):
        start(lost)
    state = with_vote(start(lost, prior=0.5), 2, 0, Outcome.TIE)
    assert state.prior == 0.5
    assert np.isfinite(state.strength).all()


@pytest.mark.parametrize(("a", "b", "error"), [(0, 3, BadInput), (-1, 0, BadInput), (1, 1, SelfComparison)])
def test_a_vote_on_nobody_or_on_oneself_is_refused(a: int, b: int, error: type[Exception]) -> None:
    state = start(table(3, np.array([0, 1, 2, 0, 1, 2]), np.array([1, 2, 0, 1, 2, 0]), np.array([0, 0, 0, 1, 1, 1])))
    with pytest.raises(error):
        with_vote(state, a, b, Outcome.A)
