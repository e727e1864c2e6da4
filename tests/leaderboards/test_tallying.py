"""Blocks hold what the votes say, however they were added."""

from __future__ import annotations

import json
import random
from datetime import datetime
from typing import Any

import pytest

from arena.battles import simulating
from arena.battles.models import Vote
from arena.competitors.models import Competitor
from arena.leaderboards import tallying
from arena.leaderboards.models import CountBlock, CountedVotes, VoterPlace
from arena.leaderboards.publishing import publish_snapshot
from arena.leaderboards.tallying import Tally, packed, tally, unpacked
from arena.leaderboards.verifying import verify
from arena.teams.models import Arena
from ratings.electorate import MAX_GROUPS

pytestmark = pytest.mark.django_db


def rows_of(counted: Tally | None) -> list[tuple[int, ...]]:
    assert counted is not None
    columns = (counted.group, counted.first, counted.second, counted.outcome, counted.votes)
    return sorted(zip(*(column.tolist() for column in columns), strict=True))


def from_votes(arena: Arena, through: int, groups: int) -> tuple[list[tuple[int, ...]], dict[int, int]]:
    """The same by going through every vote in order."""
    places: dict[int, int] = {}
    counts: dict[tuple[int, ...], int] = {}
    judges: dict[int, set[int]] = {}
    for vote in Vote.objects.filter(battle__arena=arena, id__lte=through).order_by("id").select_related("battle"):
        place = places.setdefault(vote.voter_id, len(places))
        pair = vote.battle.competitor_a_id, vote.battle.competitor_b_id
        key = (place % groups, *pair, ["a", "b", "tie", "both_bad"].index(vote.winner))
        counts[key] = counts.get(key, 0) + 1
        for competitor in pair:
            judges.setdefault(competitor, set()).add(vote.voter_id)
    return sorted((*key, votes) for key, votes in counts.items()), {pk: len(who) for pk, who in judges.items()}


@pytest.mark.parametrize("groups", [500, 7])
def test_blocks_agree_with_the_votes_after_every_step(
    sample: Arena, groups: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps of uneven size, with 30 voters in groups of their own and dealt into 7."""
    monkeypatch.setattr(tallying, "MAX_GROUPS", groups)
    ids = list(Vote.objects.filter(battle__arena=sample).order_by("id").values_list("id", flat=True))
    rng, at = random.Random(3), 0
    while at < len(ids):
        at = min(len(ids), at + rng.choice((1, 2, 40, 200)))
        counted = tally(sample, ids[at - 1])
        expected, judges = from_votes(sample, ids[at - 1], groups)
        assert rows_of(counted) == expected
        assert counted is not None and counted.judges == judges
        assert counted.voters == len({row.voter_id for row in Vote.objects.filter(id__in=ids[:at])})


def test_one_step_and_many_leave_the_same_blocks(sample: Arena, now: datetime) -> None:
    ids = list(Vote.objects.filter(battle__arena=sample).order_by("id").values_list("id", flat=True))
    for at in (10, 11, 300, len(ids)):
        tally(sample, ids[at - 1])
    in_steps = {row.group: bytes(row.counts) for row in CountBlock.objects.all()}
    CountBlock.objects.all().delete()
    VoterPlace.objects.all().delete()
    CountedVotes.objects.all().delete()
    tally(sample, ids[-1])
    assert {row.group: bytes(row.counts) for row in CountBlock.objects.all()} == in_steps


def test_an_earlier_cut_off_is_not_answered_from_blocks(sample: Arena) -> None:
    last = Vote.objects.order_by("-id").values_list("id", flat=True)[0]
    assert tally(sample, last) is not None
    assert tally(sample, last - 1) is None


def test_a_second_look_reads_no_vote(sample: Arena, django_assert_max_num_queries: Any) -> None:
    last = Vote.objects.order_by("-id").values_list("id", flat=True)[0]
    first = rows_of(tally(sample, last))
    with django_assert_max_num_queries(6) as queries:
        assert rows_of(tally(sample, last)) == first
    assert not any("battles_vote" in query["sql"] for query in queries.captured_queries)


def test_arenas_are_counted_apart(sample: Arena, now: datetime) -> None:
    other = Arena.objects.create(slug="other", title="Other", kind="live", is_simulated=True)
    pair = [(Competitor.objects.create(arena=other, name=name, model_id=name), 0.0) for name in ("Elm", "Fir")]
    simulating.simulate_votes(other, pair, voters=3, battles=20, seed=1, now=now)
    last = Vote.objects.order_by("-id").values_list("id", flat=True)[0]
    counted = tally(other, last)
    assert counted is not None and counted.votes.sum() == Vote.objects.filter(battle__arena=other).count()
    assert set(counted.first.tolist()) <= {competitor.pk for competitor, _ in pair}


def test_an_arena_without_votes_is_empty(orchard: Arena) -> None:
    counted = tally(orchard, 0)
    assert rows_of(counted) == [] and counted is not None and counted.voters == 0


def test_blocks_keep_counts_and_order_changes_no_byte() -> None:
    counts = {(3, 1, 2): 7, (1, 3, 0): 2**40}
    assert unpacked(packed(counts)).tolist() == [[1, 3, 0, 2**40], [3, 1, 2, 7]]
    assert packed(dict(reversed(counts.items()))) == packed(counts)


def test_a_board_of_many_voters_is_published_from_blocks_and_verified_from_votes(sample: Arena, now: datetime) -> None:
    """More voters than groups: both ways deal them alike, to the byte."""
    field = [(competitor, 0.0) for competitor in Competitor.objects.filter(arena=sample)]
    simulating.simulate_votes(sample, field, voters=900, battles=2500, seed=11, now=now)
    snapshot = publish_snapshot(sample, now=now)
    assert snapshot.voter_count > MAX_GROUPS == json.loads(snapshot.board_json)["method"]["units"]
    assert verify(snapshot).same, verify(snapshot).sentence
