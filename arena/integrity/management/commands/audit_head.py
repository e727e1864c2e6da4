"""Prints the end of each arena's chain, a line an arena, to be kept elsewhere."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from arena.integrity.heads import Head
from arena.integrity.sealing import Chain, seal_all
from arena.teams.models import Arena


class Command(BaseCommand):
    help = "Seals what is committed and prints the end of each arena's audit chain, for verify_audit --head."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", nargs="*", help="arenas by their short names; all of them by default")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        seal_all(now=now)
        arenas = {arena.slug: arena for arena in Arena.objects.order_by("pk")}
        for slug in options["slug"] or arenas:
            if slug not in arenas:
                raise CommandError(
                    f"There is no arena {slug!r}; there are: {', '.join(arenas) or 'none'}.", returncode=2
                )
            chain = Chain(arenas[slug].pk)
            self.stdout.write(Head(slug, chain.position, chain.sha256, now.isoformat(timespec="seconds")).line())
