"""Words for what state an arena is in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from arena.competitors.endpoints import why_closed
from arena.teams.arenas import is_closed
from arena.teams.models import Arena


@dataclass(frozen=True, slots=True)
class State:
    """One word, and the reason where there is one."""

    word: str
    name: str
    reason: str = ""


def state_of(arena: Arena, *, now: datetime) -> State:
    """Open to votes, or why not."""
    if arena.archived_at is not None:
        return State("archived", _("archived"))
    if arena.is_simulated:
        return State("simulated", _("simulated"))
    if is_closed(arena, now=now):
        return State("closed", _("closed to votes"))
    reason = why_closed(arena, now=now)
    return State("not_ready", _("not ready"), reason) if reason else State("open", _("open to votes"))
