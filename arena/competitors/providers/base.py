"""What every provider takes and gives: messages in, pieces of text out, and errors by neutral codes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol


class ErrorCode(StrEnum):
    """Why there is no answer, in words that tell a voter nothing about who was asked."""

    CONNECT = "connect"
    """No connection: name, network, TLS, port closed, or gone before an answer began."""
    REFUSED = "refused"
    """The endpoint does not take this request: key, quota, model or content (HTTP 4xx)."""
    STATUS = "status"
    """Any other HTTP status than 200, or an error reported inside the stream."""
    TIMEOUT_FIRST = "timeout_first"
    TIMEOUT_BETWEEN = "timeout_between"
    TIMEOUT_TOTAL = "timeout_total"
    CUT_OFF = "cut_off"
    """The stream ended without saying that the answer was complete."""
    MALFORMED = "malformed"
    """No event stream of chat completions, or one without end: lines or answers beyond every sensible length."""
    TOO_LONG = "too_long"
    """The conversation exceeds the model's context: the endpoint is well."""
    EMPTY = "empty"


class ProviderError(Exception):
    """No complete answer came. `code` may be shown to anyone; `detail` is for operators' eyes only."""

    def __init__(self, code: ErrorCode, detail: str = "") -> None:
        self.code = code
        self.detail = detail
        super().__init__(f"{code}: {detail}" if detail else str(code))


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation; `role` is system, user or assistant."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """How to answer. None leaves a value to the endpoint; `extra_body` is merged into the request, last word first.

    A null in `extra_body` removes a field, for endpoints that refuse one; `messages` and `stream` cannot be changed.
    """

    model: str
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    stop: Sequence[str] = ()
    seed: int | None = None
    extra_body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EndpointAddress:
    """Where to ask: up to and without `/chat/completions`."""

    base_url: str
    api_key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: from the request to the first token, from token to token, and for the whole answer."""

    first_token: float = 30.0
    between_tokens: float = 15.0
    total: float = 180.0


@dataclass(frozen=True, slots=True)
class Delta:
    """Some more text, as the endpoint gave it: not cleaned."""

    text: str


@dataclass(frozen=True, slots=True)
class Finish:
    """The answer is complete; always the last event. `length` is a normal reason. Counts are None when not told."""

    reason: str
    input_tokens: int | None = None
    output_tokens: int | None = None


class Provider(Protocol):
    """A way to get answers. Implementations keep no conversation and may be asked concurrently."""

    def stream(self, messages: Sequence[Message], settings: GenerationSettings) -> AsyncIterator[Delta | Finish]:
        """Deltas, then one Finish. Raises ProviderError; stopping early closes the connection."""
        ...
