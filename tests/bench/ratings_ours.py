"""Our side of each job: what is loaded before, and what is timed. Answers are in points around their mean."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from ratings import bootstrap_by_vote, bootstrap_by_voter, cells, comparisons, fit_bradley_terry
from ratings.data import Cells
from ratings.reading import read_votes
from ratings.sandwich import sandwich_by_vote
from ratings.scale import POINTS


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


def by_voter(votes: dict[str, Any], rounds: int) -> dict[str, np.ndarray]:
    data = comparisons(votes["names"], votes["a"], votes["b"], votes["outcome"], voter=votes["voter"])
    fit = fit_bradley_terry(cells(data))
    return answer(fit.strength, bootstrap_by_voter(data, fit, rounds=rounds, seed=0).strength)


def counts(world: str) -> Cells:
    votes = codes(world)
    return cells(comparisons(votes["names"], votes["a"], votes["b"], votes["outcome"]))


def point_fit(table: Cells, rounds: int) -> dict[str, np.ndarray]:
    """`rounds` fits, for a single one is too short to time."""
    for _ in range(rounds):
        fit = fit_bradley_terry(table)
    return {"point": POINTS * fit.strength}


def first_fit(path: str) -> None:
    """G10: read, count, fit, robust standard errors; printed as JSON by name."""
    data = read_votes(path)
    fit = fit_bradley_terry(cells(data))
    error = np.sqrt(np.diag(sandwich_by_vote(data, fit).matrix))
    rows = zip(data.names, (POINTS * fit.strength).tolist(), (POINTS * error).tolist(), strict=True)
    print(json.dumps({name: [point, spread] for name, point, spread in rows}))


JOBS = {"by_vote": (codes, by_vote), "by_voter": (codes, by_voter), "point_fit": (counts, point_fit)}

if __name__ == "__main__":
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    first_fit(sys.argv[2])
