"""Whoever retires a competitor says why; everybody who may see the board is told, unless it could tell who answers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from arena.battles import opening, votes
from arena.battles.words import Winner
from arena.competitors import versions
from arena.competitors.models import Competitor
from arena.teams.models import Arena, Role, Voter

pytestmark = pytest.mark.django_db(transaction=True)
Person = Callable[[str], Client]
ROOM = "/console/team/competitors/"


@pytest.fixture
def dahlia(team: Arena) -> Competitor:
    return Competitor.objects.create(arena=team, name="Dahlia", model_id="d-1", temperature=0.5)


@pytest.mark.parametrize(
    ("reason", "said"),
    [("", "This field is required."), ("  ", "This field is required."), ("a" * 201, "it has 201"),
     ("one\ntwo", "&#x27;one\\ntwo&#x27; holds the character U+000A"), ("bell\x07", "U+0007")],
)  # fmt: skip
def test_nobody_is_retired_without_a_line_that_says_why(
    person: Person, dahlia: Competitor, reason: str, said: str
) -> None:
    answer = person(Role.OPERATOR).post(f"{ROOM}{dahlia.pk}/service/", {"service": "retire", "retired_reason": reason})
    dahlia.refresh_from_db()
    assert (answer.status_code, dahlia.retired_at) == (400, None)
    assert said in answer.content.decode()


def test_a_reason_is_corrected_and_a_replaced_version_says_by_which(person: Person, dahlia: Competitor) -> None:
    new = versions.revise(dahlia, now=timezone.now(), temperature=0.7)
    client, service = person(Role.OPERATOR), f"{ROOM}{dahlia.pk}/service/"
    page = client.get(f"{ROOM}{dahlia.pk}/").content.decode()
    assert "replaced by Dahlia v2</a>" in page and "Save the reason" in page
    dahlia.refresh_from_db()
    since = dahlia.retired_at
    client.post(service, {"service": "retire", "retired_reason": "Too warm."})
    dahlia.refresh_from_db()
    assert (dahlia.retired_at, dahlia.retired_reason, dahlia.replaced_by) == (since, "Too warm.", new)
    page = person(Role.AUDITOR).get(f"{ROOM}{dahlia.pk}/").content.decode()
    assert "<bdi>Too warm.</bdi>; <a" in page and "Save the reason" not in page


def test_whoever_judges_does_not_learn_from_a_reason_how_one_of_two_answers(person: Person, team: Arena) -> None:
    client = person(Role.OPERATOR)
    me = Voter.objects.get(memberships__role=Role.OPERATOR)
    old, *drawn = Competitor.objects.order_by("pk")
    versions.retire(old, reason="Answers in prose.", now=timezone.now())
    battle = opening.open_battle(me, team, None, seed=opening.new_seed(), now=timezone.now())
    assert {battle.competitor_a_id, battle.competitor_b_id} == {row.pk for row in drawn}
    versions.retire(drawn[0], reason="Answers in rhymes.", now=timezone.now())
    places = [f"{ROOM}{drawn[0].pk}/", f"/a/team/competitors/{drawn[0].name}/", "/a/team/integrity/",
              "/a/team/integrity.json", "/api/v1/arenas/team/competitors/", "/api/v1/arenas/team/integrity/",
              f"/api/v1/arenas/team/competitors/{drawn[0].pk}/"]  # fmt: skip
    for place in places:
        answer = client.get(place)
        assert answer.status_code == 200 and "in rhymes" not in answer.content.decode(), place
        assert "public" not in answer.headers.get("Cache-Control", ""), place
        if place.endswith("/") and not place.startswith("/api/"):
            assert "told after your open battle" in answer.content.decode(), place
    assert "in prose" in client.get("/a/team/integrity/").content.decode()  # it was out before the battle
    votes.cast_vote(battle.public_id, me, Winner.A, now=timezone.now())
    for place in places:
        assert "in rhymes" in client.get(place).content.decode(), place
