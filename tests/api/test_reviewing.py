"""Findings, decisions, agreement, prompts and own data by programs, under the pages' rules."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from arena.battles.models import Battle, Vote
from arena.competitors.models import Competitor
from arena.integrity import standing
from arena.integrity.models import Erasure, Exclusion, Proposal, ScreeningRun
from arena.leaderboards.publishing import publish_snapshot
from arena.prompts.models import Prompt, PromptSet, RecordedAnswer
from arena.teams import api_tokens, members
from arena.teams.models import Arena, Voter
from tests.api.test_console import TEAM, arena, field, owner, program, send

__all__ = ("arena", "field", "owner")
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def accused(arena: Arena, field: list[Competitor]) -> Voter:
    """Two people judge the same prompt: one for Ash, one for Birch."""
    now = timezone.now()
    people = [Voter.objects.create() for _ in range(2)]
    for voter, winner in zip(people, "ab", strict=True):
        battle = Battle.objects.create(
            arena=arena, voter=voter, competitor_a=field[0], competitor_b=field[1], policy="uniform",
            draw_probability=0.5, seed="0", state="complete", stream_mode="paced", served_at=now, completed_at=now,
            expires_at=now + timedelta(days=1), prompt=Prompt.objects.get(),
        )  # fmt: skip
        Vote.objects.create(battle=battle, voter=voter, winner=winner, created_at=now)
    return people[0]


@pytest.fixture
def finding(arena: Arena, accused: Voter) -> Proposal:
    now = timezone.now()
    run = ScreeningRun.objects.create(
        arena=arena, started_at=now, seconds=0.1, through_battle_id=9, through_vote_id=9, battles=1, votes=1, findings=1
    )
    return Proposal.objects.create(
        arena=arena, run=run, rule="D1", unit_kind="account", voters=[accused.pk], sign=1, action="held", votes=1,
        evidence={"log_l": 4.0}, sentence="Chose Ash in 19 of 20.", created_at=now,
    )  # fmt: skip


def test_a_program_reads_a_finding_accepts_it_and_takes_that_back(
    arena: Arena, owner: User, accused: Voter, finding: Proposal
) -> None:
    client = program(owner)
    body = client.get(f"{TEAM}review/").json()
    (waiting,) = body["waiting"]
    assert (waiting["sentence"], waiting["evidence"], waiting["accounts"]) == (finding.sentence, {"log_l": 4.0}, 1)
    assert str(accused.public_id) not in str(body), "a finding names no voter"
    (made,) = send(client, "post", f"{TEAM}review/proposals/{finding.pk}/", decision="accept").json()
    assert (made["action"], made["decided_by"], made["in_force"]) == ("held", "reviewer", True)
    assert Exclusion.objects.get().reviewer == owner
    assert client.get(f"{TEAM}review/").json()["waiting"] == []

    without = send(client, "post", f"{TEAM}review/exclusions/{made['id']}/", why=" ")
    assert (without.status_code, Exclusion.objects.count()) == (400, 1)
    cleared = send(client, "post", f"{TEAM}review/exclusions/{made['id']}/", why="Known.", appeal_note="They wrote.")
    assert (cleared.json()["reverses"], cleared.json()["appeal_note"]) == (made["id"], "They wrote.")
    assert not standing.in_force(arena)
    again = send(client, "post", f"{TEAM}review/exclusions/{made['id']}/", why="Known.")
    assert (again.status_code, again.json()["code"]) == (409, "already_decided")


def test_a_finding_is_turned_down_with_a_reason_alone(arena: Arena, owner: User, finding: Proposal) -> None:
    client, path = program(owner), f"{TEAM}review/proposals/{finding.pk}/"
    refused = send(client, "post", path, decision="turn_down")
    assert (refused.status_code, refused.json()["code"]) == (400, "reason_missing")
    assert send(client, "post", path, decision="perhaps").status_code == 400
    assert not Exclusion.objects.exists()
    assert send(client, "post", path, decision="turn_down", why="A class.").json()[0]["action"] == "cleared"
    assert send(client, "put", f"{TEAM}review/", mode="never").status_code == 400
    assert send(client, "put", f"{TEAM}review/", mode="review").json()["mode"] == "review"


def test_findings_of_another_arena_are_not_there(owner: User, finding: Proposal) -> None:
    other = Arena.objects.create(slug="other", title="Other", kind="recorded", access="private")
    members.appoint(other, Voter.objects.get(user=owner), "owner")
    path = f"/api/v1/arenas/other/review/proposals/{finding.pk}/"
    assert send(program(owner), "post", path, decision="accept").status_code == 404


def test_agreement_is_what_the_page_shows(arena: Arena, owner: User, accused: Voter) -> None:
    client = program(owner)
    before = client.get(f"{TEAM}agreement/").json()
    assert (before["snapshot"], before["status"], before["alpha"]) == (None, "no_votes", None)
    publish_snapshot(arena, now=timezone.now())
    body = client.get(f"{TEAM}agreement/").json()
    assert (body["snapshot"], body["items"], body["voters"], body["agreement"]) == (1, 1, 2, 0.0)
    (disputed,) = body["disputed"]
    assert (disputed["prompt"], disputed["one"], disputed["other"]) == ("Which?", 1, 1)


def test_prompts_are_read_by_page_corrected_and_retired(
    arena: Arena, owner: User, field: list[Competitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arena.api.prompts.PAGE", 2)
    prompts = PromptSet.objects.get()
    new = [Prompt.objects.create(prompt_set=prompts, key=f"q{n}", text=f"How {n}?") for n in range(2)]
    client, address = program(owner), f"{TEAM}prompt-sets/{prompts.pk}/prompts/"
    first = client.get(address).json()
    second = client.get(address, {"after": first["next_after"]}).json()
    assert [row["key"] for row in (*first["prompts"], *second["prompts"])] == ["p", "q0", "q1"]
    assert second["next_after"] is None
    assert client.get(address, {"after": "last"}).status_code == 400

    path = f"{TEAM}prompts/{new[0].pk}/"
    changed = send(
        client, "patch", path, messages=["How so?", "And then?"], tags=["hard"], checks={"json": True}
    ).json()
    assert (changed["id"], changed["messages"]) == (new[0].pk, ["How so?", "And then?"])
    assert (changed["tags"], changed["checks"]) == (["hard"], {"json": True})
    assert send(client, "patch", path, retired=True).json()["retired_at"] is not None
    assert send(client, "patch", path, retired=False).json() == changed
    assert send(client, "patch", path, checks={"regexp": "x"}).status_code == 400

    answered = f"{TEAM}prompts/{Prompt.objects.get(key='p').pk}/"
    replaced = send(client, "patch", answered, messages=["Which one?"]).json()
    assert (replaced["replaces"], replaced["retired_at"]) == ("p", None)
    refused = send(client, "patch", answered, retired=False)
    assert (refused.status_code, "replaced" in refused.json()["detail"]) == (400, True)


def test_a_sealed_prompt_keeps_its_text_to_itself(owner: User, field: list[Competitor]) -> None:
    PromptSet.objects.update(is_sealed=True)
    client, prompt = program(owner), Prompt.objects.get()
    address = f"{TEAM}prompts/{prompt.pk}/"
    assert client.get(address).json()["messages"] is None
    assert "Which?" not in client.get(f"{TEAM}prompt-sets/{prompt.prompt_set_id}/prompts/").content.decode()
    assert send(client, "patch", address, messages=["Other?"]).status_code == 400
    assert send(client, "patch", address, category="sums").json()["category"] == "sums"
    assert Prompt.objects.get().text == "Which?"


def test_a_program_reads_its_own_board_and_forgets_its_account_everywhere_or_not_at_all(
    arena: Arena, owner: User, field: list[Competitor]
) -> None:
    client = program(owner)
    second = Prompt.objects.create(prompt_set=PromptSet.objects.get(), key="q", text="How?")
    for competitor in field:
        RecordedAnswer.objects.create(prompt=second, competitor=competitor, text="y", conditions={})
    for _ in range(2):
        battle = send(client, "post", f"{TEAM}battles/").json()
        assert send(client, "post", f"{TEAM}battles/{battle['id']}/vote/", winner="a").status_code == 200
    board = client.get(f"{TEAM}mine/").json()["board"]
    assert [row["vote_count"] for row in board] == [2, 2]
    only_owner = client.delete(f"{TEAM}mine/")
    assert (only_owner.status_code, only_owner.json()["code"]) == (409, "last_owner")

    heir = User.objects.create_user("heir")
    members.appoint(arena, Voter.objects.create(user=heir), "owner")
    soon = timezone.now() + timedelta(days=1)
    _row, here = api_tokens.make(owner, name="here", scopes=list(api_tokens.Scope), expires_at=soon, arena=arena)
    assert client.delete(f"{TEAM}mine/", headers={"authorization": f"Bearer {here}"}).status_code == 403
    assert not Erasure.objects.exists()
    assert client.delete(f"{TEAM}mine/").status_code == 204
    assert Erasure.objects.count() == 1
    assert Vote.objects.count() == 2, "the votes stay, as nobody's"
