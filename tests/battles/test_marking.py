"""A battle whose texts say whose they are can be voted and is not rated, until a reviewer takes the mark back."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from arena.battles import lifecycle, marking, opening, recording, votes
from arena.battles.addresses import Visit
from arena.battles.blinding import own_votes
from arena.battles.marking import NoReason
from arena.battles.models import Battle, SelfNaming, ServedFrom, Vote
from arena.battles.recording import Answer
from arena.battles.words import Side, Winner
from arena.competitors.models import Competitor
from arena.integrity.erasing import erase, forget_origins
from arena.leaderboards import tallying
from arena.leaderboards.counting import rated
from arena.leaderboards.publishing import publish_snapshot
from arena.leaderboards.verifying import verify
from arena.prompts.models import Prompt, PromptSet, RecordedAnswer
from arena.teams.frozen import ImmutableRow
from arena.teams.models import Arena, Voter

pytestmark = pytest.mark.django_db(transaction=True)


def answered(arena: Arena, voter: Voter, prompt: str, a: str, b: str) -> Battle:
    now = timezone.now()
    battle = opening.open_battle(voter, arena, prompt, seed=opening.new_seed(), now=now)
    assert lifecycle.claim(battle, now=now)
    recording.record_responses(battle.turns.get(), {Side.A: Answer(text=a), Side.B: Answer(text=b)}, now=now)
    battle.refresh_from_db()
    return battle


def judged(arena: Arena, prompt: str = "Why?", a: str = "Because.", b: str = "So.") -> Vote:
    voter = Voter.objects.create()
    battle = answered(arena, voter, prompt, a, b)
    return votes.cast_vote(battle.public_id, voter, Winner.A, now=timezone.now()).vote


def marks(battle: Battle) -> list[tuple[int, str, str, str]]:
    return list(SelfNaming.objects.filter(battle=battle).order_by("id").values_list("turn", "side", "rule", "kind"))


def test_an_answer_that_names_itself_marks_its_battle(live: Arena, voter: Voter) -> None:
    battle = answered(live, voter, "Why?", "Because.", "I am Claude, made by Anthropic.")
    assert marks(battle) == [(1, "b", "says_it_is", "model")]


def test_an_arenas_own_competitor_is_known_by_name(live: Arena, voter: Voter) -> None:
    battle = answered(live, voter, "Why?", "My name is zanzibar2-name.", "I was made by Zanzibar1-organization.")
    assert marks(battle) == [(1, "a", "says_it_is", "own"), (1, "b", "says_it_is", "maker")]


def test_a_prompt_that_asks_marks_its_battle_whatever_the_answers_say(live: Arena, voter: Voter) -> None:
    battle = answered(live, voter, "Which model are you?", "I cannot say.", "Guess.")
    assert marks(battle) == [(1, "", "asks_who", "prompt")]


def test_a_follow_up_that_asks_marks_too(live: Arena, voter: Voter) -> None:
    battle = answered(live, voter, "Why?", "Because.", "So.")
    opening.follow_up(battle, voter, "And who made you?", now=timezone.now())
    assert marks(battle) == [(2, "", "asks_who", "prompt")]


def test_ordinary_talk_of_models_marks_nothing(live: Arena, voter: Voter) -> None:
    battle = answered(live, voter, "Compare GPT-4 and Claude.", "GPT-4 is by OpenAI.", "Claude is by Anthropic.")
    assert marks(battle) == []


def test_a_recorded_answer_is_looked_at_and_the_operators_prompt_is_not(recorded: Arena, voter: Voter) -> None:
    Prompt.objects.update(text="Who are you?")
    RecordedAnswer.objects.update(text="I'm ChatGPT.")
    battle = opening.open_battle(voter, recorded, None, seed=opening.new_seed(), now=timezone.now())
    assert marks(battle) == [(1, "a", "says_it_is", "model"), (1, "b", "says_it_is", "model")]


def test_a_void_battle_is_not_marked_by_its_answers(live: Arena, voter: Voter) -> None:
    now = timezone.now()
    battle = opening.open_battle(voter, live, "Why?", seed=opening.new_seed(), now=now)
    assert lifecycle.claim(battle, now=now)
    failed = {Side.A: Answer(text="I am Claude."), Side.B: Answer(error_code="status")}
    recording.record_responses(battle.turns.get(), failed, now=now)
    assert marks(battle) == []


def test_the_vote_on_a_marked_battle_is_kept_and_not_rated(live: Arena) -> None:
    plain, marked = judged(live), judged(live, a="I am Gemini, a model by Google.")
    assert set(rated(live)) == {plain}
    assert Vote.objects.filter(pk=marked.pk).exists()


def test_a_mark_taken_back_lets_the_vote_count_from_the_next_vote_on(live: Arena) -> None:
    first = judged(live)
    marked = judged(live, a="I am Claude.")
    after = judged(live)
    mark = SelfNaming.objects.get()
    marking.reverse(mark, reviewer=None, reason="A person's name.", now=timezone.now())
    assert set(rated(live, after.pk)) == {first, after}, "an old board is counted as it was"
    last = judged(live)
    assert set(rated(live, last.pk)) == {first, marked, after, last}
    assert set(rated(live)) == {first, marked, after, last}


def test_several_marks_must_all_be_taken_back(live: Arena) -> None:
    marked = judged(live, prompt="Who are you?", a="I am Claude.")
    one, other = SelfNaming.objects.order_by("id")
    marking.reverse(one, reviewer=None, reason="Read.", now=timezone.now())
    assert marked not in set(rated(live))
    marking.reverse(other, reviewer=None, reason="Read.", now=timezone.now())
    assert marked in set(rated(live))


def test_a_mark_is_taken_back_once_and_for_a_reason(live: Arena) -> None:
    judged(live, a="I am Claude.")
    mark = SelfNaming.objects.get()
    with pytest.raises(NoReason):
        marking.reverse(mark, reviewer=None, reason="  ", now=timezone.now())
    first = marking.reverse(mark, reviewer=None, reason="Read.", now=timezone.now())
    assert marking.reverse(mark, reviewer=None, reason="Again.", now=timezone.now()) == first
    with pytest.raises(ImmutableRow):
        mark.delete()
    with pytest.raises(ImmutableRow):
        SelfNaming.objects.all().delete()


def counted(arena: Arena, through: int) -> int:
    tally = tallying.tally(arena, through)
    assert tally is not None
    return int(tally.votes.sum())


def test_kept_counts_follow_a_mark_that_is_taken_back_after_they_passed_it(live: Arena) -> None:
    """Its voter comes before others in the order of first votes then; verifying counts without what is kept."""
    marked = judged(live, a="I am Claude.")
    second = judged(live)
    assert counted(live, second.pk) == 1
    old = publish_snapshot(live, now=timezone.now())
    marking.reverse(SelfNaming.objects.get(), reviewer=None, reason="Read.", now=timezone.now())
    assert counted(live, second.pk) == 1, "nothing new, nothing changes"
    third = judged(live)
    assert counted(live, third.pk) == 3
    new = publish_snapshot(live, now=timezone.now())
    assert (old.vote_count, new.vote_count) == (1, 3)
    assert verify(old).same, verify(old).sentence
    assert verify(new).same, verify(new).sentence
    assert marked.pk < second.pk


def test_reviewers_see_marks_of_closed_battles_alone_and_take_them_back(
    live: Arena, admin_client: Client, voter: Voter
) -> None:
    open_battle = answered(live, voter, "Why?", "I am Claude.", "So.")
    judged(live, a="I am Gemini.")
    page = admin_client.get("/admin/battles/selfnaming/").content.decode()
    assert "I am Gemini" in page
    assert "I am Claude" not in page, "it would say who answers an open battle"
    chosen = {"action": "take_back", "_selected_action": list(SelfNaming.objects.values_list("pk", flat=True))}
    admin_client.post("/admin/battles/selfnaming/", chosen)
    taken = SelfNaming.objects.get(reversal__isnull=False)
    assert taken.reversal.reviewer == User.objects.get(username="admin")
    assert SelfNaming.objects.get(reversal__isnull=True).battle == open_battle


def test_a_voter_is_told_which_of_their_votes_are_not_rated(live: Arena, voter: Voter, as_voter: Client) -> None:
    for a in ("Because.", "I am Claude."):
        battle = answered(live, voter, "Why?", a, f"{a} So.")
        votes.cast_vote(battle.public_id, voter, Winner.A, now=timezone.now())
    assert [vote.is_rated for vote in own_votes(live, voter)] == [False, True]
    assert as_voter.get("/a/live/mine/").content.decode().count("kept, and not rated") == 1


def test_a_voter_who_goes_takes_the_words_of_marks_and_the_address_along(live: Arena, voter: Voter) -> None:
    now = timezone.now()
    visit = Visit("203.0.113.7")
    opening.open_battle(voter, live, "Who are you, says Ada?", seed=opening.new_seed(), now=now, visit=visit)
    assert SelfNaming.objects.get().words == "Who are you"
    erase(voter, now=now)
    assert SelfNaming.objects.get().words == ""
    forget_origins(now=now + timedelta(days=1))  # for so long limits count it
    assert not ServedFrom.objects.exists()


def test_staff_without_the_right_sees_no_marks(live: Arena, client: Client) -> None:
    judged(live, a="I am Gemini.")
    client.force_login(User.objects.create_user("helper", is_staff=True))
    assert client.get("/admin/battles/selfnaming/").status_code == 403


def test_the_stage_says_nothing_of_a_mark_before_the_vote(live: Arena, as_voter: Any, voter: Voter) -> None:
    answered(live, voter, "Why?", "Because.", "So.")
    plain = as_voter.get("/a/live/").content.decode()
    battle = Battle.objects.get()
    SelfNaming.objects.create(battle=battle, turn=1, side="a", rule="r", kind="own", words="w", made_at=timezone.now())
    marked = as_voter.get("/a/live/").content.decode()
    drop = re.compile(r'name="csrfmiddlewaretoken" value="[^"]+"')
    assert drop.sub("", plain) == drop.sub("", marked)


def test_names_are_those_of_the_whole_field(live: Arena, now: datetime, serve: Callable[..., Battle]) -> None:
    Competitor.objects.filter(name="zanzibar3-name").update(retired_at=now)
    assert "zanzibar3" in marking.names_of(live.pk).models
    assert PromptSet.objects.count() == 0
