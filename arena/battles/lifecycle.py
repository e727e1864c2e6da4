"""The states of a battle, moved under a row lock or by one counted, conditional update; forward only.

On SQLite a transaction is IMMEDIATE, so that the lock is the whole database's; on PostgreSQL it is the row's.
"""

from __future__ import annotations

import os
import secrets
import socket
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from arena.battles.errors import (
    AlreadyVoted,
    BattleClosed,
    BattleExpired,
    NotComplete,
    NotFound,
    NotYours,
    SkipNotOffered,
)
from arena.battles.models import Battle, Vote
from arena.battles.words import OPEN_STATES, BattleState, VoidReason
from arena.teams.models import Voter

LEASE = timedelta(seconds=15)
"""How long a battle may be answering without a sign of life from the process that answers it."""

_incarnation = f"{os.getpid()}-{secrets.token_hex(4)}"


def process_owner() -> str:
    """Names this process in leases. A restarted process has the same first part and another second one."""
    return f"{settings.PROCESS_NAME or socket.gethostname()}:{_incarnation}"


def lock(battle_id: UUID, voter: Voter, *, now: datetime) -> Battle:
    """The battle, its row locked until the transaction ends. Raises NotFound, NotYours."""
    battle = Battle.objects.select_for_update().filter(public_id=battle_id).first()
    if battle is None:
        raise NotFound
    if battle.voter_id != voter.pk:
        raise NotYours
    return battle


def check_open(battle: Battle, *, now: datetime) -> None:
    """Raises BattleExpired, BattleClosed or AlreadyVoted unless the battle can still move. The row must be locked."""
    if Vote.objects.filter(battle=battle).exists():
        raise AlreadyVoted
    if battle.state == BattleState.EXPIRED or (battle.state in OPEN_STATES and now >= battle.expires_at):
        raise BattleExpired
    if battle.state not in OPEN_STATES:
        raise BattleClosed


def reopen(battle_id: UUID, voter: Voter, *, now: datetime) -> Battle:
    """Complete to served, for a follow-up turn; the caller holds a transaction. Raises also NotComplete."""
    battle = lock(battle_id, voter, now=now)
    check_open(battle, now=now)
    if battle.state != BattleState.COMPLETE:
        raise NotComplete
    _move(battle, BattleState.SERVED)
    return battle


def claim(battle: Battle, *, now: datetime) -> bool:
    """Served to answering, by exactly one process: true for the one that shall answer."""
    moved = Battle.objects.filter(pk=battle.pk, state=BattleState.SERVED, expires_at__gt=now).update(
        state=BattleState.ANSWERING, owner=process_owner(), lease_until=now + LEASE
    )
    return moved == 1


def renew_leases(battle_ids: list[int], *, now: datetime) -> None:
    """A sign of life for the battles that this process answers."""
    mine = Battle.objects.filter(pk__in=battle_ids, owner=process_owner(), state=BattleState.ANSWERING)
    mine.update(lease_until=now + LEASE)


def abandoned(battle_ids: list[int]) -> set[int]:
    """Those of these battles that were set aside while they were being answered: nobody will read them to the end."""
    gone = Battle.objects.filter(pk__in=battle_ids, state__in=(BattleState.SKIPPED, BattleState.EXPIRED))
    return set(gone.values_list("pk", flat=True))


def skip(battle_id: UUID, voter: Voter, *, now: datetime) -> Battle:
    """Any open state to skipped; skipping again changes nothing.

    Raises AlreadyVoted, BattleClosed, BattleExpired, and SkipNotOffered where the arena wants every battle judged.
    """
    with transaction.atomic():
        battle = lock(battle_id, voter, now=now)
        if battle.state != BattleState.SKIPPED:
            check_open(battle, now=now)
            if not battle.arena.allow_skip:
                raise SkipNotOffered
            _move(battle, BattleState.SKIPPED, closed_at=now)
    return battle


def skip_all(voter: Voter, *, now: datetime) -> int:
    """Sets every open battle of this voter aside, for a voter who goes. Says how many."""
    unjudged = Battle.objects.filter(voter=voter, state__in=OPEN_STATES, vote__isnull=True).values("pk")
    return Battle.objects.filter(pk__in=list(unjudged.values_list("pk", flat=True)), state__in=OPEN_STATES).update(
        state=BattleState.SKIPPED, closed_at=now
    )


def stop(battle_id: UUID, voter: Voter, *, now: datetime) -> Battle:
    """The voter stops both sides: served or answering to void. Raises AlreadyVoted, BattleClosed, BattleExpired."""
    with transaction.atomic():
        battle = lock(battle_id, voter, now=now)
        if battle.state == BattleState.VOID:
            return battle
        check_open(battle, now=now)
        if battle.state == BattleState.COMPLETE:
            raise BattleClosed
        _move(battle, BattleState.VOID, closed_at=now, void_reason=VoidReason.STOPPED)
    return battle


def void(battle_pk: int, reason: VoidReason, *, now: datetime) -> bool:
    """Served or answering to void, once; false when the battle had moved on."""
    young = Battle.objects.filter(pk=battle_pk, state__in=(BattleState.SERVED, BattleState.ANSWERING))
    return young.update(state=BattleState.VOID, void_reason=reason, closed_at=now, lease_until=None) == 1


def void_if_orphaned(battle: Battle, *, now: datetime) -> bool:
    """Voids a battle whose answering process is gone. Returns whether it did."""
    orphans = Battle.objects.filter(pk=battle.pk, state=BattleState.ANSWERING, lease_until__lt=now)
    return _void_interrupted(orphans, now=now) == 1


def recover(*, now: datetime) -> int:
    """At a process's start: battles that its earlier incarnation was answering are void. Returns how many."""
    if not settings.PROCESS_NAME:
        return 0
    earlier = Battle.objects.filter(state=BattleState.ANSWERING, owner__startswith=f"{settings.PROCESS_NAME}:")
    return _void_interrupted(earlier.exclude(owner=process_owner()), now=now)


def sweep(*, now: datetime) -> int:
    """The worker's duty: void what nobody answers any more, expire what is too old. Returns how many were moved."""
    orphaned = Battle.objects.filter(state=BattleState.ANSWERING).filter(
        Q(lease_until__lt=now) | Q(lease_until__isnull=True)
    )
    moved = _void_interrupted(orphaned, now=now)
    old = Battle.objects.filter(state__in=OPEN_STATES, vote__isnull=True, expires_at__lte=now).values("pk")
    return moved + Battle.objects.filter(pk__in=old, state__in=OPEN_STATES).update(
        state=BattleState.EXPIRED, closed_at=now
    )


def _void_interrupted(battles: QuerySet[Battle], *, now: datetime) -> int:
    return battles.update(state=BattleState.VOID, void_reason=VoidReason.INTERRUPTED, closed_at=now, lease_until=None)


def _move(battle: Battle, state: BattleState, **changes: datetime | str | None) -> None:
    battle.state = state
    for name, value in changes.items():
        setattr(battle, name, value)
    battle.save(update_fields=["state", *changes])
