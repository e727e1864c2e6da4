"""Who may see a board and when: one rule for pages, files, the API and the sentences of the reveal."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from arena.leaderboards import reading
from arena.leaderboards.publishing import publish_snapshot
from arena.leaderboards.withholding import ClosingFirst, NotForYou, VotesFirst, why_withheld
from arena.teams.models import Arena, Membership, Role, Voter
from arena.teams.person import Person
from arena.teams.voters import COOKIE, cookie_value
from tests.leaderboards.conftest import NOW, Judge

pytestmark = pytest.mark.django_db(transaction=True)
PAGES = (
    "/a/orchard/leaderboard/", "/a/orchard/compare/", "/a/orchard/compare/?a=Ash&b=Birch", "/a/orchard/integrity/",
    "/a/orchard/competitors/Ash/",
)  # fmt: skip
FILES = (
    "/a/orchard/leaderboard.csv", "/a/orchard/leaderboard.json", "/a/orchard/leaderboard/pairs.csv",
    "/a/orchard/leaderboard/matrix.svg", "/a/orchard/leaderboard/matrix.csv", "/a/orchard/leaderboard/intervals.svg",
    "/a/orchard/integrity.json", "/a/orchard/competitors/Ash/history.csv", "/a/orchard/competitors/Ash/history.svg",
)  # fmt: skip
API = (
    "/api/v1/arenas/orchard/leaderboard/", "/api/v1/arenas/orchard/compare/?a=Ash&b=Birch",
    "/api/v1/arenas/orchard/integrity/",
)  # fmt: skip


@pytest.fixture
def published(orchard: Arena, judge: Judge) -> Arena:
    for winner in ("a", "a", "b", "tie"):
        judge("Ash", "Birch", winner)
    publish_snapshot(orchard, now=NOW)
    return orchard


def configure(arena: Arena, **settings: Any) -> None:
    Arena.objects.filter(pk=arena.pk).update(**settings)
    arena.refresh_from_db()


def browser_of(voter: Voter) -> Client:
    client = Client()
    client.cookies[COOKIE] = cookie_value(voter)
    return client


def member(arena: Arena, role: str) -> Voter:
    voter = Voter.objects.create(user=User.objects.create_user(f"{role}@example.org"))
    Membership.objects.create(arena=arena, voter=voter, role=role)
    return voter


@pytest.mark.parametrize("path", (*PAGES, *FILES, *API))
def test_every_view_of_a_withheld_board_is_refused_alike(path: str, published: Arena, client: Client) -> None:
    assert client.get(path).status_code == 200
    configure(published, board_visibility="closed")
    answer = client.get(path)
    assert answer.status_code == 403, path
    text = answer.content.decode()
    assert "when the arena is closed to votes" in text
    assert "Birch" not in text.replace("Birch", "", path.count("Birch"))
    assert "private" in answer["Cache-Control"] or "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("path", [*FILES, *API])
def test_a_refused_file_is_no_page(path: str, published: Arena, client: Client) -> None:
    configure(published, board_visibility="closed")
    answer = client.get(path)
    assert not answer["Content-Type"].startswith("text/html")
    if path.endswith(".json") or path in API:
        assert answer.json()["code"] == "board_withheld"


def test_the_refused_page_says_what_to_do_and_leads_there(published: Arena, client: Client) -> None:
    configure(published, board_visibility="own_votes", board_after_votes=3)
    text = client.get("/a/orchard/leaderboard/").content.decode()
    assert "after a number of own votes: 3. So far: 0." in text
    assert 'href="/a/orchard/"' in text


def test_a_board_opens_after_enough_own_votes(published: Arena, judge: Judge) -> None:
    configure(published, board_visibility="own_votes", board_after_votes=2)
    voter, other = Voter.objects.create(), Voter.objects.create()
    mine = browser_of(voter)
    judge("Ash", "Birch", "a", voter=voter)
    assert "So far: 1." in mine.get("/a/orchard/leaderboard.csv").content.decode()
    judge("Ash", "Cedar", "b", voter=voter)
    assert mine.get("/a/orchard/leaderboard.csv").status_code == 200
    assert browser_of(other).get("/a/orchard/leaderboard.csv").status_code == 403


def test_a_voter_who_has_judged_everything_sees_the_board(published: Arena, judge: Judge, now: datetime) -> None:
    configure(published, board_visibility="own_votes", board_after_votes=50)
    voter = Voter.objects.create()
    judge("Ash", "Birch", "a", voter=voter)
    assert not reading.may_see_board(Person.of_voter(voter), published, now=now)
    configure(published, kind="recorded")  # without a prompt in service nothing is left
    assert reading.may_see_board(Person.of_voter(voter), published, now=now)


def test_a_closed_arena_shows_its_board(published: Arena) -> None:
    nobody = Person.of_voter(Voter.objects.create())
    for visibility in ("own_votes", "closed"):
        configure(published, board_visibility=visibility, closed_at=NOW)
        assert not reading.may_see_board(nobody, published, now=NOW - timedelta(seconds=1))
        assert reading.may_see_board(nobody, published, now=NOW)


@pytest.mark.parametrize("role", Role.values)
def test_those_who_see_the_console_see_the_board_at_once(role: str, published: Arena) -> None:
    configure(published, board_visibility="closed", access="private")
    refused = why_withheld(Person.of_voter(member(published, role)), published, now=NOW)
    if role in (Role.OWNER, Role.OPERATOR, Role.AUDITOR):
        assert refused is None
    else:
        assert isinstance(refused, ClosingFirst)


def test_a_stranger_has_no_board_of_a_private_arena(published: Arena) -> None:
    configure(published, access="private")
    assert isinstance(why_withheld(Person.of_voter(Voter.objects.create()), published, now=NOW), NotForYou)


def test_own_votes_in_another_arena_do_not_count(published: Arena, judge: Judge, now: datetime) -> None:
    other = Arena.objects.create(
        slug="other", title="Other", kind="live", board_visibility="own_votes", board_after_votes=1
    )
    voter = Voter.objects.create()
    judge("Ash", "Birch", "a", voter=voter)
    assert isinstance(why_withheld(Person.of_voter(voter), other, now=now), VotesFirst)


def test_the_reveal_says_nothing_of_a_board_that_this_voter_may_not_see(published: Arena, judge: Judge) -> None:
    voter = Voter.objects.create()
    vote = judge("Ash", "Birch", "a", voter=voter)
    mine = browser_of(voter)
    address = f"/a/orchard/?battle={vote.battle.public_id}"
    assert "Votes on this pair so far" in mine.get(address).content.decode()
    configure(published, board_visibility="closed")
    text = mine.get(address).content.decode()
    assert "The board is shown later" in text and "when the arena is closed to votes" in text
    assert "Votes on this pair" not in text and "rank" not in text
    assert 'data-side="a">Ash' in text
