"""The review page: who may read, who may decide, and that a decision is a row."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User

from arena.battles.models import Vote
from arena.integrity import deciding, standing
from arena.integrity.deciding import SCREENING, Reason
from arena.integrity.models import Exclusion, Proposal, Screening, ScreeningRun
from arena.teams.models import Arena, Membership, Voter

pytestmark = pytest.mark.django_db(transaction=True)
PAGE, DECIDE = "/console/sample/integrity/", "/console/sample/integrity/decide/"


@pytest.fixture
def waiting(sample: Arena, now: datetime) -> Proposal:
    run = ScreeningRun.objects.create(
        arena=sample, started_at=now, seconds=0.5, through_battle_id=1, through_vote_id=1, battles=9, votes=8,
        findings=1, alarms=[{"rule": "D1", "sentence": "A campaign for Ash."}],
    )  # fmt: skip
    voter = Vote.objects.earliest("pk").voter_id
    return Proposal.objects.create(
        arena=sample, run=run, rule="D1", unit_kind="account", voters=[voter], sign=1, action="excluded", votes=3,
        evidence={"log_l": 4.0}, sentence="Chose Ash in 19 of 20.", created_at=now,
    )  # fmt: skip


def member(client: Any, arena: Arena, role: str) -> User:
    user = User.objects.create_user(role, password="quite long enough")
    Membership.objects.create(arena=arena, voter=Voter.objects.create(user=user), role=role)
    client.force_login(user)
    return user


def test_an_operator_accepts_and_clears_and_each_is_a_row(client: Any, sample: Arena, waiting: Proposal) -> None:
    user = member(client, sample, "operator")
    shown = client.get(PAGE).content.decode()
    assert "Chose Ash in 19 of 20." in shown and "A campaign for Ash." in shown
    assert client.post(DECIDE, {"what": "accept", "row": waiting.pk}).status_code == 302
    row = Exclusion.objects.get()
    assert (row.reviewer, row.decided_by, row.voter_id) == (user, "reviewer", waiting.voters[0])
    client.post(DECIDE, {"what": "clear", "row": row.pk, "why": ""})
    assert Exclusion.objects.count() == 1  # without a reason nothing is decided
    client.post(DECIDE, {"what": "clear", "row": row.pk, "why": "Known.", "appeal_note": "They wrote."})
    cleared = Exclusion.objects.latest("pk")
    assert (cleared.reverses, cleared.appeal_note) == (row, "They wrote.")
    assert not standing.in_force(sample)
    assert "They wrote." in client.get(PAGE).content.decode()


def test_an_auditor_reads_and_decides_nothing(client: Any, sample: Arena, waiting: Proposal) -> None:
    member(client, sample, "auditor")
    shown = client.get(PAGE)
    assert shown.status_code == 200 and DECIDE not in shown.content.decode()
    assert client.post(DECIDE, {"what": "accept", "row": waiting.pk}).status_code == 404
    assert not Exclusion.objects.exists()


@pytest.mark.parametrize("role", ["voter", "expert", None])
def test_nobody_else_learns_that_there_is_a_page(
    client: Any, sample: Arena, waiting: Proposal, role: str | None
) -> None:
    if role:
        member(client, sample, role)
    assert client.get(PAGE).status_code == 404
    assert client.post(DECIDE, {"what": "accept", "row": waiting.pk}).status_code == 404


def test_rows_of_another_arena_are_out_of_reach(
    client: Any, sample: Arena, orchard: Arena, waiting: Proposal, now: datetime
) -> None:
    member(client, orchard, "owner")
    where = DECIDE.replace("sample", "orchard")
    assert client.post(where, {"what": "accept", "row": waiting.pk}).status_code == 404
    row = deciding.set_aside(sample, waiting.voters[0], Reason("D1", "Ash."), SCREENING, now=now)
    assert client.post(where, {"what": "clear", "row": row.pk, "why": "Mine."}).status_code == 404
    assert client.post(where, {"what": "clear", "row": "9" * 30, "why": "Mine."}).status_code == 404


def test_the_mode_is_set_and_an_unknown_word_changes_nothing(client: Any, sample: Arena) -> None:
    member(client, sample, "owner")
    client.post(DECIDE, {"what": "mode", "mode": "review"})
    assert standing.screening_of(sample) == Screening.REVIEW
    client.post(DECIDE, {"what": "mode", "mode": "sometimes"})
    assert standing.screening_of(sample) == Screening.REVIEW


def test_the_voters_own_page_says_held_and_neither_why_nor_which(client: Any, sample: Arena, now: datetime) -> None:
    voter = Vote.objects.earliest("pk").voter
    voter.user = User.objects.create_user("someone")
    voter.save(update_fields=["user"])
    client.force_login(voter.user)
    assert "held for review" not in client.get("/a/sample/mine/").content.decode()
    row = deciding.set_aside(sample, voter, Reason("D1", "Chose Ash in 19 of 20."), SCREENING, now=now)
    shown = client.get("/a/sample/mine/").content.decode()
    assert "held for review" in shown and "Chose Ash" not in shown and "D1" not in shown
    deciding.clear(row, "Known.", SCREENING, now=now)
    assert "held for review" not in client.get("/a/sample/mine/").content.decode()
