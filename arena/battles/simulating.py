"""Fills an arena that shows what a board looks like with battles and votes of simulated people.

Only arenas marked as simulated are ever touched; every page of theirs says so.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from math import exp

from django.db import transaction

from arena.battles.matchmaking import draw_pair
from arena.battles.models import Battle, Response, Turn, Vote
from arena.battles.votes import store_simulated_votes
from arena.battles.words import BattleState, Side, Winner
from arena.competitors.models import Competitor
from arena.teams.models import Arena, Voter

SIDE_EFFECT = 0.06
"""Log-odds in favour of the first answer, as people show it."""
TASTE = 0.35
"""Standard deviation, in log-odds, of a simulated person's taste for one competitor."""
TIE = 0.45
"""Davidson's ν: how readily simulated people call a tie."""


def simulate_votes(
    arena: Arena, strengths: Sequence[tuple[Competitor, float]], *, voters: int, battles: int, seed: int, now: datetime
) -> int:
    """Serves and judges `battles` battles among competitors of known strength (log-odds); returns the votes made.

    Some battles stay without a vote, as in life. Raises ValueError for an arena that is not marked as simulated.
    """
    if not arena.is_simulated:
        raise ValueError(f"{arena.slug} is not a simulated arena; its votes are people's.")
    rng = random.Random(seed)
    with transaction.atomic():
        people = Voter.objects.bulk_create([Voter() for _ in range(voters)])
        served = _serve(arena, strengths, people, battles, rng=rng, now=now)
        votes = _judge(served, strengths, rng=rng)
        store_simulated_votes(votes)
    return len(votes)


def _serve(
    arena: Arena,
    strengths: Sequence[tuple[Competitor, float]],
    people: Sequence[Voter],
    battles: int,
    *,
    rng: random.Random,
    now: datetime,
) -> list[Battle]:
    by_id = {competitor.pk: competitor for competitor, _ in strengths}
    zeal = [rng.paretovariate(1.3) for _ in people]
    start = now - timedelta(days=42)
    rows = []
    for number in range(battles):
        draw = draw_pair(list(by_id), None, rng=rng)
        at = start + (now - start) * ((number + rng.random()) / (battles + 1))
        battle = Battle(
            arena=arena, voter=rng.choices(people, zeal)[0], competitor_a=by_id[draw.a], competitor_b=by_id[draw.b],
            policy="uniform", draw_probability=draw.probability, seed=secrets.token_hex(16),
            state=BattleState.COMPLETE, stream_mode=arena.stream_mode,
            served_at=at, completed_at=at + timedelta(seconds=12), expires_at=at + timedelta(hours=24),
        )  # fmt: skip
        rows.append(battle)
    rows = Battle.objects.bulk_create(rows, batch_size=1000)
    turns = Turn.objects.bulk_create(
        [Turn(battle=row, index=1, prompt="(simulated)", created_at=row.served_at) for row in rows], batch_size=1000
    )
    Response.objects.bulk_create([r for turn in turns for r in _responses(turn, rng)], batch_size=1000)
    return rows


def _responses(turn: Turn, rng: random.Random) -> list[Response]:
    """Timings drawn around a speed of each competitor's own."""
    made = []
    for side in Side:
        competitor = turn.battle.competitor_on(side)
        own = random.Random(competitor.name)
        tokens = max(20, round(rng.gauss(own.uniform(180, 420), 60)))
        first = own.uniform(150, 700) * exp(rng.gauss(0, 0.2))
        made.append(
            Response(
                turn=turn,
                side=side,
                competitor=competitor,
                text="",
                first_token_ms=round(first, 1),
                total_ms=round(first + 1000 * tokens / (own.uniform(30, 140) * exp(rng.gauss(0, 0.1))), 1),
                output_tokens=tokens,
                created_at=turn.created_at,
                style_length=round(tokens * 0.8),
                style_headers=rng.randrange(round(own.uniform(1, 5))),
                style_lists=rng.randrange(round(own.uniform(2, 12))),
                style_bold=rng.randrange(round(own.uniform(1, 9))),
            )
        )
    return made


def _judge(
    served: Sequence[Battle], strengths: Sequence[tuple[Competitor, float]], *, rng: random.Random
) -> list[Vote]:
    strength = {competitor.pk: value for competitor, value in strengths}
    tastes: dict[tuple[int, int], float] = {}

    def appeal(voter_id: int, competitor_id: int) -> float:
        key = (voter_id, competitor_id)
        if key not in tastes:
            tastes[key] = rng.gauss(0, TASTE)
        return strength[competitor_id] + tastes[key]

    votes = []
    for battle in served:
        if rng.random() < 0.08:
            continue
        a, b = (appeal(battle.voter_id, pk) for _, pk in battle.competitor_ids())
        gap = a - b + SIDE_EFFECT
        chances = [exp(gap / 2), exp(-gap / 2), TIE]
        winner = rng.choices([Winner.A, Winner.B, Winner.TIE], chances)[0]
        if winner == Winner.TIE and rng.random() < 1 / (1 + exp(a + b)) * 0.7:
            winner = Winner.BOTH_BAD
        at = battle.served_at + timedelta(seconds=40)
        votes.append(Vote(battle=battle, voter_id=battle.voter_id, winner=winner, created_at=at))
    return votes
