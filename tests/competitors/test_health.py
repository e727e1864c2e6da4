from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from arena.competitors import health, versions, watching
from arena.competitors.models import Competitor, Endpoint
from arena.teams.models import Arena


def fail(competitor: Competitor, times: int, *, now: datetime, code: str = "timeout_first") -> Endpoint:
    for _ in range(times):
        health.note_failure(competitor, code, "no first token", now=now)
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
    assert endpoint.last_failure == "timeout_first: no first token"


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
    assert Competitor.objects.get().last_failure == "refused: Incorrect API key provided: [MY_KEY]"
    health.note_failure(competitor, "status", "HTTP 500: sk-very-secret", now=now)
    assert Endpoint.objects.get().last_failure == "status: HTTP 500: [MY_KEY]"


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


# One endpoint, several competitors


def die(others: list[Competitor], *, now: datetime, code: str = "connect") -> None:
    """Two competitors fail in turns, as the two sides of two battles do."""
    for row in (others[0], others[1], others[0]):
        fail(row, 1, now=now, code=code)


@pytest.fixture
def others(competitor: Competitor, now: datetime) -> list[Competitor]:
    """Ada and two more on her endpoint, the last in an arena of somebody else; all have answered."""
    elsewhere = Arena.objects.create(slug="elsewhere", title="Elsewhere", kind=Arena.Kind.LIVE)
    for name, arena in (("Ben", competitor.arena), ("Cem", elsewhere)):
        Competitor.objects.create(arena=arena, name=name, model_id=name, endpoint=competitor.endpoint)
    Competitor.objects.update(first_answered_at=now - timedelta(days=1))
    return list(Competitor.objects.order_by("name"))


@pytest.fixture
def bogus(others: list[Competitor]) -> Competitor:
    """One that never answered, entered in another arena."""
    return Competitor.objects.create(
        arena=others[2].arena, name="Zed", model_id="no-such-model", endpoint=others[0].endpoint
    )


CODES = ["refused", "connect", "timeout_first", "status", "timeout_total", "malformed", "empty"]


@pytest.mark.parametrize("code", CODES)
def test_a_bogus_competitor_rests_alone_whatever_its_failures_look_like(
    bogus: Competitor, now: datetime, code: str
) -> None:
    endpoint = fail(bogus, 50, now=now, code=code)
    assert (endpoint.failures_in_a_row, endpoint.out_until, endpoint.last_failure) == (0, None, "")
    assert drawable(now) == ["Ada", "Ben", "Cem"]
    bogus.refresh_from_db()
    assert bogus.out_until == now + timedelta(seconds=30)


@pytest.mark.parametrize("code", CODES)
def test_one_that_has_answered_and_fails_alone_rests_alone(others: list[Competitor], now: datetime, code: str) -> None:
    assert fail(others[2], 50, now=now, code=code).out_until is None
    assert drawable(now) == ["Ada", "Ben"]


def test_several_bogus_competitors_are_no_several_witnesses(bogus: Competitor, now: datetime) -> None:
    more = [
        Competitor.objects.create(arena=bogus.arena, name=f"Zed {n}", model_id="none", endpoint=bogus.endpoint)
        for n in range(4)
    ]
    for _ in range(5):
        for row in more:
            fail(row, 1, now=now, code="connect")
    assert Endpoint.objects.get().out_until is None
    assert drawable(now) == ["Ada", "Ben", "Cem", "Zed"]


@pytest.mark.parametrize("code", ["connect", "timeout_first", "status"])
def test_a_dead_endpoint_rests_for_all_after_three_failures_of_two(
    others: list[Competitor], bogus: Competitor, now: datetime, code: str
) -> None:
    die(others, now=now, code=code)
    assert drawable(now) == []
    assert Endpoint.objects.get().out_until == now + timedelta(seconds=30)


def test_a_dead_endpoint_that_never_answered_rests_for_all_too(others: list[Competitor], now: datetime) -> None:
    Competitor.objects.update(first_answered_at=None)
    for row in others:
        fail(Competitor.objects.get(pk=row.pk), 1, now=now, code="connect")
    assert drawable(now) == []


def test_refusals_of_all_rest_each_and_never_the_address(others: list[Competitor], now: datetime) -> None:
    for row in others:
        assert fail(row, 3, now=now, code="refused").out_until is None
    assert drawable(now) == []


@pytest.mark.parametrize("code", ["refused", "too_long", "timeout_between"])
def test_whatever_comes_after_an_answer_began_shows_that_the_address_lives(
    others: list[Competitor], now: datetime, code: str
) -> None:
    for row in (others[0], others[1]):
        fail(row, 1, now=now, code="connect")
    fail(others[2], 1, now=now, code=code)
    assert fail(others[0], 1, now=now, code="connect").out_until is None


def test_an_answer_of_one_ends_the_row_of_all(others: list[Competitor], now: datetime) -> None:
    for row in (others[0], others[1]):
        fail(row, 1, now=now)
    health.note_success(others[2])
    assert Endpoint.objects.get().last_failed is None
    for row in (others[0], others[1]):
        assert fail(row, 1, now=now).out_until is None


def test_after_a_dead_endpoint_all_come_back_together(others: list[Competitor], now: datetime) -> None:
    """However long it was dead: its competitors carry no pauses of their own."""
    die(others, now=now)
    for _ in range(6):
        until = Endpoint.objects.get().out_until
        assert until is not None
        now = until
        assert health.claim_probes([others[0].pk, others[1].pk], now=now) == 1
        assert drawable(now) == []
        for row in others[:2]:
            fail(row, 1, now=now)
    health.note_success(others[1])
    assert drawable(now) == ["Ada", "Ben", "Cem"]


def test_a_competitor_comes_back_by_its_own_probe(bogus: Competitor, now: datetime) -> None:
    fail(bogus, 3, now=now, code="refused")
    later = now + timedelta(seconds=30)
    assert drawable(later) == ["Ada", "Ben", "Cem", "Zed"]
    assert health.claim_probes([bogus.pk], now=later) == 1
    assert drawable(later + timedelta(seconds=59)) == ["Ada", "Ben", "Cem"]
    health.note_success(bogus)
    assert drawable(later) == ["Ada", "Ben", "Cem", "Zed"]


def test_a_bogus_competitor_does_not_use_up_the_probe_of_its_endpoint(
    others: list[Competitor], bogus: Competitor, now: datetime
) -> None:
    die(others, now=now)
    later = now + timedelta(seconds=30)
    assert health.claim_probes([bogus.pk], now=later) == 0
    fail(bogus, 3, now=later, code="connect")
    assert drawable(later) == ["Ada", "Ben", "Cem"]
    assert health.claim_probes([others[0].pk, bogus.pk], now=later) == 1


def test_putting_an_endpoint_back_puts_its_competitors_back(bogus: Competitor, now: datetime) -> None:
    fail(bogus, 3, now=now, code="refused")
    assert health.put_back([bogus.endpoint_id or 0]) == 1
    assert "Zed" in drawable(now)
    assert health.put_back([bogus.endpoint_id or 0]) == 0


def test_one_that_never_answered_is_in_the_draw_once_it_is_corrected(bogus: Competitor, now: datetime) -> None:
    fail(bogus, 3, now=now, code="refused")
    versions.change(bogus, now=now, description="About it.")
    assert "Zed" not in drawable(now)
    versions.change(bogus, now=now, model_id="there-it-is")
    assert "Zed" in drawable(now)


def test_watching_tells_a_competitor_from_its_endpoint(
    others: list[Competitor], bogus: Competitor, now: datetime
) -> None:
    fail(bogus, 3, now=now, code="refused")
    assert [row.label for row in watching.resting_alone(bogus.arena, now=now)] == ["Zed"]
    assert watching.resting_alone(others[0].arena, now=now) == []
    alone = watching.state_of_competitor(Competitor.objects.get(pk=bogus.pk), now=now)
    assert alone and (alone.state, alone.last_failure) == (watching.RESTS_ALONE, "refused: no first token")
    good = watching.state_of_competitor(others[0], now=now)
    assert good and (good.state, good.last_failure) == (watching.ANSWERS, "")
    die(others, now=now)
    whole = watching.state_of_competitor(Competitor.objects.get(pk=bogus.pk), now=now)
    assert whole and whole.state == watching.RESTS
