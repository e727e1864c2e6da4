"""Carries runs out: asks, stores each answer as it comes, keeps to the budget, and can be cut off anywhere."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from typing import Any

from channels.db import database_sync_to_async
from django.db import close_old_connections, transaction
from django.utils import timezone
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from arena.competitors import endpoints
from arena.competitors.models import Competitor
from arena.competitors.providers import ErrorCode, Provider, ProviderError, close_shared_clients
from arena.prompts.answers import store_generated
from arena.prompts.generation import costs, runs
from arena.prompts.generation.asking import Heard, converse, is_transient
from arena.prompts.models import GenerationRun, Prompt, RecordedAnswer
from arena.prompts.recording import hash_of
from arena.prompts.style import style_fields

log = logging.getLogger(__name__)
BEAT_SECONDS = 5.0
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds between two attempts at one answer: growing, and with chance in them."""
AT_ONCE = 4
"""Runs that one worker carries out at the same time."""
NEVER_ANSWERED = frozenset({ErrorCode.CONNECT, ErrorCode.REFUSED, ErrorCode.TOO_LONG})
ProviderFor = Callable[[Competitor], Provider]


class Worker:
    """The runs of one process, each in a thread of its own."""

    def __init__(self) -> None:
        self._threads: list[threading.Thread] = []
        self._halt = threading.Event()

    def look(self, *, now: datetime) -> None:
        """Takes up what is due, while there is room."""
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        while len(self._threads) < AT_ONCE and (run := runs.claim(now=now)) is not None:
            thread = threading.Thread(target=self._carry_out, args=(run,), name=f"generation-{run.pk}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def wait(self) -> None:
        """Until every run that was taken up has ended."""
        for thread in self._threads:
            thread.join()

    def halt(self) -> None:
        """Gives every run back, for the next worker to go on with."""
        self._halt.set()
        for thread in self._threads:
            thread.join(timeout=5)

    def _carry_out(self, run: GenerationRun) -> None:
        try:
            carry_out(run, halt=self._halt)
        except Exception:
            log.exception("Run %s ended in a defect; it is taken up again.", run.pk)
        finally:
            close_old_connections()


def carry_out(
    run: GenerationRun, *, halt: threading.Event | None = None, provider_for: ProviderFor = endpoints.provider_for
) -> None:
    """Asks for everything that is missing, and says how the run ended. For a run that was claimed."""
    asyncio.run(_Carrying(run, halt or threading.Event(), provider_for).go())


class _Carrying:
    """One run under way."""

    def __init__(self, run: GenerationRun, halt: threading.Event, provider_for: ProviderFor) -> None:
        self.run, self.halt, self.provider_for = run, halt, provider_for
        self.spent, self.reserved = run.spent, 0.0
        self.over_budget = self.stopped = False
        self.places: dict[int | None, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(run.concurrency))

    async def go(self) -> None:
        beating = asyncio.create_task(self._beat())
        try:
            wanted = await database_sync_to_async(runs.missing)(self.run)
            await _all([self._answer(prompt, competitor) for prompt, competitor in wanted])
        finally:
            beating.cancel()
            await close_shared_clients()
        await database_sync_to_async(self._end)()

    def _end(self) -> None:
        states = GenerationRun.State
        state = states.FINISHED
        if self.halt.is_set():
            state = states.WAITING
        elif self.over_budget:
            state = states.OUT_OF_BUDGET
        elif runs.progress(self.run).missing:
            state = states.GAVE_UP
        runs.end(self.run, state, now=timezone.now())

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            await self._still_wanted()

    async def _still_wanted(self) -> bool:
        if not self.stopped:
            self.stopped = not await database_sync_to_async(runs.keep_alive)(self.run, now=timezone.now())
        return not (self.stopped or self.over_budget or self.halt.is_set())

    async def _answer(self, prompt: Prompt, competitor: Competitor) -> None:
        """One prompt answered by one competitor and stored, or the reason kept why not."""
        async with self.places[competitor.endpoint_id]:
            most = costs.at_most(competitor, prompt.messages)
            if not await self._still_wanted() or not self._affordable(most):
                return
            self.reserved += most
            try:
                heard = await self._ask(prompt, competitor)
                await database_sync_to_async(self._store)(prompt, competitor, heard)
            except (ProviderError, endpoints.KeyMissing, endpoints.LocalModelMissing) as error:
                await database_sync_to_async(runs.note_failure)(self.run, prompt, competitor, str(error))
            finally:
                self.reserved -= most

    def _affordable(self, most: float) -> bool:
        budget = self.run.budget
        if budget is not None and self.spent + self.reserved + most > budget:
            self.over_budget = True
        return not self.over_budget

    async def _ask(self, prompt: Prompt, competitor: Competitor) -> list[Heard]:
        asking = AsyncRetrying(
            stop=stop_after_attempt(self.run.attempts),
            wait=wait_exponential_jitter(multiplier=FIRST_PAUSE, max=LONGEST_PAUSE),
            retry=retry_if_exception(is_transient),
            reraise=True,
        )
        async for attempt in asking:
            with attempt:
                if not self._affordable(0):  # by what failed before; this attempt is reserved already
                    raise ProviderError(ErrorCode.REFUSED, "Another attempt could pass the budget.")
                try:
                    return await converse(
                        self.provider_for(competitor), prompt.messages, endpoints.generation_settings(competitor),
                        system_prompt=competitor.system_prompt,
                    )  # fmt: skip
                except ProviderError as error:
                    await database_sync_to_async(self._spend)(_lost(competitor, prompt, error))
                    raise
        raise AssertionError("an attempt returns or raises")

    def _store(self, prompt: Prompt, competitor: Competitor, heard: Sequence[Heard]) -> None:
        now = timezone.now()
        with transaction.atomic():  # a process that dies here has neither stored nor charged
            store_generated(_rows(prompt, competitor, heard, now), now=now)
            self._spend(_price(competitor, prompt, heard))

    def _spend(self, amount: float) -> None:
        self.spent += amount
        runs.spend(self.run, amount)


async def _all(coroutines: list[Coroutine[Any, Any, None]]) -> None:
    async with asyncio.TaskGroup() as group:
        for coroutine in coroutines:
            group.create_task(coroutine)


def _rows(prompt: Prompt, competitor: Competitor, heard: Sequence[Heard], now: datetime) -> list[RecordedAnswer]:
    conditions = runs.conditions_of(competitor)
    named = hash_of(conditions, competitor.revision)
    if competitor.revision:
        conditions["revision"] = competitor.revision
    return [
        RecordedAnswer(
            prompt=prompt, competitor=competitor, turn=turn, text=one.text, conditions=conditions,
            conditions_hash=named, generated_at=now, first_token_ms=round(one.first_token_ms, 1),
            total_ms=round(one.total_ms, 1), input_tokens=one.finish.input_tokens,
            output_tokens=one.finish.output_tokens, **style_fields(one.text),
        )
        for turn, one in enumerate(heard, 1)
    ]  # fmt: skip


def _price(competitor: Competitor, prompt: Prompt, heard: Sequence[Heard]) -> float:
    """What the answers cost: by the endpoint's own counts, or estimated where it gives none."""
    total, spoken = 0.0, costs.estimated_tokens(competitor.system_prompt)
    for asked, one in zip(prompt.messages, heard, strict=True):
        spoken += costs.estimated_tokens(asked)
        tokens_in = one.finish.input_tokens or spoken
        tokens_out = one.finish.output_tokens or costs.estimated_tokens(one.text)
        total += costs.cost(competitor, tokens_in=tokens_in, tokens_out=tokens_out) or 0.0
        spoken += costs.estimated_tokens(one.text)
    return total


def _lost(competitor: Competitor, prompt: Prompt, error: ProviderError) -> float:
    """What a failed attempt may have cost: what was said to it, and all it may answer where it may have begun to."""
    if error.code not in NEVER_ANSWERED and not error.detail.startswith("HTTP "):
        return costs.at_most(competitor, prompt.messages)
    spoken = costs.estimated_tokens(competitor.system_prompt, *prompt.messages)
    return costs.cost(competitor, tokens_in=spoken, tokens_out=0) or 0.0
