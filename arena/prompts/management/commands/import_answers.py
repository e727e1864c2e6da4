from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from arena.prompts.answers import import_answers
from arena.prompts.rows import ImportRefused
from arena.teams.arenas import UnknownArena, arena_named
from arena.teams.management.refusals import refusing


class Command(BaseCommand):
    help = (
        "Import recorded answers from a .jsonl or .csv file, one row an answer: prompt_id (or prompt), model, "
        "response, and where known organization, license, first_token_ms, total_ms, input_tokens, output_tokens, "
        "generated_at, settings. Unknown models become competitors without an endpoint. The whole file comes in or "
        "nothing does; importing it again changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path, help="a .jsonl or .csv file in UTF-8")
        parser.add_argument("--arena", required=True, metavar="SLUG", help="the arena they belong to")
        parser.add_argument("--set", default="", metavar="NAME", help="the prompt set (default: the arena's only one)")
        parser.add_argument("--dry-run", action="store_true", help="check everything, write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        with refusing(UnknownArena, ImportRefused):
            done = import_answers(
                options["file"],
                arena_named(options["arena"]),
                now=timezone.now(),
                set_name=options["set"],
                dry_run=options["dry_run"],
            )
        for note in done.notes:
            self.stderr.write(note)
        competitors = ", ".join(done.new_competitors) or "none"
        self.stdout.write(
            f"{'Would import' if options['dry_run'] else 'Imported'} into {done.prompt_set.name}: "
            f"{done.added} new answers, {done.unchanged} there already; new prompts: {done.new_prompts}; "
            f"new competitors: {competitors}."
        )
