from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.urls import reverse
from django.utils import timezone

from arena.teams import invitations, tokens
from arena.teams.arenas import UnknownArena, arena_named
from arena.teams.management.refusals import refusing
from arena.teams.models import Role


class Command(BaseCommand):
    help = "Print a link by which people join an arena. It is shown this once: the database keeps a hash of it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="SLUG", help="the arena, as in its address")
        parser.add_argument("--role", default=Role.VOTER, choices=Role.values, help="what they will be (voter)")
        parser.add_argument("--cohort", default="", help="a group whose votes can be looked at apart, such as experts")
        parser.add_argument("--uses", type=int, metavar="N", help="for how many people; without it for any number")
        parser.add_argument("--days", type=int, default=7, metavar="N", help="how many days it is good for (7)")
        parser.add_argument("--note", default="", help="for whom it is; shown on the people page")

    def handle(self, *args: Any, **options: Any) -> None:
        with refusing(UnknownArena):
            _made, token = invitations.invite(
                arena_named(options["slug"]), options["role"], cohort=options["cohort"], note=options["note"],
                max_uses=options["uses"], expires_at=timezone.now() + timedelta(days=options["days"]),
            )  # fmt: skip
        self.stdout.write(tokens.address(reverse("teams:join", args=[token])))
