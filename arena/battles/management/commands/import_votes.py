"""Votes that were cast elsewhere, into an arena."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from arena.battles.importing import import_votes
from arena.prompts.rows import ImportRefused
from arena.teams.arenas import UnknownArena, arena_named
from arena.teams.management.refusals import refusing
from ratings.errors import BadInput
from ratings.formats import pairs


class Command(BaseCommand):
    help = (
        "Imports votes in any public shape: the public arena's sets, Kaggle's, LLMFAO, Open WebUI's feedback, a table "
        "of counts, this project's own exports, or any other by --columns and --labels. Voters become pseudonyms, and "
        "the votes are marked as imported. The whole file comes in or nothing does; importing it again changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path, help="CSV, JSON Lines or JSON, packed by gzip or not")
        parser.add_argument("--arena", required=True, metavar="SLUG", help="the arena they belong to")
        parser.add_argument(
            "--source", default="", metavar="NAME",
            help="where they come from, by default the file's name; the same source again adds only what is new",
        )  # fmt: skip
        parser.add_argument("--texts", type=Path, metavar="FILE", help="prompts and answers by the votes' id, if apart")
        parser.add_argument("--models", type=Path, metavar="FILE", help="organization and license by name, if known")
        parser.add_argument("--columns", default="", metavar="THEIRS=OURS,...", help="what the file's columns mean")
        parser.add_argument("--labels", default="", metavar="THEIRS=OURS,...", help="what the file's outcomes mean")
        parser.add_argument("--dry-run", action="store_true", help="check everything, write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        with refusing(UnknownArena, ImportRefused, BadInput):
            done = import_votes(
                options["file"],
                arena_named(options["arena"]),
                now=timezone.now(),
                source=options["source"],
                columns=pairs(options["columns"], "--columns"),
                labels=pairs(options["labels"], "--labels"),
                texts=options["texts"],
                models=options["models"],
                dry_run=options["dry_run"],
                progress=self._progress if self.stderr.isatty() else None,
            )
        for note in done.notes:
            self.stderr.write(note)
        self.stdout.write(
            f"{'Would import' if options['dry_run'] else 'Imported'} {done.votes} votes by {done.new_voters} new "
            f"voters; {done.unchanged} were there already; new prompts: {done.new_prompts}, new answers: "
            f"{done.new_answers}, new competitors: {len(done.new_competitors)}."
        )

    def _progress(self, votes: int) -> None:
        self.stderr.write(f"\r{votes:,} votes …", ending="")
