"""A turn whose battle was set aside by a new prompt costs nothing more."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from channels.db import database_sync_to_async
from django.utils import timezone

from arena.battles import lifecycle, opening, running
from arena.battles.models import Battle, Turn
from arena.competitors.providers import ScriptedProvider
from arena.teams.models import Arena, Voter

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_new_prompt_ends_the_answers_to_the_old_one(
    live: Arena, voter: Voter, scripted: Callable[..., dict[str, ScriptedProvider]], monkeypatch: pytest.MonkeyPatch
) -> None:
    running._turns.clear()
    monkeypatch.setattr(running, "_lease_keeper", None)
    monkeypatch.setattr(lifecycle, "LEASE", timedelta(seconds=0.6))
    providers = scripted("Once upon a time ", 30.0)

    def send(prompt: str) -> Battle:
        return opening.open_battle(voter, live, prompt, seed=opening.new_seed(), now=timezone.now())

    old = await database_sync_to_async(send)("A story?")
    turn = await database_sync_to_async(Turn.objects.get)(battle=old)
    frames = running.read_frames(turn.pk, after=0)
    await asyncio.wait_for(anext(frames), 5)  # type: ignore[arg-type]
    await database_sync_to_async(send)("Another question?")
    async with asyncio.timeout(5):
        ends = [json.loads(frame).get("end") async for frame in frames]
    assert ends[-1] == "void"
    assert [provider.closed for provider in providers.values()] == [1, 1]
    await database_sync_to_async(old.refresh_from_db)()
    assert old.state == "skipped"
