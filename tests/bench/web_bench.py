"""Measures the web side and prints one table beside what was measured on the neighbours (same kind of machine).

    python tests/bench/web_bench.py [--quick] [--only votes,streams,pages] [--database-url postgres://…]

Everything runs on loopback: a fake endpoint at 50 tokens a second, the product, and clients, each a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import os
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import websockets
from http_client import Connection
from product import Child, Product, free_port

Row = tuple[str, str, str, str]
"""Measure, ours, neighbours, goal."""


async def vote_all(port: int, voters: list[dict[str, Any]]) -> tuple[float, int, int]:
    """Every voter votes through their battles one after the other, all voters at once: seconds, votes, failures."""

    async def one(voter: dict[str, Any]) -> tuple[int, int]:
        line, good, bad = Connection(port, voter["cookie"]), 0, 0
        for number, battle in enumerate(voter["battles"]):
            winner = ("a", "b", "tie", "both_bad")[number % 4]
            status, body = await line.request("POST", f"/a/bench/battles/{battle}/vote/", {"winner": winner})
            if status == 200 and b'data-side="a"' in body:
                good += 1
            else:
                bad += 1
        line.close()
        return good, bad

    start = time.perf_counter()
    done = await asyncio.gather(*(one(voter) for voter in voters))
    return time.perf_counter() - start, sum(g for g, _ in done), sum(b for _, b in done)


def bench_votes(folder: Path, database_url: str, *, quick: bool) -> list[Row]:
    product = Product(folder, database_url=database_url, processes=1 if quick else 2)
    if product.processes > 1:
        product.env["BLINDFOLD_ALLOW_PROCESSES"] = "1"
    product.prepare()
    world = product.script("votable", voters=50, battles=6 if quick else 40)
    product.start()
    try:
        seconds, good, bad = asyncio.run(vote_all(product.port, world["voters"]))  # type: ignore[arg-type]
    finally:
        product.stop()
    name = "PostgreSQL" if database_url else "SQLite"
    goal = "≥ 500" if database_url else "≥ 300"
    return [(f"votes/s, 50 voters, {name}, {product.processes} web process(es), {bad} failures",
             f"{good / seconds:.0f}", "28 / 7 / 5.7 (20 clients)", goal)]  # fmt: skip


async def one_battle(port: int, cookie: str, tokens: int) -> dict[str, Any]:
    """A whole live battle over the page's own addresses: frames, bytes, delays."""
    line = Connection(port, cookie)
    status, body = await line.request("POST", "/a/bench/battles/", {"prompt": f"tokens={tokens} rate=50 first=0.05"})
    assert status == 200, (status, body[:300])
    found = re.search(rb"/battles/([0-9a-f-]{36})/", body)
    assert found, body[:500]
    battle = found[1].decode()
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
                line.close()
                took = time.perf_counter() - start
                return {"end": end, "bytes": size, "first": first, "took": took, "chars": texts}
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
                               voters=20 if quick else 260)  # fmt: skip
        cookies: list[str] = world["cookies"]  # type: ignore[assignment]
        product.start()
        try:
            return _streams(product, cookies, tokens, quick=quick)
        finally:
            product.stop()


def _streams(product: Product, cookies: list[str], tokens: int, *, quick: bool) -> list[Row]:
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
    sizes = ((12, 0.0),) if quick else ((40, 0.0), (80, 0.0), (200, 10.0))
    for count, spread in sizes:
        people = [cookies[n % len(cookies)] for n in range(count)]
        before = product.cpu_seconds()
        done = asyncio.run(burst(product.port, people, min(tokens, 250), spread))
        cpu = (product.cpu_seconds() - before) * 1000 / (2 * min(tokens, 250) * count)
        ideal = 0.05 + min(tokens, 250) / 50
        delays = sorted(run["took"] - ideal for run in done)
        voids = sum(run["end"] != "complete" for run in done)
        rows.append((f"{count} battles {f'spread over {spread:.0f} s' if spread else 'in a burst'}: p95 end delay s "
                     f"({voids} void, {cpu:.3f} CPU ms a token)", f"{delays[int(len(delays) * 0.95)]:.2f}",
                     "4 / 3 / 1 battles at < .5", "< .5 at ≥ 80, aim ≥ 200"))  # fmt: skip
    return rows


def bench_pages(folder: Path, *, quick: bool) -> list[Row]:
    """Server time of the leaderboard, and the weight of a first page."""
    product = Product(folder)
    product.env["ARENA_RATE_LIMITS"] = "on"
    product.prepare()
    product.manage("seed")
    product.script("votable", voters=1, battles=1)
    product.start()
    try:
        return asyncio.run(_pages(product))
    finally:
        product.stop()


async def _pages(product: Product) -> list[Row]:
    line = Connection(product.port, "")
    times = []
    for _ in range(30):
        start = time.perf_counter()
        status, page = await line.request("GET", "/a/sample/leaderboard/")
        times.append((time.perf_counter() - start) * 1000)
        assert status == 200
    middle = f"{statistics.median(times):.1f}"
    rows = [("leaderboard from a snapshot, whole request, median ms", middle, "500 with two models / – / –", "≤ 20")]
    plain = Connection(product.port, "")
    for path in ("/a/live/", "/a/sample/leaderboard/"):
        _, page = await fetch_page(plain, path)
        links = sorted(set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page.decode())))
        size = len(page)
        for link in links:  # grows: a module names the modules that it imports
            _, asset = await plain.request("GET", link)
            size += len(gzip.compress(asset))
            for name in re.findall(rb'from "\./([^"]+)"', asset):
                links.append(f"{link.rsplit('/', 1)[0]}/{name.decode()}")
        rows.append((f"first load of {path}: kB over the wire, {len(links) + 1} requests", f"{size / 1000:.0f}",
                     "1,391 kB, 80 / 920, 86 / 2,969, 249", "≤ 150 kB, ≤ 15"))  # fmt: skip
    return rows


async def fetch_page(line: Connection, path: str) -> tuple[int, bytes]:
    """The whole page, not the fragment."""
    reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{line.port}\r\nConnection: close\r\n\r\n".encode())
    raw = await reader.read()
    writer.close()
    return 200, raw.split(b"\r\n\r\n", 1)[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default="votes,streams,pages")
    parser.add_argument("--database-url", default="", help="also measure votes on this PostgreSQL database")
    options = parser.parse_args()
    only = options.only.split(",")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        if "votes" in only:
            rows += bench_votes(Path(folder, "v"), "", quick=options.quick)
            if options.database_url:
                rows += bench_votes(Path(folder, "p"), options.database_url, quick=options.quick)
        if "streams" in only:
            rows += bench_streams(Path(folder, "s"), quick=options.quick)
        if "pages" in only:
            rows += bench_pages(Path(folder, "g"), quick=options.quick)
    print("| measure | here | neighbours (FastChat / ComparIA / Open WebUI / Label Studio) | goal |\n|---|---|---|---|")
    for row in rows:
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
