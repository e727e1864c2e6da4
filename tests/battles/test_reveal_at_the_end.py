"""Where names come at the end: nothing before the last vote, everything after it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from arena.battles import assignment, opening, votes
from arena.battles.blinding import reveal, reveal_all
from arena.battles.errors import NotYetVoted, RevealLater, RevealWithheld
from arena.battles.models import Battle
from arena.battles.words import Winner
from arena.teams.models import Arena, Voter
from tests.battles.conftest import CANARY

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def exam(recorded: Arena) -> Arena:
    """Three prompts of four answers: six battles for everybody."""
    Arena.objects.filter(pk=recorded.pk).update(reveal="end")
    recorded.refresh_from_db()
    return recorded


@pytest.fixture
def judge(exam: Arena, voter: Voter, now: datetime) -> Callable[[], Battle]:
    def judged() -> Battle:
        battle = opening.open_battle(voter, exam, None, seed=opening.new_seed(), now=now)
        votes.cast_vote(battle.public_id, voter, Winner.A, now=now)
        return battle

    return judged


def test_names_come_with_the_last_vote_and_then_all_of_them(exam: Arena, voter: Voter, judge: Any) -> None:
    battles = []
    for _ in range(6):
        with pytest.raises(RevealLater):
            reveal_all(exam, voter)
        battles.append(judge())
        if len(battles) < 6:
            with pytest.raises(RevealLater, match="judged everything"):
                reveal(battles[-1])
    assert assignment.is_done(exam, voter)
    shown = reveal(battles[0])
    assert shown.sides[0].name == battles[0].competitor_a.label
    rows = reveal_all(exam, voter)
    assert [(row.name_a, row.name_b) for row in rows] == [
        (battle.competitor_a.label, battle.competitor_b.label) for battle in battles
    ]
    assert {row.winner for row in rows} == {Winner.A}


def test_every_page_before_the_end_is_blind_and_the_last_one_names_all(as_voter: Any, exam: Arena) -> None:
    fragment = {"X-Fragment": "1"}
    for number in range(6):
        opened = as_voter.post("/a/recorded/battles/", headers=fragment).content.decode()
        assert CANARY not in opened
        battle = Battle.objects.order_by("-id").first()
        assert battle is not None
        answer = as_voter.post(f"/a/recorded/battles/{battle.public_id}/vote/", {"winner": "a"}, headers=fragment)
        text = answer.content.decode()
        assert answer.status_code == 200 and 'aria-label="Reveal"' in text
        assert (CANARY in text) == (number == 5)
        api = as_voter.get(f"/api/v1/arenas/recorded/battles/{battle.public_id}/reveal/")
        assert api.status_code == (200 if number == 5 else 403)
    end = as_voter.get("/a/recorded/?start=1").content.decode()
    assert "Who answered" in end and all(f"{CANARY}{number}-name" in end for number in range(4))


def test_somebody_elses_end_is_not_mine(exam: Arena, judge: Any, stranger: Voter) -> None:
    for _ in range(6):
        judge()
    with pytest.raises(RevealLater):
        reveal_all(exam, stranger)


def test_before_the_vote_there_is_nothing_even_at_the_end(exam: Arena, voter: Voter, now: datetime) -> None:
    battle = opening.open_battle(voter, exam, None, seed=opening.new_seed(), now=now)
    with pytest.raises(NotYetVoted):
        reveal(battle)


def test_never_stays_never(recorded: Arena, voter: Voter, now: datetime) -> None:
    Arena.objects.filter(pk=recorded.pk).update(reveal="never")
    recorded.refresh_from_db()
    with pytest.raises(RevealWithheld, match="does not reveal"):
        reveal_all(recorded, voter)


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"kind": "live", "reveal": "end"}, "no end"),
        ({"kind": "recorded", "reveal": "each", "repeat_share": 0.1}, "authors are known"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(fields: dict[str, Any], word: str) -> None:
    with pytest.raises(ValidationError, match=word):
        Arena(slug="x", title="X", **fields).full_clean()
