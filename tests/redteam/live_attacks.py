"""The attacks on a running server: campaigns, which cost, and forbidden things, of which none may get through."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import pairwise
from statistics import mean
from typing import Any
from uuid import uuid4

import httpx
from websockets.exceptions import ConnectionClosed

from tests.bench.product import Product
from tests.redteam.live_client import ARENA, Answered, Attacker, Refused, attacker
from tests.redteam.live_endpoint import HABIT

AT_ONCE = 16
WORLD = "tests.redteam.live_world"
NAMES = re.compile(rb"zanzibar|target(?!\w)|first_token|total_ms|draw_probability", re.I)
FIELDS = re.compile(rb"first_token\w*|total_ms|draw_probability")
NAMED_ANYWAY = re.compile(rb'target="_blank"|event\.target')


@dataclass(slots=True)
class Campaign:
    """What a campaign did: votes that were accepted, what it took, and how it was held."""

    key: str
    votes: int = 0
    battles: int = 0
    seconds: float = 0
    refused: int = 0
    codes: tuple[str, ...] = ()


def side_of(read: Answered) -> str:
    """The side that seems to be the target's; "" when neither or both do."""
    sides = [side for side, text in (("a", read.a), ("b", read.b)) if text.startswith(HABIT)]
    return sides[0] if len(sides) == 1 else ""


async def promote(
    key: str, port: int, line: httpx.AsyncClient, *, seconds: float, addresses: int, each: int, prompt: str = ""
) -> Campaign:
    """Votes for the target wherever its habit shows, skips the rest; a new cookie after `each` battles.

    It goes on for so many seconds, or until every address is refused.
    """
    done, began, codes = Campaign(key), time.monotonic(), set[str]()
    free = [f"203.{number // 250}.{number % 250}.1" for number in range(addresses)]

    async def one(number: int) -> None:
        while free and time.monotonic() - began < seconds:
            number += 1
            mine = attacker(port, line, address=free[number % len(free)])
            for _ in range(each):
                if time.monotonic() - began >= seconds:
                    return
                try:
                    read = await (mine.battle(prompt) if prompt else mine.battle())
                except Refused as refusal:
                    done.refused += refusal.status == 429
                    codes.add(refusal.code)
                    if refusal.code == "rate_limited_here" and mine.address in free:
                        free.remove(mine.address)
                    if refusal.status == 429:
                        if each > 1000:  # it has but this cookie
                            return
                        break
                    continue
                done.battles += 1
                side = side_of(read) or ("a" if prompt and "target" in read.a else "b" if prompt else "")
                if side:
                    accepted = await mine.vote(read.battle, side) == 200
                    done.votes += accepted  # not in one line: others count meanwhile
                else:
                    await mine.skip(read.battle)

    await asyncio.gather(*(one(number) for number in range(1 if each > 1000 else AT_ONCE)))
    done.seconds, done.codes = time.monotonic() - began, tuple(sorted(codes))
    return done


@dataclass(frozen=True, slots=True)
class Through:
    """How often something forbidden was tried, and how often it got through."""

    what: str
    tried: int
    through: int


Forbidden = Callable[[Product, httpx.AsyncClient], Awaitable[Through]]


async def _opened(product: Product, line: httpx.AsyncClient, host: int) -> tuple[Attacker, Answered]:
    voter = attacker(product.port, line, address=f"198.51.100.{host}")
    return voter, await voter.battle()


def _facts(product: Product, battles: list[str]) -> dict[str, dict[str, Any]]:
    return product.script("facts", module=WORLD, battles=battles)  # type: ignore[return-value]


def _votes(product: Product, battle: str) -> int:
    return int(_facts(product, [battle])[battle]["votes"])


async def replays(product: Product, line: httpx.AsyncClient) -> Through:
    """A committed vote sent again, by its voter and by strangers with the same bytes."""
    voter, read = await _opened(product, line, 1)
    await voter.vote(read.battle, "a")
    again = [await voter.vote(read.battle, "a") for _ in range(10)]
    strangers = [await attacker(product.port, line).vote(read.battle, "a") for _ in range(10)]
    rows = _votes(product, read.battle)
    return Through(
        "replayed votes", 20, rows - 1 + sum(code == 200 for code in strangers) + sum(c != 200 for c in again)
    )


async def doubles(product: Product, line: httpx.AsyncClient) -> Through:
    """Many votes on one battle at one moment, and another choice afterwards."""
    voter, read = await _opened(product, line, 2)
    codes = await asyncio.gather(*(voter.vote(read.battle, "a" if n % 2 else "b") for n in range(24)))
    changed = [await voter.vote(read.battle, choice) for choice in ("a", "b", "tie", "both_bad")]
    kinds = {code for code in codes + changed if code not in (200, 409)}
    return Through(
        "double votes", 28, max(0, _votes(product, read.battle) - 1) + len(kinds) + max(0, changed.count(200) - 1)
    )


async def untimely(product: Product, line: httpx.AsyncClient) -> Through:
    """Votes before both are complete, after a skip, and a day late."""
    early = attacker(product.port, line, address="198.51.100.3")
    young = await early.open()
    codes = [await early.vote(young, "a")]
    skipped, read = await _opened(product, line, 4)
    await skipped.skip(read.battle)
    codes.append(await skipped.vote(read.battle, "a"))
    late, read = await _opened(product, line, 5)
    product.script("expire", module=WORLD, battle=read.battle)
    codes += [await late.vote(read.battle, choice) for choice in ("a", "b", "tie")]
    return Through("early and late votes", len(codes), codes.count(200))


async def crossed(product: Product, line: httpx.AsyncClient) -> Through:
    """Writes without the token, from other sites' pages, and sockets of other origins."""
    voter, read = await _opened(product, line, 6)
    path = f"{ARENA}battles/{read.battle}/vote/"
    foreign = {"Origin": "http://evil.example", "Referer": "http://evil.example/"}
    writes = [
        await voter.send("POST", path, {"winner": "a"}, **{"X-CSRFToken": ""}),
        await voter.send("POST", path, {"winner": "a"}, **{"X-CSRFToken": CSRF_OTHER}),
        await voter.send("POST", path, {"winner": "a"}, **foreign),
        await voter.send("POST", f"/a/bench/battles/{read.battle}/vote/", {"winner": "a"}, **foreign),
        await voter.send("POST", path, {"winner": "a"}, Origin="null"),
    ]
    port = product.port
    origins = ("http://evil.example", "null", None, f"https://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}",
               f"http://127.0.0.1:{port}.evil.example", "*")  # fmt: skip
    hands = [await voter.shakes_hands(read.battle, origin=origin) for origin in origins]
    assert await voter.shakes_hands(read.battle, origin=""), "our own page was refused: the attempts say nothing"
    through = sum(answer.status_code == 200 for answer in writes) + sum(hands) + _votes(product, read.battle)
    return Through("cross-site writes and sockets", len(writes) + len(hands), through)


CSRF_OTHER = "x" * 32


async def forgeries(product: Product, line: httpx.AsyncClient) -> Through:
    """Ids, cookies, parameters and frames of one's own making; a socket of somebody else's battle."""
    voter, read = await _opened(product, line, 7)
    stranger = attacker(product.port, line, address="198.51.100.8")
    through = tried = 0
    for cookie in ("", "x", voter.cookie[:-2] + "xx", voter.cookie.split(":")[0], "0" * 32 + ":1:1"):
        stranger.cookie = cookie
        for winner in ("a", "b"):
            codes = [await stranger.vote(battle, winner) for battle in (read.battle, str(uuid4()))]
            through += codes.count(200)
            tried += 2
        through += await stranger.shakes_hands(read.battle, origin="")
        tried += 1
    for word in ("A", "model_a", "target", "", "1", "a\x00"):
        through += await voter.vote(read.battle, word) == 200
        tried += 1
    through += await _framed(voter, read.battle)
    tried += 6
    wishes = {
        "competitor_a": 1,
        "competitor_b": 2,
        "side": "a",
        "seed": "0",
        "policy": "x",
        "voter": 1,
        "model": "target",
    }
    browsers = [attacker(product.port, line, address=f"198.51.100.{host}") for host in range(9, 15)]
    wished = [await wishing.open(**wishes) for wishing in browsers]
    met = [(tuple(said["names"]), said["seed"]) for said in _facts(product, wished).values()]
    tried += len(met)
    through += 0 if len({names for names, _ in met}) > 1 and all(seed != "0" for _, seed in met) else len(met)
    return Through("forged ids, cookies, words, frames, parameters", tried, through + _votes(product, read.battle))


async def _framed(voter: Attacker, battle: str) -> int:
    """Frames that a page never sends; how many did anything but end in a word about malformed ones."""
    did = 0
    for frame in ('{"type":"vote","winner":"a"}', '{"type":"reveal"}', '{"n":1,"a":"x","b":"y","end":"complete"}',
                  "[" * 1500, b"\x00\x01", "x" * 70_000):  # fmt: skip
        try:
            async with voter.socket(battle) as socket:
                await socket.send(frame)
                async for answer in socket:
                    voter.seen.append(answer.encode() if isinstance(answer, str) else answer)
                    did += b"winner" in voter.seen[-1] or b"sides" in voter.seen[-1]
        except ConnectionClosed:
            continue
    return did


PATHS = ("", "reveal/", "stream/", "stream/?after=0", "stream/?turn=2", "vote/", "note/", "turns/", "?format=api",
         "?fields=competitor_a", "redraw/", "stop/")  # fmt: skip


async def leaks(product: Product, line: httpx.AsyncClient) -> Through:
    """Every byte that may be had about an open battle, by its voter and by strangers, searched for names."""
    before = await attacker(product.port, line, address="198.51.100.22").send("GET", "/api/schema/")
    voter, read = await _opened(product, line, 20)
    stranger = attacker(product.port, line, address="198.51.100.21")
    own, page = f"{ARENA}battles/{read.battle}/", f"/a/bench/battles/{read.battle}/"
    elsewhere = ("/a/bench/", f"/a/bench/?battle={read.battle}", "/healthz", "/api/schema/", "/", page,
                 f"{page}reveal/", f"/admin/battles/battle/?public_id={read.battle}")  # fmt: skip
    for browser in (voter, stranger):
        for path in PATHS:
            await browser.send("GET", f"{own}{path}")
            await browser.send("OPTIONS", f"{own}{path}")
        for path in elsewhere:
            answer = await browser.send("GET", path)
            if etag := answer.headers.get("ETag"):
                await browser.send("GET", path, **{"If-None-Match": etag})
        for body in ({"winner": "sesame"}, {"winner": None}, {"winner": ["a"]}, [], "x"):
            await browser.send("POST", f"{ARENA}battles/{read.battle}/vote/", body)
    seen = voter.seen + stranger.seen
    # The schema names fields that are filled after a vote: it must be the same before there was a battle.
    told = [part for part in seen if part != before.content] + [FIELDS.sub(b"", before.content)]
    found = [part for part in told if NAMES.search(NAMED_ANYWAY.sub(b"", part))]
    return Through("leaks among answers searched before a vote", len(seen), len(found))


FORBIDDEN: tuple[Forbidden, ...] = (replays, doubles, untimely, crossed, forgeries, leaks)


@dataclass(frozen=True, slots=True)
class Timing:
    """How well arrival times of frames tell battles with the target from others, against the better of two guesses."""

    battles: int
    share: float
    chance: float
    allowed: float


async def timing(product: Product, line: httpx.AsyncClient, battles: int) -> Timing:
    """Reads frames by socket and tells by first frame, mean gap and whole time, each against the texts' length."""
    seen: dict[str, list[float]] = {}

    async def watch(number: int) -> None:
        voter = attacker(product.port, line, address=f"100.64.{number % 250}.{1 + number // 250}")
        battle = await voter.open()
        began, stamps, length = time.monotonic(), [], 0
        async with voter.socket(battle) as socket:
            async for frame in socket:
                stamps.append(time.monotonic() - began)
                length += len(frame)
        gaps = [after - before for before, after in pairwise(stamps)] or [0.0]
        seen[battle] = [stamps[0], mean(gaps), stamps[-1], stamps[-1] / length]

    for start in range(0, battles, 4):
        await asyncio.gather(*(watch(number) for number in range(start, min(battles, start + 4))))
    names = {battle: said["names"] for battle, said in _facts(product, list(seen)).items()}
    return told_by_time([(features, "target" in names[battle]) for battle, features in seen.items()])


def told_by_time(rows: list[tuple[list[float], bool]]) -> Timing:
    """Each battle told by the nearest mean of the others, features in units of their spread."""
    columns = list(zip(*(features for features, _ in rows), strict=True))
    centre = [mean(column) for column in columns]
    spread = [max(1e-9, mean([(x - c) ** 2 for x in column]) ** 0.5) for column, c in zip(columns, centre, strict=True)]
    scaled = [
        ([(x - c) / s for x, c, s in zip(features, centre, spread, strict=True)], is_in) for features, is_in in rows
    ]
    right = 0
    for place, (features, is_in) in enumerate(scaled):
        rest = scaled[:place] + scaled[place + 1 :]
        far = {}
        for kind in (True, False):
            members = [other for other, other_in in rest if other_in is kind] or [[0.0] * len(features)]
            middle = [mean(column) for column in zip(*members, strict=True)]
            far[kind] = sum((x - m) ** 2 for x, m in zip(features, middle, strict=True))
        right += (far[True] < far[False]) == is_in
    share_in = sum(is_in for _, is_in in rows) / len(rows)
    chance = max(share_in, 1 - share_in)
    return Timing(len(rows), right / len(rows), chance, chance + 3 * (0.25 / len(rows)) ** 0.5)
