"""Boards of a part of the votes and under style control: what they count, what they refuse, and when they change."""

from __future__ import annotations

import csv
import io
import json
import re
import threading
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from arena.battles.models import Battle, Vote
from arena.competitors.models import Competitor
from arena.leaderboards import facets, sliced
from arena.leaderboards.facets import Facets
from arena.leaderboards.models import Snapshot
from arena.leaderboards.publishing import publish_snapshot
from arena.leaderboards.slices import PARAMETERS, STYLES, Slice, SliceRefused, parsed
from arena.prompts.models import Prompt, PromptSet
from arena.teams.models import Arena, Voter
from tests.leaderboards.conftest import forget_parts

transactional = pytest.mark.django_db(transaction=True)
KNOWN = Facets(categories=("coding", "writing"), languages=("de", "en"), prompt_sets=("starter",))
PAGE, CSV, JSON = "leaderboard/", "leaderboard.csv", "leaderboard.json"


def brute(arena: Arena, **asked: Any) -> list[Vote]:
    """The votes of a part, one after the other."""
    found = []
    for vote in Vote.objects.filter(battle__arena=arena).select_related("battle__prompt__prompt_set", "voter"):
        prompt = vote.battle.prompt
        facts = {
            "category": prompt.category if prompt else "",
            "language": prompt.language if prompt else "",
            "set": prompt.prompt_set.name if prompt else "",
            "voters": "anonymous" if vote.voter.user_id is None else "account",
        }
        day = vote.created_at.date().isoformat()
        if asked.get("since", day) <= day <= asked.get("until", day) and all(
            facts[name] == value for name, value in asked.items() if name in facts
        ):
            found.append(vote)
    return found


GOOD = ("category=coding", "style=on")
PARTS = [
    {"category": "coding"},
    {"category": "writing", "language": "de"},
    {"set": "spring"},
    {"voters": "account"},
    {"voters": "anonymous", "language": "en"},
    {"since": "2026-02-10"},
    {"since": "2026-02-10", "until": "2026-02-10"},
    {"until": "2026-02-01", "category": "coding"},
    {"category": "coding", "style": "on"},
]


@pytest.mark.django_db
@pytest.mark.parametrize("asked", PARTS)
def test_a_part_counts_the_votes_that_belong_to_it_and_no_others(
    client: Any, library: Arena, asked: dict[str, str]
) -> None:
    body = client.get(f"/a/sample/{JSON}", asked).json()
    votes = brute(library, **asked)
    assert 0 < len(votes) < Vote.objects.count()
    labels = {row.pk: row.label for row in Competitor.objects.all()}
    played, wins = Counter[str](), Counter[str]()
    for vote in votes:
        a, b = labels[vote.battle.competitor_a_id], labels[vote.battle.competitor_b_id]
        played.update((a, b))
        wins.update({"a": [a], "b": [b]}.get(vote.winner, []))
    assert {row["model_name"]: row["vote_count"] for row in body["board"]} == dict(played)
    assert {row["model_name"]: round(row["win_rate"] * row["vote_count"]) for row in body["board"]} == {
        name: wins[name] for name in played
    }
    assert body["data"]["votes"] == len(votes)
    assert body["data"]["voters"] == len({vote.voter_id for vote in votes})
    assert {name: value for name, value in body["slice"].items() if name in asked} == asked
    assert {row["category"] for row in body["board"]} == {asked.get("category", "all")}


@pytest.mark.django_db
@pytest.mark.parametrize("asked", [{}, {"sort": "votes"}, {"category": ""}, {"style": "off"}])
def test_without_a_choice_the_published_bytes_are_answered(
    client: Any, library: Arena, asked: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sliced, "compute", lambda *_: pytest.fail("the whole board is published already"))
    snapshot = Snapshot.objects.get()
    assert client.get(f"/a/sample/{JSON}", asked).content.decode() == snapshot.board_json
    assert client.get(f"/a/sample/{CSV}", asked).content.decode() == snapshot.board_csv


@pytest.mark.django_db
def test_the_plain_ratings_beside_a_controlled_board_are_the_published_ones(client: Any, library: Arena) -> None:
    published = {row["model_name"]: row["rating"] for row in json.loads(Snapshot.objects.get().board_json)["board"]}
    controlled = client.get(f"/a/sample/{JSON}?style=on").json()
    assert {row["model_name"]: row["rating_plain"] for row in controlled["board"]} == published
    assert any(row["rating"] != row["rating_plain"] for row in controlled["board"])
    assert controlled["method"]["style"] == list(STYLES) == list(controlled["parameters"]["style"])


@pytest.mark.django_db
@pytest.mark.parametrize(
    "asked", [{"category": "coding"}, {"style": "length,bold"}, {"voters": "account", "style": "on"}]
)
def test_page_csv_json_and_api_agree(client: Any, library: Arena, asked: dict[str, str]) -> None:
    answered = client.get(f"/a/sample/{JSON}", asked)
    rows = answered.json()["board"]
    assert client.get("/api/v1/arenas/sample/leaderboard/", asked).content == answered.content
    table = list(csv.DictReader(io.StringIO(client.get(f"/a/sample/{CSV}", asked).content.decode())))
    page = client.get(f"/a/sample/{PAGE}", asked).content.decode()
    assert len(rows) == len(table) == 4
    for row, line in zip(rows, table, strict=True):
        for name in ("rating", "rating_plain", "rating_lower", "vote_count"):
            assert float(line[name]) == row[name]
        assert (line["model_name"], line["category"]) == (row["model_name"], row["category"])
        shown = re.sub(r"<[^>]+>", " ", page[page.index(f"<strong>{row['model_name']}</strong>") :].split("</tr>")[0])
        assert f" {row['rating']:.0f} " in shown
        assert ("style" not in asked) or f" {row['rating_plain']:.0f} " in shown


@pytest.mark.django_db
def test_a_vote_after_the_snapshot_changes_nothing_until_the_next_one(
    client: Any, library: Arena, now: datetime
) -> None:
    addresses = [f"/a/sample/{kind}?{part}" for kind in (PAGE, CSV, JSON) for part in ("category=coding", "style=on")]

    def seen() -> list[str]:
        texts = [client.get(address).content.decode() for address in addresses]
        return [re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text) for text in texts]

    before = seen()
    battle = Battle.objects.filter(vote__isnull=True).first()
    assert battle is not None
    Battle.objects.filter(pk=battle.pk).update(prompt=Prompt.objects.filter(category="coding").first())
    Vote.objects.create(battle=battle, voter=battle.voter, winner="a", created_at=now)
    forget_parts()
    assert seen() == before
    publish_snapshot(library, now=now + timedelta(minutes=5))
    votes = client.get(f"/a/sample/{JSON}?category=coding").json()["data"]["votes"]
    assert votes == len(brute(library, category="coding"))
    assert all(new != old for new, old in zip(seen(), before, strict=True))


@pytest.mark.django_db
def test_a_part_names_its_snapshot_and_is_seeded_by_its_number(client: Any, library: Arena, now: datetime) -> None:
    publish_snapshot(library, now=now + timedelta(minutes=5))
    body = client.get(f"/a/sample/{JSON}?language=de").json()
    last = Snapshot.objects.get(number=2)
    assert body["method"]["seed"] == body["snapshot"]["snapshot"] == 2
    assert body["snapshot"]["cutoff"]["vote"] == last.cutoff_vote_id
    assert body["data"]["sha256"] != last.data_sha256 and len(body["data"]["sha256"]) == 64
    sliced.forget()
    assert client.get(f"/a/sample/{JSON}?language=de").json() == body


@pytest.mark.parametrize(
    ("query", "part"),
    [
        ({}, Slice()),
        ({"category": ["coding"], "sort": ["votes"]}, Slice(category="coding")),
        ({"language": ["de"], "set": ["starter"]}, Slice(language="de", prompt_set="starter")),
        ({"voters": ["anonymous"], "since": ["2026-02-01"]}, Slice(voters="anonymous", since=date(2026, 2, 1))),
        ({"until": [""], "style": ["on"]}, Slice(style=STYLES)),
        ({"style": ["bold,length"]}, Slice(style=("length", "bold"))),
        ({"style": ["length,headers,lists,bold"]}, Slice(style=STYLES)),
        ({"style": ["off"]}, Slice()),
    ],
)
def test_an_address_says_which_part_it_wants(query: dict[str, list[str]], part: Slice) -> None:
    assert parsed(query, KNOWN) == part
    again = {name: [value] for name, value in part.query().items()}
    assert parsed(again, KNOWN) == part


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"category": ["cooking"]}, "category=cooking | coding, writing"),
        ({"language": ["fr"]}, "language=fr | de, en"),
        ({"set": ["x" * 200]}, f"set={'x' * 59}… | starter"),
        ({"voters": ["all"]}, "voters=all | account, anonymous"),
        ({"since": ["1 Feb"]}, "since=1 Feb | YYYY-MM-DD"),
        ({"since": ["2026-02-30"]}, "since=2026-02-30 | YYYY-MM-DD"),
        ({"since": ["20260201"]}, "since=20260201 | YYYY-MM-DD"),
        ({"until": ["٢٠٢٦-٠٢-٠١"]}, "until=٢٠٢٦-٠٢-٠١ | YYYY-MM-DD"),
        ({"since": ["2026-02-02"], "until": ["2026-02-01"]}, "until=2026-02-01 | 2026-02-02"),
        ({"style": ["length,size"]}, "style=length,size | on, off, length, headers, lists, bold"),
        ({"style": [","]}, "style=, | length"),
        ({"category": ["coding", "writing"]}, "category=coding + writing"),
        ({"catgory": ["coding"]}, f"catgory | {', '.join(PARAMETERS)}"),
        ({"category": ["a\x00b"]}, "category=a�b"),
    ],
)
def test_a_refusal_names_the_parameter_its_value_and_what_is_allowed(query: dict[str, list[str]], said: str) -> None:
    with pytest.raises(SliceRefused) as refused:
        parsed(query, KNOWN)
    missing = [word for word in said.split(" | ") if word not in str(refused.value)]
    assert not missing, str(refused.value)


@pytest.mark.django_db
def test_refusals_answer_400_in_the_manner_of_what_was_asked(client: Any, library: Arena) -> None:
    page, text, body, api = (
        client.get(address, {"category": "<b>"})
        for address in (
            f"/a/sample/{PAGE}",
            f"/a/sample/{CSV}",
            f"/a/sample/{JSON}",
            "/api/v1/arenas/sample/leaderboard/",
        )
    )
    assert {answer.status_code for answer in (page, text, body, api)} == {400}
    assert "category=&lt;b&gt;" in page.content.decode() and "<b>" not in page.content.decode()
    assert text["Content-Type"].startswith("text/plain") and "coding, writing" in text.content.decode()
    assert body.json() == api.json() == {"code": "unknown_slice", "detail": text.content.decode().strip()}


@pytest.mark.django_db
@pytest.mark.parametrize("query", ["category=coding", "category=nonsense", "what=ever", "style=on"])
def test_parts_of_a_private_arena_do_not_exist_for_outsiders(
    client: Any, admin_client: Any, library: Arena, query: str
) -> None:
    Arena.objects.filter(pk=library.pk).update(access="private")
    for address in (PAGE, CSV, JSON, "leaderboard/matrix.csv"):
        assert client.get(f"/a/sample/{address}?{query}").status_code == 404
    assert client.get(f"/api/v1/arenas/sample/leaderboard/?{query}").status_code == 404
    assert admin_client.get(f"/a/sample/{PAGE}?{query}").status_code == (200 if query in GOOD else 400)


@pytest.mark.django_db
@pytest.mark.parametrize("reveal", ["end", "never"])
def test_a_voter_who_waits_for_the_names_finds_no_part_that_holds_one_vote(
    client: Any, admin_client: Any, library: Arena, reveal: str
) -> None:
    Arena.objects.filter(pk=library.pk).update(reveal=reveal)
    for query in ("category=coding", "voters=account", "since=2026-02-10", "set=spring&style=on"):
        for address in (f"/a/sample/{PAGE}", f"/a/sample/{JSON}", "/a/sample/leaderboard/matrix.csv",
                        "/api/v1/arenas/sample/leaderboard/"):  # fmt: skip
            assert client.get(f"{address}?{query}").status_code == 403
        assert admin_client.get(f"/a/sample/{JSON}?{query}").status_code == 200
    page = client.get(f"/a/sample/{PAGE}?style=on").content.decode()
    assert 'class="seg"' in page and 'class="filters"' not in page


@transactional
def test_before_the_first_snapshot_a_part_is_an_empty_board(client: Any, orchard: Arena) -> None:
    assert client.get(f"/a/orchard/{JSON}?style=on").json()["board"] == []
    assert "Nothing is published here yet" in client.get(f"/a/orchard/{PAGE}?since=2026-01-01").content.decode()
    assert client.get(f"/a/orchard/{JSON}?category=coding").status_code == 400


@pytest.mark.django_db
def test_a_part_without_votes_is_defined(client: Any, library: Arena) -> None:
    for query in ("since=2027-01-01", "since=2027-01-01&style=on", "since=0001-01-01&until=0001-01-01"):
        assert client.get(f"/a/sample/{JSON}?{query}").json()["board"] == []
        page = client.get(f"/a/sample/{PAGE}?{query}")
        assert page.status_code == 200 and "aria-current" in page.content.decode()
    assert client.get(f"/a/sample/{JSON}?since=0001-01-01&until=9999-12-31").json()["data"]["votes"] > 500


@transactional
def test_two_groups_inside_a_part_are_not_ranked(client: Any, orchard: Arena, judge: Any, now: datetime) -> None:
    """All four are connected by votes on prompts of no category; among those on coding there are two pairs."""
    coding = Prompt.objects.create(
        prompt_set=PromptSet.objects.create(arena=orchard, name="s"), key="k", text="?", category="coding"
    )
    people = [Voter.objects.create() for _ in range(3)]
    for first, second, is_coding in (("Ash", "Birch", True), ("Cedar", "Dogwood", True), ("Birch", "Cedar", False)):
        for k, winner in enumerate("abaabab"):
            vote = judge(first, second, winner, voter=people[k % 3])
            Battle.objects.filter(pk=vote.battle_id).update(prompt=coding if is_coding else None)
    publish_snapshot(orchard, now=now)
    whole = client.get(f"/a/orchard/{JSON}").json()["board"]
    assert all(row["rank"] for row in whole)
    part = client.get(f"/a/orchard/{JSON}?category=coding").json()
    assert [(row["rank"], row["status"]) for row in part["board"]] == [(None, "not_comparable")] * 4
    assert sorted(part["components"]) == [["Ash", "Birch"], ["Cedar", "Dogwood"]]
    assert "fall into 2 groups" in client.get(f"/a/orchard/{PAGE}?category=coding").content.decode()


@pytest.mark.django_db
def test_the_page_offers_what_has_votes_behind_it(client: Any, library: Arena) -> None:
    page = client.get(f"/a/sample/{PAGE}?category=coding&sort=votes").content.decode()
    offered = page[page.index('class="filters"') : page.index('class="boardbox"')]
    for link in ("category=writing&amp;sort=votes", "category=coding&amp;language=de", "category=coding&amp;set=spring",
                 "voters=account", "since=2026-02-22", "category=coding&amp;style=on"):  # fmt: skip
        assert link in offered, link
    assert re.findall(r'aria-current="true">([^<]+)', offered) == ["coding", "All", "All", "All", "The start", "Plain"]
    for link in re.findall(r'href="(\?[^"]*)"', page):
        assert client.get(f"/a/sample/{PAGE}{link.replace('&amp;', '&')}").status_code == 200


@transactional
def test_an_arena_without_categories_offers_none(client: Any, orchard: Arena, judge: Any, now: datetime) -> None:
    unused = PromptSet.objects.create(arena=orchard, name="unused")
    Prompt.objects.create(prompt_set=unused, key="k", text="?", category="coding", language="en")
    judge("Ash", "Birch", "a", at=now)
    publish_snapshot(orchard, now=now)
    page = client.get(f"/a/orchard/{PAGE}").content.decode()
    assert 'class="filters"' not in page and 'class="seg"' not in page


@pytest.mark.django_db
def test_a_process_remembers_a_bounded_number_of_boards_and_makes_each_once(
    library: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Slice] = []
    monkeypatch.setattr(sliced, "compute", lambda _, part: made.append(part) or sliced.Sliced("", "", {}))
    snapshot = Snapshot.objects.get()
    parts = [Slice(since=date(2026, 1, 1) + timedelta(days=k)) for k in range(sliced.KEPT + 10)]
    for part in parts:
        sliced.board_of(snapshot, part)
        sliced.board_of(snapshot, parts[0])  # in use, so that it stays
    assert len(sliced._boards) == sliced.KEPT
    assert made == parts


@transactional
def test_parts_are_counted_one_at_a_time_and_who_waits_too_long_is_asked_to_come_back(
    client: Any, orchard: Arena, judge: Any, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge("Ash", "Birch", "a", at=now)
    publish_snapshot(orchard, now=now)
    monkeypatch.setattr(sliced, "PATIENCE", 0.05)
    with sliced._counting:
        answers: list[Any] = []
        waiting = threading.Thread(target=lambda: answers.append(client.get(f"/a/orchard/{JSON}?voters=anonymous")))
        waiting.start()
        waiting.join(10)
    assert answers[0].status_code == 503 and answers[0]["Retry-After"] == "5" and answers[0].json()["code"] == "busy"
    assert client.get(f"/a/orchard/{JSON}?voters=anonymous").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("part", [Slice(category="coding"), Slice(voters="account", style=STYLES)])
def test_queries_do_not_grow_with_votes(library: Arena, part: Slice) -> None:
    snapshot = Snapshot.objects.select_related("arena").get()
    asked = []
    for last in (Vote.objects.order_by("id")[99].pk, snapshot.cutoff_vote_id):
        snapshot.cutoff_vote_id = last
        forget_parts()
        with CaptureQueriesContext(connection) as queries:
            facets.facets_of(snapshot)
            made = sliced.compute(snapshot, part)
        asked.append((json.loads(made.json)["data"]["votes"], len(queries)))
    (few, before), (many, after) = asked
    assert many > 3 * few
    assert before == after <= 11


@pytest.mark.django_db
def test_a_files_name_says_which_part_it_holds(client: Any, library: Arena) -> None:
    name = client.get(f"/a/sample/{CSV}?category=coding&style=length,bold")["Content-Disposition"]
    assert name == 'inline; filename="sample-simulated-category-coding-style-length-bold-leaderboard.csv"'


@pytest.mark.django_db
def test_charts_follow_the_part_and_verdicts_on_pairs_know_no_style(client: Any, library: Arena) -> None:
    whole, part = (client.get(f"/a/sample/leaderboard/matrix.csv{query}").content for query in ("", "?category=coding"))
    assert whole != part
    assert client.get("/a/sample/leaderboard/pairs.csv?category=coding").content.count(b"\n") == 7
    assert client.get("/a/sample/leaderboard/pairs.csv?style=on").status_code == 400
    assert client.get("/a/sample/leaderboard/intervals.svg?style=on").content.startswith(b"<?xml")


@pytest.mark.django_db
def test_the_schema_names_every_parameter(client: Any, library: Arena) -> None:
    schema = client.get("/api/schema/").content.decode()
    described = schema[
        schema.index("operationId: leaderboard") - 3000 : schema.index("operationId: leaderboard") + 3000
    ]
    assert all(
        f"name: {name}\n" in described for name in ("category", "language", "set", "voters", "since", "until", "style")
    )
