"""Decisions are overlays: what they set aside, what takes them back, and what a board as of a cut-off leaves out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

import ratings
from arena.battles.models import Battle, Vote
from arena.competitors.models import Competitor
from arena.integrity import deciding, standing
from arena.integrity.deciding import SCREENING, Decider, Reason
from arena.integrity.errors import AlreadyDecided, NothingConcerned, ReasonMissing
from arena.integrity.models import Exclusion, Proposal, Screening, ScreeningRun
from arena.leaderboards import tallying
from arena.leaderboards.counting import count, load_counts, rated
from arena.leaderboards.models import CountBlock, CountedVotes, Snapshot
from arena.leaderboards.publishing import OPTIONS, publish_if_due, publish_snapshot
from arena.leaderboards.shares import cutoffs_of
from arena.leaderboards.verifying import verify
from arena.teams.frozen import ImmutableRow
from arena.teams.models import Arena, Voter

pytestmark = pytest.mark.django_db(transaction=True)
Judge = Callable[..., Vote]
REASON = Reason("D1", "Chose Ash in 19 of 20 battles.", {"log_l": 7.5})


def busiest(arena: Arena) -> Voter:
    voters = Vote.objects.filter(battle__arena=arena).values_list("voter_id", flat=True)
    return Voter.objects.get(pk=max(set(voters), key=list(voters).count))


def ids(arena: Arena, through: int | None = None) -> set[int]:
    """The votes that a board as of this decision counts."""
    through = standing.last_decision() if through is None else through
    return set(standing.counted(rated(arena), arena, through=through).values_list("pk", flat=True))


def test_a_voter_set_aside_does_not_count_and_counts_again_when_cleared(sample: Arena, now: datetime) -> None:
    everything, voter = ids(sample), busiest(sample)
    own = set(Vote.objects.filter(voter=voter).values_list("pk", flat=True))
    row = deciding.set_aside(sample, voter, REASON, SCREENING, now=now)
    assert ids(sample) == everything - own
    assert standing.held_votes(voter, sample) == own
    cleared = deciding.clear(row, "They are known.", Decider(User.objects.create(username="r")), now=now)
    assert ids(sample) == everything
    assert standing.held_votes(voter, sample) == frozenset()
    assert (ids(sample, row.pk), ids(sample, cleared.pk)) == (everything - own, everything)  # each as of its cut-off


def test_on_one_competitor_only_its_battles_are_set_aside(sample: Arena, now: datetime) -> None:
    voter, ash = busiest(sample), Competitor.objects.get(name="Ash")
    on_ash = {
        vote.pk for vote in Vote.objects.filter(voter=voter).select_related("battle")
        if ash.pk in (vote.battle.competitor_a_id, vote.battle.competitor_b_id)
    }  # fmt: skip
    everything = ids(sample)
    deciding.set_aside(sample, voter, REASON, SCREENING, now=now, competitor=ash)
    assert on_ash and ids(sample) == everything - on_ash


def test_single_votes_can_be_set_aside_and_only_the_voters_own(sample: Arena, now: datetime) -> None:
    voter = busiest(sample)
    own = list(Vote.objects.filter(voter=voter).values_list("pk", flat=True)[:2])
    other = Vote.objects.exclude(voter=voter).earliest("pk")
    everything = ids(sample)
    with pytest.raises(NothingConcerned):
        deciding.set_aside(sample, voter, REASON, SCREENING, now=now, votes=[*own, other.pk])
    deciding.set_aside(sample, voter, REASON, SCREENING, now=now, votes=own)
    assert ids(sample) == everything - set(own)


def test_a_decision_is_reversed_once_and_never_changed(sample: Arena, now: datetime) -> None:
    row = deciding.set_aside(sample, busiest(sample), REASON, SCREENING, now=now)
    deciding.clear(row, "A mistake.", SCREENING, now=now)
    with pytest.raises(AlreadyDecided):
        deciding.clear(row, "Again.", SCREENING, now=now)
    row.action = Exclusion.Action.EXCLUDED
    for change in (row.save, row.delete, Exclusion.objects.all().delete):
        with pytest.raises(ImmutableRow):
            change()


def test_a_decision_needs_a_sentence(sample: Arena, now: datetime) -> None:
    with pytest.raises(ReasonMissing):
        deciding.set_aside(sample, busiest(sample), Reason("by hand", "  "), SCREENING, now=now)


def proposal(arena: Arena, voters: list[int], now: datetime, **more: Any) -> Proposal:
    run = ScreeningRun.objects.create(
        arena=arena, started_at=now, seconds=0, through_battle_id=1, through_vote_id=1, battles=1, votes=1, findings=1
    )
    return Proposal.objects.create(
        arena=arena, run=run, rule="D1", unit_kind="account", voters=voters, sign=1, action="held", votes=3,
        evidence={"log_l": 4.0}, sentence="Chose Ash.", created_at=now, **more,
    )  # fmt: skip


def test_a_proposal_is_decided_once_and_may_be_turned_down_afterwards(sample: Arena, now: datetime) -> None:
    voters = list(Voter.objects.order_by("pk").values_list("pk", flat=True)[:2])
    found, everything = proposal(sample, voters, now), ids(sample)
    rows = deciding.accept(found, SCREENING, now=now)
    assert [row.voter_id for row in rows] == voters and len(ids(sample)) < len(everything)
    with pytest.raises(AlreadyDecided):
        deciding.accept(found, SCREENING, now=now)
    deciding.turn_down(found, "A class that was asked to.", SCREENING, now=now, appeal_note="They wrote.")
    assert ids(sample) == everything
    assert Exclusion.objects.latest("pk").appeal_note == "They wrote."


def test_a_proposal_turned_down_at_once_sets_nothing_aside(sample: Arena, now: datetime) -> None:
    found, everything = proposal(sample, [busiest(sample).pk], now), ids(sample)
    deciding.turn_down(found, "Taste.", SCREENING, now=now)
    assert ids(sample) == everything
    with pytest.raises(AlreadyDecided):
        deciding.accept(found, SCREENING, now=now)


def test_screening_is_automatic_where_anybody_may_vote_and_can_be_set(
    orchard: Arena, sample: Arena, now: datetime
) -> None:
    assert standing.screening_of(orchard) == Screening.AUTOMATIC
    assert standing.screening_of(sample) == Screening.OFF  # simulated
    Arena.objects.filter(pk=orchard.pk).update(access="private")
    orchard.refresh_from_db()
    assert standing.screening_of(orchard) == Screening.OFF
    deciding.set_screening(orchard, Screening.REVIEW, now=now)
    assert standing.screening_of(orchard) == Screening.REVIEW


# Boards


def ratings_of(text: str) -> dict[str, float]:
    return {row["model_name"]: row["rating"] for row in json.loads(text)["board"]}


def test_without_decisions_a_board_is_published_once(sample: Arena, now: datetime) -> None:
    snapshot = publish_snapshot(sample, now=now)
    assert (snapshot.plain_json, snapshot.plain_csv, snapshot.cutoff_exclusion_id) == ("", "", 0)
    for row in json.loads(snapshot.board_json)["board"]:
        assert row["rating_plain"] == row["rating"]


@pytest.mark.parametrize("groups", [500, 7])
def test_plain_and_defended_boards_are_those_of_their_votes(
    sample: Arena, now: datetime, groups: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against the same arena published before the decision, and against one in which the votes never were."""
    monkeypatch.setattr(tallying, "MAX_GROUPS", groups)
    monkeypatch.setattr("ratings.electorate.dealt.__defaults__", (groups,))
    before = publish_snapshot(sample, now=now, seed=1)
    voter, ash = busiest(sample), Competitor.objects.get(name="Ash")
    deciding.set_aside(sample, voter, REASON, SCREENING, now=now)
    other = Voter.objects.exclude(pk=voter.pk).earliest("pk")
    deciding.set_aside(sample, other, REASON, SCREENING, now=now, competitor=ash)
    snapshot = publish_snapshot(sample, now=now, seed=1)
    assert ratings_of(snapshot.plain_json) == ratings_of(before.board_json)
    plain = {row["model_name"]: row["rating_plain"] for row in json.loads(snapshot.board_json)["board"]}
    assert plain == ratings_of(before.board_json) != ratings_of(snapshot.board_json)
    assert "rating_plain" in snapshot.board_csv.splitlines()[0]
    assert verify(snapshot).same and verify(before).same, verify(snapshot).sentence
    left = ids(sample)
    assert snapshot.vote_count == len(left)
    assert snapshot.voter_count == Vote.objects.filter(pk__in=left).values("voter").distinct().count()
    judged = {
        row["model_name"]: Vote.objects.filter(pk__in=left).filter(
            battle__in=Battle.objects.filter(competitor_a__name=row["model_name"])
            | Battle.objects.filter(competitor_b__name=row["model_name"])
        ).values("voter").distinct().count()
        for row in json.loads(snapshot.board_json)["board"]
    }  # fmt: skip
    assert {row["model_name"]: row["voters"] for row in json.loads(snapshot.board_json)["board"]} == judged


def test_the_defended_fit_is_that_of_the_remaining_votes_alone(sample: Arena, now: datetime) -> None:
    deciding.set_aside(sample, busiest(sample), REASON, SCREENING, now=now)
    snapshot = publish_snapshot(sample, now=now)
    limits, left = cutoffs_of(snapshot), ids(sample)
    labels = {row.pk: row.label for row in Competitor.objects.filter(arena=sample)}
    every = load_counts(sample, limits, labels)
    alone = count(rated(sample).filter(pk__in=left), labels)
    assert every.votes > alone.votes == snapshot.vote_count
    board = ratings.make_board(alone, replace(OPTIONS, seed=snapshot.seed))
    expected = {row.model_name: row.rating for row in board.rows}
    # JSON holds figures as published, so the same numbers to the last bit that is printed.
    assert ratings_of(snapshot.board_json) == pytest.approx(expected, abs=1e-3)


def test_a_later_decision_disturbs_no_earlier_snapshot(sample: Arena, now: datetime) -> None:
    deciding.set_aside(sample, busiest(sample), REASON, SCREENING, now=now)
    snapshot = publish_snapshot(sample, now=now)
    deciding.clear(Exclusion.objects.get(), "Known.", SCREENING, now=now)
    assert verify(snapshot).same
    again = publish_snapshot(sample, now=now)
    assert (again.plain_json, again.vote_count) == ("", len(ids(sample)))
    assert verify(again).same


def test_a_hidden_decision_is_found_by_verification(sample: Arena, now: datetime) -> None:
    row = deciding.set_aside(sample, busiest(sample), REASON, SCREENING, now=now)
    snapshot = publish_snapshot(sample, now=now)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM integrity_exclusion WHERE id = %s", [row.pk])
    verdict = verify(snapshot)
    assert not verdict.same and "does not match" in verdict.sentence


def test_a_decision_alone_makes_a_board_due(sample: Arena, now: datetime) -> None:
    publish_snapshot(sample, now=now)
    assert publish_if_due(sample, now=now + timedelta(days=1)) is None
    deciding.set_aside(sample, busiest(sample), REASON, SCREENING, now=now)
    assert publish_if_due(sample, now=now) is None  # it waits its time as votes do
    assert publish_if_due(sample, now=now + timedelta(seconds=sample.publish_after_seconds)) is not None
    assert Snapshot.objects.count() == 2


def test_blocks_are_the_same_with_and_without_decisions(sample: Arena, now: datetime) -> None:
    """They count every vote, so that a cleared vote is there again without being counted anew."""
    publish_snapshot(sample, now=now)
    before = list(CountBlock.objects.order_by("group").values_list("group", "counts"))
    deciding.set_aside(sample, busiest(sample), REASON, SCREENING, now=now)
    publish_snapshot(sample, now=now)
    assert [(g, bytes(c)) for g, c in CountBlock.objects.order_by("group").values_list("group", "counts")] == [
        (g, bytes(c)) for g, c in before
    ]
    assert CountedVotes.objects.get().through_vote_id == Vote.objects.latest("pk").pk
