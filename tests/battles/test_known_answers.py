"""No voter judges an answer whose author they know: a live answer that repeats a revealed one voids its battle."""

from __future__ import annotations

import pytest
from django.utils import timezone

from arena.battles import lifecycle, opening, recording, votes
from arena.battles.models import Battle, Response
from arena.battles.recording import Answer
from arena.battles.words import BattleState, Side, VoidReason, Winner
from arena.teams.models import Arena, Voter

pytestmark = pytest.mark.django_db(transaction=True)


def answered(arena: Arena, voter: Voter, a: str, b: str) -> Battle:
    now = timezone.now()
    battle = opening.open_battle(voter, arena, "Why?", seed=opening.new_seed(), now=now)
    assert lifecycle.claim(battle, now=now)
    recording.record_responses(battle.turns.get(), {Side.A: Answer(text=a), Side.B: Answer(text=b)}, now=now)
    battle.refresh_from_db()
    return battle


@pytest.fixture
def known(live: Arena, voter: Voter) -> Battle:
    """A battle of this voter's whose names were revealed."""
    battle = answered(live, voter, "Because of the rain.", "It was the wind.")
    votes.cast_vote(battle.public_id, voter, Winner.A, now=timezone.now())
    return battle


@pytest.mark.parametrize("texts", [("Because of the rain.", "New."), ("New.", "Because of the rain."),
                                   ("It was the wind.", "New.")])  # fmt: skip
def test_an_answer_that_repeats_a_revealed_one_voids_the_battle(
    known: Battle, live: Arena, voter: Voter, texts: tuple[str, str]
) -> None:
    battle = answered(live, voter, *texts)
    assert (battle.state, battle.void_reason) == (BattleState.VOID, VoidReason.REPEATED)
    assert set(Response.objects.filter(turn__battle=battle).values_list("text", "text_sha256")) == {("", "")}


def test_one_byte_makes_it_another_answer(known: Battle, live: Arena, voter: Voter) -> None:
    assert answered(live, voter, "Because of the rain!", "New.").state == BattleState.COMPLETE


def test_somebody_else_knows_nothing_of_it(known: Battle, live: Arena, stranger: Voter) -> None:
    assert answered(live, stranger, "Because of the rain.", "New.").state == BattleState.COMPLETE


def test_a_battle_that_was_only_skipped_revealed_nothing(live: Arena, voter: Voter) -> None:
    skipped = answered(live, voter, "Because of the rain.", "It was the wind.")
    lifecycle.skip(skipped.public_id, voter, now=timezone.now())
    assert answered(live, voter, "Because of the rain.", "New.").state == BattleState.COMPLETE


def test_where_names_are_never_revealed_answers_may_repeat(live: Arena, voter: Voter) -> None:
    Arena.objects.filter(pk=live.pk).update(reveal="never")
    live.refresh_from_db()
    first = answered(live, voter, "Because of the rain.", "It was the wind.")
    votes.cast_vote(first.public_id, voter, Winner.A, now=timezone.now())
    assert answered(live, voter, "Because of the rain.", "New.").state == BattleState.COMPLETE
