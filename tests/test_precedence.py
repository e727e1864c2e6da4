"""Pages wait while streams have work to do, in the order of their coming, and nobody is forgotten."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from arena import precedence
from arena.precedence import Turnstile, before_pages, urgently


@pytest.fixture(autouse=True)
def turnstiles_of_this_test(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(precedence, "_turnstiles", set())
    yield
    assert precedence._streams == 0


class Crowd:
    """People at a turnstile: who came in, and how many were inside at once."""

    def __init__(self, turnstile: Turnstile) -> None:
        self.turnstile, self.order, self.inside, self.most = turnstile, list[int](), 0, 0

    async def visit(self, number: int, *, pause: float = 0.005) -> None:
        async with self.turnstile.passage():
            self.order.append(number)
            self.inside += 1
            self.most = max(self.most, self.inside)
            await asyncio.sleep(pause)
            self.inside -= 1


async def test_a_quiet_house_lets_in_as_many_as_it_says() -> None:
    crowd = Crowd(Turnstile(3))
    await asyncio.gather(*(crowd.visit(number) for number in range(20)))
    assert crowd.order == list(range(20)) and crowd.most == 3 and crowd.inside == 0


@pytest.mark.django_db(
    transaction=True
)  # the thread of streams may hold a connection of an earlier test, and closes it
async def test_while_a_stream_works_they_enter_one_by_one_and_then_all_go_on() -> None:
    crowd, going, busy = Crowd(Turnstile(4)), threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def claim() -> str:
        loop.call_soon_threadsafe(busy.set)
        assert going.wait(10)
        return "claimed"

    stream = asyncio.create_task(urgently(claim)())
    await asyncio.wait_for(busy.wait(), 10)
    await asyncio.gather(*(crowd.visit(number) for number in range(6)))
    assert crowd.most == 1 and crowd.order == list(range(6))
    waiting = [asyncio.create_task(crowd.visit(number, pause=0.05)) for number in range(6, 14)]
    await asyncio.sleep(0.01)
    going.set()
    assert await stream == "claimed"
    await asyncio.gather(*waiting)
    assert crowd.most == 4 and crowd.order == list(range(14))


async def test_who_gives_up_waiting_keeps_nobody_out() -> None:
    crowd = Crowd(Turnstile(1))
    tasks = [asyncio.create_task(crowd.visit(number, pause=0.02)) for number in range(4)]
    await asyncio.sleep(0.005)
    tasks[1].cancel()
    tasks[0].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert crowd.order == [0, 2, 3]
    await asyncio.wait_for(crowd.visit(9), 5)


@pytest.mark.django_db(transaction=True)
async def test_an_error_in_a_stream_opens_the_turnstile_again() -> None:
    def fail() -> None:
        raise ValueError("refused")

    with pytest.raises(ValueError, match="refused"):
        await urgently(fail)()
    crowd = Crowd(Turnstile(2))
    await asyncio.gather(*(crowd.visit(number) for number in range(4)))
    assert crowd.most == 2


async def test_one_that_lasts_keeps_nobody_out_beside_a_stream() -> None:
    crowd = Crowd(Turnstile(3))
    with before_pages():
        lasting = [asyncio.create_task(crowd.visit(number, pause=30)) for number in range(2)]
        await asyncio.wait_for(crowd.visit(2, pause=0), 5)
        assert crowd.order == [0, 1, 2] and crowd.inside == 2
        await asyncio.wait_for(asyncio.gather(*(crowd.visit(number) for number in range(3, 8))), 5)
        assert crowd.most == 3 and not any(task.done() for task in lasting)
    for task in lasting:
        task.cancel()
    await asyncio.gather(*lasting, return_exceptions=True)
    assert crowd.turnstile._inside == 0 and not crowd.turnstile._new


async def test_the_next_waits_for_the_one_before_only_beside_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precedence, "BRIEF", 30)
    crowd = Crowd(Turnstile(3))
    with before_pages():
        first = asyncio.create_task(crowd.visit(0, pause=30))
        second = asyncio.create_task(crowd.visit(1))
        await asyncio.sleep(0.02)
        assert crowd.order == [0]
    await asyncio.wait_for(second, 5)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert crowd.order == [0, 1]
