"""OpenAI-compatible endpoints over httpx: vLLM, llama.cpp, Ollama, LM Studio, OpenRouter, hosted ones.

The event stream is parsed here, line by line: the `openai` client costs two to three times the CPU a token.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

import httpx

from arena.competitors.providers.base import (
    Delta,
    EndpointAddress,
    ErrorCode,
    Finish,
    GenerationSettings,
    Message,
    ProviderError,
    Timeouts,
)
from arena.competitors.providers.event_stream import EventStream

MAX_CHARS = 200_000
"""Text of one answer; beyond it the endpoint is broken. The cap that voters see is the Cleaner's."""
GATHER = 0.1
"""Seconds between two looks at a connection once text flows: a look costs more than the tokens that it finds.

All streams of a process look at the same instants, so that one wake-up serves them all.
"""
_LOOK = 0.002
"""Seconds that one look takes at most; whatever comes later belongs to the next."""
_DRAIN_SECONDS = 0.2
_ERROR_BYTES = 4096
_DETAIL_CHARS = 300
# httpx watches only the connecting; reading is watched by `_Patience`, which tells tokens from comments.
CONNECTING = httpx.Timeout(None, connect=10.0, pool=10.0)
# llama.cpp closes idle connections after 5 s: asking on one that is about to close would fail.
_LIMITS = httpx.Limits(max_connections=2000, max_keepalive_connections=200, keepalive_expiry=4.0)
_HEADERS = {
    "Accept": "text/event-stream", "Accept-Encoding": "identity", "Connection": "keep-alive",
    "User-Agent": f"python-httpx/{httpx.__version__}", "Content-Type": "application/json",
}  # fmt: skip
_TOO_LONG_WORDS = ("context_length_exceeded", "exceed_context_size", "maximum context length")

STREAMS_A_CLIENT = 24
"""Streams that share a client: for each request and each end, its pool looks at every connection that it has."""


@dataclass(slots=True)
class _Shared:
    client: httpx.AsyncClient
    streams: int = 0


_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[bool, list[_Shared]]] = WeakKeyDictionary()


@contextmanager
def shared_client(*, loopback: bool) -> Iterator[httpx.AsyncClient]:
    """A client of the running event loop, for one stream: the first that has room, so that connections are used again.

    Loopback addresses are never asked through a proxy of the environment.
    """
    clients = _clients.setdefault(asyncio.get_running_loop(), {}).setdefault(loopback, [])
    shared = next((each for each in clients if each.streams < STREAMS_A_CLIENT and not each.client.is_closed), None)
    if shared is None:
        shared = _Shared(
            httpx.AsyncClient(follow_redirects=False, limits=_LIMITS, trust_env=not loopback, verify=_trusted())
        )
        clients.append(shared)
    shared.streams += 1
    try:
        yield shared.client
    finally:
        shared.streams -= 1


@cache
def _trusted() -> ssl.SSLContext:
    """Whose certificates are believed; reading them takes longer than a request, so all clients share it."""
    return httpx.create_ssl_context()


async def close_shared_clients() -> None:
    """Close the running event loop's connections; the next request opens new ones."""
    for clients in _clients.pop(asyncio.get_running_loop(), {}).values():
        for shared in clients:
            await shared.client.aclose()


class OpenAICompatibleProvider:
    """One endpoint. Cheap to make: connections belong to the event loop's shared client."""

    def __init__(
        self, address: EndpointAddress, timeouts: Timeouts | None = None, *, max_chars: int = MAX_CHARS
    ) -> None:
        self._address = address
        self._timeouts = timeouts or Timeouts()
        self._max_chars = max_chars

    def __repr__(self) -> str:
        return f"OpenAICompatibleProvider({self._address!r})"

    async def stream(self, messages: Sequence[Message], settings: GenerationSettings) -> AsyncIterator[Delta | Finish]:
        """The first text as it arrives, then what every `GATHER` seconds brought, then one Finish.

        Raises ProviderError with the code for what went wrong; its detail never holds the key.
        """
        waiting = _Patience(self._timeouts)
        request = self._request(messages, settings)
        with shared_client(loopback=is_loopback(request.url.host)) as client:
            response = await self._send(client, request, waiting)
            try:
                if response.status_code != 200:
                    raise await self._bad_status(response, waiting)
                async for event in self._events(response, waiting):
                    yield event
            finally:
                await response.aclose()

    def _request(self, messages: Sequence[Message], settings: GenerationSettings) -> httpx.Request:
        headers = {**_HEADERS, **authorization(self._address)}
        try:
            url = url_below(self._address, "chat/completions")
            body = json.dumps(request_body(messages, settings), allow_nan=False).encode()
            timeouts = {"timeout": CONNECTING.as_dict()}
            return httpx.Request("POST", url, headers=headers, content=body, extensions=timeouts)
        except (httpx.InvalidURL, ValueError, TypeError) as error:
            raise ProviderError(ErrorCode.CONNECT, self._safe(f"No request can be made: {error}")) from None

    async def _send(self, client: httpx.AsyncClient, request: httpx.Request, waiting: _Patience) -> httpx.Response:
        try:
            async with asyncio.timeout_at(waiting.deadline):
                try:
                    return await client.send(request, stream=True)
                except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                    # A kept connection may be closed just as it is used again: llama.cpp does so after most streams.
                    return await client.send(request, stream=True)
        except TimeoutError:
            raise waiting.error() from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
            raise ProviderError(ErrorCode.CONNECT, self._safe(described(error))) from None

    async def _bad_status(self, response: httpx.Response, waiting: _Patience) -> ProviderError:
        said = b""
        with suppress(TimeoutError, httpx.HTTPError):
            async with asyncio.timeout_at(waiting.deadline):
                async for chunk in response.aiter_bytes():
                    said += chunk[:_ERROR_BYTES]
                    if len(said) >= _ERROR_BYTES:
                        break
        text = said.decode("utf-8", "replace")
        code = code_of_status(response.status_code)
        if any(word in text for word in _TOO_LONG_WORDS):
            code = ErrorCode.TOO_LONG
        return ProviderError(code, self._safe(f"HTTP {response.status_code}: {text}"))

    async def _events(self, response: httpx.Response, waiting: _Patience) -> AsyncIterator[Delta | Finish]:
        body = _Body(response, self._max_chars)
        try:
            over = False
            while not over:
                text, over = await body.take(waiting)
                if text:
                    yield Delta(text)
                if not over:
                    waiting.note(alive=body.pop_alive())
            yield self._finish(body.events)
            await body.drain()
        except ProviderError as error:
            raise ProviderError(error.code, self._safe(error.detail)) from None
        finally:
            await body.close()

    @staticmethod
    def _finish(reading: EventStream) -> Finish:
        if reading.done or reading.finish_reason:
            return Finish(reading.finish_reason or "stop", reading.input_tokens, reading.output_tokens)
        if reading.events:
            says = reading.ended_badly or "The stream ended without finish_reason or [DONE]."
            raise ProviderError(ErrorCode.CUT_OFF, says)
        if reading.ended_badly:
            raise ProviderError(ErrorCode.CUT_OFF, reading.ended_badly)
        raise ProviderError(ErrorCode.MALFORMED, f"No event stream, but: {reading.stray}")

    def _safe(self, detail: str) -> str:
        return without_key(detail, self._address)


def authorization(address: EndpointAddress) -> dict[str, str]:
    """The header with the key, if there is one. Raises ProviderError for a key that no header may hold."""
    key = address.api_key.strip()
    if not (key.isascii() and key.isprintable()):
        raise ProviderError(ErrorCode.REFUSED, "The key holds characters that no header may have.")
    return {"Authorization": f"Bearer {key}"} if key else {}


def url_below(address: EndpointAddress, path: str) -> httpx.URL:
    """An address below the endpoint's. Raises ValueError and httpx.InvalidURL."""
    url = httpx.URL(f"{address.base_url.rstrip('/')}/{path}")
    if url.scheme not in ("http", "https") or not url.host or not 0 < (url.port or 80) < 65536:
        raise ValueError(f"{address.base_url!r} is no address. Write http(s)://host:port/path.")
    return url


def code_of_status(status: int) -> ErrorCode:
    """What an HTTP status other than 200 means."""
    return ErrorCode.REFUSED if 400 <= status < 500 else ErrorCode.STATUS


def without_key(detail: str, address: EndpointAddress) -> str:
    """The detail without the key, which some servers repeat, on one line and not long."""
    key = address.api_key.strip()
    if key:
        detail = detail.replace(key, "[key]")
    return " ".join(detail.split())[:_DETAIL_CHARS]


def request_body(messages: Sequence[Message], settings: GenerationSettings) -> dict[str, Any]:
    """The JSON of the request; fields that are None, also in `extra_body`, are left out."""
    body: dict[str, Any] = {
        "model": settings.model,
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "max_tokens": settings.max_tokens,
        "stop": list(settings.stop) or None,
        "seed": settings.seed,
        "stream_options": {"include_usage": True},
        **settings.extra_body,
        "messages": [{"role": message.role, "content": message.content} for message in messages],
        "stream": True,
    }
    return {name: value for name, value in body.items() if value is not None}


class _Body:
    """A response read in a task of its own, which looks at the connection now and then and takes all that has come.

    One wake-up a token would cost several times the token's work. The first text is not kept waiting.
    """

    def __init__(self, response: httpx.Response, max_chars: int) -> None:
        self.events = EventStream(max_chars)
        self._response = response
        self._texts: list[str] = []
        self._error: Exception | None = None
        self._ended = False
        self._news = asyncio.Event()
        self._clock = asyncio.get_running_loop().time
        self._look_ends = 0.0
        self._reading = asyncio.create_task(self._read())

    async def take(self, waiting: _Patience) -> tuple[str, bool]:
        """The text since the last call, waited for if there is none, and whether it was the last. Raises ProviderError.

        The text is empty when the model only thought.
        """
        try:
            async with asyncio.timeout_at(waiting.deadline):
                await self._news.wait()
        except TimeoutError:
            raise waiting.error() from None
        self._news.clear()
        if self._error is not None:
            raise self._error
        text = "".join(self._texts)
        self._texts.clear()
        return text, self._ended or self.events.done

    def pop_alive(self) -> bool:
        """Whether a token, shown or thought, has come since the last call."""
        alive, self.events.alive = self.events.alive, False
        return alive

    async def drain(self) -> None:
        """Reads to the very end, if that is near: only then can the connection be used again."""
        await asyncio.wait((self._reading,), timeout=_DRAIN_SECONDS)

    async def close(self) -> None:
        if not self._reading.done():
            self._reading.cancel()
            await asyncio.wait((self._reading,))

    async def _read(self) -> None:
        try:
            async for chunk in self._response.aiter_bytes():
                if not self.events.done:
                    await self._took(chunk)
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            self.events.ended_badly = described(error)
        except Exception as error:
            self._error = error
        finally:
            self._ended = True
            self._news.set()

    async def _took(self, chunk: bytes) -> None:
        self._texts += self.events.take(chunk)
        if self.events.done:
            self._news.set()
        elif self.events.alive:
            self._news.set()
            if (now := self._clock()) >= self._look_ends:
                await asyncio.sleep(GATHER - now % GATHER)
                self._look_ends = self._clock() + _LOOK


class _Patience:
    """The three time limits. Only waiting for the endpoint counts between tokens, not what the reader does."""

    __slots__ = ("_between", "_loop", "_seen", "_total_at", "deadline")

    def __init__(self, timeouts: Timeouts) -> None:
        self._loop = asyncio.get_running_loop()
        now = self._loop.time()
        self._between = timeouts.between_tokens
        self._total_at = now + timeouts.total
        self._seen = False
        self.deadline = min(now + timeouts.first_token, self._total_at)

    def note(self, *, alive: bool) -> None:
        """After each chunk: tokens buy more time, keep-alive comments do not. Raises ProviderError when it is up."""
        now = self._loop.time()
        if now >= self._total_at or (not alive and now >= self.deadline):
            raise self.error()
        if alive:
            self._seen = True
            self.deadline = min(now + self._between, self._total_at)

    def error(self) -> ProviderError:
        if self.deadline >= self._total_at or self._loop.time() >= self._total_at:
            return ProviderError(ErrorCode.TIMEOUT_TOTAL, "The whole answer took too long.")
        if self._seen:
            return ProviderError(ErrorCode.TIMEOUT_BETWEEN, f"No token for {self._between:g} s.")
        return ProviderError(ErrorCode.TIMEOUT_FIRST, "The first token took too long.")


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def described(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
