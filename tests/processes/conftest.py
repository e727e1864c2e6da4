"""Real web processes on a database of their own, a scripted endpoint, and voters that talk HTTP and sockets."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import websockets

from tests.bench.http_client import Connection
from tests.bench.product import Child, Product, free_port
from tests.servers import postgres

BATTLE_ID = re.compile(rb"/battles/([0-9a-f-]{36})/")


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[str]:
    """A scripted OpenAI-compatible endpoint's base URL."""
    port = free_port()
    command = (sys.executable, "tests/bench/fake_endpoint.py", str(port))
    with Child(*command, env=dict(os.environ), log=tmp_path / "endpoint.log"):
        time.sleep(0.3)
        yield f"http://127.0.0.1:{port}/v1"


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """ "" for SQLite, else the address of a throwaway PostgreSQL that keeps its promises about crashes."""
    if request.param == "sqlite":
        yield ""
    else:
        with postgres(durable=True) as url:
            yield url


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Callable[..., Product]]:
    """Makes prepared instances, and ends their processes."""
    made: list[Product] = []

    def prepared(**options: Any) -> Product:
        made.append(Product(tmp_path / f"instance-{len(made)}", **options))
        made[-1].prepare()
        return made[-1]

    yield prepared
    for instance in made:
        instance.stop()


class Person:
    """One voter with a cookie; every call names the port of the process that it talks to."""

    def __init__(self, cookie: str) -> None:
        self.cookie = cookie

    async def post(self, port: int, path: str, form: dict[str, str] | None = None) -> tuple[int, bytes]:
        line = Connection(port, self.cookie)
        try:
            return await line.request("POST", path, form)
        finally:
            line.close()

    async def open_battle(self, port: int, prompt: str) -> str:
        """The id of a new battle."""
        status, body = await self.post(port, "/a/bench/battles/", {"prompt": prompt})
        assert status == 200, (status, body[:300])
        found = BATTLE_ID.search(body)
        assert found, body[:500]
        return found[1].decode()

    def socket(self, port: int, battle: str, *, after: int) -> Any:
        """A socket on the battle's first turn."""
        headers = {"Cookie": f"voter={self.cookie}", "Origin": f"http://127.0.0.1:{port}"}
        uri = f"ws://127.0.0.1:{port}/ws/battles/{battle}/1/?after={after}"
        return websockets.connect(uri, additional_headers=headers, compression=None, open_timeout=5)


class Reader:
    """Puts frames together as the page does."""

    def __init__(self) -> None:
        self.seen, self.end = 0, ""
        self.text = {"a": "", "b": ""}
        self.whole = False

    def take(self, raw: str | bytes) -> None:
        frame = json.loads(raw)
        assert frame["n"] > self.seen, "a frame came twice"
        if frame.get("whole"):
            self.text, self.whole = {"a": "", "b": ""}, True
        else:
            assert frame["n"] == self.seen + 1, "a frame is missing"
        self.seen = frame["n"]
        for side in self.text:
            self.text[side] += frame[side]
        self.end = frame.get("end", "")

    async def read(self, socket: Any, *, frames: int | None = None) -> None:
        """So many frames, or all to the end."""
        taken = 0
        while not self.end and (frames is None or taken < frames):
            self.take(await asyncio.wait_for(socket.recv(), 20))
            taken += 1
