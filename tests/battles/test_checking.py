"""Answers are checked in the background, once for each specification, and no answer keeps another from it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from arena.battles import checking, recording
from arena.battles.checking import Checker
from arena.battles.models import Battle, CheckedAnswer, Response, Turn
from arena.competitors.models import Competitor
from arena.leaderboards.management.commands import run_worker
from arena.prompts.checks.running import RULES, RUN
from arena.prompts.models import Prompt, PromptSet, RecordedAnswer
from arena.teams.models import Arena, Voter
from arena.teams.voters import COOKIE, cookie_value

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def arena() -> Arena:
    arena = Arena.objects.create(slug="mixed", title="Mixed", kind="live")
    for name in ("Ada", "Bea"):
        Competitor.objects.create(arena=arena, name=name, model_id=name)
    return arena


@pytest.fixture
def prompt(arena: Arena) -> Prompt:
    asked = PromptSet.objects.create(arena=arena, name="set", checks={"max_words": 3})
    prompt = Prompt.objects.create(prompt_set=asked, key="p1", text="Why?", checks={"contains": ["so"]})
    for competitor, text in zip(Competitor.objects.order_by("name"), ("So it is.", "It is as it is."), strict=True):
        RecordedAnswer.objects.create(prompt=prompt, competitor=competitor, text=text)
    return prompt


def serve(
    arena: Arena, *texts: str, state: str = "complete", prompt: Prompt | None = None, at: datetime = NOW, **extra: Any
) -> Battle:  # fmt: skip
    first, second = Competitor.objects.filter(arena=arena).order_by("name")
    battle = Battle.objects.create(
        arena=arena, voter=Voter.objects.create(), competitor_a=first, competitor_b=second, state=state, seed="0",
        prompt=prompt, policy="uniform", draw_probability=0.5, stream_mode="paced", served_at=at,
        expires_at=at + timedelta(hours=24), **extra,
    )  # fmt: skip
    turn = Turn.objects.create(battle=battle, index=1, prompt="Why?", created_at=NOW)
    for (side, pk), text in zip(battle.competitor_ids(), texts, strict=True):
        Response.objects.create(
            turn=turn, side=side, competitor_id=pk, text=text, finish_reason="stop" if side == "a" else "length",
            created_at=NOW,
        )  # fmt: skip
    return battle


def results(**of: Any) -> list[dict[str, Any]]:
    rows = CheckedAnswer.objects.filter(**of).order_by("recorded_answer_id", "response_id")
    return list(rows.values_list("results", flat=True))


def test_recorded_answers_are_checked_by_their_prompts_and_their_sets_checks(prompt: Prompt) -> None:
    assert Checker().look(now=NOW) == 2
    always = {"not_empty": True, "no_refusal": True, "not_cut_off": None}
    assert results() == [
        {**always, "contains": True, "max_words": True}, {**always, "contains": False, "max_words": False},
    ]  # fmt: skip
    assert {row.checked_at for row in CheckedAnswer.objects.all()} == {NOW}


def test_what_was_checked_is_not_checked_again_until_its_checks_change(prompt: Prompt) -> None:
    checker, later = Checker(), NOW + timedelta(minutes=1)
    checker.look(now=NOW)
    assert checker.look(now=later) == 0
    PromptSet.objects.update(checks={"max_words": 9})
    assert checker.look(now=later) == 2
    assert [found["max_words"] for found in results()] == [True, True]
    assert CheckedAnswer.objects.count() == 2
    Prompt.objects.update(checks={})
    assert checker.look(now=later) == 2
    assert all("contains" not in found for found in results())


def test_newer_rules_check_anew(prompt: Prompt, monkeypatch: pytest.MonkeyPatch) -> None:
    Checker().look(now=NOW)
    monkeypatch.setattr("arena.battles.checking.RULES", RULES + 1)
    assert Checker().look(now=NOW) == 2


def test_live_answers_are_checked_when_their_battle_is_complete(arena: Arena) -> None:
    battle = serve(arena, "I'm sorry, but I can't help with that.", "Gladly.", state="answering")
    assert Checker().look(now=NOW) == 0
    Battle.objects.filter(pk=battle.pk).update(state="complete")
    assert Checker().look(now=NOW) == 2
    assert results() == [
        {"no_refusal": False, "not_cut_off": True}, {"no_refusal": True, "not_cut_off": False},
    ]  # fmt: skip  # whether a live answer is empty is told by its error


def test_live_answers_to_a_prompt_of_a_set_are_held_to_its_checks(arena: Arena, prompt: Prompt) -> None:
    serve(arena, "so", "no", prompt=prompt)
    Checker().look(now=NOW)
    assert [found["contains"] for found in results(response__isnull=False)] == [True, False]


def test_what_has_no_text_here_is_left_alone(arena: Arena, prompt: Prompt) -> None:
    """Void battles, those judged elsewhere, answers that went with their voter, and those recorded once already."""
    serve(arena, "", "", state="void")
    serve(arena, "So.", "So.", is_imported=True)
    gone = serve(arena, "So.", "So.")
    Checker().look(now=NOW)
    assert CheckedAnswer.objects.filter(response__isnull=False).count() == 2
    recording.forget_answers(gone.voter)
    served = serve(arena, "", "", prompt=prompt)
    for response in Response.objects.filter(turn__battle=served):
        own = RecordedAnswer.objects.get(competitor=response.competitor_id)
        Response.objects.filter(pk=response.pk).update(recorded_answer=own)
    before = results()
    assert Checker().look(now=NOW) == 0
    assert results() == before


def test_looks_are_bounded_and_go_round(prompt: Prompt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "PAGE", 4)
    monkeypatch.setattr(checking, "BATCH", 3)
    competitor = Competitor.objects.order_by("name")[0]
    RecordedAnswer.objects.bulk_create(
        RecordedAnswer(prompt=prompt, competitor=competitor, turn=turn, text="So.") for turn in range(2, 30)
    )
    checker = Checker()
    looked = [checker.look(now=NOW) for _ in range(14)]
    assert max(looked) == 3
    assert sum(looked) == CheckedAnswer.objects.count() == 30
    newest = RecordedAnswer.objects.create(prompt=prompt, competitor=competitor, turn=40, text="So.")
    assert checker.look(now=NOW) == 1  # the latest are seen at once
    assert newest.checked.results["contains"]
    Prompt.objects.update(checks={"json": True})
    assert sum(checker.look(now=NOW) for _ in range(30)) == 31
    assert all(found["json"] is False for found in results())


def test_a_check_that_breaks_keeps_no_other_answer_from_being_checked(
    prompt: Prompt, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(text: str, value: Any) -> bool:
        if "as it is" in text:
            raise RuntimeError("planted")
        return True

    monkeypatch.setitem(RUN, "max_words", broken)
    checker = Checker()
    assert checker.look(now=NOW) == 2
    assert [found.get("max_words") for found in results()] == [True, None]
    assert "broke" in caplog.text
    assert checker.look(now=NOW) == 0


def test_findings_are_of_one_answer_each(prompt: Prompt) -> None:
    answer = RecordedAnswer.objects.first()
    CheckedAnswer.objects.create(recorded_answer=answer, specification="x", results={}, checked_at=NOW)
    for of in ({"recorded_answer": answer}, {}):
        with pytest.raises(IntegrityError), transaction.atomic():
            CheckedAnswer.objects.create(**of, specification="x", results={}, checked_at=NOW)


def test_the_worker_checks(prompt: Prompt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_worker, "close_old_connections", lambda: None)  # the test's own is one of them
    call_command("run_worker", "--once")
    assert CheckedAnswer.objects.count() == 2
    assert abs(CheckedAnswer.objects.first().checked_at - timezone.now()) < timedelta(minutes=1)  # type: ignore[union-attr]


def test_findings_change_no_byte_before_the_vote(arena: Arena, prompt: Prompt) -> None:
    """Nobody is told that the one on side a is the one whose answers pass."""
    battle = serve(arena, "So it is.", "It is as it is, and has long been.", prompt=prompt, at=timezone.now())
    client = Client()
    client.cookies[COOKIE] = cookie_value(battle.voter)
    paths = (f"/a/mixed/?battle={battle.public_id}", f"/api/v1/arenas/mixed/battles/{battle.public_id}/")
    secret = re.compile(rb'csrfmiddlewaretoken" value="\w+"')

    def seen() -> list[bytes]:
        answers = [client.get(path) for path in paths]
        assert [answer.status_code for answer in answers] == [200, 200]
        return [secret.sub(b"", answer.content) for answer in answers]

    before = seen()
    assert b"It is as it is, and has long been." in before[0] and b"Why?" in before[1]
    assert Checker().look(now=NOW) == 4
    assert seen() == before


def test_nothing_that_serves_battles_reads_findings() -> None:
    own = ("models", "checking")
    for folder in ("battles", "prompts", "api", "teams"):
        for path in (settings.BASE_DIR / "arena" / folder).rglob("*.py"):
            if path.stem not in own and "migrations" not in path.parts:
                assert not re.search(r"CheckedAnswer|\bchecked__|\.checked\b", path.read_text()), path
