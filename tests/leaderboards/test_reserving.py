"""Boards of open arenas: preliminary under 1,000 rated votes and while an alarm is open; the retired keep their row."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from arena.competitors.models import Competitor
from arena.integrity.alarms import open_alarms
from arena.integrity.models import Exclusion, Proposal, ScreeningRun
from arena.leaderboards import reserving
from arena.leaderboards.exporting.sidecar import about
from arena.leaderboards.models import Snapshot
from arena.leaderboards.publishing import publish_snapshot
from arena.leaderboards.verifying import verify
from arena.teams.models import Arena, Voter
from tests.leaderboards.rooms import page, text_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def voted(orchard: Arena, judge: Any) -> Arena:
    """Ash, Birch and Cedar, each of whom won and lost, by two voters each pair."""
    for first, second in (("Ash", "Birch"), ("Birch", "Cedar"), ("Ash", "Cedar")):
        for winner in ("a", "b", "a"):
            judge(first, second, winner)
    return orchard


def ring(arena: Arena, name: str | None, at: datetime) -> ScreeningRun:
    pk = Competitor.objects.get(arena=arena, name=name).pk if name else None
    alarms = [{"rule": "D1", "competitor": pk, "sign": 1, "sentence": "rings"}]
    return ScreeningRun.objects.create(
        arena=arena, started_at=at, seconds=1, through_battle_id=1, through_vote_id=1, battles=9, votes=9,
        alarms=alarms if name else [], findings=0,
    )  # fmt: skip


def standing(snapshot: Snapshot) -> Any:
    return json.loads(snapshot.board_json)["snapshot"]["standing"]


def fitted(snapshot: Snapshot) -> dict[str, str]:
    return {row["model_name"]: row["status"] for row in csv.DictReader(io.StringIO(snapshot.board_csv))}


def test_few_votes_of_strangers_are_preliminary_and_the_csv_keeps_what_the_fit_says(
    client: Any, voted: Arena, now: datetime
) -> None:
    Arena.objects.filter(pk=voted.pk).update(access="open")
    voted.refresh_from_db()
    snapshot = publish_snapshot(voted, now=now)
    assert standing(snapshot)["status"] == dict.fromkeys(("Ash", "Birch", "Cedar"), "preliminary")
    assert {fitted(snapshot)[name] for name in ("Ash", "Birch", "Cedar")} == {"ranked"}
    shown = text_of(page(client, "/a/orchard/leaderboard/"))
    assert shown.count("preliminary") == 5  # three rows, the legend has one, the sentence another
    assert "preliminary under 1,000 rated votes" in shown
    assert "preliminary" in text_of(page(client, "/a/orchard/competitors/Ash/"))
    assert "the same bytes" in verify(snapshot).sentence


def test_enough_votes_are_ranked(voted: Arena, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reserving, "LEAST_VOTES", 6)
    Arena.objects.filter(pk=voted.pk).update(access="open")
    voted.refresh_from_db()
    assert standing(publish_snapshot(voted, now=now))["status"] == {}
    monkeypatch.setattr(reserving, "LEAST_VOTES", 7)
    assert len(standing(publish_snapshot(voted, now=now))["status"]) == 3


@pytest.mark.parametrize("fields", [{"access": "invite"}, {"access": "private"}, {"access": "open", "is_simulated": 1}])
def test_known_and_simulated_voters_hold_nothing_back(voted: Arena, now: datetime, fields: dict[str, Any]) -> None:
    Arena.objects.filter(pk=voted.pk).update(**fields)
    voted.refresh_from_db()
    ring(voted, "Ash", now)
    said = standing(publish_snapshot(voted, now=now))
    assert said == {"least_votes": None, "alarms": [], "retired": [], "status": {}}


def test_an_open_alarm_holds_back_whom_it_names_until_it_is_decided(
    client: Any, voted: Arena, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reserving, "LEAST_VOTES", 1)
    Arena.objects.filter(pk=voted.pk).update(access="open")
    voted.refresh_from_db()
    run = ring(voted, "Ash", now)
    ash = Competitor.objects.get(arena=voted, name="Ash")
    snapshot = publish_snapshot(voted, now=now)
    assert standing(snapshot)["status"] == {"Ash": "preliminary"} and standing(snapshot)["alarms"] == ["Ash"]
    assert "alarm of the screening is open for Ash" in text_of(page(client, "/a/orchard/leaderboard/"))
    voter = Voter.objects.all()[0]
    made = [
        Proposal.objects.create(
            arena=voted, run=run, rule="D1", unit_kind="account", voters=[voter.pk], competitor=about_it, sign=1,
            action="held", votes=1, evidence={"competitor": ash.pk}, sentence="said", created_at=now,
        )
        for about_it in (ash, None)
    ]  # fmt: skip
    for proposal in made:
        assert open_alarms(voted) == {ash.pk}
        Exclusion.objects.create(
            arena=voted, voter=voter, action="cleared", rule="D1", sentence="said", decided_by="reviewer",
            proposal=proposal, created_at=now,
        )  # fmt: skip
    assert open_alarms(voted) == set()
    assert standing(publish_snapshot(voted, now=now))["status"] == {}
    assert "the same bytes" in verify(snapshot).sentence  # the old one is still what it was


def test_an_alarm_is_over_when_the_next_look_does_not_ring(voted: Arena, now: datetime) -> None:
    ring(voted, "Ash", now)
    assert len(open_alarms(voted)) == 1
    ring(voted, None, now + timedelta(hours=1))
    assert open_alarms(voted) == set()


def test_the_retired_keep_their_rating_and_interval_and_are_said_to_be_retired(
    client: Any, voted: Arena, now: datetime
) -> None:
    Arena.objects.filter(pk=voted.pk).update(access="invite")
    voted.refresh_from_db()
    before = publish_snapshot(voted, now=now)
    Competitor.objects.filter(arena=voted, name="Birch").update(retired_at=now)
    snapshot = publish_snapshot(voted, now=now)
    assert standing(snapshot)["status"] == {"Birch": "retired"}
    rows = [
        next(row for row in json.loads(one.board_json)["board"] if row["model_name"] == "Birch")
        for one in (before, snapshot)
    ]
    for word in ("rating", "rating_lower", "rating_upper", "vote_count"):
        assert rows[0][word] == rows[1][word] is not None
    assert about(snapshot)["standing"] == standing(snapshot)
    Competitor.objects.filter(arena=voted, name="Birch").update(retired_at=None)
    assert "the same bytes" in verify(snapshot).sentence  # it was retired when this was published


def test_a_status_that_was_changed_by_hand_is_found(voted: Arena, now: datetime) -> None:
    Arena.objects.filter(pk=voted.pk).update(access="open")
    voted.refresh_from_db()
    snapshot = publish_snapshot(voted, now=now)
    body = json.loads(snapshot.board_json)
    body["snapshot"]["standing"]["status"] = {}
    snapshot.board_json = json.dumps(body, ensure_ascii=False, indent=1) + "\n"
    assert not verify(snapshot).same


def test_a_board_of_an_earlier_release_holds_nothing_back() -> None:
    assert reserving.published_reasons({"snapshot": {"number": 1}}) is None
    assert reserving.hold_back([{"model_name": "a", "status": "ranked"}], None)[0]["status"] == "ranked"
