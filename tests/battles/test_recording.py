"""What a response keeps beside its text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from arena.battles import opening
from arena.battles.models import Battle, Response
from arena.prompts.models import RecordedAnswer
from arena.teams.models import Arena, Voter

pytestmark = pytest.mark.django_db
COUNTS = ("style_length", "style_headers", "style_lists", "style_bold")


def counts_of(battle: Battle) -> set[tuple[Any, ...]]:
    return set(Response.objects.filter(turn__battle=battle).values_list(*COUNTS))


def test_a_live_answer_is_counted_when_it_is_recorded(serve: Callable[..., Battle]) -> None:
    battle = serve("complete", text="# Title\n- **one** for")
    assert counts_of(battle) == {(10, 1, 1, 1)}, "with the side's letter at its end"


def test_a_recorded_answer_brings_its_counts_along(recorded: Arena, voter: Voter) -> None:
    RecordedAnswer.objects.update(style_length=7, style_headers=1, style_lists=2, style_bold=3)
    battle = opening.open_battle(voter, recorded, None, seed=opening.new_seed(), now=timezone.now())
    assert counts_of(battle) == {(7, 1, 2, 3)}


def test_a_discarded_answer_has_no_counts(serve: Callable[..., Battle], scripted: Any) -> None:
    from arena.battles import recording
    from arena.battles.recording import Answer
    from arena.battles.words import BattleState, Side

    battle = serve("answering")
    failed = {Side.A: Answer(text="# Said"), Side.B: Answer(error_code="cut")}
    assert recording.record_responses(battle.turns.get(), failed, now=timezone.now()) == BattleState.VOID
    assert counts_of(battle) == {(None, None, None, None)}


@pytest.mark.parametrize("state", ["complete", "void"])
def test_the_battle_is_written_before_its_responses(serve: Callable[..., Battle], state: str) -> None:
    """A publisher locks the table of battles first: in the other order PostgreSQL ends one of the two as a deadlock."""
    from arena.battles import recording
    from arena.battles.recording import Answer
    from arena.battles.words import Side

    battle = serve("answering")
    said = {Side.A: Answer(text="Said"), Side.B: Answer(text="Said") if state == "complete" else Answer(error_code="x")}
    with CaptureQueriesContext(connection) as asked:
        assert recording.record_responses(battle.turns.get(), said, now=timezone.now()) == state
    writes = [query["sql"].split()[:3] for query in asked if query["sql"].startswith(("UPDATE", "INSERT"))]
    tables = [words[1 if words[0] == "UPDATE" else 2].strip('"') for words in writes]
    assert tables.index("battles_battle") < tables.index("battles_response")
