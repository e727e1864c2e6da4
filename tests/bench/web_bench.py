"""Measures the web side and prints one table beside what was measured on the neighbours (same kind of machine).

    python tests/bench/web_bench.py [--quick] [--only votes,streams,pages] [--write docs/benchmarks.md]

Everything runs on loopback: a fake endpoint at 50 tokens a second, the product, and clients, each a process of its own.
Votes are measured on SQLite, and on a throwaway PostgreSQL with its ordinary durability where its programs are
installed. CPU times are those of the web processes alone.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

import document
import servers
from http_client import Connection
from product import Product
from web_streams import Row, bench_streams

HEAD = ("measure", "here", "neighbours (FastChat / ComparIA / Open WebUI / Label Studio)", "goal")


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
        before = product.cpu_seconds()
        seconds, good, bad = asyncio.run(vote_all(product.port, world["voters"]))  # type: ignore[arg-type]
        cpu = (product.cpu_seconds() - before) * 1000 / (good + bad)
    finally:
        product.stop()
    name = "PostgreSQL" if database_url else "SQLite"
    goal = "≥ 500" if database_url else "≥ 300"
    return [(f"votes/s, 50 voters, {name}, {product.processes} web process(es), {bad} failures",
             f"{good / seconds:.0f}", "28 / 7 / 5.7 (20 clients)", goal),
            (f"application CPU ms a vote, {name}", f"{cpu:.1f}", "–", "≤ 4")]  # fmt: skip


def bench_votes_on_postgres(folder: Path, *, quick: bool) -> list[Row]:
    """The same on PostgreSQL; a row that says so where it is not installed."""
    try:
        servers.program("initdb")
    except servers.Missing as missing:
        return [("votes/s, 50 voters, PostgreSQL", f"not measured: {missing}", "–", "≥ 500")]
    with servers.postgres(durable=True) as url:
        return bench_votes(folder, url, quick=quick)


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
    parser.add_argument("--write", type=Path, help="put the whole table between the marks of this document")
    options = parser.parse_args()
    if options.write and (options.quick or options.only != parser.get_default("only")):
        parser.error("--write takes a whole run, without --quick and --only.")
    only = options.only.split(",")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        if "votes" in only:
            rows += bench_votes(Path(folder, "v"), "", quick=options.quick)
            rows += bench_votes_on_postgres(Path(folder, "p"), quick=options.quick)
        if "streams" in only:
            rows += bench_streams(Path(folder, "s"), quick=options.quick)
        if "pages" in only:
            rows += bench_pages(Path(folder, "g"), quick=options.quick)
    lines = [*document.table(HEAD, rows), "", f"{document.machine()}."]
    print("\n".join(lines))
    if options.write:
        document.write(options.write, "web", lines)


if __name__ == "__main__":
    main()
