"""The neighbours' side of each job, run by the throwaway interpreter that has them; imports stand where they are used.

FastChat publishes its method, not a package: both of its published forms are written out here from their description.
The later one (April 2025) counts unique rows (first, second, outcome), draws their frequencies from a multinomial and
minimises each replicate's weighted loss from zero with L-BFGS-B (at most 100 iterations, gradient tolerance 1e-6), in a
pool of one process a CPU. The earlier one (the notebook's) resamples the votes themselves, counts wins in pivot
tables, expands every ordered pair into a row of a dense design and fits scikit-learn's LogisticRegression.
"""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from math import log
from multiprocessing import get_context
from typing import Any

import numpy as np

POINTS = 400 / log(10)
SCORE = np.array([1.0, 0.0, 0.5])


def answer(point: np.ndarray, replicates: np.ndarray) -> dict[str, np.ndarray]:
    """Natural log-odds to points around their mean: estimate, and percentile interval at 95 %."""
    centred = POINTS * (replicates - replicates.mean(axis=1, keepdims=True))
    lower, upper = np.quantile(centred, [0.025, 0.975], axis=0)
    return {"point": POINTS * (point - point.mean()), "lower": lower, "upper": upper}


def codes(world: str) -> dict[str, Any]:
    with np.load(world) as stored:
        return {**stored, "names": stored["names"].tolist()}


# FastChat, rating_systems.py


def loss(rating: np.ndarray, pairs: np.ndarray, score: np.ndarray, weight: np.ndarray) -> tuple[float, np.ndarray]:
    from scipy.special import expit

    ends = log(10) * rating[pairs]
    chance = expit(ends[:, 0] - ends[:, 1])
    value = -((np.log(chance) * score + np.log(1 - chance) * (1 - score)) * weight).sum()
    slope = np.zeros_like(rating)
    pull = -log(10) * (score - chance) * weight
    np.add.at(slope, pairs, pull[:, None] * np.array([1.0, -1.0]))
    return value, slope


def minimise(weight: np.ndarray, *, pairs: np.ndarray, score: np.ndarray, n: int) -> np.ndarray:
    from scipy.optimize import minimize

    options = {"maxiter": 100, "gtol": 1e-6}
    arguments = (pairs, score, weight)
    return log(10) * minimize(loss, np.zeros(n), arguments, jac=True, method="L-BFGS-B", options=options)["x"]


def fastchat(votes: dict[str, Any], rounds: int) -> dict[str, np.ndarray]:
    rows = np.stack([votes["a"], votes["b"], votes["outcome"]], axis=1).astype(np.int32)
    unique, times = np.unique(rows, return_counts=True, axis=0)
    fit = partial(minimise, pairs=unique[:, :2], score=SCORE[unique[:, 2]], n=len(votes["names"]))
    point = fit(times.astype(np.float64))
    drawn = np.random.default_rng(0).multinomial(len(rows), times / times.sum(), size=rounds) / len(rows)
    with get_context("fork").Pool(os.cpu_count()) as pool:
        replicates = np.array(list(pool.imap_unordered(fit, drawn)))
    return answer(point, replicates)


def fastchat_strings(votes: Any, rounds: int) -> dict[str, np.ndarray]:
    """The same from a table of strings; whatever is neither model_a nor model_b is a tie. Names in order."""
    import pandas as pd

    both, names = pd.factorize(pd.concat([votes["model_a"], votes["model_b"]]), sort=True)
    a, b = both[: len(votes)], both[len(votes) :]
    outcome = np.full(len(votes), 2)
    outcome[(votes["winner"] == "model_a").to_numpy()] = 0
    outcome[(votes["winner"] == "model_b").to_numpy()] = 1
    return fastchat({"a": a, "b": b, "outcome": outcome, "names": list(names)}, rounds)


def fastchat_csv(path: str, rounds: int) -> None:
    """The same from a file, process start included; printed as JSON."""
    import pandas as pd

    found = fastchat_strings(pd.read_csv(path), rounds)
    print(json.dumps({key: values.tolist() for key, values in found.items()}))


# FastChat, style control in rating_systems.py: standardised features, half a unit of ridge on all parameters


def styled(world: str) -> dict[str, Any]:
    votes = codes(world)
    x = votes["covariates"]
    return {
        **votes,
        "features": (x - x.mean(axis=0)) / x.std(axis=0),
        "pairs": np.stack([votes["a"], votes["b"]], axis=1),
    }


def styled_loss(
    x: np.ndarray, n: int, pairs: np.ndarray, features: np.ndarray, score: np.ndarray, ridge: float
) -> tuple[float, np.ndarray]:
    from scipy.special import expit

    ends = log(10) * x[:n][pairs]
    chance = expit(ends[:, 0] - ends[:, 1] + features @ x[n:])
    value = -(np.log(chance) * score + np.log(1 - chance) * (1 - score)).sum() + ridge / 2 * (x @ x)
    error, slope = score - chance, ridge * x
    np.add.at(slope[:n], pairs, -log(10) * error[:, None] * np.array([1.0, -1.0]))
    slope[n:] -= features.T @ error
    return value, slope


def fastchat_style(votes: dict[str, Any], _: int) -> dict[str, np.ndarray]:
    from scipy.optimize import minimize

    n, features = len(votes["names"]), votes["features"]
    arguments = (n, votes["pairs"], features, SCORE[votes["outcome"]], 0.5)
    options = {"maxiter": 100, "gtol": 1e-6}
    start = np.zeros(n + features.shape[1])
    x = minimize(styled_loss, start, arguments, jac=True, method="L-BFGS-B", options=options)["x"]
    return {"point": 400 * (x[:n] - x[:n].mean()), "coefficients": x[n:]}


# FastChat, the notebook


def logistic(votes: Any) -> tuple[np.ndarray, list[str]]:
    import pandas as pd
    from sklearn.linear_model import LogisticRegression

    def table(word: str) -> Any:
        kept = votes[votes["winner"] == word]
        return pd.pivot_table(kept, index="model_a", columns="model_b", aggfunc="size", fill_value=0)

    names = sorted(set(votes["model_a"]) | set(votes["model_b"]))
    first, second, tied = (table(word).reindex(index=names, columns=names, fill_value=0) for word in
                           ("model_a", "model_b", "tie"))  # fmt: skip
    wins = (2 * first + 2 * second.T + tied + tied.T).to_numpy()
    n = len(names)
    a, b = np.nonzero(~np.eye(n, dtype=bool))
    design = np.zeros((2 * a.size, n))
    weight = np.concatenate([wins[a, b], wins[b, a]])
    for half in (0, 1):
        rows = np.arange(a.size) + half * a.size
        design[rows, a], design[rows, b] = log(10), -log(10)
    won = np.repeat([1, 0], a.size)
    model = LogisticRegression(fit_intercept=False, C=np.inf, tol=1e-6)
    return log(10) * model.fit(design, won, sample_weight=weight).coef_[0], names


def notebook(votes: Any, rounds: int) -> dict[str, np.ndarray]:
    point, _ = logistic(votes)
    return answer(point, np.array([logistic(votes.sample(frac=1.0, replace=True))[0] for _ in range(rounds)]))


# arenakit


def arenakit_arena(world: str) -> Any:
    from arenakit import Arena, Battle

    votes = codes(world)
    names, words = votes["names"], ("a", "b", "tie")
    rows = zip(*(votes[key].tolist() for key in ("a", "b", "outcome", "voter")), strict=True)
    return Arena([
        Battle.model_construct(model_a=names[a], model_b=names[b], winner=words[w], item_id=None, voter_id=str(v))
        for a, b, w, v in rows
    ])  # fmt: skip


def arenakit(arena: Any, rounds: int) -> dict[str, np.ndarray]:
    from arenakit import bootstrap

    found = bootstrap(arena, n_resamples=rounds, seed=0, cluster="voter")
    return answer(found.point, found.scores)


# What each makes of votes that have no answer


def degenerate(_: str) -> list[tuple[str, str, str]]:
    """Input, tool, what it does; asked one by one, and nothing is left out."""
    from ratings_worlds import DEGENERATE

    tools = {"FastChat": on_fastchat, "arena-rank": on_arena_rank, "arenakit": on_arenakit, "choix": on_choix}
    return [(word, tool, said(ask, rows)) for word, rows in DEGENERATE.items() for tool, ask in tools.items()]


def said(ask: Any, rows: list[tuple[str, str, str]]) -> str:
    try:
        points = ask(rows)
    except ImportError:
        return "not installed"
    except Exception as error:
        return f"refuses: {type(error).__name__}"
    return "answers " + ", ".join(f"{point:.0f}" for point in points)


def coded(rows: list[tuple[str, str, str]]) -> dict[str, Any]:
    names = sorted({name for row in rows for name in row[:2]})
    code = {"model_a": 0, "model_b": 1}
    columns = zip(*((names.index(a), names.index(b), code.get(word, 2)) for a, b, word in rows), strict=True)
    return dict(zip(("a", "b", "outcome"), map(np.array, columns), strict=True)) | {"names": names}


def on_fastchat(rows: list[tuple[str, str, str]]) -> np.ndarray:
    return fastchat(coded(rows), 10)["point"]


def on_arena_rank(rows: list[tuple[str, str, str]]) -> np.ndarray:
    import pandas as pd

    found = arena_rank_fit(pd.DataFrame(rows, columns=["model_a", "model_b", "winner"]))
    return np.asarray(found["ratings"])


def on_arenakit(rows: list[tuple[str, str, str]]) -> np.ndarray:
    from arenakit import Arena, Battle, bootstrap

    arena = Arena([Battle(model_a=a, model_b=b, winner=word) for a, b, word in rows])
    return POINTS * bootstrap(arena, n_resamples=10, seed=0).point


def on_choix(rows: list[tuple[str, str, str]]) -> np.ndarray:
    return choix(win_table(coded(rows)), 1)["point"]


# choix


def wins(world: str) -> np.ndarray:
    return win_table(codes(world))


def win_table(votes: dict[str, Any]) -> np.ndarray:
    table, score = np.zeros((len(votes["names"]),) * 2), SCORE[votes["outcome"]]
    np.add.at(table, (votes["a"], votes["b"]), score)
    np.add.at(table, (votes["b"], votes["a"]), 1 - score)
    return table


def choix(table: np.ndarray, rounds: int) -> dict[str, np.ndarray]:
    from choix import ilsr_pairwise_dense

    for _ in range(rounds):
        point = ilsr_pairwise_dense(table)
    return {"point": POINTS * (point - point.mean())}


# arena-rank


def arena_rank(path: str) -> None:
    """First fit with robust standard errors in a fresh process; printed as JSON by name."""
    import pandas as pd

    found = arena_rank_fit(pd.read_csv(path))
    point, error = np.asarray(found["ratings"]), np.sqrt(np.asarray(found["variances"]))
    rows = zip(found["competitors"], (point - point.mean()).tolist(), error.tolist(), strict=True)
    print(json.dumps({name: [rating, spread] for name, rating, spread in rows}))


def arena_rank_fit(votes: Any) -> dict[str, Any]:
    from arena_rank.models.bradley_terry import BradleyTerry
    from arena_rank.utils.data_utils import PairDataset

    data = PairDataset.from_pandas(votes)
    found: dict[str, Any] = BradleyTerry(n_competitors=len(data.competitors)).compute_ratings_and_cis(data)
    return found


def contextual(world: str) -> Any:
    import jax.numpy as jnp
    from arena_rank.utils.data_utils import ContextualPairDataset

    votes = styled(world)
    return ContextualPairDataset(
        votes["names"], jnp.array(votes["pairs"].astype(np.int32)), jnp.array(SCORE[votes["outcome"]]),
        jnp.array(votes["features"]), jnp.ones(len(votes["a"])),
    )  # fmt: skip


def arena_rank_style(data: Any, _: int) -> dict[str, np.ndarray]:
    from arena_rank.models.contextual_bradley_terry import ContextualBradleyTerry

    model = ContextualBradleyTerry(len(data.competitors), data.n_features)
    found = model.compute_ratings_and_cis(data)
    point, error = np.asarray(found["ratings"]), np.sqrt(np.asarray(found["variances"]))
    return {"point": point - point.mean(), "error": error, "coefficients": np.asarray(found["coeffs"])}


def strings(world: str) -> Any:
    import pandas as pd
    from ratings_worlds import as_strings

    return pd.DataFrame(as_strings(world))


JOBS = {
    "fastchat": (codes, fastchat),
    "fastchat_strings": (strings, fastchat_strings),
    "degenerate": (degenerate, lambda found, _: found),
    "fastchat_style": (styled, fastchat_style),
    "arena_rank_style": (contextual, arena_rank_style),
    "notebook": (strings, notebook),
    "arenakit": (arenakit_arena, arenakit),
    "choix": (wins, choix),
}

if __name__ == "__main__":
    if sys.argv[1] == "fastchat_csv":
        fastchat_csv(sys.argv[2], int(sys.argv[3]))
    else:
        arena_rank(sys.argv[2])
