"""How many battles are served: counted in the served log itself, votes or not.

Tight where an identity is cheap (a new cookie), generous where many honest people share an address. Whoever has an
account or is a member is known, and is not counted with the neighbours; new members are counted by their invitation.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet

from arena.battles import addresses, work
from arena.battles.addresses import Origin, Visit
from arena.battles.errors import TooManyBattles, TooManyFromHere
from arena.battles.models import Battle, ServedFrom
from arena.teams import voters
from arena.teams.models import Arena, Membership, Voter

Limits = tuple[tuple[timedelta, int], ...]
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PER_VOTER: Limits = ((MINUTE, 20), (HOUR, 240))
"""A person needs longer than three seconds to read two answers."""
PER_NEWCOMER: Limits = ((10 * MINUTE, 40), (DAY, 200))
"""A cookie in its first day."""
PER_BLOCK: Limits = ((MINUTE, 200), (HOUR, 4000))
"""Everybody without account or membership in one /24 or /64: a lecture hall that votes at once."""
NEW_PER_BLOCK: Limits = ((HOUR, 60), (DAY, 240))
"""New cookies from one block."""
NEW_PER_INVITATION: Limits = ((HOUR, 200), (DAY, 1000))
"""New cookies by one invitation link, which may have come into wrong hands."""
assert max(window for window, _ in PER_BLOCK + NEW_PER_BLOCK) <= addresses.LONGEST_WINDOW  # noqa: S101 - keys live so long


def check(voter: Voter, arena: Arena, visit: Visit, *, now: datetime) -> Origin:
    """Where the battle will have been asked from. The caller holds the voter's lock.

    Raises TooManyBattles when this voter was served more than a person can judge, TooManyFromHere when the block was.
    """
    has_account = voters.has_account(voter)
    first = None if has_account else _first_served(voter)
    blocks = addresses.hashes_of(visit.address, now=now)
    origin = Origin(blocks, is_first=not has_account and first is None)
    if settings.RATE_LIMITS:
        mine = Battle.objects.filter(voter=voter)
        _hold(mine, PER_VOTER, TooManyBattles, now=now)
        if first is not None and first > now - DAY:
            _hold(mine, PER_NEWCOMER, TooManyBattles, now=now)
        if blocks and not (has_account or _is_known(voter, arena)):
            _hold_block(origin, now=now)
        if origin.is_first:
            _hold_invitation(voter, arena, now=now)
    return origin if has_account else work.settled(origin, arena, visit)


def _hold_block(origin: Origin, *, now: datetime) -> None:
    here = ServedFrom.objects.filter(block__in=origin.blocks)
    _hold(here, PER_BLOCK, TooManyFromHere, now=now)
    if origin.is_first:
        _hold(here.filter(is_first=True), NEW_PER_BLOCK, TooManyFromHere, now=now)


def _hold_invitation(voter: Voter, arena: Arena, *, now: datetime) -> None:
    mine = Membership.objects.filter(voter=voter, arena=arena, invitation__isnull=False)
    invitation = mine.values_list("invitation_id", flat=True).first()
    if invitation is not None:
        guests = ServedFrom.objects.filter(is_first=True, battle__voter__memberships__invitation=invitation)
        _hold(guests, NEW_PER_INVITATION, TooManyFromHere, now=now)


def _hold(
    rows: QuerySet[Battle] | QuerySet[ServedFrom], limits: Limits, refusal: type[TooManyBattles], *, now: datetime
) -> None:
    for window, limit in limits:
        stamps = rows.filter(served_at__gt=now - window).order_by("-served_at").values_list("served_at", flat=True)
        # The one that must have left the window before there is room again.
        held = stamps[limit - 1 : limit].first()
        if held is not None:
            raise refusal(seconds=max(1, round((held + window - now).total_seconds())))


def _first_served(voter: Voter) -> datetime | None:
    return addresses.first_served([voter.pk]).get(voter.pk)


def _is_known(voter: Voter, arena: Arena) -> bool:
    return (
        arena.access != Arena.Access.OPEN
        or Membership.objects.filter(voter=voter, arena=arena, ended_at__isnull=True).exists()
    )
