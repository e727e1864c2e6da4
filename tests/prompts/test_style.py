from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps

from arena.competitors.models import Competitor
from arena.prompts.answers import import_answers
from arena.prompts.models import Prompt, PromptSet, RecordedAnswer
from arena.prompts.style import Style, style_of
from arena.teams.models import Arena


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("", Style(0, 0, 0, 0)),
        ("Two words.", Style(3, 0, 0, 0)),
        ("# One\n\n### Three\n#no header\n####### seven", Style(14, 2, 0, 0)),
        ("- a\n* b\n+ c\n1. d\n2) e\n  - nested\n-no item\n3.no item", Style(24, 0, 6, 0)),
        ("**bold** and __bold__, but not snake__case__name or ** open **", Style(22, 0, 0, 2)),
        ("```\n# comment\n- item\n**x**\n```\n# Header", Style(19, 1, 0, 0)),
        ("~~~\n# open to the end", Style(8, 0, 0, 0)),
        ("Grüße, 日本語 и мир", Style(5, 0, 0, 0)),
    ],
)
def test_what_is_counted(text: str, style: Style) -> None:
    found = style_of(text)
    assert (found.headers, found.lists, found.bold) == (style.headers, style.lists, style.bold)


def test_length_is_words_and_marks() -> None:
    assert style_of("It's 3.5 km, no?").length == 10
    assert style_of("日本語 и мир").length == 3


@pytest.mark.parametrize(
    "hostile", ["*" * 200_000, "__" * 100_000, "```" * 60_000, "# " * 100_000, "- \n" * 60_000, "**a" * 60_000]
)
def test_hostile_text_costs_linear_time(hostile: str) -> None:
    """Twice the text takes about twice the time; eight times would be a sign of worse."""

    def seconds(text: str) -> float:
        start = time.process_time()
        style_of(text)
        return time.process_time() - start

    half = max(min(seconds(hostile[: len(hostile) // 2]) for _ in range(3)), 1e-4)
    assert min(seconds(hostile) for _ in range(3)) < 8 * half + 0.05


@pytest.mark.django_db
def test_a_recorded_answer_keeps_its_counts(tmp_path: Path) -> None:
    arena = Arena.objects.create(slug="a", title="A", kind="recorded")
    file = tmp_path / "answers.jsonl"
    file.write_text(json.dumps({"prompt": "Why?", "model": "x", "response": "# Title\n- **one**"}) + "\n")
    import_answers(file, arena, now=datetime(2026, 1, 2, tzinfo=UTC))
    stored = RecordedAnswer.objects.get()
    assert (stored.style_length, stored.style_headers, stored.style_lists, stored.style_bold) == (8, 1, 1, 1)


@pytest.mark.django_db
def test_answers_of_an_earlier_release_are_counted_when_it_is_upgraded() -> None:
    arena = Arena.objects.create(slug="a", title="A", kind="recorded")
    competitor = Competitor.objects.create(arena=arena, name="x", model_id="x")
    prompt = Prompt.objects.create(prompt_set=PromptSet.objects.create(arena=arena, name="set"), key="p", text="?")
    RecordedAnswer.objects.create(prompt=prompt, competitor=competitor, text="**one**", conditions_hash="0")
    migration = import_module("arena.prompts.migrations.0002_style_counts")
    migration.count_what_is_there(apps, None)
    stored = RecordedAnswer.objects.get()
    assert (stored.style_length, stored.style_headers, stored.style_lists, stored.style_bold) == (5, 0, 0, 1)
