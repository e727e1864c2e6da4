"""Recomputes a published board from the database and compares bytes."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from arena.leaderboards.models import Snapshot
from arena.leaderboards.verifying import verify


class Command(BaseCommand):
    help = "Counts and fits a snapshot's votes again, and says whether the published bytes are the same."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", type=int, help="the snapshot's id, as publish_leaderboard and the board say it")

    def handle(self, *args: Any, **options: Any) -> None:
        snapshot = Snapshot.objects.select_related("arena").filter(pk=options["id"]).first()
        if snapshot is None:
            raise CommandError(
                f"There is no snapshot {options['id']}. The board's method section names its id.", returncode=2
            )
        verdict = verify(snapshot)
        if not verdict.same:
            raise CommandError(verdict.sentence, returncode=1)
        self.stdout.write(verdict.sentence)
