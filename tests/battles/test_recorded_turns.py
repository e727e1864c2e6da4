"""Recorded conversations: one battle shows all turns of both, and one vote judges them."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from arena.battles import assignment, opening
from arena.battles.blinding import blind
from arena.battles.errors import TooManyTurns
from arena.battles.models import Battle, Response, Turn, Vote
from arena.battles.words import BattleState, Side
from arena.prompts.models import Prompt, RecordedAnswer
from arena.teams.models import Arena, Voter
from tests.battles.test_blindness import crawl

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def talks(recorded: Arena) -> Arena:
    """The recorded arena with a second message to every prompt, answered by all."""
    Prompt.objects.update(follow_ups=["And then?"], turn_count=2)
    for row in list(RecordedAnswer.objects.all()):
        row.pk, row.turn, row.text = None, 2, f"Later, {row.text}"
        row._state.adding = True
        row.save()
    return recorded


def open_one(arena: Arena, voter: Voter) -> Battle:
    return opening.open_battle(voter, arena, None, seed=opening.new_seed(), now=timezone.now())


def test_a_battle_holds_every_turn_with_both_answers(talks: Arena, voter: Voter) -> None:
    battle = open_one(talks, voter)
    seen = blind(battle)
    assert battle.state == BattleState.COMPLETE
    assert [turn.prompt for turn in seen.turns][1] == "And then?"
    for side in Side:
        first, second = (turn.answers[side] for turn in seen.turns)
        assert second == f"Later, {first}"
    assert Response.objects.filter(turn__battle=battle).count() == 4


def test_the_page_shows_the_whole_conversation_and_one_vote_bar(talks: Arena, voter: Voter, as_voter: Any) -> None:
    battle = open_one(talks, voter)
    page = as_voter.get(f"/a/{talks.slug}/").content.decode()
    for turn in blind(battle).turns:
        assert turn.prompt in page
        assert all(answer in page for answer in turn.answers.values())
    assert page.count("data-vote>") == 1
    assert '<details class="earlier" open>' in page
    as_voter.post(f"/a/{talks.slug}/battles/{battle.public_id}/vote/", {"winner": "a"})
    assert Vote.objects.filter(battle=battle).count() == 1


def test_nothing_before_the_vote_names_who_answered(talks: Arena, voter: Voter) -> None:
    watcher = crawl(talks, voter, prompt=None)
    assert Turn.objects.count() == 2
    assert any(b"Later, " in part for part in watcher.seen)
    assert watcher.findings() == []


def test_who_has_not_answered_the_last_turn_is_not_drawn(talks: Arena, voter: Voter) -> None:
    silent = RecordedAnswer.objects.filter(turn=2).order_by("competitor_id").first()
    assert silent is not None
    RecordedAnswer.objects.filter(turn=2, competitor=silent.competitor_id).delete()
    answered = assignment.answers_by_prompt(talks)
    assert all(len(who) == 3 and silent.competitor_id not in who for who in answered.values())


def test_recorded_conversations_take_no_further_message(talks: Arena, voter: Voter) -> None:
    battle = open_one(talks, voter)
    with pytest.raises(TooManyTurns):
        opening.follow_up(battle, voter, "More?", now=timezone.now())
    assert battle.turns.count() == 2
