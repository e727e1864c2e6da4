"""Endpoints are added, changed and tried in the console, by those who operate the instance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from arena.competitors import endpoints, health
from arena.competitors.endpoints import Offer, TrialResult
from arena.competitors.models import Competitor, Endpoint
from arena.console.field_forms import PRESETS
from arena.teams.models import Arena, Role
from tests.console.conftest import NOBODY, STAFF, STRANGER

pytestmark = pytest.mark.django_db(transaction=True)
Person = Callable[[str], Client]
ROOM = "/console/endpoints/"
TIMES = {"first_token_seconds": "30", "between_tokens_seconds": "15", "total_seconds": "180"}
MINE = {"name": "Mine", "base_url": "http://127.0.0.1:9/v1/", "key_env": "MINE_KEY", **TIMES}


@pytest.fixture
def endpoint(db: None) -> Endpoint:
    return Endpoint.objects.create(name="Mine", base_url="http://127.0.0.1:9/v1", key_env="MINE_KEY")


@pytest.mark.parametrize("role", [NOBODY, STRANGER, *Role.values])
def test_nobody_else_comes_in(role: str, person: Person, endpoint: Endpoint) -> None:
    client = person(role)
    refused = 302 if role == NOBODY else 404
    for path in ("", "add/", f"{endpoint.pk}/"):
        assert client.get(f"{ROOM}{path}").status_code == refused
    for path in ("add/", *(f"{endpoint.pk}/{verb}" for verb in ("", "try/", "back/", "models/"))):
        assert client.post(f"{ROOM}{path}", MINE | {"name": "Other"}).status_code == refused
    assert list(Endpoint.objects.values_list("name", flat=True)) == ["Mine"]


def test_an_endpoint_is_added(person: Person) -> None:
    answer = person(STAFF).post(f"{ROOM}add/", MINE)
    row = Endpoint.objects.get()
    assert answer["Location"] == f"{ROOM}{row.pk}/"
    assert (row.name, row.base_url, row.key_env) == ("Mine", "http://127.0.0.1:9/v1", "MINE_KEY")


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_fills_the_form_in_and_can_be_sent_as_it_is(preset: str, person: Person) -> None:
    client = person(STAFF)
    form = client.get(f"{ROOM}add/?preset={preset}").context["form"]
    client.post(f"{ROOM}add/?preset={preset}", {name: form[name].value() for name in form.fields})
    row = Endpoint.objects.get()
    assert (row.name, row.base_url, row.key_env) == (
        PRESETS[preset].name, PRESETS[preset].base_url, PRESETS[preset].key_env,
    )  # fmt: skip


def test_whoever_comes_from_an_arena_goes_on_to_a_competitor(person: Person, team: Arena) -> None:
    client = person(STAFF)
    assert "?preset=ollama&amp;arena=team" in client.get(f"{ROOM}add/?arena=team").content.decode()
    answer = client.post(f"{ROOM}add/?arena=team", MINE)
    row = Endpoint.objects.get()
    assert answer["Location"] == f"/console/team/competitors/add/?endpoint={row.pk}"
    assert str(client.get(answer["Location"]).context["form"]["endpoint"].value()) == str(row.pk)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"base_url": "https://me:secret@host/v1"}, "is no address of an endpoint"),
        ({"key_env": "sk-123"}, "not the key"),
        ({"key_env": "SECRET_KEY"}, "is a secret of this server"),
        ({"key_env": "HOME"}, "may be no key of an endpoint"),
        ({"total_seconds": "nan"}, "Enter a number."),
        ({"name": "Taken"}, "already exists"),
    ],
)
@pytest.mark.parametrize("is_new", [True, False])
def test_a_refused_endpoint_says_why_and_is_not_stored(
    is_new: bool, wrong: dict[str, str], said: str, person: Person, endpoint: Endpoint
) -> None:
    Endpoint.objects.create(name="Taken", base_url="http://127.0.0.1:9/v1")
    before = list(Endpoint.objects.order_by("pk").values())
    path = "add/" if is_new else f"{endpoint.pk}/"
    answer = person(STAFF).post(f"{ROOM}{path}", MINE | {"name": "New"} | wrong)
    assert answer.status_code == 400 and said in answer.content.decode()
    assert list(Endpoint.objects.order_by("pk").values()) == before


def test_another_address_is_in_the_draw_at_once_another_name_is_not(person: Person, endpoint: Endpoint) -> None:
    client = person(STAFF)
    Endpoint.objects.update(failures_in_a_row=3, out_until=timezone.now() + health.LONGEST_PAUSE)
    client.post(f"{ROOM}{endpoint.pk}/", MINE | {"name": "Ours"})
    endpoint.refresh_from_db()
    assert (endpoint.name, endpoint.failures_in_a_row) == ("Ours", 3)
    client.post(f"{ROOM}{endpoint.pk}/", MINE | {"base_url": "http://127.0.0.1:10/v1"})
    endpoint.refresh_from_db()
    assert (endpoint.failures_in_a_row, endpoint.out_until) == (0, None)


def test_an_endpoint_that_was_mended_is_put_back(person: Person, endpoint: Endpoint) -> None:
    client = person(STAFF)
    assert "Mended" not in client.get(f"{ROOM}{endpoint.pk}/").content.decode()
    Endpoint.objects.update(failures_in_a_row=3, out_until=timezone.now() + health.LONGEST_PAUSE)
    assert "Mended" in client.get(f"{ROOM}{endpoint.pk}/").content.decode()
    client.post(f"{ROOM}{endpoint.pk}/back/")
    endpoint.refresh_from_db()
    assert (endpoint.failures_in_a_row, endpoint.out_until) == (0, None)


def test_whether_a_key_is_set_is_shown_and_never_the_key(
    person: Person, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = person(STAFF)
    for path in ("", f"{endpoint.pk}/"):
        monkeypatch.delenv("MINE_KEY", raising=False)
        assert "is not set" in client.get(f"{ROOM}{path}").content.decode()
        monkeypatch.setenv("MINE_KEY", "sk-very-secret")
        page = client.get(f"{ROOM}{path}").content.decode()
        assert "is not set" not in page and "is set" in page and "sk-very-secret" not in page


def test_an_endpoint_is_asked_only_by_a_post(
    person: Person, endpoint: Endpoint, team: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def answer(row: Endpoint, **given: str) -> TrialResult:
        asked.append((row.name, given))
        return TrialResult(error_code="unreachable", error_detail="Connection refused")

    monkeypatch.setattr(endpoints, "try_endpoint", answer)
    Competitor.objects.create(arena=team, name="Elm", endpoint=endpoint, model_id="e-1")
    client = person(STAFF)
    assert client.get(f"{ROOM}{endpoint.pk}/").context["trial"]["model_id"].value() == "e-1"
    assert client.get(f"{ROOM}{endpoint.pk}/try/").status_code == 405 and asked == []
    page = client.post(f"{ROOM}{endpoint.pk}/try/", {"model_id": "m", "prompt": "?"}).content.decode()
    assert asked == [("Mine", {"model_id": "m", "prompt": "?"})] and "unreachable: Connection refused" in page


def test_what_an_endpoint_offers_is_asked_for_by_a_button_and_can_be_chosen(
    person: Person, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def offer(row: Endpoint) -> Offer:
        asked.append(row.name)
        return Offer(models=("llama3.2", "<b>")) if len(asked) == 1 else Offer(error_detail="refused: HTTP 401: no")

    monkeypatch.setattr(endpoints, "look_up_models", offer)
    client = person(STAFF)
    plain = client.get(f"{ROOM}{endpoint.pk}/").content.decode()
    assert "Which models does it offer?" in plain and "<option" not in plain
    assert client.get(f"{ROOM}{endpoint.pk}/models/").status_code == 405 and asked == []
    page = client.post(f"{ROOM}{endpoint.pk}/models/").content.decode()
    assert 'list="offered"' in page and '<option value="llama3.2"></option>' in page
    assert "It names 2 models" in page and "<b>" not in page
    page = client.post(f"{ROOM}{endpoint.pk}/models/").content.decode()
    assert "It named no models." in page and "refused: HTTP 401: no" in page and asked == ["Mine", "Mine"]


def test_the_list_says_who_answers_there(person: Person, endpoint: Endpoint, team: Arena) -> None:
    Competitor.objects.create(arena=team, name="Elm", endpoint=endpoint, model_id="e-1")
    assert "Elm (team)" in person(STAFF).get(ROOM).content.decode()


def test_the_way_there_is_shown_to_those_who_may_go(person: Person, team: Arena) -> None:
    for role, shown in ((STAFF, True), (Role.OWNER, False)):
        client = person(role)
        for path in ("/console/", "/console/team/competitors/"):
            assert (f'href="{ROOM}"' in client.get(path).content.decode()) is shown


def test_an_arena_never_takes_the_address_of_this_page(person: Person) -> None:
    person(STAFF).post("/console/new/", {"title": "Endpoints", "kind": "live", "access": "open"})
    assert Arena.objects.get(title="Endpoints").slug == "endpoints-2"


def test_an_endpoint_says_how_many_of_its_competitors_rest_alone(
    person: Person, endpoint: Endpoint, team: Arena
) -> None:
    client = person(STAFF)
    row = Competitor.objects.create(
        arena=team, name="Zed", model_id="z", endpoint=endpoint, failures_in_a_row=3,
        out_until=timezone.now() + health.LONGEST_PAUSE,
    )  # fmt: skip
    page = client.get(f"{ROOM}{endpoint.pk}/").content.decode()
    assert "Competitors out of the draw alone" in page and "Mended" in page and "Zed" not in page
    client.post(f"{ROOM}{endpoint.pk}/back/")
    row.refresh_from_db()
    assert (row.failures_in_a_row, row.out_until) == (0, None)
    assert "out of the draw alone" not in client.get(f"{ROOM}{endpoint.pk}/").content.decode()
