"""What an endpoint says that it offers is read with patience, and never believed blindly."""

from __future__ import annotations

import json
from typing import Any

import pytest

from arena.competitors import endpoints
from arena.competitors.models import Endpoint as Row
from arena.competitors.providers import EndpointAddress, ErrorCode, ProviderError, listing, offered_models
from tests.competitors.scripted_server import Behaviour, answering, endpoint, replying

KEY = "sk-very-secret"


def listing_of(body: Any, status: str = "200 OK") -> Behaviour:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(raw)}\r\n\r\n"
    return replying(head.encode() + raw)


def named(*ids: Any) -> dict[str, Any]:
    return {"object": "list", "data": [{"id": name, "object": "model", "owned_by": "x"} for name in ids]}


async def asked(behave: Behaviour, key: str = "", **limits: float) -> tuple[list[str], bytes]:
    async with endpoint(behave) as server:
        models = await offered_models(EndpointAddress(server.base_url, key), **limits)
        return models, server.requests[0]


async def refusal(behave: Behaviour, key: str = "", **limits: float) -> ProviderError:
    with pytest.raises(ProviderError) as refused:
        await asked(behave, key, **limits)
    return refused.value


async def test_models_are_named_once_and_in_order() -> None:
    models, request = await asked(listing_of(named("qwen3", "llama3.2:1b", "qwen3")), KEY)
    assert models == ["llama3.2:1b", "qwen3"]
    assert request.startswith(b"GET /v1/models HTTP/1.1\r\n")
    assert f"authorization: bearer {KEY}".encode() in request.lower()


async def test_without_a_key_none_is_sent() -> None:
    _models, request = await asked(listing_of(named("qwen3")))
    assert b"authorization" not in request.lower()


async def test_names_that_no_competitor_can_have_are_left_out() -> None:
    models, _request = await asked(listing_of(named("fine", "", "x" * 201, "two\nlines", 7, None)))
    assert models == ["fine"]


async def test_an_endpoint_that_offers_nothing_is_no_error() -> None:
    assert (await asked(listing_of(named())))[0] == []


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"", b"[]", b"null", b'{"models": []}', b'{"data": 7}', b'{"data": [{"name": "x"}]}',
     b'{"data": [{"id": ["x"]}]}', b"\xff\xfe", b"[" * 100_000],
)  # fmt: skip
async def test_anything_else_is_no_list(body: bytes) -> None:
    refused = await refusal(listing_of(body))
    assert refused.code == ErrorCode.MALFORMED and "No list of models" in refused.detail


@pytest.mark.parametrize(
    ("status", "code"),
    [("401 Unauthorized", ErrorCode.REFUSED), ("404 Not Found", ErrorCode.REFUSED),
     ("503 Unavailable", ErrorCode.STATUS), ("302 Found", ErrorCode.STATUS)],
)  # fmt: skip
async def test_another_status_is_told_without_the_key(status: str, code: ErrorCode) -> None:
    refused = await refusal(listing_of({"error": f"The key {KEY} is wrong"}, status), KEY)
    assert refused.code == code and refused.detail.startswith(f"HTTP {status[:3]}:")
    assert KEY not in refused.detail and "[key]" in refused.detail


async def test_a_list_without_end_is_not_read_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MOST_BYTES", 1000)
    refused = await refusal(answering(*[b"x" * 600] * 2, 30.0))
    assert refused.code == ErrorCode.MALFORMED and "more than 1000 bytes" in refused.detail


async def test_a_slow_list_is_given_up() -> None:
    refused = await refusal(answering(b'{"data"', 30.0), seconds=0.2)
    assert (refused.code, refused.detail) == (ErrorCode.TIMEOUT_TOTAL, "There was no list after 0.2 s.")


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:9/v1", "ftp://example.org/v1", "http://[::1/v1"])
async def test_an_address_that_does_not_answer_is_named_so(base_url: str) -> None:
    with pytest.raises(ProviderError) as refused:
        await offered_models(EndpointAddress(base_url))
    assert refused.value.code == ErrorCode.CONNECT


def test_an_endpoint_without_its_key_is_not_asked(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MINE_KEY", raising=False)
    row = Row.objects.create(name="mine", base_url="http://127.0.0.1:9/v1", key_env="MINE_KEY")
    offer = endpoints.look_up_models(row)
    assert offer.models == () and "takes its key from MINE_KEY, which is not set" in offer.error_detail


def test_look_ups_take_turns_with_trials(db: None) -> None:
    row = Row.objects.create(name="mine", base_url="http://127.0.0.1:9/v1")
    assert endpoints.look_up_models(row).error_detail.startswith("connect: ")
    for _ in range(2):
        assert endpoints._trials.acquire(blocking=False), "the look-up before has given its place back"
    try:
        assert endpoints.look_up_models(row).error_detail == "Two others are being asked. Try again in a moment."
    finally:
        for _ in range(2):
            endpoints._trials.release()
