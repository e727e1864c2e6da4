"""A competitor's page: figures are those of a count by hand; operators alone read answers beside names."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta
from math import floor
from typing import Any
from xml.etree import ElementTree

import pytest
from django.contrib.auth.models import User

from arena.battles.models import Battle, Response, Turn, Vote
from arena.competitors.models import Competitor
from arena.leaderboards import profile
from arena.leaderboards.costs import cost_of_thousand
from arena.leaderboards.models import Snapshot
from arena.leaderboards.publishing import publish_snapshot
from arena.prompts.models import Prompt, PromptSet
from arena.teams.models import Arena, Voter
from tests.leaderboards.rooms import page, serve, text_of

transactional = pytest.mark.django_db(transaction=True)


@pytest.fixture
def published(sample: Arena, now: datetime) -> Snapshot:
    return publish_snapshot(sample, now=now)


@transactional
def test_the_competitor_page_shows_the_boards_figures(client: Any, published: Snapshot) -> None:
    for row in json.loads(published.board_json)["board"]:
        shown = text_of(page(client, f"/a/sample/competitors/{row['model_name']}/"))
        rank = {row["rank_lower"], row["rank_upper"]}
        for figure in (
            f"{row['rating']:.0f} ± {(row['rating_upper'] - row['rating_lower']) / 2:.0f}",
            f"rank {'–'.join(map(str, sorted(rank)))} of 4", f"From {row['vote_count']:.0f} votes",
            f"{floor(row['median_first_token_ms'] + 0.5):,} ms", f"Tokens/s {floor(row['tokens_per_second'] + 0.5)}",
        ):  # fmt: skip
            assert figure in shown, (row["model_name"], figure)


@transactional
def test_head_to_heads_are_the_votes_of_each_pair(client: Any, published: Snapshot) -> None:
    shown = page(client, "/a/sample/competitors/Birch/")
    for other in ("Ash", "Cedar", "Dogwood"):
        total = won = 0.0
        for vote in Vote.objects.select_related("battle__competitor_a", "battle__competitor_b"):
            sides = {"a": vote.battle.competitor_a.name, "b": vote.battle.competitor_b.name}
            if set(sides.values()) == {"Birch", other}:
                total += 1
                won += {"Birch": 1, other: 0}.get(sides.get(vote.winner, ""), 0.5)
        line = next(part for part in shown.split("<tr>") if f'href="/a/sample/competitors/{other}/"' in part)
        assert f"{total:.0f} {won / total * 100:.0f} %" in text_of(line), other
        assert f"/a/sample/compare/?a=Birch&amp;b={other}" in line


@transactional
def test_failures_and_cost_are_those_of_answers_that_may_be_told(
    client: Any, orchard: Arena, judge: Any, now: datetime
) -> None:
    Competitor.objects.filter(name="Ash").update(price_in=2.0, price_out=10.0)
    for _ in range(3):
        judge("Ash", "Birch", "a", at=now)
    serve(orchard, "Ash", "Cedar", "void", now - timedelta(days=3), void_reason="side_failed")
    serve(orchard, "Ash", "Cedar", "void", now, void_reason="side_failed")  # set aside just now: not told
    Response.objects.filter(error_code="").update(input_tokens=30)
    publish_snapshot(orchard, now=now)
    shown = text_of(page(client, "/a/orchard/competitors/Ash/"))
    assert "Of 4 answers, 1 failed." in shown and "cut off 1 25.0 %" in shown
    assert f"{(30 * 2 + 50 * 10) / 1e6 * 1000:.2f} for 1,000 answers" in shown
    assert "for 1,000 answers" not in text_of(page(client, "/a/orchard/competitors/Birch/"))


@pytest.mark.parametrize(
    ("prices", "tokens", "cost"),
    [((2.0, 10.0), (30, 50), 0.56), ((0.0, 10.0), (None, 50), 0.5), ((2.0, 10.0), (None, 50), None),
     ((None, 10.0), (30, 50), None), ((0.0, 0.0), (None, None), 0.0)],
)  # fmt: skip
def test_a_cost_is_stated_only_where_prices_and_lengths_are_known(prices: Any, tokens: Any, cost: Any) -> None:
    competitor = Competitor(price_in=prices[0], price_out=prices[1])
    found = cost_of_thousand(competitor, *tokens)
    assert found == (cost if cost is None else pytest.approx(cost, rel=1e-12))


@transactional
def test_the_history_has_every_snapshot_and_its_chart_at_most_so_many(
    client: Any, orchard: Arena, judge: Any, now: datetime
) -> None:
    for n in range(7):
        judge("Ash", "Birch", "ab"[n % 2])
        publish_snapshot(orchard, now=now + timedelta(hours=n))
    rows = list(csv.DictReader(io.StringIO(page(client, "/a/orchard/competitors/Ash/history.csv"))))
    assert [int(row["snapshot"]) for row in rows] == [1, 2, 3, 4, 5, 6, 7]
    for row, snapshot in zip(rows, Snapshot.objects.filter(arena=orchard).order_by("number"), strict=True):
        line = next(x for x in json.loads(snapshot.board_json)["board"] if x["model_name"] == "Ash")
        assert float(row["rating"]) == line["rating"] and int(row["vote_count"]) == line["vote_count"]
    last = Snapshot.objects.filter(arena=orchard).latest("number")
    thinned = profile.history(last, Competitor.objects.get(name="Ash"), most=3)
    assert [point.number for point in thinned] == [1, 4, 7]
    ElementTree.fromstring(client.get("/a/orchard/competitors/Ash/history.svg").content)


@transactional
def test_a_competitor_off_the_board_has_a_page_and_a_retired_one_keeps_it(
    client: Any, orchard: Arena, judge: Any, now: datetime
) -> None:
    assert "Nothing is published here yet" in page(client, "/a/orchard/competitors/Ash/")
    page(client, "/a/orchard/competitors/Ash/history.csv", 404)
    for winner in "aab":
        judge("Ash", "Birch", winner)
    Competitor.objects.filter(name="Ash").update(retired_at=now)
    publish_snapshot(orchard, now=now)
    assert "not on the board yet" in page(client, "/a/orchard/competitors/Cedar/")
    assert page(client, "/a/orchard/competitors/Cedar/history.csv").count("\r\n") == 1
    page(client, "/a/orchard/competitors/Cedar/history.svg", 404)
    retired = text_of(page(client, "/a/orchard/competitors/Ash/"))
    assert "retired" in retired and "From 3 votes" in retired
    page(client, "/a/orchard/competitors/Elm/", 404)


@transactional
def test_versions_are_found_by_label(client: Any, orchard: Arena) -> None:
    Competitor.objects.create(arena=orchard, name="Ash", version=2, model_id="fictional/second")
    assert "fictional/second" in page(client, "/a/orchard/competitors/Ash v2/")
    assert "fictional/Ash" in page(client, "/a/orchard/competitors/Ash/")
    page(client, "/a/orchard/competitors/Ash v1/", 404)


@transactional
def test_operators_alone_read_what_won_and_lost(
    client: Any, admin_client: Any, admin_user: User, orchard: Arena, judge: Any, now: datetime
) -> None:
    for n, winner in enumerate("abab"):
        vote = judge("Ash", "Birch", winner)
        Turn.objects.filter(battle=vote.battle).update(prompt=f"Question {n}")
        Response.objects.filter(turn__battle=vote.battle, side="a").update(text=f"ash says {n}")
        Response.objects.filter(turn__battle=vote.battle, side="b").update(text=f"birch says {n}")
    publish_snapshot(orchard, now=now)
    late = judge("Ash", "Birch", "a")
    Turn.objects.filter(battle=late.battle).update(prompt="Too late")
    address = "/a/orchard/competitors/Ash/"
    outside = page(client, address)
    assert "Question" not in outside and "says" not in outside and "For operators only" not in outside
    inside = page(admin_client, address)
    won, lost = inside.split("Answers that won")[1].split("Answers that lost")
    assert [n for n in range(4) if f"Question {n}" in won] == [0, 2]
    assert [n for n in range(4) if f"Question {n}" in lost] == [1, 3]
    assert "ash says 0" in won and "birch says 0" in won and "Too late" not in inside


@transactional
def test_who_votes_here_is_not_told_who_wrote_recorded_answers_and_nobody_who_wrote_sealed_ones(
    admin_client: Any, admin_user: User, orchard: Arena, judge: Any, now: datetime
) -> None:
    prompts = PromptSet.objects.create(arena=orchard, name="Set")
    prompt = Prompt.objects.create(prompt_set=prompts, key="1", text="Recorded question")
    for winner in "ab":
        vote = judge("Ash", "Birch", winner)
        Battle.objects.filter(pk=vote.battle_id).update(prompt=prompt)
        Turn.objects.filter(battle=vote.battle).update(prompt="Recorded question")
    publish_snapshot(orchard, now=now)
    assert "Recorded question" in page(admin_client, "/a/orchard/competitors/Ash/")
    prompts.is_sealed = True
    prompts.save()
    assert "Recorded question" not in page(admin_client, "/a/orchard/competitors/Ash/")
    PromptSet.objects.update(is_sealed=False)
    judge("Cedar", "Dogwood", "a", voter=Voter.objects.create(user=admin_user))
    shown = page(admin_client, "/a/orchard/competitors/Ash/")
    assert "Recorded question" not in shown and "because you vote here" in shown
