"""An arena's way of weighing pairs, for the adaptors that open battles."""

from __future__ import annotations

from collections.abc import Sequence

from arena.battles.matchmaking import Policy, Weighing
from arena.teams.models import Arena


def policy_of(arena: Arena) -> Policy | None:
    """How pairs are weighed where that rests on ratings; None where the served log alone decides."""
    if arena.sampling != Arena.Sampling.INFORMATIVE:
        return None

    def policy(candidates: Sequence[int]) -> Weighing:
        from arena.leaderboards.sampling import weigh  # numpy and scipy, 50 MB that most arenas do without

        return weigh(arena, candidates)

    return policy
