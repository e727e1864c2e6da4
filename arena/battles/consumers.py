"""The socket of a voting page: a voter's own battle, one turn, numbered frames; nothing else goes through it."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import suppress
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.utils import timezone

from arena.battles import lifecycle, running
from arena.battles.errors import BattleError
from arena.battles.models import Turn
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
        self.turn = await database_sync_to_async(self._own_turn)()
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
        voter = voters.voter_from_scope_cookie(_cookie(self.scope, voters.COOKIE), self.scope.get("user"))
        kwargs: dict[str, Any] = self.scope["url_route"]["kwargs"]
        if voter is None:
            return None
        wanted = Turn.objects.select_related("battle", "battle__voter").filter(
            battle__public_id=kwargs["battle_id"], index=kwargs["index"], battle__voter=voter
        )
        return wanted.first()

    @staticmethod
    def _stop(turn: Turn) -> None:
        with suppress(BattleError):  # it ended by itself in the meantime; the frames say how
            lifecycle.stop(turn.battle.public_id, turn.battle.voter, now=timezone.now())


def _cookie(scope: dict[str, Any], name: str) -> str:
    raw = dict(scope["headers"]).get(b"cookie", b"").decode("latin-1")
    try:
        jar = SimpleCookie(raw)
    except CookieError:
        return ""
    return jar[name].value if name in jar else ""
