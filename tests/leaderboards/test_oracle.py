"""Two boards apart, a voter must not learn who answers in a battle that they may still judge."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from arena.battles.models import Battle, Response, Turn
from arena.battles.words import Side
from arena.competitors.models import Competitor
from arena.leaderboards.publishing import publish_snapshot
from arena.leaderboards.verifying import verify
from arena.teams.models import Arena, Voter

pytestmark = pytest.mark.django_db(transaction=True)
TOLD = ("battles_served", "median_first_token_ms", "tokens_per_second", "error_rate")


def serve(arena: Arena, a: str, b: str, state: str, at: datetime) -> Battle:
    """A battle without a vote whose every figure stands out."""
    first, second = (Competitor.objects.get(arena=arena, name=name) for name in (a, b))
    battle = Battle.objects.create(
        arena=arena, voter=Voter.objects.create(), competitor_a=first, competitor_b=second, policy="uniform",
        draw_probability=1 / 12, seed="0", state=state, stream_mode="paced", served_at=at,
        expires_at=at + timedelta(hours=24), closed_at=None if state == "complete" else at,
    )  # fmt: skip
    turn = Turn.objects.create(battle=battle, index=1, prompt="Which?", created_at=at)
    for side, pk in battle.competitor_ids():
        Response.objects.create(
            turn=turn, side=side, competitor_id=pk, created_at=at, output_tokens=9000, first_token_ms=9.0,
            total_ms=90.0, error_code="cut" if state == "void" and side == Side.A else "",
        )  # fmt: skip
    return battle


def figures(arena: Arena, now: datetime) -> dict[str, list[Any]]:
    body = json.loads(publish_snapshot(arena, now=now).board_json)
    return {row["model_name"]: [row[name] for name in TOLD] for row in body["board"]}


@pytest.mark.parametrize("state", ["complete", "skipped", "void"])
def test_a_battle_without_a_vote_moves_no_figure(orchard: Arena, judge: Any, now: datetime, state: str) -> None:
    judge("Ash", "Birch", "a")
    judge("Cedar", "Birch", "a")
    before = figures(orchard, now)
    serve(orchard, "Ash", "Dogwood", state, now)
    judge("Cedar", "Birch", "a")
    after = figures(orchard, now)
    assert after["Ash"] == before["Ash"]
    assert "Dogwood" not in after, "a first battle is not announced either"
    assert after["Cedar"][0] == before["Cedar"][0] + 1, "a judged battle counts at once"


def test_what_nobody_can_judge_any_more_is_told_by_whole_days(orchard: Arena, judge: Any, now: datetime) -> None:
    judge("Ash", "Birch", "a")
    for state in ("expired", "void"):
        serve(orchard, "Ash", "Dogwood", state, now)
    early = publish_snapshot(orchard, now=now)
    later = now + timedelta(hours=35)
    judge("Ash", "Birch", "a", at=later)
    assert "Dogwood" not in figures(orchard, later), "they end at noon, within the day of the last battle"
    later = now + timedelta(hours=37)
    judge("Ash", "Birch", "a", at=later)
    assert figures(orchard, later)["Dogwood"][0] == 2
    assert verify(early).same, "what was published stays as it was told"
