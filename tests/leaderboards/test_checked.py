"""Objective checks beside the ratings: shares with intervals, told of what may be told, and taken as published."""

from __future__ import annotations

import csv
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from scipy.stats import binomtest

from arena.battles import votes
from arena.battles.checking import Checker
from arena.battles.models import CheckedAnswer, Response
from arena.battles.words import Winner
from arena.competitors.models import Competitor
from arena.leaderboards import counting
from arena.leaderboards.checked import NAMES, load_checks, table_of
from arena.leaderboards.models import Snapshot
from arena.leaderboards.publishing import publish_if_due, publish_snapshot
from arena.leaderboards.verifying import verify
from arena.prompts.models import Prompt, PromptSet, RecordedAnswer
from arena.teams.models import Arena
from ratings.writing import CHECK, OURS, PUBLIC
from tests.leaderboards.rooms import serve, text_of
from tests.leaderboards.test_bundle import rebuilt, unpacked

pytestmark = pytest.mark.django_db
LENIENT, STRICT = {"max_words": 3}, {"max_words": 1}


def record(arena: Arena, name: str, *texts: str) -> None:
    """Answers of a competitor to a set that wants three words at most."""
    asked, _ = PromptSet.objects.get_or_create(arena=arena, name="set", defaults={"checks": LENIENT})
    for number, text in enumerate(texts):
        prompt, _ = Prompt.objects.get_or_create(prompt_set=asked, key=f"p{number}", defaults={"text": "Why?"})
        competitor = Competitor.objects.get(arena=arena, name=name)
        RecordedAnswer.objects.create(prompt=prompt, competitor=competitor, text=text)


@pytest.fixture
def published(orchard: Arena, judge: Any, now: datetime) -> Snapshot:
    """Two competitors with recorded answers and live ones, a third with neither check."""
    record(orchard, "Ash", "so", "so it is", "as it may well be")
    record(orchard, "Birch", "as it may well be", "I'm sorry, but I can't help with that.")
    serve(orchard, "Cedar", "Ash", "void", now - timedelta(days=3))
    for winner in ("a", "b", "tie"):
        judge("Ash", "Birch", winner)
    Response.objects.update(finish_reason="stop")
    one = Response.objects.filter(competitor__name="Ash").exclude(text="")[0]
    Response.objects.filter(pk=one.pk).update(finish_reason="length")
    Checker().look(now=now)
    return publish_snapshot(orchard, now=now)


def rows_of(snapshot: Snapshot) -> dict[str, dict[str, Any]]:
    return {row["model_name"]: row for row in json.loads(snapshot.board_json)["board"]}


def share(row: dict[str, Any], name: str) -> tuple[Any, ...]:
    return tuple(row[f"check_{name}{end}"] for end in ("", "_lower", "_upper", "_answers"))


def test_shares_have_wilsons_interval_and_the_number_of_answers(published: Snapshot) -> None:
    ash, birch, cedar = (rows_of(published)[name] for name in ("Ash", "Birch", "Cedar"))
    bounds = binomtest(2, 3).proportion_ci(method="wilson")
    assert share(ash, "max_words") == pytest.approx((0.666667, bounds.low, bounds.high, 3), abs=1e-6)
    assert share(birch, "max_words")[::3] == (0.0, 2)
    assert share(birch, "no_refusal")[::3] == (0.8, 5)  # two recorded, three live
    assert share(ash, "not_cut_off")[::3] == (0.666667, 3)  # live ones alone say how they ended
    assert share(ash, "not_empty")[::3] == (1.0, 3)  # recorded ones alone: an empty live answer is an error
    assert share(cedar, "max_words") == (None, None, None, None)
    assert not any(name.startswith("check_json") for name in ash)


def test_columns_stand_after_ours_alike_in_both_formats(published: Snapshot) -> None:
    header, *lines = csv.reader(published.board_csv.splitlines())
    assert tuple(header[: len(PUBLIC) + len(OURS)]) == (*PUBLIC, *OURS)
    more = header[len(PUBLIC) + len(OURS) :]
    assert more[:2] == ["check_not_empty", "check_not_empty_lower"] and len(more) == 16
    assert more[-4:] == ["check_max_words", "check_max_words_lower", "check_max_words_upper", "check_max_words_answers"]
    assert all(list(row) == header for row in rows_of(published).values())
    assert len(lines) == 3 and all(name.startswith(CHECK) for name in more)
    assert not any(f"{CHECK}{name}" in (*PUBLIC, *OURS) for name in NAMES)


def test_a_board_without_checks_has_no_such_column(sample: Arena, now: datetime, client: Client) -> None:
    snapshot = publish_snapshot(sample, now=now)
    assert snapshot.board_csv.splitlines()[0] == ",".join((*PUBLIC, *OURS))
    assert "Objective checks" not in client.get("/a/sample/leaderboard/").content.decode()


def test_open_battles_tell_nothing(published: Snapshot, orchard: Arena, now: datetime) -> None:
    """Between two boards the shares of two competitors would move, and its voter knew who answers."""
    labels = counting.labels_of(orchard)
    before = load_checks(orchard, counting.cutoffs(), labels)
    battle = serve(orchard, "Cedar", "Dogwood", "complete", now)
    Response.objects.filter(turn__battle=battle).update(text="So.", finish_reason="length")
    assert Checker().look(now=now) == 2
    assert load_checks(orchard, counting.cutoffs(), labels) == before
    votes.cast_vote(battle.public_id, battle.voter, Winner.TIE, now=now)
    after = load_checks(orchard, counting.cutoffs(), labels)
    assert after["Cedar"]["check_not_cut_off_answers"] == 1


def test_other_arenas_count_for_themselves(published: Snapshot, sample: Arena, now: datetime) -> None:
    assert load_checks(sample, counting.cutoffs(), counting.labels_of(sample))["Ash"] == {}


def test_a_snapshot_verifies_after_its_checks_changed(published: Snapshot, orchard: Arena, now: datetime) -> None:
    PromptSet.objects.update(checks=STRICT)
    Checker().look(now=now)
    assert verify(published).same
    again = publish_snapshot(orchard, now=now)
    assert share(rows_of(again)["Ash"], "max_words")[::3] == (0.333333, 3)
    assert verify(published).same and verify(again).same
    CheckedAnswer.objects.all().delete()
    assert verify(again).same


def test_changed_checks_are_published_without_another_vote_once(
    published: Snapshot, orchard: Arena, now: datetime
) -> None:
    later, due = now + timedelta(hours=1), now + timedelta(hours=1, seconds=orchard.publish_after_seconds)
    assert publish_if_due(orchard, now=later) is None
    PromptSet.objects.update(checks=STRICT)
    Checker().look(now=later)
    assert publish_if_due(orchard, now=later) is None  # as votes do, findings wait for their like
    again = publish_if_due(orchard, now=due)
    assert again is not None and share(rows_of(again)["Ash"], "max_words")[::3] == (0.333333, 3)
    assert publish_if_due(orchard, now=due + timedelta(hours=1)) is None


def test_a_share_that_was_changed_in_one_format_does_not_verify(published: Snapshot) -> None:
    published.board_csv = published.board_csv.replace("0.666667", "0.766667")
    assert not verify(published).same


@pytest.mark.parametrize("is_full", [False, True])
def test_the_bundle_rebuilds_the_columns(
    published: Snapshot, orchard: Arena, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_full: bool
) -> None:
    PromptSet.objects.update(checks=STRICT)
    Checker().look(now=now)
    inside = unpacked(published, tmp_path, is_full=is_full)
    assert "check_max_words_upper" in (inside / "catalogue.csv").read_text()
    assert rebuilt(inside, monkeypatch) == published.board_csv.encode()


def test_the_page_shows_who_passed_what_and_how_refusal_is_told(published: Snapshot, client: Client) -> None:
    page = client.get("/a/orchard/leaderboard/").content.decode()
    text = text_of(page[page.index('id="checks"') :])
    assert "Objective checks" in text
    assert "Ash" in text and "67 %" in text and "21 to 94, of 3" in text
    assert "Refusal is told by the set phrases" in text
    assert "Cedar" in text and "–" in text


def test_the_table_has_the_rows_of_the_board(published: Snapshot) -> None:
    table = table_of(list(rows_of(published).values()))
    assert table is not None
    assert table.names == ["not_empty", "no_refusal", "not_cut_off", "max_words"]
    assert [name for name, _ in table.rows] == list(rows_of(published))
    assert table_of([{"model_name": "x", "rating": 1.0}]) is None
