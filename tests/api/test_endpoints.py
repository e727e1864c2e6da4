"""Endpoints and what makes a competitor are managed by programs as in the console; a key is told nowhere."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from arena.battles import opening
from arena.competitors import endpoints as asking
from arena.competitors import health
from arena.competitors.endpoints import Offer, TrialResult
from arena.competitors.models import Competitor, Endpoint
from arena.prompts.models import Prompt, PromptSet, RecordedAnswer
from arena.teams import api_tokens, members
from arena.teams.models import Arena, Voter

ROOM = "/api/v1/endpoints/"
FIELD = "/api/v1/arenas/team/competitors/"
SECRET = "sk-very-secret"
MINE = {"name": "mine", "base_url": "http://127.0.0.1:9/v1/", "key_env": "MINE_KEY"}


@pytest.fixture
def arena(db: None) -> Arena:
    return Arena.objects.create(slug="team", title="Team", kind="recorded", access="private")


@pytest.fixture
def operator(db: None) -> User:
    return User.objects.create_user("operator", "operator@example.org", is_staff=True)


@pytest.fixture
def owner(arena: Arena) -> User:
    user = User.objects.create_user("owner", "owner@example.org")
    members.appoint(arena, Voter.objects.create(user=user), "owner")
    return user


@pytest.fixture
def endpoint(db: None) -> Endpoint:
    return Endpoint.objects.create(name="mine", base_url="http://127.0.0.1:9/v1", key_env="MINE_KEY")


@pytest.fixture
def ash(arena: Arena) -> Competitor:
    return Competitor.objects.create(arena=arena, name="Ash", model_id="ash-1", temperature=0.5)


def program(user: User, *scopes: str, arena: Arena | None = None) -> Client:
    expires = timezone.now() + timedelta(days=1)
    scopes = scopes or tuple(api_tokens.Scope)
    _row, token = api_tokens.make(user, name="test", scopes=scopes, expires_at=expires, arena=arena)
    return Client(headers={"authorization": f"Bearer {token}"})


def send(client: Client, method: str, path: str, **body: Any) -> Any:
    return getattr(client, method)(path, json.dumps(body), content_type="application/json")


def test_an_endpoint_is_added_read_and_changed(operator: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE_KEY", SECRET)
    client = program(operator, "configure")
    made = send(client, "post", ROOM, **MINE)
    assert made.status_code == 201
    told = made.json()
    assert (told["base_url"], told["key_env"], told["has_key"]) == ("http://127.0.0.1:9/v1", "MINE_KEY", True)
    assert (told["state"], told["total_seconds"], told["out_until"]) == ("answers", 180.0, None)
    assert client.get(ROOM).json() == [told] and client.get(f"{ROOM}{told['id']}/").json() == told
    changed = send(client, "patch", f"{ROOM}{told['id']}/", key_env="", first_token_seconds=60)
    assert changed.json() == {**told, "key_env": "", "has_key": False, "first_token_seconds": 60.0}
    monkeypatch.delenv("MINE_KEY")
    assert send(client, "patch", f"{ROOM}{told['id']}/", key_env="MINE_KEY").json()["state"] == "no_key"


def test_a_key_is_told_by_no_answer(operator: User, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE_KEY", SECRET)
    client, one = program(operator), f"{ROOM}{endpoint.pk}/"
    answers = [
        client.get(ROOM), client.get(one), send(client, "patch", one, name="ours"),
        send(client, "post", f"{one}try/", model_id="m"), send(client, "post", f"{one}models/"),
        send(client, "post", f"{one}mended/"),
    ]  # fmt: skip
    assert [answer.status_code for answer in answers] == [200] * 6
    assert not any(SECRET.encode() in answer.content for answer in answers)


@pytest.mark.parametrize(
    ("wrong", "status", "where"),
    [({"base_url": "https://me:secret@host/v1"}, 400, "base_url"), ({"base_url": "host/v1"}, 400, "base_url"),
     ({"key_env": "SECRET_KEY"}, 400, "key_env"), ({"key_env": "HOME"}, 400, "key_env"),
     ({"key_env": SECRET}, 400, "key_env"), ({"total_seconds": 0}, 400, "total_seconds"),
     ({"name": ""}, 400, "name"), ({"name": "taken"}, 409, None)],
)  # fmt: skip
@pytest.mark.parametrize("is_new", [True, False])
def test_what_is_refused_names_the_field_and_is_not_stored(
    operator: User, endpoint: Endpoint, is_new: bool, wrong: dict[str, Any], status: int, where: str | None
) -> None:
    Endpoint.objects.create(name="taken", base_url="http://127.0.0.1:9/v1")
    before = list(Endpoint.objects.order_by("pk").values())
    body = {**MINE, "name": "new", **wrong} if is_new else wrong
    path = ROOM if is_new else f"{ROOM}{endpoint.pk}/"
    answer = send(program(operator), "post" if is_new else "patch", path, **body)
    assert answer.status_code == status
    assert list(answer.json().get("fields", ())) == ([where] if where else [])
    assert where or answer.json()["code"] == "name_taken"
    assert "secret@" not in answer.content.decode()
    assert list(Endpoint.objects.order_by("pk").values()) == before


def test_endpoints_are_for_those_who_operate_the_instance_with_a_token_for_all_of_it(
    operator: User, owner: User, arena: Arena, endpoint: Endpoint
) -> None:
    for client in (program(owner), program(operator, "read"), program(operator, arena=arena), Client()):
        for path in (ROOM, f"{ROOM}{endpoint.pk}/", f"{ROOM}{endpoint.pk + 1}/"):
            assert client.get(path).status_code == 403
        for verb in ("try", "models", "mended"):
            assert send(client, "post", f"{ROOM}{endpoint.pk}/{verb}/").status_code == 403
        assert send(client, "post", ROOM, **MINE | {"name": "other"}).status_code == 403
    assert Endpoint.objects.count() == 1
    assert program(operator).get(f"{ROOM}{endpoint.pk + 1}/").status_code == 404


def test_an_endpoint_is_tried_looked_up_and_put_back(
    operator: User, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def answer(row: Endpoint, **given: str) -> TrialResult:
        asked.append(given)
        return TrialResult(text="Hello", first_token_ms=10.0, total_ms=110.0, output_tokens=11)

    monkeypatch.setattr(asking, "try_endpoint", answer)
    monkeypatch.setattr(asking, "look_up_models", lambda row: Offer(models=("a", "b")))
    client, one = program(operator), f"{ROOM}{endpoint.pk}/"
    tried = send(client, "post", f"{one}try/", model_id="m", prompt="Hi").json()
    assert (tried["text"], tried["error_code"], tried["tokens_per_second"]) == ("Hello", "", 100.0)
    assert asked == [{"model_id": "m", "prompt": "Hi"}]
    assert list(send(client, "post", f"{one}try/").json()["fields"]) == ["model_id"]
    assert send(client, "post", f"{one}models/").json() == {"models": ["a", "b"], "error_detail": ""}
    Endpoint.objects.update(failures_in_a_row=3, out_until=timezone.now() + health.LONGEST_PAUSE)
    assert client.get(one).json()["failures_in_a_row"] == 3
    assert send(client, "post", f"{one}mended/").json()["failures_in_a_row"] == 0


def test_a_competitor_that_has_not_answered_changes_in_place(owner: User, ash: Competitor, endpoint: Endpoint) -> None:
    client, one = program(owner), f"{FIELD}{ash.pk}/"
    before = client.get(one).json()
    assert (before["name"], before["endpoint"], before["temperature"], before["stop"]) == ("Ash", None, 0.5, [])
    changed = send(client, "patch", one, endpoint="mine", temperature=0.9, stop=["END"], name="Ashen").json()
    assert changed == {**before, "endpoint": "mine", "temperature": 0.9, "stop": ["END"], "name": "Ashen"}
    assert client.get(one).json() == changed
    assert [row["id"] for row in client.get(FIELD).json()] == [ash.pk]


def test_one_that_has_answered_gets_a_next_version_and_words_about_it_none(owner: User, ash: Competitor) -> None:
    Competitor.objects.update(first_answered_at=timezone.now())
    client = program(owner)
    told = send(client, "patch", f"{FIELD}{ash.pk}/", description="Small.", license="MIT").json()
    assert (told["id"], told["description"]) == (ash.pk, "Small.")
    made = send(client, "patch", f"{FIELD}{ash.pk}/", temperature=0.9).json()
    assert (made["name"], made["version"], made["temperature"], made["license"]) == ("Ash v2", 2, 0.9, "MIT")
    assert made["id"] != ash.pk and made["retired_at"] is None
    replaced = client.get(f"{FIELD}{ash.pk}/").json()
    assert replaced["retired_at"] is not None
    assert (replaced["retired_reason"], replaced["replaced_by"]) == ("", made["name"])


@pytest.mark.parametrize(
    ("wrong", "status", "said"),
    [({"name": "Birch"}, 409, "name_taken"), ({"name": ""}, 400, "invalid"), ({"top_p": 2}, 400, "invalid"),
     ({"extra_body": {"model": "x"}}, 400, "invalid"), ({"endpoint": "none"}, 400, "invalid")],
)  # fmt: skip
def test_a_change_that_is_refused_changes_nothing(
    owner: User, arena: Arena, ash: Competitor, wrong: dict[str, Any], status: int, said: str
) -> None:
    Competitor.objects.create(arena=arena, name="Birch", model_id="b")
    before = list(Competitor.objects.order_by("pk").values())
    answer = send(program(owner), "patch", f"{FIELD}{ash.pk}/", temperature=0.1, **wrong)
    assert (answer.status_code, answer.json()["code"]) == (status, said)
    assert list(Competitor.objects.order_by("pk").values()) == before


def test_a_name_that_is_known_stays_and_a_live_arenas_competitor_keeps_an_endpoint(
    owner: User, ash: Competitor, endpoint: Endpoint
) -> None:
    client, one = program(owner), f"{FIELD}{ash.pk}/"
    Arena.objects.update(kind="live")
    assert list(send(client, "patch", one, endpoint=None).json()["fields"]) == ["endpoint"]
    Competitor.objects.update(first_answered_at=timezone.now())
    answer = send(client, "patch", one, name="Elm")
    assert (answer.status_code, answer.json()["code"]) == (409, "name_fixed")
    assert send(client, "patch", one, name="Ash").status_code == 200, "the same name is no change"


def test_whoever_judges_does_not_learn_from_a_refusal_who_was_drawn(owner: User, arena: Arena, ash: Competitor) -> None:
    field = [ash, *(Competitor.objects.create(arena=arena, name=name, model_id="m") for name in ("Birch", "Cedar"))]
    prompt = Prompt.objects.create(prompt_set=PromptSet.objects.create(arena=arena, name="s"), key="p", text="Which?")
    for row in field[:2]:
        RecordedAnswer.objects.create(prompt=prompt, competitor=row, text="x", conditions={})
    Competitor.objects.update(first_answered_at=None)
    opening.open_battle(owner.voter, arena, None, seed=opening.new_seed(), now=timezone.now())
    client = program(owner)
    answers = [send(client, "patch", f"{FIELD}{row.pk}/", name=f"{row.name} 2") for row in field]
    assert [answer.status_code for answer in answers] == [409] * 3
    assert len({answer.content for answer in answers}) == 1
    assert set(Competitor.objects.values_list("name", flat=True)) == {"Ash", "Birch", "Cedar"}


def test_one_answer_of_a_competitor_is_asked_for_under_its_own_settings(
    owner: User, ash: Competitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = program(owner)
    told = send(client, "post", f"{FIELD}{ash.pk}/try/").json()
    assert (told["text"], told["error_code"]) == ("", "not_asked") and "recorded answers only" in told["error_detail"]
    asked: list[Any] = []

    def answer(row: Competitor, **given: str) -> TrialResult:
        asked.append((row.pk, given))
        return TrialResult(text="Hello")

    monkeypatch.setattr(asking, "try_endpoint", answer)
    assert send(client, "post", f"{FIELD}{ash.pk}/try/", prompt="Hi").json()["text"] == "Hello"
    assert asked == [(ash.pk, {"prompt": "Hi"})]
    assert send(program(owner, "read"), "post", f"{FIELD}{ash.pk}/try/", prompt="Hi").status_code == 403


def test_a_competitor_that_was_mended_is_in_the_draw_again(owner: User, ash: Competitor) -> None:
    Competitor.objects.update(failures_in_a_row=3, out_until=timezone.now() + health.LONGEST_PAUSE)
    assert send(program(owner), "post", f"{FIELD}{ash.pk}/mended/").status_code == 200
    ash.refresh_from_db()
    assert (ash.failures_in_a_row, ash.out_until) == (0, None)


def test_competitors_of_another_arena_are_not_here(owner: User, ash: Competitor) -> None:
    other = Arena.objects.create(slug="other", title="Other", kind="recorded", access="private")
    theirs = Competitor.objects.create(arena=other, name="Oak", model_id="o")
    client = program(owner)
    assert client.get(f"{FIELD}{theirs.pk}/").status_code == 404
    assert send(client, "patch", f"{FIELD}{theirs.pk}/", model_id="x").status_code == 404
    assert client.get(f"/api/v1/arenas/other/competitors/{theirs.pk}/").status_code == 404


@pytest.mark.parametrize(
    ("path", "wrong"),
    [("competitor", {"temperature": False}), ("competitor", {"temperature": "0.5"}), ("competitor", {"license": 7}),
     ("competitor", {"max_tokens": True}), ("competitor", {"stop": [7]}), ("competitor", {"system_prompt": 1.5}),
     ("endpoint", {"total_seconds": True}), ("endpoint", {"total_seconds": "9"}), ("endpoint", {"name": 7})],
)  # fmt: skip
def test_what_only_looks_like_it_is_refused_as_the_schema_says(
    operator: User, owner: User, ash: Competitor, endpoint: Endpoint, path: str, wrong: dict[str, Any]
) -> None:
    client, one = (
        (program(owner), f"{FIELD}{ash.pk}/") if path == "competitor" else (program(operator), f"{ROOM}{endpoint.pk}/")
    )
    answer = send(client, "patch", one, **wrong)
    (field,) = wrong
    assert (answer.status_code, [name.partition(".")[0] for name in answer.json()["fields"]]) == (400, [field])
