"""Votes of an arena as a file."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from arena.leaderboards.exporting import files
from arena.leaderboards.exporting.scope import NothingPublished, Scope, scope_of
from arena.teams.arenas import UnknownArena, arena_named
from arena.teams.management.refusals import refusing
from ratings.errors import BadInput


class Command(BaseCommand):
    help = (
        "Writes the votes of an arena up to its last snapshot, in the columns of the public arena's sets and with "
        "pseudonyms made for this file alone. Texts stand in it where they may be published; with --full all do."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("arena", metavar="SLUG", help="the arena's name in addresses")
        parser.add_argument("--format", choices=[*files.KINDS, "parquet"], default="csv", help="csv unless said")
        parser.add_argument("--full", action="store_true", help="with what a public export withholds")
        parser.add_argument("--out", type=Path, metavar="FILE", help="write here, whole or not at all; else printed")
        parser.add_argument(
            "--served", type=Path, metavar="FILE",
            help="write every battle that was shown, voted or not, under the same pseudonyms; needs --full",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        kind, out, served = options["format"], options["out"], options["served"]
        if served and not options["full"]:
            raise CommandError("Battles without a vote are in the full export alone: add --full.", returncode=2)
        if kind not in files.KINDS and out is None:
            raise CommandError(f"{kind} is not printed: name a file with --out.", returncode=2)
        with refusing(UnknownArena, NothingPublished, BadInput):
            scope = scope_of(arena_named(options["arena"]), now=timezone.now(), is_full=options["full"])
            if out is not None:
                files.write_votes(scope, kind, out)
            else:
                self._print(scope, kind)
            if served:
                files.write_served(scope, served)

    def _print(self, scope: Scope, kind: str) -> None:
        target = getattr(self.stdout._out, "buffer", None) or sys.stdout.buffer
        for piece in files.vote_pieces(scope, kind):
            target.write(piece)
        target.flush()
