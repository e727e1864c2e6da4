from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from arena.competitors.models import Competitor
from arena.prompts.answers import import_answers
from arena.prompts.importing import import_prompts
from arena.prompts.models import Prompt, PromptSet, RecordedAnswer
from arena.prompts.recording import RecordedAnswerLine, hash_of
from arena.prompts.rows import ImportRefused
from arena.teams.models import Arena

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.fixture
def arena(db: None) -> Arena:
    return Arena.objects.create(slug="recorded", title="Recorded", kind=Arena.Kind.RECORDED)


def jsonl(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def refusal(path: Path, arena: Arena, *, answers: bool = False) -> list[str]:
    with pytest.raises(ImportRefused) as refused:
        if answers:
            import_answers(path, arena, now=NOW)
        else:
            import_prompts(path, arena)
    assert Prompt.objects.count() == RecordedAnswer.objects.count() == Competitor.objects.count() == 0
    return [str(problem) for problem in refused.value.problems]


# Prompts


def test_prompts_come_in_from_jsonl_and_again_change_nothing(arena: Arena, tmp_path: Path) -> None:
    rows = [{"id": "p1", "prompt": "Why?", "category": "short", "language": "en"}, {"prompt": "Warum?"}]
    file = jsonl(tmp_path / "own.jsonl", *rows)
    first, again = import_prompts(file, arena), import_prompts(file, arena)
    assert (first.added, first.unchanged, again.added, again.unchanged) == (2, 0, 0, 2)
    stored = Prompt.objects.get(key="p1")
    assert (stored.text, stored.category, stored.language, stored.prompt_set.name) == ("Why?", "short", "en", "own")


def test_prompts_come_in_from_csv_with_lines_inside_cells(arena: Arena, tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text('\ufeffkey,prompt\np1,"two\nlines"\np2,"a ""quote"", and a comma"\n')
    import_prompts(file, arena, set_name="mine")
    assert list(Prompt.objects.values_list("text", flat=True)) == ["two\nlines", 'a "quote", and a comma']
    assert PromptSet.objects.get().name == "mine"


def test_category_follows_the_file_and_the_text_never_changes(arena: Arena, tmp_path: Path) -> None:
    import_prompts(jsonl(tmp_path / "own.jsonl", {"id": "p1", "prompt": "Why?"}), arena)
    done = import_prompts(jsonl(tmp_path / "own.jsonl", {"id": "p1", "prompt": "Why?", "category": "short"}), arena)
    assert (done.updated, Prompt.objects.get().category) == (1, "short")
    with pytest.raises(ImportRefused, match=r"own\.jsonl:1, column id: 'p1': has another text"):
        import_prompts(jsonl(tmp_path / "own.jsonl", {"id": "p1", "prompt": "How?"}), arena)


def test_all_problems_are_said_at_once_with_line_column_and_value(arena: Arena, tmp_path: Path) -> None:
    file = tmp_path / "own.jsonl"
    file.write_text(
        '{"id": "p1", "prompt": "Why?"}\n'
        '{"id": "p1", "prompt": "How?"}\n'
        '{"id": "p3", "prompt": " "}\n'
        '{"id": "p4", "prompt": "cut\n'
        '{"id": "p5", "messages": [{"role": "user"}]}\n'
        '{"id": "p6", "turns": ["one", " "]}\n'
        '["p7"]\n'
        '{"id": "p8", "prompt": 8.5}\n'
        '{"id": "p9", "prompt": "NUL \\u0000"}\n'
        '{"id": "p10", "prompt": "x", "language": "' + "e" * 21 + '"}\n'
        '{"id": "p11", "prompt": "x", "system": "Be kind."}\n'
    )
    problems = refusal(file, arena)
    lines = sorted(int(problem.split(":")[1].split(",")[0]) for problem in problems)
    assert lines == [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    assert "own.jsonl:2, column id: 'p1': is on line 1 already. Give each prompt its own id." in problems
    assert "own.jsonl:5, column messages: is empty. Fill it in." in problems


def test_an_unknown_column_is_named_with_the_known_ones(arena: Arena, tmp_path: Path) -> None:
    (problem,) = refusal(jsonl(tmp_path / "own.jsonl", {"prompt": "Why?", "mood": "fine"}), arena)
    assert "column mood" in problem and "prompt, id, turns, messages, category, language" in problem


def test_a_missing_column_is_named(arena: Arena, tmp_path: Path) -> None:
    problems = refusal(jsonl(tmp_path / "own.jsonl", {"id": 1, "checks": {}}), arena)
    assert problems == ["own.jsonl:1, column prompt: is missing. The columns are id, checks."]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("own.txt", b"Why?", "is no known ending"),
        ("own.csv", b"id,prompt\np1,caf\xe9\n", "own.csv:2: 'e9': is not UTF-8"),
        ("own.csv", b'id,prompt\np1,"open\n', "is no CSV"),
        ("own.csv", b"id,prompt\np1\n", "has 1 cells where the header has 2"),
        ("own.csv", b"id,id,prompt\n1,2,3\n", "is there twice"),
        ("own.csv", b"", "holds no rows"),
        ("own.jsonl", b"\n\n", "holds no rows"),
        ("own.jsonl", b"[" * 100_000, "is no JSON"),
    ],
)
def test_files_that_are_none_are_refused(arena: Arena, tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert any(says in problem for problem in refusal(tmp_path / name, arena))


def test_a_missing_file_is_a_sentence(arena: Arena, tmp_path: Path) -> None:
    (problem,) = refusal(tmp_path / "none.csv", arena)
    assert "cannot be read (No such file or directory)" in problem


def test_prompts_that_read_alike_are_reported_and_kept(arena: Arena, tmp_path: Path) -> None:
    done = import_prompts(jsonl(tmp_path / "own.jsonl", {"prompt": "Why?"}, {"prompt": "  why "}), arena)
    assert done.added == 2
    says = "Nearly alike: line 1 and line 2 (100 % of word pairs). Each counts as a prompt of its own."
    assert done.notes == [says]


def test_columns_passed_over_are_said(arena: Arena, tmp_path: Path) -> None:
    done = import_prompts(jsonl(tmp_path / "own.jsonl", {"prompt": "Why?", "reference": "So."}), arena)
    assert done.notes == ["Not kept: the columns reference."]


def test_a_dry_run_writes_nothing(arena: Arena, tmp_path: Path) -> None:
    assert import_prompts(jsonl(tmp_path / "own.jsonl", {"prompt": "Why?"}), arena, dry_run=True).added == 1
    assert not Prompt.objects.exists() and not PromptSet.objects.exists()


# Answers


def answer(prompt: str, model: str, response: str, **more: object) -> dict[str, object]:
    return {"prompt": prompt, "model": model, "response": response, **more}


def test_answers_make_prompts_and_competitors_as_they_are_met(arena: Arena, tmp_path: Path) -> None:
    file = jsonl(
        tmp_path / "a.jsonl",
        answer("Why?", "Ada", "So.", organization="Lab", settings={"temperature": 0.3, "seed": 1}, latency_ms=20),
        answer("Why?", "Bea", "Hence.", output_tokens=2, generated_at="2026-01-01T00:00:00Z"),
    )
    done, again = import_answers(file, arena, now=NOW), import_answers(file, arena, now=NOW)
    assert (done.added, done.new_prompts, done.new_competitors) == (2, 1, ["Ada", "Bea"])
    assert (again.added, again.unchanged, again.new_prompts, again.new_competitors) == (0, 2, 0, [])
    ada = Competitor.objects.get(name="Ada")
    assert (ada.endpoint, ada.temperature, ada.organization, ada.first_answered_at) == (None, 0.3, "Lab", NOW)
    recorded = RecordedAnswer.objects.get(competitor=ada)
    assert (recorded.text, recorded.total_ms, recorded.conditions) == ("So.", 20, {"temperature": 0.3, "seed": 1})
    assert RecordedAnswer.objects.get(competitor__name="Bea").output_tokens == 2


def test_answers_find_their_prompts_by_id(arena: Arena, tmp_path: Path) -> None:
    import_prompts(jsonl(tmp_path / "own.jsonl", {"id": 7, "prompt": "Why?"}), arena)
    file = tmp_path / "a.csv"
    file.write_text('prompt_id,model,response,settings\n7,Ada,So.,"{""top_p"": 0.5}"\n')
    assert import_answers(file, arena, now=NOW).new_prompts == 0
    assert RecordedAnswer.objects.get().prompt.text == "Why?"


def test_mixed_conditions_inside_one_competitor_are_refused(arena: Arena, tmp_path: Path) -> None:
    file = jsonl(
        tmp_path / "a.jsonl",
        answer("Why?", "Ada", "So.", settings={"temperature": 0.3}),
        answer("How?", "Ada", "Thus.", settings={"temperature": 0.9}),
    )
    (problem,) = refusal(file, arena, answers=True)
    assert "a.jsonl:2, column settings" in problem and "other conditions" in problem


def test_mixed_conditions_over_two_imports_are_refused(arena: Arena, tmp_path: Path) -> None:
    import_answers(jsonl(tmp_path / "a.jsonl", answer("Why?", "Ada", "So.", settings={"x": 1})), arena, now=NOW)
    file = jsonl(tmp_path / "a.jsonl", answer("How?", "Ada", "Thus.", settings={"x": 2}))
    with pytest.raises(ImportRefused, match="other conditions"):
        import_answers(file, arena, now=NOW)


def test_an_answer_never_changes(arena: Arena, tmp_path: Path) -> None:
    import_answers(jsonl(tmp_path / "a.jsonl", answer("Why?", "Ada", "So.")), arena, now=NOW)
    with pytest.raises(ImportRefused, match="is another answer than the one Ada gave"):
        import_answers(jsonl(tmp_path / "a.jsonl", answer("Why?", "Ada", "Thus.")), arena, now=NOW)


def test_all_problems_of_answers_are_said_at_once(arena: Arena, tmp_path: Path) -> None:
    file = jsonl(
        tmp_path / "a.jsonl",
        answer("Why?", "Ada", "So."),
        answer("Why?", "Ada", "Again."),
        answer("Why?", "Bea", ""),
        answer("Why?", "Cem", "So.", latency_ms="fast"),
        answer("Why?", "Dan", "So.", output_tokens=-1),
        answer("Why?", "Eve", "So.", settings=["hot"]),
        answer("Why?", "Fay", "So.", generated_at="yesterday"),
        answer("Why?", "Gus", "So.", turn=2),
        {"prompt_id": "p9", "model": "Hal", "response": "So."},
        answer("Why?", "Ivo", "So.", settings={"temperature": 99}),
        answer("Why?", "Jan", "So.", settings={"temperature": "hot"}),
    )
    problems = refusal(file, arena, answers=True)
    lines = sorted(int(problem.split(":")[1].split(",")[0]) for problem in problems)
    assert lines == [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]


def test_the_wide_form_has_a_column_a_model_and_empty_cells_are_no_answers(arena: Arena, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("Question;Ada;Bea\nWhy?;So.;Hence.\nHow?;;Thus.\n")
    done, again = import_answers(file, arena, now=NOW), import_answers(file, arena, now=NOW)
    assert (done.added, done.new_prompts, done.new_competitors) == (3, 2, ["Ada", "Bea"])
    assert done.notes == ["Empty cells passed over: 1. Those models gave no answer there."]
    assert (again.added, again.unchanged, again.new_prompts) == (0, 3, 0)


def test_several_sets_want_a_name(arena: Arena, tmp_path: Path) -> None:
    for name in ("one", "two"):
        PromptSet.objects.create(arena=arena, name=name)
    with pytest.raises(ImportRefused, match=r"say which one \(one, two\)"):
        import_answers(jsonl(tmp_path / "a.jsonl", answer("Why?", "Ada", "So.")), arena, now=NOW)


def test_a_retired_competitor_gets_no_more_answers(arena: Arena, tmp_path: Path) -> None:
    Competitor.objects.create(arena=arena, name="Ada", model_id="a", retired_at=NOW)
    with pytest.raises(ImportRefused, match="is retired"):
        import_answers(jsonl(tmp_path / "a.jsonl", answer("Why?", "Ada", "So.")), arena, now=NOW)


def test_more_rows_cost_no_more_queries(arena: Arena, tmp_path: Path) -> None:
    counts = []
    for start, rows in ((0, 3), (100, 3), (200, 60)):  # the first makes and seals
        file = jsonl(tmp_path / "a.jsonl", *(answer(f"Why {start + n}?", "Ada", "So.") for n in range(rows)))
        PromptSet.objects.get_or_create(arena=arena, name="a")
        Competitor.objects.get_or_create(arena=arena, name="Ada", model_id="a")
        with CaptureQueriesContext(connection) as queries:
            import_answers(file, arena, now=NOW)
        counts.append(len(queries))
    assert counts[1] == counts[2]


# Commands


def test_the_commands_say_what_they_did(arena: Arena, tmp_path: Path) -> None:
    out = StringIO()
    file = jsonl(tmp_path / "own.jsonl", {"id": "p1", "prompt": "Why?"})
    call_command("import_prompts", str(file), arena="recorded", set="mine", stdout=out)
    file = jsonl(tmp_path / "a.jsonl", {"prompt_id": "p1", "model": "Ada", "response": "So."})
    call_command("import_answers", str(file), arena="recorded", stdout=out)
    assert out.getvalue() == (
        "Imported into mine: 1 new, 0 updated, 0 there already.\n"
        "Imported into mine: 1 new answers, 0 there already; new prompts: 0; new competitors: Ada.\n"
    )


def test_the_commands_refuse_with_exit_code_2(arena: Arena, tmp_path: Path) -> None:
    file = jsonl(tmp_path / "own.jsonl", {"id": "p1"})
    for name, slug in (("import_prompts", "recorded"), ("import_answers", "recorded"), ("import_prompts", "none")):
        with pytest.raises(CommandError) as refused:
            call_command(name, str(file), arena=slug)
        assert refused.value.returncode == 2


OWN = "Aufgabe=1,Thema,Ada's,Notiz\nWhy?,short,So.,x\nHow?,long,Thus.,y\n"


def test_the_commands_take_what_columns_mean(arena: Arena, tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text(OWN)
    with pytest.raises(CommandError, match="is no known column"):
        call_command("import_prompts", str(file), arena="recorded")
    out, err = StringIO(), StringIO()
    meanings = ["--columns", "Aufgabe=1=prompt", "Thema=category"]
    call_command("import_prompts", str(file), "--arena", "recorded", *meanings, stdout=out, stderr=err)
    assert out.getvalue() == "Imported into own: 2 new, 0 updated, 0 there already.\n"
    assert err.getvalue() == "Not kept: the columns Ada's, Notiz.\n"
    assert dict(Prompt.objects.values_list("text", "category")) == {"Why?": "short", "How?": "long"}
    meanings = ["--columns", "Aufgabe=1=prompt", "--columns", "Ada's=answers", "Notiz="]
    call_command("import_answers", str(file), "--arena", "recorded", *meanings, stdout=out, stderr=err)
    assert "2 new answers, 0 there already; new prompts: 0; new competitors: Ada's." in out.getvalue()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["Aufgabe"], "--columns: 'Aufgabe': is no NAME=MEANING, as in Question=prompt."),
        (["=prompt"], "--columns: '=prompt': is no NAME=MEANING"),
        (["Thema=category", "Thema=tags"], "--columns: 'Thema=tags': names a column for the second time."),
        (["Frage=prompt"], "own.csv, column Frage: is no column here. The columns are Aufgabe=1, Thema"),
        (["Aufgabe=1=frage"], "own.csv, column Aufgabe=1: 'frage': is no meaning of a column. Use prompt,"),
        (["Aufgabe=1=prompt", "Thema=prompt"], "is said of several columns: Aufgabe=1, Thema. Choose one of them."),
        (["Thema=category"], "column prompt: is missing"),
    ],
)
@pytest.mark.parametrize("name", ["import_prompts", "import_answers"])
def test_meanings_that_do_not_fit_are_refused(
    arena: Arena, tmp_path: Path, name: str, given: list[str], said: str
) -> None:
    file = tmp_path / "own.csv"
    file.write_text(OWN)
    more = ["Ada's=answers"] if name == "import_answers" else []
    with pytest.raises(CommandError) as refused:
        call_command(name, str(file), "--arena", "recorded", "--columns", *given, *more)
    assert said in str(refused.value) and refused.value.returncode == 2
    assert not PromptSet.objects.exists()


@pytest.mark.parametrize("name", ["import_prompts", "import_answers"])
def test_the_commands_seal(arena: Arena, tmp_path: Path, name: str) -> None:
    row = {"prompt": "Why?"} | ({"model": "Ada", "response": "So."} if name == "import_answers" else {})
    file, out = jsonl(tmp_path / "own.jsonl", row), StringIO()
    call_command(name, str(file), "--arena", "recorded", "--sealed", "--dry-run", stdout=out)
    assert not PromptSet.objects.exists()
    call_command(name, str(file), "--arena", "recorded", stdout=out)
    assert not PromptSet.objects.get().is_sealed
    call_command(name, str(file), "--arena", "recorded", "--sealed", stdout=out)
    assert PromptSet.objects.get().is_sealed
    call_command(name, str(file), "--arena", "recorded", stdout=out)
    assert PromptSet.objects.get().is_sealed, "it cannot be undone"
    assert [line.split(": ")[0] for line in out.getvalue().splitlines()] == [
        "Would import into own (sealed)", "Imported into own", "Imported into own (sealed)",
        "Imported into own (sealed)",
    ]  # fmt: skip


def test_what_generate_answers_writes_comes_in(arena: Arena, tmp_path: Path) -> None:
    import_prompts(jsonl(tmp_path / "own.jsonl", {"key": "p1", "prompt": "Why?"}), arena)
    settings = {"model_id": "m", "temperature": 0.2, "system_prompt": "Be kind.", "top_p": None, "max_tokens": 5}
    line = RecordedAnswerLine(
        "p1", "Ada", "So.", settings, "r1", "2026-01-01T00:00:00+00:00", 1.0, 2.0, 3, 4, "stop", hash_of(settings, "r1")
    )
    import_answers(jsonl(tmp_path / "a.jsonl", asdict(line)), arena, now=NOW)
    ada, recorded = Competitor.objects.get(), RecordedAnswer.objects.get()
    assert (ada.model_id, ada.revision, ada.system_prompt, ada.max_tokens) == ("m", "r1", "Be kind.", 5)
    assert (recorded.conditions_hash, recorded.total_ms) == (line.conditions_hash, 2.0)
    assert recorded.conditions == {**settings, "revision": "r1"}


def test_a_conditions_hash_that_is_wrong_is_refused(arena: Arena, tmp_path: Path) -> None:
    file = jsonl(tmp_path / "a.jsonl", answer("Why?", "Ada", "So.", settings={"x": 1}, conditions_hash="0" * 64))
    (problem,) = refusal(file, arena, answers=True)
    assert "is not the hash of these settings" in problem


@pytest.mark.parametrize("value", ["NaN", "-Infinity", '"\\ud800"'])
def test_conditions_that_no_database_keeps_are_refused(arena: Arena, tmp_path: Path, value: str) -> None:
    file = tmp_path / "a.jsonl"
    row = '{"prompt": "Why?", "model": "m", "response": "So.", "settings": {"x": VALUE}}'
    file.write_text(row.replace("VALUE", value))
    (said,) = refusal(file, arena, answers=True)
    assert "holds what no database keeps" in said
