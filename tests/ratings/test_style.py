"""Style control: derivatives, an independent optimiser, simulated truth, boards, and the edges."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit

from ratings import BadInput, BoardOptions, Comparisons, board_csv, board_json, comparisons, make_board
from ratings.data import SCORE_OF_A
from ratings.linear import information, leverage, slope
from ratings.newton import centred_inverse
from ratings.sandwich import sandwich_by_vote, sandwich_by_voter
from ratings.simulate import Design, simulate, simulate_style
from ratings.style import _evaluate, _unfitted, fit_style, relative_difference


def test_gradient_and_information_are_derivatives() -> None:
    data = simulate_style(Design(models=4, votes=200, tie=0.4), [0.4, -0.2], 1).data
    score, step = np.array([1.0, 0.0, 0.5, 0.5])[data.outcome], 1e-6
    x = np.random.default_rng(2).normal(0, 0.5, 7)
    unfitted = _unfitted(data, data.covariates)
    rows = _evaluate(unfitted, score, x)[1]
    gradient, curve = slope(rows), information(rows, rows.mass * rows.curvature)
    for i in range(7):
        e = np.eye(7)[i] * step
        ahead, behind = (_evaluate(unfitted, score, x + sign * e) for sign in (1, -1))
        assert gradient[i] == pytest.approx((ahead[0] - behind[0]) / (2 * step), abs=1e-4)
        assert -curve[:, i] == pytest.approx((slope(ahead[1]) - slope(behind[1])) / (2 * step), abs=1e-4)


def test_blocks_and_tables_of_pairs_give_what_whole_designs_give() -> None:
    """More rows than a block holds, side effect and leverage included, against matrices written out."""
    data = simulate_style(Design(models=4, votes=40_000, side_effect=0.2), [0.4, -0.2], 1).data
    x = np.array([0.3, -0.1, 0.0, -0.2, 0.25, 0.5, -0.3])
    score = SCORE_OF_A[data.outcome]
    value, rows = _evaluate(_unfitted(data, data.covariates), score, x)
    design = np.zeros((40_000, 7))
    design[np.arange(40_000), data.a], design[np.arange(40_000), data.b] = 1, -1
    design[:, 4], design[:, 5:] = 1, data.covariates
    chance = expit(design @ x)
    curvature = chance * (1 - chance)
    assert value == pytest.approx(data.weight @ (score * np.log(chance) + (1 - score) * np.log1p(-chance)), rel=1e-12)
    assert slope(rows) == pytest.approx(design.T @ (data.weight * (score - chance)), abs=1e-8)
    whole = design.T @ ((data.weight * curvature)[:, None] * design)
    assert information(rows, rows.mass * rows.curvature) == pytest.approx(whole, rel=1e-10, abs=1e-8)
    inverse = np.linalg.pinv(whole)
    wanted = curvature * np.einsum("mi,ij,mj->m", design, inverse, design)
    assert leverage(rows, inverse) == pytest.approx(wanted, rel=1e-8)


def test_the_covariance_is_that_of_the_maximum() -> None:
    """Late steps keep the inverse of the step before; the one that is handed out is made at the end."""
    data = simulate_style(Design(models=4, votes=5_000), [0.8, -0.5], 4).data
    fit = fit_style(data)
    rows = fit.rows(data)
    free = np.arange(7) != 4
    whole = centred_inverse(information(rows, rows.mass * rows.curvature), free, 4)
    assert fit.covariance == pytest.approx(whole, rel=1e-4, abs=1e-12)
    assert np.abs(slope(rows)[free]).max() < 1e-4


def test_the_fit_agrees_with_a_general_optimiser() -> None:
    data = simulate_style(Design(models=4, votes=300, tie=0.4, side_effect=0.3), [0.5, -0.3], 3).data
    scale = data.covariates.std(axis=0)
    design = np.zeros((300, 7))
    design[np.arange(300), data.a], design[np.arange(300), data.b] = 1, -1
    design[:, 4], design[:, 5:] = 1, data.covariates / scale
    score = np.array([1.0, 0.0, 0.5])[data.outcome]

    def loss(x: np.ndarray) -> float:
        d = design[:, 1:] @ x
        return -(score @ -np.logaddexp(0, -d) + (1 - score) @ -np.logaddexp(0, d))

    best = minimize(loss, np.zeros(6), method="BFGS", options={"gtol": 1e-7}).x
    fit = fit_style(data, side_effect=True)
    assert fit.strength[1:] - fit.strength[0] == pytest.approx(best[:3], abs=1e-4)
    assert fit.side_effect == pytest.approx(best[3], abs=1e-4)
    assert fit.coefficients == pytest.approx(best[4:], abs=1e-4)
    assert fit.scale == pytest.approx(scale)


@pytest.mark.parametrize("taste", [0.0, 0.5])
def test_simulated_coefficients_lie_in_their_intervals(taste: float) -> None:
    """30 worlds × 2 coefficients by voter: 95 % less three standard errors of .03; unpenalised, so not drawn to zero.

    The mean of 30 estimates of .25 with standard errors of .042 has one of 3 %.

    Tastes draw all log-odds towards zero by up to a tenth, coefficients too (logistic-normal).
    """
    hits, found = [], []
    truth = np.array([0.25, -0.1])
    shrink = 1 / np.sqrt(1 + (16 * np.sqrt(3) / (15 * np.pi)) ** 2 * 2 * taste**2)
    for seed in range(30):
        design = Design(models=5, votes=3000, voters=50, taste=taste)
        data = simulate_style(design, truth.tolist(), seed).data
        board = make_board(data, BoardOptions(style=("style0", "style1"), rounds=20))
        for value, (estimate, lower, upper) in zip(truth, board.style.values(), strict=True):
            hits.append(lower <= value * shrink <= upper)
            found.append(estimate / value)
    assert np.mean(hits) > 0.86
    assert np.mean(found[::2]) == pytest.approx(shrink, abs=0.09)


def test_exchanged_sides_change_nothing() -> None:
    data = simulate_style(Design(models=4, votes=500, voters=20), [0.4], 4).data
    turned = replace(data, a=data.b, b=data.a, outcome=np.where(data.outcome < 2, 1 - data.outcome, data.outcome),
                     covariates=-data.covariates)  # fmt: skip
    first, second = fit_style(data), fit_style(turned)
    assert first.strength == pytest.approx(second.strength, abs=1e-9)
    assert first.coefficients == pytest.approx(second.coefficients, rel=1e-6)


def longwinded() -> tuple[Comparisons, np.ndarray]:
    """Equal competitors, of whom the first writes longer answers, which voters like."""
    rng = np.random.default_rng(5)
    m = 6000
    a = rng.integers(0, 3, m)
    b = (a + rng.integers(1, 3, m)) % 3
    length = rng.lognormal(5, 0.5, (2, m)) * np.where(np.stack([a, b]) == 0, 2.0, 1.0)
    x = relative_difference(length[0], length[1])
    outcome = (rng.random(m) > 1 / (1 + np.exp(-1.5 * x))).astype(int)
    return comparisons(["long", "x", "y"], a, b, outcome, voter=np.arange(m) // 60, covariates=x[:, None],
                       covariate_names=["length"]), x  # fmt: skip


def test_a_board_under_control_takes_the_advantage_of_style_away() -> None:
    data, x = longwinded()
    plain = {row.model_name: row.rating for row in make_board(data).rows}
    board = make_board(data, BoardOptions(style=("length",)))
    assert plain["long"] > 1050
    assert all(abs(row.rating - 1000) < 25 for row in board.rows)
    _, lower, upper = board.style["length"]
    assert lower < 1.5 * x.std() < upper
    body = json.loads(board_json(board))
    assert body["parameters"]["style"]["length"]["lower"] == lower
    assert body["method"]["style"] == ["length"]


def test_order_of_rows_changes_no_byte() -> None:
    data, _ = longwinded()
    some = np.arange(400)
    order = np.random.default_rng(6).permutation(some)
    options = BoardOptions(style=("length",), rounds=20)
    texts = []
    for rows in (some, order):
        part = Comparisons(data.names, data.a[rows], data.b[rows], data.outcome[rows], data.weight[rows],
                           data.voter[rows], data.covariates[rows], data.covariate_names)  # fmt: skip
        texts.append((board_json(make_board(part, options)), board_csv(make_board(part, options))))
    assert texts[0] == texts[1]


def test_a_board_without_control_is_the_same_with_covariates_or_without() -> None:
    data, _ = longwinded()
    bare = replace(data, covariates=None, covariate_names=())
    assert board_json(make_board(data)) == board_json(make_board(bare))


def test_errors_by_vote_and_voter_are_those_of_the_model_when_it_holds() -> None:
    data = simulate_style(Design(models=5, votes=20_000, voters=1000), [0.3, 0.1], 7).data
    fit = fit_style(data, side_effect=True)
    model = np.sqrt(np.diag(fit.covariance))
    for found in (sandwich_by_vote(data, fit), sandwich_by_voter(data, fit)):
        assert found.full is not None
        assert np.sqrt(np.diag(found.full)) / model == pytest.approx(np.ones(8), abs=0.1)


def test_a_covariate_that_decides_everything_stays_finite() -> None:
    """The longer answer always wins: no finite coefficient, so that one vote of ties holds it, and the fit says so."""
    x = np.tile([1.0, -1.0], 20)
    data = comparisons("xy", [0] * 40, [1] * 40, (x < 0).astype(int), covariates=x[:, None], covariate_names=["length"])
    fit = fit_style(data)
    assert np.isfinite(fit.coefficients).all() and fit.held == (3,)
    board = make_board(data, BoardOptions(style=("length",)))
    assert any("No finite estimate exists for length" in note for note in board.notes)


def test_what_cannot_be_controlled_for_is_refused() -> None:
    plain = simulate(Design(models=3, votes=50), 1).data
    with pytest.raises(BadInput, match="no style covariates"):
        fit_style(plain)
    with pytest.raises(BadInput, match="'length'"):
        make_board(plain, BoardOptions(style=("length",)))
    flat = replace(plain, covariates=np.ones((50, 1)), covariate_names=("length",))
    with pytest.raises(BadInput, match="'length' is the same in all votes"):
        make_board(flat, BoardOptions(style=("length",)))
    with pytest.raises(BadInput, match="half wins"):
        make_board(flat, BoardOptions(style=("length",), ties="davidson"))
    with pytest.raises(BadInput, match="row 1 is nan"):
        comparisons("xy", [0, 0], [1, 1], [0, 1], covariates=[[0.1], [float("nan")]], covariate_names=["length"])
    with pytest.raises(BadInput, match="named columns"):
        comparisons("xy", [0], [1], [0], covariates=[[0.1]])


def test_options_from_json_are_the_same_options() -> None:
    assert BoardOptions(style=["length"]) == BoardOptions(style=("length",))  # type: ignore[arg-type]


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "ratings", *arguments], capture_output=True, text=True, check=False)


def test_the_command_controls_for_counts_in_the_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    lines = ["model_a,model_b,winner,voter,length_a,length_b"]
    for i in range(600):
        long, short = rng.integers(200, 400), rng.integers(50, 200)
        a, b = ("x", "y") if i % 2 else ("y", "x")
        first, second = (long, short) if rng.random() < 0.5 else (short, long)
        winner = "model_a" if rng.random() < (0.7 if first > second else 0.3) else "model_b"
        lines.append(f"{a},{b},{winner},v{i % 30},{first},{second}")
    path = tmp_path / "votes.csv"
    path.write_text("\n".join(lines))
    found = json.loads(command("board", str(path), "--style", "length", "--json").stdout)
    assert found["parameters"]["style"]["length"]["lower"] > 0.5
    assert "no column headers_a" in command("board", str(path), "--style", "length,headers").stderr
    assert "'colour' is not known" in command("board", str(path), "--style", "colour").stderr
    path.write_text("\n".join([*lines, "x,y,tie,v1,,3"]))
    refused = command("board", str(path), "--style", "length")
    assert refused.returncode == 2
    assert "vote 601" in refused.stderr and "length_a" in refused.stderr


def test_the_command_reports_davidsons_nu(tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("model_a,model_b,wins_a,wins_b,ties\nx,y,10,10,20\n")
    found = json.loads(command("board", str(path), "--ties", "davidson", "--json").stdout)
    assert found["parameters"]["tie"]["nu"] == pytest.approx(2)
