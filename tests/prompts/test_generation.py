"""A set is run against live competitors once: nothing is asked twice, paid past the budget, or lost with a process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from arena.competitors.models import Competitor, Endpoint
from arena.competitors.providers import ErrorCode, Finish, Provider, ProviderError, ScriptedProvider
from arena.prompts.generation import errors, runs, working
from arena.prompts.generation.runs import State
from arena.prompts.models import GenerationRun, Prompt, PromptSet, RecordedAnswer
from arena.teams.models import Arena

pytestmark = pytest.mark.django_db(transaction=True)
ANSWER = ("Paris", Finish("stop", input_tokens=10, output_tokens=20))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(working, "LONGEST_PAUSE", 0.002)


@pytest.fixture
def prompt_set() -> PromptSet:
    arena = Arena.objects.create(slug="team", title="Team", kind="recorded")
    found = PromptSet.objects.create(arena=arena, name="questions")
    Prompt.objects.bulk_create(Prompt(prompt_set=found, key=f"p{n}", text=f"Question {n}?") for n in range(4))
    return found


@pytest.fixture
def field(prompt_set: PromptSet) -> list[Competitor]:
    endpoint = Endpoint.objects.create(name="e", base_url="http://127.0.0.1:9/v1")
    return [
        Competitor.objects.create(
            arena=prompt_set.arena, name=f"c{n}", model_id=f"m{n}", endpoint=endpoint, max_tokens=100,
            price_in=1_000_000, price_out=2_000_000, system_prompt="Be brief.",
        )
        for n in range(2)
    ]  # fmt: skip


def begin(prompt_set: PromptSet, field: list[Competitor], **options: Any) -> GenerationRun:
    runs.start(prompt_set, field, now=timezone.now(), **options)
    claimed = runs.claim(now=timezone.now())
    assert claimed is not None
    return claimed


def carry_out(run: GenerationRun, provider: Provider | Callable[[Competitor], Provider]) -> GenerationRun:
    working.carry_out(run, provider_for=provider if callable(provider) else lambda _competitor: provider)
    run.refresh_from_db()
    return run


def test_every_competitor_answers_every_prompt_under_its_own_settings(
    prompt_set: PromptSet, field: list[Competitor]
) -> None:
    provider = ScriptedProvider(*ANSWER)
    run = carry_out(begin(prompt_set, field), provider)
    assert run.state == State.FINISHED
    assert runs.progress(run) == runs.Progress(8, 8)
    assert {settings.model for _messages, settings in provider.asked} == {"m0", "m1"}
    assert all(messages[0].content == "Be brief." for messages, _settings in provider.asked)
    answer = RecordedAnswer.objects.filter(competitor=field[0]).first()
    assert answer is not None
    assert answer.text == "Paris"
    assert answer.conditions["system_prompt"] == "Be brief."
    assert answer.style_length == 1
    assert RecordedAnswer.objects.values("conditions_hash").distinct().count() == 2
    field[0].refresh_from_db()
    assert field[0].is_sealed, "from its first answer on a competitor does not change"
    assert run.spent == pytest.approx(8 * (10 * 1 + 20 * 2))


def test_a_conversation_is_answered_turn_by_turn_and_stored_whole(
    prompt_set: PromptSet, field: list[Competitor]
) -> None:
    Prompt.objects.filter(prompt_set=prompt_set).delete()
    Prompt.objects.create(prompt_set=prompt_set, key="two", text="First?", follow_ups=["Second?"], turn_count=2)
    provider = ScriptedProvider(*ANSWER)
    carry_out(begin(prompt_set, field[:1]), provider)
    assert [m.content for m in provider.asked[1][0]] == ["Be brief.", "First?", "Paris", "Second?"]
    assert list(RecordedAnswer.objects.values_list("turn", flat=True)) == [1, 2]


def test_a_second_run_asks_only_for_what_is_missing(prompt_set: PromptSet, field: list[Competitor]) -> None:
    refusing = ScriptedProvider(ProviderError(ErrorCode.REFUSED, "HTTP 400: no"))
    answering = ScriptedProvider(*ANSWER)
    first = carry_out(begin(prompt_set, field), lambda who: answering if who == field[0] else refusing)
    assert first.state == State.GAVE_UP
    assert len(refusing.asked) == 4, "what was refused is not asked again and again"
    assert first.failures[0] == {"prompt": "p0", "competitor": "c1", "says": "refused: HTTP 400: no"}
    again = ScriptedProvider(*ANSWER)
    second = carry_out(begin(prompt_set, field), again)
    assert second.state == State.FINISHED
    assert len(again.asked) == 4
    with pytest.raises(errors.NothingMissing):
        runs.start(prompt_set, field, now=timezone.now())


def test_what_may_pass_is_asked_again_and_no_more_often_than_allowed(
    prompt_set: PromptSet, field: list[Competitor]
) -> None:
    for error in (ProviderError(ErrorCode.CONNECT), ProviderError(ErrorCode.REFUSED, "HTTP 429: slow down")):
        failing = ScriptedProvider(error)
        run = carry_out(begin(prompt_set, field[:1], attempts=3), failing)
        assert run.state == State.GAVE_UP
        assert len(failing.asked) == 4 * 3
        assert run.spent > 0, "what was said to an endpoint that failed may have been paid for"


def test_an_empty_answer_is_none(prompt_set: PromptSet, field: list[Competitor]) -> None:
    run = carry_out(begin(prompt_set, field[:1], attempts=1), ScriptedProvider(" "))
    assert run.state == State.GAVE_UP
    assert not RecordedAnswer.objects.exists()


def test_nothing_is_asked_that_could_pass_the_budget(prompt_set: PromptSet, field: list[Competitor]) -> None:
    """An answer costs 50 here and at most about 209; with 400 to spend two are certain and no third is safe."""
    provider = ScriptedProvider(0.001, *ANSWER)
    run = carry_out(begin(prompt_set, field, budget=400, concurrency=1), provider)
    assert run.state == State.OUT_OF_BUDGET
    assert 0 < run.spent <= 400
    assert run.spent == 50 * len(provider.asked) == 50 * RecordedAnswer.objects.count()


def test_answers_that_break_off_are_paid_for_too(prompt_set: PromptSet, field: list[Competitor]) -> None:
    """Whoever answers is paid for what was written, whether or not it arrived whole; each is at most about 209."""
    provider = ScriptedProvider("Par", ProviderError(ErrorCode.CUT_OFF))
    run = carry_out(begin(prompt_set, field, budget=700, concurrency=1, attempts=3), provider)
    assert run.state == State.OUT_OF_BUDGET
    assert len(provider.asked) == 3 and 3 * 200 < run.spent <= 700


def test_a_budget_needs_prices(prompt_set: PromptSet, field: list[Competitor]) -> None:
    Competitor.objects.filter(pk=field[1].pk).update(price_out=None)
    field[1].refresh_from_db()
    with pytest.raises(errors.NoPrice, match="c1 has no price"):
        runs.start(prompt_set, field, now=timezone.now(), budget=5)
    assert not GenerationRun.objects.exists()


def test_no_more_are_asked_at_once_than_was_said(prompt_set: PromptSet, field: list[Competitor]) -> None:
    class Counting(ScriptedProvider):
        now_inside = most = 0

        async def stream(self, *args: Any) -> Any:
            self.now_inside += 1
            self.most = max(self.most, self.now_inside)
            await asyncio.sleep(0.01)
            async for event in super().stream(*args):
                yield event
            self.now_inside -= 1

    provider = Counting(*ANSWER)
    carry_out(begin(prompt_set, field, concurrency=3), provider)
    assert provider.most == 3


def test_a_stop_ends_asking_and_keeps_what_was_answered(prompt_set: PromptSet, field: list[Competitor]) -> None:
    run = begin(prompt_set, field, concurrency=1)

    class Stopping(ScriptedProvider):
        async def stream(self, *args: Any) -> Any:
            if len(self.asked) == 1:
                await asyncio.to_thread(runs.stop, run, now=timezone.now())
            async for event in super().stream(*args):
                yield event

    provider = Stopping(*ANSWER)
    carry_out(run, provider)
    assert run.state == State.STOPPED
    assert len(provider.asked) == 2 == RecordedAnswer.objects.count(), "what was under way is paid for, and stored"
    with pytest.raises(errors.AtAnEnd, match="Stopped by hand"):
        runs.stop(run, now=timezone.now())


def test_a_halted_worker_gives_its_run_to_the_next_at_once(prompt_set: PromptSet, field: list[Competitor]) -> None:
    halt = threading.Event()
    halt.set()
    run = begin(prompt_set, field)
    working.carry_out(run, halt=halt, provider_for=lambda _competitor: ScriptedProvider(*ANSWER))
    run.refresh_from_db()
    assert run.state == State.WAITING
    assert runs.claim(now=timezone.now()) == run


def test_a_run_whose_process_fell_silent_is_taken_up_and_a_lively_one_is_not(
    prompt_set: PromptSet, field: list[Competitor]
) -> None:
    run, now = begin(prompt_set, field), timezone.now()
    assert runs.claim(now=now) is None
    assert runs.claim(now=now + runs.SILENT_FOR + timedelta(seconds=1)) == run
    with pytest.raises(errors.AlreadyRunning):
        runs.start(prompt_set, field, now=now)


def test_answers_of_other_conditions_are_not_mixed_in(prompt_set: PromptSet, field: list[Competitor]) -> None:
    prompt = prompt_set.prompts.first()
    RecordedAnswer.objects.create(prompt=prompt, competitor=field[0], text="Imported.", conditions_hash="0" * 64)
    with pytest.raises(errors.OtherConditions, match="make a new version"):
        runs.start(prompt_set, field, now=timezone.now())


def test_what_cannot_be_run_is_refused_in_words(prompt_set: PromptSet, field: list[Competitor]) -> None:
    with pytest.raises(errors.NothingToAsk):
        runs.start(prompt_set, [], now=timezone.now())
    Competitor.objects.filter(pk=field[0].pk).update(retired_at=timezone.now())
    field[0].refresh_from_db()
    with pytest.raises(errors.NothingToAsk):
        runs.start(prompt_set, field, now=timezone.now())
    for wrong in ({"concurrency": 0}, {"concurrency": 33}, {"attempts": 0}, {"budget": -1}):
        with pytest.raises(ValidationError):
            runs.start(prompt_set, field[1:], now=timezone.now(), **wrong)
    assert not GenerationRun.objects.exists()
