"""Compare, competitor and integrity pages: figures are those of a count by hand, and move with a publication only."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from datetime import datetime, timedelta
from math import floor
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from arena.battles import simulating
from arena.battles.models import Battle, Response, Turn, Vote
from arena.competitors.models import Competitor
from arena.leaderboards import profile
from arena.leaderboards.models import Snapshot
from arena.leaderboards.publishing import publish_snapshot
from arena.prompts.models import Prompt, PromptSet
from arena.teams.models import Arena, Voter

transactional = pytest.mark.django_db(transaction=True)
HOSTILE = '=1+"<b>Ash</b>& / ? #\n%2F'
PAGES = ("compare/", "compare/?a=Ash&b=Birch", "competitors/Ash/", "competitors/Ash/history.csv", "integrity/",
         "integrity.json")  # fmt: skip


@pytest.fixture
def published(sample: Arena, now: datetime) -> Snapshot:
    return publish_snapshot(sample, now=now)


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def page(client: Any, path: str, status: int = 200) -> str:
    """A page without the token of its form, which is another one each time."""
    answer = client.get(path)
    assert answer.status_code == status, path
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode())


def serve(arena: Arena, a: str, b: str, state: str, at: datetime, **extra: Any) -> Battle:
    """A battle without a vote, with both responses; the first one failed where the state is void."""
    first, second = (Competitor.objects.get(arena=arena, name=name) for name in (a, b))
    battle = Battle.objects.create(
        arena=arena, voter=Voter.objects.create(), competitor_a=first, competitor_b=second, state=state, seed="0",
        policy=extra.pop("policy", "uniform"), draw_probability=0.5, stream_mode="paced", served_at=at,
        expires_at=at + timedelta(hours=24), **extra,
    )  # fmt: skip
    turn = Turn.objects.create(battle=battle, index=1, prompt="Which?", created_at=at)
    for side, pk in battle.competitor_ids():
        failed = "cut_off" if state == "void" and side == "a" else ""
        Response.objects.create(turn=turn, side=side, competitor_id=pk, error_code=failed, created_at=at)
    return battle


# Compare


@transactional
def test_the_compare_page_says_what_the_votes_of_the_pair_are(client: Any, published: Snapshot) -> None:
    shown = text_of(page(client, "/a/sample/compare/?a=Dogwood&b=Ash"))
    votes: Counter[str] = Counter()
    for vote in Vote.objects.select_related("battle__competitor_a", "battle__competitor_b"):
        sides = {"a": vote.battle.competitor_a.name, "b": vote.battle.competitor_b.name}
        if set(sides.values()) == {"Ash", "Dogwood"}:
            votes[sides.get(vote.winner, vote.winner)] += 1
    assert min(votes["Ash"], votes["Dogwood"], votes["tie"], votes["both_bad"]) > 0
    for words, count in (
        ("Votes between the two", votes.total()), ("Ash is better", votes["Ash"]),
        ("Dogwood is better", votes["Dogwood"]), ("Ties", votes["tie"]), ("Both bad", votes["both_bad"]),
    ):  # fmt: skip
        assert f"{words} {count} " in shown, words
    assert "Ash is better than Dogwood." in shown and "up to 10 points counts as none" in shown
    stored = next(row for row in published.page["verdicts"] if set(row[:2]) == {"Ash", "Dogwood"})
    assert f"{-stored[3]:.0f} " in shown.replace("−", "-") and f"at least one of the two {stored[6]:.0f}" in shown


@transactional
def test_the_verdict_is_the_same_from_either_end_and_in_the_api(client: Any, published: Snapshot) -> None:
    ends = ("a=Ash&b=Dogwood", "a=Dogwood&b=Ash")
    answers = [client.get(f"/api/v1/arenas/sample/compare/?{end}").json() for end in ends]
    for answer in answers:
        assert list(answer) == ["verdict", "better", "difference", "lower", "upper", "votes", "more_votes"]
    first, second = answers
    assert (first["verdict"], first["better"]) == (second["verdict"], second["better"]) == ("better", "Ash")
    assert first["difference"] == -second["difference"] and first["lower"] == -second["upper"]
    met = Vote.objects.all()
    assert first["votes"] == sum(
        bool({"Ash", "Dogwood"} & {v.battle.competitor_a.name, v.battle.competitor_b.name}) for v in met
    )


@transactional
@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("?a=Ash", 400, "Two competitors have to be named"),
        ("?a=Ash&b=Ash", 400, "“Ash” is named twice"),
        ("?a=Ash&b=Elm", 404, "There is no competitor “Elm” here"),
        ("?a=Ash&b=<script>", 404, "There is no competitor “&lt;script&gt;” here"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_words(
    client: Any, published: Snapshot, query: str, status: int, words: str
) -> None:
    assert words in page(client, f"/a/sample/compare/{query}", status)
    answer = client.get(f"/api/v1/arenas/sample/compare/{query}")
    assert answer.status_code == status
    assert answer.json()["detail"].replace("<", "&lt;").replace(">", "&gt;").startswith(words)


@transactional
def test_without_parameters_the_form_stands_alone(client: Any, published: Snapshot) -> None:
    shown = page(client, "/a/sample/compare/")
    assert shown.count('<option value="Ash"') == 2 and "Difference" not in text_of(shown)


@transactional
def test_a_pair_that_needs_more_votes_says_how_many(client: Any, orchard: Arena, now: datetime) -> None:
    Arena.objects.filter(pk=orchard.pk).update(is_simulated=True)
    orchard.refresh_from_db()
    strengths = list(zip(Competitor.objects.filter(arena=orchard)[:3], (0.5, 0.1, 0.0), strict=True))
    simulating.simulate_votes(orchard, strengths, voters=60, battles=240, seed=3, now=now)
    publish_snapshot(orchard, now=now)
    found = client.get("/api/v1/arenas/orchard/compare/?a=Ash&b=Birch").json()
    assert found["verdict"] == "cannot_tell" and found["more_votes"] and found["better"] is None
    shown = text_of(page(client, "/a/orchard/compare/?a=Ash&b=Birch"))
    assert "It cannot be told yet whether Ash or Birch is better." in shown
    assert f"About {found['more_votes']:,} more votes" in shown
    assert f"about {found['more_votes']:,} more votes" in text_of(page(client, "/a/orchard/competitors/Ash/"))
    assert client.get("/api/v1/arenas/orchard/compare/?a=Ash&b=Dogwood").json() == {
        **dict.fromkeys(("better", "difference", "lower", "upper", "more_votes")), "verdict": "too_few", "votes": 0.0,
    }  # fmt: skip


# Competitor


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
    found = profile.cost_of_thousand(competitor, profile.Answered(1, {}, *tokens))
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
def test_who_votes_here_is_not_told_who_wrote_recorded_answers(
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
    judge("Cedar", "Dogwood", "a", voter=Voter.objects.create(user=admin_user))
    shown = page(admin_client, "/a/orchard/competitors/Ash/")
    assert "Recorded question" not in shown and "because you vote here" in shown


# Integrity


@transactional
def test_shares_are_those_of_a_count_by_hand(client: Any, published: Snapshot, sample: Arena) -> None:
    Competitor.objects.filter(name="Ash").update(organization="Other")
    told = [battle for battle in Battle.objects.select_related("vote", "competitor_a", "competitor_b")
            if hasattr(battle, "vote") or battle.expires_at <= Battle.objects.latest("id").served_at.replace(
                hour=0, minute=0, second=0, microsecond=0)]  # fmt: skip
    served = Counter(side.name for battle in told for side in (battle.competitor_a, battle.competitor_b))
    body = client.get("/a/sample/integrity.json").json()
    assert body == client.get("/api/v1/arenas/sample/integrity/").json()
    assert {row["name"]: row["battles"] for row in body["competitors"]} == served
    assert body["battles"]["served"] == 600 and body["battles"]["told"] == len(told) < 600
    assert body["battles"]["judged"] == Vote.objects.count()
    assert body["battles"]["expired"] == len(told) - Vote.objects.count()
    shown = text_of(page(client, "/a/sample/integrity/"))
    for name, count in served.items():
        assert f"{name} {count} {count / served.total() * 100:.1f} %" in shown
    providers = {row["organization"]: row for row in body["providers"]}
    assert providers["Nursery"]["battles"] == served.total() - served["Ash"]
    assert (providers["Nursery"]["variants"], providers["Other"]["even_share"]) == (3, 0.25)
    for row in json.loads(published.board_json)["board"]:  # the same count as the board's
        assert row["battles_served"] == served[row["model_name"]]
    for value in (published.data_sha256, f"verify_snapshot {published.pk}", f"Seed {published.seed}"):
        assert value in shown


@transactional
def test_ends_of_battles_are_counted_by_reason(client: Any, orchard: Arena, judge: Any, now: datetime) -> None:
    long_ago = now - timedelta(days=3)
    for state, reason in (("void", "side_failed"), ("void", "stopped"), ("void", "stopped"), ("skipped", ""),
                          ("served", ""), ("complete", ""), ("expired", "")):  # fmt: skip
        serve(orchard, "Ash", "Cedar", state, long_ago, void_reason=reason)
    serve(orchard, "Ash", "Cedar", "skipped", now)
    prompts = PromptSet.objects.create(arena=orchard, name="Set")
    prompt = Prompt.objects.create(prompt_set=prompts, key="1", text="Why?")
    votes = [judge("Ash", "Birch", "a") for _ in range(4)]
    Battle.objects.filter(pk__in=[vote.battle_id for vote in votes]).update(prompt=prompt)
    Battle.objects.filter(pk=votes[2].battle_id).update(policy="overlap")
    Battle.objects.filter(pk=votes[3].battle_id).update(policy="repeat", repeat_of=votes[0].battle_id)
    Arena.objects.filter(pk=orchard.pk).update(overlap_share=0.2, repeat_share=0.1)
    publish_snapshot(orchard, now=now)
    body = client.get("/a/orchard/integrity.json").json()
    assert body["battles"] == {
        "served": 12, "told": 11, "judged": 4, "skipped": 1, "expired": 3, "void": {"side_failed": 1, "stopped": 2},
        "by_policy": {"overlap": 1, "repeat": 1, "uniform": 9}, "on_prompts": 4, "overlaps": 1, "repeats": 1,
    }  # fmt: skip
    shown = text_of(page(client, "/a/orchard/integrity/"))
    for said in ("void: the voter stopped it 2", "expired without a vote 3", "Overlap 20 % 25.0 % 1",
                 "Repeats 10 % 25.0 % 1", "11 of 12 battles"):  # fmt: skip
        assert said in shown, said


@transactional
def test_variants_and_retirements_stand_before_the_first_snapshot(client: Any, orchard: Arena, now: datetime) -> None:
    Competitor.objects.filter(name="Cedar").update(retired_at=now)
    body = client.get("/a/orchard/integrity.json").json()
    assert body["snapshot"] is None and body["battles"] is None and body["competitors"] == []
    assert [(row["variants"], row["retired"]) for row in body["providers"]] == [(4, 1)]
    assert "Nothing is published here yet" in page(client, "/a/orchard/integrity/")
    assert "Pairs that met least" in page(client, "/a/orchard/integrity/")


# All of them


@transactional
@pytest.mark.parametrize("access", ["invite", "private"])
@pytest.mark.parametrize("address", [*PAGES, "agreement/"])
def test_outsiders_find_nothing_in_a_closed_arena(
    client: Any, published: Snapshot, sample: Arena, access: str, address: str
) -> None:
    Arena.objects.filter(pk=sample.pk).update(access=access)
    page(client, f"/a/sample/{address}", 404)
    for room in ("compare/?a=Ash&b=Birch", "integrity/"):
        assert client.get(f"/api/v1/arenas/sample/{room}").status_code == 404


@transactional
@pytest.mark.parametrize("address", PAGES)
def test_rooms_are_only_read(client: Any, published: Snapshot, address: str) -> None:
    assert client.post(f"/a/sample/{address}").status_code == 405


@transactional
@pytest.mark.parametrize("address", PAGES)
def test_rooms_change_only_with_a_publication(
    client: Any, orchard: Arena, judge: Any, now: datetime, address: str
) -> None:
    for winner in ("a", "b", "tie"):
        judge("Ash", "Birch", winner)
    publish_snapshot(orchard, now=now)
    before = page(client, f"/a/orchard/{address}")
    judge("Ash", "Cedar", "a")
    serve(orchard, "Ash", "Dogwood", "answering", now)
    serve(orchard, "Ash", "Dogwood", "void", now - timedelta(days=9), void_reason="side_failed")
    forget()
    assert page(client, f"/a/orchard/{address}") == before
    publish_snapshot(orchard, now=now + timedelta(minutes=5))
    if address != "compare/":
        assert page(client, f"/a/orchard/{address}") != before


def forget() -> None:
    """As a process that has just started, which counts everything anew."""
    from arena.leaderboards import agreeing, shares

    for kept in (shares._served, profile._answered, agreeing._measured):
        kept.cache_clear()


@transactional
def test_hostile_names_are_escaped_and_have_their_addresses(
    client: Any, orchard: Arena, judge: Any, now: datetime
) -> None:
    Competitor.objects.filter(name="Ash").update(name=HOSTILE, organization="<i>Org", description="<i>Words")
    Competitor.objects.filter(name="Birch").update(name="Бук/../🌳")
    for name, other in ((HOSTILE, "Бук/../🌳"), (HOSTILE, "Cedar")):
        by = {c.name: c for c in Competitor.objects.filter(arena=orchard)}
        battle = Battle.objects.create(
            arena=orchard, voter=Voter.objects.create(), competitor_a=by[name], competitor_b=by[other], seed="0",
            policy="uniform", draw_probability=0.5, stream_mode="paced", state="complete", served_at=now,
            expires_at=now,
        )  # fmt: skip
        Vote.objects.create(battle=battle, voter=battle.voter, winner="a", created_at=now)
    publish_snapshot(orchard, now=now)
    for name in (HOSTILE, "Бук/../🌳", "Cedar"):
        shown = page(client, reverse("leaderboards:competitor", args=("orchard", name)))
        assert "<b>Ash" not in shown and "<i>" not in shown
        links = re.findall(r'href="(/a/orchard/(?:compare|competitors)/[^"]+)"', shown)
        assert len(links) >= 4
        for link in links:
            page(client, link.replace("&amp;", "&"))
        ElementTree.fromstring(client.get(reverse("leaderboards:history_svg", args=("orchard", name))).content)
    shown = page(client, f"/a/orchard/compare/?a={quote(HOSTILE)}&b=Cedar")
    assert "<b>Ash" not in shown and "&lt;b&gt;Ash" in shown
    assert "<b>Ash" not in page(client, "/a/orchard/integrity/")


@transactional
@pytest.mark.parametrize(
    ("address", "most"), [("compare/?a=Ash&b=Birch", 6), ("competitors/Ash/", 9), ("integrity/", 6)]
)
def test_a_room_costs_the_same_queries_however_many_rows(
    client: Any, published: Snapshot, sample: Arena, now: datetime, django_assert_max_num_queries: Any, address: str,
    most: int,
) -> None:  # fmt: skip
    with django_assert_max_num_queries(most):
        page(client, f"/a/sample/{address}")


@transactional
def test_the_vote_page_leads_to_no_competitor(client: Any, orchard: Arena) -> None:
    Arena.objects.filter(pk=orchard.pk).update(kind="live")
    assert "/competitors/" not in page(client, "/a/orchard/")


@transactional
def test_the_board_leads_to_every_room(client: Any, published: Snapshot) -> None:
    board = page(client, "/a/sample/leaderboard/")
    for name in ("Ash", "Birch", "Cedar", "Dogwood"):
        assert f'href="/a/sample/competitors/{name}/"' in board
    assert 'href="/a/sample/integrity/"' in board and 'href="/a/sample/compare/"' in board
    settle = re.findall(r'href="(/a/sample/compare/\?[^"]+)"', board)
    assert len(settle) == sum(row[2] == "cannot_tell" and bool(row[8]) for row in published.page["verdicts"])
    for link in settle:
        assert "cannot be told" in page(client, link.replace("&amp;", "&"))
