"""Where votes are set aside the page, CSV, JSON and parts exist twice: without them, and of every vote."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

import pytest

from arena.battles.models import Vote
from arena.integrity import deciding
from arena.integrity.deciding import SCREENING, Reason
from arena.leaderboards.beside import FAR, changes, note_of
from arena.leaderboards.models import Snapshot
from arena.leaderboards.publishing import publish_snapshot
from arena.teams.models import Arena
from tests.leaderboards.rooms import page, text_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def snapshot(sample: Arena, now: datetime) -> Snapshot:
    """Every second vote that Dogwood lost is set aside, which moves it up."""
    lost = Vote.objects.filter(battle__competitor_a__name="Dogwood", winner="b").order_by("pk")
    ids = list(lost.values_list("pk", flat=True))[::2]
    deciding.set_aside(sample, None, Reason("by hand", "A class that was told to."), SCREENING, now=now, votes=ids)
    return publish_snapshot(sample, now=now)


def test_the_page_shows_both_ratings_and_says_who_moves(client: Any, snapshot: Snapshot) -> None:
    body = json.loads(snapshot.board_json)
    moved = changes(body["board"])
    shown = text_of(page(client, "/a/sample/leaderboard/"))
    for row in body["board"]:
        assert f" {row['rating']:.0f} " in shown and f" {row['rating_plain']:.0f} " in shown
    said = note_of(body)
    assert said in shown and str(body["snapshot"]["set_aside"]["votes"]) in said
    assert {name for name, points in moved.items() if abs(points) > FAR} == {
        name for name in moved if re.search(rf"{name} [+−]\d", said)
    }
    assert any(abs(points) > FAR for points in moved.values())  # else the test would say nothing


def test_every_vote_by_address_is_the_plain_board(client: Any, snapshot: Snapshot) -> None:
    assert client.get("/a/sample/leaderboard.json?votes=all").content.decode() == snapshot.plain_json
    assert client.get("/a/sample/leaderboard.csv?votes=all").content.decode() == snapshot.plain_csv
    assert client.get("/a/sample/leaderboard.json").content.decode() == snapshot.board_json
    body = json.loads(snapshot.plain_json)
    shown = text_of(page(client, "/a/sample/leaderboard/?votes=all"))
    for row in body["board"]:
        assert f" {row['rating']:.0f} ± " in shown
    assert json.loads(client.get("/a/sample/leaderboard.csv.json?votes=all").content)["slice"]["votes"] == "all"


def test_a_part_counts_as_the_whole_does(client: Any, snapshot: Snapshot, sample: Arena) -> None:
    without = client.get("/a/sample/leaderboard.json?voters=anonymous").json()
    every = client.get("/a/sample/leaderboard.json?voters=anonymous&votes=all").json()
    assert without["data"]["votes"] == snapshot.vote_count < every["data"]["votes"] == Vote.objects.count()


def test_another_word_is_refused_and_without_decisions_there_is_one_board(
    client: Any, sample: Arena, now: datetime
) -> None:
    alone = publish_snapshot(sample, now=now)
    assert client.get("/a/sample/leaderboard.json?votes=all").content.decode() == alone.board_json
    assert "All votes" not in page(client, "/a/sample/leaderboard/")
    deciding.set_aside(sample, Vote.objects.earliest("pk").voter, Reason("D1", "One."), SCREENING, now=now)
    publish_snapshot(sample, now=now)
    refused = client.get("/a/sample/leaderboard/?votes=some")
    assert refused.status_code == 400 and "all" in refused.content.decode()
