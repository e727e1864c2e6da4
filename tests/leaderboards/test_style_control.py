"""Boards under style control: what length and markup are worth, and when that cannot be told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pytest

import ratings
from arena.battles.models import Battle, Response, Turn, Vote
from arena.competitors.models import Competitor
from arena.leaderboards import styling
from arena.leaderboards.publishing import publish_snapshot
from arena.leaderboards.slices import STYLES
from arena.teams.models import Arena, Voter
from ratings.scale import POINTS

transactional = pytest.mark.django_db(transaction=True)
PAGE, JSON = "leaderboard/", "leaderboard.json"


def wordy(arena: Arena, *, worth: float, votes: int, seed: int, now: datetime) -> None:
    """Votes on equal competitors, each of which writes longer answers than the one before it, by 30 people who see
    nothing but length: it is worth `worth` log-odds for each unit of (a - b) / (a + b)."""
    rng = np.random.default_rng(seed)
    entered = list(Competitor.objects.filter(arena=arena).order_by("id"))
    people = Voter.objects.bulk_create([Voter() for _ in range(30)])
    battles, lengths = [], []
    for k in range(votes):
        a, b = rng.permutation(len(entered))[:2].tolist()
        battle = Battle(
            arena=arena, voter=people[k % 30], competitor_a=entered[a], competitor_b=entered[b], policy="uniform",
            draw_probability=1 / 12, seed="0", state="complete", stream_mode="paced", served_at=now, expires_at=now,
        )  # fmt: skip
        battles.append(battle)
        lengths.append([int(rng.integers(40, 400)) * (1 + place) for place in (a, b)])
    battles = Battle.objects.bulk_create(battles)
    turns = Turn.objects.bulk_create([Turn(battle=row, index=1, prompt="?", created_at=now) for row in battles])
    Response.objects.bulk_create(
        Response(
            turn=turn, side=side, competitor_id=pk, created_at=now, style_length=length,
            style_headers=int(rng.integers(0, 6)), style_lists=int(rng.integers(0, 9)), style_bold=0,
        )
        for turn, pair in zip(turns, lengths, strict=True)
        for (side, pk), length in zip(turn.battle.competitor_ids(), pair, strict=True)
    )  # fmt: skip
    chances = [1 / (1 + np.exp(-worth * (a - b) / (a + b))) for a, b in lengths]
    Vote.objects.bulk_create(
        Vote(battle=row, voter=row.voter, winner="a" if rng.random() < chance else "b", created_at=now)
        for row, chance in zip(battles, chances, strict=True)
    )


@pytest.mark.django_db
def test_where_length_alone_wins_control_finds_its_worth_and_the_rest_equal(
    client: Any, orchard: Arena, now: datetime
) -> None:
    """Twice the length is worth 2/3 log-odds, 116 points."""
    wordy(orchard, worth=2.0, votes=900, seed=11, now=now)
    publish_snapshot(orchard, now=now)
    body = client.get(f"/a/orchard/{JSON}?style=on").json()
    rows = body["board"]
    plain = [row["rating_plain"] for row in rows]
    assert max(plain) - min(plain) > 150, "length makes the plain board"
    assert all(row["rating_lower"] < 1000 < row["rating_upper"] for row in rows), (
        "four at 95 %, and this seed keeps all"
    )
    worth = body["slice"]["worth_of_twice_as_much"]
    assert worth["length"]["lower"] < 2 / 3 * POINTS < worth["length"]["upper"]
    assert worth["length"]["lower"] > 50, "and it is no accident"
    assert worth["headers"]["lower"] < 0 < worth["headers"]["upper"]
    assert body["slice"]["styles_that_cannot_be_told"] == ["bold"], "which nobody used"
    page = client.get(f"/a/orchard/{PAGE}?style=on").content.decode()
    assert "cannot be told apart" in page and "bold passages: not held equal" in page
    assert f"+{worth['length']['points']:.0f}" in page


@pytest.mark.django_db
def test_votes_on_answers_nobody_counted_stay_out_and_are_named(client: Any, library: Arena) -> None:
    some = Vote.objects.order_by("id").values_list("battle_id", flat=True)[:40]
    Response.objects.filter(turn__battle_id__in=list(some), side="b").update(style_lists=None)
    body = client.get(f"/a/sample/{JSON}?style=lists").json()
    assert body["slice"]["votes_without_counts"] == 40
    assert body["data"]["votes"] == Vote.objects.count() - 40
    assert "40 votes stay out" in client.get(f"/a/sample/{PAGE}?style=lists").content.decode()
    assert client.get(f"/a/sample/{JSON}?style=length").json()["slice"]["votes_without_counts"] == 0


@pytest.mark.django_db
def test_a_long_log_is_controlled_over_its_latest_votes(
    client: Any, library: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(styling, "LATEST_VOTES", 300)
    body = client.get(f"/a/sample/{JSON}?style=length").json()
    assert body["data"]["votes"] == 300
    assert body["slice"]["older_votes_left_out"] == Vote.objects.count() - 300


@transactional
def test_counts_are_summed_over_all_turns_of_each_side_or_the_vote_stays_out(
    orchard: Arena, judge: Any, now: datetime
) -> None:
    vote = judge("Ash", "Birch", "a")
    second = vote.battle.turns.create(index=2, prompt="And?", created_at=now)
    first = vote.battle.turns.get(index=1)
    for turn, a, b in ((first, 10, 3), (second, 20, 7)):
        for side, length in (("a", a), ("b", b)):
            Response.objects.update_or_create(
                turn=turn, side=side,
                defaults={"competitor_id": vote.battle.competitor_a_id, "style_length": length, "created_at": now},
            )  # fmt: skip
    labels = {row.pk: row.label for row in Competitor.objects.filter(arena=orchard)}
    styled = styling.load(Vote.objects.all(), labels, ("length",))
    assert styled.data.covariates is not None
    assert styled.data.covariates.tolist() == [[(30 - 10) / (30 + 10)]]
    Response.objects.filter(turn=second, side="b").update(style_length=None)
    half = styling.load(Vote.objects.all(), labels, ("length",))
    assert (half.data.votes, half.uncounted) == (0, 1), "one side's half would be compared with the other's whole"


def test_styles_that_follow_from_who_answers_or_from_each_other_cannot_be_told() -> None:
    rng = np.random.default_rng(5)
    a = rng.integers(0, 3, 300)
    b = (a + rng.integers(1, 3, 300)) % 3
    free = rng.normal(size=300)
    columns = np.stack([free, a - b, free * 2, rng.normal(size=300)], axis=1)
    data = ratings.comparisons("xyz", a, b, rng.integers(0, 2, 300), covariates=columns, covariate_names=STYLES)
    assert styling.tellable(data, STYLES) == (("length", "bold"), True)
    few = ratings.comparisons(
        "xy", [0] * 11, [1] * 11, [0, 1] * 5 + [0], covariates=columns[:11], covariate_names=STYLES
    )
    assert styling.tellable(few, STYLES) == ((), False)


@transactional
@pytest.mark.parametrize("votes", [1, 3, 14])
def test_thin_votes_under_control_are_the_plain_board_and_say_so(
    client: Any, orchard: Arena, judge: Any, now: datetime, votes: int
) -> None:
    for k in range(votes):
        judge("Ash", "Birch", "ab"[k % 2])
    Response.objects.update(style_length=5, style_headers=0, style_lists=0, style_bold=0)
    publish_snapshot(orchard, now=now)
    body = client.get(f"/a/orchard/{JSON}?style=on").json()
    assert body["slice"]["styles_that_cannot_be_told"] == list(STYLES) and body["method"]["style"] == []
    assert all(row["rating"] == row["rating_plain"] for row in body["board"])
    assert "what style does cannot be told" in client.get(f"/a/orchard/{PAGE}?style=on").content.decode()
