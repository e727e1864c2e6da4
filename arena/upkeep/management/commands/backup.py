"""Writes everything that the instance holds into one file, while it runs."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from arena.upkeep.backing_up import write_backup
from arena.upkeep.errors import UpkeepError


class Command(BaseCommand):
    help = (
        "Writes the whole database, as it is at this moment, and the key that signs cookies into one file that only "
        "its owner can read. The instance may be running. `restore` brings it back, into SQLite or PostgreSQL alike."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the archive to write, for example blindfold-2026-11-25.zip")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            manifest = write_backup(path, now=timezone.now())
        except UpkeepError as error:
            raise CommandError(str(error), returncode=2) from error
        rows = sum(table.rows for table in manifest.tables)
        self.stdout.write(
            f"{path}: {rows} rows of {len(manifest.tables)} tables. It holds names, texts and the key of this "
            "instance: keep it as you would keep a password."
        )
