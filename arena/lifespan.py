"""What a web process does before its first request and after its last."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Callable
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.utils import timezone

from arena.battles import lifecycle, running

log = logging.getLogger(__name__)


async def end_with_parent(parent: int, *, every: float = 1.0) -> None:
    """Ends this process after its parent's death. Linux does so by itself; elsewhere nobody else would."""
    while os.getppid() == parent:  # noqa: ASYNC110 - no event announces it
        await asyncio.sleep(every)
    os.kill(os.getpid(), signal.SIGTERM)


class Lifespan:
    """ASGI's lifespan: battles that a killed process left behind are void at the start; our own at the end."""

    _watch: asyncio.Task[None] | None = None

    async def __call__(
        self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self._start()
                if settings.PROCESS_NAME:  # we have a parent that looks after us
                    self._watch = asyncio.create_task(end_with_parent(os.getppid()))
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                if self._watch is not None:
                    self._watch.cancel()
                await running.shut_down()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _start(self) -> None:
        try:
            voided = await database_sync_to_async(lifecycle.recover)(now=timezone.now())
        except Exception:  # a database that is away must not keep the server from saying so
            log.exception("Battles of an earlier run could not be looked up; the worker will see to them.")
            return
        if voided:
            log.info("%s battle(s) of an earlier run were void: their answers were cut off.", voided)
