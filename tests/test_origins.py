"""Sockets are for pages of this very origin: scheme, host and port."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref import testing
from pytest_django import Settings
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from arena.origins import SameOrigin, is_same_origin

Communicator: Any = testing.ApplicationCommunicator
LOCAL = ["localhost", "127.0.0.1", "[::1]"]


@pytest.fixture(autouse=True)
def local(settings: Settings) -> Settings:
    """An instance that listens on the loopback and has no public address."""
    settings.ALLOWED_HOSTS, settings.PUBLIC_URL = LOCAL, ""
    return settings


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1:8000"),
        ("http://localhost:8000", "localhost:8000"),
        ("http://LOCALHOST:8000", "localhost:8000"),
        ("http://[::1]:8000", "[::1]:8000"),
        ("http://localhost", "localhost"),
        ("http://localhost", "localhost:80"),
        ("http://localhost:80", "localhost"),
    ],
)
def test_the_page_itself_may_open_sockets(origin: str, host: str) -> None:
    assert is_same_origin(origin, host, secure=False)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("", "localhost:8000"),
        ("*", "localhost:8000"),
        ("null", "localhost:8000"),
        ("localhost:8000", "localhost:8000"),
        ("//localhost:8000", "localhost:8000"),
        ("http://", "localhost:8000"),
        ("http://evil.example.org", "localhost:8000"),
        ("http://evil.example.org:8000", "localhost:8000"),
        ("http://localhost.evil.example.org:8000", "localhost:8000"),
        ("http://127.0.0.1:8000", "localhost:8000"),
        ("http://localhost:8001", "localhost:8000"),
        ("http://localhost", "localhost:8000"),
        ("http://localhost:8000", "localhost"),
        ("https://localhost:8000", "localhost:8000"),
        ("https://localhost", "localhost"),
        ("ftp://localhost:8000", "localhost:8000"),
        ("http://localhost:port", "localhost:8000"),
        ("http://[::1", "localhost:8000"),
        ("http://localhost:8000", ""),
        ("http://localhost:8000", "*"),
    ],
)
def test_any_other_origin_is_refused_and_so_is_none(origin: str, host: str) -> None:
    assert not is_same_origin(origin, host, secure=False)


def test_a_host_that_we_do_not_answer_to_is_refused_though_origin_agrees() -> None:
    """DNS rebinding: a stranger's name that points here."""
    assert not is_same_origin("http://evil.example.org:8000", "evil.example.org:8000", secure=False)


def test_the_scheme_of_the_connection_counts() -> None:
    assert is_same_origin("https://localhost", "localhost", secure=True)
    assert is_same_origin("https://localhost:443", "localhost", secure=True)
    assert not is_same_origin("http://localhost", "localhost", secure=True)
    assert not is_same_origin("http://localhost:443", "localhost", secure=True)


def test_the_public_address_is_an_origin_whatever_the_proxy_makes_of_host(local: Settings) -> None:
    local.PUBLIC_URL = "https://arena.example.org"
    local.ALLOWED_HOSTS = [*LOCAL, "arena.example.org"]
    assert is_same_origin("https://arena.example.org", "127.0.0.1:8000", secure=False)
    assert is_same_origin("https://arena.example.org", "arena.example.org", secure=False)
    for other in ("http://arena.example.org:444", "https://arena.example.org:444", "https://example.org", ""):
        assert not is_same_origin(other, "arena.example.org", secure=False)


@pytest.mark.parametrize("host", ["10.0.0.5:8000", "box.local:8000", "[fe80::1]:8000"])
def test_on_all_interfaces_the_name_that_was_used_is_the_origin(host: str, local: Settings) -> None:
    local.ALLOWED_HOSTS = ["*"]
    assert is_same_origin(f"http://{host}", host, secure=False)
    assert not is_same_origin("http://evil.example.org:8000", host, secure=False)
    assert not is_same_origin(f"http://{host}1", host, secure=False)
    assert not is_same_origin("", host, secure=False)
    assert not is_same_origin("*", host, secure=False)


class Inner:
    """Accepts whatever reaches it."""

    def __init__(self) -> None:
        self.reached = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.reached = True
        await receive()
        await send({"type": "websocket.accept"})


async def knock(headers: dict[str, str], *, peer: str = "203.0.113.9", trusted: str = "10.0.0.1") -> bool:
    """Whether the handshake succeeds behind the server's own reading of forwarding headers."""
    inner = Inner()
    application = ProxyHeadersMiddleware(SameOrigin(inner), trusted)  # type: ignore[arg-type]
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    scope = {"type": "websocket", "scheme": "ws", "path": "/ws/", "headers": raw, "client": [peer, 50000]}
    socket = Communicator(application, scope)
    await socket.send_input({"type": "websocket.connect"})
    accepted = (await socket.receive_output(timeout=30))["type"] == "websocket.accept"
    assert inner.reached is accepted
    await socket.send_input({"type": "websocket.disconnect", "code": 1006})
    await socket.wait(timeout=30)
    return accepted


async def test_a_handshake_of_our_page_reaches_the_consumer() -> None:
    assert await knock({"host": "localhost:8000", "origin": "http://localhost:8000"})


async def test_a_handshake_without_origin_is_denied() -> None:
    assert not await knock({"host": "localhost:8000"})


async def test_a_handshake_without_host_is_denied() -> None:
    assert not await knock({"origin": "http://localhost:8000"})


async def test_a_handshake_of_another_site_is_denied() -> None:
    assert not await knock({"host": "localhost:8000", "origin": "http://evil.example.org"})


async def test_letters_of_no_alphabet_are_denied_without_an_error() -> None:
    assert not await knock({"host": "localhost:8000", "origin": "http://\xff\xfe"})


async def test_a_trusted_proxy_may_say_that_the_page_was_secure(local: Settings) -> None:
    local.ALLOWED_HOSTS = [*LOCAL, "arena.example.org"]
    headers = {"host": "arena.example.org", "origin": "https://arena.example.org", "x-forwarded-proto": "https"}
    assert await knock(headers, peer="10.0.0.1")


async def test_nobody_else_may_say_so(local: Settings) -> None:
    local.ALLOWED_HOSTS = [*LOCAL, "arena.example.org"]
    local.IS_SECURE, local.TRUSTED_PROXIES = True, ["10.0.0.1"]
    headers = {"host": "arena.example.org", "origin": "https://arena.example.org", "x-forwarded-proto": "https"}
    assert not await knock(headers, peer="203.0.113.9")


def test_every_socket_of_the_instance_stands_behind_the_check() -> None:
    from arena.asgi import application

    assert isinstance(application.application_mapping["websocket"], SameOrigin)
