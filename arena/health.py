"""Whether this instance works: database, worker, layers, and each arena in a word."""

from __future__ import annotations

import asyncio
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from arena.competitors import endpoints
from arena.teams import heartbeat
from arena.teams.models import Arena

LAYERS_WITHIN = 3.0


@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when database, worker and layers answer, else 503; of each open arena `ready` or `closed` and why."""
    body: dict[str, Any] = {"database": "ok", "worker": "ok", "layers": "ok"}
    try:
        now = timezone.now()
        body["arenas"] = {
            arena.slug: {"state": "closed", "why": why} if (why := _why_closed(arena, now=now)) else {"state": "ready"}
            for arena in Arena.objects.filter(access=Arena.Access.OPEN, archived_at__isnull=True)
        }
        if not heartbeat.is_alive(heartbeat.WORKER, now=now):
            body["worker"] = "no sign of life"
    except DatabaseError:
        body["database"] = "refused"
        body["worker"] = "unknown"
    try:
        async_to_sync(_touch_layers)()
    except Exception:  # whatever the layer's client raises, or its silence: the answer is the same
        body["layers"] = "refused"
    if not settings.RATE_LIMITS:
        body["rate_limits"] = "off"
    ok = all(body[part] == "ok" for part in ("database", "worker", "layers"))
    body["status"] = "ok" if ok else "failing"
    return JsonResponse(body, status=200 if ok else 503)


def _why_closed(arena: Arena, *, now: Any) -> str:
    return "its votes are simulated" if arena.is_simulated else endpoints.why_closed(arena, now=now)


async def _touch_layers() -> None:
    layer = get_channel_layer()
    async with asyncio.timeout(LAYERS_WITHIN):
        channel = await layer.new_channel()
        await layer.send(channel, {"type": "health.check"})
        await layer.receive(channel)
