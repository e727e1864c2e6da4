"""Data for measuring, made inside the product's Django."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from django.db.models import Count
from django.utils import timezone

from arena.battles import votes
from arena.battles.models import Battle, Response, Turn, Vote
from arena.battles.recording import text_hash
from arena.battles.words import Side, Winner
from arena.competitors.models import Competitor, Endpoint
from arena.leaderboards.publishing import publish_snapshot
from arena.prompts.generation import runs
from arena.prompts.models import GenerationRun, Prompt, PromptSet, RecordedAnswer
from arena.teams.models import Arena, Voter
from arena.teams.voters import cookie_value


def live_arena(base_url: str, stream_mode: str, voters: int, pace: int = 200) -> dict[str, Any]:
    """An arena of four competitors on one endpoint, and voters' cookies."""
    endpoint = Endpoint.objects.create(name="bench", base_url=base_url)
    arena = Arena.objects.create(slug="bench", title="Bench", kind="live", stream_mode=stream_mode, pace=pace,
                                 reveal="never", max_prompt_chars=12_000)  # fmt: skip
    for number in range(4):
        Competitor.objects.create(arena=arena, name=f"competitor {number}", endpoint=endpoint, model_id=f"m{number}")
    people = Voter.objects.bulk_create([Voter() for _ in range(voters)])
    return {"cookies": [cookie_value(voter) for voter in people]}


def votable(voters: int, battles: int, *, text_chars: int = 1200) -> dict[str, Any]:
    """`battles` complete battles for each of `voters`, waiting for their votes."""
    arena = Arena.objects.create(slug="bench", title="Bench", kind="recorded")
    field = [Competitor.objects.create(arena=arena, name=f"c{n}", model_id=f"m{n}") for n in range(8)]
    people = Voter.objects.bulk_create([Voter() for _ in range(voters)])
    rng, now = random.Random(1), timezone.now()
    rows = []
    for person in people:
        for _ in range(battles):
            a, b = rng.sample(field, 2)
            rows.append(Battle(arena=arena, voter=person, competitor_a=a, competitor_b=b, policy="uniform",
                               draw_probability=1 / 56, seed="bench", state="complete", stream_mode="paced",
                               served_at=now, completed_at=now, expires_at=now + timedelta(hours=24)))  # fmt: skip
    rows = Battle.objects.bulk_create(rows, batch_size=500)
    turns = Turn.objects.bulk_create(
        [Turn(battle=row, index=1, prompt="Which is better?", created_at=now) for row in rows], batch_size=500
    )
    text = "An answer of some length with **bold** words. " * (text_chars // 46)
    Response.objects.bulk_create(
        [Response(turn=turn, side=side, competitor=turn.battle.competitor_on(side), text=f"{turn.pk}{side} {text}",
                  text_sha256=text_hash(f"{turn.pk}{side} {text}"), created_at=now)
         for turn in turns for side in Side],
        batch_size=500,
    )  # fmt: skip
    _publish_a_board(arena, field, people[0])
    ids: dict[int, list[str]] = {person.pk: [] for person in people}
    for row in rows:
        ids[row.voter_id].append(str(row.public_id))
    return {"voters": [{"cookie": cookie_value(p), "battles": ids[p.pk]} for p in people]}


def _publish_a_board(arena: Arena, field: list[Competitor], voter: Voter) -> None:
    """Some earlier votes and a snapshot, so that a reveal has something to say."""
    rng, now = random.Random(2), timezone.now()
    for number in range(300):
        a, b = rng.sample(field, 2)
        battle = Battle.objects.create(
            arena=arena, voter=voter, competitor_a=a, competitor_b=b, policy="uniform", draw_probability=1 / 56,
            seed="bench", state="complete", stream_mode="paced", served_at=now, completed_at=now,
            expires_at=now + timedelta(hours=24),
        )  # fmt: skip
        votes.cast_vote(battle.public_id, voter, list(Winner)[number % 4], now=now)
    publish_snapshot(arena, now=now)


def texts(battle: str) -> dict[str, str]:
    """Both stored answers of a battle's first turn."""
    return dict(Response.objects.filter(turn__battle__public_id=battle, turn__index=1).values_list("side", "text"))


def ledger() -> dict[str, Any]:
    """Every vote by its battle's public id, and how many battles stand in which state."""
    cast = Vote.objects.values_list("battle__public_id", "winner")
    states = Battle.objects.values_list("state").annotate(number=Count("id"))
    return {"votes": [(str(battle), winner) for battle, winner in cast], "states": dict(states.order_by())}


def generation_run(base_url: str, prompts: int, models: int) -> dict[str, Any]:
    """A prompt set that waits to be run against `models` competitors on one endpoint, each token at a price of 1."""
    arena = Arena.objects.create(slug="bench", title="Bench", kind="recorded")
    endpoint = Endpoint.objects.create(name="bench", base_url=base_url)
    field = [
        Competitor.objects.create(
            arena=arena, name=f"c{n}", endpoint=endpoint, model_id=f"m{n}", price_in=1e6, price_out=1e6
        )
        for n in range(models)
    ]
    asked = PromptSet.objects.create(arena=arena, name="questions")
    Prompt.objects.bulk_create(Prompt(prompt_set=asked, key=f"p{n}", text=f"Question {n}?") for n in range(prompts))
    return {"run": runs.start(asked, field, now=timezone.now(), concurrency=4).pk}


def generation_status(run: int) -> dict[str, Any]:
    """How a run stands."""
    row = GenerationRun.objects.get(pk=run)
    return {"state": row.state, "spent": row.spent, "answers": RecordedAnswer.objects.count()}
