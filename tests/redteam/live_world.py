"""What the live suite does inside the product's Django: an arena with honest votes, and what an attack did to it."""

from __future__ import annotations

import random
from datetime import timedelta
from math import exp
from typing import Any

from django.utils import timezone

from arena.battles import addresses
from arena.battles.marking import standing_marks
from arena.battles.models import Battle, Vote
from arena.competitors.models import Competitor, Endpoint
from arena.teams.models import Arena, Voter

NAMES = ("target", "zanzibar-one", "zanzibar-two", "zanzibar-three", "zanzibar-four", "zanzibar-five")
STRENGTH = dict(zip(NAMES, (-0.4, 0.5, 0.2, 0.0, -0.1, -0.2), strict=True))
OUTCOMES = {"a": 0, "b": 1, "tie": 2, "both_bad": 3}


def open_arena(base_url: str, honest: int, seed: int) -> dict[str, Any]:
    """An open, live, paced arena with so many honest votes of the last forty days; slug `bench`."""
    endpoint = Endpoint.objects.create(name="zanzibar-endpoint", base_url=base_url)
    arena = Arena.objects.create(slug="bench", title="Bench", kind="live", stream_mode="paced", pace=2000)
    field = {
        name: Competitor.objects.create(
            arena=arena, name=name, endpoint=endpoint, model_id=name, organization="zanzibar-house"
        )
        for name in NAMES
    }
    rng, now = random.Random(seed), timezone.now()
    people = Voter.objects.bulk_create([Voter() for _ in range(max(1, honest // 5))])
    zeal = [rng.paretovariate(1.2) for _ in people]
    rows = []
    for number in range(honest * 4 // 3):
        a, b = rng.sample(NAMES, 2)
        at = now - timedelta(days=40) * (1 - number / (honest * 4 / 3)) - timedelta(hours=25)
        rows.append(Battle(
            arena=arena, voter=rng.choices(people, zeal)[0], competitor_a=field[a], competitor_b=field[b],
            policy="uniform", draw_probability=1 / 30, seed="honest", state="complete", stream_mode="paced",
            served_at=at, completed_at=at, expires_at=at + timedelta(hours=24),
        ))  # fmt: skip
    rows = Battle.objects.bulk_create(rows, batch_size=500)
    votes = [Vote(battle=row, voter=row.voter, winner=_honest(row, rng), created_at=row.served_at)
             for row in rows if rng.random() < 0.75]  # fmt: skip
    Vote.objects.bulk_create(votes, batch_size=500)
    return {"honest_votes": len(votes), "last_voter": max(person.pk for person in people)}


def _honest(battle: Battle, rng: random.Random) -> str:
    gap = STRENGTH[battle.competitor_a.name] - STRENGTH[battle.competitor_b.name]
    return rng.choices(("a", "b", "tie"), (exp(gap / 2), exp(-gap / 2), 0.8))[0]


def standing_of(last_voter: int) -> dict[str, Any]:
    """Votes of the attackers by what became of them, and the target's points plain and screened, against without."""
    import numpy as np

    from ratings import cells, fit_bradley_terry
    from ratings.campaigns import screen
    from ratings.scale import POINTS
    from ratings.served import served

    arena = Arena.objects.get(slug="bench")
    marked = set(standing_marks().values_list("battle_id", flat=True))
    columns = ("pk", "competitor_a_id", "competitor_b_id", "vote__winner", "voter_id", "served_at", "state")
    rows = [row for row in Battle.objects.filter(arena=arena).order_by("id").values_list(*columns)
            if row[0] not in marked and (row[3] or row[6] in ("skipped", "expired", "complete"))]  # fmt: skip
    ids = sorted(Competitor.objects.filter(arena=arena).values_list("pk", flat=True))
    target = ids.index(Competitor.objects.get(arena=arena, name="target").pk)
    people = sorted({row[4] for row in rows})
    account = {pk: code for code, pk in enumerate(people)}
    blocks = {pk: number for number, members in enumerate(addresses.clusters(arena).values()) for pk in members}
    log = served(
        [str(pk) for pk in ids], [ids.index(row[1]) for row in rows], [ids.index(row[2]) for row in rows],
        [OUTCOMES.get(row[3], -1) for row in rows], [account[row[4]] for row in rows],
        [row[5].timestamp() for row in rows], clusters={"address": [blocks.get(pk, -1) for pk in people]},
    )  # fmt: skip
    ours = np.array([pk <= last_voter for pk in people])[log.account]

    def points(weight: Any) -> float:
        fit = fit_bradley_terry(cells(log.comparisons(weight)), side_effect=True)
        return float(fit.strength[target] * POINTS)

    without, plain = points(ours.astype(float)), points(np.ones(len(ours)))
    found = screen(log)
    defended = points(found.weight)
    cast = Vote.objects.filter(battle__arena=arena, voter_id__gt=last_voter)
    return {
        "votes": cast.count(),
        "unrated": cast.filter(battle_id__in=marked).count(),
        "cookies": cast.values("voter").distinct().count(),
        "served": Battle.objects.filter(arena=arena, voter_id__gt=last_voter).count(),
        "plain": plain - without,
        "defended": defended - without,
        "honest_lost": int(((found.weight == 0) & ours & log.voted).sum()),
        "excluded": sorted({f"{row.kind} {row.action}" for row in found.exclusions}),
    }


def clear(last_voter: int) -> dict[str, Any]:
    """Forgets what attackers did, so that each campaign begins from the same board. Rows of a throwaway database."""
    from django.db import connection

    with connection.cursor() as cursor:
        for table, where in (
            ("battles_selfnaming", "battle_id IN (SELECT id FROM battles_battle WHERE voter_id > %s)"),
            ("battles_servedfrom", "battle_id IN (SELECT id FROM battles_battle WHERE voter_id > %s)"),
            ("battles_vote", "voter_id > %s"),
            ("battles_response", "turn_id IN (SELECT t.id FROM battles_turn t JOIN battles_battle b "
                                 "ON b.id = t.battle_id WHERE b.voter_id > %s)"),
            ("battles_turn", "battle_id IN (SELECT id FROM battles_battle WHERE voter_id > %s)"),
            ("battles_battle", "voter_id > %s"),
        ):  # fmt: skip
            cursor.execute(f"DELETE FROM {table} WHERE {where}", [last_voter])
    return {}


def expire(battle: str) -> dict[str, Any]:
    """As if a day had passed since this battle was served."""
    Battle.objects.filter(public_id=battle).update(expires_at=timezone.now() - timedelta(seconds=1))
    return {}


def facts(battles: list[str]) -> dict[str, Any]:
    """What only the database may say of battles, by their ids."""
    rows = Battle.objects.filter(public_id__in=battles).select_related("competitor_a", "competitor_b")
    return {
        str(row.public_id): {
            "votes": Vote.objects.filter(battle=row).count(),
            "seed": row.seed,
            "names": [row.competitor_a.name, row.competitor_b.name],
        }
        for row in rows
    }


def limits() -> dict[str, Any]:
    """Battles an hour that the limits leave to one newcomer, to one block, and new cookies an hour to one block."""
    from arena.battles import quotas

    def an_hour(limits: quotas.Limits) -> float:
        return min(limit * max(1.0, quotas.HOUR / window) for window, limit in limits)

    return {
        "newcomer": min(an_hour(quotas.PER_VOTER), an_hour(quotas.PER_NEWCOMER)),
        "block": an_hour(quotas.PER_BLOCK),
        "cookies": an_hour(quotas.NEW_PER_BLOCK),
    }
