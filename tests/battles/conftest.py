"""An arena with competitors whose every field is a canary, voters, and battles in each state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from arena.battles import opening, recording
from arena.battles.models import Battle
from arena.battles.recording import Answer
from arena.battles.words import BattleState, Side
from arena.competitors import endpoints
from arena.competitors.models import Competitor, Endpoint
from arena.competitors.providers import ScriptedProvider
from arena.prompts.models import Prompt, PromptSet, RecordedAnswer
from arena.teams.models import Arena, Voter
from arena.teams.voters import COOKIE, cookie_value

CANARY = "zanzibar"


def canary_competitor(arena: Arena, number: int, endpoint: Endpoint | None) -> Competitor:
    word = f"{CANARY}{number}"
    return Competitor.objects.create(
        arena=arena,
        name=f"{word}-name",
        endpoint=endpoint,
        model_id=f"{word}-model",
        revision=f"{word}-revision",
        system_prompt=f"{word}-system",
        description=f"{word}-description",
        organization=f"{word}-organization",
        license=f"{word}-license",
        retired_reason=f"{word}-reason",
        extra_body={"note": f"{word}-extra"},
        stop=[f"{word}-stop"],
        price_in=7000.25 + number,
        price_out=8000.25 + number,
    )


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def endpoint(db: None) -> Endpoint:
    return Endpoint.objects.create(name=f"{CANARY}-endpoint", base_url=f"http://{CANARY}.invalid/v1")


@pytest.fixture
def live(db: None, endpoint: Endpoint) -> Arena:
    arena = Arena.objects.create(slug="live", title="Live", kind="live", stream_mode="live", pace=2000)
    for number in range(4):
        canary_competitor(arena, number, endpoint)
    return arena


@pytest.fixture
def recorded(db: None) -> Arena:
    arena = Arena.objects.create(slug="recorded", title="Recorded", kind="recorded")
    field = [canary_competitor(arena, number, None) for number in range(4)]
    prompts = PromptSet.objects.create(arena=arena, name="set")
    for number in range(3):
        prompt = Prompt.objects.create(prompt_set=prompts, key=f"p{number}", text=f"Question {number}?")
        for place, competitor in enumerate(field):
            RecordedAnswer.objects.create(
                prompt=prompt,
                competitor=competitor,
                text=f"Answer {place} to {number}.",
                conditions={"model": f"{CANARY}-conditions"},
                conditions_hash=f"{CANARY}-hash",
                first_token_ms=7123.5,
                total_ms=9123.5,
                output_tokens=43210987,
            )
    return arena


@pytest.fixture
def voter(db: None) -> Voter:
    return Voter.objects.create()


@pytest.fixture
def stranger(db: None) -> Voter:
    return Voter.objects.create()


@pytest.fixture
def as_voter(client: Any, voter: Voter) -> Any:
    """A browser of the voter's."""
    client.cookies[COOKIE] = cookie_value(voter)
    return client


@pytest.fixture
def serve(live: Arena, voter: Voter) -> Callable[..., Battle]:
    """A live battle of the voter's in any state."""

    def made(state: str = "complete", *, text: str = "Hello", now: datetime | None = None) -> Battle:
        now = now or timezone.now()
        battle = opening.open_battle(voter, live, "A question?", seed=opening.new_seed(), now=now)
        if state == "served":
            return battle
        from arena.battles import lifecycle

        assert lifecycle.claim(battle, now=now)
        if state == "answering":
            battle.refresh_from_db()
            return battle
        answers = {side: Answer(text=f"{text} {side}") for side in Side}
        recording.record_responses(battle.turns.get(), answers, now=now)
        if state == "expired":
            Battle.objects.filter(pk=battle.pk).update(expires_at=now - timedelta(seconds=1))
        elif state in ("void", "skipped"):
            Battle.objects.filter(pk=battle.pk).update(
                state=state, void_reason="side_failed" if state == "void" else ""
            )
        battle.refresh_from_db()
        assert state == "expired" or battle.state == BattleState(state)
        return battle

    return made


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., dict[str, ScriptedProvider]]]:
    """Replaces the network by scripts: one for every competitor, or one by name."""
    providers: dict[str, ScriptedProvider] = {}

    def set_up(*steps: Any, **by_name: tuple[Any, ...]) -> dict[str, ScriptedProvider]:
        providers.clear()

        def provider_for(competitor: Competitor) -> ScriptedProvider:
            script = by_name.get(competitor.name.split("-")[0], steps)
            return providers.setdefault(competitor.name, ScriptedProvider(*script))

        monkeypatch.setattr(endpoints, "provider_for", provider_for)
        return providers

    yield set_up
