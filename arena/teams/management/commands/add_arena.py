from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from arena.teams.arenas import SlugTaken, add_arena
from arena.teams.management.refusals import refusing
from arena.teams.models import Arena


class Command(BaseCommand):
    help = (
        "Add an arena, reached at /a/SLUG/. Next: add_endpoint and add_competitor for live answers, "
        "import_prompts and import_answers for recorded ones."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="SLUG", help="its name in addresses: letters, digits, - and _")
        parser.add_argument("--title", required=True, help="its name on pages")
        parser.add_argument(
            "--kind",
            required=True,
            choices=Arena.Kind.values,
            help="live: competitors answer while the voter waits; recorded: prompts with answers made beforehand; "
            "mixed: both",
        )
        parser.add_argument("--description", default="", help="a sentence or two under the title")
        parser.add_argument(
            "--access",
            choices=Arena.Access.values,
            default=Arena.Access.OPEN,
            help="open: anyone who reaches this server; invite: members, who need no account to vote; "
            "private: members with an account (default: open)",
        )
        parser.add_argument(
            "--stream-mode",
            choices=Arena.StreamMode.values,
            default=Arena.StreamMode.PACED,
            help="paced: speed tells nothing about who writes; live: faster, weaker blindness (default: paced)",
        )
        parser.add_argument("--pace", type=int, metavar="N", help="characters a second a side in paced mode")
        parser.add_argument(
            "--reveal",
            choices=Arena.Reveal.values,
            default=Arena.Reveal.EACH,
            help="when names are shown: after each vote, or never (default: each)",
        )
        parser.add_argument(
            "--sampling",
            choices=Arena.Sampling.values,
            default=Arena.Sampling.COVERAGE,
            help="coverage: the least compared pairs first; uniform: every pair alike (default: coverage)",
        )

        parser.add_argument(
            "--publish-after-votes",
            type=int,
            metavar="N",
            help="publish the board after N new votes (default: 100 where access is open, else 5)",
        )
        parser.add_argument(
            "--publish-after-seconds",
            type=int,
            metavar="S",
            help="or S seconds after the first of them (default: 3600 where access is open, else 60)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        names = ("title", "kind", "description", "access", "stream_mode", "pace", "reveal", "sampling",
                 "publish_after_votes", "publish_after_seconds")  # fmt: skip
        given = {name: options[name] for name in names if options[name] is not None}
        with refusing(SlugTaken):
            arena = add_arena(options["slug"], **given)
        self.stdout.write(f"Added the arena {arena.slug}, at /a/{arena.slug}/.")
