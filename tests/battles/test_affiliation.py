"""Nobody judges the models of their own house."""

from __future__ import annotations

import random
from datetime import datetime

import pytest

from arena.battles.assignment import is_done, next_item, progress
from arena.battles.blinding import is_told
from arena.battles.errors import ArenaClosed, NothingLeft
from arena.battles.models import Battle
from arena.battles.opening import new_seed, open_battle
from arena.battles.votes import cast_vote
from arena.competitors.affiliation import is_same
from arena.competitors.models import Competitor
from arena.leaderboards.withholding import why_withheld
from arena.teams import voters
from arena.teams.models import Arena, Voter
from arena.teams.person import Person


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Acme", "acme"),
        ("Acme Inc.", "ACME"),
        ("Acme", "Acme Research"),
        ("Ａcme GmbH", "acme"),
        ("Acme, Paris", "Acme"),
    ],
)
def test_one_house_is_known_under_its_spellings(one: str, other: str) -> None:
    assert is_same(one, other) and is_same(other, one)


@pytest.mark.parametrize(("one", "other"), [("Acme", "Apex"), ("Acme", ""), ("Inc.", "Acme Inc."), ("Acme", "Acmena")])
def test_other_houses_are_told_apart(one: str, other: str) -> None:
    assert not is_same(one, other) and not is_same(other, one)


@pytest.fixture
def affiliated(db: None) -> Voter:
    voter = Voter.objects.create()
    voters.declare_affiliation(voter, "Zanzibar1 Organization")
    return voter


def own(arena: Arena) -> Competitor:
    competitor = Competitor.objects.get(arena=arena, name="zanzibar1-name")
    Competitor.objects.filter(pk=competitor.pk).update(organization="zanzibar1 organization, Ltd")
    return competitor


def met(arena: Arena, voter: Voter) -> set[int]:
    pairs = Battle.objects.filter(arena=arena, voter=voter).values_list("competitor_a_id", "competitor_b_id")
    return {side for pair in pairs for side in pair}


def test_live_battles_are_drawn_among_the_others(live: Arena, affiliated: Voter, now: datetime) -> None:
    """Coverage evens out: in 18 battles, with as many beside them, everyone who may be drawn is."""
    mine, other = own(live), Voter.objects.create()
    for number in range(18):
        for voter in (affiliated, other):
            open_battle(voter, live, f"Question {number}?", seed=new_seed(), now=now)
    everyone = set(Competitor.objects.filter(arena=live).values_list("pk", flat=True))
    assert met(live, affiliated) == everyone - {mine.pk}
    assert met(live, other) == everyone


def test_the_chance_that_is_stored_is_that_among_the_others(live: Arena, affiliated: Voter, now: datetime) -> None:
    own(live)
    Arena.objects.filter(pk=live.pk).update(sampling="uniform")
    live.refresh_from_db()
    battle = open_battle(affiliated, live, "Question?", seed=new_seed(), now=now)
    assert battle.draw_probability == pytest.approx(1 / 6), "three pairs of three, on two sides"


def test_items_of_a_prompt_set_are_drawn_among_the_others(recorded: Arena, affiliated: Voter) -> None:
    mine = own(recorded)
    for seed in range(30):
        assert mine.pk not in next_item(recorded, affiliated, rng=random.Random(seed)).competitor_ids
    counted = progress(recorded, affiliated)
    assert counted is not None and counted.total == 3, "of three others a prompt gives one pair"


def test_a_repeat_and_an_overlap_keep_to_it_too(recorded: Arena, affiliated: Voter, now: datetime) -> None:
    Arena.objects.filter(pk=recorded.pk).update(overlap_share=0.9, reveal="never")
    recorded.refresh_from_db()
    mine, other = own(recorded), Voter.objects.create()
    for _ in range(6):
        battle = open_battle(other, recorded, None, seed=new_seed(), now=now)
        cast_vote(battle.public_id, other, "a", now=now)
    assert mine.pk in met(recorded, other)
    for seed in range(30):
        item = next_item(recorded, affiliated, rng=random.Random(seed))
        assert mine.pk not in item.competitor_ids


def test_whose_house_made_all_but_one_has_nothing_to_judge(
    live: Arena, recorded: Arena, affiliated: Voter, now: datetime
) -> None:
    Competitor.objects.exclude(name="zanzibar2-name").update(organization="Zanzibar1 organization")
    assert not is_done(recorded, affiliated), "nothing to judge, and nothing is revealed for it"
    with pytest.raises(NothingLeft):
        open_battle(affiliated, recorded, None, seed=new_seed(), now=now)
    with pytest.raises(ArenaClosed):
        open_battle(affiliated, live, "Question?", seed=new_seed(), now=now)


def test_a_list_of_houses_chooses_nobody_to_meet(
    live: Arena, recorded: Arena, affiliated: Voter, now: datetime
) -> None:
    """Whoever names all houses but two would know every pair before the vote, and choose whom to judge."""
    for number in range(4):
        Competitor.objects.filter(name=f"zanzibar{number}-name").update(organization=f"House{number}")
    voters.declare_affiliation(affiliated, "House2, House3")
    with pytest.raises(ArenaClosed):
        open_battle(affiliated, live, "Question?", seed=new_seed(), now=now)
    with pytest.raises(ArenaClosed):
        open_battle(affiliated, recorded, None, seed=new_seed(), now=now)


@pytest.mark.parametrize("word", ["AI", "Labs", "AI Research"])
def test_a_word_of_many_houses_is_none_of_them(word: str) -> None:
    assert not is_same(word, "Mistral AI") and not is_same(word, "Acme Research Labs")
    assert is_same("Acme", "Acme AI Labs") and is_same("Mistral", "Mistral AI")


def test_nobody_comes_to_the_end_by_declaring_a_house(recorded: Arena, affiliated: Voter, now: datetime) -> None:
    """Else the names would be revealed, the declaration taken back, and the judging go on with open eyes."""
    Arena.objects.filter(pk=recorded.pk).update(reveal="end", board_visibility="own_votes", board_after_votes=9)
    recorded.refresh_from_db()
    voters.declare_affiliation(affiliated, "")
    battle = open_battle(affiliated, recorded, None, seed=new_seed(), now=now)
    cast_vote(battle.public_id, affiliated, "a", now=now)
    Competitor.objects.exclude(name="zanzibar2-name").update(organization="Acme")
    voters.declare_affiliation(affiliated, "Acme")
    assert not is_told(recorded, affiliated)
    assert why_withheld(Person.of_voter(affiliated), recorded, now=now) is not None
