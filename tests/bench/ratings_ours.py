"""Our side of each job: what is loaded before, and what is timed. Answers are in points around their mean."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from ratings_worlds import DEGENERATE, as_strings

from ratings import (
    Cells,
    Outcome,
    RatingsError,
    bootstrap_by_vote,
    bootstrap_by_voter,
    cells,
    comparisons,
    fit_bradley_terry,
    make_board,
)
from ratings.arrays import from_columns
from ratings.bootstrap import MAX_GROUPS
from ratings.incremental import BoardState, start, with_vote
from ratings.sandwich import sandwich_by_vote
from ratings.scale import POINTS
from ratings.style import fit_style

FOLLOWED = 2_000
"""Votes that are followed one by one."""


def codes(world: str) -> dict[str, Any]:
    """Integer codes as they would come from a database: names, a, b, outcome, voter."""
    with np.load(world) as stored:
        return {**stored, "names": stored["names"].tolist()}


def answer(point: np.ndarray, replicates: np.ndarray) -> dict[str, np.ndarray]:
    lower, upper = np.quantile(POINTS * replicates, [0.025, 0.975], axis=0)
    return {"point": POINTS * point, "lower": lower, "upper": upper}


def by_vote(votes: dict[str, Any], rounds: int) -> dict[str, np.ndarray]:
    data = comparisons(votes["names"], votes["a"], votes["b"], votes["outcome"])
    fit = fit_bradley_terry(cells(data))
    return answer(fit.strength, bootstrap_by_vote(data, fit, rounds=rounds, seed=0).strength)


def strings_by_vote(columns: dict[str, Any], rounds: int) -> dict[str, np.ndarray]:
    data = from_columns(columns["model_a"], columns["model_b"], columns["winner"])
    fit = fit_bradley_terry(cells(data))
    return answer(fit.strength, bootstrap_by_vote(data, fit, rounds=rounds, seed=0).strength)


def by_voter(votes: dict[str, Any], rounds: int, groups: int | None = MAX_GROUPS) -> dict[str, np.ndarray]:
    data = comparisons(votes["names"], votes["a"], votes["b"], votes["outcome"], voter=votes["voter"])
    fit = fit_bradley_terry(cells(data))
    return answer(fit.strength, bootstrap_by_voter(data, fit, rounds=rounds, seed=0, max_groups=groups).strength)


def by_each_voter(votes: dict[str, Any], rounds: int) -> dict[str, np.ndarray]:
    return by_voter(votes, rounds, None)


def from_counts(votes: dict[str, Any], rounds: int) -> dict[str, np.ndarray]:
    data = comparisons(votes["names"], votes["a"], votes["b"], votes["outcome"], weight=votes["weight"])
    fit = fit_bradley_terry(cells(data))
    return answer(fit.strength, bootstrap_by_vote(data, fit, rounds=rounds, seed=0).strength)


def counts(world: str) -> Cells:
    votes = codes(world)
    return cells(comparisons(votes["names"], votes["a"], votes["b"], votes["outcome"]))


def point_fit(table: Cells, rounds: int) -> dict[str, np.ndarray]:
    """`rounds` fits, for a single one is too short to time."""
    for _ in range(rounds):
        fit = fit_bradley_terry(table)
    return {"point": POINTS * fit.strength}


def style(votes: dict[str, Any], _: int) -> dict[str, np.ndarray]:
    data = comparisons(
        votes["names"], votes["a"], votes["b"], votes["outcome"], covariates=votes["covariates"],
        covariate_names=("length", "headers", "lists", "bold"),
    )  # fmt: skip
    fit = fit_style(data)
    error = np.sqrt(np.diag(sandwich_by_vote(data, fit).full))
    return {"point": POINTS * fit.strength, "error": POINTS * error[: fit.strength.size],
            "coefficients": fit.coefficients}  # fmt: skip


def before_the_votes(world: str) -> tuple[BoardState, list[tuple[int, int, Outcome]], dict[str, Any]]:
    """All but the last 2,000 votes fitted exactly, and those."""
    votes = codes(world)
    early = {key: votes[key][:-FOLLOWED] for key in ("a", "b", "outcome")}
    late = zip(*(votes[key][-FOLLOWED:].tolist() for key in ("a", "b", "outcome")), strict=True)
    state = start(cells(comparisons(votes["names"], **early)))
    return state, [(a, b, Outcome(what)) for a, b, what in late], votes


def followed(loaded: tuple[BoardState, list[tuple[int, int, Outcome]], dict[str, Any]], _: int) -> dict[str, float]:
    """Milliseconds a vote, milliseconds of a whole fit, and the drift without any refresh as a share of the error."""
    state, late, votes = loaded
    times = []
    for vote in late:
        begun = time.perf_counter()
        state = with_vote(state, *vote, refresh_every=FOLLOWED + 1)
        times.append(time.perf_counter() - begun)
    table = cells(comparisons(votes["names"], votes["a"], votes["b"], votes["outcome"]))
    begun = time.perf_counter()
    fit = fit_bradley_terry(table)
    whole = time.perf_counter() - begun
    error = np.sqrt(np.diag(fit.covariance)[:-1])
    drift = float(np.abs((state.strength - fit.strength) / error).max())
    points = float(np.abs(state.strength - fit.strength).max() * POINTS)
    return {"vote_ms": 1000 * float(np.median(times)), "fit_ms": 1000 * whole, "drift": drift, "points": points}


def degenerate(_: str) -> list[tuple[str, str, str]]:
    """Input, tool, what the board says: refused with its error, or every row with its status."""
    return [(word, "Blindfold", said(rows)) for word, rows in DEGENERATE.items()]


def said(rows: list[tuple[str, str, str]]) -> str:
    try:
        board = make_board(from_columns(*zip(*rows, strict=True)))
    except RatingsError as error:
        return f"refuses: {type(error).__name__}"
    flags = sorted({row.status for row in board.rows})
    bounds = "no interval" if all(row.rating_lower is None for row in board.rows) else "intervals"
    return f"answers, all flagged {' and '.join(flags)}, {bounds}"


JOBS = {
    "by_vote": (codes, by_vote),
    "strings_by_vote": (as_strings, strings_by_vote),
    "by_voter": (codes, by_voter),
    "by_each_voter": (codes, by_each_voter),
    "point_fit": (counts, point_fit),
    "style": (codes, style),
    "from_counts": (codes, from_counts),
    "followed": (before_the_votes, followed),
    "degenerate": (degenerate, lambda found, _: found),
}
