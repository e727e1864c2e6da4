"""HTTP for Django over ASGI, with threads that outlive a request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.base import BaseHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase

AT_ONCE = 8
"""Requests worked on at the same time; more only fight for the interpreter (50 at once cost a quarter more a vote)."""
KEPT_THREADS = 16
"""Idle threads that wait for the next request, each with its database connection where those persist."""


class WarmHandler(ASGIHandler):
    """Django's handler, with the whole synchronous chain in one warm thread a request.

    Django gives each request a new thread, which must connect to the database anew, and crosses between loop and
    thread twice for each middleware. All our middleware and views are synchronous, so one crossing is enough: a vote
    costs half as much. Answers that stream are still sent by the event loop.
    """

    def __init__(self) -> None:
        BaseHandler.__init__(self)
        self.load_middleware(is_async=False)
        self._idle: list[ThreadPoolExecutor] = []
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def __call__(
        self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        thread = self._idle.pop() if self._idle else ThreadPoolExecutor(max_workers=1, thread_name_prefix="request")
        try:
            async with ThreadSensitiveContext(executor=thread):
                await self.handle(scope, receive, send)
        finally:
            if len(self._idle) < KEPT_THREADS:
                self._idle.append(thread)
            else:
                thread.shutdown(wait=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """The synchronous chain, in the request's thread."""
        async with self._slots:
            answer: HttpResponseBase = await sync_to_async(self.get_response, thread_sensitive=True)(request)
        return answer
