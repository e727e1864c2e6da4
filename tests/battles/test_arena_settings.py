"""What an arena's settings allow a voter: outcomes, skipping, tags, comments, guidelines, and the end of voting."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from arena.battles import lifecycle, notes, opening, votes
from arena.battles.errors import (
    ArenaClosed,
    CommentNotOffered,
    OutcomeNotOffered,
    SkipNotOffered,
    VotingEnded,
)
from arena.battles.models import Battle, Vote, VoteNote
from arena.battles.notes import UnknownTag
from arena.battles.words import Winner
from arena.teams.models import Arena, Voter

pytestmark = pytest.mark.django_db(transaction=True)
Serve = Callable[..., Battle]


def configure(arena: Arena, **settings: Any) -> None:
    Arena.objects.filter(pk=arena.pk).update(**settings)
    arena.refresh_from_db()


def cast(battle: Battle, winner: Winner, now: datetime) -> votes.CastVote:
    return votes.cast_vote(battle.public_id, battle.voter, winner, now=now)


def test_both_bad_is_refused_where_it_is_not_offered(serve: Serve, live: Arena, now: datetime) -> None:
    configure(live, allow_both_bad=False)
    battle = serve("complete")
    with pytest.raises(OutcomeNotOffered, match="use a, b, tie"):
        cast(battle, Winner.BOTH_BAD, now)
    assert not Vote.objects.exists()
    assert cast(battle, Winner.TIE, now).vote.winner == "tie"


def test_a_refused_outcome_is_a_clear_400_on_the_page_and_in_the_api(serve: Serve, live: Arena, as_voter: Any) -> None:
    configure(live, allow_both_bad=False)
    battle = serve("complete")
    page = as_voter.post(f"/a/live/battles/{battle.public_id}/vote/", {"winner": "both_bad"})
    assert (page.status_code, page["X-Refusal"]) == (400, "outcome_not_offered")
    answer = as_voter.post(
        f"/api/v1/arenas/live/battles/{battle.public_id}/vote/",
        json.dumps({"winner": "both_bad"}),
        content_type="application/json",
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "outcome_not_offered")
    assert "zanzibar" not in page.content.decode() + answer.content.decode()


def test_the_page_offers_what_the_arena_allows(serve: Serve, live: Arena, as_voter: Any) -> None:
    serve("complete")
    full = as_voter.get("/a/live/").content.decode()
    configure(live, allow_both_bad=False, allow_skip=False)
    short = as_voter.get("/a/live/").content.decode()
    for words in ("Both are bad", "data-skip"):
        assert words in full
        assert words not in short


def test_no_battle_is_skipped_where_every_one_is_to_be_judged(
    serve: Serve, live: Arena, voter: Voter, now: datetime, as_voter: Any
) -> None:
    configure(live, allow_skip=False)
    battle = serve("complete")
    with pytest.raises(SkipNotOffered):
        lifecycle.skip(battle.public_id, voter, now=now)
    with pytest.raises(SkipNotOffered):  # a new prompt would set it aside as well
        opening.open_battle(voter, live, "Another?", seed=opening.new_seed(), now=now)
    answer = as_voter.post(f"/api/v1/arenas/live/battles/{battle.public_id}/skip/")
    assert (answer.status_code, answer.json()["code"]) == (400, "skip_not_offered")
    battle.refresh_from_db()
    assert battle.state == "complete"
    assert Battle.objects.count() == 1


def test_an_arena_has_tags_of_its_own(serve: Serve, live: Arena, voter: Voter, now: datetime, as_voter: Any) -> None:
    configure(live, tags=["Tone of voice", "Facts"])
    battle = serve("complete")
    cast(battle, Winner.A, now)
    battle.arena.refresh_from_db()
    note = notes.write_note(battle, voter, tags=["Facts", "Tone of voice"], comment="", now=now)
    assert note.tags == ["Tone of voice", "Facts"]
    with pytest.raises(UnknownTag, match="Tone of voice, Facts"):
        notes.write_note(battle, voter, tags=["accuracy"], comment="", now=now)
    page = as_voter.get(f"/a/live/?battle={battle.public_id}").content.decode()
    assert 'value="Facts" checked' in page
    assert 'value="accuracy"' not in page
    assert as_voter.get("/api/v1/arenas/live/").json()["tags"] == ["Tone of voice", "Facts"]


def test_a_comment_is_refused_where_none_are_taken(
    serve: Serve, live: Arena, voter: Voter, now: datetime, as_voter: Any
) -> None:
    configure(live, allow_comment=False)
    battle = serve("complete")
    cast(battle, Winner.A, now)
    with pytest.raises(CommentNotOffered):
        notes.write_note(battle, voter, tags=[], comment="Because.", now=now)
    assert not VoteNote.objects.exists()
    assert 'name="comment"' not in as_voter.get(f"/a/live/?battle={battle.public_id}").content.decode()


def test_a_note_can_be_left_where_names_are_never_revealed(
    serve: Serve, live: Arena, now: datetime, as_voter: Any
) -> None:
    configure(live, reveal="never")
    battle = serve("complete")
    cast(battle, Winner.A, now)
    as_voter.post(f"/a/live/battles/{battle.public_id}/note/", {"tags": "clarity", "comment": "Short."})
    page = as_voter.get(f"/a/live/?battle={battle.public_id}").content.decode()
    assert 'value="clarity" checked' in page and "Short." in page
    assert "zanzibar" not in page


def test_guidelines_stand_beside_the_vote_and_are_open_on_the_first_battle(
    serve: Serve, live: Arena, now: datetime, as_voter: Any
) -> None:
    configure(live, guidelines="## Judge\n\nby **facts** <script>alert(1)</script>")
    first = serve("complete")
    page = as_voter.get("/a/live/").content.decode()
    assert '<details class="guide" open' in page
    assert "<strong>facts</strong>" in page
    assert "<script>alert" not in page
    cast(first, Winner.A, now)
    serve("complete", text="Another")
    page = as_voter.get("/a/live/").content.decode()
    assert '<details class="guide" data-guide' in page


def test_nobody_votes_once_the_arena_is_closed(
    serve: Serve, live: Arena, voter: Voter, now: datetime, as_voter: Any
) -> None:
    battle = serve("complete")
    configure(live, closed_at=now)
    with pytest.raises(VotingEnded):
        cast(battle, Winner.A, now)
    with pytest.raises(ArenaClosed):
        opening.open_battle(voter, live, "Another?", seed=opening.new_seed(), now=now)
    battle.arena.refresh_from_db()
    with pytest.raises(VotingEnded):
        opening.follow_up(battle, voter, "And then?", now=now)
    assert not Vote.objects.exists()
    page = as_voter.get("/a/live/").content.decode()
    assert "This arena is closed to votes" in page
    assert 'name="winner"' not in page
    assert as_voter.get("/api/v1/arenas/live/").json()["closed_because"].startswith("This arena is closed to votes")


def test_a_vote_that_was_committed_before_the_end_is_answered_again(serve: Serve, live: Arena, now: datetime) -> None:
    battle = serve("complete")
    cast(battle, Winner.A, now)
    configure(live, closed_at=now)
    assert cast(battle, Winner.A, now).repeated


def test_a_closing_time_to_come_lets_people_vote_until_then(serve: Serve, live: Arena) -> None:
    now = timezone.now()
    battle = serve("complete")
    configure(live, closed_at=now + timedelta(minutes=1))
    assert cast(battle, Winner.A, now).vote.winner == "a"
    later = serve("complete", text="Another")
    with pytest.raises(VotingEnded):
        cast(later, Winner.A, now + timedelta(minutes=1))
