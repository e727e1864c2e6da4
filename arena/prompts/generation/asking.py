"""Asks one competitor about one prompt, turn by turn. Knows providers, not the database."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from arena.competitors.providers import (
    Cleaner,
    Delta,
    ErrorCode,
    Finish,
    GenerationSettings,
    Message,
    Provider,
    ProviderError,
)

TRANSIENT = frozenset(
    {
        ErrorCode.CONNECT, ErrorCode.STATUS, ErrorCode.TIMEOUT_FIRST, ErrorCode.TIMEOUT_BETWEEN,
        ErrorCode.TIMEOUT_TOTAL, ErrorCode.CUT_OFF, ErrorCode.EMPTY,
    }
)  # fmt: skip
"""What may be otherwise the next time; a refused request is refused again, but for a limit of requests a minute."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One answer, as it came."""

    text: str
    first_token_ms: float
    total_ms: float
    finish: Finish


def is_transient(error: BaseException) -> bool:
    """Whether it is worth asking again."""
    if not isinstance(error, ProviderError):
        return False
    return error.code in TRANSIENT or (error.code == ErrorCode.REFUSED and error.detail.startswith("HTTP 429"))


async def converse(
    provider: Provider,
    asked: Sequence[str],
    settings: GenerationSettings,
    *,
    system_prompt: str = "",
    clock: Callable[[], float] = time.monotonic,
) -> list[Heard]:
    """The answers to all messages, each after those before it. Raises ProviderError, also for an empty answer."""
    messages = [Message("system", system_prompt)] if system_prompt else []
    heard: list[Heard] = []
    for message in asked:
        messages.append(Message("user", message))
        heard.append(await _listen(provider, messages, settings, clock))
        messages.append(Message("assistant", heard[-1].text))
    return heard


async def _listen(
    provider: Provider, messages: Sequence[Message], settings: GenerationSettings, clock: Callable[[], float]
) -> Heard:
    cleaner, pieces, finish = Cleaner(), list[str](), Finish("")
    began, first = clock(), None
    async for event in provider.stream(messages, settings):
        if isinstance(event, Finish):
            finish = event
        elif isinstance(event, Delta) and (text := cleaner.feed(event.text)):
            first = clock() if first is None else first
            pieces.append(text)
    pieces.append(cleaner.finish())
    ended, answer = clock(), "".join(pieces)
    if not answer.strip():
        raise ProviderError(ErrorCode.EMPTY)
    return Heard(answer, ((first if first is not None else ended) - began) * 1000, (ended - began) * 1000, finish)
