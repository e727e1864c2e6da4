"""/healthz: 200 when all parts answer, 503 when one does not, and of each open arena `ready` or `closed` and why."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from arena import health
from arena.competitors.health import LOCAL_MODEL
from arena.competitors.models import Competitor, Endpoint
from arena.prompts.models import Prompt, PromptSet, RecordedAnswer
from arena.teams import heartbeat
from arena.teams.models import Arena


@pytest.fixture
def worker(db: None) -> None:
    heartbeat.beat(heartbeat.WORKER, now=timezone.now())


@pytest.fixture
def refused() -> Callable[[], AbstractContextManager[None]]:
    """A database that refuses every query."""

    def refuse(*_: Any) -> Any:
        raise OperationalError("the database is away")

    return lambda: connection.execute_wrapper(refuse)


def add_arena(slug: str, *, competitors: int = 0, endpoint: Endpoint | None = None, **fields: Any) -> Arena:
    """By default a recorded arena, with one prompt that all its competitors answered."""
    arena = Arena.objects.create(slug=slug, title=slug, **{"kind": "recorded", **fields})
    prompts = PromptSet.objects.create(arena=arena, name="set")
    prompt = Prompt.objects.create(prompt_set=prompts, key="p", text="Why?")
    for number in range(competitors):
        name = f"{slug}-{number}"
        one = Competitor.objects.create(arena=arena, name=name, endpoint=endpoint, model_id="some-model")
        if arena.kind != "live":
            RecordedAnswer.objects.create(prompt=prompt, competitor=one, text=f"So, {number}.", conditions_hash="h")
    return arena


@pytest.mark.usefixtures("worker")
def test_all_is_well(client: Client) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 200 and answer["Content-Type"] == "application/json"
    assert answer.json() == {"database": "ok", "worker": "ok", "layers": "ok", "arenas": {}, "status": "ok"}


@pytest.mark.usefixtures("worker")
def test_an_arena_with_two_competitors_is_ready_and_one_with_fewer_says_why(client: Client) -> None:
    add_arena("full", competitors=2)
    add_arena("lonely", competitors=1)
    add_arena("empty")
    arenas = client.get("/healthz").json()["arenas"]
    assert arenas["full"] == {"state": "ready"}
    for slug in ("lonely", "empty"):
        assert arenas[slug]["state"] == "closed"
        assert "Fewer than two competitors" in arenas[slug]["why"]


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("gone", ["no answers", "one answer", "retired prompt"])
@pytest.mark.parametrize("kind", ["recorded", "mixed"])
def test_competitors_without_answers_do_not_open_an_arena(client: Client, kind: str, gone: str) -> None:
    arena = add_arena("mute", competitors=2, kind=kind)
    assert client.get("/healthz").json()["arenas"]["mute"] == {"state": "ready"}
    if gone == "retired prompt":
        Prompt.objects.update(retired_at=timezone.now())
    else:
        RecordedAnswer.objects.filter(competitor__in=arena.competitors.all()[gone == "one answer" :]).delete()
    assert client.get("/healthz").json()["arenas"]["mute"]["state"] == "closed"
    assert b'data-state="closed"' in client.get("/a/mute/").content


@pytest.mark.usefixtures("worker")
def test_a_closed_arena_is_no_failure_of_the_instance(client: Client) -> None:
    add_arena("empty")
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")


@pytest.mark.usefixtures("worker")
def test_simulated_votes_are_a_reason(client: Client) -> None:
    add_arena("sample", competitors=2, is_simulated=True)
    assert client.get("/healthz").json()["arenas"]["sample"] == {"state": "closed", "why": "its votes are simulated"}


@pytest.mark.usefixtures("worker")
def test_a_missing_local_model_is_a_reason(client: Client, settings: Settings, tmp_path: Any) -> None:
    settings.VAR_DIR, settings.LOCAL_MODEL_URL = tmp_path, ""
    (tmp_path / "local-model-unavailable.txt").write_text("It was switched off.")
    add_arena("live", kind="live", competitors=2, endpoint=Endpoint.objects.create(name="local", base_url=LOCAL_MODEL))
    live = client.get("/healthz").json()["arenas"]["live"]
    assert live["state"] == "closed" and "It was switched off." in live["why"]


@pytest.mark.usefixtures("worker")
def test_a_resting_endpoint_is_a_reason_and_stays_unnamed(client: Client) -> None:
    resting = Endpoint.objects.create(
        name="zanzibar",
        base_url="http://zanzibar.invalid/v1",
        failures_in_a_row=3,
        out_until=timezone.now() + timedelta(minutes=5),
        last_failure="zanzibar broke",
    )
    add_arena("live", kind="live", competitors=2, endpoint=resting)
    answer = client.get("/healthz")
    assert answer.json()["arenas"]["live"]["state"] == "closed"
    assert b"zanzibar" not in answer.content and b"some-model" not in answer.content


@pytest.mark.usefixtures("worker")
def test_arenas_that_are_not_for_everybody_are_not_named(client: Client) -> None:
    add_arena("open", competitors=2)
    add_arena("invited", competitors=2, access="invite")
    add_arena("hidden", competitors=2, access="private")
    add_arena("over", competitors=2, archived_at=timezone.now())
    assert list(client.get("/healthz").json()["arenas"]) == ["open"]


@pytest.mark.django_db
def test_a_worker_that_never_came_is_a_failure(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()["worker"], answer.json()["status"]) == (
        503,
        "no sign of life",
        "failing",
    )


@pytest.mark.django_db
@pytest.mark.parametrize(("silence", "status"), [(heartbeat.SILENCE * 0.5, 200), (heartbeat.SILENCE * 2, 503)])
def test_a_worker_that_fell_silent_is_a_failure(silence: timedelta, status: int, client: Client) -> None:
    heartbeat.beat(heartbeat.WORKER, now=timezone.now() - silence)
    assert client.get("/healthz").status_code == status


@pytest.mark.usefixtures("worker")
def test_a_refusing_database_is_a_failure_and_no_error_page(
    client: Client, refused: Callable[[], AbstractContextManager[None]]
) -> None:
    with refused():
        answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json() == {"database": "refused", "worker": "unknown", "layers": "ok", "status": "failing"}
    assert b"is away" not in answer.content
    assert client.get("/healthz").status_code == 200, "and it recovers by itself"


@pytest.mark.usefixtures("worker")
def test_refusing_layers_are_a_failure(client: Client, settings: Settings, closed_port: int) -> None:
    settings.CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            "CONFIG": {"hosts": [f"redis://127.0.0.1:{closed_port}/0"]},
        }
    }
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert (answer.json()["database"], answer.json()["layers"]) == ("ok", "refused")


@pytest.mark.usefixtures("worker")
def test_silent_layers_are_a_failure_and_keep_nobody_waiting(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Redis behind a firewall that drops packets answers nothing at all."""

    class Silent(InMemoryChannelLayer):  # type: ignore[misc]
        async def receive(self, channel: str) -> Any:
            await asyncio.Event().wait()

    monkeypatch.setattr(health, "LAYERS_WITHIN", 0.01)
    monkeypatch.setattr(health, "get_channel_layer", Silent)
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()["layers"]) == (503, "refused")


@pytest.mark.usefixtures("worker")
def test_lifted_limits_are_said(client: Client, settings: Settings) -> None:
    settings.RATE_LIMITS = True
    assert "rate_limits" not in client.get("/healthz").json()
    settings.RATE_LIMITS = False
    assert client.get("/healthz").json()["rate_limits"] == "off"


@pytest.mark.usefixtures("worker")
def test_it_is_asked_by_get_and_head_and_never_cached(client: Client) -> None:
    assert client.head("/healthz").status_code == 200
    assert "no-store" in client.get("/healthz")["Cache-Control"]
    assert client.post("/healthz").status_code == 405


@pytest.mark.usefixtures("worker")
def test_asking_leaves_no_cookie(client: Client) -> None:
    assert not client.get("/healthz").cookies


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port of the loopback on which nobody listens."""
    import socket

    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])
