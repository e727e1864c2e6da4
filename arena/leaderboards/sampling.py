"""Which pair would narrow the board most, from the last published board; for the draw of the next battle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

import ratings
from arena.battles.matchmaking import Weighing
from arena.battles.opening import own_policy
from arena.leaderboards.models import Snapshot
from arena.teams.models import Arena
from ratings.connectivity import components, strong_components
from ratings.sampling import PRIOR_VOTES, informative

DIGITS = 7


@dataclass(frozen=True, slots=True)
class _Geometry:
    """Strengths and their model covariance, log-odds, by competitor id."""

    place: dict[int, int]
    strength: Any
    covariance: Any


def weigh(arena: Arena, candidates: Sequence[int]) -> Weighing:
    """How an arena under `informative` weighs the pairs of these candidates.

    Until every candidate stands on a board of one piece the log decides: coverage first connects, then evens out.
    """
    newest = Snapshot.objects.filter(arena=arena).values_list("pk", "data_sha256").first()
    known = _opened(*newest) if newest else None
    if known is None or len(candidates) < 2 or not set(candidates) <= set(known.place):
        return own_policy(arena, candidates)
    ids = sorted(candidates)
    rows = [known.place[pk] for pk in ids]
    weights = informative(ids, known.strength[rows], known.covariance[np.ix_(rows, rows)]).mapping()
    return Weighing(str(Arena.Sampling.INFORMATIVE), weights, floor=0.0)  # `informative` keeps its own


def geometry_of(data: ratings.Comparisons, ids: Sequence[int]) -> dict[str, Any] | None:
    """What a snapshot keeps for `weigh`; None while the competitors are not all compared with each other."""
    table = ratings.cells(data)
    if len(ids) < 2 or components(table).any():
        return None
    finite = not strong_components(table).any()
    fit = ratings.fit_bradley_terry(table, side_effect=True, prior=0.0 if finite else PRIOR_VOTES)
    n = len(ids)
    return {
        "ids": list(ids),
        "strength": np.round(fit.strength, DIGITS).tolist(),
        "covariance": np.round(fit.covariance[:n, :n], DIGITS).tolist(),
    }


@lru_cache(maxsize=32)
def _opened(pk: int, data_sha256: str) -> _Geometry | None:
    """A snapshot never changes, so that reading it once a process is enough; the hash tells databases apart."""
    found = Snapshot.objects.values_list("page", flat=True).get(pk=pk, data_sha256=data_sha256).get("geometry")
    if not found:
        return None
    place = {pk: row for row, pk in enumerate(found["ids"])}
    return _Geometry(place, np.array(found["strength"]), np.array(found["covariance"]))
