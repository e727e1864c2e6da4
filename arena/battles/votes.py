"""The only writer of votes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from arena.battles import lifecycle
from arena.battles.errors import AlreadyVoted, BattleClosed, BattleExpired, NotComplete, UnknownWinner
from arena.battles.models import Battle, Vote
from arena.battles.words import OPEN_STATES, BattleState, Winner
from arena.teams.models import Voter


@dataclass(frozen=True, slots=True)
class CastVote:
    """A committed vote; `repeated` when it had been committed before and this call changed nothing."""

    vote: Vote
    battle: Battle
    repeated: bool


def parse_winner(word: object) -> Winner:
    """Raises UnknownWinner: an unknown word is never taken for a tie."""
    for winner in Winner:
        if word == winner.value:
            return winner
    raise UnknownWinner(winner=str(word)[:40])


def cast_vote(battle_id: UUID, voter: Voter, winner: Winner, *, now: datetime) -> CastVote:
    """Committed or refused, never half; returns after the commit. The same vote again is answered as the first was.

    The battle's row is locked meanwhile, and one vote a battle is a database constraint besides.
    Raises NotFound, NotYours, AlreadyVoted (another choice), NotComplete, BattleClosed, BattleExpired.
    """
    with transaction.atomic(durable=True):  # a vote inside a caller's transaction could still be rolled back
        battle = lifecycle.lock(battle_id, voter, now=now)
        earlier = Vote.objects.filter(battle=battle).first()
        if earlier is not None:
            if earlier.winner != winner:
                raise AlreadyVoted
            return CastVote(earlier, battle, repeated=True)
        _check_votable(battle, now=now)
        vote = Vote.objects.create(battle=battle, voter=voter, winner=winner, created_at=now)
    return CastVote(vote, battle, repeated=False)


def store_simulated_votes(votes: list[Vote]) -> None:
    """Votes of a simulated arena, in bulk. Raises ValueError for a battle of any other arena."""
    real = next((vote for vote in votes if not vote.battle.arena.is_simulated), None)
    if real is not None:
        raise ValueError(f"{real.battle} belongs to {real.battle.arena.slug}, whose votes are people's.")
    Vote.objects.bulk_create(votes, batch_size=2000)


def _check_votable(battle: Battle, *, now: datetime) -> None:
    if battle.state == BattleState.EXPIRED or (battle.state in OPEN_STATES and now >= battle.expires_at):
        raise BattleExpired
    if battle.state in (BattleState.SERVED, BattleState.ANSWERING):
        raise NotComplete
    if battle.state != BattleState.COMPLETE:
        raise BattleClosed
