from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from arena.prompts.importing import import_prompts
from arena.prompts.management.options import add_columns_and_seal
from arena.prompts.mapping import named
from arena.prompts.models import PromptSet, Upload
from arena.prompts.rows import ImportRefused
from arena.teams.arenas import UnknownArena, arena_named
from arena.teams.management.refusals import refusing


class Command(BaseCommand):
    help = (
        "Import prompts from a CSV, JSONL or JSON file with the columns id, prompt (or turns, a list of messages), "
        "category, language, tags, source, created_at; only prompt must be there. The whole file comes in or nothing "
        "does; importing it again changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path, help="a .csv, .tsv, .jsonl or .json file in UTF-8")
        parser.add_argument("--arena", required=True, metavar="SLUG", help="the arena they belong to")
        parser.add_argument("--set", default="", metavar="NAME", help="the prompt set (default: the file's name)")
        parser.add_argument(
            "--purpose",
            choices=PromptSet.Purpose.values,
            default=PromptSet.Purpose.BATTLES,
            help="battles: served with recorded answers; suggestions: offered beside an empty composer",
        )
        add_columns_and_seal(parser, Upload.Kind.PROMPTS)
        parser.add_argument("--dry-run", action="store_true", help="check everything, write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        with refusing(UnknownArena, ImportRefused):
            done = import_prompts(
                options["file"],
                arena_named(options["arena"]),
                set_name=options["set"],
                purpose=PromptSet.Purpose(options["purpose"]),
                columns=named(options["columns"]) if options["columns"] else None,
                sealed=options["sealed"],
                dry_run=options["dry_run"],
            )
        for note in done.notes:
            self.stderr.write(note)
        self.stdout.write(
            f"{'Would import' if options['dry_run'] else 'Imported'} into "
            f"{done.prompt_set.name}{' (sealed)' if done.prompt_set.is_sealed else ''}: "
            f"{done.added} new, {done.updated} updated, {done.unchanged} there already."
        )
