"""What the console and the people page do, programs do, under the same rules."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from arena.battles.models import Battle
from arena.competitors.models import Competitor, Endpoint
from arena.leaderboards import webhooks
from arena.leaderboards.board_settings import board_settings
from arena.leaderboards.models import Webhook
from arena.leaderboards.publishing import publish_snapshot
from arena.prompts.models import GenerationRun, Prompt, PromptSet, RecordedAnswer
from arena.teams import api_tokens, members
from arena.teams.models import Arena, Invitation, Membership, Voter

ARENAS = "/api/v1/arenas/"
TEAM = f"{ARENAS}team/"


@pytest.fixture
def arena(db: None) -> Arena:
    return Arena.objects.create(slug="team", title="Team", kind="recorded", access="private")


@pytest.fixture
def owner(arena: Arena) -> User:
    user = User.objects.create_user("owner", "owner@example.org")
    members.appoint(arena, Voter.objects.create(user=user), "owner")
    return user


def program(user: User, *scopes: str) -> Client:
    expires = timezone.now() + timedelta(days=1)
    _row, token = api_tokens.make(user, name="test", scopes=scopes or list(api_tokens.Scope), expires_at=expires)
    return Client(headers={"authorization": f"Bearer {token}"})


def send(client: Client, method: str, path: str, **body: Any) -> Any:
    return getattr(client, method)(path, json.dumps(body), content_type="application/json")


@pytest.fixture
def field(arena: Arena) -> list[Competitor]:
    prompts = PromptSet.objects.create(arena=arena, name="set")
    prompt = Prompt.objects.create(prompt_set=prompts, key="p", text="Which?")
    field = [Competitor.objects.create(arena=arena, name=name, model_id=name) for name in ("Ash", "Birch")]
    for competitor in field:
        RecordedAnswer.objects.create(prompt=prompt, competitor=competitor, text="x", conditions={})
    return field


def test_those_who_operate_the_instance_make_arenas_and_own_them(owner: User) -> None:
    refused = send(program(owner), "post", ARENAS, title="Support answers")
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    User.objects.update(is_staff=True)
    made = send(program(owner), "post", ARENAS, title="Support answers")
    assert (made.status_code, made.json()["slug"]) == (201, "support-answers")
    stored = Arena.objects.get(slug="support-answers")
    assert (stored.kind, stored.access, stored.reveal) == ("recorded", "invite", "end")
    assert Membership.objects.get(arena=stored).role == "owner"


def test_settings_are_read_and_changed_by_name(arena: Arena, owner: User, field: list[Competitor]) -> None:
    client = program(owner)
    before = client.get(f"{TEAM}settings/").json()
    changed = send(client, "patch", f"{TEAM}settings/", max_turns=3, anchor="Ash", tags=["tone"])
    assert changed.status_code == 200
    assert changed.json() == {**before, "max_turns": 3, "anchor": "Ash", "tags": ["tone"]}
    assert client.get(f"{TEAM}settings/").json() == changed.json()
    assert board_settings(arena).anchor == field[0]


@pytest.mark.parametrize(
    ("wrong", "name"),
    [({"pace": 1}, "pace"), ({"anchor": "Oak"}, "anchor"), ({"sampling": "luck"}, "sampling"),
     ({"tags": ["x" * 41]}, "tags.0"), ({"repeat_share": 0.2}, "repeat_share"),
     ({"anchor_rating": 1e9}, "anchor_rating")],
)  # fmt: skip
def test_a_setting_that_may_not_be_is_named_and_nothing_is_stored(
    arena: Arena, owner: User, wrong: dict[str, Any], name: str
) -> None:
    answer = send(program(owner), "patch", f"{TEAM}settings/", max_turns=3, **wrong)
    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == [name]
    arena.refresh_from_db()
    assert arena.max_turns == 8


def test_the_kind_stays_once_battles_were_served(arena: Arena, owner: User, field: list[Competitor]) -> None:
    send(program(owner), "post", f"{TEAM}battles/")
    assert Battle.objects.count() == 1
    answer = send(program(owner), "patch", f"{TEAM}settings/", kind="mixed")
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["kind"])


def test_an_arena_is_closed_opened_and_archived(arena: Arena, owner: User) -> None:
    client = program(owner)
    for state in ("close", "open", "archive", "open"):
        assert send(client, "post", f"{TEAM}state/", state=state).status_code == 200
        arena.refresh_from_db()
        told = (arena.closed_at is not None, arena.archived_at is not None)
        assert told == (state == "close", state == "archive")


def test_competitors_are_entered_once_under_a_name(arena: Arena, owner: User) -> None:
    Endpoint.objects.create(name="mine", base_url="http://127.0.0.1:9/v1")
    client, body = program(owner), {"name": "Ash", "endpoint": "mine", "model_id": "llama", "temperature": 0.5}
    assert send(client, "post", f"{TEAM}competitors/", **body).json()["temperature"] == 0.5
    again = send(client, "post", f"{TEAM}competitors/", **body)
    assert (again.status_code, again.json()["code"]) == (409, "name_taken")
    wrong = send(client, "post", f"{TEAM}competitors/", **{**body, "name": "Birch", "endpoint": "yours"})
    assert (wrong.status_code, list(wrong.json()["fields"])) == (400, ["endpoint"])
    assert Competitor.objects.get().endpoint is not None


def test_a_competitor_is_retired_and_brought_back(owner: User, field: list[Competitor]) -> None:
    client = program(owner)
    for in_service in (False, True):
        told = send(client, "post", f"{TEAM}competitors/service/", name="Ash", in_service=in_service).json()
        assert (told["name"], told["retired_at"] is None) == ("Ash", in_service)
    assert send(client, "post", f"{TEAM}competitors/service/", name="Oak", in_service=True).status_code == 400


def test_a_reason_is_given_with_a_retirement_alone(owner: User, field: list[Competitor]) -> None:
    client, path, rows = program(owner), f"{TEAM}competitors/service/", f"{TEAM}competitors/"
    told = send(client, "post", path, name="Ash", in_service=False, retired_reason="Too <b>dear</b>.").json()
    assert (told["retired_reason"], told["replaced_by"]) == ("Too <b>dear</b>.", "")
    entry = client.get(f"{rows}{field[0].pk}/").json()
    assert (entry["retired_reason"], entry["replaced_by"]) == ("Too <b>dear</b>.", "")
    assert {row["name"]: row["retired_reason"] for row in client.get(rows).json()} == {
        "Ash": "Too <b>dear</b>.", "Birch": "",
    }  # fmt: skip
    corrected = send(client, "post", path, name="Ash", in_service=False, retired_reason="Too dear.").json()
    assert corrected == told | {"retired_reason": "Too dear."}
    wrong = send(client, "post", path, name="Ash", in_service=True, retired_reason="Cheaper.")
    assert wrong.status_code == 400
    assert wrong.json()["fields"] == {
        "retired_reason": ["'Cheaper.' is no reason for being in service. Leave it out, or send in_service: false."]
    }
    for reason, said in (("a" * 201, "it has 201"), ("one\ntwo", "U+000A"), ("a\x07b", "'a\\x07b' holds the character"),
                         (7, "Not a valid string."), (None, "may not be null")):  # fmt: skip
        refused = send(client, "post", path, name="Birch", in_service=False, retired_reason=reason)
        assert refused.status_code == 400 and said in refused.json()["fields"]["retired_reason"][0], reason
    back = send(client, "post", path, name="Ash", in_service=True).json()
    assert (back["retired_at"], back["retired_reason"]) == (None, "")
    assert not Competitor.objects.filter(retired_at__isnull=False).exists()


def test_a_reason_is_told_when_the_board_is(arena: Arena, owner: User, field: list[Competitor]) -> None:
    Arena.objects.update(access="open", board_visibility="closed")
    send(
        program(owner), "post", f"{TEAM}competitors/service/", name="Ash", in_service=False, retired_reason="Too dear."
    )
    assert [row["retired_reason"] for row in Client().get(f"{TEAM}competitors/").json()] == [None, ""]
    Arena.objects.update(board_visibility="during")
    assert [row["retired_reason"] for row in Client().get(f"{TEAM}competitors/").json()] == ["Too dear.", ""]


def test_a_live_arena_takes_nobody_who_cannot_answer(arena: Arena, owner: User) -> None:
    Arena.objects.update(kind="live")
    answer = send(program(owner), "post", f"{TEAM}competitors/", name="Ash", model_id="x")
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["endpoint"])


def test_an_invitation_is_told_once_opens_and_is_withdrawn(arena: Arena, owner: User) -> None:
    client = program(owner)
    made = send(client, "post", f"{TEAM}invitations/", role="expert", cohort="support", max_uses=2)
    assert made.status_code == 201
    address = made.json()["address"]
    assert Client().get(address).status_code == 200
    (listed,) = client.get(f"{TEAM}invitations/").json()
    assert listed == {key: value for key, value in made.json().items() if key != "address"}
    assert client.delete(f"{TEAM}invitations/{listed['id']}/").status_code == 204
    assert client.get(f"{TEAM}invitations/").json() == []
    assert Invitation.objects.get().revoked_at is not None
    past = send(client, "post", f"{TEAM}invitations/", expires_at="2020-01-01T00:00:00Z")
    assert list(past.json()["fields"]) == ["expires_at"]


def test_members_are_changed_and_ended_but_for_the_last_owner(arena: Arena, owner: User) -> None:
    other = members.appoint(arena, Voter.objects.create(), "voter")
    client, own = program(owner), Membership.objects.get(role="owner")
    assert [row["account"] for row in client.get(f"{TEAM}members/").json()] == ["owner@example.org", ""]
    changed = send(client, "put", f"{TEAM}members/{other.pk}/", role="expert", cohort="support")
    assert (changed.json()["role"], changed.json()["cohort"]) == ("expert", "support")
    refused = send(client, "put", f"{TEAM}members/{other.pk}/", role="operator")
    assert (refused.status_code, refused.json()["code"]) == (409, "needs_account")
    last = client.delete(f"{TEAM}members/{own.pk}/")
    assert (last.status_code, last.json()["code"]) == (409, "last_owner")
    assert client.delete(f"{TEAM}members/{other.pk}/").status_code == 204
    assert client.delete(f"{TEAM}members/{other.pk}/").status_code == 404


def test_a_token_that_only_reads_changes_nothing_and_learns_of_no_people(owner: User) -> None:
    reader = program(owner, "read")
    assert reader.get(f"{TEAM}settings/").status_code == 200
    for method, path in (("patch", "settings/"), ("get", "members/"), ("get", "runs/"), ("get", "prompt-sets/")):
        answer = getattr(reader, method)(f"{TEAM}{path}")
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied"), path
    assert program(owner, "configure").get(f"{TEAM}prompt-sets/").status_code == 200


def test_a_run_is_started_watched_and_stopped(arena: Arena, owner: User, field: list[Competitor]) -> None:
    endpoint = Endpoint.objects.create(name="mine", base_url="http://127.0.0.1:9/v1")
    Competitor.objects.create(arena=arena, name="Cedar", model_id="c", endpoint=endpoint)
    client = program(owner)
    started = send(client, "post", f"{TEAM}runs/", prompt_set="set")
    assert started.status_code == 201
    run = started.json()
    assert (run["competitors"], run["state"], run["answered"], run["wanted"]) == (["Cedar"], "waiting", 0, 1)
    assert client.get(f"{TEAM}runs/{run['id']}/").json() == run == client.get(f"{TEAM}runs/").json()[0]
    assert send(client, "post", f"{TEAM}runs/", prompt_set="set").json()["code"] == "run_refused"
    assert send(client, "post", f"{TEAM}runs/{run['id']}/stop/").json()["state"] == "stopped"
    assert send(client, "post", f"{TEAM}runs/{run['id']}/stop/").status_code == 409
    for wrong in ({"prompt_set": "other"}, {"prompt_set": "set", "competitors": ["Ash"]}):
        assert send(client, "post", f"{TEAM}runs/", **wrong).status_code == 400
    assert GenerationRun.objects.count() == 1


def test_votes_matrix_and_snapshots_are_read_as_the_pages_show_them(
    arena: Arena, owner: User, field: list[Competitor]
) -> None:
    client = program(owner)
    assert client.get(f"{TEAM}matrix/").json() == {"snapshot": None, "pairs": []}
    battle = send(client, "post", f"{TEAM}battles/").json()
    assert client.get(f"{TEAM}mine/").json() == {"board": [], "votes": [], "held": False}
    voted = send(client, "post", f"{TEAM}battles/{battle['id']}/vote/", winner="a").json()
    names = {side["side"]: side["name"] for side in voted["reveal"]["sides"]}
    (mine,) = client.get(f"{TEAM}mine/").json()["votes"]
    assert (mine["battle"], mine["name_a"], mine["name_b"]) == (battle["id"], names["a"], names["b"])
    snapshot = publish_snapshot(arena, now=timezone.now())
    (pair,) = client.get(f"{TEAM}matrix/").json()["pairs"]
    assert (pair["first"], pair["second"]) == ("Ash", "Birch")
    assert (pair["first_wins"], pair["second_wins"]) == ((1, 0) if names["a"] == "Ash" else (0, 1))
    (listed,) = client.get(f"{TEAM}snapshots/").json()
    assert (listed["number"], listed["data_sha256"]) == (1, snapshot.data_sha256)
    assert client.get(f"{TEAM}snapshots/1/").content.decode() == snapshot.board_json
    assert client.get(f"{TEAM}snapshots/2/").status_code == 404


@pytest.mark.parametrize("path", ["matrix/", "snapshots/", "snapshots/1/"])
def test_a_withheld_board_is_withheld_here_too(arena: Arena, owner: User, path: str) -> None:
    Arena.objects.update(access="open", board_visibility="closed")
    publish_snapshot(arena, now=timezone.now())
    assert Client().get(f"{TEAM}{path}").status_code == 403
    assert program(owner).get(f"{TEAM}{path}").status_code == 200


def test_webhooks_are_added_tried_and_withdrawn(arena: Arena, owner: User) -> None:
    client = program(owner, "configure")
    made = send(client, "post", f"{TEAM}webhooks/", url="https://127.0.0.1/hook")
    row = Webhook.objects.get()
    assert (made.status_code, made.json()["secret"]) == (201, webhooks.secret_of(row))
    (listed,) = client.get(f"{TEAM}webhooks/").json()
    assert listed == {key: value for key, value in made.json().items() if key != "secret"}
    tried = send(client, "post", f"{TEAM}webhooks/{row.pk}/try/")
    assert (tried.status_code, tried.json()) == (
        200,
        {"taken": False, "says": "127.0.0.1 leads into a private network."},
    )
    assert send(program(owner, "read"), "post", f"{TEAM}webhooks/{row.pk}/try/").status_code == 403
    assert client.delete(f"{TEAM}webhooks/{row.pk}/").status_code == 204
    assert client.get(f"{TEAM}webhooks/").json() == []
    assert send(client, "post", f"{TEAM}webhooks/{row.pk}/try/").status_code == 404
