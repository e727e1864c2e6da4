"""The quick ways through a fit give what the plain ways give."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, log_expit

from ratings import Cells, NotStronglyConnected, comparisons, fit_bradley_terry
from ratings.bootstrap import _leads, bootstrap_by_voter
from ratings.bradley_terry import _newton, hessian, invert, log_likelihood
from ratings.connectivity import strong_components
from ratings.data import cells, group, unordered
from ratings.dense import climb, is_dense, somebody_links_all, wins_of
from ratings.poisson import poisson
from ratings.simulate import Design, simulate


@st.composite
def tables(draw: st.DrawFn) -> Cells:
    """Few or many votes among a few competitors."""
    n = draw(st.integers(2, 7))
    pair = st.tuples(st.integers(0, n - 1), st.integers(1, n - 1), st.integers(0, 3))
    rows = draw(st.lists(pair, min_size=1, max_size=80))
    a = [first for first, _, _ in rows]
    b = [(first + gap) % n for first, gap, _ in rows]
    return cells(comparisons([f"m{i}" for i in range(n)], a, b, [what for _, _, what in rows]))


def plainly_unordered(table: Cells) -> dict[tuple[int, int], tuple[float, float]]:
    found: dict[tuple[int, int], tuple[float, float]] = {}
    for a, b, count, score in zip(table.a, table.b, table.count, table.score, strict=True):
        key, won = ((a, b), score) if a < b else ((b, a), count - score)
        before = found.get(key, (0.0, 0.0))
        found[key] = (before[0] + count, before[1] + won)
    return found


@given(tables())
@settings(deadline=None, max_examples=150)
def test_pairs_are_merged_alike_with_and_without_whole_matrices(table: Cells) -> None:
    merged = unordered(table)
    wanted = sorted(plainly_unordered(table).items())
    assert list(zip(merged.a.tolist(), merged.b.tolist(), strict=True)) == [key for key, _ in wanted]
    assert list(zip(merged.count.tolist(), merged.score.tolist(), strict=True)) == [value for _, value in wanted]
    keys, _ = group(np.minimum(table.a, table.b) * table.n + np.maximum(table.a, table.b), table.n**2)
    assert keys.tolist() == (merged.a * table.n + merged.b).tolist()


@given(tables())
@settings(deadline=None, max_examples=150)
def test_somebody_links_all_only_where_all_are_strongly_connected(table: Cells) -> None:
    strong = np.unique(strong_components(table)).size == 1
    assert strong or not somebody_links_all(wins_of(table))
    if not strong:
        with pytest.raises(NotStronglyConnected):
            fit_bradley_terry(table)


def test_a_full_arena_needs_no_search() -> None:
    a, b = np.nonzero(~np.eye(5, dtype=bool))
    assert somebody_links_all(wins_of(Cells(5, a, b, np.full(20, 2.0), np.ones(20))))


@given(tables(), st.sampled_from([0.0, 0.5, 3.0]))
@settings(deadline=None, max_examples=150)
def test_matrices_lead_to_the_maximum_that_halved_steps_lead_to(table: Cells, prior: float) -> None:
    if not prior and np.unique(strong_components(table)).size > 1:
        return
    careful = _newton(unordered(table), False, prior, 0.0, 1e-10, 200)
    quick = fit_bradley_terry(table, prior=prior)
    assert quick.strength == pytest.approx(careful.strength, abs=1e-8)
    assert quick.covariance == pytest.approx(careful.covariance, rel=1e-6, abs=1e-9)
    assert quick.log_likelihood == pytest.approx(careful.log_likelihood, rel=1e-12)


def test_a_full_arena_is_fitted_in_a_few_full_steps() -> None:
    a, b = np.nonzero(~np.eye(8, dtype=bool))
    table = Cells(8, a, b, np.full(56, 20.0), np.where(a < b, 14.0, 5.0))
    assert is_dense(table)
    top = climb(wins_of(table), 0.0, 1e-10)
    assert top is not None
    assert top.iterations <= 4


def test_matrices_say_nothing_where_there_is_no_maximum() -> None:
    """One lost everything: steps run away, and the careful way has to answer or to refuse."""
    wins = np.array([[0.0, 5.0, 9.0], [4.0, 0.0, 9.0], [0.0, 0.0, 0.0]])
    assert climb(wins, 0.0, 1e-10) is None


@given(tables(), st.floats(-40, 40), st.floats(-3, 3))
@settings(deadline=None, max_examples=100)
def test_the_log_likelihood_is_that_of_scipy_even_far_out(table: Cells, spread: float, gamma: float) -> None:
    parameters = np.append(np.linspace(-spread, spread, table.n), gamma)
    d = parameters[table.a] - parameters[table.b] + gamma
    wanted = table.score @ log_expit(d) + (table.count - table.score) @ log_expit(-d)
    assert log_likelihood(table, parameters) == pytest.approx(wanted, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("side_effect", [False, True])
def test_the_inverse_is_the_pseudo_inverse_on_centred_strengths(side_effect: bool) -> None:
    a, b = np.nonzero(~np.eye(6, dtype=bool))
    rng = np.random.default_rng(1)
    table = Cells(6, a, b, rng.integers(3, 30, a.size).astype(float), np.zeros(a.size))
    parameters = np.append(rng.normal(0, 1, 6), 0.3 if side_effect else 0.0)
    information = hessian(table, parameters, side_effect=side_effect)
    centre = np.eye(7)
    centre[:6, :6] -= 1 / 6
    wanted = np.linalg.pinv(centre @ information @ centre)
    assert invert(information, side_effect) == pytest.approx(wanted, abs=1e-12)


def test_an_information_that_is_not_positive_still_has_its_inverse() -> None:
    """A replicate's pseudo-counts may be negative; then elimination takes over from Cholesky's factor."""
    information = np.zeros((4, 4))
    information[:3, :3] = [[4.0, 1.0, -5.0], [1.0, -2.0, 1.0], [-5.0, 1.0, 4.0]]
    found = invert(information, False)[:3, :3]
    assert found == pytest.approx(np.linalg.pinv(information[:3, :3]), abs=1e-9)


def test_the_estimate_is_the_same_with_expit() -> None:
    """The gradient at the estimate, by scipy's sigmoid, is nothing against the counts."""
    a, b = np.nonzero(~np.eye(8, dtype=bool))
    rng = np.random.default_rng(2)
    count = rng.integers(5, 50, a.size).astype(float)
    table = Cells(8, a, b, count, rng.binomial(count.astype(int), 0.5).astype(float))
    fit = fit_bradley_terry(table)
    residual = table.score - table.count * expit(fit.strength[a] - fit.strength[b])
    slope = np.bincount(a, residual) - np.bincount(b, residual)
    assert np.abs(slope).max() < 1e-7


@pytest.mark.parametrize("side_effect", [False, True])
def test_groups_of_voters_are_refitted_as_if_each_replicate_were_fitted_alone(side_effect: bool) -> None:
    """Leads by group instead of scores by cell, single precision and whole blocks, against the plain way."""
    data = simulate(Design(models=6, votes=3_000, voters=40, tie=0.2, side_effect=0.3), 5).data
    fit = fit_bradley_terry(cells(data), side_effect=side_effect)
    found = bootstrap_by_voter(data, fit, rounds=40, seed=3, side_effect=side_effect, max_groups=10)
    drawn = poisson(np.ones(10), 40, np.random.Generator(np.random.PCG64(3)))
    assert data.voter is not None
    first = np.unique(data.voter, return_inverse=True)[1] % 10
    for number in range(40):
        weight = drawn[first, number].astype(float)
        alone = comparisons(data.names, data.a, data.b, data.outcome, weight=weight)
        exact = fit_bradley_terry(cells(alone), side_effect=side_effect).strength
        assert found.strength[number] == pytest.approx(exact, abs=1e-5)


@pytest.mark.parametrize("n", [5, 300])
def test_leads_by_group_are_the_same_in_full_and_sparsely(n: int) -> None:
    rng = np.random.default_rng(1)
    a, lead, who = rng.integers(0, n, 800), rng.integers(-2, 3, 800) / 2, rng.integers(0, 300, 800)
    data = comparisons([f"m{i}" for i in range(n)], a, (a + 1) % n, np.zeros(800, int), voter=who)
    wanted = np.zeros((n + 1, 300))
    for first, second, value, group_of in zip(data.a, data.b, lead, who, strict=True):
        wanted[first, group_of] += value
        wanted[second, group_of] -= value
        wanted[n, group_of] += value
    found = _leads(data, lead, who, 300, True)
    assert isinstance(found, np.ndarray) == (n == 5)
    assert np.array_equal(found if n == 5 else found.toarray(), wanted)
