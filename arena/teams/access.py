"""Who may enter which arena."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Q, QuerySet
from django.http import Http404

from arena.teams.models import Arena

User = AbstractBaseUser | AnonymousUser


def arenas_for(user: User, *, include_archived: bool = False) -> QuerySet[Arena]:
    """Every arena this person may enter, oldest first; archived ones only where asked for."""
    return Arena.objects.filter(enterable(user, include_archived=include_archived))


def enterable(user: User, path: str = "", *, include_archived: bool = False) -> Q:
    """The one rule of who may enter, as a condition on arenas, or on rows that lead to one by `path` ("arena__")."""
    allowed = Q() if is_staff(user) else Q(**{f"{path}access": Arena.Access.OPEN})
    return allowed if include_archived else allowed & Q(**{f"{path}archived_at__isnull": True})


def arena_for(user: User, slug: str, *, include_archived: bool = False) -> Arena:
    """The arena, if this person may enter it. Boards of archived arenas stay readable: `include_archived=True`.

    Raises Http404, alike for an arena that does not exist and for one that is private, so its existence stays private.
    """
    arena = arenas_for(user, include_archived=include_archived).filter(slug=slug).first()
    if arena is None:
        raise Http404("There is no arena at this address, or it is not open to you.")
    return arena


def is_staff(user: User) -> bool:
    """Whether this person operates the instance."""
    return bool(user.is_authenticated and user.is_active and getattr(user, "is_staff", False))
