"""Signs of life of background processes."""

from __future__ import annotations

from datetime import datetime, timedelta

from arena.teams.models import Heartbeat

WORKER = "worker"
SILENCE = timedelta(seconds=45)
"""After this long without a beat a process is taken for dead."""


def beat(name: str, *, now: datetime) -> None:
    """Notes that the process is alive."""
    Heartbeat.objects.update_or_create(name=name, defaults={"beat_at": now})


def is_alive(name: str, *, now: datetime) -> bool:
    """Whether the process gave a sign of life lately."""
    return Heartbeat.objects.filter(name=name, beat_at__gt=now - SILENCE).exists()
