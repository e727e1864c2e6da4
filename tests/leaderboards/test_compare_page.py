"""Compare page and its API: the snapshot's verdict in a sentence, with counts that are those of the votes."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

import pytest

from arena.battles import simulating
from arena.battles.models import Vote
from arena.competitors.models import Competitor
from arena.leaderboards.models import Snapshot
from arena.leaderboards.publishing import publish_snapshot
from arena.teams.models import Arena
from tests.leaderboards.rooms import page, text_of

transactional = pytest.mark.django_db(transaction=True)


@pytest.fixture
def published(sample: Arena, now: datetime) -> Snapshot:
    return publish_snapshot(sample, now=now)


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
