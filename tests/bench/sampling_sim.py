"""Votes until the mean 95 % interval is ± 20 points wide, by policy for the next pair.

    python tests/bench/sampling_sim.py [--seeds 20]

Design. Competitors have normal strengths; votes are drawn from the model in batches of 4 % of the votes so far, each
batch from weights that the policy computes from the votes so far, never from the truth. The same seed gives every
policy the same strengths, so ratios to `uniform` are paired. A *grown* board begins with nine tenths of the competitors
evenly compared at ± 20 points among themselves, and one tenth of newcomers: votes are counted from their arrival.

`best` is a lower bound for a fresh board: the design that minimises the mean width, found by multiplicative updates
with the true strengths known (the optimum of a convex problem), which no policy can beat.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import expit

sys.path.append(str(Path(__file__).absolute().parents[2]))

from ratings.bradley_terry import fit_bradley_terry
from ratings.data import Cells
from ratings.sampling import PairWeights, coverage, informative, uniform
from ratings.scale import POINTS

TARGET = 20.0
Z = 1.959964
GROWTH = 0.04
PRIOR = 0.5


@dataclass(frozen=True)
class Run:
    """Votes to the target, coverage of the intervals then, and the largest over the smallest share of places."""

    votes: float
    covered: float
    shares: float


Policy = Callable[[Cells, np.ndarray, np.ndarray], PairWeights]


def by_gain(sharpness: float, floor: float = 0.2) -> Policy:
    def policy(table: Cells, strength: np.ndarray, covariance: np.ndarray) -> PairWeights:
        return informative(range(table.n), strength, covariance, sharpness=sharpness, floor=floor)

    return policy


def evenly(table: Cells, strength: np.ndarray, covariance: np.ndarray) -> PairWeights:
    return uniform(range(table.n))


def least_compared(table: Cells, strength: np.ndarray, covariance: np.ndarray) -> PairWeights:
    compared = np.zeros((table.n, table.n))
    compared[table.a, table.b] = table.count
    return coverage(range(table.n), compared)


POLICIES: dict[str, Policy] = {
    "uniform": evenly,
    "coverage": least_compared,
    "gain": by_gain(1),
    "gain⁴": by_gain(4),
    "gain⁴, floor .1": by_gain(4, 0.1),
    "gain¹⁶": by_gain(16),
}


def weighted(loss: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Policy:
    """Fourth power of the fall of tr(D C) by one vote, floor .2, for another loss matrix D than the identity."""

    def policy(table: Cells, strength: np.ndarray, covariance: np.ndarray) -> PairWeights:
        i, j = np.triu_indices(table.n, 1)
        moved = covariance @ loss(strength, covariance) @ covariance
        p = expit(strength[i] - strength[j])
        w = p * (1 - p)
        spread = covariance[i, i] + covariance[j, j] - 2 * covariance[i, j]
        gain = w * (moved[i, i] + moved[j, j] - 2 * moved[i, j]) / (1 + w * spread)
        sharp = (gain / gain.max()) ** 4
        return PairWeights(i, j, 0.2 / i.size + 0.8 * sharp / sharp.sum())

    return policy


def on_the_largest(strength: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    variance = np.diag(covariance)
    return np.diag((variance / variance.max()) ** 8)


def on_the_widths(strength: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    return np.diag(1 / np.sqrt(np.diag(covariance)))


def on_neighbours(strength: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    order = np.argsort(strength)
    contrast = np.eye(strength.size)[order[1:]] - np.eye(strength.size)[order[:-1]]
    return contrast.T @ contrast


ALTERNATIVES: dict[str, Policy] = {
    "gain⁴": by_gain(4),
    "widths⁴": weighted(on_the_widths),
    "largest variance⁴": weighted(on_the_largest),
    "rank neighbours⁴": weighted(on_neighbours),
    "gain⁴, no floor": by_gain(4, 0.0),
}


def strengths(n: int, spread: float, seed: int) -> np.ndarray:
    theta = np.random.default_rng([seed, n]).normal(0, spread, n)
    return theta - theta.mean()


def simulate(policy: Policy, theta: np.ndarray, seed: int, *, grown: bool) -> Run:
    """One board until the mean width is reached; the last batch is interpolated."""
    n, rng = theta.size, np.random.default_rng([seed, 1])
    i, j = np.triu_indices(n, 1)
    p = expit(theta[i] - theta[j])
    count = _old_board(n, theta) if grown else np.zeros(i.size)
    old = count.copy()
    score = rng.binomial(count.astype(int), p).astype(float)
    before, reached = (0.0, np.inf), (0.0, np.inf)
    covered = np.nan
    while reached[1] > TARGET:
        before = reached
        table = Cells(n, i, j, count, score)
        fit = fit_bradley_terry(table, prior=PRIOR)
        covariance = fit.covariance[:n, :n]
        error = np.sqrt(np.diag(covariance))
        reached = (float(count.sum() - old.sum()), float(POINTS * Z * error.mean()))
        covered = float(np.mean(np.abs(fit.strength - theta) <= Z * error))
        batch = max(n, int(GROWTH * (count.sum() - old.sum())))
        more = _dealt(policy, table, fit.strength, covariance, batch, rng)
        count = count + more
        score = score + rng.binomial(more, p)
    place = np.bincount(np.concatenate([i, j]), np.tile(count - more - old, 2))
    part = np.log(before[1] / TARGET) / np.log(before[1] / reached[1]) if np.isfinite(before[1]) else 1.0
    return Run(before[0] + part * (reached[0] - before[0]), covered, float(place.max() / max(place.min(), 1.0)))


def _dealt(
    policy: Policy, table: Cells, strength: np.ndarray, covariance: np.ndarray, batch: int, rng: np.random.Generator
) -> np.ndarray:
    """How many votes of a batch each pair gets."""
    if policy is not least_compared:
        return rng.multinomial(batch, policy(table, strength, covariance).weight)
    more = np.zeros(table.count.size, dtype=np.int64)
    while more.sum() < batch:  # the least compared change with every vote: fill one level at a time
        now = Cells(table.n, table.a, table.b, table.count + more, table.score)
        lowest = np.flatnonzero(policy(now, strength, covariance).weight)
        more[rng.permutation(lowest)[: batch - int(more.sum())]] += 1
    return more


def _old_board(n: int, theta: np.ndarray) -> np.ndarray:
    """Even counts among the first nine tenths, as many as give them the target width."""
    i, j = np.triu_indices(n, 1)
    known = n - max(1, n // 10)
    among = (i < known) & (j < known)
    inside = theta[:known]
    one = mean_width(inside, np.ones(known * (known - 1) // 2))
    return np.where(among, np.ceil((one / TARGET) ** 2), 0.0)


def mean_width(theta: np.ndarray, count: np.ndarray) -> float:
    """Mean half-width in points of a board with these counts by pair, at the true strengths."""
    return float(POINTS * Z * np.sqrt(np.diag(covariance_of(theta, count))).mean())


def covariance_of(theta: np.ndarray, count: np.ndarray) -> np.ndarray:
    n = theta.size
    i, j = np.triu_indices(n, 1)
    p = expit(theta[i] - theta[j])
    information = np.zeros((n, n))
    information[i, j] = information[j, i] = -count * p * (1 - p)
    information[np.arange(n), np.arange(n)] = -information.sum(axis=1)
    return np.linalg.inv(information + 1 / n) - 1 / n


def best_possible(theta: np.ndarray, steps: int = 1000) -> float:
    """Votes that the optimal design needs, as a share of uniform's."""
    n = theta.size
    i, j = np.triu_indices(n, 1)
    p = expit(theta[i] - theta[j])
    even = np.full(i.size, 1 / i.size)
    design = even.copy()
    for _ in range(steps):
        covariance = covariance_of(theta, design)
        weighted = covariance / np.sqrt(np.diag(covariance))[:, None]
        square = covariance @ weighted
        slope = p * (1 - p) * (np.diag(square)[i] + np.diag(square)[j] - square[i, j] - square[j, i])
        design = design * np.sqrt(slope)
        design /= design.sum()
    return (mean_width(theta, design) / mean_width(theta, even)) ** 2


def line(n: int, spread: float, grown: bool, seeds: int) -> str:
    worlds = [strengths(n, spread, seed) for seed in range(seeds)]
    runs = {
        name: [simulate(policy, theta, seed, grown=grown) for seed, theta in enumerate(worlds)]
        for name, policy in POLICIES.items()
    }
    even = np.array([run.votes for run in runs["uniform"]])
    cells = [f"{even.mean():,.0f}"]
    for name in list(POLICIES)[1:]:
        ratio = np.array([run.votes for run in runs[name]]) / even
        cells.append(f"{ratio.mean():.2f} ± {ratio.std(ddof=1) / np.sqrt(seeds):.2f}")
    cells.append("" if grown else f"{np.mean([best_possible(theta) for theta in worlds]):.2f}")
    ours = runs["gain⁴"]
    cells += [f"{np.mean([run.covered for run in ours]):.3f}", f"{np.median([run.shares for run in ours]):.1f}"]
    return f"| {n} | {spread} | {'grown' if grown else 'fresh'} | " + " | ".join(cells) + " |"


def alternatives(seeds: int) -> None:
    print(f"\nOther losses and floors, the same target, as a share of uniform's ({seeds} seeds, ± one error):\n")
    print(f"| competitors | SD | board | {' | '.join(ALTERNATIVES)} |\n|---|---|---|" + "---|" * len(ALTERNATIVES))
    for n in (10, 40):
        for spread, grown in ((1.0, False), (1.0, True), (1.5, False)):
            worlds = [strengths(n, spread, seed) for seed in range(seeds)]
            even = [simulate(evenly, theta, seed, grown=grown).votes for seed, theta in enumerate(worlds)]
            cells = []
            for policy in ALTERNATIVES.values():
                votes = [simulate(policy, theta, seed, grown=grown).votes for seed, theta in enumerate(worlds)]
                ratio = np.array(votes) / even
                cells.append(f"{ratio.mean():.2f} ± {ratio.std(ddof=1) / np.sqrt(seeds):.2f}")
            print(f"| {n} | {spread} | {'grown' if grown else 'fresh'} | {' | '.join(cells)} |", flush=True)


def main(seeds: int) -> None:
    names = list(POLICIES)[1:]
    print(
        f"\nVotes to a mean interval of ± {TARGET:.0f} points, as a share of uniform's ({seeds} seeds, ± one error):\n"
    )
    print(
        f"| competitors | SD | board | uniform, votes | {' | '.join(names)} | best | gain⁴: coverage | largest share |"
    )
    print("|---|---|---|---|" + "---|" * len(names) + "---|---|---|")
    for n in (10, 40):
        for spread in (0.5, 0.7, 1.0, 1.5):
            for grown in (False, True):
                print(line(n, spread, grown, seeds), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    began = time.perf_counter()
    options = parser.parse_args()
    main(options.seeds)
    alternatives(max(options.seeds // 2, 2))
    print(f"\n{time.perf_counter() - began:.0f} s", file=sys.stderr)
