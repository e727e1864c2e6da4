"""What an arena's operators want of its board. The only writer of `BoardSettings`.

It points up from the arena (an anchor is a competitor), so that it is stored here and not with the arena.
"""

from __future__ import annotations

from typing import Any

from arena.competitors.models import Competitor
from arena.leaderboards.models import MEAN_RATING, BoardSettings
from arena.teams.models import Arena


def board_settings(arena: Arena) -> BoardSettings:
    """As stored, else the defaults: the mean at 1000, nothing held equal."""
    return BoardSettings.objects.filter(arena=arena).select_related("anchor").first() or BoardSettings(arena=arena)


def set_board(arena: Arena, *, anchor: Competitor | None, anchor_rating: float, controls_style: bool) -> BoardSettings:
    """From the next publication on. Raises ValidationError for an anchor of another arena, or a rating out of range."""
    values = {"anchor": anchor, "anchor_rating": anchor_rating, "controls_style": controls_style}
    settings = board_settings(arena)
    for name, value in values.items():
        setattr(settings, name, value)
    settings.full_clean()
    settings.save()
    return settings


def pinned(arena: Arena, labels: dict[int, str]) -> dict[str, Any]:
    """The anchor as `ratings.BoardOptions` takes it, as long as that competitor is among those on the board.

    Until it is, and after a change to one that is not, the mean is pinned instead: a board must not fail for a setting.
    """
    settings = board_settings(arena)
    if settings.anchor_id is None:
        return {"anchor_rating": settings.anchor_rating}
    if settings.anchor_id not in labels:
        return {}
    return {"anchor": labels[settings.anchor_id], "anchor_rating": settings.anchor_rating}


__all__ = ["MEAN_RATING", "board_settings", "pinned", "set_board"]
