"""The neighbours' intervals for worlds in a folder, in points around their mean; run by their own interpreter.

arena-rank compiles its optimiser anew for every fit (5 to 10 s). Its estimate is the maximum-likelihood one, so all but
the first world of a folder start from that, found by another neighbour's optimiser, and only its own variance is asked;
the first is fitted by itself, and both must agree.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
import ratings_peers as neighbours

POINTS, ROWS = neighbours.POINTS, 1200


def by_voter_bootstrap(path: str, rounds: int) -> tuple[np.ndarray, np.ndarray]:
    found = neighbours.arenakit(neighbours.arenakit_arena(path), rounds)
    return found["lower"], found["upper"]


def by_sandwich(path: str, *, fit: bool) -> tuple[np.ndarray, np.ndarray]:
    from arena_rank.models.bradley_terry import BradleyTerry

    votes = neighbours.codes(path)
    model = BradleyTerry(n_competitors=len(votes["names"]))
    data = counted(votes)
    if not fit:
        chance = neighbours.SCORE[votes["outcome"]]
        pairs = np.stack([votes["a"], votes["b"]], axis=1)
        rating = neighbours.minimise(np.ones(len(pairs)), pairs=pairs, score=chance, n=len(votes["names"]))
        model.params, model.fitted = {"ratings": rating}, True
    found = model.compute_ratings_and_cis(data)
    middle = float(np.mean(np.asarray(found["ratings"])))
    return np.asarray(found["rating_lower"]) - middle, np.asarray(found["rating_upper"]) - middle


def counted(votes: dict[str, Any]) -> Any:
    """Its data set of unique rows, filled up with rows of weight zero to one shape, so that it compiles once."""
    import jax.numpy as jnp
    from arena_rank.utils.data_utils import PairDataset

    rows = np.stack([votes["a"], votes["b"], votes["outcome"]], axis=1)
    unique, times = np.unique(rows, return_counts=True, axis=0)
    spare = max(ROWS - len(unique), 0)
    pairs = np.concatenate([unique[:, :2], np.tile([0, 1], (spare, 1))])
    outcomes = np.concatenate([neighbours.SCORE[unique[:, 2]], np.zeros(spare)])
    weights = np.concatenate([times, np.zeros(spare)]).astype(float)
    # A count of nothing would divide zero by zero: a vanishing one changes no sum.
    counts = np.concatenate([times, np.full(spare, 1e-12)])
    ones = np.ones(len(pairs))
    return PairDataset(list(votes["names"]), jnp.array(pairs), jnp.array(outcomes), jnp.array(counts), jnp.array(ones),
                       jnp.array(weights))  # fmt: skip


def main(folder: str, count: int, rounds: int) -> None:
    paths = [str(Path(folder, f"{number}.npz")) for number in range(count)]
    intervals: dict[str, list[Any]] = {}
    failed: dict[str, str] = {}
    try:
        intervals["arenakit 0.1.1, voter bootstrap"] = [by_voter_bootstrap(path, rounds) for path in paths]
    except Exception as error:  # a neighbour's failure is a result
        failed["arenakit"] = repr(error)[:200]
    try:
        whole, quick = by_sandwich(paths[0], fit=True), by_sandwich(paths[0], fit=False)
        if np.abs(np.subtract(whole, quick)).max() > 0.5:
            raise AssertionError(f"its fit is another one: {np.abs(np.subtract(whole, quick)).max():.2f} points apart")
        intervals["arena-rank 0.1.1, sandwich"] = [whole, *(by_sandwich(path, fit=False) for path in paths[1:])]
    except Exception as error:
        failed["arena-rank"] = repr(error)[:200]
    print(json.dumps({"intervals": intervals, "failed": failed}, default=lambda array: array.tolist()))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
