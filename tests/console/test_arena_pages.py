"""An arena is made, configured, watched and closed in the browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from arena.battles import lifecycle, opening
from arena.battles.models import Battle, Response
from arena.competitors.models import Competitor, Endpoint
from arena.leaderboards import oversight
from arena.leaderboards.board_settings import board_settings
from arena.leaderboards.publishing import publish_snapshot
from arena.teams.models import Arena, Membership, Role, Voter
from tests.console.conftest import STAFF, Judge

pytestmark = pytest.mark.django_db(transaction=True)
Person = Callable[[str], Client]


def settings_of(client: Client, path: str = "/console/team/settings/") -> dict[str, Any]:
    """What the page's form holds, as a browser would send it back."""
    form = client.get(path).context["form"]
    given = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in given.items() if value not in (None, False)}


def test_an_arena_is_made_with_three_answers(person: Person) -> None:
    client = person(STAFF)
    answer = client.post("/console/new/", {"title": " Support  replies ", "kind": "recorded", "access": "invite"})
    assert answer["Location"] == "/console/support-replies/"
    arena = Arena.objects.get(slug="support-replies")
    assert (arena.title, arena.reveal, arena.publish_after_votes) == ("Support replies", "end", 5)
    assert Membership.objects.get(arena=arena).role == Role.OWNER
    page = client.get(answer["Location"]).content.decode()
    assert "not ready" in page and "Import prompts and answers" in page


def test_a_second_arena_of_one_title_has_an_address_of_its_own(person: Person) -> None:
    client = person(STAFF)
    for title, slug in (("New", "new-2"), ("Trial", "trial"), ("Trial", "trial-2"), ("日本語", "arena")):
        answer = client.post("/console/new/", {"title": title, "kind": "live", "access": "open"})
        assert answer["Location"] == f"/console/{slug}/"
    assert Arena.objects.get(slug="trial").publish_after_votes == 100
    assert Arena.objects.get(slug="trial").reveal == "each"


def test_a_refused_answer_says_what_is_wrong(person: Person) -> None:
    answer = person(STAFF).post("/console/new/", {"title": " ", "kind": "sport", "access": "open"})
    assert answer.status_code == 400
    assert "sport is not one of the available choices" in answer.content.decode()


def test_every_setting_is_explained_where_it_is_set(person: Person, team: Arena) -> None:
    page = person(Role.OPERATOR).get("/console/team/settings/")
    form = page.context["form"]
    assert {name for name, field in form.fields.items() if not field.help_text} == set()
    assert {name for _key, _heading, fields in form.groups() for name in (field.name for field in fields)} == set(
        form.fields
    )
    assert all(str(field.help_text)[:30] in page.content.decode() for field in form.fields.values())


def test_settings_are_saved_and_nothing_else_moves(person: Person, team: Arena) -> None:
    client = person(Role.OPERATOR)
    cedar = Competitor.objects.get(name="Cedar")
    changed = settings_of(client) | {
        "guidelines": "Judge by **facts**.", "tags": "Tone\n\n Facts ", "overlap_share": "20", "anchor": str(cedar.pk),
        "anchor_rating": "1200", "board_visibility": "closed", "controls_style": "on",
    }  # fmt: skip
    del changed["allow_skip"]
    before = Arena.objects.filter(pk=team.pk).values().get()
    assert client.post("/console/team/settings/", changed).status_code == 302
    after = Arena.objects.filter(pk=team.pk).values().get()
    assert {name: after[name] for name in after if after[name] != before[name]} == {
        "guidelines": "Judge by **facts**.", "tags": ["Tone", "Facts"], "overlap_share": 0.2, "allow_skip": False,
        "board_visibility": "closed",
    }  # fmt: skip
    board = board_settings(team)
    assert (board.anchor, board.anchor_rating, board.controls_style) == (cedar, 1200.0, True)
    assert settings_of(client)["overlap_share"] == "20" or settings_of(client)["overlap_share"] == 0.2


def test_settings_that_contradict_each_other_are_refused_together(person: Person, team: Arena) -> None:
    client = person(Role.OWNER)
    answer = client.post(
        "/console/team/settings/", settings_of(client) | {"reveal": "each", "repeat_share": "10", "anchor_rating": "7"}
    )
    assert answer.status_code == 400
    assert "Nothing was saved" in answer.content.decode()
    team.refresh_from_db()
    assert (team.reveal, board_settings(team).anchor_rating) == ("end", 1000.0)


def test_an_anchor_of_another_arena_is_no_choice(person: Person, team: Arena) -> None:
    other = Arena.objects.create(slug="other", title="Other", kind="recorded")
    stranger = Competitor.objects.create(arena=other, name="Elm", model_id="elm")
    client = person(Role.OWNER)
    answer = client.post("/console/team/settings/", settings_of(client) | {"anchor": str(stranger.pk)})
    assert answer.status_code == 400
    assert board_settings(team).anchor is None


def test_the_kind_is_settled_with_the_first_battle(person: Person, team: Arena, judge: Judge) -> None:
    client = person(Role.OWNER)
    assert not client.get("/console/team/settings/").context["form"].fields["kind"].disabled
    judge("Ines")
    client.post("/console/team/settings/", settings_of(client) | {"kind": "live", "reveal": "each"})
    team.refresh_from_db()
    assert (team.kind, team.reveal) == ("recorded", "each")


def test_an_auditor_reads_settings_and_has_no_button(person: Person, team: Arena) -> None:
    page = person(Role.AUDITOR).get("/console/team/settings/")
    assert all(field.disabled for field in page.context["form"].fields.values())
    assert '<button class="btn primary">Save' not in page.content.decode()
    assert 'name="state"' not in page.content.decode()


def test_an_arena_is_closed_reopened_and_archived(person: Person, team: Arena) -> None:
    client = person(Role.OPERATOR)

    def state(word: str) -> str:
        client.post("/console/team/state/", {"state": word})
        team.refresh_from_db()
        return str(client.get("/console/team/").context["state"].word)

    assert state("close") == "closed"
    assert team.closed_at is not None
    assert state("archive") == "archived"
    assert client.get("/a/team/").status_code == 404
    assert client.get("/a/team/leaderboard/").status_code == 200
    assert state("open") == "open"
    assert (team.closed_at, team.archived_at) == (None, None)
    assert state("nonsense") == "open"


def test_the_overview_says_what_comes_next(person: Person, team: Arena, judge: Judge, now: datetime) -> None:
    client = person(Role.OPERATOR)
    done = {step.key: step.done for step in client.get("/console/team/").context["steps"]}
    assert done == {"prompts": True, "people": False, "votes": False, "board": False}
    judge("Ines")
    publish_snapshot(team, now=now)
    page = client.get("/console/team/")
    assert all(step.done for step in page.context["steps"])
    assert "<svg" in page.content.decode()


def test_votes_are_counted_by_day_and_can_be_downloaded(
    person: Person, team: Arena, judge: Judge, now: datetime
) -> None:
    for name in ("Ines", "Ines", "Otto"):
        judge(name)
    counted = oversight.votes_a_day(team, now=now)
    assert len(counted) == 28 and counted[-1][1] == 3 and sum(n for _day, n in counted) == 3
    assert sum(n for _day, n in oversight.votes_a_day(team, now=now + timedelta(days=28))) == 0
    client = person(Role.AUDITOR)
    lines = client.get("/console/team/votes-a-day.csv").content.decode().splitlines()
    assert lines[0] == "day,votes" and lines[-1].endswith(",3") and len(lines) == 29
    assert client.get("/console/team/votes-a-day.svg").content.startswith(b"<?xml")


def test_names_of_voters_are_for_those_who_run_the_arena(person: Person, team: Arena, judge: Judge) -> None:
    judge("Ines", cohort="experts")
    shown = person(Role.OPERATOR).get("/console/team/votes/").content.decode()
    assert "1 · Ines" in shown and "experts" in shown
    assert "Ines" not in person(Role.AUDITOR).get("/console/team/votes/").content.decode()


def test_progress_is_each_voters_own(team: Arena, judge: Judge) -> None:
    for name in ("Ines", "Otto", "Ines"):
        judge(name)
    rows = oversight.progress_of_voters(team, with_names=True)
    assert [(row.number, row.name, row.votes, row.served) for row in rows] == [(1, "Ines", 2, 2), (2, "Otto", 1, 1)]
    assert [row.number for row in oversight.progress_of_voters(team, with_names=False, most=1)] == [1]


def test_open_battles_and_void_ones_are_counted(team: Arena, now: datetime, person: Person) -> None:
    battle = opening.open_battle(Voter.objects.create(), team, None, seed=opening.new_seed(), now=now)
    assert (oversight.under_way(team, now=now).writing, oversight.under_way(team, now=now).waiting) == (0, 1)
    Battle.objects.filter(pk=battle.pk).update(state="served")
    assert lifecycle.void(battle.pk, lifecycle.VoidReason.SIDE_FAILED, now=now)
    assert oversight.voids(team) == {"side_failed": 1}
    assert "a side failed" in person(Role.AUDITOR).get("/console/team/votes/").content.decode()
    assert oversight.under_way(team, now=now).oldest is None


def test_endpoints_in_trouble_stand_first(team: Arena, person: Person, now: datetime) -> None:
    for name, fields in (("fine", {}), ("tired", {"out_until": now + timedelta(minutes=5), "last_failure": "429"})):
        endpoint = Endpoint.objects.create(name=name, base_url=f"http://{name}.invalid/v1")
        Endpoint.objects.filter(pk=endpoint.pk).update(**fields)
        Competitor.objects.create(arena=team, name=f"by {name}", model_id="m", endpoint=endpoint)
    client = person(Role.OPERATOR)
    page = client.get("/console/team/votes/")
    assert [row.name for row, _word in page.context["endpoints"]] == ["tired", "fine"]
    assert "out of the draw" in page.content.decode()
    assert "tired does not answer" in client.get("/console/team/").content.decode()


def test_spend_is_tokens_by_price_up_to_the_last_board(
    person: Person, team: Arena, judge: Judge, now: datetime
) -> None:
    judge("Ines")
    Response.objects.update(recorded_answer=None, input_tokens=1_000_000, output_tokens=500_000)
    first, second = Competitor.objects.filter(pk__in=Response.objects.values("competitor")).order_by("pk")
    Competitor.objects.filter(pk=first.pk).update(price_in=2.0, price_out=4.0)
    assert oversight.spending(team) == []  # nothing is published yet
    publish_snapshot(team, now=now)
    rows = {row.name: row.cost for row in oversight.spending(team)}
    assert rows == {first.label: 4.0, second.label: None}
    page = person(Role.OPERATOR).get("/console/team/votes/").content.decode()
    assert "4.00" in page and "no price" in page


def test_the_api_says_how_an_arena_is_set(person: Person, team: Arena) -> None:
    client = person(Role.OWNER)
    client.post("/console/team/settings/", settings_of(client) | {"tags": "Tone"})
    assert json.loads(client.get("/api/v1/arenas/team/").content)["tags"] == ["Tone"]
