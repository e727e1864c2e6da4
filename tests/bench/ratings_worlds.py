"""Worlds with stated seeds: arenas as uneven as real ones, and small ones in which no answer exists.

Competitors have strengths of SD 0.7 log-odds and unequal shares of the battles (log-normal, SD 0.7); voters have tastes
of their own (SD 0.5) and unequal shares of the votes (log-normal, SD 1); a fifth of the votes are ties.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

STRENGTH, SHARE, TASTE, ACTIVITY, TIES = 0.7, 0.7, 0.5, 1.0, 0.2
STYLE = (0.25, 0.12, -0.08, 0.05)
WORDS = np.array(["model_a", "model_b", "tie"], dtype=object)
DEGENERATE = {
    "two groups never compared": [("a", "b", "model_a"), ("a", "b", "model_b"), ("c", "d", "model_a"),
                                  ("c", "d", "model_b")],
    "one that never wins": [("a", "b", "model_a"), ("b", "a", "model_a"), ("a", "c", "model_a"), ("b", "c", "model_a")],
    "a single vote": [("a", "b", "model_a")],
    "an unknown outcome": [("a", "b", "model_a"), ("a", "b", "model_b"), ("a", "b", "modle_a")],
    "one against itself": [("a", "b", "model_a"), ("a", "b", "model_b"), ("a", "a", "model_a")],
}  # fmt: skip


def field(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Names, strengths around zero, and shares of the battles."""
    strength = rng.normal(0.0, STRENGTH, n)
    share = np.exp(rng.normal(0.0, SHARE, n))
    return np.array([f"competitor-{i:03}" for i in range(n)]), strength - strength.mean(), share / share.sum()


def votes(path: Path, *, m: int, n: int, voters: int, seed: int) -> Path:
    """Integer codes as a database would give them: names, a, b, outcome (0 a, 1 b, 2 tie), voter."""
    rng = np.random.default_rng(seed)
    names, strength, share = field(rng, n)
    a, b = rng.choice(n, m, p=share), rng.choice(n, m, p=share)
    while (same := np.flatnonzero(a == b)).size:
        b[same] = rng.choice(n, same.size, p=share)
    activity = np.exp(rng.normal(0.0, ACTIVITY, voters))
    voter = rng.choice(voters, m, p=activity / activity.sum())
    taste = rng.normal(0.0, TASTE, (voters, n)).astype(np.float32)
    gap = strength[a] - strength[b] + taste[voter, a] - taste[voter, b]
    outcome = (rng.random(m) > 1 / (1 + np.exp(-gap))).astype(np.int64)
    outcome[rng.random(m) < TIES] = 2
    np.savez(path, names=names, a=a, b=b, outcome=outcome, voter=first_seen(voter))
    return path


def styled(path: Path, *, m: int, n: int, seed: int) -> Path:
    """Independent votes that also follow how the answers look: `STYLE` log-odds a standard deviation; no ties.

    A competitor has habits (SD 0.5 in the logarithm of each of four counts), and answers vary around them (SD 1).
    """
    rng = np.random.default_rng(seed)
    names, strength, share = field(rng, n)
    a, b = rng.choice(n, m, p=share), rng.choice(n, m, p=share)
    while (same := np.flatnonzero(a == b)).size:
        b[same] = rng.choice(n, same.size, p=share)
    habit = rng.normal(0.0, 0.5, (n, len(STYLE)))
    first, second = (np.exp(habit[side] + rng.normal(0.0, 1.0, (m, len(STYLE)))) for side in (a, b))
    covariates = (first - second) / (first + second)
    gap = strength[a] - strength[b] + covariates / covariates.std(axis=0) @ np.array(STYLE)
    outcome = (rng.random(m) > 1 / (1 + np.exp(-gap))).astype(np.int64)
    np.savez(path, names=names, a=a, b=b, outcome=outcome, covariates=covariates)
    return path


def first_seen(voter: np.ndarray) -> np.ndarray:
    """Codes in the order of first votes."""
    _, first, code = np.unique(voter, return_index=True, return_inverse=True)
    place = np.empty(first.size, dtype=np.int64)
    place[np.argsort(first)] = np.arange(first.size)
    return place[code]


def counts(path: Path, *, m: int, n: int, seed: int) -> Path:
    """The same field's votes already counted: names, a, b, outcome, weight."""
    rng = np.random.default_rng(seed)
    names, strength, share = field(rng, n)
    a, b = np.nonzero(~np.eye(n, dtype=bool))
    wins = (1 - TIES) / (1 + np.exp(strength[b] - strength[a]))
    chance = share[a] * share[b] * np.stack([wins, 1 - TIES - wins, np.full(a.size, TIES)])
    drawn = rng.multinomial(m, chance.ravel() / chance.sum()).reshape(chance.shape)
    outcome, cell = np.nonzero(drawn)
    weight = drawn[outcome, cell].astype(np.float64)
    np.savez(path, names=names, a=a[cell], b=b[cell], outcome=outcome, weight=weight)
    return path


def as_csv(path: Path, world: Path) -> Path:
    """A world as the file an analyst would have: model_a, model_b, winner."""
    stored = np.load(world)
    names = stored["names"].astype(object)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["model_a", "model_b", "winner"])
        writer.writerows(zip(names[stored["a"]], names[stored["b"]], WORDS[stored["outcome"]], strict=True))
    return path


def as_strings(world: str) -> dict[str, Any]:
    """Three arrays of strings, as a data frame holds them."""
    with np.load(world) as stored:
        names = stored["names"].astype(object)
        return {"model_a": names[stored["a"]], "model_b": names[stored["b"]], "winner": WORDS[stored["outcome"]]}
