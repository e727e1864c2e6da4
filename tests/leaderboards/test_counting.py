"""Counts are the votes of the log, grouped by the database."""

from __future__ import annotations

from typing import Any

import pytest

from arena.battles.models import Response, Vote
from arena.competitors.models import Competitor
from arena.leaderboards import counting
from arena.teams.models import Arena, Voter
from ratings import Comparisons, Outcome

ALL = counting.Cutoffs(vote=10**9, battle=10**9, response=10**9)
transactional = pytest.mark.django_db(transaction=True)


def as_table(data: Comparisons) -> dict[tuple[int, str, str, int], float]:
    assert data.voter is not None
    rows = zip(
        data.voter.tolist(), data.a.tolist(), data.b.tolist(), data.outcome.tolist(), data.weight.tolist(), strict=True
    )
    return {(voter, data.names[a], data.names[b], outcome): weight for voter, a, b, outcome, weight in rows}


@transactional
def test_every_vote_is_counted_by_voter_pair_side_and_outcome(orchard: Arena, judge: Any) -> None:
    ann, bob = Voter.objects.create(), Voter.objects.create()
    for winner in ("a", "a", "tie", "both_bad"):
        judge("Ash", "Birch", winner, voter=bob)
    judge("Birch", "Ash", "b", voter=ann)
    data = counting.load_counts(orchard, ALL, counting.entered(orchard, ALL))
    assert as_table(data) == {
        (0, "Ash", "Birch", Outcome.A): 2,
        (0, "Ash", "Birch", Outcome.TIE): 1,
        (0, "Ash", "Birch", Outcome.BOTH_BAD): 1,
        (1, "Birch", "Ash", Outcome.B): 1,
    }


@transactional
def test_voters_are_coded_by_their_first_vote_not_by_their_id(orchard: Arena, judge: Any) -> None:
    early, late = Voter.objects.create(), Voter.objects.create()
    judge("Ash", "Birch", "a", voter=late)
    judge("Ash", "Cedar", "a", voter=early)
    data = counting.load_counts(orchard, ALL, counting.entered(orchard, ALL))
    assert set(as_table(data)) == {(0, "Ash", "Birch", Outcome.A), (1, "Ash", "Cedar", Outcome.A)}


@transactional
def test_votes_after_the_cut_off_and_of_other_arenas_do_not_count(orchard: Arena, sample: Arena, judge: Any) -> None:
    kept = judge("Ash", "Birch", "a")
    judge("Ash", "Birch", "b")
    limits = counting.Cutoffs(vote=kept.pk, battle=kept.battle_id, response=10**9)
    data = counting.load_counts(orchard, limits, counting.entered(orchard, limits))
    assert data.votes == 1 and data.names == ("Ash", "Birch")


@pytest.mark.django_db
def test_counting_costs_the_same_queries_for_any_number_of_votes(sample: Arena, django_assert_num_queries: Any) -> None:
    labels = counting.entered(sample, ALL)
    with django_assert_num_queries(2):
        data = counting.load_counts(sample, ALL, labels)
    assert data.votes == Vote.objects.filter(battle__arena=sample).count() > 500


@transactional
def test_service_is_the_median_of_each_competitors_answers(orchard: Arena, judge: Any) -> None:
    for _ in range(3):
        judge("Ash", "Birch", "a")
    failed = judge("Ash", "Cedar", "a").battle.turns.get()
    Response.objects.filter(turn=failed, side="a").update(error_code="cut", first_token_ms=9000)
    labels = counting.entered(orchard, ALL)
    service = {labels[pk]: row for pk, row in counting.load_service(orchard, ALL, labels).items()}
    assert (service["Ash"].battles_served, service["Ash"].error_rate) == (4, 0.25)
    assert service["Ash"].median_first_token_ms == 100.0, "of the answers that did not fail"
    assert service["Ash"].tokens_per_second == 50.0, "50 tokens in the second after the first"
    assert service["Birch"].median_first_token_ms == 300.0 and service["Birch"].error_rate == 0


@pytest.mark.django_db
def test_a_competitor_without_answers_has_no_figures(orchard: Arena) -> None:
    lone = Competitor.objects.filter(arena=orchard).first()
    assert lone is not None
    row = counting.load_service(orchard, ALL, {lone.pk: "Ash"})[lone.pk]
    assert row == counting.Service(0, None, None, None, None)


@transactional
def test_speed_and_errors_are_those_of_the_latest_answers(
    orchard: Arena, judge: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = judge("Ash", "Birch", "a").battle.turns.get()
    Response.objects.filter(turn=old).update(error_code="cut")
    for _ in range(2):
        judge("Ash", "Birch", "a")
    monkeypatch.setattr(counting, "LATEST_ANSWERS", 4)
    labels = counting.entered(orchard, ALL)
    service = {labels[pk]: row for pk, row in counting.load_service(orchard, ALL, labels).items()}
    assert service["Ash"].battles_served == 3 and service["Ash"].error_rate == 0
