"""A lean HTTP/1.1 client on asyncio streams, so that the measuring costs less than what is measured."""

from __future__ import annotations

import asyncio
from urllib.parse import urlencode

CSRF = "0123456789abcdefghijklmnopqrstuv"


class Connection:
    """One keep-alive connection of one voter."""

    def __init__(self, port: int, cookie: str) -> None:
        self.port, self.cookie = port, cookie
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def request(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, bytes]:
        if self.reader is None or self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        body = urlencode(form or {}).encode()
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nX-Fragment: 1\r\nX-Has-Turns: 1\r\n"
            f"Cookie: csrftoken={CSRF}; voter={self.cookie}\r\nX-CSRFToken: {CSRF}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.writer.write(head.encode() + body)
        raw = await self.reader.readuntil(b"\r\n\r\n")
        headers = raw.lower()
        status = int(raw.split(b" ", 2)[1])
        if b"content-length:" in headers:
            length = int(headers.split(b"content-length:")[1].split(b"\r\n")[0])
            return status, await self.reader.readexactly(length)
        data = b""
        if b"chunked" in headers:
            while size := int(await self.reader.readline(), 16):
                data += await self.reader.readexactly(size)
                await self.reader.readline()
            await self.reader.readline()
        return status, data

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()
            self.reader = self.writer = None
