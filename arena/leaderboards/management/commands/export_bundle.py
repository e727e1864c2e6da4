"""A snapshot's reproduction bundle as a file."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from arena.leaderboards.exporting.bundle import NotByCommand, bundle_pieces
from arena.leaderboards.models import Snapshot
from arena.teams.management.refusals import refusing


class Command(BaseCommand):
    help = (
        "Writes a .zip from which one command rebuilds a published board byte for byte: votes by pseudonyms, "
        "settings, seed, hashes, versions and that command."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", type=int, metavar="SNAPSHOT", help="the snapshot's id, as the board says it")
        parser.add_argument("--full", action="store_true", help="with texts, served log and the key of the pseudonyms")
        parser.add_argument("--out", type=Path, metavar="FILE", help="by default ARENA-NUMBER.zip here")

    def handle(self, *args: Any, **options: Any) -> None:
        snapshot = Snapshot.objects.select_related("arena").filter(pk=options["id"]).first()
        if snapshot is None:
            raise CommandError(
                f"There is no snapshot {options['id']}. The board's method section names its id.", returncode=2
            )
        out = options["out"] or Path(f"{snapshot.arena.slug}-{snapshot.number}.zip")
        part = out.with_name(f".{out.name}.part")
        with refusing(NotByCommand, OSError):
            try:
                with part.open("wb") as file:
                    for piece in bundle_pieces(snapshot, is_full=options["full"]):
                        file.write(piece)
                part.replace(out)
            finally:
                part.unlink(missing_ok=True)
        self.stdout.write(f"Wrote {out}: its README.md names the command that rebuilds the board.")
