"""The web process is killed twenty times while people vote and answers stream: nothing committed is lost or doubled."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from typing import Any

import pytest
import websockets

from tests.bench.product import Product
from tests.processes.conftest import Person, Reader

pytestmark = pytest.mark.processes
KILLS, PEOPLE = 20, 8
AWAY = (OSError, asyncio.IncompleteReadError, websockets.WebSocketException, TimeoutError)
"""What a client sees of a process that died."""


class Diary:
    """What the voters were told, to be compared with what the database kept."""

    def __init__(self) -> None:
        self.told: dict[str, str] = {}
        self.refused: dict[str, int] = {}
        self.repeats = self.voids = self.drops = 0


async def insist(diary: Diary, action: Callable[[], Any]) -> Any:
    """A page's patience: the same call again until somebody answers."""
    while True:
        try:
            return await action()
        except AWAY:
            diary.drops += 1
            await asyncio.sleep(0.1)


async def vote_once(person: Person, port: int, diary: Diary, rng: random.Random) -> None:
    """One battle from prompt to vote, through as many crashes as come."""
    battle = await insist(diary, lambda: person.open_battle(port, "tokens=12 rate=60 first=0.02"))
    reader = Reader()

    async def follow() -> None:
        async with person.socket(port, battle, after=reader.seen) as socket:
            await reader.read(socket)

    while not reader.end:
        await insist(diary, follow)
    if reader.end != "complete":
        diary.voids += 1
        return
    winner, tries = rng.choice(("a", "b", "tie", "both_bad")), 0

    async def vote() -> int:
        nonlocal tries
        tries += 1
        status, _ = await person.post(port, f"/a/bench/battles/{battle}/vote/", {"winner": winner})
        return status

    status = await insist(diary, vote)
    diary.repeats += tries > 1
    if status == 200:
        diary.told[battle] = winner
    else:
        diary.refused[battle] = status


async def storm(product: Product, cookies: list[str], diary: Diary, rng: random.Random) -> None:
    done = asyncio.Event()

    async def keep_voting(cookie: str) -> None:
        person = Person(cookie)
        while not done.is_set():
            await vote_once(person, product.port, diary, rng)

    people = [asyncio.create_task(keep_voting(cookie)) for cookie in cookies]
    for _ in range(KILLS):
        await asyncio.sleep(rng.uniform(0.6, 1.6))
        product.kill(0)
        await asyncio.to_thread(product.revive, 0)
    done.set()
    await asyncio.wait_for(asyncio.gather(*people), 60)


def test_twenty_kills_lose_no_vote_and_leave_no_battle_hanging(
    product: Callable[..., Product], endpoint: str, database_url: str
) -> None:
    rng, diary = random.Random(20), Diary()
    instance = product(database_url=database_url)
    world: dict[str, Any] = instance.script("live_arena", base_url=endpoint, stream_mode="live", voters=PEOPLE)
    instance.start()
    asyncio.run(storm(instance, world["cookies"], diary, rng))
    found = instance.script("ledger")
    votes, states = dict(found["votes"]), found["states"]  # type: ignore[arg-type,call-overload]
    print(
        f"\n{KILLS} kills: {len(votes)} votes, {diary.voids} void battles, {diary.drops} dropped calls, "
        f"{diary.repeats} votes sent again, states {json.dumps(states)}"
    )
    assert diary.refused == {}
    assert votes == diary.told, "what was answered with 200 is what is stored, once, with that winner"
    assert len(votes) > 5 * KILLS and diary.voids > 0 and diary.drops > KILLS, "the storm was too mild to show anything"
    assert set(states) <= {"complete", "void", "skipped"}, "a battle hangs"
