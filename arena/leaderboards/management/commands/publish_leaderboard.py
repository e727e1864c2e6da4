"""Publishes an arena's board now, due or not."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from arena.leaderboards.publishing import publish_snapshot
from arena.teams.models import Arena


class Command(BaseCommand):
    help = "Counts the votes of an arena, fits the ratings and publishes a snapshot."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="the arena's short name, as in its address")
        parser.add_argument(
            "--seed", type=int, default=None, help="of the ranks' draws; the snapshot's number by default"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        arena = Arena.objects.filter(slug=options["slug"]).first()
        if arena is None:
            known = ", ".join(Arena.objects.values_list("slug", flat=True)) or "none"
            raise CommandError(f"There is no arena {options['slug']!r}; there are: {known}.", returncode=2)
        snapshot = publish_snapshot(arena, now=timezone.now(), seed=options["seed"])
        self.stdout.write(
            f"Published snapshot {snapshot.pk} (number {snapshot.number}): {snapshot.vote_count} votes by "
            f"{snapshot.voter_count} voters, data {snapshot.data_sha256[:16]}."
        )
