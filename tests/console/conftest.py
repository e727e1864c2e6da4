"""An arena with answers and votes, and somebody in every role."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from arena.battles import opening, votes
from arena.battles.models import Vote
from arena.battles.words import Winner
from arena.competitors.models import Competitor
from arena.prompts.models import Prompt, PromptSet, RecordedAnswer
from arena.teams.models import Arena, Membership, Voter

STAFF, STRANGER, NOBODY = "staff", "stranger", "nobody"
Judge = Callable[..., Vote]


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def team(db: None) -> Arena:
    """A private recorded arena of four competitors and five prompts."""
    arena = Arena.objects.create(slug="team", title="Team", kind="recorded", access="invite", reveal="end")
    field = [Competitor.objects.create(arena=arena, name=name, model_id=name) for name in ("Ash", "Birch", "Cedar")]
    prompts = PromptSet.objects.create(arena=arena, name="set")
    for number in range(5):
        prompt = Prompt.objects.create(prompt_set=prompts, key=str(number), text=f"Question {number}?")
        for row in field:
            RecordedAnswer.objects.create(
                prompt=prompt, competitor=row, text=f"{row.name} to {number}", conditions_hash="h"
            )
    return arena


@pytest.fixture
def person(team: Arena) -> Callable[[str], Client]:
    """A browser of somebody in this role in the arena, or of staff, of a stranger with an account, of nobody."""

    def made(role: str) -> Client:
        client = Client()
        if role != NOBODY:
            user = User.objects.create_user(f"{role}@example.org", is_staff=role == STAFF)
            client.force_login(user)
            if role not in (STAFF, STRANGER):
                voter = Voter.objects.create(user=user)
                Membership.objects.create(arena=team, voter=voter, role=role, display_name=f"Name of {role}")
        return client

    return made


@pytest.fixture
def judge(team: Arena, now: datetime) -> Judge:
    """One vote on the next item, by a member of this name."""
    known: dict[str, Voter] = {}

    def cast(name: str, winner: str = "a", **fields: Any) -> Vote:
        if name not in known:
            known[name] = Voter.objects.create()
            Membership.objects.create(arena=team, voter=known[name], role="voter", display_name=name, **fields)
        battle = opening.open_battle(known[name], team, None, seed=opening.new_seed(), now=now)
        return votes.cast_vote(battle.public_id, battle.voter, Winner(winner), now=now).vote

    return cast
