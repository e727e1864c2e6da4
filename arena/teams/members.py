"""Who belongs to an arena, as what. The only writer of `Membership`."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from arena.teams import invitations, voters
from arena.teams.errors import LastOwner, LinkNeedsAccount, MembershipEnded, NeedsAccount
from arena.teams.models import Arena, Invitation, Membership, Role, Voter

RISING = (Role.VOTER, Role.EXPERT, Role.AUDITOR, Role.OPERATOR, Role.OWNER)
"""A link lifts a member's role and never lowers it: an owner who tries a voters' link stays owner."""


def join(
    invitation: Invitation, voter: Voter, *, now: datetime, display_name: str = "", affiliation: str = ""
) -> Membership:
    """Makes a member by a link, and counts its use; whoever is in already with no lower role costs it none.

    Raises NeedsAccount, MembershipEnded (the link is older than the end), and what `invitations.check` raises.
    """
    if invitations.needs_account(invitation) and voter.user_id is None:
        raise LinkNeedsAccount
    with transaction.atomic():
        # One at a time for a voter: two tabs must not count two uses.
        list(Voter.objects.select_for_update().filter(pk=voter.pk).values_list("pk"))
        known = Membership.objects.filter(arena=invitation.arena, voter=voter).first()
        if known and known.ended_at is None and not _rises(known.role, invitation.role):
            return known
        if known and known.ended_at and invitation.created_at <= known.ended_at:
            raise MembershipEnded
        invitations.use(invitation, now=now)
        values = {"role": invitation.role, "cohort": invitation.cohort, "invitation": invitation, "ended_at": None}
        if display_name.strip():
            values["display_name"] = display_name.strip()
        member, _made = Membership.objects.update_or_create(arena=invitation.arena, voter=voter, defaults=values)
        if affiliation.strip():
            voters.declare_affiliation(voter, affiliation)
    return member


def appoint(arena: Arena, voter: Voter, role: str, *, cohort: str = "") -> Membership:
    """A member without a link, as the maker of an arena becomes its owner. Raises NeedsAccount."""
    _check_account(voter, role)
    values = {"role": role, "cohort": cohort, "ended_at": None}
    return Membership.objects.update_or_create(arena=arena, voter=voter, defaults=values)[0]


def change(member: Membership, *, role: str, cohort: str) -> None:
    """Another role or cohort. Raises NeedsAccount, and LastOwner where nobody would be left to manage people."""
    _check_account(member.voter, role)
    with transaction.atomic():
        if role != Role.OWNER:
            _check_owners(member)
        Membership.objects.filter(pk=member.pk).update(role=role, cohort=cohort.strip()[:40])


def end(member: Membership, *, now: datetime) -> None:
    """Ends a membership; the votes stay. Raises LastOwner."""
    with transaction.atomic():
        _check_owners(member)
        Membership.objects.filter(pk=member.pk, ended_at__isnull=True).update(ended_at=now)


def rename(member: Membership, display_name: str) -> None:
    """The name by which those who run the arena know this member."""
    Membership.objects.filter(pk=member.pk).update(display_name=display_name.strip()[:80])


def forget(voter: Voter, *, now: datetime) -> None:
    """Ends this voter's memberships and deletes the names in them and in links made for them. Raises LastOwner."""
    for member in Membership.objects.filter(voter=voter, ended_at__isnull=True):
        end(member, now=now)
    Membership.objects.filter(voter=voter).update(display_name="")
    invitations.forget_notes(voter)


def _rises(old: str, new: str) -> bool:
    return RISING.index(Role(new)) > RISING.index(Role(old))


def _check_account(voter: Voter, role: str) -> None:
    if role in invitations.WITH_ACCOUNT and voter.user_id is None:
        raise NeedsAccount


def _check_owners(member: Membership) -> None:
    owners = Membership.objects.select_for_update().filter(
        arena=member.arena_id, role=Role.OWNER, ended_at__isnull=True
    )
    if list(owners.values_list("pk", flat=True)) == [member.pk]:
        raise LastOwner
