"""The event stream of a chat completion: bytes in, pieces of text out."""

from __future__ import annotations

import json
from typing import Any

from arena.competitors.providers.base import ErrorCode, ProviderError

MAX_LINE_BYTES = 4_000_000
MAX_THOUGHT_BYTES = 64_000_000
_SHOWN_BYTES = 300
_parse = json.JSONDecoder().raw_decode


class EventStream:
    """Bytes of an event stream in, pieces of text out; work and memory stay linear in what arrives."""

    def __init__(self, max_chars: int) -> None:
        self.done = False
        self.events = 0
        self.finish_reason = ""
        self.input_tokens: int | None = None
        self.output_tokens: int | None = None
        self.ended_badly = ""
        self.stray = ""
        self.alive = False
        """Whether a token, shown or thought, has come; whoever reads may take it back."""
        self._max_chars = max_chars
        self._chars = 0
        self._bytes = 0
        self._partial: list[bytes] = []
        self._partial_bytes = 0

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
            if line and (text := self._line(line)):
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
            written = str(data, "utf-8", "surrogatepass")
            event, end = _parse(written)  # not json.loads, which looks for encodings and blanks at every token
            if end != len(written):
                raise ValueError("more than one value")
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
            self.alive = self.alive or bool(delta.get("reasoning_content") or delta.get("reasoning"))
            return ""
        if not isinstance(content, str):
            raise ProviderError(ErrorCode.MALFORMED, f"The content is no text: {_shown(data)}")
        self.alive = True
        self._chars += len(content)
        if self._chars > self._max_chars:
            raise ProviderError(ErrorCode.MALFORMED, f"More than {self._max_chars} characters.")
        return content


def _shown(data: bytes) -> str:
    return data[:_SHOWN_BYTES].decode("utf-8", "replace")


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
