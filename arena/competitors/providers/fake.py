"""A provider for tests: it plays a script, without a network and without waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from arena.competitors.providers.base import Delta, Finish, GenerationSettings, Message, ProviderError

Step = str | float | Finish | ProviderError


class ScriptedProvider:
    """Plays its steps for every question: a text is a delta, a number a delay in seconds, an error is raised.

    Ends with Finish("stop") unless the script says how. `asked` holds every question, `closed` counts the streams
    that were ended before their end.
    """

    def __init__(self, *steps: Step, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        self._steps = steps
        self._sleep = sleep
        self.asked: list[tuple[Sequence[Message], GenerationSettings]] = []
        self.closed = 0

    async def stream(self, messages: Sequence[Message], settings: GenerationSettings) -> AsyncIterator[Delta | Finish]:
        """Raises the script's ProviderError."""
        self.asked.append((tuple(messages), settings))
        try:
            for step in self._steps:
                if isinstance(step, ProviderError):
                    raise ProviderError(step.code, step.detail)
                if isinstance(step, Finish):
                    yield step
                    return
                if isinstance(step, str):
                    yield Delta(step)
                else:
                    await self._sleep(step)
            yield Finish("stop")
        except (GeneratorExit, asyncio.CancelledError):
            self.closed += 1
            raise
