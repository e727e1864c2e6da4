"""What the tests of the pages beside the board share."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from arena.battles.models import Battle, Response, Turn
from arena.competitors.models import Competitor
from arena.leaderboards import agreeing, profile, shares
from arena.teams.models import Arena, Voter


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def page(client: Any, path: str, status: int = 200) -> str:
    """A page without the token of its form, which is another one each time."""
    answer = client.get(path)
    assert answer.status_code == status, path
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode())


def serve(arena: Arena, a: str, b: str, state: str, at: datetime, **extra: Any) -> Battle:
    """A battle without a vote, with both responses; the first one failed where the state is void."""
    first, second = (Competitor.objects.get(arena=arena, name=name) for name in (a, b))
    battle = Battle.objects.create(
        arena=arena, voter=Voter.objects.create(), competitor_a=first, competitor_b=second, state=state, seed="0",
        policy=extra.pop("policy", "uniform"), draw_probability=0.5, stream_mode="paced", served_at=at,
        expires_at=at + timedelta(hours=24), **extra,
    )  # fmt: skip
    turn = Turn.objects.create(battle=battle, index=1, prompt="Which?", created_at=at)
    for side, pk in battle.competitor_ids():
        failed = "cut_off" if state == "void" and side == "a" else ""
        Response.objects.create(turn=turn, side=side, competitor_id=pk, error_code=failed, created_at=at)
    return battle


def forget() -> None:
    """As a process that has just started, which counts everything anew."""
    for kept in (shares._served, profile._answered, agreeing._measured):
        kept.cache_clear()
