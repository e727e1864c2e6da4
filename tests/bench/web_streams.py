"""Whole live battles through the product, one and many at once, beside the same streams without it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import websockets
from http_client import Connection
from product import Child, Product, free_port

Row = tuple[str, str, str, str]
"""Measure, ours, neighbours, goal."""


async def one_battle(port: int, cookie: str, tokens: int, prompt: str = "") -> dict[str, Any]:
    """A whole live battle over the page's own addresses: frames, bytes, delays."""
    line = Connection(port, cookie)
    asked = time.perf_counter()
    said = {"prompt": prompt or f"tokens={tokens} rate=50 first=0.05"}
    status, body = await line.request("POST", "/a/bench/battles/", said)
    assert status == 200, (status, body[:300])
    found = re.search(rb"/battles/([0-9a-f-]{36})/", body)
    assert found, body[:500]
    battle = found[1].decode()
    line.close()
    start = time.perf_counter()
    size, first, texts = 0, 0.0, {"a": 0, "b": 0}
    headers = {"Cookie": f"voter={cookie}", "Origin": f"http://127.0.0.1:{port}"}
    uri = f"ws://127.0.0.1:{port}/ws/battles/{battle}/1/?after=0"
    async with websockets.connect(uri, additional_headers=headers, compression=None) as socket:
        async for raw in socket:
            size += len(raw.encode() if isinstance(raw, str) else raw)
            frame = json.loads(raw)
            for side in texts:
                texts[side] += len(frame[side])
            if not first and (frame["a"] or frame["b"]):
                first = time.perf_counter() - start
            if end := frame.get("end"):
                took = time.perf_counter() - start
                return {"end": end, "bytes": size, "first": first, "took": took, "served": start - asked}
    raise AssertionError("the socket ended without an end")


async def burst(port: int, cookies: list[str], tokens: int, spread: float) -> list[dict[str, Any]]:
    async def later(number: int, cookie: str) -> dict[str, Any]:
        await asyncio.sleep(spread * number / len(cookies))
        return await one_battle(port, cookie, tokens)

    return await asyncio.gather(*(later(number, cookie) for number, cookie in enumerate(cookies)))


def bench_streams(folder: Path, *, quick: bool) -> list[Row]:
    port = free_port()
    folder.mkdir()
    tokens = 100 if quick else 500
    with Child(sys.executable, "tests/bench/fake_endpoint.py", str(port), env=dict(os.environ), log=folder / "e.log"):
        time.sleep(0.5)
        product = Product(folder)
        product.prepare()
        world = product.script("live_arena", base_url=f"http://127.0.0.1:{port}/v1", stream_mode="live",
                               voters=40 if quick else 260)  # fmt: skip
        cookies: list[str] = world["cookies"]  # type: ignore[assignment]
        product.start()
        try:
            return _streams(product, port, cookies, tokens, quick=quick)
        finally:
            product.stop()


def _streams(product: Product, endpoint: int, cookies: list[str], tokens: int, *, quick: bool) -> list[Row]:
    idle = product.children[0].rss_mb()
    asyncio.run(one_battle(product.port, cookies.pop(), 20))
    single = [asyncio.run(one_battle(product.port, cookies.pop(), 20)) for _ in range(5)]
    first = statistics.median(run["first"] for run in single) * 1000 - 50
    before = product.cpu_seconds()
    long = asyncio.run(one_battle(product.port, cookies.pop(), tokens))
    cpu = (product.cpu_seconds() - before) * 1000 / (2 * tokens)
    rows: list[Row] = [
        ("web process idle, RSS MB", f"{idle:.0f}", "862 / 228 / 1,206 / 352", "≤ 120"),
        ("first token later than direct, live mode, ms (socket's opening and the claim included)", f"{first:.1f}",
         "166–208 / 109 / 187", "≤ 10"),
        (f"bytes to the client a token ({tokens} tokens a side)", f"{long['bytes'] / (2 * tokens):.1f}",
         "3,852 / same way / 193", "≤ 60"),
        ("CPU ms a streamed token, one battle alone", f"{cpu:.3f}", "1.07–1.5 / 1.2–1.7 / .22–.33", "≤ .12"),
    ]  # fmt: skip
    rows.append(_beside_hanging_models(product, cookies))
    for count, spread in ((12, 0.0),) if quick else ((40, 0.0), (80, 0.0), (200, 10.0)):
        rows += _many(product, endpoint, cookies, count, min(tokens, 250), spread)
    return rows


def _many(product: Product, endpoint: int, cookies: list[str], count: int, tokens: int, spread: float) -> list[Row]:
    """Many battles at once, and the same streams read without the product: the harness's own lateness."""
    ideal = 0.05 + tokens / 50
    floor = asyncio.run(_direct(endpoint, 2 * count, tokens, spread))
    people = [cookies[n % len(cookies)] for n in range(count)]
    before = product.cpu_seconds()
    done = asyncio.run(burst(product.port, people, tokens, spread))
    cpu = (product.cpu_seconds() - before) * 1000 / (2 * tokens * count)
    voids = sum(run["end"] != "complete" for run in done)
    name = f"{count} battles {f'spread over {spread:.0f} s' if spread else 'in a burst'}"
    return [
        (f"{name}: p95 end delay s ({voids} void, {cpu:.3f} CPU ms a token; the page came after "
         f"{_p95([run['served'] for run in done]):.2f} s)", f"{_p95([run['took'] - ideal for run in done]):.2f}",
         "4 / 3 / 1 battles at < .5", "< .5 at ≥ 80, aim ≥ 200"),
        (f"{name}: the harness alone, without the product", f"{_p95([took - ideal for took in floor]):.2f}", "–", "–"),
    ]  # fmt: skip


def _beside_hanging_models(product: Product, cookies: list[str]) -> Row:
    """What ten voters notice of twenty others whose models accept and never answer."""

    async def ten() -> float:
        done = await burst(product.port, cookies[:10], 100, 1.0)
        return _p95([run["took"] for run in done])

    async def beside() -> tuple[float, float]:
        alone = await ten()
        hanging = [asyncio.create_task(one_battle(product.port, cookie, 0, "hang=1")) for cookie in cookies[10:30]]
        await asyncio.sleep(1.5)
        both = await ten()
        assert len(hanging) == 20
        assert not any(task.done() for task in hanging), "a model that hangs must hang for as long as is measured"
        for task in hanging:
            task.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)
        return alone, both

    alone, both = asyncio.run(beside())
    return ("20 battles whose models hang: the other voters' end is later by, p95 s", f"{max(0.0, both - alone):.2f}",
            "– / the whole server freezes 10 s / –", "< .1")  # fmt: skip


async def _direct(port: int, streams: int, tokens: int, spread: float) -> list[float]:
    """Seconds that each stream takes when the endpoint is read as cheaply as can be."""
    body = json.dumps({"messages": [{"role": "user", "content": f"tokens={tokens} rate=50 first=0.05"}]}).encode()
    ask = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)

    async def one(number: int) -> float:
        await asyncio.sleep(spread * number / streams)
        start = time.perf_counter()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(ask)
        tail = b""
        while not tail.endswith(b"\r\n0\r\n\r\n"):
            tail = tail[-8:] + await reader.read(65_536)
        writer.close()
        return time.perf_counter() - start

    return await asyncio.gather(*(one(number) for number in range(streams)))


def _p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]
