from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from arena.competitors import versions
from arena.prompts import seeding
from arena.teams.models import Arena

SIMULATED_VOTERS = 60
SIMULATED_BATTLES = 3000
SIMULATION_SEED = 20_260_101


class Command(BaseCommand):
    help = (
        "Add the arenas that come with Blindfold: live, recorded and sample. What is there already stays as it is; "
        "once everything is there, this is one query."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if seeding.is_seeded():
            self.stdout.write("Everything is seeded already.")
            return
        seeded = seeding.seed(now=timezone.now())
        for note in seeded.notes:
            self.stderr.write(note)
        votes = _simulate(seeded)
        if votes:
            self.stdout.write(f"Simulated {votes} votes in the arena {seeded.sample.slug}.")
        for arena in _unpublished():
            self._publish(arena)
        seeding.mark_seeded()
        self.stdout.write("Seeded the arenas live, recorded and sample.")

    def _publish(self, arena: Arena) -> None:
        from arena.leaderboards.publishing import publish_snapshot

        publish_snapshot(arena, now=timezone.now())
        self.stdout.write(f"Published the board of {arena.slug}.")


def _simulate(seeded: seeding.Seeded) -> int:
    """Fill the sample board, once. Only this command may look up: seeding itself knows nothing of battles."""
    from arena.battles.models import Battle
    from arena.battles.simulating import simulate_votes

    # An operator's own arena under this name has people's votes, if any.
    if not seeded.sample.is_simulated or Battle.objects.filter(arena=seeded.sample).exists():
        return 0
    now = timezone.now()
    votes = simulate_votes(
        seeded.sample,
        seeded.strengths,
        voters=SIMULATED_VOTERS,
        battles=SIMULATED_BATTLES,
        seed=SIMULATION_SEED,
        now=now,
    )
    versions.seal([competitor.pk for competitor, _ in seeded.strengths], now=now)
    return votes


def _unpublished() -> list[Arena]:
    from arena.battles.models import Vote
    from arena.leaderboards.models import Snapshot

    voted = Vote.objects.order_by().values("battle__arena").distinct()
    published = Snapshot.objects.order_by().values("arena")
    return list(Arena.objects.filter(pk__in=voted).exclude(pk__in=published))
