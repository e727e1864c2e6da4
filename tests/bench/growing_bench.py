"""What publishing costs as an arena grows: from kept counts, and from the votes themselves.

    python tests/bench/growing_bench.py [--quick]

The counts of large arenas are written as blocks, as if their votes had been counted as they came: what is measured is
what a publication costs then. Going through the votes is measured where there are few enough to make.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from product import Product

COMPETITORS = 20
SIZES = (10_000, 1_000_000, 10_000_000)


def grown(votes: int, voters: int, rounds: int) -> dict[str, Any]:
    """Inside the product's Django: an arena with so many votes in its blocks, and the seconds of a publication."""
    import resource
    from datetime import timedelta

    import numpy as np
    from django.utils import timezone

    from arena.battles import simulating
    from arena.battles.models import Vote
    from arena.battles.settled import frozen_tables
    from arena.competitors.models import Competitor
    from arena.leaderboards import counting, publishing, tallying
    from arena.leaderboards.models import CountBlock, CountedVotes
    from arena.teams.models import Arena
    from ratings.electorate import MAX_GROUPS

    now = timezone.now()
    arena = Arena.objects.create(slug=f"grown-{votes}", title="Grown", kind="live", is_simulated=True)
    field = [Competitor.objects.create(arena=arena, name=f"m{i}", model_id=f"m{i}") for i in range(COMPETITORS)]
    strengths = np.linspace(1, -1, COMPETITORS)
    simulating.simulate_votes(
        arena, list(zip(field, strengths.tolist(), strict=True)), voters=50, battles=500, seed=1, now=now
    )
    rng = np.random.default_rng(1)
    first, second = np.nonzero(~np.eye(COMPETITORS, dtype=bool))
    chance = 0.75 / (1 + np.exp(strengths[second] - strengths[first]))
    shares = np.stack([chance, 0.75 - chance, np.full(first.size, 0.25), np.zeros(first.size)], axis=1) / first.size
    groups = min(voters, MAX_GROUPS)
    ids = [competitor.pk for competitor in field]
    blocks = []
    for group in range(groups):
        drawn = rng.multinomial(votes // groups, shares.ravel()).reshape(shares.shape)
        counts = {
            (ids[first[cell]], ids[second[cell]], int(outcome)): int(drawn[cell, outcome])
            for cell, outcome in zip(*np.nonzero(drawn), strict=True)
        }
        blocks.append(CountBlock(arena=arena, group=group, counts=tallying.packed(counts)))
    CountBlock.objects.bulk_create(blocks)
    judges = {str(pk): voters for pk in ids}
    last = Vote.objects.order_by("-id").values_list("id", flat=True)[0]
    CountedVotes.objects.create(arena=arena, through_vote_id=last, voters=voters, judges=judges)
    with frozen_tables():
        limits = counting.cutoffs()
    seconds = []
    for number in range(rounds):
        start = time.perf_counter()
        done = publishing.compute(
            arena, limits, publishing.OPTIONS, number=number, published_at=now - timedelta(days=1), code_version="bench"
        )
        seconds.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": sorted(seconds)[rounds // 2], "votes": done.board.votes, "peak": peak}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    print("| votes | voters | a publication, s | peak memory of the process, MB |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        product = Product(Path(folder, "g"))
        product.prepare()
        for votes in SIZES[:2] if options.quick else SIZES:
            voters = max(100, votes // 100)
            found = product.script("grown", module="growing_bench", votes=votes, voters=voters, rounds=5)
            print(
                f"| {round(found['votes']):,} | {voters:,} | {found['seconds']:.2f} | {found['peak']:.0f} |", flush=True
            )


if __name__ == "__main__":
    main()
