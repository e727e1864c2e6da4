"""What the schema says is what the API does: drawn requests, good and bad, get no 5xx and no undocumented answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode, checks

from arena.battles.models import Battle, Response, Turn, Vote
from arena.competitors.models import Competitor, Endpoint
from arena.integrity.models import Exclusion, Proposal, ScreeningRun
from arena.leaderboards.models import Webhook
from arena.leaderboards.publishing import publish_snapshot
from arena.prompts.models import GenerationRun, Prompt, PromptSet, RecordedAnswer
from arena.teams import api_tokens, members
from arena.teams.models import Arena, Invitation, Membership, Voter

DRAWN = 10
"""Requests an operation, the same ones every time: seconds for the whole API."""
ROW = 901
"""The id of whatever an address names by number."""
DESCRIBED: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
SCHEMA = schemathesis.openapi.from_dict(DESCRIBED)
SCHEMA.app = get_wsgi_application()
OPERATIONS = {found.ok().label: found.ok() for found in SCHEMA.get_all_operations()}
CHECKS = [
    checks.not_a_server_error,
    checks.CHECKS.get_one("status_code_conformance"),
    checks.CHECKS.get_one("content_type_conformance"),
    checks.CHECKS.get_one("response_headers_conformance"),
    checks.CHECKS.get_one("response_schema_conformance"),
    checks.CHECKS.get_one("negative_data_rejection"),
    checks.CHECKS.get_one("unsupported_method"),
    checks.CHECKS.get_one("missing_required_header"),
]


class Room:
    """One private arena with one of everything; its owner's token, and battles in several states of the owner's own."""

    def __init__(self) -> None:
        now = timezone.now()
        owner = User.objects.create_user("owner", "owner@example.org", is_staff=True)
        self.arena = Arena.objects.create(slug="team", title="Team", kind="recorded", access="private")
        voter = Voter.objects.create(user=owner)
        members.appoint(self.arena, voter, "owner")
        Endpoint.objects.create(pk=ROW, name="mine", base_url="http://127.0.0.1:9/v1")  # which refuses at once
        field = [
            Competitor.objects.create(pk=pk, arena=self.arena, name=name, model_id=name)
            for pk, name in ((ROW, "Ash"), (ROW + 1, "Birch"))
        ]
        prompt_set = PromptSet.objects.create(pk=ROW, arena=self.arena, name="set")
        prompt = Prompt.objects.create(pk=ROW, prompt_set=prompt_set, key="p", text="Which?")
        for competitor in field:
            RecordedAnswer.objects.create(prompt=prompt, competitor=competitor, text="x", conditions={})
        states = ("complete", "complete", "void", "served")
        battles = [self.battle(UUID(int=n), voter, field, state) for n, state in enumerate(states, 1)]
        made = {"pk": ROW, "arena": self.arena, "role": "voter"}
        Membership.objects.create(**made, voter=Voter.objects.create())
        Invitation.objects.create(**made, token_hash="none")
        refused = "https://127.0.0.1/"  # before it is asked
        Webhook.objects.create(pk=ROW, arena=self.arena, url=refused, nonce="n", created_at=now)
        GenerationRun.objects.create(pk=ROW, prompt_set=prompt.prompt_set, created_at=now)
        Vote.objects.create(battle=battles[0], voter=voter, winner="a", created_at=now)
        self.finding(voter, now)
        publish_snapshot(self.arena, now=now)
        expires = now + timedelta(days=1)
        _row, self.token = api_tokens.make(owner, name="x", scopes=list(api_tokens.Scope), expires_at=expires)

    def finding(self, voter: Voter, now: datetime) -> None:
        run = ScreeningRun.objects.create(
            arena=self.arena, started_at=now, seconds=0.1, through_battle_id=0, through_vote_id=0, battles=1, votes=1,
            findings=1,
        )  # fmt: skip
        Proposal.objects.create(
            pk=ROW, arena=self.arena, run=run, rule="D1", unit_kind="account", voters=[voter.pk], sign=1,
            action="held", votes=1, evidence={"log_l": 4.0}, sentence="Chose Ash.", created_at=now,
        )  # fmt: skip
        Exclusion.objects.create(
            pk=ROW, arena=self.arena, voter=voter, action="held", rule="D1", sentence="Chose Ash.",
            decided_by="automatic", created_at=now,
        )  # fmt: skip

    def battle(self, public_id: UUID, voter: Voter, field: list[Competitor], state: str) -> Battle:
        now = timezone.now()
        battle = Battle.objects.create(
            public_id=public_id, arena=self.arena, voter=voter,
            competitor_a=field[0], competitor_b=field[1], policy="uniform",
            draw_probability=0.5, seed="0", state=state, stream_mode="paced", served_at=now,
            completed_at=now if state == "complete" else None, expires_at=now + timedelta(days=1),
        )  # fmt: skip
        turn = Turn.objects.create(battle=battle, index=1, prompt="Which?", created_at=now)
        for side, pk in battle.competitor_ids() if state == "complete" else ():
            Response.objects.create(turn=turn, side=side, competitor_id=pk, text="x", created_at=now)
        return battle


def places(label: str) -> list[dict[str, Any]]:
    """What fills an address: mostly what is there."""
    known = [{"slug": "team", "battle_id": str(UUID(int=number))} for number in range(1, 5)]
    wanted = re.findall(r"{(\w+)}", label)
    rows = (
        "member_id", "invitation_id", "run_id", "number", "webhook_id", "set_id", "prompt_id", "proposal_id",
        "exclusion_id", "endpoint_id", "competitor_id",
    )  # fmt: skip
    closed = {**known[0], "slug": "elsewhere", **dict.fromkeys(rows, 1)}
    absurd = {**known[0], **dict.fromkeys(rows, 10**20)}
    here = [{**dict.fromkeys(rows, ROW), "number": 1, **place} for place in known]
    found = [{name: place[name] for name in wanted} for place in [*here, closed, absurd]]
    return found if "battle_id" in wanted else [found[0], found[0], *found[-2:]]


@pytest.fixture
def room(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    """Every request is one transaction's, so none may close the connection at its end."""
    monkeypatch.setattr("channels.db.close_old_connections", lambda: None)
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    yield Room()
    request_started.connect(close_old_connections)
    request_finished.connect(close_old_connections)


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous iterators:Warning")
@pytest.mark.parametrize("label", sorted(OPERATIONS))
def test_drawn_requests_are_answered_as_documented(room: Room, label: str) -> None:
    operation = OPERATIONS[label]
    modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
    drawn = st.one_of(
        [
            operation.as_strategy(generation_mode=mode, path_parameters=place)
            for mode in modes
            for place in places(label)
        ]
    )

    @settings(
        max_examples=DRAWN,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=drawn)
    def ask(case: Any) -> None:
        undone = transaction.atomic()
        undone._from_testcase = True  # a vote insists on a transaction of its own
        with undone:
            answer = case.call(headers={"Authorization": f"Bearer {room.token}"})
            transaction.set_rollback(True)
        case.validate_response(answer, checks=CHECKS)

    ask()


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in DESCRIBED["paths"].items():
        yield from ((f"{method.upper()} {path}", operation) for method, operation in item.items())


def test_every_operation_says_what_it_does_what_may_go_wrong_and_who_may_ask() -> None:
    wrong = []
    for label, operation in operations():
        expected = {"401", "403"} | ({"404"} if "{slug}" in label else set())
        missing = [*(expected - set(operation["responses"]))]
        missing += ["a description"] if len(operation.get("description", "")) < 20 else []
        missing += ["a token"] if {"token": []} not in operation["security"] else []
        wrong += [f"{label} lacks {', '.join(missing)}"] if missing else []
    assert not wrong, "\n".join(wrong)


def test_every_body_has_an_example_and_every_parameter_is_explained() -> None:
    wrong = []
    for label, operation in operations():
        bodies = operation.get("requestBody", {}).get("content", {})
        if bodies and not bodies["application/json"].get("examples"):
            wrong.append(f"{label} has no example")
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "query" and not parameter.get("description"):
                wrong.append(f"{label} does not explain {parameter['name']}")
    assert not wrong, "\n".join(wrong)
