"""An attacker's browser: HTTP with a cookie and an address of its choice, as one behind many proxies has."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import httpx
import websockets

CSRF = "0123456789abcdefghijklmnopqrstuv"
ARENA = "/api/v1/arenas/bench/"
QUESTION = "What lies beyond the river?"


@dataclass(frozen=True, slots=True)
class Answered:
    """A battle whose answers were read: its id, and both texts."""

    battle: str
    a: str
    b: str


@dataclass(slots=True)
class Refused(Exception):
    """What the server said instead."""

    status: int
    code: str
    retry_after: int = 0


@dataclass(slots=True)
class Attacker:
    """One cookie, none at first, and one address."""

    port: int
    address: str
    line: httpx.AsyncClient
    cookie: str = ""
    seen: list[bytes] = field(default_factory=list)

    def headers(self, **more: str) -> dict[str, str]:
        cookie = f"csrftoken={CSRF}" + (f"; voter={self.cookie}" if self.cookie else "")
        return {"Cookie": cookie, "X-CSRFToken": CSRF, "X-Forwarded-For": self.address} | more

    async def send(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """Any request; bytes and headers of the answer are kept for the search for names."""
        answer = await self.line.request(method, path, json=body, headers=self.headers(**headers))
        self.line.cookies.clear()
        self.seen += [answer.content, *(f"{key}: {value}".encode() for key, value in answer.headers.items())]
        for morsel in answer.headers.get_list("set-cookie"):
            if morsel.startswith("voter="):
                self.cookie = morsel.split(";")[0].removeprefix("voter=").strip('"')
        return answer

    async def open(self, prompt: str = QUESTION, **more: Any) -> str:
        """A battle's id. Raises Refused."""
        answer = await self.send("POST", f"{ARENA}battles/", {"prompt": prompt, **more})
        if answer.status_code not in (200, 201):
            raise Refused(answer.status_code, answer.json().get("code", ""), int(answer.headers.get("Retry-After", 0)))
        return str(answer.json()["id"])

    async def read(self, battle: str) -> Answered:
        """The whole stream. Raises Refused when the battle ended otherwise."""
        answer = await self.send("GET", f"{ARENA}battles/{battle}/stream/")
        text, end = {"a": "", "b": ""}, ""
        for line in answer.text.splitlines():
            if line.startswith("data: "):
                frame = json.loads(line[6:])
                text = {side: frame[side] if frame.get("whole") else text[side] + frame[side] for side in text}
                end = frame.get("end", end)
        if end != "complete":
            raise Refused(answer.status_code, end)
        return Answered(battle, text["a"], text["b"])

    async def battle(self, prompt: str = QUESTION) -> Answered:
        return await self.read(await self.open(prompt))

    async def vote(self, battle: str, winner: str) -> int:
        answer = await self.send("POST", f"{ARENA}battles/{battle}/vote/", {"winner": winner})
        return answer.status_code

    async def skip(self, battle: str) -> None:
        await self.send("POST", f"{ARENA}battles/{battle}/skip/")

    def socket(self, battle: str, *, origin: str | None = "") -> Any:
        """A socket on the first turn; `origin` None sends none, "" our own."""
        headers = {"Cookie": f"voter={self.cookie}", "X-Forwarded-For": self.address}
        if origin is not None:
            headers["Origin"] = origin or f"http://127.0.0.1:{self.port}"
        uri = f"ws://127.0.0.1:{self.port}/ws/battles/{battle}/1/"
        return websockets.connect(uri, additional_headers=headers, compression=None, open_timeout=5)

    async def shakes_hands(self, battle: str, *, origin: str | None) -> bool:
        """Whether a socket with this Origin is let in."""
        try:
            async with self.socket(battle, origin=origin):
                return True
        except (TimeoutError, websockets.InvalidHandshake):
            return False


def attacker(port: int, line: httpx.AsyncClient, *, address: str = "203.0.113.1") -> Attacker:
    """A browser without a cookie at this address."""
    return Attacker(port, address, line)


def line_to(port: int) -> httpx.AsyncClient:
    """Connections for many attackers."""
    limits = httpx.Limits(max_connections=64)
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30, limits=limits)
