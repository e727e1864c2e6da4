"""Sockets are for our own pages: scheme, host and port of the Origin must be those that the page came from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from arena.environment import DEFAULT_PORTS


def is_same_origin(origin: str, host: str, *, secure: bool) -> bool:
    """Whether a socket's Origin names this very server. A missing one does not."""
    if settings.PUBLIC_URL and origin == settings.PUBLIC_URL:
        return True
    domain, _port = split_domain_port(host)
    if not domain or not validate_host(domain, settings.ALLOWED_HOSTS):
        return False
    try:
        given, here = urlsplit(origin), urlsplit(f"{'https' if secure else 'http'}://{host}")
        return bool(given.hostname) and (
            (given.scheme, given.hostname, given.port or DEFAULT_PORTS.get(given.scheme))
            == (here.scheme, here.hostname, here.port or DEFAULT_PORTS[here.scheme])
        )
    except ValueError:  # a port that is no number
        return False


class SameOrigin:
    """ASGI middleware that denies the handshake of any other origin, and of none."""

    def __init__(self, inner: Callable[..., Awaitable[None]]) -> None:
        self.inner = inner

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        secure = scope.get("scheme") == "wss"  # which a trusted proxy may have told the server
        if is_same_origin(headers.get(b"origin", ""), headers.get(b"host", ""), secure=secure):
            await self.inner(scope, receive, send)
            return
        await receive()  # the handshake; to deny it costs neither a consumer nor a look at the database
        await send({"type": "websocket.close", "code": 4403})
