from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import DjangoAssertNumQueries, Settings

from arena.competitors import endpoints, health
from arena.competitors.endpoints import KeyMissing, LocalModelMissing, NothingToAsk, TrialResult
from arena.competitors.models import Competitor, Endpoint
from arena.competitors.providers import (
    EndpointAddress,
    ErrorCode,
    Finish,
    Message,
    ProviderError,
    ScriptedProvider,
    Timeouts,
)
from arena.prompts.models import PromptSet
from arena.teams.models import Arena


@pytest.fixture
def pair(competitor: Competitor) -> list[Competitor]:
    other = Competitor.objects.create(
        arena=competitor.arena, name="Bea", endpoint=competitor.endpoint, model_id="bea-1"
    )
    return [competitor, other]


def test_an_address_is_the_stored_one_with_the_key_of_the_environment(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "sk-1")
    assert endpoints.address_of(endpoint).api_key == ""
    endpoint.key_env = "MY_KEY"
    address = endpoints.address_of(endpoint)
    assert (address.base_url, address.api_key) == ("http://127.0.0.1:9/v1", "sk-1")
    assert "sk-1" not in repr(address)


def test_a_missing_key_names_its_variable(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MY_KEY", raising=False)
    endpoint.key_env = "MY_KEY"
    with pytest.raises(KeyMissing, match="MY_KEY, which is not set"):
        endpoints.address_of(endpoint)


def test_the_local_model_is_where_its_starter_put_it(endpoint: Endpoint, settings: Settings, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path
    endpoint.base_url = "local-model"
    settings.LOCAL_MODEL_URL = "http://127.0.0.1:7/v1"
    assert endpoints.address_of(endpoint).base_url == "http://127.0.0.1:7/v1"
    settings.LOCAL_MODEL_URL = ""
    with pytest.raises(LocalModelMissing, match="LOCAL_MODEL_URL"):
        endpoints.address_of(endpoint)


def test_settings_and_timeouts_reach_the_provider(competitor: Competitor) -> None:
    competitor.stop, competitor.extra_body = ["END"], {"seed": 1}
    given = endpoints.generation_settings(competitor)
    assert (given.model, given.temperature, given.top_p, given.max_tokens) == ("ada-1", 0.5, None, 1024)
    assert (given.stop, given.extra_body) == (("END",), {"seed": 1})
    assert competitor.endpoint is not None
    competitor.endpoint.total_seconds = 7
    waits = endpoints.timeouts(competitor.endpoint)
    assert (waits.first_token, waits.between_tokens, waits.total) == (30, 15, 7)
    assert "127.0.0.1:9" in repr(endpoints.provider_for(competitor))


def test_recorded_competitors_cannot_be_asked(arena: Arena) -> None:
    with pytest.raises(NothingToAsk, match="Ada has recorded answers only"):
        endpoints.provider_for(Competitor(arena=arena, name="Ada", model_id="a"))


# Why an arena is closed


def test_two_healthy_competitors_make_a_live_arena_ready(pair: list[Competitor], now: datetime) -> None:
    assert endpoints.why_closed(pair[0].arena, now) == ""


def test_fewer_than_two_close_it(competitor: Competitor, now: datetime) -> None:
    assert "Fewer than two competitors" in endpoints.why_closed(competitor.arena, now)


def test_resting_endpoints_close_it_until_the_next_try(pair: list[Competitor], now: datetime) -> None:
    for _ in range(3):
        health.note_failure(pair[0], "connect", "", now=now)
    assert "The next try is at 12:00:30 UTC" in endpoints.why_closed(pair[0].arena, now)
    assert endpoints.why_closed(pair[0].arena, now + timedelta(seconds=30)) == ""


def test_a_missing_local_model_closes_it_with_the_reason(
    pair: list[Competitor], now: datetime, settings: Settings, tmp_path: Path
) -> None:
    settings.VAR_DIR, settings.LOCAL_MODEL_URL = tmp_path, ""
    Endpoint.objects.update(base_url="local-model")
    (tmp_path / "local-model-unavailable.txt").write_text("The weights are not installed.")
    said = endpoints.why_closed(pair[0].arena, now)
    assert said == "The local model is not available: The weights are not installed."


def test_a_missing_key_closes_it_and_voters_do_not_read_which(
    pair: list[Competitor], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ACME_KEY", raising=False)
    Endpoint.objects.update(key_env="ACME_KEY")
    said = endpoints.why_closed(pair[0].arena, now)
    assert "key is not set" in said and "ACME" not in said


def test_recorded_arenas_need_no_endpoint(arena: Arena, now: datetime) -> None:
    arena.kind = Arena.Kind.RECORDED
    prompt = PromptSet.objects.create(arena=arena, name="set").prompts.create(key="p", text="Why?")
    for name in "ab":
        assert "Fewer than two" in endpoints.why_closed(arena, now)
        one = Competitor.objects.create(arena=arena, name=name, model_id=name)
        one.recorded_answers.create(prompt=prompt, text=f"So, {name}.", conditions_hash="h")
    assert endpoints.why_closed(arena, now) == ""


def test_simulated_and_archived_arenas_are_closed(pair: list[Competitor], now: datetime) -> None:
    arena = pair[0].arena
    arena.is_simulated = True
    assert "simulated" in endpoints.why_closed(arena, now)
    arena.archived_at = now
    assert "archived" in endpoints.why_closed(arena, now)


def test_a_ready_arena_costs_one_query(
    pair: list[Competitor], now: datetime, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        endpoints.why_closed(pair[0].arena, now)


# Trials


def test_a_trial_streams_one_answer_under_the_competitors_settings(competitor: Competitor) -> None:
    competitor.system_prompt = "Be kind."
    provider = ScriptedProvider("I am", " fine.", Finish("stop", 5, 4))
    result = endpoints.try_endpoint(competitor, prompt="How are you?", provider=provider)
    assert (result.text, result.failed, result.output_tokens) == ("I am fine.", False, 4)
    ((messages, settings),) = provider.asked
    assert messages == (Message("system", "Be kind."), Message("user", "How are you?"))
    assert settings == endpoints.generation_settings(competitor)


def test_a_failed_trial_is_a_result(endpoint: Endpoint) -> None:
    provider = ScriptedProvider(ProviderError(ErrorCode.REFUSED, "HTTP 401"))
    result = endpoints.try_endpoint(endpoint, model_id="m", provider=provider)
    assert (result.error_code, result.error_detail) == ("refused", "HTTP 401")
    assert endpoints.try_endpoint(endpoint, model_id="m", provider=ScriptedProvider(" ")).error_code == "empty"


def test_only_two_are_asked_at_once(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each keeps a thread that pages are worked on in, for as long as its endpoint takes."""
    monkeypatch.setattr(endpoints, "_trials", threading.BoundedSemaphore(1))
    with endpoints._trials:
        refused = endpoints.try_endpoint(endpoint, model_id="m", provider=ScriptedProvider("x"))
        assert refused.error_code == "not_asked" and "Try again" in refused.error_detail
    failed = ScriptedProvider(ProviderError(ErrorCode.REFUSED, "HTTP 401"))
    assert endpoints.try_endpoint(endpoint, model_id="m", provider=failed).error_code == "refused"
    assert endpoints.try_endpoint(endpoint, model_id="m", provider=ScriptedProvider("x")).text == "x"


@pytest.mark.parametrize(("given", "waits"), [(3600.0, endpoints.TRIAL_SECONDS), (60.0, 60.0)])
def test_nobody_waits_an_hour_for_a_trial(
    given: float, waits: float, competitor: Competitor, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[float] = []

    def provider(address: EndpointAddress, timeouts: Timeouts) -> ScriptedProvider:
        made.append(timeouts.total)
        return ScriptedProvider("x")

    monkeypatch.setattr(endpoints, "OpenAICompatibleProvider", provider)
    endpoint.total_seconds = given
    competitor.endpoint = endpoint
    for asked in (endpoint, competitor):
        assert endpoints.try_endpoint(asked, model_id="m").text == "x"
    assert made == [waits, waits]


def test_a_trial_without_its_key_says_so(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MY_KEY", raising=False)
    endpoint.key_env = "MY_KEY"
    assert "MY_KEY" in endpoints.try_endpoint(endpoint, model_id="m").error_detail


def test_speed_is_counted_after_the_first_token() -> None:
    result = TrialResult(text="x", first_token_ms=500, total_ms=1500, output_tokens=51)
    assert result.tokens_per_second == 50.0
    assert result.figures() == "first token after 500 ms, whole answer after 1500 ms, 50.0 tokens/s"
    assert TrialResult(text="x", first_token_ms=500, total_ms=500, output_tokens=1).tokens_per_second is None


class _Model(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for text in ("Hello", " there."):
            self.wfile.write(b'data: {"choices":[{"delta":{"content":"%s"}}]}\n\n' % text.encode())
        self.wfile.write(b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n')

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def model() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Model) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        server.shutdown()
        thread.join()


def test_the_command_prints_an_answer_streamed_over_the_network(endpoint: Endpoint, model: str) -> None:
    Endpoint.objects.update(base_url=model)
    out = StringIO()
    call_command("test_endpoint", "here", "--model", "m", stdout=out)
    text, figures, _ = out.getvalue().split("\n")
    assert text == "Hello there." and figures.startswith("first token after ")


def test_the_command_says_what_went_wrong(endpoint: Endpoint) -> None:
    with pytest.raises(CommandError, match=r"here did not answer\. connect: "):
        call_command("test_endpoint", "here", "--model", "m")
    with pytest.raises(CommandError, match=r"no endpoint 'there'\. Known: here"):
        call_command("test_endpoint", "there", "--model", "m")


def test_trials_leave_no_event_loop_behind(endpoint: Endpoint) -> None:
    endpoints.try_endpoint(endpoint, model_id="m", provider=ScriptedProvider("x"))
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()


def test_one_that_rests_alone_closes_an_arena_of_two_until_the_next_try(pair: list[Competitor], now: datetime) -> None:
    for _ in range(3):
        health.note_failure(pair[0], "refused", "", now=now)
    assert "The next try is at 12:00:30 UTC" in endpoints.why_closed(pair[0].arena, now)
    assert endpoints.why_closed(pair[0].arena, now + timedelta(seconds=30)) == ""
