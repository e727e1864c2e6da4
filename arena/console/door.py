"""Who comes into the console: one question, asked by each of its pages."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import Http404, HttpRequest

from arena.teams.access import arena_for, arenas_for
from arena.teams.models import Arena
from arena.teams.permissions import Action, may
from arena.teams.person import Person, person_of


def console_arena(request: HttpRequest, slug: str, action: Action = Action.SEE_CONSOLE) -> Arena:
    """The arena, archived or not, if this person may do that in it.

    Raises Http404, alike for an arena that does not exist and for one in which they may not.
    """
    person = person_of(request)
    arena = arena_for(person, slug, include_archived=True)
    if not may(person, action, arena):
        raise Http404("There is no page at this address, or it is not open to you.")
    return arena


def seen_by(person: Person) -> list[Arena]:
    """The arenas whose console this person may see, the latest first, archived ones at the end."""
    mine: QuerySet[Arena] = arenas_for(person, include_archived=True).order_by("-id")
    seen = [arena for arena in mine if may(person, Action.SEE_CONSOLE, arena)]
    return sorted(seen, key=lambda arena: arena.archived_at is not None)
