"""One vote a battle, by its voter, while it is complete; committed before the reveal, always."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as tries
from hypothesis import strategies as st

from arena.battles import blinding, lifecycle, opening, votes
from arena.battles.errors import AlreadyVoted, BattleError, NotYetVoted
from arena.battles.models import Battle, Vote
from arena.battles.words import BattleState, Winner
from arena.competitors.models import Competitor
from arena.prompts.models import Prompt, PromptSet, RecordedAnswer
from arena.teams.models import Arena, Voter
from arena.teams.voters import COOKIE, cookie_value

PAGE = "/a/live/battles/{}/vote/"
API = "/api/v1/arenas/live/battles/{}/vote/"


@pytest.mark.parametrize("address", [PAGE, API])
@pytest.mark.parametrize(
    ("state", "status"),
    [("complete", 200), ("served", 409), ("answering", 409), ("void", 409), ("skipped", 409), ("expired", 410)],
)
def test_a_vote_is_taken_only_while_complete(
    as_voter: Client, serve: Callable[..., Battle], state: str, status: int, address: str
) -> None:
    battle = serve(state)
    answer = as_voter.post(address.format(battle.public_id), {"winner": "a"}, headers={"X-Fragment": "1"})
    assert answer.status_code == status
    assert Vote.objects.count() == (status == 200)
    assert (b"zanzibar" in answer.content) == (status == 200)


@pytest.mark.parametrize("address", [PAGE, API])
def test_the_same_vote_again_gets_the_same_reveal(as_voter: Client, serve: Callable[..., Battle], address: str) -> None:
    battle = serve()
    first, second = (as_voter.post(address.format(battle.public_id), {"winner": "tie"}) for _ in range(2))
    assert second.status_code == first.status_code
    assert Vote.objects.count() == 1
    other = as_voter.post(address.format(battle.public_id), {"winner": "b"}, headers={"X-Fragment": "1"})
    assert other.status_code == 409
    assert Vote.objects.get().winner == Winner.TIE


@pytest.mark.parametrize("address", [PAGE, API])
def test_a_foreign_session_is_refused(
    client: Client, serve: Callable[..., Battle], stranger: Voter, address: str
) -> None:
    battle = serve()
    for cookie in ("", "forged", cookie_value(stranger)):
        client.cookies[COOKIE] = cookie
        answer = client.post(address.format(battle.public_id), {"winner": "a"}, headers={"X-Fragment": "1"})
        assert answer.status_code == 403
        assert b"zanzibar" not in answer.content
    assert not Vote.objects.exists()


@pytest.mark.parametrize("address", [PAGE, API])
@pytest.mark.parametrize("winner", ["", "A", "model_a", "left", "both bad", "0", "tie\x00", "a" * 5000])
def test_an_unknown_winner_is_refused(
    as_voter: Client, serve: Callable[..., Battle], winner: str, address: str
) -> None:
    battle = serve()
    assert as_voter.post(address.format(battle.public_id), {"winner": winner}).status_code == 400
    assert not Vote.objects.exists()


def test_unknown_battles_and_methods_are_refused(as_voter: Client, serve: Callable[..., Battle]) -> None:
    battle = serve()
    assert as_voter.post(PAGE.format(uuid4()), {"winner": "a"}).status_code == 404
    assert as_voter.post(API.format(uuid4()), {"winner": "a"}).status_code == 404
    assert as_voter.post("/a/live/battles/1/vote/", {"winner": "a"}).status_code == 404
    for address in (PAGE, API):
        assert as_voter.get(address.format(battle.public_id)).status_code == 405
        assert as_voter.delete(address.format(battle.public_id)).status_code == 405


def test_writes_want_a_token_against_forgery(serve: Callable[..., Battle], voter: Voter) -> None:
    battle = serve()
    strict = Client(enforce_csrf_checks=True)
    strict.cookies[COOKIE] = cookie_value(voter)
    base = f"/a/live/battles/{battle.public_id}/"
    api = f"/api/v1/arenas/live/battles/{battle.public_id}/"
    paths = [base + action + "/" for action in ("vote", "skip", "stop", "redraw", "follow-up", "note")]
    paths += [api + action + "/" for action in ("vote", "skip", "stop", "redraw", "turns", "note")]
    for path in [*paths, "/a/live/battles/", "/api/v1/arenas/live/battles/"]:
        assert strict.post(path, {"winner": "a", "prompt": "x"}).status_code == 403, path
    assert not Vote.objects.exists()


def test_nothing_is_revealed_before_the_vote(serve: Callable[..., Battle]) -> None:
    with pytest.raises(NotYetVoted):
        blinding.reveal(serve())


def test_the_vote_on_one_battle_reveals_no_other(serve: Callable[..., Battle], voter: Voter, now: datetime) -> None:
    judged = serve()
    cast = votes.cast_vote(judged.public_id, voter, Winner.A, now=now)
    other = serve(text="Another answer")
    assert blinding.reveal(judged, cast) == blinding.reveal(judged)
    with pytest.raises(NotYetVoted):
        blinding.reveal(other, cast)


def test_a_vote_asks_for_little_and_reveals_only_after_it_is_stored(
    as_voter: Client, serve: Callable[..., Battle]
) -> None:
    battle = serve()
    headers = {"X-Fragment": "1", "X-Has-Turns": "1"}
    with CaptureQueriesContext(connection) as asked:
        answer = as_voter.post(PAGE.format(battle.public_id), {"winner": "a"}, headers=headers)
    assert answer.status_code == 200 and b"zanzibar" in answer.content
    said = [query["sql"] for query in asked.captured_queries if query["sql"].startswith(("SELECT", "INSERT"))]
    stored = next(number for number, sql in enumerate(said) if sql.startswith('INSERT INTO "battles_vote"'))
    assert stored == 3 and len(said) == 7
    assert not any('"competitors_competitor"' in sql for sql in said[:stored])


def test_a_crash_after_the_commit_keeps_the_vote_and_reveals_on_return(
    as_voter: Client, serve: Callable[..., Battle], monkeypatch: pytest.MonkeyPatch
) -> None:
    battle = serve()
    as_voter.raise_request_exception = False

    def crash(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("the process died")

    with monkeypatch.context() as patched:
        patched.setattr("arena.battles.views.pages.stage_of", crash)
        answer = as_voter.post(PAGE.format(battle.public_id), {"winner": "b"})
    assert answer.status_code == 500
    assert b"zanzibar" not in answer.content
    assert Vote.objects.get().winner == Winner.B
    assert (
        b"zanzibar"
        in as_voter.post(PAGE.format(battle.public_id), {"winner": "b"}, headers={"X-Fragment": "1"}).content
    )


@pytest.mark.parametrize("address", [PAGE, API])
def test_a_refusing_database_means_503_no_reveal_and_a_retry_that_works(
    as_voter: Client, serve: Callable[..., Battle], monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    battle = serve()

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("disk I/O error")

    with monkeypatch.context() as patched:
        patched.setattr(Vote.objects, "create", refuse)
        answer = as_voter.post(address.format(battle.public_id), {"winner": "a"}, headers={"X-Fragment": "1"})
    assert answer.status_code == 503
    assert b"zanzibar" not in answer.content
    assert answer.headers["Retry-After"]
    assert not Vote.objects.exists()
    assert (
        as_voter.post(address.format(battle.public_id), {"winner": "a"}, headers={"X-Fragment": "1"}).status_code == 200
    )


@pytest.fixture
def unlimited(settings: Any) -> None:
    settings.RATE_LIMITS = False


STEPS = st.lists(st.sampled_from(["a", "b", "skip", "stop", "follow", "expire", "answer"]), min_size=1, max_size=8)


@tries(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_no_order_of_events_makes_two_votes_or_a_reveal_without_one(
    serve: Callable[..., Battle], voter: Voter, unlimited: None, steps: list[str]
) -> None:
    battle = serve(text=str(uuid4()))  # a text of its own: one seen before would void the battle
    ended: set[str] = set()
    for step in steps:
        now = timezone.now()
        try:
            if step in ("a", "b"):
                votes.cast_vote(battle.public_id, voter, Winner(step), now=now)
            elif step == "skip":
                lifecycle.skip(battle.public_id, voter, now=now)
            elif step == "stop":
                lifecycle.stop(battle.public_id, voter, now=now)
            elif step == "follow":
                battle.refresh_from_db()
                opening.follow_up(battle, voter, "And then?", now=now)
            elif step == "expire":
                lifecycle.sweep(now=now + timedelta(hours=25))
            else:
                lifecycle.claim(battle, now=now)
        except BattleError:
            pass
        battle.refresh_from_db()
        assert Vote.objects.filter(battle=battle).count() <= 1
        assert not ended or battle.state in ended, f"{ended} moved to {battle.state}"
        if battle.state in (BattleState.VOID, BattleState.SKIPPED, BattleState.EXPIRED):
            ended = {battle.state}
        if not Vote.objects.filter(battle=battle).exists():
            with pytest.raises(NotYetVoted):
                blinding.reveal(battle)
        else:
            assert battle.state == BattleState.COMPLETE


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("winner", [Winner.A, Winner.B])
def test_a_vote_that_waited_for_another_one_sees_it(
    serve: Callable[..., Battle], voter: Voter, now: datetime, winner: Winner
) -> None:
    battle = serve()
    answers: list[votes.CastVote | BattleError] = []

    def wait_and_vote() -> None:
        try:
            answers.append(votes.cast_vote(battle.public_id, voter, winner, now=now))
        except BattleError as error:
            answers.append(error)
        finally:
            connection.close()

    second = threading.Thread(target=wait_and_vote)
    with transaction.atomic():
        Battle.objects.select_for_update().get(pk=battle.pk)
        second.start()
        second.join(0.5)  # by now it waits for the lock
        assert second.is_alive() and not answers
        first = Vote.objects.create(battle=battle, voter=voter, winner=Winner.A, created_at=now)
    second.join()
    assert Vote.objects.get() == first
    if winner == Winner.A:
        assert answers == [votes.CastVote(first, repeated=True)]
    else:
        assert [type(answer) for answer in answers] == [AlreadyVoted]


@pytest.mark.django_db(transaction=True)
def test_fifty_voters_at_one_instant_make_one_row() -> None:
    arena = Arena.objects.create(slug="live", title="Live", kind="recorded")
    prompt = Prompt.objects.create(prompt_set=PromptSet.objects.create(arena=arena, name="set"), key="p", text="Which?")
    for name in "xy":
        competitor = Competitor.objects.create(arena=arena, name=name, model_id=name)
        RecordedAnswer.objects.create(prompt=prompt, competitor=competitor, text=f"I say {name}.", conditions_hash="h")
    voter = Voter.objects.create()
    battle = opening.open_battle(voter, arena, None, seed=opening.new_seed(), now=timezone.now())
    barrier = threading.Barrier(50)
    statuses: list[tuple[int, bytes]] = []

    def post(number: int) -> None:
        browser = Client()
        browser.cookies[COOKIE] = cookie_value(voter)
        barrier.wait()
        try:
            answer = browser.post(
                PAGE.format(battle.public_id), {"winner": "ab"[number % 2]}, headers={"X-Fragment": "1"}
            )
            statuses.append((answer.status_code, answer.content))
        finally:
            connection.close()

    threads = [threading.Thread(target=post, args=(n,)) for n in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Vote.objects.count() == 1
    codes = [status for status, _ in statuses]
    assert sorted(set(codes)) == [200, 409]
    assert len(codes) == 50
    assert codes.count(200) == 25
