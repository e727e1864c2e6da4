"""Brings a backup back into an empty database."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from arena.start.checks import CannotStart, lock_folder
from arena.upkeep.errors import UpkeepError
from arena.upkeep.restoring import restore


class Command(BaseCommand):
    help = (
        "Checks a backup whole and brings it back into an empty database, SQLite or PostgreSQL, whichever it was made "
        "from; a backup of an earlier release is upgraded. Stop the instance first."
    )
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the archive that `backup` wrote")
        parser.add_argument(
            "--set-aside",
            action="store_true",
            help="SQLite only: keep the database that is there under another name and restore into a new one",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            held = lock_folder(settings.VAR_DIR)
        except CannotStart as error:
            raise CommandError(f"{error} Restore when nothing runs.", returncode=2) from error
        with held:
            stamp = timezone.now().strftime("%Y%m%d-%H%M%S") if options["set_aside"] else ""
            try:
                done = restore(path, aside_stamp=stamp)
            except UpkeepError as error:
                raise CommandError(str(error), returncode=2) from error
        if done.aside:
            self.stdout.write(f"The database that was there is kept as {done.aside}.")
        made, rows = done.manifest, sum(table.rows for table in done.manifest.tables)
        self.stdout.write(f"Restored {rows} rows of {path}, made by {made.code_version} on {made.made_at}.")
