"""Who may enter which arena."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from arena.teams.models import Arena, Membership
from arena.teams.permissions import Action, may
from arena.teams.person import Person


def arenas_for(person: Person, *, include_archived: bool = False) -> QuerySet[Arena]:
    """Every arena this person may enter, oldest first; archived ones only where asked for."""
    return Arena.objects.filter(enterable(person, include_archived=include_archived))


def enterable(person: Person, path: str = "", *, include_archived: bool = False) -> Q:
    """The one rule of who may enter, as a condition on arenas, or on rows that lead to one by `path` ("arena__")."""
    allowed = Q() if person.is_operator else Q(**{f"{path}access": Arena.Access.OPEN})
    if not person.is_operator and (person.user.is_authenticated or person.voter_public_id):
        mine = Membership.objects.filter(person.memberships(), ended_at__isnull=True).values("arena")
        allowed |= Q(**{f"{path}pk__in" if path else "pk__in": mine})
    if person.limits is not None and person.limits.arena_id is not None:
        allowed &= Q(**{f"{path}pk": person.limits.arena_id})
    return allowed if include_archived else allowed & Q(**{f"{path}archived_at__isnull": True})


def may_enter(person: Person, arena: Arena) -> bool:
    """The rule of `enterable` for an arena at hand. For an open one no query, else one that `may` then spares.

    Not for an arena that was only looked for by its slug: the query would tell by its time that there is one.
    """
    elsewhere = person.limits is not None and person.limits.arena_id not in (None, arena.pk)
    if elsewhere or arena.archived_at is not None:
        return False
    return arena.access == Arena.Access.OPEN or person.is_operator or person.role_in(arena) is not None


def arena_for(person: Person, slug: str, *, include_archived: bool = False) -> Arena:
    """The arena, if this person may enter it. Boards of archived arenas stay readable: `include_archived=True`.

    Raises Http404, alike for an arena that does not exist and for one that is private, so its existence stays private.
    """
    arena = arenas_for(person, include_archived=include_archived).filter(slug=slug).first()
    if arena is None:
        raise Http404("There is no arena at this address, or it is not open to you.")
    return arena


def require(person: Person, action: Action, arena: Arena) -> None:
    """Raises PermissionDenied where this person, who may enter, may not do this."""
    if not may(person, action, arena):
        raise PermissionDenied(_("This is not open to you."))
