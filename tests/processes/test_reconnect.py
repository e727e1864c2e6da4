"""Two web processes serve one battle: dropped sockets come back anywhere and find exactly the rest."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.bench.product import Product
from tests.processes.conftest import Person, Reader

pytestmark = pytest.mark.redis
PROMPT = "tokens=120 rate=60 first=0.05"


@pytest.fixture
def pair(product: Callable[..., Product], endpoint: str) -> Iterator[tuple[Product, int, int, Person]]:
    """Two processes with ports of their own on one database and one Redis, and a voter."""
    redis_url = os.environ.get("REDIS_URL", "")
    assert redis_url, "REDIS_URL names no server: run it as `python tests/servers.py --redis -- …`"
    instance = product(redis_url=redis_url, database_url=os.environ.get("DATABASE_URL", ""), ports=2)
    world: dict[str, Any] = instance.script("live_arena", base_url=endpoint, stream_mode="live", voters=1)
    instance.start()
    first, second = instance.ports
    yield instance, first, second, Person(world["cookies"][0])


def stored(instance: Product, battle: str) -> dict[str, str]:
    return instance.script("texts", battle=battle)  # type: ignore[return-value]


async def test_three_drops_across_two_processes_lose_no_byte(pair: tuple[Product, int, int, Person]) -> None:
    instance, first, second, person = pair
    battle, reader = await person.open_battle(first, PROMPT), Reader()
    for port, frames in ((first, 3), (second, 4), (first, 5)):
        async with person.socket(port, battle, after=reader.seen) as socket:
            await reader.read(socket, frames=frames)
    async with person.socket(second, battle, after=reader.seen) as socket:
        await reader.read(socket)
    assert reader.end == "complete"
    assert not reader.whole, "the rest should have come from the frames, not as one whole text"
    assert reader.text == stored(instance, battle)
    assert len(reader.text["a"].split()) == 120


async def test_two_processes_send_the_same_frames_at_once(pair: tuple[Product, int, int, Person]) -> None:
    _, first, second, person = pair
    battle, here, there = await person.open_battle(first, PROMPT), Reader(), Reader()
    async with person.socket(first, battle, after=0) as one, person.socket(second, battle, after=0) as other:
        await asyncio.gather(here.read(one), there.read(other))
    assert (here.end, here.text, here.seen) == (there.end, there.text, there.seen)
    assert here.end == "complete"


async def test_a_stop_reaches_the_process_that_answers(pair: tuple[Product, int, int, Person]) -> None:
    _, first, second, person = pair
    battle, reader = await person.open_battle(first, "tokens=3000 rate=60"), Reader()
    async with person.socket(first, battle, after=0) as socket:
        await reader.read(socket, frames=3)
        async with person.socket(second, battle, after=reader.seen) as other:
            await other.send('{"type": "stop"}')
            await asyncio.wait_for(reader.read(socket), 10)
    assert reader.end == "void"


async def test_a_killed_process_leaves_no_reader_waiting(pair: tuple[Product, int, int, Person]) -> None:
    """The reader on the living process is told as soon as the parent has started the dead one again."""
    instance, first, second, person = pair
    battle, reader = await person.open_battle(first, "tokens=3000 rate=60"), Reader()
    async with person.socket(first, battle, after=0) as socket:
        await reader.read(socket, frames=2)
        async with person.socket(second, battle, after=reader.seen) as other:
            await reader.read(other, frames=2)
            instance.kill(0)
            await asyncio.to_thread(instance.revive, 0)
            await reader.read(other)
    assert reader.end == "void"


async def test_without_redis_in_the_middle_readers_get_the_whole_text_at_the_end(
    product: Callable[..., Product], endpoint: str
) -> None:
    """An unreachable Redis costs other processes the stream, and nobody the answer."""
    closed = "redis://127.0.0.1:1/0"
    instance = product(redis_url=closed, ports=2)
    world: dict[str, Any] = instance.script("live_arena", base_url=endpoint, stream_mode="live", voters=1)
    instance.start()
    first, second = instance.ports
    person = Person(world["cookies"][0])
    battle, here, there = await person.open_battle(first, "tokens=60 rate=60"), Reader(), Reader()
    async with person.socket(first, battle, after=0) as one:
        await here.read(one, frames=1)
        async with person.socket(second, battle, after=0) as other:
            await asyncio.gather(here.read(one), there.read(other))
    assert here.end == there.end == "complete"
    assert here.text == there.text == stored(instance, battle)
