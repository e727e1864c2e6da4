"""The worker: publishes what is due, voids what nobody answers any more, expires what is too old, checks answers."""

from __future__ import annotations

import logging
import os
import signal
import threading
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from arena.battles import addresses, lifecycle
from arena.battles.checking import Checker
from arena.integrity import erasing, proposing, sealing
from arena.leaderboards.publishing import publish_if_due
from arena.leaderboards.webhooks import Courier
from arena.prompts import keeping, uploads
from arena.prompts.generation.working import Worker as GenerationWorker
from arena.teams import heartbeat
from arena.teams.models import Arena

log = logging.getLogger(__name__)
LONGEST_PAUSE = 60.0


class Command(BaseCommand):
    help = "Runs the background duties until it is stopped: publication, expiry, orphaned battles, checks, generation."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tick", type=float, default=2.0, help="seconds between looks")
        parser.add_argument("--once", action="store_true", help="look once, finish what was begun, and end")

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stop.set())
        parent, pause = os.getppid(), options["tick"]
        generation, checker, courier = GenerationWorker(), Checker(), Courier()
        while not stop.is_set():
            try:
                close_old_connections()
                checker.look(now=timezone.now())
                tick(now=timezone.now())
                generation.look(now=timezone.now())
                courier.look(now=timezone.now())
                pause = options["tick"]
            except DatabaseError as error:
                pause = min(pause * 2, LONGEST_PAUSE)
                log.warning("The database refused (%s); trying again in %.0f s.", type(error).__name__, pause)
            if options["once"]:
                generation.wait()
                courier.wait()
                return
            if os.getppid() != parent:
                break
            stop.wait(pause)
        generation.halt()


def tick(*, now: datetime) -> None:
    """One look at everything; a board that cannot be published does not keep the others waiting."""
    heartbeat.beat(heartbeat.WORKER, now=now)
    lifecycle.sweep(now=now)
    addresses.forget(now=now)
    erasing.forget_origins(now=now)
    uploads.forget(now=now)
    keeping.retire_stale(now=now)
    sealing.seal(now=now)
    for arena in Arena.objects.filter(archived_at__isnull=True):
        try:
            proposing.screen_if_due(arena, now=now)
            publish_if_due(arena, now=now)
        except DatabaseError:
            raise
        except Exception:
            log.exception("The board of %s could not be published.", arena.slug)
