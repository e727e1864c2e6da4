"""Votes for verdicts: a world of six with tastes, and two competitors by their counts."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from ratings import Comparisons, Outcome, comparisons


def world(
    seed: int,
    *,
    n: int = 6,
    m: int = 1200,
    voters: int = 30,
    taste: float = 0.3,
    spread: float = 0.6,
    side: float = 0.0,
) -> Comparisons:
    rng = np.random.default_rng(seed)
    strength, own = rng.normal(0, spread, n), rng.normal(0, taste, (voters, n))
    voter, a = rng.integers(0, voters, m), rng.integers(0, n, m)
    b = (a + rng.integers(1, n, m)) % n
    d = strength[a] + own[voter, a] - strength[b] - own[voter, b] + side
    outcome = np.where(rng.random(m) < expit(d), Outcome.A, Outcome.B)
    outcome[rng.random(m) < 0.15] = Outcome.TIE
    return comparisons([f"m{i}" for i in range(n)], a, b, outcome, voter=voter)


def two(wins: int, losses: int, ties: int = 0, *, voters: int = 0, names: str = "xy") -> Comparisons:
    outcome = [Outcome.A] * wins + [Outcome.B] * losses + [Outcome.TIE] * ties
    voter = np.arange(len(outcome)) % voters if voters else None
    return comparisons(names, [0] * len(outcome), [1] * len(outcome), outcome, voter=voter)
