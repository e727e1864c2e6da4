"""Answers under way come before pages: a stream that waits is seen by its voter, a page that waits is not yet there.

One process has one interpreter. When eighty people open a battle at once, their pages would keep the first streams
from starting; so while a stream needs the database, requests enter one at a time instead of several.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from channels.db import database_sync_to_async

P = ParamSpec("P")
T = TypeVar("T")
_turnstiles: set[Turnstile] = set()
_urgent = 0


class Turnstile:
    """Lets a number of requests in at once, and one while streams have work to do: `async with turnstile:`."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._inside = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        _turnstiles.add(self)

    async def __aenter__(self) -> None:
        if not self._waiting and self._inside < self._limit():
            self._inside += 1
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():  # let in at the moment of leaving
                self._inside -= 1
            self.admit()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._inside -= 1
        self.admit()

    def admit(self) -> None:
        """Lets in whoever may enter now, in the order of their coming."""
        while self._waiting and self._inside < self._limit():
            place = self._waiting.popleft()
            if not place.done():
                self._inside += 1
                place.set_result(None)

    def _limit(self) -> int:
        return 1 if _urgent else self._at_once


def urgently(function: Callable[P, T]) -> Callable[P, Any]:
    """`database_sync_to_async` for streams: pages wait their turn meanwhile."""

    async def run(*args: P.args, **kwargs: P.kwargs) -> T:
        global _urgent
        _urgent += 1
        try:
            result: T = await database_sync_to_async(function)(*args, **kwargs)
            return result
        finally:
            _urgent -= 1
            if not _urgent:
                for turnstile in _turnstiles:
                    turnstile.admit()

    return run
