"""The socket of a voting page: a voter's own battle, one turn, numbered frames; nothing else goes through it."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import suppress
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.http import HttpRequest, parse_cookie
from django.utils import timezone

from arena.battles import lifecycle, running
from arena.battles.errors import BattleError
from arena.battles.models import Turn
from arena.precedence import urgently
from arena.teams import voters

log = logging.getLogger(__name__)
MAX_MESSAGE = 2_000
MAX_MALFORMED = 5
REFUSED, GONE = 4403, 4404


class TurnConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels is untyped
    """Sends a turn's frames above `after`; owns one task, the pump, which ends with the socket."""

    channel_layer_alias = "none"  # frames come from the log; a layer would cost a waiting connection a socket
    turn: Turn | None = None
    pump: asyncio.Task[None] | None = None
    malformed = 0

    async def connect(self) -> None:
        """A foreign or unknown battle is refused in the handshake, both alike."""
        self.turn = await urgently(self._own_turn)()
        if self.turn is None:
            await self.close(code=REFUSED)
            return
        await self.accept()
        query = parse_qs(self.scope["query_string"].decode("latin-1"))
        after = query.get("after", ["0"])[0]
        seen = int(after) if after.isdecimal() and len(after) < 9 else 0
        self.pump = asyncio.create_task(self._pump(self.turn.pk, seen))

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """`{"type": "stop"}` stops both sides; anything else is answered as malformed, and too much of it closes."""
        try:
            if text_data is None or len(text_data) > MAX_MESSAGE:
                raise ValueError("not a short text frame")
            message = json.loads(text_data)
            if not isinstance(message, dict) or message.get("type") != "stop":
                raise ValueError("unknown type")
        except (ValueError, RecursionError):
            self.malformed += 1
            await self.send(text_data='{"error":"malformed"}')
            if self.malformed >= MAX_MALFORMED:
                await self.close(code=4400)
            return
        if self.turn is not None:
            await database_sync_to_async(self._stop)(self.turn)
            await running.stop_anywhere(self.turn.pk)

    async def disconnect(self, code: int) -> None:
        """Ends the pump; the turn goes on."""
        if self.pump is not None:
            self.pump.cancel()

    async def _pump(self, turn_id: int, after: int) -> None:
        try:
            async for frame in running.read_frames(turn_id, after=after):
                await self.send(text_data=frame)
            await self.close()
        except OSError:  # the page left; it comes back with its last number, or not
            return
        except Exception:
            log.exception("The frames of turn %s could not be read; the page will come back for them.", turn_id)
            await self.close(code=1011)

    def _own_turn(self) -> Turn | None:
        kwargs: dict[str, Any] = self.scope["url_route"]["kwargs"]
        wanted = Turn.objects.select_related("battle__voter").filter(
            battle__public_id=kwargs["battle_id"], index=kwargs["index"]
        )
        turn = wanted.first()
        if turn is None:
            return None
        cookies = _cookies(self.scope)
        mine = voters.is_voter(turn.battle.voter, cookies.get(voters.COOKIE), _user(cookies))
        return turn if mine else None

    @staticmethod
    def _stop(turn: Turn) -> None:
        with suppress(BattleError):  # it ended by itself in the meantime; the frames say how
            lifecycle.stop(turn.battle.public_id, turn.battle.voter, now=timezone.now())


def _cookies(scope: dict[str, Any]) -> dict[str, str]:
    return parse_cookie(dict(scope["headers"]).get(b"cookie", b"").decode("latin-1"))


def _user(cookies: dict[str, str]) -> AbstractBaseUser | AnonymousUser:
    """Whose account the browser's session is signed into, checked as for a page.

    channels' middlewares would ask the same in a thread of their own, also for the many who have no session.
    """
    key = cookies.get(settings.SESSION_COOKIE_NAME)
    if not key:
        return AnonymousUser()
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    return get_user(request)
