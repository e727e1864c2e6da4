"""Votes on prompts of known nature: prompts that tell competitors apart, and prompts that do not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ratings import Comparisons, Outcome, comparisons
from ratings.data import Ints
from ratings.simulate import outcome_chances

DEAD = 0.92
"""Share of level votes on a prompt at its ceiling or floor; the rest are coins."""


def world(
    kinds: Sequence[str], votes: int, seed: int, *, models: int = 6, voters: int = 30, taste: float = 0.5,
    own: float = 0.5, boost: float = 0.0,
) -> tuple[Comparisons, Ints]:  # fmt: skip
    """`votes` votes on a prompt of each kind: live, ceiling, floor or even; and the prompt of each vote.

    Strengths have SD 1, a voter's tastes `taste`, and every competitor is by `own` better or worse on each prompt. On
    prompts of the kind "seen" the first competitor is better by `boost`.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    size = len(kinds) * votes
    strength, tastes, fits = (
        rng.normal(0, sd, shape)
        for sd, shape in ((1.0, models), (taste, (voters, models)), (own, (len(kinds), models)))
    )
    prompt, voter, a = (
        np.repeat(np.arange(len(kinds)), votes),
        rng.integers(0, voters, size),
        rng.integers(0, models, size),
    )
    b = (a + rng.integers(1, models, size)) % models
    kind = np.array(kinds)[prompt]
    fits[np.array(kinds) == "seen", 0] += boost
    worth = strength + tastes[voter] + fits[prompt]
    every = np.arange(size)
    d = np.where(np.isin(kind, ["live", "seen"]), worth[every, a] - worth[every, b], 0.0)
    first, tied = outcome_chances(d, 0.5)
    u = rng.random(size)
    outcome = np.where(u < first, Outcome.A, np.where(u < first + tied, Outcome.TIE, Outcome.B))
    level = rng.random(size) < DEAD
    outcome = np.where((kind == "ceiling") & level, Outcome.TIE, outcome)
    outcome = np.where((kind == "floor") & level, Outcome.BOTH_BAD, outcome)
    return comparisons([f"m{i}" for i in range(models)], a, b, outcome, voter=voter), prompt
