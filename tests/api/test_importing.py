"""The API imports what the pages import, under the same rules, all or nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from arena.prompts.models import Prompt, PromptSet, RecordedAnswer
from arena.teams.models import Arena, Membership, Role, Voter

pytestmark = pytest.mark.django_db
SETS, ANSWERS = "/api/v1/arenas/team/prompt-sets/", "/api/v1/arenas/team/answers/"
ROWS = [{"prompt": "Why?", "model": "Ada", "response": "So."}, {"prompt": "Why?", "model": "Bea", "response": "No."}]


@pytest.fixture
def arena() -> Arena:
    return Arena.objects.create(slug="team", title="Team", kind=Arena.Kind.RECORDED, access=Arena.Access.PRIVATE)


def client_of(arena: Arena, role: str) -> Client:
    user = get_user_model().objects.create_user(role)
    Membership.objects.create(arena=arena, voter=Voter.objects.create(user=user), role=role)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def lead(arena: Arena) -> Client:
    return client_of(arena, Role.OPERATOR)


def post(client: Client, address: str, **body: Any) -> Any:
    return client.post(address, json.dumps(body), content_type="application/json")


def send(client: Client, address: str, *paths: Path, **fields: Any) -> Any:
    files = [SimpleUploadedFile(path.name, path.read_bytes()) for path in paths]
    return client.post(address, {"file": files, **fields})


def test_rows_come_in_and_again_change_nothing(lead: Client) -> None:
    first, again = post(lead, ANSWERS, rows=ROWS, set="mine"), post(lead, ANSWERS, rows=ROWS, set="mine")
    assert first.status_code == again.status_code == 201
    assert first.json() == {
        "stored": True, "prompt_set": "mine", "prompts": 1, "competitors": ["Ada", "Bea"], "answers": 2, "updated": 0,
        "unchanged": 0, "notes": [],
    }  # fmt: skip
    assert (again.json()["answers"], again.json()["unchanged"]) == (0, 2)


def test_a_dry_run_says_what_would_be_made_and_stores_nothing(lead: Client) -> None:
    answer = post(lead, ANSWERS, rows=ROWS, dry_run=True)
    assert (answer.status_code, answer.json()["stored"], answer.json()["answers"]) == (200, False, 2)
    assert not PromptSet.objects.exists() and not RecordedAnswer.objects.exists()


def test_a_refusal_lists_every_problem_by_row_and_column(lead: Client) -> None:
    answer = post(lead, ANSWERS, rows=[*ROWS, {"prompt": "", "model": "Ada", "response": "So."}, {**ROWS[0]}])
    assert answer.status_code == 400
    body = answer.json()
    assert body["code"] == "import_refused"
    assert [(problem["line"], problem["column"]) for problem in body["problems"]] == [(3, "prompt"), (4, "model")]
    assert not RecordedAnswer.objects.exists()


def test_columns_may_be_named(lead: Client) -> None:
    rows = [{"Ask": "Why?", "left": "So.", "right": "No."}]
    unknown = post(lead, SETS, rows=rows)
    assert unknown.status_code == 400 and "is no known column" in unknown.json()["detail"]
    named = {"Ask": "prompt", "left": "answers", "right": "answers"}
    assert post(lead, ANSWERS, rows=rows, columns=named).json()["competitors"] == ["left", "right"]


@pytest.mark.parametrize(
    "body",
    [{}, {"rows": "x"}, {"rows": [1]}, {"rows": ROWS, "columns": ["prompt"]}, {"rows": ROWS, "mixed_conditions": "x"},
     {"rows": ROWS, "columns": {"nowhere": "prompt"}}, {"rows": []}, {"rows": ROWS, "set": "x" * 81}],
)  # fmt: skip
def test_malformed_bodies_are_refused(lead: Client, body: dict[str, Any]) -> None:
    assert post(lead, ANSWERS, **body).status_code == 400
    assert not RecordedAnswer.objects.exists()


def test_who_may_not_configure_is_refused_and_outsiders_find_nothing(arena: Arena) -> None:
    expert, outsider = client_of(arena, Role.EXPERT), Client()
    for address in (SETS, ANSWERS):
        assert post(expert, address, rows=ROWS).status_code == 403
        assert post(outsider, address, rows=ROWS).status_code == 404
    assert expert.get(SETS).status_code == 403
    assert not Prompt.objects.exists()


def test_sets_are_listed_without_texts(lead: Client) -> None:
    post(lead, SETS, rows=[{"prompt": "Why?"}], set="mine", sealed=True)
    (found,) = lead.get(SETS).json()
    assert (found["name"], found["is_sealed"], found["in_service"], found["competitors"]) == ("mine", True, 1, 0)
    assert "Why?" not in json.dumps(found)


def test_fifty_megabytes_are_refused(lead: Client) -> None:
    answer = lead.post(ANSWERS, {"file": SimpleUploadedFile("own.csv", b"x" * 50_000_000)})
    assert answer.status_code == 400
    assert "Send at most 20 MB at once" in answer.json()["detail"]


def test_published_sets_come_in_as_files(lead: Client, validation_data: Path) -> None:
    folder = validation_data / "recorded_answers"
    assert send(lead, SETS, folder / "prompts.json", set="oasst").json()["prompts"] == 250
    report = send(lead, ANSWERS, *sorted(folder.glob("*.jsonl")), set="oasst").json()
    assert (report["answers"], len(report["competitors"])) == (1750, 7)
    turns = send(lead, SETS, validation_data / "prompts" / "mt_bench_questions.jsonl", set="two turns").json()
    assert turns["prompts"] == 80
    assert Prompt.objects.filter(turn_count=2).count() == 80
