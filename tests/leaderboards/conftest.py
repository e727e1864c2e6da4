"""An arena of simulated votes, and one in which tests vote themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model

from arena.battles import simulating, votes
from arena.battles.models import Battle, Response, Turn, Vote
from arena.battles.words import Side, Winner
from arena.competitors.models import Competitor
from arena.leaderboards import agreeing, facets, freshness, profile, prompt_records, shares, sliced, standing
from arena.leaderboards.publishing import publish_snapshot
from arena.prompts.models import Prompt, PromptSet
from arena.teams.models import Arena, Voter

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIELD = (("Ash", 0.9), ("Birch", 0.3), ("Cedar", -0.3), ("Dogwood", -0.9))
"""Made-up competitors and their true strengths, log-odds."""
Judge = Callable[..., Vote]


def field(arena: Arena, names: tuple[str, ...] = tuple(name for name, _ in FIELD)) -> list[Competitor]:
    return [
        Competitor.objects.create(arena=arena, name=name, model_id=f"fictional/{name}", organization="Nursery")
        for name in names
    ]


def forget_parts() -> None:
    """As a process that has just started."""
    sliced.forget()
    facets._facets.cache_clear()


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    """Opened snapshots are kept by a process for good; every test has a database of its own."""
    for kept in (
        standing._opened, shares._served, profile._answered, agreeing._measured, prompt_records._record,
        freshness._compared,
    ):  # fmt: skip
        kept.cache_clear()
    forget_parts()
    yield


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def sample(db: None) -> Arena:
    """600 battles among four competitors of known strength, by 30 simulated people."""
    arena = Arena.objects.create(slug="sample", title="Sample", kind="live", is_simulated=True)
    strengths = list(zip(field(arena), [strength for _, strength in FIELD], strict=True))
    simulating.simulate_votes(arena, strengths, voters=30, battles=600, seed=7, now=NOW)
    return arena


@pytest.fixture
def orchard(db: None) -> Arena:
    """An arena without votes; two publish after 3 votes or 10 minutes."""
    arena = Arena.objects.create(
        slug="orchard", title="Orchard", kind="live", publish_after_votes=3, publish_after_seconds=600
    )
    field(arena)
    return arena


@pytest.fixture
def judge(orchard: Arena) -> Judge:
    """Serves one complete battle and casts one vote: judge("Ash", "Birch", "a")."""
    by_name = {competitor.name: competitor for competitor in Competitor.objects.filter(arena=orchard)}

    def cast(a: str, b: str, winner: str, *, voter: Voter | None = None, at: datetime = NOW) -> Vote:
        battle = Battle.objects.create(
            arena=orchard, voter=voter or Voter.objects.create(), competitor_a=by_name[a], competitor_b=by_name[b],
            policy="uniform", draw_probability=1 / 12, seed="0", state="complete", stream_mode="paced",
            served_at=at - timedelta(minutes=1), completed_at=at, expires_at=at + timedelta(hours=24),
        )  # fmt: skip
        turn = Turn.objects.create(battle=battle, index=1, prompt="Which?", created_at=at)
        for side, pk in battle.competitor_ids():
            Response.objects.create(
                turn=turn, side=side, competitor_id=pk, text=f"{side}", created_at=at, output_tokens=50,
                first_token_ms=100.0 if side == Side.A else 300.0, total_ms=1100.0,
            )  # fmt: skip
        return votes.cast_vote(battle.public_id, battle.voter, Winner(winner), now=at).vote

    return cast


@pytest.fixture
def library(sample: Arena, now: datetime) -> Arena:
    """The sample's battles spread over prompts of two sets, two categories and two languages; a third of the voters
    have accounts."""
    sets = [PromptSet.objects.create(arena=sample, name=name) for name in ("autumn", "spring")]
    prompts = [
        Prompt.objects.create(prompt_set=sets[k % 2], key=f"p{k}", text="?", category=category, language=language)
        for k, (category, language) in enumerate(
            [("coding", "en"), ("coding", "de"), ("writing", "en"), ("writing", "de"), ("", ""), ("coding", "en")]
        )
    ]
    battles = list(Battle.objects.filter(arena=sample).order_by("id"))
    for k, battle in enumerate(battles):
        battle.prompt = prompts[k * 7 % len(prompts)] if k % 11 else None
    Battle.objects.bulk_update(battles, ["prompt"])
    for k, voter in enumerate(Voter.objects.order_by("id")):
        if k % 3 == 0:
            voter.user = get_user_model().objects.create_user(f"u{k}")
            voter.save(update_fields=["user"])
    publish_snapshot(sample, now=now)
    return sample
