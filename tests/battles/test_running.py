"""Streams: resumed exactly, shared by readers, void kindly, one process at a time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.db import database_sync_to_async
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from arena.asgi import application
from arena.battles import lifecycle, opening, running
from arena.battles.errors import ArenaClosed
from arena.battles.models import Battle, Response, Turn
from arena.battles.words import BattleState
from arena.competitors.models import Competitor, Endpoint
from arena.competitors.providers import ErrorCode, ProviderError, ScriptedProvider
from arena.teams.models import Arena, Voter
from arena.teams.voters import COOKIE, cookie_value

pytestmark = pytest.mark.django_db(transaction=True)
WORDS = [f"word{n} " for n in range(30)]


@pytest.fixture(autouse=True)
def forget_turns() -> Iterator[None]:
    """Ids start again in each test's database, and loops end with each test; the process's memory must not."""
    running._turns.clear()
    yield
    running._turns.clear()


@pytest.fixture
def battle(live: Arena, voter: Voter) -> Battle:
    return opening.open_battle(voter, live, "A question?", seed=opening.new_seed(), now=timezone.now())


def turn_of(battle: Battle) -> Turn:
    return Turn.objects.filter(battle=battle).latest("index")


async def frames(turn: Turn, after: int = 0) -> list[dict[str, Any]]:
    return [json.loads(frame) async for frame in running.read_frames(turn.pk, after=after)]


def text(found: list[dict[str, Any]], side: str) -> str:
    total = ""
    for frame in found:
        total = frame[side] if frame.get("whole") else total + frame[side]
    return total


def slow(*extra: Any) -> list[Any]:
    return [step for word in WORDS for step in (word, 0.004)] + list(extra)


async def test_a_reader_may_come_back_after_any_frame(
    battle: Battle, scripted: Callable[..., dict[str, ScriptedProvider]]
) -> None:
    scripted(*slow())
    turn = await database_sync_to_async(turn_of)(battle)
    whole = await frames(turn)
    assert [frame["n"] for frame in whole] == list(range(1, len(whole) + 1))
    assert whole[-1]["end"] == "complete"
    assert text(whole, "a") == text(whole, "b") == "".join(WORDS).strip()
    for after in range(len(whole)):
        rest = await frames(turn, after)
        for side in "ab":
            assert text(whole[:after], side) + text(rest, side) == text(whole, side)


async def test_three_drops_in_one_answer_lose_no_byte(
    battle: Battle, scripted: Callable[..., dict[str, ScriptedProvider]]
) -> None:
    scripted(*slow())
    turn = await database_sync_to_async(turn_of)(battle)
    seen: list[dict[str, Any]] = []
    for _ in range(3):
        stream = running.read_frames(turn.pk, after=len(seen))
        seen.append(json.loads(await anext(stream)))
        await stream.aclose()  # type: ignore[attr-defined]
    seen += await frames(turn, len(seen))
    undisturbed = await frames(turn)
    assert seen == undisturbed


async def test_two_readers_share_one_generation(
    battle: Battle, scripted: Callable[..., dict[str, ScriptedProvider]]
) -> None:
    providers = scripted(*slow())
    turn = await database_sync_to_async(turn_of)(battle)
    first, second = await asyncio.gather(frames(turn), frames(turn))
    assert first == second
    assert sorted(len(provider.asked) for provider in providers.values()) == [1, 1]


async def test_when_frames_are_forgotten_the_database_answers(
    battle: Battle, scripted: Callable[..., dict[str, ScriptedProvider]]
) -> None:
    scripted("hello ", "there")
    turn = await database_sync_to_async(turn_of)(battle)
    live = await frames(turn)
    running._turns.clear()
    (late,) = await frames(turn, after=1)
    assert late["whole"] and late["end"] == "complete"
    assert late["a"] == text(live, "a") == "hello there"


@pytest.mark.parametrize(
    "script",
    [
        ("half an ", ProviderError(ErrorCode.CUT_OFF, "zanzibar says no")),
        (ProviderError(ErrorCode.REFUSED, "zanzibar 401"),),
        (),
        ("   ",),
    ],
)
async def test_a_failing_side_voids_the_battle_and_names_nobody(
    battle: Battle, scripted: Callable[..., dict[str, ScriptedProvider]], script: tuple[Any, ...]
) -> None:
    loser = await database_sync_to_async(lambda: battle.competitor_a.name.split("-")[0])()
    scripted(*slow(), **{loser: script})
    turn = await database_sync_to_async(turn_of)(battle)
    found = await frames(turn)
    assert found[-1] == {"n": len(found), "a": "", "b": "", "end": "void"}
    assert "zanzibar" not in json.dumps(found)
    await database_sync_to_async(battle.refresh_from_db)()
    assert battle.state == BattleState.VOID
    codes = await database_sync_to_async(lambda: sorted(Response.objects.values_list("error_code", "text")))()
    assert len(codes) == 2 and all(not said for _, said in codes)


async def test_a_failure_is_retried_once_while_nothing_was_shown(
    battle: Battle, scripted: Callable[..., dict[str, ScriptedProvider]], monkeypatch: pytest.MonkeyPatch
) -> None:
    providers = scripted("fine")
    turn = await database_sync_to_async(turn_of)(battle)
    original, failed = ScriptedProvider.stream, []

    async def flaky(self: ScriptedProvider, *args: Any) -> Any:
        if not failed:
            failed.append(self)
            raise ProviderError(ErrorCode.CONNECT, "not now")
        async for event in original(self, *args):
            yield event

    monkeypatch.setattr(ScriptedProvider, "stream", flaky)
    assert (await frames(turn))[-1]["end"] == "complete"
    assert sum(len(provider.asked) for provider in providers.values()) == 2


async def test_stopping_voids_both_sides(
    battle: Battle, scripted: Callable[..., dict[str, ScriptedProvider]], voter: Voter
) -> None:
    scripted(*slow(5.0))
    turn = await database_sync_to_async(turn_of)(battle)
    stream = running.read_frames(turn.pk, after=0)
    await anext(stream)
    await database_sync_to_async(lifecycle.stop)(battle.public_id, voter, now=timezone.now())
    await running.stop_anywhere(turn.pk)
    rest = [json.loads(frame) async for frame in stream]
    assert rest[-1]["end"] == "void"
    await database_sync_to_async(battle.refresh_from_db)()
    assert (battle.state, battle.void_reason) == ("void", "stopped")


async def test_a_conversation_goes_on_with_the_same_pair_and_its_own_history(
    battle: Battle, scripted: Callable[..., dict[str, ScriptedProvider]], voter: Voter
) -> None:
    providers = scripted("an answer")
    await frames(await database_sync_to_async(turn_of)(battle))
    await database_sync_to_async(battle.refresh_from_db)()
    await database_sync_to_async(opening.follow_up)(battle, voter, "And then?", now=timezone.now())
    found = await frames(await database_sync_to_async(turn_of)(battle))
    assert found[-1]["end"] == "complete"
    assert len(providers) == 2
    for provider in providers.values():
        messages, _settings = provider.asked[-1]
        assert [(m.role, m.content) for m in messages[1:]] == [
            ("user", "A question?"),
            ("assistant", "an answer"),
            ("user", "And then?"),
        ]


async def test_a_battle_whose_process_is_gone_is_void(
    battle: Battle, scripted: Callable[..., dict[str, ScriptedProvider]]
) -> None:
    scripted("never asked")
    gone = {"state": "answering", "owner": "web-1:old", "lease_until": timezone.now() - timedelta(seconds=1)}
    await database_sync_to_async(Battle.objects.filter(pk=battle.pk).update)(**gone)
    (frame,) = await frames(await database_sync_to_async(turn_of)(battle))
    assert frame["end"] == "void"
    await database_sync_to_async(battle.refresh_from_db)()
    assert battle.void_reason == "interrupted"


def test_a_restarted_process_voids_what_its_earlier_life_was_answering(battle: Battle, settings: Any) -> None:
    settings.PROCESS_NAME = "web-1"
    lease = timezone.now() + timedelta(seconds=10)
    for owner, expected in (("web-1:111-abc", 1), ("web-2:111-abc", 0), (lifecycle.process_owner(), 0)):
        Battle.objects.filter(pk=battle.pk).update(state="answering", owner=owner, lease_until=lease)
        assert lifecycle.recover(now=timezone.now()) == expected, owner


async def test_turns_do_not_wait_for_a_hanging_one(
    live: Arena, voter: Voter, stranger: Voter, battle: Battle, scripted: Callable[..., dict[str, ScriptedProvider]]
) -> None:
    scripted(30.0)
    hanging = running.read_frames((await database_sync_to_async(turn_of)(battle)).pk, after=0)
    waiting = asyncio.create_task(anext(hanging))  # type: ignore[arg-type]
    await asyncio.sleep(0.2)
    scripted("quick")
    monotonic = asyncio.get_running_loop().time
    other = await database_sync_to_async(opening.open_battle)(stranger, live, "Q?", seed="00", now=timezone.now())
    turn = await database_sync_to_async(turn_of)(other)
    started = monotonic()
    assert (await frames(turn))[-1]["end"] == "complete"
    assert monotonic() - started < 2
    assert not waiting.done()
    waiting.cancel()
    await running.shut_down()


async def test_a_shutdown_waits_for_nothing_but_what_is_under_way(battle: Battle) -> None:
    """A finished turn stays in memory to be read again; it may belong to a loop that has ended."""
    ended = asyncio.new_event_loop()
    done = ended.create_task(asyncio.sleep(0))
    await asyncio.get_running_loop().run_in_executor(None, ended.run_until_complete, done)
    ended.close()
    running._turns[0] = running.Running(battle.pk, running.new_log(0), done)
    await running.shut_down()


def headers(voter: Voter | None, origin: str | None = "http://testserver") -> list[tuple[bytes, bytes]]:
    found = [(b"host", b"testserver")]
    if origin is not None:
        found.append((b"origin", origin.encode()))
    if voter is not None:
        found.append((b"cookie", f"{COOKIE}={cookie_value(voter)}".encode()))
    return found


class Line(ApplicationCommunicator):
    """A client's end of a socket."""

    async def connect(self) -> bool:
        await self.send_input({"type": "websocket.connect"})
        return bool((await self.receive_output(timeout=5))["type"] == "websocket.accept")

    async def say(self, **message: Any) -> None:
        await self.send_input({"type": "websocket.receive", **message})

    async def hear(self) -> str:
        return str((await self.receive_output(timeout=5))["text"])

    async def disconnect(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(timeout=5)


def socket(battle: Battle, voter: Voter | None, *, origin: str | None = "http://testserver", turn: int = 1) -> Line:
    scope = {
        "type": "websocket",
        "path": f"/ws/battles/{battle.public_id}/{turn}/",
        "query_string": b"after=0",
        "headers": headers(voter, origin),
        "subprotocols": [],
    }
    return Line(application, scope)


async def test_the_socket_sends_the_frames(
    battle: Battle, scripted: Callable[..., dict[str, ScriptedProvider]], voter: Voter
) -> None:
    scripted("hello")
    line = socket(battle, voter)
    assert await line.connect()
    found = [json.loads(await line.hear())]
    while "end" not in found[-1]:
        found.append(json.loads(await line.hear()))
    assert text(found, "a") == "hello"
    await line.disconnect()


@pytest.mark.parametrize(
    "origin", [None, "", "null", "*", "https://testserver", "http://testserver:81", "http://evil.example"]
)
async def test_a_foreign_origin_is_refused_in_the_handshake(battle: Battle, voter: Voter, origin: str | None) -> None:
    assert not await socket(battle, voter, origin=origin).connect()


async def test_a_foreign_voter_and_unknown_turns_are_refused(battle: Battle, voter: Voter, stranger: Voter) -> None:
    for line in (socket(battle, stranger), socket(battle, None), socket(battle, voter, turn=2)):
        assert not await line.connect()


async def test_a_socket_of_an_account_needs_its_session(
    battle: Battle, voter: Voter, scripted: Callable[..., dict[str, ScriptedProvider]], client: Client
) -> None:
    def sign_in() -> bytes:
        user = get_user_model().objects.create_user("ada")
        Voter.objects.filter(pk=voter.pk).update(user=user)
        client.force_login(user)
        return f"; sessionid={client.cookies['sessionid'].value}".encode()

    scripted("hello")
    session = await database_sync_to_async(sign_in)()
    assert not await socket(battle, voter).connect()  # the voter's cookie alone, on a computer that others use
    for cookie, welcome in ((session, True), (session[:-1] + b"?", False), (b"; sessionid=", False)):
        line = socket(battle, voter)
        line.scope["headers"][-1] = (b"cookie", line.scope["headers"][-1][1] + cookie)
        assert await line.connect() is welcome
        await line.disconnect()


@pytest.mark.parametrize("message", ["", "{", "[]", '{"type":"vote"}', "x" * 50_000, "[" * 5000, '{"type":["stop"]}'])
async def test_malformed_frames_are_named_and_end_nothing(
    battle: Battle, scripted: Callable[..., dict[str, ScriptedProvider]], voter: Voter, message: str
) -> None:
    scripted(0.3, "hello")
    line = socket(battle, voter)
    await line.connect()
    await line.say(text=message)
    assert await line.hear() == '{"error":"malformed"}'
    await line.say(bytes=b"\xff\x00")
    assert await line.hear() == '{"error":"malformed"}'
    frame = json.loads(await line.hear())
    assert frame["a"] == frame["b"] == "hello"
    await line.disconnect()


async def test_quirks_of_providers_leave_no_trace(
    battle: Battle, scripted: Callable[..., dict[str, ScriptedProvider]]
) -> None:
    """Frames have one shape and one cleaned text, whatever a provider's habits."""
    first, second = await database_sync_to_async(
        lambda: [c.name.split("-")[0] for c in (battle.competitor_a, battle.competitor_b)]
    )()
    scripted(**{first: ("<think>hm", "m</think>", "  \n assistant: ", "Hello", "<|im_end|>"), second: ("Hello",)})
    found = await frames(await database_sync_to_async(turn_of)(battle))
    assert text(found, "a") == text(found, "b") == "Hello"
    assert {tuple(frame) for frame in found[:-1]} <= {("n", "a", "b")}
    assert tuple(found[-1]) == ("n", "a", "b", "end")


def test_a_key_that_is_missing_leaves_the_endpoint_out_of_the_draw(live: Arena, voter: Voter) -> None:
    Endpoint.objects.update(key_env="A_KEY_THAT_IS_NOT_SET")
    with pytest.raises(ArenaClosed):
        opening.open_battle(voter, live, "Q?", seed="00", now=timezone.now())


async def play(live: Arena, voter: Voter, number: int) -> Battle:
    """One battle on its way to its end, however it ends."""
    battle = await database_sync_to_async(opening.open_battle)(
        voter, live, f"Question {number}?", seed=str(number), now=timezone.now()
    )
    await frames(await database_sync_to_async(turn_of)(battle))
    await database_sync_to_async(battle.refresh_from_db)()
    return battle


async def test_a_competitor_that_always_fails_leaves_the_draw_alone_and_the_others_go_on(
    live: Arena, voter: Voter, scripted: Callable[..., dict[str, ScriptedProvider]]
) -> None:
    bogus = await database_sync_to_async(lambda: Competitor.objects.filter(arena=live).latest("pk"))()
    scripted("fine", **{bogus.name.split("-")[0]: (ProviderError(ErrorCode.STATUS, "no such model"),)})
    played = [await play(live, voter, number) for number in range(18)]
    with_bogus = [battle for battle in played if bogus.pk in (battle.competitor_a_id, battle.competitor_b_id)]
    assert len(with_bogus) == 3 and {battle.state for battle in with_bogus} == {BattleState.VOID}
    assert {battle.state for battle in played if battle not in with_bogus} == {BattleState.COMPLETE}
    assert await database_sync_to_async(lambda: live.competitors.filter(out_until__isnull=False).get())() == bogus
    assert (await database_sync_to_async(Endpoint.objects.get)()).out_until is None


async def test_a_dead_endpoint_closes_the_arena_after_two_battles(
    live: Arena, voter: Voter, scripted: Callable[..., dict[str, ScriptedProvider]]
) -> None:
    scripted(ProviderError(ErrorCode.CONNECT, "connection refused"))
    for number in range(2):
        assert (await play(live, voter, number)).state == BattleState.VOID
    with pytest.raises(ArenaClosed):
        await play(live, voter, 2)
