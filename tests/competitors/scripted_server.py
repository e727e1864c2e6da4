"""An endpoint of a few lines: it listens on the loopback and answers as a test says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from arena.competitors.providers import close_shared_clients

Behaviour = Callable[[asyncio.StreamWriter, bytes], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
USAGE = b'data: {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2}}\n\n'
DONE = b"data: [DONE]\n\n"


def event(content: str | None = None, finish: str | None = None, **more: object) -> bytes:
    delta = {} if content is None else {"content": content}
    return b"data: " + json.dumps({"choices": [{"delta": delta, "finish_reason": finish}], **more}).encode() + b"\n\n"


def chunked(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def answering(*parts: bytes | float, end: bytes = b"0\r\n\r\n") -> Behaviour:
    """Sends the parts as chunks, waits where there is a number, and ends the body with `end`."""

    async def behave(writer: asyncio.StreamWriter, _request: bytes) -> None:
        writer.write(OK + b"Transfer-Encoding: chunked\r\n\r\n")
        for part in parts:
            if isinstance(part, bytes):
                writer.write(chunked(part))
                await writer.drain()
            else:
                await asyncio.sleep(part)
        writer.write(end)

    return behave


def replying(raw: bytes) -> Behaviour:
    async def behave(writer: asyncio.StreamWriter, _request: bytes) -> None:
        writer.write(raw)

    return behave


class Endpoint:
    """What a test sees of its server."""

    def __init__(self) -> None:
        self.base_url = ""
        self.requests: list[bytes] = []
        self.connections = 0
        self.lost = asyncio.Event()


@asynccontextmanager
async def endpoint(behave: Behaviour, *, requests_a_connection: int = 100) -> AsyncIterator[Endpoint]:
    seen, tasks = Endpoint(), set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.connections += 1
        tasks.add(asyncio.current_task())
        try:
            for _ in range(requests_a_connection):
                head = await reader.readuntil(b"\r\n\r\n")
                said = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
                seen.requests.append(head + await reader.readexactly(int(said or 0)))
                await behave(writer, seen.requests[-1])
                await writer.drain()
                if not seen.requests[-1].startswith(b"POST") or writer.is_closing():
                    break
                if behave_once:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            seen.lost.set()
        finally:
            writer.close()

    behave_once = requests_a_connection == 1
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    seen.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield seen
    finally:
        await close_shared_clients()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        server.close()
        await server.wait_closed()
