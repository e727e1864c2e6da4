"""An anchor and its rating, and whether the board opens with style held equal: as an arena's operators want it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from arena.battles.models import Response
from arena.competitors.models import Competitor
from arena.leaderboards import sliced
from arena.leaderboards.board_settings import board_settings, set_board
from arena.leaderboards.models import BoardSettings
from arena.leaderboards.publishing import publish_snapshot
from arena.leaderboards.verifying import verify
from arena.teams.models import Arena
from tests.leaderboards.conftest import NOW, Judge
from tests.leaderboards.rooms import page, text_of

pytestmark = pytest.mark.django_db(transaction=True)


def anchored(arena: Arena, name: str | None, rating: float = 1500.0, *, controls_style: bool = False) -> None:
    anchor = Competitor.objects.get(arena=arena, name=name) if name else None
    set_board(arena, anchor=anchor, anchor_rating=rating, controls_style=controls_style)


def ratings_of(board_json: str) -> dict[str, float]:
    return {row["model_name"]: row["rating"] for row in json.loads(board_json)["board"]}


def test_without_a_word_the_mean_is_at_1000(orchard: Arena) -> None:
    settings = board_settings(orchard)
    assert (settings.anchor, settings.anchor_rating, settings.controls_style) == (None, 1000.0, False)
    assert not BoardSettings.objects.exists()


def test_the_anchor_has_its_rating_and_differences_stay(sample: Arena) -> None:
    before = ratings_of(publish_snapshot(sample, now=NOW).board_json)
    anchored(sample, "Cedar")
    snapshot = publish_snapshot(sample, now=NOW)
    after = ratings_of(snapshot.board_json)
    assert after["Cedar"] == 1500.0
    assert after["Ash"] - after["Birch"] == pytest.approx(before["Ash"] - before["Birch"], abs=0.02)  # rounded to 0.01
    assert json.loads(snapshot.board_json)["method"]["anchor"] == {"name": "Cedar", "rating": 1500.0}
    assert verify(snapshot).same


def test_the_mean_can_have_another_rating(sample: Arena) -> None:
    anchored(sample, None, 1200.0)
    found = ratings_of(publish_snapshot(sample, now=NOW).board_json)
    assert sum(found.values()) / len(found) == pytest.approx(1200.0, abs=0.01)


def test_an_anchor_that_is_not_on_the_board_stops_no_publication(orchard: Arena, judge: Judge) -> None:
    anchored(orchard, "Dogwood")
    judge("Ash", "Birch", "a")
    found = ratings_of(publish_snapshot(orchard, now=NOW).board_json)
    assert set(found) == {"Ash", "Birch"}
    assert sum(found.values()) / 2 == pytest.approx(1000.0, abs=0.01)


def test_an_anchor_of_another_arena_is_refused(orchard: Arena) -> None:
    other = Arena.objects.create(slug="other", title="Other", kind="live")
    stranger = Competitor.objects.create(arena=other, name="Elm", model_id="elm")
    with pytest.raises(ValidationError, match="of this arena"):
        set_board(orchard, anchor=stranger, anchor_rating=1000, controls_style=False)


def test_a_part_of_the_votes_has_the_same_anchor(sample: Arena, client: Any) -> None:
    sliced.forget()
    anchored(sample, "Cedar")
    publish_snapshot(sample, now=NOW)
    day = NOW.date().isoformat()
    found = {row["model_name"]: row["rating"] for row in client.get(
        f"/a/sample/leaderboard.json?until={day}"
    ).json()["board"]}  # fmt: skip
    assert found["Cedar"] == 1500.0


def styled(arena: Arena) -> None:
    """Answers whose lengths are known."""
    for number, row in enumerate(Response.objects.filter(turn__battle__arena=arena)):
        counts = {"style_length": 50 + 13 * (number % 17), "style_headers": number % 3, "style_lists": number % 5}
        Response.objects.filter(pk=row.pk).update(**counts, style_bold=number % 2)


def test_a_board_may_open_with_style_held_equal_and_the_plain_one_is_a_click_away(sample: Arena, client: Any) -> None:
    sliced.forget()
    styled(sample)
    publish_snapshot(sample, now=NOW)
    plain = page(client, "/a/sample/leaderboard/")
    anchored(sample, None, 1000.0, controls_style=True)
    by_default = page(client, "/a/sample/leaderboard/")
    assert by_default != plain
    asked = page(client, "/a/sample/leaderboard/?style=on")
    assert text_of(by_default) == text_of(asked)
    assert 'href="?style=off"' in by_default
    off = page(client, "/a/sample/leaderboard/?style=off")
    assert "?style=off&amp;sort=name" in off or 'href="?sort=name&amp;style=off"' in off
    assert "Style-controlled" in off
    assert client.get("/a/sample/leaderboard.csv").content == client.get("/a/sample/leaderboard.csv?style=off").content
