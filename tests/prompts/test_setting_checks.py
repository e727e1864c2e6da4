"""Objective checks are set on a set, on a prompt, or by a file; what cannot be run is refused where it was written."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from arena.competitors.models import Competitor
from arena.prompts.answers import import_answers
from arena.prompts.checks.languages import CODES, _model
from arena.prompts.checks.specs import BadSpec, combined, parsed, validated, written
from arena.prompts.importing import import_prompts
from arena.prompts.models import Prompt, PromptSet, RecordedAnswer
from arena.prompts.rows import ImportRefused
from arena.teams.models import Arena, Membership, Role, Voter

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def arena() -> Arena:
    return Arena.objects.create(slug="team", title="Team", kind=Arena.Kind.RECORDED, access=Arena.Access.PRIVATE)


@pytest.fixture
def lead(arena: Arena) -> Client:
    user = get_user_model().objects.create_user("lead")
    Membership.objects.create(arena=arena, voter=Voter.objects.create(user=user), role=Role.OPERATOR)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def prompt(arena: Arena) -> Prompt:
    return Prompt.objects.create(prompt_set=PromptSet.objects.create(arena=arena, name="set"), key="p1", text="Why?")


def file(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def address(prompt: Prompt | None = None) -> str:
    base = f"/console/team/prompts/{PromptSet.objects.get().pk}/"
    return f"{base}{prompt.pk}/" if prompt else base


def test_a_prompts_own_checks_come_on_top_of_its_sets() -> None:
    of_set = validated({"contains": ["a", "b"], "max_words": 80, "json": True})
    own = validated({"contains": ["b", "c"], "max_words": 20, "language": "de"})
    assert combined(of_set, own) == {"json": True, "contains": ["a", "b", "c"], "max_words": 20, "language": "de"}
    assert combined(of_set, {}) == of_set
    assert combined({}, own) == own


def test_what_is_shown_is_read_back_alike() -> None:
    spec = validated({"regex": r"^\d+$", "contains": "„Grüße“"})
    assert parsed(written(spec)) == spec
    assert parsed(written({})) == parsed("  \n") == {}


@pytest.mark.parametrize(
    "text",
    ["json: true", "[1]", '{"length": 3}', '{"max_words": NaN}', '{"contains": "a\\u0000"}', '{"contains": "\\ud800"}',
     '{"json_schema": {"enum": [NaN]}}', json.dumps({"json_schema": {"enum": ["x" * 21_000]}}),
     '{"json_schema": ' + '{"not": ' * 5000 + "{}" + "}" * 5001],
)  # fmt: skip
def test_what_cannot_be_run_or_stored_is_refused(text: str) -> None:
    with pytest.raises(BadSpec):
        parsed(text)


def test_languages_are_those_of_the_model() -> None:
    assert {str(label) for label in _model().labels} - {"zxx"} == CODES  # zxx: no language at all


def test_reading_checks_loads_no_model() -> None:
    """Pages take checks, and numpy is the worker's business."""
    code = (
        "import sys; from arena.prompts.checks.specs import validated; validated({'language': 'de', 'regex': 'x'}); "
        "print('numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


def test_a_file_brings_checks_and_changes_them(arena: Arena, tmp_path: Path) -> None:
    row = {"id": "p1", "prompt": "Why?", "checks": {"contains": "so", "json": True}}
    import_prompts(file(tmp_path / "own.jsonl", row), arena)
    assert Prompt.objects.get().checks == {"json": True, "contains": ["so"]}
    assert import_prompts(file(tmp_path / "own.jsonl", row), arena).unchanged == 1
    assert import_prompts(file(tmp_path / "own.jsonl", {**row, "checks": None}), arena).updated == 1
    assert Prompt.objects.get().checks == {}
    (tmp_path / "own.csv").write_text('id,prompt,checks\np1,Why?,"{""max_words"": 5}"\n')
    import_prompts(tmp_path / "own.csv", arena, set_name="own")
    assert Prompt.objects.get().checks == {"max_words": 5}


def test_a_file_without_checks_leaves_them(arena: Arena, prompt: Prompt, tmp_path: Path) -> None:
    Prompt.objects.update(checks={"json": True})
    import_prompts(file(tmp_path / "set.jsonl", {"id": "p1", "prompt": "Why?", "category": "new"}), arena)
    prompt.refresh_from_db()
    assert (prompt.category, prompt.checks) == ("new", {"json": True})


def test_a_wide_file_of_answers_has_checks_and_no_model_of_that_name(arena: Arena, tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text('prompt,checks,Ada,Bea\nWhy?,"{""json"": true}",So.,Because.\n')
    import_answers(tmp_path / "w.csv", arena, now=NOW)
    assert Prompt.objects.get().checks == {"json": True}
    assert RecordedAnswer.objects.count() == 2


def test_bad_checks_of_a_file_are_told_by_line(arena: Arena, tmp_path: Path) -> None:
    rows = [{"prompt": "a", "checks": {"regex": "(?=x)"}}, {"prompt": "b", "checks": "{no"}, {"prompt": "c"},
            {"prompt": "d", "checks": {"length": 3}}]  # fmt: skip
    with pytest.raises(ImportRefused) as refused:
        import_prompts(file(tmp_path / "own.jsonl", *rows), arena)
    assert [(problem.line, problem.column) for problem in refused.value.problems] == [
        (1, "checks"), (2, "checks"), (4, "checks"),
    ]  # fmt: skip
    assert "“length” is no check: use some of json, json_schema" in str(refused.value)


def test_checks_are_set_on_the_sets_page_and_kept_by_who_does_not_send_them(lead: Client, prompt: Prompt) -> None:
    lead.post(address(), {"action": "save", "name": "set", "checks": '{"contains": "so"}'})
    assert PromptSet.objects.get().checks == {"contains": ["so"]}
    lead.post(address(), {"action": "save", "name": "renamed"})
    assert PromptSet.objects.get().checks == {"contains": ["so"]}
    page = lead.get(address()).content.decode()
    assert "&quot;contains&quot;" in page
    assert "a JSON schema that the answer fits" in page
    lead.post(address(), {"action": "save", "name": "renamed", "checks": ""})
    assert PromptSet.objects.get().checks == {}


def test_what_is_wrong_stands_beside_the_field_with_what_was_written(lead: Client, prompt: Prompt) -> None:
    for path in (address(), address(prompt)):
        answer = lead.post(path, {"action": "save", "name": "new", "message": "Why?", "checks": '{"max_words": 0}'})
        page = answer.content.decode()
        assert answer.status_code == 400
        assert 'aria-invalid="true"' in page and 'id="checks-problem"' in page
        assert "{&quot;max_words&quot;: 0}</textarea>" in page
        assert "is a whole number from 1 to 100000; it was given 0" in page
    assert PromptSet.objects.get().name == "set"
    assert PromptSet.objects.get().checks == Prompt.objects.get().checks == {}


def test_checks_of_an_answered_prompt_change_without_another_prompt(lead: Client, arena: Arena, prompt: Prompt) -> None:
    model = Competitor.objects.create(arena=arena, name="Ada", model_id="ada")
    RecordedAnswer.objects.create(prompt=prompt, competitor=model, text="So.")
    PromptSet.objects.update(checks={"json": True})
    lead.post(address(prompt), {"message": "Why?", "checks": '{"max_words": 5}'})
    prompt.refresh_from_db()
    assert prompt.checks == {"max_words": 5}
    assert "The set asks for:" in lead.get(address(prompt)).content.decode()
    lead.post(address(prompt), {"message": "Why not?"})
    new = Prompt.objects.get(replaces=prompt)
    assert new.checks == {"max_words": 5}
