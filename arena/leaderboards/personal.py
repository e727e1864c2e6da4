"""A voter's own board: their votes alone, fitted when they ask."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db.models import Count, Max

from arena.battles.blinding import is_told
from arena.battles.models import Vote
from arena.leaderboards import counting
from arena.teams.models import Arena, Voter

FEWEST = 2
"""Votes without which there is nothing to fit."""


@dataclass(frozen=True, slots=True)
class OwnBoard:
    """Rows as on the arena's board, and how many votes they rest on."""

    rows: list[dict[str, Any]]
    votes: int
    level: float


def own_board(arena: Arena, voter: Voter) -> OwnBoard | None:
    """Every vote of this voter's here but second looks, by vote, so that intervals say how sure one person can be.

    None before there are two votes, and where names are not revealed to this voter yet: it would reveal them.
    """
    if not is_told(arena, voter):
        return None
    cast = _votes(arena, voter).aggregate(votes=Count("id"), last=Max("id"))
    return _board(arena.pk, voter.pk, cast["last"], cast["votes"]) if cast["votes"] >= FEWEST else None


def _votes(arena: Arena | int, voter: Voter | int) -> Any:
    return Vote.objects.filter(voter=voter, battle__arena=arena, battle__repeat_of__isnull=True)


@lru_cache(maxsize=64)
def _board(arena: int, voter: int, last: int, votes: int) -> OwnBoard:
    """Fitted once for these votes, which never change; numpy and scipy are loaded by the first who asks."""
    import ratings

    own = _votes(arena, voter).filter(id__lte=last)
    board = ratings.make_board(
        counting.count(own, counting.competitors_in(own)), ratings.BoardOptions(by="vote", seed=1)
    )
    body = json.loads(ratings.board_json(board))
    return OwnBoard(body["board"], votes, body["method"].get("level", 0.95))
