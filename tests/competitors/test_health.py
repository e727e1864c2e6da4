from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from arena.competitors import health
from arena.competitors.models import Competitor, Endpoint
from arena.teams.models import Arena


def fail(competitor: Competitor, times: int, *, now: datetime) -> Endpoint:
    for _ in range(times):
        health.note_failure(competitor, "timeout", "no first token", now=now)
    return Endpoint.objects.get(pk=competitor.endpoint_id)


def drawable(now: datetime) -> list[str]:
    return [competitor.label for competitor in Competitor.objects.filter(health.healthy_filter(now))]


def test_two_failures_are_forgiven_and_the_third_takes_it_out(competitor: Competitor, now: datetime) -> None:
    assert fail(competitor, 2, now=now).out_until is None
    assert drawable(now) == ["Ada"]
    assert fail(competitor, 1, now=now).out_until == now + timedelta(seconds=30)
    assert drawable(now + timedelta(seconds=29)) == []
    assert drawable(now + timedelta(seconds=30)) == ["Ada"]


def test_the_pause_doubles_to_fifteen_minutes(competitor: Competitor, now: datetime) -> None:
    fail(competitor, 2, now=now)
    pauses = []
    for _ in range(9):
        endpoint = fail(competitor, 1, now=now)
        assert endpoint.out_until is not None
        pauses.append((endpoint.out_until - now).total_seconds())
        now = endpoint.out_until
    assert pauses == [30, 60, 120, 240, 480, 900, 900, 900, 900]


def test_failures_of_battles_drawn_earlier_do_not_lengthen_the_pause(competitor: Competitor, now: datetime) -> None:
    fail(competitor, 3, now=now)
    endpoint = fail(competitor, 20, now=now + timedelta(seconds=5))
    assert endpoint.failures_in_a_row == 3
    assert endpoint.out_until == now + timedelta(seconds=30)
    assert endpoint.last_failure_at == now + timedelta(seconds=5)


def test_a_success_brings_it_back_at_once(competitor: Competitor, now: datetime) -> None:
    fail(competitor, 4, now=now)
    health.note_success(competitor)
    endpoint = Endpoint.objects.get()
    assert (endpoint.failures_in_a_row, endpoint.out_until) == (0, None)
    assert endpoint.last_failure == "timeout: no first token"


def test_a_success_in_good_health_writes_nothing(competitor: Competitor) -> None:
    with CaptureQueriesContext(connection) as queries:
        health.note_success(competitor)
    assert [query["sql"].split()[0] for query in queries] == ["SELECT"]


def test_one_draw_after_the_pause_is_the_probe(competitor: Competitor, now: datetime) -> None:
    fail(competitor, 3, now=now)
    later = now + timedelta(seconds=31)
    assert drawable(later) == ["Ada"]
    assert health.claim_probes([competitor.pk], now=later) == 1
    assert drawable(later) == []
    assert health.claim_probes([competitor.pk], now=later) == 0
    health.note_success(competitor)
    assert drawable(later) == ["Ada"]


def test_a_probe_that_fails_doubles_the_pause_once(competitor: Competitor, now: datetime) -> None:
    fail(competitor, 3, now=now)
    later = now + timedelta(seconds=31)
    health.claim_probes([competitor.pk], now=later)
    endpoint = fail(competitor, 1, now=later + timedelta(seconds=2))
    assert endpoint.failures_in_a_row == 4
    assert endpoint.out_until == later + timedelta(seconds=60)


def test_a_draw_of_healthy_endpoints_claims_nothing(competitor: Competitor, now: datetime) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert health.claim_probes([competitor.pk], now=now) == 0
    assert len(queries) == 1


def test_an_operator_puts_it_back(competitor: Competitor, now: datetime) -> None:
    fail(competitor, 3, now=now)
    assert health.put_back([competitor.endpoint_id or 0]) == 1
    assert drawable(now) == ["Ada"]


def test_a_key_never_reaches_the_database(
    competitor: Competitor, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    Endpoint.objects.update(key_env="MY_KEY")
    monkeypatch.setenv("MY_KEY", "sk-very-secret")
    health.note_failure(competitor, "refused", "Incorrect API key provided: sk-very-secret", now=now)
    assert Endpoint.objects.get().last_failure == "refused: Incorrect API key provided: [MY_KEY]"


def test_retired_competitors_and_those_without_an_endpoint_are_not_drawn(
    arena: Arena, competitor: Competitor, now: datetime
) -> None:
    Competitor.objects.create(arena=arena, name="Recorded", model_id="r")
    Competitor.objects.create(arena=arena, name="Old", model_id="o", endpoint=competitor.endpoint, retired_at=now)
    assert drawable(now) == ["Ada"]


def test_an_endpoint_without_its_key_is_not_drawn(
    competitor: Competitor, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    Endpoint.objects.update(key_env="MY_KEY")
    monkeypatch.delenv("MY_KEY", raising=False)
    assert drawable(now) == []
    monkeypatch.setenv("MY_KEY", "k")
    assert drawable(now) == ["Ada"]


def test_the_local_model_is_drawn_only_while_it_runs(
    competitor: Competitor, now: datetime, settings: Settings, tmp_path: Path
) -> None:
    settings.VAR_DIR = tmp_path
    Endpoint.objects.update(base_url="local-model")
    settings.LOCAL_MODEL_URL = ""
    assert drawable(now) == []
    settings.LOCAL_MODEL_URL = "http://127.0.0.1:9/v1"
    assert drawable(now) == ["Ada"]
    (tmp_path / "local-model-unavailable.txt").write_text("The weights are not installed.\n")
    assert drawable(now) == []
    assert health.local_model_missing() == "The weights are not installed."


def test_failures_of_recorded_competitors_are_nobodys(arena: Arena, now: datetime) -> None:
    recorded = Competitor.objects.create(arena=arena, name="Recorded", model_id="r")
    health.note_failure(recorded, "timeout", "", now=now)
    health.note_success(recorded)
