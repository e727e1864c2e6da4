"""Prompt to battle: what is refused, what is stored, and whom a voter never meets again."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from arena.battles import assignment, lifecycle, opening, votes
from arena.battles.errors import ArenaClosed, NothingLeft, PromptNotText, TooManyBattles
from arena.battles.models import Battle, Vote
from arena.battles.words import BattleState, Winner
from arena.competitors.models import Competitor
from arena.prompts.models import Prompt, PromptSet
from arena.teams.models import Arena, Voter

FRAGMENT = {"X-Fragment": "1"}


@pytest.mark.parametrize(
    ("prompt", "code"),
    [
        ("", "prompt_empty"),
        ("  \n\t ", "prompt_empty"),
        ("\u200b\u200d", "prompt_empty"),
        ("x" * 12_001, "prompt_too_long"),
        ("y" * 100_000, "prompt_too_long"),
        ("binary \x00\x07", "prompt_not_text"),
        ("bell \x07", "prompt_not_text"),
    ],
)
def test_a_bad_prompt_is_refused_kept_and_makes_nothing(client: Client, live: Arena, prompt: str, code: str) -> None:
    answer = client.post("/a/live/battles/", {"prompt": prompt}, headers=FRAGMENT)
    assert answer.status_code == 400
    assert answer.headers["X-Refusal"] == code
    assert answer.content.count(b"<textarea") == 1
    kept = prompt.strip()[:50].encode()
    assert kept.replace(b"\x00", b"") in answer.content or b"\x00" in kept
    body = client.post("/api/v1/arenas/live/battles/", {"prompt": prompt}, content_type="application/json")
    assert body.status_code == 400
    assert not Battle.objects.exists()
    assert not Voter.objects.exists()


def test_lone_surrogates_are_not_text() -> None:
    with pytest.raises(PromptNotText, match=r"U\+D800"):
        opening.check_prompt("half \ud800", limit=100)


def test_the_draw_is_stored_before_any_text(live: Arena, voter: Voter, now: datetime) -> None:
    battle = opening.open_battle(voter, live, "Question?", seed="ab" * 16, now=now)
    assert (battle.state, battle.policy, battle.seed) == ("served", "coverage", "ab" * 16)
    assert 0 < battle.draw_probability <= 0.5
    assert battle.competitor_a_id != battle.competitor_b_id
    assert battle.expires_at - battle.served_at == timedelta(hours=24)
    assert not battle.turns.get().responses.exists()


def test_the_client_can_name_neither_model_nor_side_nor_seed(client: Client, live: Arena) -> None:
    wanted = list(Competitor.objects.values_list("pk", flat=True)[:2])
    pairs = set()
    for number in range(12):
        data = {"prompt": f"Q{number}", "competitor_a": wanted[0], "competitor_b": wanted[1], "seed": "00", "side": "a"}
        client.post("/a/live/battles/", data, headers=FRAGMENT)
        battle = Battle.objects.latest("id")
        pairs.add((battle.competitor_a_id, battle.competitor_b_id))
        assert battle.seed != "00"
    assert len(pairs) > 3


def test_a_get_serves_nothing(client: Client, live: Arena, recorded: Arena) -> None:
    for path in ("/", "/a/live/", "/a/recorded/", "/a/recorded/?start=1", "/a/live/battles/"):
        client.get(path)
    assert not Battle.objects.exists()
    assert not Voter.objects.exists()


def test_asking_twice_for_the_next_item_gives_the_same_battle(client: Client, recorded: Arena) -> None:
    first = client.post("/a/recorded/battles/", headers=FRAGMENT)
    second = client.post("/a/recorded/battles/", headers=FRAGMENT)
    assert Battle.objects.count() == 1
    assert first.status_code == second.status_code == 200
    assert client.post("/api/v1/arenas/recorded/battles/", {}, content_type="application/json").status_code == 200


def test_a_new_prompt_sets_the_open_battle_aside(as_voter: Client, serve: Callable[..., Battle]) -> None:
    old = serve("complete")
    as_voter.post("/a/live/battles/", {"prompt": "Something else?"}, headers=FRAGMENT)
    old.refresh_from_db()
    assert old.state == BattleState.SKIPPED
    assert Battle.objects.count() == 2


def test_nobody_is_served_an_answer_whose_author_they_know(recorded: Arena, voter: Voter, now: datetime) -> None:
    known: set[tuple[int | None, int]] = set()
    for _ in range(6):
        battle = opening.open_battle(voter, recorded, None, seed=opening.new_seed(), now=now)
        for _side, competitor in battle.competitor_ids():
            assert (battle.prompt_id, competitor) not in known
            known.add((battle.prompt_id, competitor))
        votes.cast_vote(battle.public_id, voter, Winner.A, now=now)
    with pytest.raises(NothingLeft):
        opening.open_battle(voter, recorded, None, seed=opening.new_seed(), now=now)
    assert assignment.progress(recorded, voter) == assignment.Progress(6, 6)


def test_nothing_left_is_said_on_the_page(as_voter: Client, recorded: Arena, voter: Voter, now: datetime) -> None:
    for _ in range(6):
        battle = opening.open_battle(voter, recorded, None, seed=opening.new_seed(), now=now)
        votes.cast_vote(battle.public_id, voter, Winner.TIE, now=now)
    answer = as_voter.post("/a/recorded/battles/", headers=FRAGMENT)
    assert b'data-state="nothing_left"' in answer.content


def test_a_void_battle_is_redrawn_once_with_its_prompt(as_voter: Client, serve: Callable[..., Battle]) -> None:
    void = serve("void")
    address = f"/a/live/battles/{void.public_id}/redraw/"
    for _ in range(3):
        assert as_voter.post(address, headers=FRAGMENT).status_code == 200
    fresh = Battle.objects.get(redraw_of=void)
    assert fresh.turns.get().prompt == "A question?"
    assert Battle.objects.count() == 2


def test_only_void_battles_are_redrawn(as_voter: Client, serve: Callable[..., Battle]) -> None:
    complete = serve("complete")
    assert as_voter.post(f"/a/live/battles/{complete.public_id}/redraw/", headers=FRAGMENT).status_code == 409


def test_quotas_count_serves_and_can_be_lifted(
    as_voter: Client, live: Arena, voter: Voter, settings: Any, now: datetime
) -> None:
    for number in range(20):
        opening.open_battle(voter, live, f"Q{number}", seed="00", now=now)
    with pytest.raises(TooManyBattles):
        opening.open_battle(voter, live, "One more", seed="00", now=now)
    answer = as_voter.post("/a/live/battles/", {"prompt": "One more"}, headers=FRAGMENT)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert b"One more" in answer.content
    settings.RATE_LIMITS = False
    assert as_voter.post("/a/live/battles/", {"prompt": "One more"}, headers=FRAGMENT).status_code == 200
    assert b"Limits are off" in as_voter.get("/a/live/").content
    assert as_voter.get("/healthz").json()["rate_limits"] == "off"


def test_old_battles_expire_and_the_page_goes_on(as_voter: Client, serve: Callable[..., Battle]) -> None:
    battle = serve("complete")
    assert lifecycle.sweep(now=timezone.now() + timedelta(hours=25)) == 1
    battle.refresh_from_db()
    assert battle.state == BattleState.EXPIRED
    assert b'data-state="start"' in as_voter.get("/a/live/").content


def test_a_simulated_arena_takes_no_votes(client: Client, live: Arena, voter: Voter, now: datetime) -> None:
    Arena.objects.filter(pk=live.pk).update(is_simulated=True)
    live.refresh_from_db()
    with pytest.raises(ArenaClosed):
        opening.open_battle(voter, live, "Q?", seed="00", now=now)
    assert b"simulated" in client.get("/a/live/").content
    assert client.post("/a/live/battles/", {"prompt": "Q?"}, headers=FRAGMENT).status_code == 409


@pytest.mark.parametrize("path", ["", "battles/", "leaderboard/", "leaderboard.csv", "leaderboard.json"])
def test_a_private_arena_does_not_exist_for_outsiders(client: Client, live: Arena, path: str) -> None:
    Arena.objects.filter(pk=live.pk).update(access="private")
    missing, private = client.get(f"/a/none/{path}"), client.get(f"/a/live/{path}")
    if path == "battles/":
        missing, private = client.post(f"/a/none/{path}"), client.post(f"/a/live/{path}")
    assert private.status_code == missing.status_code == 404
    bodies = [
        re.sub(rb'(name="csrfmiddlewaretoken" value=")\w+', rb"\1", answer.content.replace(slug, b""))
        for answer, slug in ((missing, b"/a/none/"), (private, b"/a/live/"))
    ]
    assert bodies[0] == bodies[1]


def test_a_note_stands_beside_the_vote_and_never_changes_it(as_voter: Client, serve: Callable[..., Battle]) -> None:
    battle = serve()
    base = f"/a/live/battles/{battle.public_id}/"
    assert as_voter.post(f"{base}note/", {"tags": "clarity"}, headers=FRAGMENT).status_code == 409
    as_voter.post(f"{base}vote/", {"winner": "b"}, headers=FRAGMENT)
    assert as_voter.post(f"{base}note/", {"tags": "nonsense"}, headers=FRAGMENT).status_code == 400
    assert as_voter.post(f"{base}note/", {"comment": "x" * 501}, headers=FRAGMENT).status_code == 400
    answer = as_voter.post(
        f"{base}note/", {"tags": ["clarity", "tone"], "comment": "So <b>clear</b>"}, headers=FRAGMENT
    )
    assert answer.status_code == 200
    vote = Vote.objects.get()
    assert (vote.winner, vote.note.tags, vote.note.comment) == ("b", ["clarity", "tone"], "So <b>clear</b>")
    assert b"<b>clear" not in answer.content


def test_skipping_reveals_nothing_and_may_be_repeated(as_voter: Client, serve: Callable[..., Battle]) -> None:
    battle = serve()
    for _ in range(2):
        answer = as_voter.post(f"/a/live/battles/{battle.public_id}/skip/", headers=FRAGMENT)
        assert answer.status_code == 200
        assert b"zanzibar" not in answer.content
    assert as_voter.get(f"/api/v1/arenas/live/battles/{battle.public_id}/reveal/").status_code == 409


def test_without_javascript_every_post_leads_back_to_the_page(as_voter: Client, recorded: Arena) -> None:
    answer = as_voter.post("/a/recorded/battles/", follow=True)
    battle = Battle.objects.get()
    assert answer.redirect_chain[-1][0] == f"/a/recorded/?battle={battle.public_id}"
    assert b"<html" in answer.content
    voted = as_voter.post(f"/a/recorded/battles/{battle.public_id}/vote/", {"winner": "a"}, follow=True)
    assert b'data-side="a"' in voted.content


def test_suggestions_are_in_the_readers_language_as_far_as_there_are_any(client: Client, live: Arena) -> None:
    prompts = PromptSet.objects.create(arena=live, name="ideas", purpose=PromptSet.Purpose.SUGGESTIONS)
    for language, count in (("en", 4), ("de", 2)):
        for number in range(count):
            Prompt.objects.create(prompt_set=prompts, key=f"{language}{number}", text=f"{language}?", language=language)
    for language, expected in (("en", ["en?"] * 3), ("de", ["de?", "de?", "en?"])):
        page = client.get("/a/live/", headers={"Accept-Language": language}).content.decode()
        assert set(expected) == set(re.findall(r"\b(?:en|de)\?", page))
