"""Conversations of several turns come in as rows of turns, as lists and as transcripts, whole or not at all."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.utils import timezone

from arena.battles import opening
from arena.battles.blinding import blind
from arena.battles.words import Side
from arena.competitors.models import Competitor
from arena.prompts.answers import import_answers
from arena.prompts.importing import import_prompts
from arena.prompts.models import Prompt, RecordedAnswer
from arena.prompts.rows import ImportRefused
from arena.prompts.transcripts import BadTranscript, read_transcript
from arena.teams.models import Arena, Voter

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def arena() -> Arena:
    return Arena.objects.create(slug="recorded", title="Recorded", kind=Arena.Kind.RECORDED)


def jsonl(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def turns_of(model: str, *said: str, key: str = "p1") -> list[dict[str, object]]:
    return [{"prompt_id": key, "turn": n, "model": model, "response": text} for n, text in enumerate(said, 1)]


def problems(path: Path, arena: Arena) -> list[str]:
    with pytest.raises(ImportRefused) as refused:
        import_answers(path, arena, now=NOW)
    assert not RecordedAnswer.objects.exists() and not Competitor.objects.exists()
    return [f"{problem.line} {problem.column}: {problem.says}" for problem in refused.value.problems]


@pytest.fixture
def two_turns(arena: Arena, tmp_path: Path) -> Prompt:
    import_prompts(jsonl(tmp_path / "set.jsonl", {"question_id": "p1", "turns": ["Why?", "And then?"]}), arena)
    return Prompt.objects.get()


def test_a_list_of_turns_and_a_conversation_without_answers_are_prompts(arena: Arena, tmp_path: Path) -> None:
    messages = [{"role": "user", "content": "Why?"}, {"role": "user", "content": [{"type": "text", "text": "Then?"}]}]
    rows = ({"id": 1, "turns": ["Why?", "And then?"]}, {"id": 2, "messages": messages})
    import_prompts(jsonl(tmp_path / "set.jsonl", *rows), arena)
    stored = {prompt.key: (prompt.messages, prompt.turn_count) for prompt in Prompt.objects.all()}
    assert stored == {"1": (["Why?", "And then?"], 2), "2": (["Why?", "Then?"], 2)}


def test_rows_of_turns_are_stored_as_whole_conversations(two_turns: Prompt, arena: Arena, tmp_path: Path) -> None:
    rows = [*turns_of("Ada", "A1", "A2"), *reversed(turns_of("Bea", "B1", "B2"))]
    file = jsonl(tmp_path / "a.jsonl", *rows)
    done, again = import_answers(file, arena, now=NOW), import_answers(file, arena, now=NOW)
    assert (done.added, again.added, again.unchanged) == (4, 0, 4)
    told = RecordedAnswer.objects.order_by("competitor__name", "turn").values_list("turn", "text")
    assert list(told) == [(1, "A1"), (2, "A2"), (1, "B1"), (2, "B2")]


def test_an_imported_conversation_is_served_whole(two_turns: Prompt, arena: Arena, tmp_path: Path) -> None:
    file = jsonl(tmp_path / "a.jsonl", *turns_of("Ada", "A1", "A2"), *turns_of("Bea", "B1", "B2"))
    import_answers(file, arena, now=NOW)
    voter = Voter.objects.create()
    seen = blind(opening.open_battle(voter, arena, None, seed=opening.new_seed(), now=timezone.now()))
    assert [turn.prompt for turn in seen.turns] == ["Why?", "And then?"]
    for side in Side:
        first, second = (turn.answers[side] for turn in seen.turns)
        assert (first[0], second[1]) == (second[0], "2")  # one model on one side all through


def test_answers_come_in_as_mt_bench_has_them(two_turns: Prompt, arena: Arena, tmp_path: Path) -> None:
    row = {"question_id": "p1", "answer_id": "x", "model_id": "Ada", "tstamp": 1767355200.5,
           "choices": [{"index": 0, "turns": ["So.", "And so."]}]}  # fmt: skip
    import_answers(jsonl(tmp_path / "ada.jsonl", row), arena, now=NOW)
    stored = RecordedAnswer.objects.order_by("turn")
    assert [(each.turn, each.text) for each in stored] == [(1, "So."), (2, "And so.")]
    assert stored[0].competitor.name == "Ada"
    assert stored[0].generated_at == datetime(2026, 1, 2, 12, 0, 0, 500_000, tzinfo=UTC)


@pytest.mark.parametrize("cell", [["So.", "And so."], '["So.", "And so."]'])
def test_a_list_of_answers_is_one_a_turn(two_turns: Prompt, arena: Arena, tmp_path: Path, cell: object) -> None:
    import_answers(jsonl(tmp_path / "a.jsonl", {"prompt_id": "p1", "model": "Ada", "responses": cell}), arena, now=NOW)
    assert list(RecordedAnswer.objects.order_by("turn").values_list("text", flat=True)) == ["So.", "And so."]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"prompt_id": "p1", "choices": [{"turns": ["a", "b"]}, {"turns": ["c", "d"]}]}, "holds several answers"),
        ({"prompt_id": "p1", "choices": [{"index": 0}]}, "is no JSON list."),
        ({"prompt_id": "p1", "choices": "so"}, "is no JSON list."),
        ({"prompt_id": "p1", "choices": [{"turns": []}]}, "holds no answer."),
        ({"prompt_id": "p1", "choices": [{"turns": ["a", 7.5]}]}, "is not text."),
        ({"prompt_id": "p1", "choices": [{"turns": ["a", ""]}]}, "is empty."),
        ({"prompt_id": "p1", "choices": ["a"] * 51}, "holds 51 answers."),
        ({"prompt": "Why?", "choices": ["a", "b"]}, "holds 2 answers. Add the prompt's id"),
        ({"prompt_id": "p1", "choices": ["a"]}, "has 2 messages, and Ada answers 1."),
        ({"prompt_id": "p1", "choices": ["a", "b"], "tstamp": 1e11 * 9.5}, "is no date and time."),
    ],
)
def test_a_list_of_answers_that_is_none_is_refused(
    two_turns: Prompt, arena: Arena, tmp_path: Path, row: dict[str, object], says: str
) -> None:
    (problem,) = problems(jsonl(tmp_path / "a.jsonl", {"model": "Ada", **row}), arena)
    assert says in problem
    assert problem.split()[1].rstrip(":") in ("choices", "prompt_id", "tstamp")


def test_transcripts_bring_their_prompts_and_their_system_message(arena: Arena, tmp_path: Path) -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Why?"},
        {"role": "assistant", "content": "Let me look.", "tool_calls": [
            {"function": {"name": "find", "arguments": "{\"q\": 1}"}}]},
        {"role": "tool", "content": "Found."},
        {"role": "assistant", "content": "So."},
        {"role": "user", "content": "And then?"},
        {"role": "assistant", "content": "Nothing."},
    ]  # fmt: skip
    file = jsonl(tmp_path / "a.jsonl", {"model": "Ada", "messages": messages})
    import_answers(file, arena, now=NOW)
    assert Prompt.objects.get().messages == ["Why?", "And then?"]
    first, second = RecordedAnswer.objects.order_by("turn")
    assert [part in first.text for part in ("Let me look.", 'find({"q": 1})', "Found.", "So.")] == [True] * 4
    assert (second.text, second.conditions["system_prompt"]) == ("Nothing.", "Be brief.")
    assert Competitor.objects.get().system_prompt == "Be brief."


def test_half_a_conversation_is_refused(two_turns: Prompt, arena: Arena, tmp_path: Path) -> None:
    file = jsonl(tmp_path / "a.jsonl", *turns_of("Ada", "A1"), *turns_of("Bea", "B1", "B2"))
    assert problems(file, arena) == ["1 prompt_id: has 2 messages, and Ada answers 1. Give an answer to each."]
    file = jsonl(tmp_path / "a.jsonl", turns_of("Ada", "A1", "A2")[1])
    assert problems(file, arena) == [
        "1 turn: is answered by Ada, and turn 1 is not. Add it, or leave the later turns out."
    ]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"prompt": "Why?", "turn": 2}, "needs the prompt's id"),
        ({"prompt_id": "p1", "turn": 0}, "is no turn"),
        ({"prompt_id": "p1", "turn": 51}, "is no turn"),
        ({"prompt_id": "p1", "turn": "two"}, "is not a number"),
    ],
)
def test_turns_that_are_none_are_refused(
    two_turns: Prompt, arena: Arena, tmp_path: Path, row: dict[str, object], says: str
) -> None:
    file = jsonl(tmp_path / "a.jsonl", {"model": "Ada", "response": "So.", **row})
    assert any(says in problem for problem in problems(file, arena))


@pytest.mark.parametrize(
    ("messages", "says"),
    [
        ("no list", "is no JSON list"),
        ([], "has no user message"),
        ([7], "is no list of messages"),
        ([{"role": "assistant", "content": "So."}], "begins with an answer"),
        ([{"role": "user", "content": "Why?"}, {"role": "user", "content": "How?"}], "two user messages in a row"),
        ([{"role": "robot", "content": "So."}], "has a message of the role"),
        ([{"role": "user", "content": [{"type": "image_url"}]}], "is not text"),
        ([{"role": "user", "content": "x"}, {"role": "assistant", "tool_calls": [7]}], "a tool call without"),
    ],
)
def test_transcripts_that_are_none_say_why(messages: object, says: str) -> None:
    with pytest.raises(BadTranscript, match=says):
        read_transcript(messages)


def test_conditions_may_not_change_inside_a_conversation(two_turns: Prompt, arena: Arena, tmp_path: Path) -> None:
    rows = turns_of("Ada", "A1", "A2")
    rows[1]["settings"] = {"temperature": 1}
    (problem,) = problems(jsonl(tmp_path / "a.jsonl", *rows), arena)
    assert problem.startswith("2 settings: was made under other conditions")


def test_the_published_two_turn_set_is_served_with_answers_of_both_turns(
    arena: Arena, tmp_path: Path, validation_data: Path
) -> None:
    import_prompts(validation_data / "prompts" / "mt_bench_questions.jsonl", arena, set_name="two turns")
    rows = [row for prompt in Prompt.objects.all() for model in ("Ada", "Bea", "Cem")
            for row in turns_of(model, f"{model} one", f"{model} two", key=prompt.key)]  # fmt: skip
    done = import_answers(jsonl(tmp_path / "a.jsonl", *rows), arena, now=NOW)
    assert (done.added, done.new_prompts, done.new_competitors) == (480, 0, ["Ada", "Bea", "Cem"])
    battle = opening.open_battle(Voter.objects.create(), arena, None, seed=opening.new_seed(), now=timezone.now())
    assert len(blind(battle).turns) == 2
