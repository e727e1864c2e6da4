"""What an export may tell: of which battles, with which texts, under which pseudonyms."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext_lazy

from arena.leaderboards.counting import Cutoffs
from arena.leaderboards.reading import latest_snapshot
from arena.leaderboards.shares import cutoffs_of
from arena.refusals import Refusal
from arena.teams.arenas import is_closed
from arena.teams.models import Arena


class NothingPublished(Refusal):
    status = 404
    code = "nothing_published"
    sentence = gettext_lazy("Nothing is published in “%(arena)s” yet, and votes are exported up to a snapshot.")


def new_key() -> bytes:
    """A key of an export's own, so that two exports cannot be joined by their pseudonyms."""
    return secrets.token_bytes(32)


@dataclass(frozen=True, slots=True)
class Scope:
    """One export.

    Attributes
    ----------
    limits : Cutoffs
        Of a snapshot: an export that moved between two boards would name the two of an open battle.
    is_full : bool
        With what a public export withholds.
    has_texts : bool
        With conversations where they may be told.
    is_over : bool
        Nobody votes here any more.
    key : bytes
        Of the pseudonyms; forgotten with this object unless somebody keeps it.
    """

    arena: Arena
    limits: Cutoffs
    is_full: bool = False
    has_texts: bool = True
    is_over: bool = False
    key: bytes = field(default_factory=new_key, repr=False)

    def pseudonym(self, kind: str, of: object) -> str:
        """The same for the same thing within this export, and nothing to anybody without the key."""
        digest = hmac.digest(self.key, f"{kind}:{of}".encode(), "sha256")
        return str(UUID(bytes=digest[:16], version=4))

    def tells_texts(self, *, prompt_id: int | None, is_sealed: bool) -> bool:
        """Whether a battle's prompt and answers may stand beside names.

        In public never those of a sealed set, never what a voter wrote, since nobody said that it would be published,
        and recorded answers only once nobody can be served them: an answer whose author is known is no longer blind.
        """
        if not self.has_texts or self.is_full:
            return self.has_texts
        return prompt_id is not None and not is_sealed and self.is_over


def is_over(arena: Arena, *, now: datetime) -> bool:
    """Whether nobody votes here any more."""
    return arena.archived_at is not None or is_closed(arena, now=now)


def scope_of(arena: Arena, *, now: datetime, is_full: bool = False) -> Scope:
    """Everything up to the last snapshot. Raises NothingPublished."""
    snapshot = latest_snapshot(arena)
    if snapshot is None:
        raise NothingPublished(arena=arena.slug)
    return Scope(arena, cutoffs_of(snapshot), is_full, is_over=is_over(arena, now=now))
