"""Boards of a part of the votes and under style control: what they count, what they refuse, and when they change."""

from __future__ import annotations

import csv
import io
import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

import ratings
from arena.battles.models import Battle, Response, Turn, Vote
from arena.competitors.models import Competitor
from arena.leaderboards import facets, sliced, styling
from arena.leaderboards.facets import Facets
from arena.leaderboards.models import Snapshot
from arena.leaderboards.publishing import publish_snapshot
from arena.leaderboards.slices import PARAMETERS, STYLES, Slice, SliceRefused, parsed
from arena.prompts.models import Prompt, PromptSet
from arena.teams.models import Arena, Voter
from ratings.scale import POINTS

transactional = pytest.mark.django_db(transaction=True)
KNOWN = Facets(categories=("coding", "writing"), languages=("de", "en"), prompt_sets=("starter",))
PAGE, CSV, JSON = "leaderboard/", "leaderboard.csv", "leaderboard.json"


def forget() -> None:
    """As a process that has just started."""
    sliced.forget()
    facets._facets.cache_clear()


@pytest.fixture(autouse=True)
def no_part_remembered() -> Iterator[None]:
    forget()
    yield


@pytest.fixture
def library(sample: Arena, now: datetime) -> Arena:
    """The sample's battles spread over prompts of two sets, two categories and two languages; a third of the voters
    have accounts."""
    sets = [PromptSet.objects.create(arena=sample, name=name) for name in ("autumn", "spring")]
    prompts = [
        Prompt.objects.create(prompt_set=sets[k % 2], key=f"p{k}", text="?", category=category, language=language)
        for k, (category, language) in enumerate(
            [("coding", "en"), ("coding", "de"), ("writing", "en"), ("writing", "de"), ("", ""), ("coding", "en")]
        )
    ]
    battles = list(Battle.objects.filter(arena=sample).order_by("id"))
    for k, battle in enumerate(battles):
        battle.prompt = prompts[k * 7 % len(prompts)] if k % 11 else None
    Battle.objects.bulk_update(battles, ["prompt"])
    for k, voter in enumerate(Voter.objects.order_by("id")):
        if k % 3 == 0:
            voter.user = get_user_model().objects.create_user(f"u{k}")
            voter.save(update_fields=["user"])
    publish_snapshot(sample, now=now)
    return sample


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
    forget()
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
        forget()
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
