"""What resistance to gaming costs: milliseconds a battle and a vote, and seconds a snapshot.

    python tests/bench/integrity_bench.py [--quick] [--write docs/benchmarks.md]

CPU time of one process. Of a vote's own request nothing is added: limits and addresses belong to the opening of a
battle, the search for names to the end of its answers, and sealing and screening to the worker.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import document
from export_bench import AT_ONCE
from product import Product

SIZES = (10_000, 50_000, 1_000_000)
WORDS = "An answer of some length that speaks of rivers, bridges and the people who cross them each day. "
HEAD = ("what", "when", "CPU")


def cpu(work: Callable[[], Any]) -> float:
    """Seconds of CPU time that this work takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def grow(votes: int) -> dict[str, float]:
    """Inside the product's Django: an arena of so many votes by a tenth as many voters, and what each duty takes."""
    import numpy as np
    from django.utils import timezone

    from arena.battles import simulating
    from arena.battles.models import Battle, Vote
    from arena.competitors.models import Competitor
    from arena.integrity import auditing, deciding, proposing, sealing
    from arena.leaderboards import counting, publishing
    from arena.teams.models import Arena

    now = timezone.now()
    arena = Arena.objects.create(slug="guarded", title="Guarded", kind="live", is_simulated=True)
    field = [
        Competitor.objects.create(arena=arena, name=f"m{i}", model_id=f"m{i}", organization=f"house {i}")
        for i in range(20)
    ]
    strengths = list(zip(field, np.linspace(1, -1, len(field)).tolist(), strict=True))
    while (made := Vote.objects.count()) < votes:
        battles = min(AT_ONCE, int((votes - made) / 0.9) + 10)
        share = max(1, battles // 10)
        simulating.simulate_votes(arena, strengths, voters=share, battles=battles, seed=made, now=now)
    made = Vote.objects.count()

    def publication() -> None:
        publishing.compute(
            arena, counting.cutoffs(), publishing.OPTIONS, number=1, published_at=now, code_version="bench"
        )

    publication()  # what is counted once, is counted
    found = {"votes": float(made), "publication": cpu(publication)}
    found |= _battles(list(Battle.objects.select_related("voter", "arena").order_by("-id")[:300]))
    found["sealing"] = 1000 * cpu(lambda: sealing.seal_all(now=now)) / made
    found["audit"] = 1000 * cpu(lambda: auditing.audit(arena)) / made
    found["screening"] = cpu(lambda: proposing.screen_arena(arena, now=now))
    reason = deciding.Reason(rule=deciding.BY_HAND, sentence="Set aside for the benchmark.")
    for voter in Vote.objects.values_list("voter", flat=True).distinct().order_by("voter")[:100]:
        deciding.set_aside(arena, voter, reason, deciding.SCREENING, now=now)
    publication()
    found["twice"] = cpu(publication)
    return found


def _battles(battles: list[Any]) -> dict[str, float]:
    """Milliseconds a battle of what looks at whoever asks, and at what was said."""
    from django.db import transaction
    from django.utils import timezone

    from arena.battles import addresses, marking, quotas
    from arena.battles.models import Turn
    from arena.battles.words import Side

    now, origins = timezone.now(), []

    def limits() -> None:
        for number, battle in enumerate(battles):
            visit = addresses.Visit(f"198.51.{number % 200}.7")
            origins.append(quotas.check(battle.voter, battle.arena, visit, now=now))

    def remembered() -> None:
        for battle, origin in zip(battles, origins, strict=True):
            addresses.remember(battle, origin)

    def searched() -> None:
        for battle in battles:
            marking.mark_prompt(Turn(battle=battle, index=1, prompt="What lies beyond the river?"), now=now)
            texts = {side: f"{battle.pk} {side} {WORDS * 12}" for side in Side}
            marking.mark_answers(battle, 1, texts, now=now)

    with transaction.atomic():
        taken = {"limits": cpu(limits), "remembered": cpu(remembered), "searched": cpu(searched)}
        transaction.set_rollback(True)
    return {what: 1000 * seconds / len(battles) for what, seconds in taken.items()}


def rows(found: list[dict[str, float]]) -> list[tuple[str, str, str]]:
    """Lines of the table: a battle's and a vote's costs by the arena in the middle, a snapshot's by size."""
    one = found[min(1, len(found) - 1)]
    at = f"{one['votes']:,.0f} votes"
    told = [
        ("limits by voter, newcomer, address block and invitation", "opening a battle", f"{one['limits']:.2f} ms"),
        ("where it was asked from, by a keyed hash", "opening a battle", f"{one['remembered']:.2f} ms"),
        ("prompt and two answers of 1,150 characters searched for names", "their end", f"{one['searched']:.2f} ms"),
        (f"sealing into the audit chain, {at}", "the worker, a vote", f"{one['sealing']:.3f} ms"),
        (f"`verify_audit`, {at}", "an operator's command, a vote", f"{one['audit']:.3f} ms"),
    ]
    for size in found:
        at = f"{size['votes']:,.0f} votes by {size['votes'] / 10:,.0f} voters"
        more, less = size["twice"] - size["publication"], size["publication"]
        told += [
            (f"screening, {at}", "the worker, before a snapshot", f"{size['screening']:.1f} s"),
            (f"plain beside defended, {at}", "a snapshot", f"{more:.2f} s on top of {less:.2f} s"),
        ]
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="without the arena of a million votes")
    parser.add_argument("--write", type=Path, help="put the table between the marks of this document")
    options = parser.parse_args()
    found = []
    for votes in SIZES[:2] if options.quick else SIZES:
        with tempfile.TemporaryDirectory(prefix="blindfold-bench-") as folder:
            product = Product(Path(folder, "g"))
            product.prepare()
            found.append(product.script("grow", module="integrity_bench", votes=votes))
    lines = [*document.table(HEAD, rows(found)), "", f"{document.machine()}."]
    print("\n".join(lines))
    if options.write:
        document.write(options.write, "integrity", lines)


if __name__ == "__main__":
    main()
