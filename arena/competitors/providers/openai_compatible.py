"""OpenAI-compatible endpoints over httpx: vLLM, llama.cpp, Ollama, LM Studio, OpenRouter, hosted ones.

The event stream is parsed here, line by line: the `openai` client costs two to three times the CPU a token.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
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

MAX_CHARS = 200_000
"""Text of one answer; beyond it the endpoint is broken. The cap that voters see is the Cleaner's."""
MAX_LINE_BYTES = 4_000_000
MAX_THOUGHT_BYTES = 64_000_000
_DRAIN_SECONDS = 0.2
_ERROR_BYTES = 4096
_DETAIL_CHARS = 300
# httpx watches only the connecting; reading is watched by `_Patience`, which tells tokens from comments.
_CONNECTING = httpx.Timeout(None, connect=10.0, pool=10.0)
# llama.cpp closes idle connections after 5 s: asking on one that is about to close would fail.
_LIMITS = httpx.Limits(max_connections=2000, max_keepalive_connections=200, keepalive_expiry=4.0)
_TOO_LONG_WORDS = ("context_length_exceeded", "exceed_context_size", "maximum context length")

_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[bool, httpx.AsyncClient]] = WeakKeyDictionary()


def shared_client(*, loopback: bool) -> httpx.AsyncClient:
    """The running event loop's client. Loopback addresses are never asked through a proxy of the environment."""
    clients = _clients.setdefault(asyncio.get_running_loop(), {})
    client = clients.get(loopback)
    if client is None or client.is_closed:
        client = clients[loopback] = httpx.AsyncClient(
            follow_redirects=False, limits=_LIMITS, trust_env=not loopback, headers={"Accept-Encoding": "identity"}
        )
    return client


async def close_shared_clients() -> None:
    """Close the running event loop's connections; the next request opens new ones."""
    for client in _clients.pop(asyncio.get_running_loop(), {}).values():
        await client.aclose()


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
        """Deltas as they arrive, then one Finish.

        Raises ProviderError with the code for what went wrong; its detail never holds the key.
        """
        waiting = _Patience(self._timeouts)
        request, client = self._request(messages, settings)
        response = await self._send(client, request, waiting)
        try:
            if response.status_code != 200:
                raise await self._bad_status(response, waiting)
            async for event in self._events(response, waiting):
                yield event
        finally:
            await response.aclose()

    def _request(
        self, messages: Sequence[Message], settings: GenerationSettings
    ) -> tuple[httpx.Request, httpx.AsyncClient]:
        key = self._address.api_key.strip()
        if not (key.isascii() and key.isprintable()):
            raise ProviderError(ErrorCode.REFUSED, "The key holds characters that no header may have.")
        headers = {"Accept": "text/event-stream", "Content-Type": "application/json"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        try:
            url = httpx.URL(f"{self._address.base_url.rstrip('/')}/chat/completions")
            if url.scheme not in ("http", "https") or not url.host or not 0 < (url.port or 80) < 65536:
                raise ValueError(f"{self._address.base_url!r} is no address. Write http(s)://host:port/path.")
            client = shared_client(loopback=_is_loopback(url.host))
            body = json.dumps(request_body(messages, settings), allow_nan=False).encode()
            return client.build_request("POST", url, content=body, headers=headers, timeout=_CONNECTING), client
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
            raise ProviderError(ErrorCode.CONNECT, self._safe(_described(error))) from None

    async def _bad_status(self, response: httpx.Response, waiting: _Patience) -> ProviderError:
        said = b""
        with suppress(TimeoutError, httpx.HTTPError):
            async with asyncio.timeout_at(waiting.deadline):
                async for chunk in response.aiter_bytes():
                    said += chunk[:_ERROR_BYTES]
                    if len(said) >= _ERROR_BYTES:
                        break
        text = said.decode("utf-8", "replace")
        code = ErrorCode.REFUSED if 400 <= response.status_code < 500 else ErrorCode.STATUS
        if any(word in text for word in _TOO_LONG_WORDS):
            code = ErrorCode.TOO_LONG
        return ProviderError(code, self._safe(f"HTTP {response.status_code}: {text}"))

    async def _events(self, response: httpx.Response, waiting: _Patience) -> AsyncIterator[Delta | Finish]:
        reading = _Reading(self._max_chars)
        chunks = response.aiter_bytes()
        while not reading.done:
            try:
                async with asyncio.timeout_at(waiting.deadline):
                    chunk = await anext(chunks, None)
            except TimeoutError:
                raise waiting.error() from None
            except (httpx.HTTPError, httpx.StreamError, OSError) as error:
                chunk = None
                reading.ended_badly = _described(error)
            if chunk is None:
                break
            try:
                texts = reading.take(chunk)
            except ProviderError as error:
                raise ProviderError(error.code, self._safe(error.detail)) from None
            for text in texts:
                yield Delta(text)
            waiting.note(alive=reading.pop_alive())
        yield self._finish(reading)
        # Read to the very end: only then can the connection be used again.
        with suppress(TimeoutError, StopAsyncIteration, httpx.HTTPError, httpx.StreamError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                while True:
                    await anext(chunks)

    def _finish(self, reading: _Reading) -> Finish:
        if reading.done or reading.finish_reason:
            return Finish(reading.finish_reason or "stop", reading.input_tokens, reading.output_tokens)
        if reading.events:
            says = reading.ended_badly or "The stream ended without finish_reason or [DONE]."
            raise ProviderError(ErrorCode.CUT_OFF, self._safe(says))
        if reading.ended_badly:
            raise ProviderError(ErrorCode.CUT_OFF, self._safe(reading.ended_badly))
        raise ProviderError(ErrorCode.MALFORMED, self._safe(f"No event stream, but: {reading.stray}"))

    def _safe(self, detail: str) -> str:
        """The detail without the key, which some servers repeat, on one line and not long."""
        key = self._address.api_key.strip()
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


class _Reading:
    """Bytes of an event stream in, pieces of text out; work and memory stay linear in what arrives."""

    def __init__(self, max_chars: int) -> None:
        self.done = False
        self.events = 0
        self.finish_reason = ""
        self.input_tokens: int | None = None
        self.output_tokens: int | None = None
        self.ended_badly = ""
        self.stray = ""
        self._alive = False
        self._max_chars = max_chars
        self._chars = 0
        self._bytes = 0
        self._partial: list[bytes] = []
        self._partial_bytes = 0

    def pop_alive(self) -> bool:
        """Whether a token, shown or thought, has come since the last call."""
        alive, self._alive = self._alive, False
        return alive

    def take(self, chunk: bytes) -> list[str]:
        """The texts of the lines that this chunk completes. Raises ProviderError."""
        self._bytes += len(chunk)
        if self._bytes > MAX_THOUGHT_BYTES:
            raise ProviderError(ErrorCode.MALFORMED, f"More than {MAX_THOUGHT_BYTES} bytes for one answer.")
        first, *rest = chunk.split(b"\n")
        if self._partial_bytes + len(first) > MAX_LINE_BYTES:
            raise ProviderError(ErrorCode.MALFORMED, f"A line of more than {MAX_LINE_BYTES} bytes.")
        if not rest:
            self._partial.append(first)
            self._partial_bytes += len(first)
            return []
        lines = [b"".join((*self._partial, first)), *rest[:-1]]
        self._partial = [rest[-1]]
        self._partial_bytes = len(rest[-1])
        texts: list[str] = []
        for line in lines:
            text = self._line(line)
            if text:
                texts.append(text)
            if self.done:
                break
        return texts

    def _line(self, line: bytes) -> str:
        if not line.startswith(b"data:"):
            self._other_line(line)
            return ""
        data = line[5:].strip()
        if data == b"[DONE]":
            self.done = True
            return ""
        if not data:
            return ""
        try:
            event = json.loads(data)
        except (ValueError, RecursionError):
            raise ProviderError(ErrorCode.MALFORMED, f"No JSON: {_shown(data)}") from None
        if not isinstance(event, dict):
            raise ProviderError(ErrorCode.MALFORMED, f"No JSON object: {_shown(data)}")
        self.events += 1
        return self._event(event, data)

    def _other_line(self, line: bytes) -> None:
        """Comments, `event:`, `id:` say nothing here; llama.cpp reports late errors as `error: {…}`."""
        if line.startswith(b"error:"):
            raise ProviderError(ErrorCode.STATUS, f"Error in the stream: {_shown(line[6:])}")
        if not self.stray and line.strip() and not line.startswith((b":", b"event:", b"id:", b"retry:")):
            self.stray = _shown(line)

    def _event(self, event: dict[str, Any], data: bytes) -> str:
        if event.get("error"):
            raise ProviderError(ErrorCode.STATUS, f"Error in the stream: {_shown(data)}")
        usage = event.get("usage")
        if isinstance(usage, dict):
            self.input_tokens = _count(usage.get("prompt_tokens"))
            self.output_tokens = _count(usage.get("completion_tokens"))
        choices = event.get("choices")
        if not choices and (isinstance(choices, list) or isinstance(usage, dict)):
            return ""
        if not isinstance(choices, list) or not isinstance(choices[0], dict):
            raise ProviderError(ErrorCode.MALFORMED, f"No choices: {_shown(data)}")
        reason = choices[0].get("finish_reason")
        if isinstance(reason, str):
            self.finish_reason = reason
        delta = choices[0].get("delta")
        if delta is None:
            return ""
        if not isinstance(delta, dict):
            raise ProviderError(ErrorCode.MALFORMED, f"The delta is no object: {_shown(data)}")
        return self._delta(delta, data)

    def _delta(self, delta: dict[str, Any], data: bytes) -> str:
        content = delta.get("content")
        if isinstance(content, list):  # parts, as in requests
            content = "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
        if not content:
            self._alive = self._alive or bool(delta.get("reasoning_content") or delta.get("reasoning"))
            return ""
        if not isinstance(content, str):
            raise ProviderError(ErrorCode.MALFORMED, f"The content is no text: {_shown(data)}")
        self._alive = True
        self._chars += len(content)
        if self._chars > self._max_chars:
            raise ProviderError(ErrorCode.MALFORMED, f"More than {self._max_chars} characters.")
        return content


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _described(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _shown(data: bytes) -> str:
    return data[:_DETAIL_CHARS].decode("utf-8", "replace")


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
