"""HTTP for Django over ASGI, with threads that outlive a request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any, cast

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.http.response import HttpResponse, HttpResponseBase
from django.urls import set_script_prefix

from arena.precedence import Turnstile

AT_ONCE = 8
"""Requests worked on at the same time; more only fight for the interpreter (50 at once cost a quarter more a vote)."""
KEPT_THREADS = 16
"""Idle threads that wait for the next request, each with its database connection where those persist."""


MOST_BODY = 60_000_000
"""Bytes of one request, as the proxy's file has it: what comes is kept before anybody knows who sends it."""


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
        self._slots = Turnstile(AT_ONCE)

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

    async def handle(
        self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        """As Django's, with signals, middleware, view and the answer's end in one crossing instead of three."""
        try:
            body = await self.read_body(bounded := _Bounded(receive))
        except RequestAborted:
            if bounded.is_over:
                said = f"At most {MOST_BODY // 1_000_000} MB are taken at once.\n"
                await self.send_response(HttpResponse(said, status=413, content_type="text/plain"), send)
            return
        with body:
            async with self._slots.passage():
                answer = await sync_to_async(self._answer, thread_sensitive=True)(scope, body)
            if answer.streaming:
                await self._stream(answer, receive, send)
            else:
                await self.send_response(answer, send)

    def _answer(self, scope: dict[str, Any], body: IO[bytes]) -> HttpResponseBase:
        """The synchronous chain, in the request's thread. An answer that does not stream is finished with it."""
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=self.__class__, scope=scope)
        request, refusal = self.create_request(scope, body)
        answer = cast(HttpResponseBase, refusal if request is None else self.get_response(request))
        answer._handler_class = self.__class__  # type: ignore[attr-defined]  # by whom the end is signalled
        if not answer.streaming:
            answer.close()
        return answer

    async def _stream(
        self, answer: HttpResponseBase, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        """Sends until the answer ends or the client is gone, whichever comes first."""
        sending = asyncio.create_task(self.send_response(answer, send))
        watching = asyncio.create_task(self.listen_for_disconnect(receive))
        try:
            await asyncio.wait((sending, watching), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, watching):
                task.cancel()
            ended, _ = await asyncio.gather(sending, watching, return_exceptions=True)
            await sync_to_async(answer.close, thread_sensitive=True)()
        if isinstance(ended, Exception):
            raise ended


class _Bounded:
    """The same messages, as long as their bodies are not too large together: then as if the client had gone."""

    def __init__(self, receive: Callable[[], Awaitable[Any]]) -> None:
        self._receive, self._taken = receive, 0

    @property
    def is_over(self) -> bool:
        return self._taken > MOST_BODY

    async def __call__(self) -> Any:
        message = await self._receive()
        self._taken += len(message.get("body", b""))
        return {"type": "http.disconnect"} if self.is_over else message
