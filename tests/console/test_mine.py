"""A voter's own page: own votes, own board, own data to take along or to delete."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from arena.battles import lifecycle, notes, opening, recording, votes
from arena.battles.models import Battle, Response, Turn, Vote, VoteNote
from arena.battles.recording import Answer
from arena.battles.words import Side, Winner
from arena.competitors.models import Competitor, Endpoint
from arena.integrity import auditing, sealing
from arena.integrity.erasing import erase
from arena.integrity.models import Erasure
from arena.leaderboards.publishing import publish_snapshot
from arena.leaderboards.verifying import verify
from arena.prompts.models import PromptSet
from arena.teams.errors import LastOwner
from arena.teams.invitations import invite
from arena.teams.members import join
from arena.teams.models import Arena, Invitation, Membership, Role, Voter
from arena.teams.voters import COOKIE, cookie_value
from tests.console.conftest import Judge

pytestmark = pytest.mark.django_db(transaction=True)
NAMES = ("Ash", "Birch", "Cedar")


def configure(arena: Arena, **settings: Any) -> None:
    Arena.objects.filter(pk=arena.pk).update(**settings)
    arena.refresh_from_db()


def browser_of(voter: Voter) -> Client:
    client = Client()
    client.cookies[COOKIE] = cookie_value(voter)
    return client


@pytest.fixture
def live(db: None) -> Arena:
    arena = Arena.objects.create(slug="live", title="Live", kind="live")
    endpoint = Endpoint.objects.create(name="e", base_url="http://e.invalid/v1")
    for name in NAMES:
        Competitor.objects.create(arena=arena, name=name, model_id=name, endpoint=endpoint)
    return arena


@pytest.fixture
def talk(live: Arena, now: datetime) -> Callable[..., Vote]:
    """A voter's own prompt, answered, judged and commented."""

    def held(voter: Voter, prompt: str) -> Vote:
        battle = opening.open_battle(voter, live, prompt, seed=opening.new_seed(), now=now)
        assert lifecycle.claim(battle, now=now)
        recording.record_responses(
            battle.turns.get(), {side: Answer(text=f"{prompt} answered {side} {battle.pk}") for side in Side}, now=now
        )
        vote = votes.cast_vote(battle.public_id, voter, Winner.A, now=now).vote
        notes.write_note(battle, voter, tags=["tone"], comment=f"Said of {prompt}", now=now)
        return vote

    return held


def test_only_own_votes_are_there(talk: Callable[..., Vote], live: Arena, now: datetime) -> None:
    me, other = Voter.objects.create(), Voter.objects.create()
    talk(me, "Mine?")
    talk(other, "Theirs?")
    opening.open_battle(me, live, "Still open?", seed=opening.new_seed(), now=now)
    page = browser_of(me).get("/a/live/mine/").content.decode()
    assert "Mine?" in page and "Said of Mine?" in page
    assert "Theirs?" not in page and "Still open?" not in page
    assert page.count("<tr>") == 2  # the head and one vote; one vote is no board yet
    assert "It appears with your second vote" in page


def test_names_stand_there_only_when_they_are_revealed(team: Arena, judge: Judge) -> None:
    configure(team, reveal="end")
    voter = judge("Ines").voter
    client = browser_of(voter)
    for _ in range(3):
        judge("Ines")
    open_ones = client.get("/a/team/mine/").content.decode()
    assert "Question" in open_ones and "It appears when you have judged everything here" in open_ones
    assert not any(name in open_ones for name in NAMES)
    assert not any(name in client.get("/a/team/mine.csv").content.decode() for name in NAMES)
    judge("Ines")  # five prompts with three answers each: five battles
    told = client.get("/a/team/mine/").content.decode()
    assert all(name in told for name in NAMES) and "My own board" in told and "<svg" in told
    configure(team, reveal="never")
    assert not any(name in client.get("/a/team/mine/").content.decode() for name in NAMES)


def test_the_own_board_rests_on_own_votes_alone(talk: Callable[..., Vote]) -> None:
    me, other = Voter.objects.create(), Voter.objects.create()
    for number in range(4):
        talk(me, f"Mine {number}?")
        talk(other, f"Theirs {number}?")
    board = browser_of(me).get("/a/live/mine/").context["board"]
    assert board.votes == 4
    assert sum(row["vote_count"] for row in board.rows) == 8  # two competitors a vote
    assert all(row["rating_lower"] < row["rating"] < row["rating_upper"] for row in board.rows if row["rating_lower"])


def test_own_votes_are_taken_along_as_a_safe_file(talk: Callable[..., Vote]) -> None:
    me = Voter.objects.create()
    talk(me, "=cmd|' /C calc'!A0")
    rows = list(csv.DictReader(io.StringIO(browser_of(me).get("/a/live/mine.csv").content.decode())))
    assert len(rows) == 1
    assert (rows[0]["winner"], rows[0]["tags"]) == ("model_a", "tone")
    assert rows[0]["prompt"].startswith("'=cmd")
    assert {rows[0]["model_a"], rows[0]["model_b"]} <= set(NAMES)


def test_a_sealed_prompt_is_neither_shown_nor_taken_along(team: Arena, judge: Judge) -> None:
    PromptSet.objects.update(is_sealed=True)
    client = browser_of(judge("Ines").voter)
    assert "Question" not in client.get("/a/team/mine/").content.decode()
    assert "Question" not in client.get("/a/team/mine.csv").content.decode()


def test_somebody_without_votes_is_told_so(live: Arena, client: Client) -> None:
    assert "You have not voted here yet" in client.get("/a/live/mine/").content.decode()
    assert client.get("/a/live/mine.csv").content.decode().count("\n") == 1
    assert "Nothing is stored about you here" in client.get("/a/live/mine/forget/").content.decode()


@pytest.mark.parametrize("path", ["/a/team/mine/", "/a/team/mine.csv", "/a/team/mine/forget/"])
def test_an_arena_that_one_may_not_enter_has_no_such_page(path: str, team: Arena, client: Client) -> None:
    assert client.get(path).status_code == 404


def test_asking_deletes_nothing_and_says_what_would_go(talk: Callable[..., Vote]) -> None:
    me = Voter.objects.create()
    talk(me, "Mine?")
    page = browser_of(me).get("/a/live/mine/forget/").content.decode()
    assert "This goes, in every arena of this server" in page and "This stays" in page
    assert Turn.objects.get().prompt == "Mine?"


def test_a_voter_who_goes_takes_the_words_and_leaves_the_votes(
    talk: Callable[..., Vote], live: Arena, now: datetime
) -> None:
    me, other = Voter.objects.create(affiliation="Acme"), Voter.objects.create()
    Membership.objects.create(arena=live, voter=me, role=Role.VOTER, display_name="Ines", cohort="experts")
    for number in range(3):
        talk(me, f"Secret {number}")
        talk(other, f"Public {number}")
    opening.open_battle(me, live, "Secret and open", seed=opening.new_seed(), now=now)
    before, counts = publish_snapshot(live, now=now), Vote.objects.count()
    client = browser_of(me)
    answer = client.post("/a/live/mine/forget/")
    assert "Your data is deleted" in answer.content.decode()
    assert answer.cookies[COOKIE]["max-age"] == 0
    said = [
        *Turn.objects.filter(battle__voter=me).values_list("prompt", flat=True),
        *Response.objects.filter(turn__battle__voter=me).values_list("text", flat=True),
        *VoteNote.objects.filter(vote__voter=me).values_list("comment", flat=True),
    ]
    assert len(said) == 4 + 6 + 3 and set(said) == {""}
    member = Membership.objects.get(voter=me)
    assert (member.display_name, member.cohort) == ("", "experts") and member.ended_at is not None
    after = Voter.objects.get(pk=me.pk)
    assert (after.affiliation, after.user) == ("", None) and after.public_id != me.public_id
    assert "Secret" not in browser_of(me).get("/a/live/mine/").content.decode()  # the old cookie leads nowhere
    assert Vote.objects.count() == counts and VoteNote.objects.filter(tags=["tone"]).count() == 6
    assert Turn.objects.filter(prompt__startswith="Public").count() == 3
    assert not Battle.objects.filter(voter=me, state__in=("served", "answering")).exists()
    assert verify(before).same
    assert publish_snapshot(live, now=now).board_csv.splitlines()[1:] == before.board_csv.splitlines()[1:]


def test_the_audit_chain_stays_whole(talk: Callable[..., Vote], live: Arena, now: datetime) -> None:
    me = Voter.objects.create()
    talk(me, "Secret")
    sealing.seal_all(now=now)
    erase(me, now=now)
    sealing.seal_all(now=now)
    assert Erasure.objects.filter(voter=me).exists()
    assert not auditing.audit(live).findings


def test_the_note_of_a_link_made_for_somebody_goes_with_them(live: Arena, now: datetime) -> None:
    me, other = Voter.objects.create(), Voter.objects.create()
    alone, _token = invite(live, Role.VOTER, note="Ines of Acme", max_uses=1)
    many, _token = invite(live, Role.VOTER, note="Monday's call")
    for voter, link in ((me, alone), (other, many), (Voter.objects.create(), many)):
        join(link, voter, now=now)
    erase(me, now=now)
    erase(other, now=now)
    assert list(Invitation.objects.order_by("pk").values_list("note", flat=True)) == ["", "Monday's call"]


def test_an_account_keeps_its_sign_in_and_starts_anew(talk: Callable[..., Vote], live: Arena) -> None:
    user = User.objects.create_user("ines@example.org")
    me = Voter.objects.create(user=user)
    talk(me, "Secret")
    client = Client()
    client.force_login(user)
    assert "Secret" in client.get("/a/live/mine/").content.decode()
    client.post("/a/live/mine/forget/")
    user.refresh_from_db()
    assert Voter.objects.filter(user=user).count() == 0
    assert "You have not voted here yet" in client.get("/a/live/mine/").content.decode()


def test_the_only_owner_of_an_arena_cannot_go_and_nothing_is_half_deleted(
    talk: Callable[..., Vote], live: Arena, now: datetime
) -> None:
    user = User.objects.create_user("ines@example.org")
    me = Voter.objects.create(user=user)
    Membership.objects.create(arena=live, voter=me, role=Role.OWNER, display_name="Ines")
    talk(me, "Secret")
    client = Client()
    client.force_login(user)
    answer = client.post("/a/live/mine/forget/")
    assert answer.status_code == 409 and "Nothing was deleted" in answer.content.decode()
    with pytest.raises(LastOwner):
        erase(me, now=now)
    assert Turn.objects.get().prompt == "Secret"
    assert Membership.objects.get().display_name == "Ines"
