"""A recorded answer must not say by its shape who made it, any more than a live one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from arena.prompts.answers import import_answers
from arena.prompts.models import RecordedAnswer
from arena.prompts.rows import ImportRefused
from arena.teams.models import Arena

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def arena() -> Arena:
    return Arena.objects.create(slug="recorded", title="Recorded", kind=Arena.Kind.RECORDED)


def answers(path: Path, *responses: str) -> Path:
    rows = [{"prompt": f"Why {n}?", "model": "m", "response": said} for n, said in enumerate(responses)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize(
    "quirk",
    [
        "\n\n So.",
        "So.<|im_end|>",
        "<think>The user asks why.</think>\nSo.",
        "assistant: So.",
        "So.\r\n",
        "\u202eSo.\u200b",
        "<think>" + "hm " * 20_000 + "</think>So.",
    ],
)
def test_quirks_of_a_provider_do_not_come_in(arena: Arena, tmp_path: Path, quirk: str) -> None:
    file = answers(tmp_path / "a.jsonl", quirk)
    import_answers(file, arena, now=NOW)
    assert RecordedAnswer.objects.get().text == "So."
    assert import_answers(file, arena, now=NOW).unchanged == 1


@pytest.mark.parametrize(
    ("response", "says"),
    [("<think>Nothing else.</think>", "holds thoughts or tokens"), ("x" * 32_001, "has 32001 characters")],
)
def test_what_no_live_answer_could_be_is_refused(arena: Arena, tmp_path: Path, response: str, says: str) -> None:
    with pytest.raises(ImportRefused, match=says):
        import_answers(answers(tmp_path / "a.jsonl", "So.", response), arena, now=NOW)
    assert not RecordedAnswer.objects.exists()
