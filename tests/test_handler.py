"""One crossing to one thread a request; answers that stream end when their reader leaves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.core import signals
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from arena.handler import WarmHandler

SCOPE = {
    "type": "http",
    "method": "GET",
    "path": "/somewhere",
    "query_string": b"",
    "headers": [(b"host", b"localhost")],
}
BAD = [(b"content-type", b"text/plain; charset=\xff")]


@pytest.fixture
def seen() -> Iterator[list[tuple[str, int]]]:
    """What happened, in order, with the thread that it happened in."""
    happened: list[tuple[str, int]] = []

    def started(**_: Any) -> None:
        happened.append(("started", threading.get_ident()))

    def finished(**_: Any) -> None:
        happened.append(("finished", threading.get_ident()))

    signals.request_started.connect(started)
    signals.request_finished.connect(finished)
    yield happened
    signals.request_started.disconnect(started)
    signals.request_finished.disconnect(finished)


def asked(
    view: Callable[[HttpRequest], HttpResponseBase], monkeypatch: pytest.MonkeyPatch, **scope: Any
) -> ApplicationCommunicator:
    handler = WarmHandler()
    monkeypatch.setattr(handler, "get_response", view)
    return ApplicationCommunicator(handler, {**SCOPE, **scope})


async def test_signals_and_view_share_one_thread(seen: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        seen.append((request.path, threading.get_ident()))
        return HttpResponse(b"said: " + request.body)

    line = asked(view, monkeypatch, method="POST")
    await line.send_input({"type": "http.request", "body": b"hel", "more_body": True})
    await line.send_input({"type": "http.request", "body": b"lo"})
    assert (await line.receive_output(timeout=30))["status"] == 200
    assert (await line.receive_output(timeout=30))["body"] == b"said: hello"
    await line.wait(timeout=30)
    assert [what for what, _ in seen] == ["started", "/somewhere", "finished"]
    assert len({thread for _, thread in seen}) == 1
    assert seen[0][1] != threading.get_ident()


async def test_a_body_without_end_is_refused_before_anybody_looks_at_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arena.handler.MOST_BODY", 1_000_000)
    line = asked(lambda _request: HttpResponse("looked at"), monkeypatch, method="POST")
    for _ in range(4):
        await line.send_input({"type": "http.request", "body": bytes(250_001), "more_body": True})
    assert (await line.receive_output(timeout=30))["status"] == 413
    assert b"At most" in (await line.receive_output(timeout=30))["body"]
    await line.wait(timeout=30)


async def test_a_request_that_is_none_is_refused_and_ends(seen: list[tuple[str, int]]) -> None:
    line = ApplicationCommunicator(
        WarmHandler(), {**SCOPE, "headers": [(b"content-type", b"text/plain; charset=\xff")]}
    )
    await line.send_input({"type": "http.request", "body": b""})
    assert (await line.receive_output(timeout=30))["status"] == 400
    await line.receive_output(timeout=30)
    await line.wait(timeout=30)
    assert [what for what, _ in seen] == ["started", "finished"]


async def test_who_leaves_early_costs_no_view(seen: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch) -> None:
    line = asked(lambda _request: pytest.fail("asked"), monkeypatch)
    await line.send_input({"type": "http.disconnect"})
    await line.wait(timeout=30)
    assert seen == []


@pytest.mark.parametrize("leaves", [True, False])
async def test_a_stream_ends_with_its_reader_and_is_closed(
    seen: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch, leaves: bool
) -> None:
    ended = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        try:
            yield b"one"
            await asyncio.sleep(60 if leaves else 0)
            yield b"two"
        finally:
            ended.set()

    line = asked(lambda _request: StreamingHttpResponse(pieces()), monkeypatch)
    await line.send_input({"type": "http.request", "body": b""})
    assert (await line.receive_output(timeout=30))["status"] == 200
    assert (await line.receive_output(timeout=30))["body"] == b"one"
    if leaves:
        await line.send_input({"type": "http.disconnect"})
    else:
        assert (await line.receive_output(timeout=30))["body"] == b"two"
    await line.wait(timeout=30)
    await asyncio.wait_for(ended.wait(), 30)
    assert [what for what, _ in seen] == ["started", "finished"]


async def test_a_stream_that_fails_says_so_to_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"one"
        raise ValueError("broken")

    line = asked(lambda _request: StreamingHttpResponse(pieces()), monkeypatch)
    await line.send_input({"type": "http.request", "body": b""})
    with pytest.raises(ValueError, match="broken"):
        await line.wait(timeout=30)
