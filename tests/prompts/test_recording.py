from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from arena.competitors.local import LOCAL_COMPETITORS, LocalCompetitor
from arena.competitors.providers import ErrorCode, Finish, Provider, ProviderError, ScriptedProvider
from arena.prompts import recording
from arena.prompts.recording import Progress, PromptLine, RecordedAnswerLine, RecordingError

PROMPTS = [PromptLine("p-1", "Hello?"), PromptLine("p-2", "Why?")]
TWO = LOCAL_COMPETITORS[:2]
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DATA = Path(recording.__file__).parent / "data"


async def record(
    provider_for: Callable[[LocalCompetitor], Provider], **options: object
) -> tuple[list[RecordedAnswerLine], list[Progress]]:
    seen: list[Progress] = []
    options = {"prompts": PROMPTS, "competitors": TWO, "now": lambda: NOW, "on_progress": seen.append, **options}
    prompts, competitors = options.pop("prompts"), options.pop("competitors")
    return await recording.record_answers(prompts, competitors, provider_for, **options), seen  # type: ignore[arg-type]


def good() -> ScriptedProvider:
    return ScriptedProvider(" Hel", "lo<|im_end|>", Finish("stop", 7, 2))


async def test_every_competitor_answers_every_prompt_in_order() -> None:
    ticks = iter(range(100))
    lines, seen = await record(lambda _one: good(), clock=lambda: next(ticks))
    assert [(line.prompt_key, line.model) for line in lines] == [
        (prompt.key, one.name) for prompt in PROMPTS for one in TWO
    ]
    first = lines[0]
    assert (first.response, first.finish_reason, first.input_tokens, first.output_tokens) == ("Hello", "stop", 7, 2)
    assert (first.generated_at, first.first_token_ms, first.total_ms) == ("2026-01-02T03:04:05+00:00", 1000, 2000)
    assert [progress.done for progress in seen] == [1, 2, 3, 4]
    assert first.settings["concurrency"] == 1


async def test_the_hash_is_that_of_the_canonical_conditions() -> None:
    lines, _ = await record(lambda _one: good())
    line = lines[0]
    canonical = json.dumps(
        {"revision": line.revision, "settings": line.settings}, sort_keys=True, separators=(",", ":")
    )
    assert line.conditions_hash == hashlib.sha256(canonical.encode()).hexdigest()
    assert len({one.conditions_hash for one in lines}) == len(TWO)


async def test_a_competitor_is_asked_with_its_own_settings() -> None:
    providers = {one.name: good() for one in LOCAL_COMPETITORS}
    await record(lambda one: providers[one.name], competitors=LOCAL_COMPETITORS)
    for one in LOCAL_COMPETITORS:
        messages, settings = providers[one.name].asked[0]
        system = [message.content for message in messages if message.role == "system"]
        assert system == ([one.system_prompt] if one.system_prompt else [])
        assert (messages[-1].role, messages[-1].content) == ("user", "Hello?")
        assert (settings.temperature, settings.top_p, settings.max_tokens) == (one.temperature, one.top_p, 220)


async def test_a_stopped_run_goes_on_where_it_was(tmp_path: Path) -> None:
    out = tmp_path / "answers.jsonl"

    def stop(progress: Progress) -> None:
        assert progress.line
        recording.append_answer(out, progress.line)
        if progress.done == 2:
            raise OSError("disk full")

    with pytest.raises(ExceptionGroup):
        await record(lambda _one: ScriptedProvider("Hel", 0.01, "lo"), on_progress=stop)
    with out.open("ab") as file:
        file.write(b'{"prompt_key": "p-2", "mod')
    provider = good()
    before = recording.read_answers(out)
    assert len(before) == 2
    lines, seen = await record(lambda _one: provider, existing=before)
    assert len(provider.asked) == len(seen) == 2
    assert lines[:2] == before
    recording.append_answer(out, lines[2])
    assert recording.read_answers(out) == lines[:3]
    recording.write_answers(out, lines)
    assert recording.read_answers(out) == lines
    assert (await record(lambda _one: provider, existing=lines))[1] == []


async def test_answers_under_other_conditions_are_made_anew() -> None:
    old, _ = await record(lambda _one: good())
    changed = [replace(TWO[0], temperature=0.9), TWO[1]]
    lines, seen = await record(lambda _one: good(), competitors=changed, existing=old)
    assert len(seen) == 2
    assert len(lines) == 4
    assert {line.settings["temperature"] for line in lines if line.model == TWO[0].name} == {0.9}


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        (("  ", "<|im_end|>"), "empty"),
        (("Hel", ProviderError(ErrorCode.CUT_OFF, "gone")), "cut_off: gone"),
    ],
)
async def test_empty_and_failed_answers_are_reported_and_not_stored(script: tuple[str, ...], problem: str) -> None:
    lines, seen = await record(lambda one: ScriptedProvider(*script) if one is TWO[0] else good())
    assert {line.model for line in lines} == {TWO[1].name}
    assert [progress.problem for progress in seen if progress.model == TWO[0].name] == [problem, problem]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{broken\n", "prompts.jsonl:1: no JSON"),
        ('{"key": "a"}\n', "prompts.jsonl:1: .*prompt"),
        ('{"key": "a", "prompt": "b", "colour": 3}\n', "colour"),
        ("[]\n", "prompts.jsonl:1"),
        ('{"key": "a", "prompt": "b"}\n{"key": "a", "prompt": "c"}\n', "'a' is there twice"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(tmp_path: Path, content: str, says: str) -> None:
    file = tmp_path / "prompts.jsonl"
    file.write_text(content)
    with pytest.raises(RecordingError, match=says):
        recording.read_prompts(file)
    with pytest.raises(RecordingError, match="cannot be read"):
        recording.read_prompts(tmp_path / "none.jsonl")
    assert recording.read_answers(tmp_path / "none.jsonl") == []


def test_the_prompts_that_come_along_are_varied() -> None:
    prompts = recording.read_prompts(DATA / "prompts.jsonl")
    assert len(prompts) >= 44
    assert Counter(prompt.language for prompt in prompts)["de"] >= 10
    assert len({prompt.category for prompt in prompts}) >= 7
    assert len(recording.read_prompts(DATA / "suggestions.jsonl")) == 12


def test_the_recorded_answers_that_come_along_are_whole() -> None:
    keys = {prompt.key for prompt in recording.read_prompts(DATA / "prompts.jsonl")}
    lines = recording.read_answers(DATA / "answers.jsonl")
    assert len({line.identity for line in lines}) == len(lines)
    assert {line.prompt_key for line in lines} == keys
    by_name = {one.name: one for one in LOCAL_COMPETITORS}
    assert {line.model for line in lines} == set(by_name)
    assert min(Counter(line.prompt_key for line in lines).values()) >= 4
    for line in lines:
        assert line.response.strip()
        assert line.conditions_hash == recording.hash_of(line.settings, line.revision)
        assert dict(line.settings) == recording.settings_of(by_name[line.model], line.settings["concurrency"])
        assert line.revision == by_name[line.model].revision
