"""REST under the rules of the pages."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.test import Client

from arena.battles.models import Battle, Vote
from arena.competitors.models import Competitor
from arena.prompts.models import Prompt, PromptSet, RecordedAnswer
from arena.teams.models import Arena

BASE = "/api/v1/arenas/team/"
UNKNOWN = UUID(int=7)


@pytest.fixture
def team(db: None) -> Arena:
    arena = Arena.objects.create(slug="team", title="Team", kind="recorded")
    prompts = PromptSet.objects.create(arena=arena, name="set")
    for number in range(2):
        prompt = Prompt.objects.create(prompt_set=prompts, key=str(number), text=f"Question {number}?")
        for name in ("Ada", "Bob"):
            competitor, _ = Competitor.objects.get_or_create(arena=arena, name=name, defaults={"model_id": name})
            RecordedAnswer.objects.create(
                prompt=prompt, competitor=competitor, text=f"Answer {number}{name[0]}", conditions_hash="h"
            )
    return arena


def post(client: Client, path: str, body: Any = None) -> Any:
    return client.post(path, json.dumps(body or {}), content_type="application/json")


def test_a_client_opens_votes_and_learns_the_names(client: Client, team: Arena) -> None:
    opened = post(client, f"{BASE}battles/")
    assert opened.status_code == 201
    battle = opened.json()
    assert battle["state"] == "complete"
    assert set(battle["turns"][0]) == {"index", "prompt", "a", "b"}
    own = f"{BASE}battles/{battle['id']}/"
    assert client.get(f"{own}reveal/").json()["code"] == "not_yet_voted"
    voted = post(client, f"{own}vote/", {"winner": "a"}).json()
    assert {side["name"] for side in voted["reveal"]["sides"]} == {"Ada", "Bob"}
    assert client.get(f"{own}reveal/").json()["sides"] == voted["reveal"]["sides"]
    again = post(client, f"{own}vote/", {"winner": "a"}).json()
    assert again == {**voted, "repeated": True}
    assert Vote.objects.count() == 1


def test_the_stream_of_recorded_answers_is_one_whole_frame(client: Client, team: Arena) -> None:
    battle = post(client, f"{BASE}battles/").json()
    answer = client.get(f"{BASE}battles/{battle['id']}/stream/", headers={"Accept": "text/event-stream"})
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/event-stream"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "/api/v1/arenas/none/", 404),
        ("get", f"{BASE}battles/", 405),
        ("put", f"{BASE}battles/", 405),
        ("get", f"{BASE}battles/{UNKNOWN}/", 404),
        ("get", f"{BASE}battles/not-a-uuid/", 404),
        ("post", f"{BASE}battles/{UNKNOWN}/vote/", 400),
        ("delete", f"{BASE}leaderboard/", 405),
    ],
)
def test_wrong_addresses_and_methods_are_refused(
    client: Client, team: Arena, method: str, path: str, status: int
) -> None:
    assert getattr(client, method)(path).status_code == status


@pytest.mark.parametrize("body", ["{", "[1]", '"x"', "\x00", "null", '{"prompt": {"a": 1}}', '{"prompt": ["x"]}'])
def test_broken_bodies_are_refused(client: Client, team: Arena, body: str) -> None:
    answer = client.post(f"{BASE}battles/", body, content_type="application/json")
    assert answer.status_code in (400, 409) or (body == "null" and answer.status_code in (201, 400))
    if answer.status_code != 201:
        assert set(answer.json()) - {"fields"} == {"code", "detail"}
        assert isinstance(answer.json()["detail"], str)
        assert not Battle.objects.exists()


@pytest.mark.parametrize("body", ["[" * 200_000, '{"winner":' * 200_000, '{"winner":"' + "a" * 1_100_000 + '"}'])
def test_monstrous_bodies_are_refused_in_words(client: Client, team: Arena, body: str) -> None:
    answer = client.post(f"{BASE}battles/", body, content_type="application/json")
    assert answer.status_code == 400
    assert set(answer.json()) == {"code", "detail"}


def test_a_malformed_form_to_an_unknown_address_is_404(team: Arena) -> None:
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.get("/a/team/")
    assert client.post("/a/team/nowhere/", b"x", content_type="multipart/form-data").status_code == 404


def test_what_is_not_there_is_called_so(client: Client, team: Arena) -> None:
    assert client.get("/api/v1/arenas/none/").json()["code"] == "not_found"


def test_strange_content_types_are_refused(client: Client, team: Arena) -> None:
    assert client.post(f"{BASE}battles/", b"x", content_type="application/xml").status_code == 415


def test_boards_and_competitors_can_be_read(client: Client, team: Arena) -> None:
    assert {row["name"] for row in client.get(f"{BASE}competitors/").json()} == {"Ada", "Bob"}
    board = client.get(f"{BASE}leaderboard/").json()
    assert board["board"] == [] and board["data"]["votes"] == 0
    battle = post(client, f"{BASE}battles/").json()
    post(client, f"{BASE}battles/{battle['id']}/vote/", {"winner": "b"})
    call_command("publish_leaderboard", "team")
    answer = client.get(f"{BASE}leaderboard/")
    assert answer.content == client.get("/a/team/leaderboard.json").content
    assert answer.json()["data"]["votes"] == 1


def test_the_schema_describes_every_route(client: Client, team: Arena) -> None:
    answer = client.get("/api/schema/", headers={"Accept": "application/json"})
    assert answer.status_code == 200
    paths = set(json.loads(answer.content)["paths"])
    from arena.api.urls import urlpatterns

    assert len(paths) == len(urlpatterns) - 1
    assert "/api/v1/arenas/{slug}/battles/{battle_id}/vote/" in paths


def test_the_schema_is_made_without_a_warning(tmp_path: Any) -> None:
    call_command("spectacular", "--fail-on-warn", "--validate", "--file", str(tmp_path / "schema.yml"))
