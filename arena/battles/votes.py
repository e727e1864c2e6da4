"""The only writer of votes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from arena.battles.errors import (
    AlreadyVoted,
    BattleClosed,
    BattleExpired,
    NotComplete,
    NotFound,
    NotYours,
    OutcomeNotOffered,
    UnknownWinner,
    VotingEnded,
)
from arena.battles.models import Battle, Vote
from arena.battles.words import OPEN_STATES, BattleState, Winner
from arena.teams.arenas import is_closed
from arena.teams.models import Arena, Voter


@dataclass(frozen=True, slots=True)
class CastVote:
    """A committed vote; `repeated` when it had been committed before and this call changed nothing."""

    vote: Vote
    repeated: bool


def parse_winner(word: object) -> Winner:
    """Raises UnknownWinner: an unknown word is never taken for a tie."""
    for winner in Winner:
        if word == winner.value:
            return winner
    raise UnknownWinner(winner=str(word)[:40])


def outcomes_of(arena: Arena) -> tuple[Winner, ...]:
    """What a voter may choose from here."""
    return tuple(winner for winner in Winner if winner != Winner.BOTH_BAD or arena.allow_both_bad)


def cast_vote(battle_id: UUID, voter: Voter, winner: Winner, *, now: datetime) -> CastVote:
    """Committed or refused, never half; returns after the commit. The same vote again is answered as the first was.

    The battle's row is locked meanwhile, and one vote a battle is a database constraint besides.
    Raises NotFound, NotYours, AlreadyVoted (another choice), NotComplete, BattleClosed, BattleExpired; VotingEnded and
    OutcomeNotOffered by the arena's settings of this moment.
    """
    with transaction.atomic(durable=True):  # a vote inside a caller's transaction could still be rolled back
        battle_pk, state, expires_at = _lock(battle_id, voter)
        arena, earlier = _settings_and_winner(battle_pk)
        if earlier is not None:
            if earlier != winner:
                raise AlreadyVoted
            return CastVote(Vote.objects.get(battle_id=battle_pk), repeated=True)
        _check_votable(state, expires_at, now=now)
        _check_offered(arena, winner, now=now)
        vote = Vote.objects.create(battle_id=battle_pk, voter=voter, winner=winner, created_at=now)
    return CastVote(vote, repeated=False)


def store_simulated_votes(votes: list[Vote]) -> None:
    """Votes of a simulated arena, in bulk. Raises ValueError for a battle of any other arena."""
    real = next((vote for vote in votes if not vote.battle.arena.is_simulated), None)
    if real is not None:
        raise ValueError(f"{real.battle} belongs to {real.battle.arena.slug}, whose votes are people's.")
    Vote.objects.bulk_create(votes, batch_size=2000)


def store_imported_votes(votes: list[Vote]) -> None:
    """Votes that were cast elsewhere, in bulk. Raises ValueError for a battle that is not marked as imported."""
    ours = next((vote for vote in votes if not vote.battle.is_imported), None)
    if ours is not None:
        raise ValueError(f"{ours.battle} was served here, and its voter casts its vote.")
    Vote.objects.bulk_create(votes, batch_size=2000)


def _lock(battle_id: UUID, voter: Voter) -> tuple[int, str, datetime]:
    """Locks the battle's row; its key, state and end. Four columns: this is every vote's path."""
    row = Battle.objects.select_for_update().values_list("pk", "state", "expires_at", "voter_id")
    try:
        battle_pk, state, expires_at, owner = row.get(public_id=battle_id)
    except Battle.DoesNotExist:
        raise NotFound from None
    if owner != voter.pk:
        raise NotYours
    return battle_pk, state, expires_at


def _settings_and_winner(battle_pk: int) -> tuple[Arena, str | None]:
    """What the arena says of votes now, and what this battle's vote chose if there is one.

    Not read with the lock: PostgreSQL shows a statement that waited for a row what other tables held before it waited,
    and so not the vote that it waited for. Nor is the arena locked: votes in one arena must not wait for each other.
    """
    columns = ("arena__allow_both_bad", "arena__closed_at", "vote__winner")
    allow_both_bad, closed_at, winner = Battle.objects.values_list(*columns).get(pk=battle_pk)
    return Arena(allow_both_bad=allow_both_bad, closed_at=closed_at), winner


def _check_offered(arena: Arena, winner: Winner, *, now: datetime) -> None:
    if is_closed(arena, now=now):
        raise VotingEnded
    if winner not in outcomes_of(arena):
        raise OutcomeNotOffered(winner=winner, allowed=", ".join(outcomes_of(arena)))


def _check_votable(state: str, expires_at: datetime, *, now: datetime) -> None:
    if state == BattleState.EXPIRED or (state in OPEN_STATES and now >= expires_at):
        raise BattleExpired
    if state in (BattleState.SERVED, BattleState.ANSWERING):
        raise NotComplete
    if state != BattleState.COMPLETE:
        raise BattleClosed
