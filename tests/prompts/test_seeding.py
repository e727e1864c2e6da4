from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from types import ModuleType

import pytest
from django.core.management import call_command
from pytest_django import DjangoAssertNumQueries

from arena.battles.models import Vote
from arena.competitors.local import LOCAL_COMPETITORS
from arena.competitors.models import Competitor
from arena.prompts import seeding
from arena.prompts.management.commands import seed as command
from arena.prompts.models import Prompt, PromptSet, RecordedAnswer
from arena.prompts.recording import hash_of
from arena.teams.models import Arena

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def write(path: Path, rows: list[dict[str, object]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def answers(text: str = "So.") -> list[dict[str, object]]:
    settings = {"temperature": 0}
    conditions = {"settings": settings, "revision": "", "conditions_hash": hash_of(settings, "")}
    return [{"prompt_key": "p1", "model": c.name, "response": text, **conditions} for c in LOCAL_COMPETITORS]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path / "prompts.jsonl", [{"key": "p1", "prompt": "Why?", "category": "short", "language": "en"}])
    write(tmp_path / "suggestions.jsonl", [{"key": "s1", "prompt": "Tell me."}])
    write(tmp_path / "answers.jsonl", answers())
    monkeypatch.setattr(seeding, "DATA", tmp_path)
    return tmp_path


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Stands in for the room above, whose work this is not."""
    slugs: list[str] = []
    publishing = ModuleType("arena.leaderboards.publishing")
    publishing.publish_snapshot = lambda arena, **_: slugs.append(arena.slug)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "arena.leaderboards.publishing", publishing)
    monkeypatch.setattr(command, "SIMULATED_BATTLES", 60)
    yield slugs


def test_three_open_arenas_are_seeded(data: Path) -> None:
    seeded = seeding.seed(now=NOW)
    assert seeded.notes == []
    kinds = list(Arena.objects.values_list("slug", "kind", "is_simulated", "access"))
    assert kinds == [("live", "live", False, "open"), ("recorded", "recorded", False, "open"),
                     ("sample", "live", True, "open")]  # fmt: skip
    assert set(Arena.objects.values_list("publish_after_votes", "publish_after_seconds")) == {(5, 60)}


def test_the_live_arena_has_the_local_competitors_and_suggestions(data: Path) -> None:
    seeded = seeding.seed(now=NOW)
    live = {c.name: c for c in Competitor.objects.filter(arena=seeded.live).select_related("endpoint")}
    assert set(live) == {local.name for local in LOCAL_COMPETITORS}
    for local in LOCAL_COMPETITORS:
        stored = live[local.name]
        assert stored.endpoint is not None and stored.endpoint.base_url == "local-model"
        assert (stored.temperature, stored.system_prompt) == (local.temperature, local.system_prompt)
    suggested = Prompt.objects.get(prompt_set__purpose=PromptSet.Purpose.SUGGESTIONS)
    assert (suggested.prompt_set.arena, suggested.text) == (seeded.live, "Tell me.")


def test_the_recorded_arena_has_an_answer_of_each(data: Path) -> None:
    seeded = seeding.seed(now=NOW)
    rows = RecordedAnswer.objects.filter(competitor__arena=seeded.recorded)
    assert rows.count() == len(LOCAL_COMPETITORS)
    assert not Competitor.objects.filter(arena=seeded.recorded, first_answered_at__isnull=True).exists()


def test_the_sample_competitors_are_clearly_made_up(data: Path) -> None:
    seeded = seeding.seed(now=NOW)
    assert len(seeded.strengths) == 11
    for competitor, _ in seeded.strengths:
        assert competitor.model_id.startswith("fictional/") and "No such model exists" in competitor.description


def test_seeding_again_adds_nothing_and_keeps_what_was_changed(data: Path) -> None:
    seeding.seed(now=NOW)
    before = [model.objects.count() for model in (Arena, Competitor, Prompt, RecordedAnswer)]
    Arena.objects.filter(slug="live").update(title="Ours")
    seeding.seed(now=NOW)
    assert [model.objects.count() for model in (Arena, Competitor, Prompt, RecordedAnswer)] == before
    assert Arena.objects.get(slug="live").title == "Ours"


def test_data_of_another_release_that_do_not_fit_leave_what_is_there(data: Path) -> None:
    seeding.seed(now=NOW)
    write(data / "answers.jsonl", answers("Thus."))
    seeded = seeding.seed(now=NOW)
    (note,) = seeded.notes
    assert note.startswith("The arena recorded keeps what it has")
    assert set(RecordedAnswer.objects.values_list("text", flat=True)) == {"So."}


def test_without_recorded_answers_the_rest_is_seeded(data: Path) -> None:
    (data / "answers.jsonl").unlink()
    assert seeding.seed(now=NOW).notes == ["There are no recorded answers to seed: generate_answers makes them."]
    assert Prompt.objects.count() == 2


def test_the_command_fills_and_publishes_the_sample_once(
    data: Path, published: list[str], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    out = StringIO()
    call_command("seed", stdout=out)
    votes = Vote.objects.count()
    assert votes > 0 and published == ["sample"]
    assert f"Simulated {votes} votes" in out.getvalue()
    assert not Competitor.objects.filter(arena__slug="sample", first_answered_at__isnull=True).exists()
    with django_assert_num_queries(1):
        call_command("seed", stdout=out)
    assert out.getvalue().endswith("Everything is seeded already.\n")


def test_new_data_are_seeded_without_simulating_again(data: Path, published: list[str]) -> None:
    call_command("seed", stdout=StringIO())
    votes = Vote.objects.count()
    write(data / "suggestions.jsonl", [{"key": "s1", "prompt": "Tell me."}, {"key": "s2", "prompt": "And more."}])
    assert not seeding.is_seeded()
    call_command("seed", stdout=StringIO())
    assert seeding.is_seeded() and Vote.objects.count() == votes
    assert Prompt.objects.filter(key="s2").exists()


def test_an_arena_of_people_named_sample_is_left_alone(data: Path, published: list[str]) -> None:
    Arena.objects.create(slug="sample", title="Ours", kind="live")
    call_command("seed", stdout=StringIO())
    assert not Vote.objects.exists() and published == []
    assert not Competitor.objects.filter(arena__slug="sample").exists()


def test_the_data_that_come_with_the_program_can_be_seeded() -> None:
    seeded = seeding.seed(now=NOW)
    assert [note for note in seeded.notes if "keeps what it has" in note] == []
    assert Prompt.objects.filter(prompt_set__arena=seeded.recorded).count() >= 40
