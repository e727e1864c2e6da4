"""Links that make members. The only writer of `Invitation`."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import F, Q

from arena.teams import tokens
from arena.teams.errors import (
    InvitationExpired,
    InvitationRefused,
    InvitationRevoked,
    InvitationUsedUp,
    UnknownInvitation,
)
from arena.teams.models import Arena, Invitation, Membership, Role, Voter

PURPOSE = "invitation"
WITH_ACCOUNT = frozenset({Role.OWNER, Role.OPERATOR, Role.AUDITOR})
"""Whoever sees names beside answers must be somebody who signed in, and can be shut out."""


def invite(
    arena: Arena,
    role: str,
    *,
    by: User | None = None,
    cohort: str = "",
    note: str = "",
    asks_name: bool = True,
    max_uses: int | None = None,
    expires_at: datetime | None = None,
) -> tuple[Invitation, str]:
    """A new link's row and its token, which nobody can be told again. Raises ValidationError."""
    token = tokens.mint(PURPOSE)
    invitation = Invitation(
        arena=arena, token_hash=tokens.digest(token), role=role, cohort=cohort.strip(), note=note.strip(),
        asks_name=asks_name, max_uses=max_uses, expires_at=expires_at, created_by=by,
    )  # fmt: skip
    invitation.full_clean()
    invitation.save()
    return invitation, token


def invitation_of(token: str) -> Invitation:
    """The invitation behind a link, whether still good or not. Raises UnknownInvitation."""
    found = None
    if tokens.is_genuine(token, PURPOSE):
        found = Invitation.objects.select_related("arena").filter(token_hash=tokens.digest(token)).first()
    if found is None:
        raise UnknownInvitation
    return found


def check(invitation: Invitation, *, now: datetime) -> None:
    """Raises InvitationRevoked, InvitationExpired or InvitationUsedUp where it admits nobody any more."""
    if invitation.revoked_at or invitation.arena.archived_at:
        raise InvitationRevoked
    if invitation.expires_at and invitation.expires_at <= now:
        raise InvitationExpired
    if invitation.max_uses is not None and invitation.used_count >= invitation.max_uses:
        raise InvitationUsedUp


def is_good(invitation: Invitation, *, now: datetime) -> bool:
    """Whether it still admits somebody."""
    try:
        check(invitation, now=now)
    except InvitationRefused:
        return False
    return True


def use(invitation: Invitation, *, now: datetime) -> None:
    """Counts one use, or refuses; one statement, so that a link for five never admits six. Raises what `check` does.

    Of the row's own columns alone: a join becomes a subquery, which PostgreSQL does not ask again after waiting.
    """
    check(_as_stored(invitation), now=now)
    good = Invitation.objects.filter(
        Q(expires_at__isnull=True) | Q(expires_at__gt=now),
        Q(max_uses__isnull=True) | Q(used_count__lt=F("max_uses")),
        pk=invitation.pk,
        revoked_at__isnull=True,
    )
    if not good.update(used_count=F("used_count") + 1):
        check(_as_stored(invitation), now=now)
        raise UnknownInvitation


def _as_stored(invitation: Invitation) -> Invitation:
    """The row as it is now; a copy, since several threads may hold the one that was given."""
    return Invitation.objects.select_related("arena").get(pk=invitation.pk)


def needs_account(invitation: Invitation) -> bool:
    """Whether only somebody with an account can take it."""
    return invitation.role in WITH_ACCOUNT or invitation.arena.access == Arena.Access.PRIVATE


def revoke(invitation: Invitation, *, now: datetime) -> None:
    """From now on it admits nobody; who joined by it stays."""
    Invitation.objects.filter(pk=invitation.pk, revoked_at__isnull=True).update(revoked_at=now)


def forget_notes(voter: Voter) -> None:
    """Empties the notes of links by which this voter alone came: they say for whom the link was."""
    alone = Q(max_uses=1) | Q(used_count__lte=1)
    mine = Membership.objects.filter(voter=voter, invitation__isnull=False).values("invitation")
    Invitation.objects.filter(alone, pk__in=mine).update(note="")
