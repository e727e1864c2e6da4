from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from arena.prompts.answers import Mixed, import_answers
from arena.prompts.management.options import add_columns_and_seal
from arena.prompts.mapping import named
from arena.prompts.models import Upload
from arena.prompts.rows import ImportRefused
from arena.teams.arenas import UnknownArena, arena_named
from arena.teams.management.refusals import refusing


class Command(BaseCommand):
    help = (
        "Import recorded answers from a CSV, JSONL or JSON file. Wide: a column prompt, and a column a model. Long: "
        "one row an answer with prompt_id (or prompt), model, response, and where known turn (from 1), organization, "
        "license, first_token_ms, total_ms, input_tokens, output_tokens, generated_at, settings; or a column messages "
        "with whole conversations. Unknown models become competitors without an endpoint. The whole file comes in or "
        "nothing does; importing it again changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path, help="a .csv, .tsv, .jsonl or .json file in UTF-8")
        parser.add_argument("--arena", required=True, metavar="SLUG", help="the arena they belong to")
        parser.add_argument("--set", default="", metavar="NAME", help="the prompt set (default: the arena's only one)")
        parser.add_argument(
            "--mixed-conditions",
            choices=[str(word) for word in Mixed],
            default=str(Mixed.REFUSE),
            help="answers of one model made under several conditions: refuse them, or make a competitor for each",
        )
        add_columns_and_seal(parser, Upload.Kind.ANSWERS)
        parser.add_argument("--dry-run", action="store_true", help="check everything, write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        with refusing(UnknownArena, ImportRefused):
            done = import_answers(
                options["file"],
                arena_named(options["arena"]),
                now=timezone.now(),
                set_name=options["set"],
                mixed=Mixed(options["mixed_conditions"]),
                columns=named(options["columns"]) if options["columns"] else None,
                sealed=options["sealed"],
                dry_run=options["dry_run"],
            )
        for note in done.notes:
            self.stderr.write(note)
        competitors = ", ".join(done.new_competitors) or "none"
        self.stdout.write(
            f"{'Would import' if options['dry_run'] else 'Imported'} into "
            f"{done.prompt_set.name}{' (sealed)' if done.prompt_set.is_sealed else ''}: "
            f"{done.added} new answers, {done.unchanged} there already; new prompts: {done.new_prompts}; "
            f"new competitors: {competitors}."
        )
