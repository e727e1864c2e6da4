"""Verdicts on a board: kept in its snapshot, seen from either side, settled only by votes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from arena.leaderboards import reading
from arena.leaderboards.claims import PairVerdict, between
from arena.leaderboards.publishing import publish_snapshot
from arena.teams.models import Arena, Voter


@pytest.mark.django_db
def test_a_clear_pair_is_settled_and_seen_from_both_sides(sample: Arena, now: datetime) -> None:
    publish_snapshot(sample, now=now)
    board = reading.published_board(sample)
    assert board is not None and len(board.verdicts) == 6
    ahead = between(board.verdicts, "Ash", "Dogwood")
    behind = between(board.verdicts, "Dogwood", "Ash")
    assert ahead is not None and behind is not None
    assert ahead.verdict == behind.verdict == "better" and ahead.better == behind.better == "Ash"
    assert (ahead.difference, ahead.lower, ahead.upper) == (
        -(behind.difference or 0), -(behind.upper or 0), -(behind.lower or 0),
    )  # fmt: skip
    assert ahead.lower is not None and ahead.lower > 0 and ahead.more_votes == 0
    assert between(board.verdicts, "Ash", "Oak") is None


@pytest.mark.django_db
def test_the_facts_name_the_leader_and_everybody_once(sample: Arena, now: datetime) -> None:
    publish_snapshot(sample, now=now)
    board = reading.published_board(sample)
    assert board is not None
    facts = board.facts
    assert facts["leader"] == "Ash" and "Dogwood" in facts["behind"]
    everybody = [facts["leader"], *facts["level"], *facts["undecided"], *facts["behind"], *facts["too_few"]]
    assert sorted(everybody) == ["Ash", "Birch", "Cedar", "Dogwood"]
    for word, names in (("better", facts["behind"]), ("cannot_tell", facts["undecided"])):
        pairs = [between(board.verdicts, "Ash", name) for name in names]
        assert all(pair and pair.verdict == word for pair in pairs), "the sentence and the pair's page say the same"


@pytest.mark.django_db(transaction=True)
def test_a_handful_of_votes_settles_nothing(orchard: Arena, judge: Any, now: datetime) -> None:
    voter = Voter.objects.create()
    for _ in range(4):
        judge("Ash", "Birch", "a", voter=voter)
    publish_snapshot(orchard, now=now)
    board = reading.published_board(orchard)
    assert board is not None and board.facts["leader"] is None
    pair = between(board.verdicts, "Ash", "Birch")
    assert pair is not None and pair.verdict == "too_few" and pair.better is None


def test_a_pair_without_an_estimate_turns_too() -> None:
    pair = PairVerdict("x", "y", "too_few", None, None, None, 3.0, 0.0, None, False)
    assert (pair.seen_from("y").first, pair.seen_from("y").second) == ("y", "x")
    assert pair.seen_from("x") is pair
