"""Arenas are added: checked as a form would check them, and under slugs not yet taken."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from arena.teams.models import Arena

OPEN_CADENCE = {"publish_after_votes": 100, "publish_after_seconds": 3600}
"""Where anybody may vote a board that moves with every few votes tells an attacker what each of them did."""
KNOWN_CADENCE = {"publish_after_votes": 5, "publish_after_seconds": 60}
"""Where voters are known, and in the demo's arenas."""


class SlugTaken(Exception):
    """An arena of this slug is there already."""

    def __init__(self, slug: str) -> None:
        self.slug = slug
        super().__init__(f"There is an arena {slug} already. Change it under /admin/, or give another slug.")


class UnknownArena(Exception):
    """No arena has this slug."""

    def __init__(self, slug: str) -> None:
        self.slug = slug
        known = ", ".join(Arena.objects.values_list("slug", flat=True)) or "none yet: make one with add_arena"
        super().__init__(f"There is no arena {slug!r}. Known arenas: {known}.")


def add_arena(slug: str, *, title: str, kind: str, **settings: Any) -> Arena:
    """Store a new arena, which publishes seldom if anybody may vote there and nothing else is said.

    Raises SlugTaken, and ValidationError where a value is not allowed.
    """
    if Arena.objects.filter(slug=slug).exists():
        raise SlugTaken(slug)
    cadence = OPEN_CADENCE if settings.get("access", Arena.Access.OPEN) == Arena.Access.OPEN else KNOWN_CADENCE
    arena = Arena(slug=slug, title=title, kind=kind, **{**cadence, **settings})
    arena.full_clean()
    arena.save()
    return arena


def is_closed(arena: Arena, *, now: datetime) -> bool:
    """Whether the arena has been closed to votes by now."""
    return arena.closed_at is not None and arena.closed_at <= now


def arena_named(slug: str) -> Arena:
    """The arena of this slug, for operators. Raises UnknownArena, which lists those there are."""
    arena = Arena.objects.filter(slug=slug).first()
    if arena is None:
        raise UnknownArena(slug)
    return arena
