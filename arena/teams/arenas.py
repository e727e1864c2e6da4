"""Arenas are added, configured, closed and archived: checked as a form would check them, under slugs not yet taken."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.text import slugify

from arena.teams.models import Arena

OPEN_CADENCE = {"publish_after_votes": 100, "publish_after_seconds": 3600}
"""Where anybody may vote a board that moves with every few votes tells an attacker what each of them did."""
KNOWN_CADENCE = {"publish_after_votes": 5, "publish_after_seconds": 60}
"""Where voters are known, and in the demo's arenas."""


class SlugTaken(Exception):
    """An arena of this slug is there already."""

    def __init__(self, slug: str) -> None:
        self.slug = slug
        super().__init__(f"There is an arena {slug} already. Change it in the console, or give another slug.")


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


def free_slug(title: str) -> str:
    """A slug after this title that no arena has yet; one of another script than Latin is numbered."""
    longest = Arena._meta.get_field("slug").max_length or 60
    stem = slugify(title)[: longest - 4].strip("-") or "arena"
    taken = Arena.RESERVED | set(Arena.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    return next(slug for n in range(1, 2 + len(taken)) if (slug := stem if n == 1 else f"{stem}-{n}") not in taken)


def default_reveal(kind: str) -> str:
    """After every vote where voters write the prompts; where a prompt set ends, at its end."""
    return Arena.Reveal.END if kind == Arena.Kind.RECORDED else Arena.Reveal.EACH


def configure(arena: Arena, **changes: Any) -> None:
    """Change these settings and no other; battles under way keep what was drawn for them.

    Raises ValidationError where a value is not allowed, or contradicts another one.
    """
    for name, value in changes.items():
        setattr(arena, name, value)
    arena.full_clean()
    if changes:
        arena.save(update_fields=list(changes))


def close(arena: Arena, *, now: datetime) -> None:
    """Nobody votes from now on; what was voted stays, and the board is shown to those who had to wait for the end."""
    if not is_closed(arena, now=now):
        configure(arena, closed_at=now)


def reopen(arena: Arena) -> None:
    """Votes again, out of the archive too."""
    configure(arena, closed_at=None, archived_at=None)


def archive(arena: Arena, *, now: datetime) -> None:
    """Off the lists, and closed to votes; its board can still be read at its address."""
    configure(arena, archived_at=arena.archived_at or now)


def is_closed(arena: Arena, *, now: datetime) -> bool:
    """Whether the arena has been closed to votes by now."""
    return arena.closed_at is not None and arena.closed_at <= now


def arena_named(slug: str) -> Arena:
    """The arena of this slug, for operators. Raises UnknownArena, which lists those there are."""
    arena = Arena.objects.filter(slug=slug).first()
    if arena is None:
        raise UnknownArena(slug)
    return arena
