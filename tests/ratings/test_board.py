"""Boards: against an independent optimiser, against simulated truth, and at the edges."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from ratings import (
    BadInput,
    BoardOptions,
    Comparisons,
    NotStronglyConnected,
    SelfComparison,
    board_csv,
    board_json,
    bootstrap_by_vote,
    bootstrap_by_voter,
    cells,
    comparisons,
    fit_bradley_terry,
    make_board,
)
from ratings.bradley_terry import gradient, hessian, log_likelihood
from ratings.poisson import poisson
from ratings.scale import POINTS


def world(
    seed: int, *, n: int = 8, m: int = 1500, voters: int = 60, taste: float = 0.0, side: float = 0.0, ties: float = 0.2
) -> tuple[Comparisons, np.ndarray]:
    """Votes of voters with tastes among competitors of known strength (log-odds)."""
    rng = np.random.default_rng(seed)
    strength = rng.normal(0, 0.7, n)
    strength -= strength.mean()
    voter = np.arange(m) * voters // m
    own = rng.normal(0, taste, (voters, n)) if taste else np.zeros((voters, n))
    a = rng.integers(0, n, m)
    b = (a + rng.integers(1, n, m)) % n
    d = strength[a] + own[voter, a] - strength[b] - own[voter, b] + side
    outcome = (rng.random(m) > 1 / (1 + np.exp(-d))).astype(int)
    outcome[rng.random(m) < ties] = 2
    return comparisons([f"m{i}" for i in range(n)], a, b, outcome, voter=voter), strength


@pytest.mark.parametrize("seed", range(4))
def test_the_fit_agrees_with_a_general_optimiser(seed: int) -> None:
    data, _ = world(seed, n=6, m=300, side=0.3)
    table = cells(data)

    def loss(x: np.ndarray) -> float:
        return -log_likelihood(table, np.append(x[:-1] - x[:-1].mean(), x[-1]))

    best = minimize(loss, np.zeros(7), method="BFGS", options={"gtol": 1e-9}).x
    fit = fit_bradley_terry(table, side_effect=True)
    assert fit.strength == pytest.approx(best[:-1] - best[:-1].mean(), abs=1e-5)
    assert fit.side_effect == pytest.approx(best[-1], abs=1e-5)
    assert fit.gradient_norm < 1e-7


def test_gradient_and_hessian_are_derivatives() -> None:
    data, _ = world(1, n=5, m=200)
    table, rng, step = cells(data), np.random.default_rng(2), 1e-6
    x = rng.normal(0, 0.5, 6)
    for prior in (0.0, 0.5):
        slope = gradient(table, x, side_effect=True, prior=prior)
        curve = hessian(table, x, side_effect=True, prior=prior)
        for i in range(6):
            e = np.eye(6)[i] * step
            numeric = (log_likelihood(table, x + e, prior=prior) - log_likelihood(table, x - e, prior=prior)) / (
                2 * step
            )
            assert slope[i] == pytest.approx(numeric, abs=1e-4)
            column = (
                gradient(table, x + e, side_effect=True, prior=prior)
                - gradient(table, x - e, side_effect=True, prior=prior)
            ) / (2 * step)
            assert -curve[:, i] == pytest.approx(column, abs=1e-4)


def test_true_strengths_lie_in_their_intervals_as_often_as_stated() -> None:
    """60 worlds × 8 models with tastes: coverage of 95 % within .92 to .98 (Monte-Carlo error about .013)."""
    inside = []
    for seed in range(60):
        data, strength = world(seed, taste=0.4, m=900, voters=45, ties=0.0, side=0.1)
        board = make_board(data, BoardOptions(rounds=50, side_effect=True))
        truth = {f"m{i}": 1000 + POINTS * value for i, value in enumerate(strength)}
        # Tastes attenuate marginal log-odds (logistic-normal): 1/sqrt(1 + c² 2 τ²), c = 16√3/(15π).
        shrink = 1 / np.sqrt(1 + (16 * np.sqrt(3) / (15 * np.pi)) ** 2 * 2 * 0.4**2)
        inside += [r.rating_lower <= 1000 + (truth[r.model_name] - 1000) * shrink <= r.rating_upper for r in board.rows]
    assert 0.92 <= np.mean(inside) <= 0.98


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False))
def test_neither_order_nor_counting_changes_a_byte(random: object) -> None:
    data, _ = world(3, n=5, m=120, voters=12)
    order = list(range(data.a.size))
    random.shuffle(order)  # type: ignore[attr-defined]
    shuffled = Comparisons(
        data.names, data.a[order], data.b[order], data.outcome[order], data.weight[order], data.voter[order]
    )
    keys, counts = np.unique(np.stack([data.voter, data.a, data.b, data.outcome]), axis=1, return_counts=True)
    counted = comparisons(data.names, keys[1], keys[2], keys[3], voter=keys[0], weight=counts)
    options = BoardOptions(rounds=60, side_effect=True)
    expected = board_json(make_board(data, options)), board_csv(make_board(data, options))
    for other in (shuffled, counted):
        assert (board_json(make_board(other, options)), board_csv(make_board(other, options))) == expected


@pytest.mark.parametrize("by", ["vote", "voter"])
def test_bootstrap_agrees_with_the_sandwich_on_independent_votes(by: str) -> None:
    data, _ = world(5, m=4000, voters=400)
    boards = [make_board(data, BoardOptions(by=by, interval=kind, rounds=600)) for kind in ("bootstrap", "sandwich")]
    widths = [np.mean([row.rating_upper - row.rating_lower for row in board.rows]) for board in boards]
    assert widths[0] / widths[1] == pytest.approx(1, abs=0.08)


def test_chord_refits_equal_exact_refits() -> None:
    data, _ = world(6, n=5, m=400, voters=20)
    fit = fit_bradley_terry(cells(data))
    replicates = bootstrap_by_voter(data, fit, rounds=20, seed=9, max_groups=None)
    drawn = poisson(np.ones(20), 20, np.random.Generator(np.random.PCG64(9)))
    for number in range(20):
        weighted = comparisons(
            data.names, data.a, data.b, data.outcome, weight=drawn[data.voter, number], voter=data.voter
        )
        exact = fit_bradley_terry(cells(weighted)).strength
        assert replicates.strength[number] == pytest.approx(exact, abs=1e-5)


def test_the_same_seed_gives_the_same_bits() -> None:
    data, _ = world(7)
    fit = fit_bradley_terry(cells(data))
    first, second = (bootstrap_by_vote(data, fit, rounds=50, seed=4).strength for _ in range(2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, bootstrap_by_vote(data, fit, rounds=50, seed=5).strength)


def test_tastes_widen_intervals_by_voter_but_not_by_vote() -> None:
    data, _ = world(8, taste=1.0, m=3000, voters=30)
    boards = {by: make_board(data, BoardOptions(by=by, rounds=50)) for by in ("voter", "vote")}
    width = {by: np.mean([r.rating_upper - r.rating_lower for r in board.rows]) for by, board in boards.items()}
    assert width["voter"] > 1.3 * width["vote"]


def test_no_votes_is_an_empty_board_with_a_note() -> None:
    board = make_board(comparisons(["x", "y"], [], [], []))
    assert [row.rating for row in board.rows] == [None, None]
    assert "no votes" in board.notes[0]
    assert board_csv(board).count("\n") == 3


def test_no_competitors_is_an_empty_board() -> None:
    assert make_board(comparisons([], [], [], [])).rows == ()


def test_one_vote_is_provisional_and_finite() -> None:
    board = make_board(comparisons(["x", "y"], [0], [1], [0], voter=[0]), BoardOptions(side_effect=True))
    assert {row.status for row in board.rows} == {"provisional"}
    assert all(np.isfinite(row.rating) and row.rating_upper > row.rating_lower for row in board.rows)


def test_a_winless_competitor_is_provisional_or_refused() -> None:
    data = comparisons(["x", "y", "z"], [0, 1, 0, 1], [1, 0, 2, 2], [0, 0, 0, 0])
    assert {row.status for row in make_board(data).rows} == {"provisional"}
    with pytest.raises(NotStronglyConnected, match="z"):
        make_board(data, BoardOptions(prior=False))


def test_unconnected_groups_get_no_ranks() -> None:
    data = comparisons(list("wxyz"), [0, 1, 2, 3], [1, 0, 3, 2], [0, 0, 0, 0])
    board = make_board(data)
    assert {row.status for row in board.rows} == {"not_comparable"}
    assert all(row.rank is None and row.rank_upper is None for row in board.rows)
    assert len(board.components) == 2


def test_a_competitor_without_votes_does_not_spoil_the_others() -> None:
    data = comparisons(["x", "y", "new"], [0, 0, 1], [1, 1, 0], [0, 1, 0])
    board = make_board(data)
    assert [row.status for row in board.rows] == ["ranked", "ranked", "not_comparable"]
    assert board.rows[2].rating is None


def test_all_ties_never_give_an_interval_of_width_zero() -> None:
    board = make_board(comparisons(["x", "y"], [0] * 20, [1] * 20, [2] * 20, voter=list(range(20))))
    for row in board.rows:
        assert row.rating == pytest.approx(1000)
        assert row.rating_upper - row.rating_lower > 10
        assert row.status == "provisional"


def test_one_voter_is_taken_by_vote_with_a_note() -> None:
    data, _ = world(9, voters=1)
    board = make_board(data)
    assert board.method["by"] == "vote"
    assert any("one voter" in note for note in board.notes)


def test_all_votes_for_the_first_shown_stay_finite() -> None:
    """The side effect has no finite estimate then; a stated prior of one vote holds it."""
    data = comparisons(["x", "y"], [0, 1] * 10, [1, 0] * 10, [0] * 20, voter=list(range(20)))
    board = make_board(data, BoardOptions(side_effect=True))
    assert abs(board.side_effect[0]) < 10
    assert all(abs(row.rating - 1000) < 1 for row in board.rows)


def test_bad_input_is_named() -> None:
    with pytest.raises(SelfComparison, match="'x'"):
        comparisons(["x", "y"], [0], [0], [0])
    with pytest.raises(BadInput, match="nan"):
        comparisons(["x", "y"], [0], [1], [0], weight=[float("nan")])
    with pytest.raises(BadInput, match="stands twice"):
        comparisons(["x", "x"], [], [], [])
    with pytest.raises(BadInput, match="anchor"):
        make_board(comparisons(["x", "y"], [0], [1], [0]), BoardOptions(anchor="z"))
    with pytest.raises(BadInput, match="level"):
        make_board(comparisons(["x", "y"], [0], [1], [0]), BoardOptions(level=95))


def test_ranks_hold_for_all_rows_at_once() -> None:
    data, strength = world(11, m=6000, voters=200)
    board = make_board(data)
    true_rank = {f"m{i}": 1 + int((strength > value).sum()) for i, value in enumerate(strength)}
    for row in board.rows:
        assert row.rank_lower <= true_rank[row.model_name] <= row.rank_upper


def test_a_formula_in_a_name_is_neutralised() -> None:
    board = make_board(comparisons(["=cmd()", "y"], [0, 1], [1, 0], [0, 0]))
    assert "'=cmd()" in board_csv(board)
    assert "\r\n=cmd" not in board_csv(board)


@pytest.mark.parametrize(("started", "threads"), [("-m", "1"), ("script.py", "None")])
def test_only_the_command_line_tells_blas_how_many_threads(started: str, threads: str) -> None:
    """Before numpy is there, or it comes too late; a program that imports the package decides for itself."""
    code = f"import os, sys; sys.argv = [{started!r}]; import ratings; print(os.environ.get('OPENBLAS_NUM_THREADS'))"
    bare = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run([sys.executable, "-c", code], env=bare, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == threads


def test_columns_of_checks_come_last_and_are_blank_where_nothing_is_known() -> None:
    board = make_board(comparisons(["x", "y"], [0], [1], [0]))
    meta = {"x": {"check_json": 0.5, "check_json_answers": 4, "colour": "blue"}, "y": {"license": "MIT"}}
    header, first, second = csv.reader(board_csv(board, meta).splitlines())
    assert header[-3:] == ["component", "check_json", "check_json_answers"]
    assert first[-2:] == ["0.5", "4"] and second[-2:] == ["", ""]
    assert list(json.loads(board_json(board, meta))["board"][1]) == header


def test_a_variance_of_zero_that_rounding_puts_below_it_becomes_no_missing_interval() -> None:
    """Seven votes whose clustered variance of one competitor is -3e-18: a board of them once could not be published."""
    a, b = np.array([2, 1, 1, 2, 2, 0, 2]), np.array([1, 0, 2, 1, 1, 2, 1])
    outcome = np.array([3, 2, 2, 0, 1, 2, 3], dtype=np.int8)
    votes = Comparisons(("p", "q", "r"), a, b, outcome, np.ones(7), np.zeros(7, dtype=np.int32))
    board = make_board(votes, BoardOptions(side_effect=True))
    for row in board.rows:
        assert row.rating is not None and row.rating_lower is not None and row.rating_upper is not None
        assert row.rating_upper - row.rating_lower > 1
