"""Who comes to the pages about prompts."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest

from arena.teams.access import arena_for
from arena.teams.models import Arena
from arena.teams.permissions import Action, may
from arena.teams.person import person_of


def configured(request: HttpRequest, slug: str) -> Arena:
    """The arena, if this person may configure it.

    Raises Http404, alike for an arena that does not exist and for one in which they may not.
    """
    person = person_of(request)
    arena = arena_for(person, slug)
    if not may(person, Action.CONFIGURE, arena):
        raise Http404("There is no page at this address, or it is not open to you.")
    return arena


def frame(request: HttpRequest, arena: Arena) -> dict[str, Any]:
    """What the console's frame around these pages asks for."""
    may_people = may(person_of(request), Action.MANAGE_PEOPLE, arena)
    return {"arena": arena, "section": "console", "room": "prompts", "may_configure": True, "may_people": may_people}
