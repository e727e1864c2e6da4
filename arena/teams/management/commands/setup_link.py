from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.urls import reverse
from django.utils import timezone

from arena.teams import setup, tokens


class Command(BaseCommand):
    help = "Print a link for the first account, which works once; nothing where somebody has an account already."

    def handle(self, *args: Any, **options: Any) -> None:
        token = setup.first_link(now=timezone.now())
        if token:
            self.stdout.write(tokens.address(reverse("teams:setup", args=[token])))
