"""Numbered frames of a turn, kept so that any client can come back and get exactly the rest.

A frame carries both sides' text and nothing else: no name, no id, no timing. In one process frames live in memory;
with Redis they are mirrored there, so that any process can serve a reconnect.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Protocol

from django.conf import settings

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = logging.getLogger(__name__)
KEPT_SECONDS = 900
"""How long a finished turn's frames are kept; afterwards the database answers with the whole text."""


def encode(number: int, a: str, b: str, *, end: str = "", whole: bool = False) -> str:
    """One frame as it goes over the wire; the same keys in the same order for every competitor."""
    frame: dict[str, object] = {"n": number, "a": a, "b": b}
    if whole:
        frame["whole"] = True
    if end:
        frame["end"] = end
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":"))


class FrameLog(Protocol):
    """An append-only list of frames with one writer and any number of readers."""

    async def append(self, a: str, b: str, *, end: str = "") -> None: ...

    def read(self, after: int) -> AsyncIterator[str]: ...


class MemoryLog:
    """Frames of a turn answered in this process."""

    def __init__(self) -> None:
        self._frames: list[str] = []
        self._ended = False
        self._waiting: set[asyncio.Future[None]] = set()

    async def append(self, a: str, b: str, *, end: str = "") -> None:
        self._frames.append(encode(len(self._frames) + 1, a, b, end=end))
        self._ended = bool(end)
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
        self._waiting.clear()

    async def read(self, after: int) -> AsyncIterator[str]:
        """Frames numbered above `after`, as they come, to the end."""
        position = max(0, after)
        while True:
            while position < len(self._frames):
                position += 1
                yield self._frames[position - 1]
            if self._ended:
                return
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.add(waiter)
            try:
                await waiter
            finally:
                self._waiting.discard(waiter)


class RedisMirror(MemoryLog):
    """Frames in memory for this process's readers, and in a Redis stream for everyone else's.

    The stream's entry ids are the frame numbers, so that reading after a number needs no search. When Redis fails, this
    process's readers go on; the others get the whole text from the database once it is complete.
    """

    def __init__(self, turn_id: int) -> None:
        super().__init__()
        self._key = _stream_key(turn_id)
        self._mirrored = True

    async def append(self, a: str, b: str, *, end: str = "") -> None:
        await super().append(a, b, end=end)
        if self._mirrored:
            try:
                await self._mirror(end=end)
            except redis_errors() as error:
                self._mirrored = False
                log.warning("Redis took no frame (%s); other processes will wait for this turn's end.", error)

    async def _mirror(self, *, end: str) -> None:
        number = len(self._frames)
        client = _redis()
        if number == 1:  # an id may have been used before the database was made anew
            await client.delete(self._key)
        await client.xadd(self._key, {"f": self._frames[-1]}, id=f"{number}-0")
        if number == 1 or end:
            await client.expire(self._key, KEPT_SECONDS)


class RedisReader:
    """Reads frames that another process writes."""

    def __init__(self, turn_id: int) -> None:
        self._key = _stream_key(turn_id)

    async def read(self, after: int, *, patience: float = 2.0) -> AsyncIterator[str]:
        """Frames above `after`; returns at the end frame, after `patience` seconds without one, or without Redis."""
        position = max(0, after)
        while True:
            try:
                entries: Any = await _redis().xread({self._key: f"{position}-0"}, count=100, block=int(patience * 1000))
            except redis_errors() as error:
                log.warning("Redis gave no frames (%s); the database will answer.", error)
                return
            if not entries:
                return
            for entry_id, fields in entries[0][1]:
                frame = fields[b"f"].decode()
                position = int(entry_id.split(b"-")[0])
                yield frame
                if '"end":' in frame and json.loads(frame).get("end"):
                    return


def new_log(turn_id: int) -> MemoryLog:
    """The log for a turn that this process answers."""
    return RedisMirror(turn_id) if settings.REDIS_URL else MemoryLog()


def shared_reader(turn_id: int) -> RedisReader | None:
    """Reads a turn that another process may be answering; None where there is only one process."""
    return RedisReader(turn_id) if settings.REDIS_URL else None


def _stream_key(turn_id: int) -> str:
    return f"{settings.REDIS_PREFIX}:frames:{turn_id}"


_clients: dict[asyncio.AbstractEventLoop, Redis] = {}


def redis_errors() -> type[Exception]:
    """What Redis raises. Its package is 5 MB in memory, so that only instances that use it load it."""
    from redis import RedisError

    return RedisError


def _redis() -> Redis:
    """One client a running loop: a connection belongs to the loop that opened it."""
    from redis.asyncio import from_url

    loop = asyncio.get_running_loop()
    if loop not in _clients:
        for gone in [known for known in _clients if known.is_closed()]:
            del _clients[gone]
        _clients[loop] = from_url(settings.REDIS_URL)
    return _clients[loop]
