"""Answers under way come before pages: a stream that waits is seen by its voter, a page that waits is not yet there.

One process has one interpreter. When eighty people open a battle at once, their pages would keep the first streams
from starting and hold up every token; so while an answer is written, requests enter one at a time instead of several.
One that lasts (a long page, a look at somebody's endpoint) keeps nobody out for longer than `BRIEF`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, ParamSpec, TypeVar

from channels.db import database_sync_to_async

P = ParamSpec("P")
T = TypeVar("T")
BRIEF = 0.25
"""Seconds after which a request that is still inside no longer keeps the next from entering beside a stream."""
_turnstiles: set[Turnstile] = set()
_streams = 0


class Turnstile:
    """Lets a number of requests in at once, and one by one beside streams: `async with turnstile.passage():`."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._inside = 0
        self._new: set[object] = set()
        self._waiting: deque[asyncio.Future[None]] = deque()
        _turnstiles.add(self)

    @asynccontextmanager
    async def passage(self) -> AsyncIterator[None]:
        """Waits for its turn and counts as inside until it leaves."""
        visit = await self._enter()
        lasting = asyncio.get_running_loop().call_later(BRIEF, self._lasts, visit)
        try:
            yield
        finally:
            lasting.cancel()
            self._leave(visit)

    async def _enter(self) -> object:
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if not self._waiting and self._has_room():
            self._let_in(place)
            return place
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():  # let in at the moment of leaving
                self._leave(place)
            else:
                self.admit()
            raise
        return place

    def _let_in(self, visit: object) -> None:
        self._inside += 1
        self._new.add(visit)

    def _lasts(self, visit: object) -> None:
        self._new.discard(visit)
        self.admit()

    def _leave(self, visit: object) -> None:
        self._inside -= 1
        self._lasts(visit)

    def _has_room(self) -> bool:
        return self._inside < self._at_once and not (_streams and self._new)

    def admit(self) -> None:
        """Lets in whoever may enter now, in the order of their coming."""
        while self._waiting and self._has_room():
            place = self._waiting.popleft()
            if not place.done():
                self._let_in(place)
                place.set_result(None)


@contextmanager
def before_pages() -> Iterator[None]:
    """While a stream is at work: `with before_pages():` makes requests of this process enter one by one."""
    global _streams
    _streams += 1
    try:
        yield
    finally:
        _streams -= 1
        if not _streams:
            for turnstile in _turnstiles:
                turnstile.admit()


def urgently(function: Callable[P, T]) -> Callable[P, Any]:
    """`database_sync_to_async` for streams: pages wait their turn meanwhile."""

    async def run(*args: P.args, **kwargs: P.kwargs) -> T:
        with before_pages():
            result: T = await database_sync_to_async(function)(*args, **kwargs)
        return result

    return run
