"""The battle that somebody asks for by its public id, if it is theirs."""

from __future__ import annotations

from uuid import UUID

from arena.battles.errors import NotAVoter, NotFound, NotYours
from arena.battles.models import Battle
from arena.teams.access import arena_for, may_enter
from arena.teams.models import Arena
from arena.teams.permissions import Action, may
from arena.teams.person import Person
from arena.teams.voters import is_voter


def check_may_vote(person: Person, arena: Arena) -> None:
    """Raises NotAVoter for somebody who may enter, but sees names beside answers and so does not judge."""
    if not may(person, Action.VOTE, arena):
        raise NotAVoter


def own_battle(person: Person, cookie: str | None, slug: str, battle_id: UUID) -> Battle:
    """The caller's own battle, with its arena and its voter; one query when all is well and the arena is open.

    Raises Http404 for an arena that they may not enter, NotFound, NotYours.
    """
    found = Battle.objects.select_related("arena", "voter").filter(public_id=battle_id, arena__slug=slug)
    battle = next(iter(found), None)
    if battle is None or not may_enter(person, battle.arena):
        arena_for(person, slug)
        raise NotFound
    if not is_voter(battle.voter, cookie, person.user):
        raise NotYours
    return battle
