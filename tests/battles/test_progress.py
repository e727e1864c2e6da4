"""How far a voter is must agree with what they can still be served."""

from __future__ import annotations

from datetime import datetime

from django.test import Client

from arena.battles import assignment, opening, votes
from arena.battles.words import Winner
from arena.competitors.models import Competitor
from arena.prompts.models import Prompt
from arena.teams.models import Arena, Voter

FRAGMENT = {"X-Fragment": "1"}


def judge(arena: Arena, voter: Voter, now: datetime) -> Prompt:
    battle = opening.open_battle(voter, arena, None, seed=opening.new_seed(), now=now)
    votes.cast_vote(battle.public_id, voter, Winner.A, now=now)
    assert battle.prompt is not None
    return battle.prompt


def test_progress_begins_at_nothing_and_ends_with_everything(recorded: Arena, voter: Voter, now: datetime) -> None:
    assert assignment.progress(recorded, None) == assignment.Progress(0, 6)
    for done in range(6):
        assert assignment.progress(recorded, voter) == assignment.Progress(done, 6)
        judge(recorded, voter, now)
    assert assignment.progress(recorded, voter) == assignment.Progress(6, 6)


def test_retired_prompts_do_not_end_an_assignment_early(
    as_voter: Client, recorded: Arena, voter: Voter, now: datetime
) -> None:
    """Three were judged and retired; one prompt of two battles is left, which is not nothing."""
    for prompt in {judge(recorded, voter, now) for _ in range(3)}:
        if Prompt.objects.filter(retired_at__isnull=True).count() > 1:
            Prompt.objects.filter(pk=prompt.pk).update(retired_at=now)
    assert b'data-state="start"' in as_voter.get("/a/recorded/", headers=FRAGMENT).content
    assert as_voter.post("/a/recorded/battles/", headers=FRAGMENT).status_code == 200


def test_a_retired_competitor_leaves_only_what_can_be_served(recorded: Arena, voter: Voter, now: datetime) -> None:
    """Of four answers to each of three prompts one goes: one pair a prompt is left, or none where it was met."""
    judge(recorded, voter, now)
    Competitor.objects.filter(arena=recorded, name="zanzibar3-name").update(retired_at=now)
    told = assignment.progress(recorded, voter)
    assert told is not None
    for _ in range(told.total - told.done):
        judge(recorded, voter, now)
    assert assignment.progress(recorded, voter) == assignment.Progress(told.total, told.total)


def test_prompts_of_ones_own_are_no_progress_through_a_set(recorded: Arena, voter: Voter, now: datetime) -> None:
    judge(recorded, voter, now)
    Arena.objects.filter(pk=recorded.pk).update(kind="mixed")
    recorded.refresh_from_db()
    battle = opening.open_battle(voter, recorded, None, seed=opening.new_seed(), now=now)
    type(battle).objects.filter(pk=battle.pk).update(prompt=None)
    votes.cast_vote(battle.public_id, voter, Winner.A, now=now)
    assert assignment.progress(recorded, voter) == assignment.Progress(1, 6)
