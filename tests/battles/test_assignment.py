"""Repeats and overlap: how often, to whom, and that they never cost what they are there to measure."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from arena.battles import assignment, opening, votes
from arena.battles.errors import NothingLeft
from arena.battles.models import Battle
from arena.battles.words import Winner
from arena.leaderboards.counting import rated
from arena.prompts.models import Prompt, PromptSet, RecordedAnswer
from arena.teams.models import Arena, Voter

pytestmark = pytest.mark.django_db(transaction=True)
Judge = Callable[..., Battle]


@pytest.fixture
def library(recorded: Arena) -> Arena:
    """Twenty prompts of four answers in an arena that keeps the names to itself."""
    prompts = PromptSet.objects.get(arena=recorded)
    field = sorted(RecordedAnswer.objects.values_list("competitor_id", flat=True).distinct())
    for number in range(3, 20):
        prompt = Prompt.objects.create(prompt_set=prompts, key=f"p{number}", text=f"Question {number}?")
        for pk in field:
            RecordedAnswer.objects.create(prompt=prompt, competitor_id=pk, text=f"{pk} to {number}", conditions_hash="")
    Arena.objects.filter(pk=recorded.pk).update(reveal="never")
    recorded.refresh_from_db()
    return recorded


@pytest.fixture
def judge(library: Arena, now: datetime, settings: Any) -> Judge:
    """Serves and judges the next battle of a voter."""
    settings.RATE_LIMITS = False

    def judged(voter: Voter, winner: Winner = Winner.A) -> Battle:
        battle = opening.open_battle(voter, library, None, seed=opening.new_seed(), now=now)
        votes.cast_vote(battle.public_id, voter, winner, now=now)
        return battle

    return judged


def with_shares(arena: Arena, *, overlap: float = 0.0, repeat: float = 0.0, **fields: object) -> None:
    Arena.objects.filter(pk=arena.pk).update(overlap_share=overlap, repeat_share=repeat, **fields)
    arena.refresh_from_db()


def test_without_shares_every_item_is_new(library: Arena, judge: Judge) -> None:
    ann, bob = Voter.objects.create(), Voter.objects.create()
    battles = [judge(voter) for _ in range(20) for voter in (ann, bob)]
    assert {battle.policy for battle in battles} == {"coverage"}
    assert not Battle.objects.filter(repeat_of__isnull=False).exists()


def test_a_repeat_shows_an_own_battle_with_sides_exchanged_after_a_while(library: Arena, judge: Judge) -> None:
    with_shares(library, repeat=0.5)
    voter = Voter.objects.create()
    battles = [judge(voter) for _ in range(30)]
    repeats = [battle for battle in battles if battle.repeat_of_id]
    assert 5 <= len(repeats) <= 20
    places = {battle.pk: place for place, battle in enumerate(battles)}
    for battle in repeats:
        earlier = Battle.objects.get(pk=battle.repeat_of_id)
        assert (battle.prompt_id, battle.competitor_a_id, battle.competitor_b_id) == (
            earlier.prompt_id, earlier.competitor_b_id, earlier.competitor_a_id,
        )  # fmt: skip
        assert battle.policy == "repeat" and earlier.voter_id == voter.pk and not earlier.repeat_of_id
        assert places[battle.pk] - places[earlier.pk] >= assignment.REPEAT_AFTER
    assert len({battle.repeat_of_id for battle in repeats}) == len(repeats), "nothing is repeated twice"


def test_a_repeat_is_never_rated_and_is_no_progress(library: Arena, judge: Judge) -> None:
    with_shares(library, repeat=0.5)
    voter = Voter.objects.create()
    battles = [judge(voter) for _ in range(20)]
    new = [battle.pk for battle in battles if not battle.repeat_of_id]
    assert sorted(rated(library).values_list("battle_id", flat=True)) == sorted(new)
    shown = assignment.progress(library, voter)
    assert shown == assignment.Progress(len(new), 40)


def test_where_names_are_known_nothing_is_repeated(library: Arena, judge: Judge) -> None:
    with_shares(library, repeat=0.5, reveal="each")
    voter = Voter.objects.create()
    assert not any(judge(voter).repeat_of_id for _ in range(20))


def test_overlap_brings_a_second_voter_to_what_one_has_judged(library: Arena, judge: Judge) -> None:
    ann, bob = Voter.objects.create(), Voter.objects.create()
    for _ in range(10):
        judge(ann)
    with_shares(library, overlap=0.9)
    battles = [judge(bob) for _ in range(10)]
    overlaps = [battle for battle in battles if battle.policy == "overlap"]
    assert len(overlaps) >= 6
    seen = {
        (prompt, frozenset(pair))
        for prompt, *pair in Battle.objects.filter(voter=ann).values_list(
            "prompt_id", "competitor_a_id", "competitor_b_id"
        )
    }
    assert all((b.prompt_id, frozenset((b.competitor_a_id, b.competitor_b_id))) in seen for b in overlaps)
    assert rated(library).count() == 20, "every vote of an overlap counts"


def test_nobody_overlaps_with_oneself_or_meets_an_item_twice(library: Arena, judge: Judge) -> None:
    with_shares(library, overlap=0.9)
    ann, bob = Voter.objects.create(), Voter.objects.create()
    for _ in range(20):
        for voter in (ann, bob):
            judge(voter)
    for voter in (ann, bob):
        rows = Battle.objects.filter(voter=voter).values_list("prompt_id", "competitor_a_id", "competitor_b_id")
        items = Counter((prompt, frozenset(pair)) for prompt, *pair in rows)
        assert set(items.values()) == {1}
    first = Battle.objects.order_by("id").first()
    assert first is not None and first.policy != "overlap", "there was nobody to overlap with"


def test_overlap_goes_to_what_the_fewest_have_judged(library: Arena, judge: Judge, now: datetime) -> None:
    ann, bob, cat = (Voter.objects.create() for _ in range(3))
    judge(ann)
    lonely = judge(ann)
    with_shares(library, overlap=0.9)
    shared = next(b for b in (judge(bob) for _ in range(12)) if b.policy == "overlap")
    if shared.prompt_id == lonely.prompt_id:
        lonely = Battle.objects.filter(voter=ann).order_by("id")[0]
    Battle.objects.filter(voter=bob).exclude(pk=shared.pk).update(voter=ann)  # only the overlap is Bob's
    items = [assignment.next_item(library, cat, rng=random.Random(number)) for number in range(40)]
    chosen = {item.prompt.pk for item in items if item.draw}
    assert lonely.prompt_id in chosen and shared.prompt_id not in chosen


def test_sides_of_overlaps_are_drawn_and_the_probability_is_stored(library: Arena, judge: Judge) -> None:
    judge(Voter.objects.create())
    with_shares(library, overlap=0.9)
    drawn: Counter[tuple[int, int]] = Counter()
    for number in range(400):
        item = assignment.next_item(library, Voter(pk=10**6), rng=random.Random(number))
        if item.draw:
            drawn[item.draw.a, item.draw.b] += 1
            assert item.draw.probability == 0.5
    one, other = drawn.values()
    assert abs(one - other) < 4 * (one + other) ** 0.5, "four standard deviations"


def test_when_nothing_new_is_left_a_repeat_does_not_go_on_for_ever(library: Arena, judge: Judge) -> None:
    with_shares(library, repeat=0.5)
    voter = Voter.objects.create()
    with pytest.raises(NothingLeft):
        for _ in range(200):
            judge(voter)
    shown = assignment.progress(library, voter)
    assert shown is not None and shown.done == shown.total
