from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.core.validators import validate_email
from django.urls import reverse
from django.utils import timezone

from arena.teams import setup, tokens
from arena.teams.management.refusals import refusing


class Command(BaseCommand):
    help = (
        "Print a link by which the owner of this address becomes an operator of the instance and chooses a password; "
        "also for an account that has forgotten its own. It works once, for a day."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", metavar="EMAIL", help="the address that they sign in with")

    def handle(self, *args: Any, **options: Any) -> None:
        with refusing():
            validate_email(options["email"])
        token = setup.owner_link(options["email"], now=timezone.now())
        self.stdout.write(tokens.address(reverse("teams:setup", args=[token])))
