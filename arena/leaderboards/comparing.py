"""Which two are asked for, and the verdict on them in stable fields."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from arena.leaderboards import profile, reading
from arena.leaderboards.claims import TOO_FEW, between
from arena.teams.models import Arena

FIELDS = ("verdict", "better", "difference", "lower", "upper", "votes", "more_votes")
"""The stable fields of `python -m ratings compare --json`."""


class NotAsked(Exception):
    """Two different competitors of the arena have to be named; `status` is how an adaptor answers."""

    def __init__(self, sentence: str, status: int) -> None:
        self.status = status
        super().__init__(sentence)


def asked_pair(arena: Arena, a: str, b: str) -> tuple[str, str]:
    """Both names, checked. Raises NotAsked: 400 where one is missing or named twice, 404 where one is unknown."""
    if not a or not b:
        raise NotAsked(_("Two competitors have to be named, as a and as b."), 400)
    if a == b:
        raise NotAsked(_("“%(name)s” is named twice: choose two different competitors.") % {"name": a}, 400)
    for name in (a, b):
        if profile.find(arena, name) is None:
            raise NotAsked(_("There is no competitor “%(name)s” here.") % {"name": name}, 404)
    return a, b


def verdict_json(arena: Arena, a: str, b: str) -> dict[str, Any]:
    """What the last snapshot says of two names. Raises NotAsked.

    Who is not on the board yet has no votes on it: too few.
    """
    first, second = asked_pair(arena, a, b)
    published = reading.published_board(arena)
    pair = between(published.verdicts, first, second) if published else None
    if pair is None:
        return {**dict.fromkeys(FIELDS), "verdict": TOO_FEW, "votes": 0.0}
    return {name: getattr(pair, name) for name in FIELDS}
