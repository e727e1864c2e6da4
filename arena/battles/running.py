"""The turns that this process answers: who reads a turn's frames, wherever they are written.

A turn's generation belongs to its battle, not to a socket: the first reader starts it, readers come and go.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextvars import Context
from dataclasses import dataclass

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from arena.battles import lifecycle, recording, streaming
from arena.battles.frames import MemoryLog, encode, new_log, redis_errors, shared_reader
from arena.battles.models import Battle, Response, Turn
from arena.battles.pacing import Release
from arena.battles.recording import Answer
from arena.battles.words import BattleState, Side, VoidReason
from arena.competitors import endpoints, health
from arena.competitors.models import Competitor
from arena.competitors.providers import Message
from arena.precedence import before_pages, urgently

log = logging.getLogger(__name__)
KEEP_FINISHED = 256
"""Finished turns whose frames stay in memory; older ones are answered from the database."""


@dataclass(slots=True)
class Running:
    """A turn under way in this process."""

    battle_pk: int
    frames: MemoryLog
    task: asyncio.Task[None] | None = None
    stopped: bool = False


_turns: dict[int, Running] = {}
_lease_keeper: asyncio.Task[None] | None = None


async def read_frames(turn_id: int, *, after: int) -> AsyncIterator[str]:
    """A turn's frames above `after`, starting its generation when nobody has; ends with the frame that has an end.

    Whichever process answers the turn, and whether it is under way or long done, the text adds up to the same bytes.
    """
    while True:
        running = _turns.get(turn_id) or await _start(turn_id)
        if running is not None:
            async for frame in running.frames.read(after):
                yield frame
            return
        shared = shared_reader(turn_id)
        if shared is not None:
            async for frame in shared.read(after):
                after = json.loads(frame)["n"]
                yield frame
                if '"end":' in frame:
                    return
        final = await database_sync_to_async(_frame_from_database)(turn_id)
        if final is not None:
            yield final
            return
        await asyncio.sleep(0.5)


def stop(turn_id: int) -> bool:
    """Ends a turn that this process answers; its battle becomes void. False when it is not answered here."""
    running = _turns.get(turn_id)
    if running is None or running.task is None or running.task.done():
        return False
    running.stopped = True
    running.task.cancel()
    return True


async def stop_anywhere(turn_id: int) -> None:
    """Ends a turn, whichever process answers it."""
    if stop(turn_id) or not settings.REDIS_URL:
        return
    try:
        await get_channel_layer().group_send(_stop_group(turn_id), {"type": "turn.stop"})
    except redis_errors() as error:
        log.warning("The stop of turn %s reached no other process: Redis is away (%s).", turn_id, error)


async def shut_down() -> None:
    """Voids what this process was answering, so that nobody waits for it."""
    under_way = [running.task for running in _turns.values() if running.task and not running.task.done()]
    for task in under_way:
        task.cancel()
    await asyncio.gather(*under_way, return_exceptions=True)


async def _start(turn_id: int) -> Running | None:
    """Claims a turn for this process; None when another process has it or it is over."""
    claimed = await urgently(_claim)(turn_id)
    if claimed is None:
        return _turns.get(turn_id)
    battle_pk, job = claimed
    running = Running(battle_pk, new_log(turn_id))
    _forget_oldest()
    _turns[turn_id] = running
    # An empty context: the task outlives the request that happens to start it, and must not use its thread.
    running.task = asyncio.create_task(_run(turn_id, running, job), context=Context())
    if settings.REDIS_URL:
        listener = asyncio.create_task(_listen_for_stop(turn_id), context=Context())
        running.task.add_done_callback(lambda _done: listener.cancel())
    _keep_leases()
    return running


def _claim(turn_id: int) -> tuple[int, streaming.Job] | None:
    turn = Turn.objects.select_related("battle__arena").get(pk=turn_id)
    if not lifecycle.claim(turn.battle, now=timezone.now()):
        lifecycle.void_if_orphaned(turn.battle, now=timezone.now())
        return None
    try:
        return turn.battle_id, _load_job(turn)
    except Exception:
        lifecycle.void(turn.battle_id, VoidReason.SIDE_FAILED, now=timezone.now())
        log.exception("Battle %s could not start.", turn.battle.public_id)
        return None


def _load_job(turn: Turn) -> streaming.Job:
    battle = turn.battle
    competitors = Competitor.objects.select_related("endpoint").in_bulk([pk for _, pk in battle.competitor_ids()])
    earlier = list(Turn.objects.filter(battle=battle, index__lt=turn.index)) if turn.index > 1 else []
    said = {(row.turn_id, row.side): row.text for row in Response.objects.filter(turn__in=earlier)} if earlier else {}
    contestants = {}
    for side, competitor_id in battle.competitor_ids():
        competitor = competitors[competitor_id]
        messages = [Message("system", competitor.system_prompt)] if competitor.system_prompt else []
        for before in earlier:
            messages += Message("user", before.prompt), Message("assistant", said[before.pk, side])
        messages.append(Message("user", turn.prompt))
        contestants[side] = streaming.Contestant(
            endpoints.provider_for(competitor), messages, endpoints.generation_settings(competitor)
        )
    paced = battle.stream_mode == battle.arena.StreamMode.PACED
    return streaming.Job(contestants, paced, battle.arena.pace)


async def _run(turn_id: int, running: Running, job: streaming.Job) -> None:
    """Answers a turn and stores it; whatever happens, the last frame says how it ended."""
    held: list[Release] = []

    async def emit(release: Release) -> None:
        if release.last:
            held.append(release)
        else:
            await running.frames.append(release.a, release.b)

    state = BattleState.VOID
    try:
        with before_pages():
            answers = await streaming.run_turn(job, emit)
        state = await urgently(_record)(turn_id, answers, "")
    except streaming.SideFailed as failure:
        await database_sync_to_async(_record)(turn_id, dict(failure.answers), VoidReason.SIDE_FAILED)
    except streaming.Stalled:
        await database_sync_to_async(lifecycle.void)(running.battle_pk, VoidReason.STALLED, now=timezone.now())
    except asyncio.CancelledError:
        reason = VoidReason.STOPPED if running.stopped else VoidReason.INTERRUPTED
        await database_sync_to_async(lifecycle.void)(running.battle_pk, reason, now=timezone.now())
    except Exception:
        log.exception("Turn %s ended in a defect or a database error; its battle is void.", turn_id)
        await _void_as_soon_as_possible(running.battle_pk)
    if state == BattleState.COMPLETE and held:
        await running.frames.append(held[0].a, held[0].b, end="complete")
    else:
        await running.frames.append("", "", end="void")


async def _listen_for_stop(turn_id: int) -> None:
    """With several processes, the stop may be asked of another one than that which answers."""
    layer = get_channel_layer()
    try:
        channel = await layer.new_channel()
        await layer.group_add(_stop_group(turn_id), channel)
        try:
            await layer.receive(channel)
            stop(turn_id)
        finally:
            await layer.group_discard(_stop_group(turn_id), channel)
    except redis_errors() as error:
        log.warning("Turn %s cannot be stopped from other processes: Redis is away (%s).", turn_id, error)


def _stop_group(turn_id: int) -> str:
    return f"turn.{turn_id}"


async def _void_as_soon_as_possible(battle_pk: int) -> None:
    try:
        await database_sync_to_async(lifecycle.void)(battle_pk, VoidReason.INTERRUPTED, now=timezone.now())
    except DatabaseError:
        log.warning("Battle %s could not be voided now; the worker's sweep will do it.", battle_pk)


def _record(turn_id: int, answers: dict[Side, Answer], reason: str) -> BattleState:
    now = timezone.now()
    turn = Turn.objects.select_related("battle").get(pk=turn_id)
    state = recording.record_responses(turn, answers, now=now, reason=reason)
    sides = list(turn.battle.competitor_ids())
    competitors = Competitor.objects.select_related("endpoint").in_bulk([pk for _, pk in sides])
    for side, competitor_id in sides:
        competitor, answer = competitors[competitor_id], answers[side]
        if answer.failed:
            health.note_failure(competitor, answer.error_code, answer.error_detail, now=now)
        elif answer.text and health.is_troubled(competitor):
            health.note_success(competitor)
    return state


def _frame_from_database(turn_id: int) -> str | None:
    """The whole turn in one frame once its battle has moved on; None while it is still being answered."""
    turn = Turn.objects.select_related("battle").get(pk=turn_id)
    battle: Battle = turn.battle
    lifecycle.void_if_orphaned(battle, now=timezone.now())
    battle.refresh_from_db(fields=["state"])
    texts = {row.side: row.content for row in turn.responses.select_related("recorded_answer")}
    if len(texts) == len(Side) and battle.state not in (BattleState.VOID, BattleState.ANSWERING):
        return encode(1_000_000, texts[Side.A], texts[Side.B], end="complete", whole=True)
    if battle.state in (BattleState.SERVED, BattleState.ANSWERING):
        return None
    return encode(1_000_000, "", "", end="void", whole=True)


def _forget_oldest() -> None:
    done = [key for key, running in _turns.items() if running.task and running.task.done()]
    for key in done[: max(0, len(done) - KEEP_FINISHED)]:
        del _turns[key]


def _keep_leases() -> None:
    global _lease_keeper
    if _lease_keeper is None or _lease_keeper.done():
        _lease_keeper = asyncio.create_task(_renew_while_running(), context=Context())


async def _renew_while_running() -> None:
    """Keeps what is under way here alive, and ends what a new prompt set aside: its endpoints cost time or money."""
    while True:
        await asyncio.sleep(lifecycle.LEASE.total_seconds() / 3)
        mine = {key: running.battle_pk for key, running in _turns.items() if running.task and not running.task.done()}
        if not mine:
            return
        battle_ids = list(mine.values())
        try:
            await database_sync_to_async(lifecycle.renew_leases)(battle_ids, now=timezone.now())
            gone = await database_sync_to_async(lifecycle.abandoned)(battle_ids)
        except DatabaseError:
            log.warning("Leases could not be renewed; trying again.")
            continue
        for turn_id, battle_pk in mine.items():
            if battle_pk in gone:
                stop(turn_id)
