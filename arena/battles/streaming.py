"""Both sides of a turn at once: ask two competitors, release their text side by side, never a name.

`run_turn` knows nothing of the database or of sockets; `battles.running` gives it a job and takes its releases.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from arena.battles.pacing import TICK, Pacer, Release
from arena.battles.recording import Answer
from arena.battles.words import Side
from arena.competitors.providers import Cleaner, Finish, GenerationSettings, Message, Provider, ProviderError

log = logging.getLogger(__name__)

COALESCE = 0.06
"""Seconds between frames in live mode; the first text of a turn goes out at once.

Less than a provider's time between two looks, so that a frame never waits for a timer of its own.
"""
STALL_LIMIT = 60.0
"""Seconds that paced text may stand still after it began, before the battle is void."""
MAX_ANSWER_CHARS = 32_000
"""One length cap for every competitor."""

Emit = Callable[[Release], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Contestant:
    """One side's way to an answer. The provider knows the address and the key; nobody else does."""

    provider: Provider
    messages: Sequence[Message]
    settings: GenerationSettings


@dataclass(frozen=True, slots=True)
class Job:
    """All that a turn needs, loaded before the first byte."""

    contestants: Mapping[Side, Contestant]
    paced: bool
    rate: float


class Stalled(Exception):
    """The paced stream stood still beyond its limit."""


class SideFailed(Exception):
    """One side could not answer; `answers` says which and why, for operators."""

    def __init__(self, answers: Mapping[Side, Answer]) -> None:
        self.answers = answers
        super().__init__("a side failed")


@dataclass(slots=True)
class _Writing:
    """One side while it writes."""

    contestant: Contestant
    answer: Answer | None = None
    pieces: list[str] = field(default_factory=list)


class _LiveRelease:
    """Everything that has come, at once: faster than the pacer, and speed can be seen."""

    def __init__(self) -> None:
        self._text: dict[Side, list[str]] = {side: [] for side in Side}
        self._done: set[Side] = set()
        self.started = False

    def feed(self, side: Side, text: str) -> None:
        if text:
            self._text[side].append(text)

    def finish(self, side: Side) -> None:
        self._done.add(side)

    def restart(self, side: Side) -> None:
        self._text[side].clear()

    def take(self) -> Release | None:
        last = len(self._done) == len(Side)
        if not last and not any(self._text.values()):
            return None
        self.started = True
        a, b = ("".join(self._text[side]) for side in Side)
        for pieces in self._text.values():
            pieces.clear()
        return Release(a, b, last)


async def run_turn(job: Job, emit: Emit, *, clock: Callable[[], float] = time.monotonic) -> dict[Side, Answer]:
    """Streams both answers through `emit` and returns them; the release marked last ends both sides at once.

    The caller may hold that last release until the answers are stored. Raises SideFailed, Stalled; cancelling it
    closes both streams.
    """
    writing = {side: _Writing(job.contestants[side]) for side in Side}
    sink: Pacer | _LiveRelease = Pacer(job.rate) if job.paced else _LiveRelease()
    news = asyncio.Event()
    tasks = [asyncio.create_task(_write(side, writing[side], sink, news, clock)) for side in Side]
    show = _show_paced(sink, clock) if isinstance(sink, Pacer) else _show_live(sink, news, clock)
    showing = asyncio.create_task(_emit_all(show, emit))
    try:
        pending: set[asyncio.Task[None]] = {*tasks, showing}
        while showing in pending:
            finished, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in finished:
                task.result()
            if any(w.answer is not None and w.answer.failed for w in writing.values()):
                raise SideFailed(_outcome(writing))
    finally:
        for task in (*tasks, showing):
            task.cancel()
        for task in (*tasks, showing):
            with suppress(asyncio.CancelledError, Exception):
                await task
    return _outcome(writing)


async def _emit_all(releases: AsyncIterator[Release], emit: Emit) -> None:
    async for release in releases:
        await emit(release)


async def _show_paced(pacer: Pacer, clock: Callable[[], float]) -> AsyncIterator[Release]:
    start = clock()
    number = 0
    while True:
        number += 1
        await asyncio.sleep(max(0.0, start + number * TICK - clock()))
        release = pacer.tick(number)
        if release is not None:
            yield release
            if release.last:
                return
        elif pacer.paused_ticks * TICK > STALL_LIMIT:
            raise Stalled


async def _show_live(sink: _LiveRelease, news: asyncio.Event, clock: Callable[[], float]) -> AsyncIterator[Release]:
    earliest = clock()
    while True:
        await news.wait()
        await asyncio.sleep(max(0.0, earliest - clock()))
        news.clear()
        release = sink.take()
        if release is not None:
            earliest = clock() + COALESCE
            yield release
            if release.last:
                return


async def _write(
    side: Side, writing: _Writing, sink: Pacer | _LiveRelease, news: asyncio.Event, clock: Callable[[], float]
) -> None:
    """Fills one side's answer; a failure is retried once while nothing has been shown."""
    for attempt in (1, 2):
        answer = await _attempt(side, writing, sink, news, clock)
        if not answer.failed or sink.started or attempt == 2:
            break
        log.info("A side failed before anything was shown (%s); trying once more.", answer.error_code)
        sink.restart(side)
    writing.answer = answer
    if not answer.failed:
        sink.finish(side)
    news.set()


async def _attempt(
    side: Side, writing: _Writing, sink: Pacer | _LiveRelease, news: asyncio.Event, clock: Callable[[], float]
) -> Answer:
    contestant, cleaner = writing.contestant, Cleaner(max_chars=MAX_ANSWER_CHARS)
    writing.pieces.clear()
    began = clock()
    first_at: float | None = None
    finish: Finish | None = None

    def take(text: str) -> None:
        nonlocal first_at
        if text:
            if first_at is None:
                first_at = clock()
            writing.pieces.append(text)
            sink.feed(side, text)
            news.set()

    try:
        stream = contestant.provider.stream(contestant.messages, contestant.settings)
        async for event in stream:
            if isinstance(event, Finish):
                finish = event
                continue
            take(cleaner.feed(event.text))
            if cleaner.is_full:
                finish = Finish("length_cap")
                break
        take(cleaner.finish())
    except ProviderError as error:
        return Answer(error_code=str(error.code), error_detail=error.detail, total_ms=_ms(clock() - began))
    except Exception as error:  # a defect in one provider must void one battle, not end the process's other turns
        log.exception("A provider raised what it should not have.")
        return Answer(error_code="internal", error_detail=type(error).__name__, total_ms=_ms(clock() - began))
    text = "".join(writing.pieces)
    return Answer(
        text=text,
        error_code="" if text.strip() else "empty",
        finish_reason=finish.reason if finish else "",
        first_token_ms=_ms(first_at - began) if first_at is not None else None,
        total_ms=_ms(clock() - began),
        input_tokens=finish.input_tokens if finish else None,
        output_tokens=finish.output_tokens if finish else None,
    )


def _outcome(writing: Mapping[Side, _Writing]) -> dict[Side, Answer]:
    """Both answers; a side that was still writing when the other failed counts as cancelled, not as failed itself."""
    return {side: w.answer or Answer(finish_reason="cancelled") for side, w in writing.items()}


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
