"""An OpenAI-compatible endpoint that streams scripted tokens at a set speed; for measuring, in its own process.

    python tests/bench/fake_endpoint.py PORT

The prompt says what to do: "tokens=200 rate=50 first=0.05" (defaults those). `hang=1` never answers.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Awaitable, Callable
from functools import partial

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
BURST = 5


def chunk(data: str) -> bytes:
    body = f"data: {data}\n\n".encode()
    return b"%x\r\n%s\r\n" % (len(body), body)


def delta(text: str, reason: str | None = None) -> str:
    return json.dumps({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": reason}]})


async def serve(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    answering: Callable[[str, asyncio.StreamWriter], Awaitable[None]],
) -> None:
    """Requests on one connection, each body given to `answering`."""
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = int((re.search(rb"content-length: *(\d+)", head, re.I) or [b"", b"0"])[1])
            body = (await reader.readexactly(length)).decode() if length else ""
            if head.startswith(b"GET"):
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                continue
            await answering(body, writer)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def answer(body: str, writer: asyncio.StreamWriter) -> None:
    said = {key: float(value) for key, value in re.findall(r"(tokens|rate|first|hang)=([\d.]+)", body)}
    if said.get("hang"):
        await asyncio.sleep(3600)
    writer.write(HEAD)
    loop = asyncio.get_running_loop()
    start = loop.time() + said.get("first", 0.05)
    await asyncio.sleep(start - loop.time())
    rate, total = said.get("rate", 50.0), int(said.get("tokens", 200))
    for index in range(total):
        writer.write(chunk(delta(f" word{index % 10}")))
        due = start + (index + 1) / rate
        if due > loop.time():
            await writer.drain()
            await asyncio.sleep(due - loop.time())
    writer.write(chunk(delta("", "stop")) + chunk("[DONE]") + b"0\r\n\r\n")
    await writer.drain()


async def main(port: int) -> None:
    server = await asyncio.start_server(partial(serve, answering=answer), "127.0.0.1", port, backlog=2048)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    try:
        import uvloop

        uvloop.run(main(int(sys.argv[1])))
    except ImportError:
        asyncio.run(main(int(sys.argv[1])))
