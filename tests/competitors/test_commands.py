from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from arena.competitors.models import Competitor, Endpoint
from arena.teams.models import Arena

pytestmark = pytest.mark.django_db


def run(name: str, *args: str) -> str:
    out = StringIO()
    call_command(name, *args, stdout=out, stderr=out)
    return out.getvalue()


def refusal(name: str, *args: str) -> str:
    with pytest.raises(CommandError) as refused:
        run(name, *args)
    assert refused.value.returncode == 2
    return str(refused.value)


def test_arena_endpoint_and_competitor_are_added_in_three_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "k")
    run("add_arena", "own", "--title", "Our own", "--kind", "live", "--access", "private", "--pace", "120",
        "--stream-mode", "live", "--reveal", "never", "--sampling", "uniform")  # fmt: skip
    run("add_endpoint", "vllm", "--base-url", "http://10.0.0.2:8000/v1/", "--key-env", "MY_KEY",
        "--total-seconds", "60")  # fmt: skip
    said = run("add_competitor", "Ada", "--arena", "own", "--endpoint", "vllm", "--model", "ada-1", "--system",
               "Be kind.", "--temperature", "0.3", "--top-p", "0.9", "--max-tokens", "200", "--stop", "END", "--stop",
               "##", "--organization", "Lab", "--license", "MIT", "--price-in", "1", "--price-out", "2.5",
               "--revision", "r2", "--extra-body", '{"seed": 1}')  # fmt: skip
    arena, endpoint, ada = Arena.objects.get(), Endpoint.objects.get(), Competitor.objects.get()
    assert (arena.access, arena.pace, arena.stream_mode, arena.reveal, arena.sampling) == (
        "private", 120, "live", "never", "uniform",
    )  # fmt: skip
    assert (endpoint.base_url, endpoint.key_env, endpoint.total_seconds, endpoint.first_token_seconds) == (
        "http://10.0.0.2:8000/v1", "MY_KEY", 60, 30,
    )  # fmt: skip
    assert (ada.arena, ada.endpoint, ada.model_id, ada.system_prompt) == (arena, endpoint, "ada-1", "Be kind.")
    assert (ada.temperature, ada.top_p, ada.max_tokens, ada.stop) == (0.3, 0.9, 200, ["END", "##"])
    assert (ada.organization, ada.license, ada.price_in, ada.price_out) == ("Lab", "MIT", 1, 2.5)
    assert (ada.revision, ada.extra_body, ada.version) == ("r2", {"seed": 1}, 1)
    assert said == "Added Ada to the arena own.\n"


def test_a_competitor_that_says_little_has_the_defaults() -> None:
    run("add_arena", "own", "--title", "Our own", "--kind", "recorded")
    run("add_competitor", "Ada", "--arena", "own", "--model", "ada-1")
    ada = Competitor.objects.get()
    assert (ada.endpoint, ada.max_tokens, ada.stop, ada.temperature) == (None, 1024, [], None)


def test_names_that_are_taken_are_refused_in_a_sentence(competitor: Competitor) -> None:
    assert "There is an arena live already." in refusal("add_arena", "live", "--title", "x", "--kind", "live")
    for slug in ("endpoints", "new"):
        assert "page of the console" in refusal("add_arena", slug, "--title", "x", "--kind", "live")
    assert "There is an endpoint here already." in refusal("add_endpoint", "here", "--base-url", "http://h/v1")
    said = refusal("add_competitor", "Ada", "--arena", "live", "--endpoint", "here", "--model", "m")
    assert "There is a competitor Ada in live already." in said


def test_unknown_names_are_refused_with_those_there_are(competitor: Competitor) -> None:
    said = refusal("add_competitor", "Bea", "--arena", "liev", "--endpoint", "here", "--model", "m")
    assert said == "There is no arena 'liev'. Known arenas: live."
    said = refusal("add_competitor", "Bea", "--arena", "live", "--endpoint", "heer", "--model", "m")
    assert said == "There is no endpoint 'heer'. Known: here."


def test_a_live_arena_wants_somebody_to_ask(arena: Arena) -> None:
    assert "--endpoint" in refusal("add_competitor", "Bea", "--arena", "live", "--model", "m")


@pytest.mark.parametrize(
    "url",
    ["h/v1", "ftp://h/v1", "http://h/v1/chat/completions", "http://me:pw@h/v1", "http://h/v1?key=1", "http://[", ""],
)
def test_addresses_that_cannot_be_asked_are_refused(url: str) -> None:
    said = refusal("add_endpoint", "x", "--base-url", url)
    assert "is no address of an endpoint" in said and "pw" not in said


def test_values_out_of_bounds_are_refused_by_option(competitor: Competitor) -> None:
    given = ("--arena", "live", "--endpoint", "here", "--model", "m", "--temperature", "9")
    assert refusal("add_competitor", "Bea", *given).startswith("--temperature: ")
    assert refusal("add_endpoint", "x", "--base-url", "http://h/v1", "--key-env", "sk-123").startswith("--key-env: ")
    assert refusal("add_arena", "no slug", "--title", "x", "--kind", "live").startswith("--slug: ")
    with pytest.raises(CommandError, match="is no JSON object"):
        run("add_competitor", "Bea", *given, "--extra-body", "1")


def test_an_unset_key_is_said_when_the_endpoint_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MY_KEY", raising=False)
    assert "MY_KEY is not set here" in run("add_endpoint", "x", "--base-url", "http://h/v1", "--key-env", "MY_KEY")


@pytest.mark.parametrize("name", ["add_arena", "add_endpoint", "add_competitor", "test_endpoint", "import_prompts",
                                  "import_answers", "seed"])  # fmt: skip
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command(name, "--help")
    assert ended.value.code == 0
    assert len(capsys.readouterr().out) > 400


@pytest.mark.parametrize("option", ["--temperature", "--top-p", "--price-in"])
@pytest.mark.parametrize("value", ["nan", "inf"])
def test_what_is_no_number_is_refused(option: str, value: str) -> None:
    run("add_arena", "own", "--title", "Own", "--kind", "recorded")
    assert option in refusal("add_competitor", "Ada", "--arena", "own", "--model", "m", option, value)
    assert not Competitor.objects.exists()


def test_a_timeout_that_is_no_number_is_refused() -> None:
    said = refusal("add_endpoint", "e", "--base-url", "http://10.0.0.2/v1", "--first-token-seconds", "nan")
    assert "--first-token-seconds" in said
    assert not Endpoint.objects.exists()


@pytest.mark.parametrize("name", ["SECRET_KEY", "secret_key", "DATABASE_URL", "REDIS_URL", "EMAIL_URL"])
def test_this_servers_own_secrets_are_sent_to_no_endpoint(name: str) -> None:
    said = refusal("add_endpoint", "thief", "--base-url", "http://10.0.0.2/v1", "--key-env", name)
    assert name in said and not Endpoint.objects.exists()


@pytest.mark.parametrize("name", ["HOME", "PATH", "MY_PASSWORD", "VAR_DIR", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN"])
def test_a_variable_that_is_no_key_is_named_with_what_to_do(name: str, settings: Any) -> None:
    said = refusal("add_endpoint", "e", "--base-url", "http://10.0.0.2/v1", "--key-env", name)
    assert "_KEY or _TOKEN" in said and "ARENA_KEY_VARIABLES" in said and not Endpoint.objects.exists()
    settings.KEY_VARIABLES = {name}
    run("add_endpoint", "e", "--base-url", "http://10.0.0.2/v1", "--key-env", name)
    assert Endpoint.objects.get().key_env == name


def test_no_list_lets_out_this_servers_own_secrets(settings: Any) -> None:
    settings.KEY_VARIABLES = {"SECRET_KEY"}
    assert "is a secret" in refusal("add_endpoint", "e", "--base-url", "http://h/v1", "--key-env", "SECRET_KEY")


@pytest.mark.parametrize("name", ["OPENROUTER_API_KEY", "HF_TOKEN", "my_key"])
def test_a_name_like_a_keys_is_taken(name: str) -> None:
    run("add_endpoint", "e", "--base-url", "http://10.0.0.2/v1", "--key-env", name)
    assert Endpoint.objects.get().key_env == name
