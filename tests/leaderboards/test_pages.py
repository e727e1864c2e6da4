"""The board as a page, CSV, JSON and charts: one source, words for what is not known."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any
from xml.etree import ElementTree

import pytest

from arena.battles.words import Winner
from arena.competitors.models import Competitor
from arena.leaderboards import charts, reading, standing
from arena.leaderboards.models import Snapshot
from arena.leaderboards.publishing import publish_snapshot
from arena.leaderboards.sentences import joined, top_sentence
from arena.teams.models import Arena

transactional = pytest.mark.django_db(transaction=True)
FACTS = {
    "votes": 412, "voters": 9, "groups": 1, "leader": "A", "level": [], "undecided": [], "behind": ["B"],
    "too_few": [], "more_votes": None, "needs_new_voters": False, "margin": 10.0,
}  # fmt: skip


@pytest.fixture
def published(sample: Arena, now: datetime) -> Snapshot:
    return publish_snapshot(sample, now=now)


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


@pytest.mark.django_db
def test_the_page_shows_every_figure_of_the_snapshot(client: Any, published: Snapshot) -> None:
    page = client.get("/a/sample/leaderboard/").content.decode()
    for row in json.loads(published.board_json)["board"]:
        line = text_of(page[page.index(f"<strong>{row['model_name']}</strong>") :].split("</tr>")[0])
        half = (row["rating_upper"] - row["rating_lower"]) / 2
        for figure in (
            f"{row['rating']:.0f}", f"± {half:.0f}", f"{row['vote_count']:.0f}", f"{row['win_rate'] * 100:.0f} %",
            f"{row['tie_rate'] * 100:.0f} %", f"{row['both_bad_rate'] * 100:.0f} %",
            f"{row['median_first_token_ms']:,.0f} ms", f"{row['tokens_per_second']:.0f}",
        ):  # fmt: skip
            assert figure in line, (row["model_name"], figure, line)
    assert published.data_sha256 in page and f"verify_snapshot {published.pk}" in page


@pytest.mark.django_db
def test_a_simulated_board_says_so_on_page_and_json(client: Any, published: Snapshot) -> None:
    assert "simulated" in text_of(client.get("/a/sample/leaderboard/").content.decode())
    assert client.get("/a/sample/leaderboard.json").json()["snapshot"]["is_simulated"] is True


@transactional
@pytest.mark.parametrize("file", ["leaderboard.csv", "leaderboard/matrix.csv", "leaderboard/matrix.svg",
                                  "leaderboard/intervals.svg"])  # fmt: skip
def test_files_of_simulated_votes_say_so_wherever_they_go(
    client: Any, published: Snapshot, sample: Arena, file: str
) -> None:
    answer = client.get(f"/a/sample/{file}")
    assert "sample-simulated-" in answer["Content-Disposition"]
    assert file.endswith(".csv") or b">Every vote here is simulated" in answer.content
    Arena.objects.filter(pk=sample.pk).update(is_simulated=False)
    answer = client.get(f"/a/sample/{file}")
    assert "Content-Disposition" not in answer.headers
    assert b"is simulated" not in answer.content


@transactional
def test_no_shared_cache_keeps_a_private_board(admin_client: Any, published: Snapshot, sample: Arena) -> None:
    assert "Cache-Control" not in admin_client.get("/a/sample/leaderboard.csv").headers
    Arena.objects.filter(pk=sample.pk).update(access="private")
    assert "private" in admin_client.get("/a/sample/leaderboard.csv")["Cache-Control"]


@pytest.mark.django_db
def test_downloads_are_the_published_bytes(client: Any, published: Snapshot) -> None:
    for kind, stored in (("csv", published.board_csv), ("json", published.board_json)):
        answer = client.get(f"/a/sample/leaderboard.{kind}")
        assert answer.content.decode() == stored
        again = client.get(f"/a/sample/leaderboard.{kind}", headers={"If-None-Match": answer["ETag"]})
        assert again.status_code == 304 and not again.content


@pytest.mark.django_db
def test_before_the_first_snapshot_everything_is_defined(client: Any, orchard: Arena) -> None:
    assert "Nothing is published here yet" in client.get("/a/orchard/leaderboard/").content.decode()
    assert client.get("/a/orchard/leaderboard.json").json()["board"] == []
    assert client.get("/a/orchard/leaderboard.csv").content.startswith(b"model_name,organization,license,rating,")
    assert client.get("/a/orchard/leaderboard/matrix.svg").status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["leaderboard/", "leaderboard.csv", "leaderboard.json", "leaderboard/matrix.svg"])
def test_boards_are_only_read_and_unknown_arenas_are_404(client: Any, published: Snapshot, address: str) -> None:
    assert client.post(f"/a/sample/{address}").status_code == 405
    assert client.get(f"/a/nowhere/{address}").status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("access", ["invite", "private"])
def test_a_board_is_for_whom_the_arena_is_for(client: Any, published: Snapshot, sample: Arena, access: str) -> None:
    Arena.objects.filter(pk=sample.pk).update(access=access)
    for address in ("leaderboard/", "leaderboard.csv", "leaderboard.json", "leaderboard/intervals.svg"):
        assert client.get(f"/a/sample/{address}").status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("word", [*reading.SORTS, "nonsense"])
def test_any_sort_word_gives_all_rows(client: Any, published: Snapshot, word: str) -> None:
    page = client.get(f"/a/sample/leaderboard/?sort={word}").content.decode()
    assert all(f"<strong>{name}</strong>" in page for name in ("Ash", "Birch", "Cedar", "Dogwood"))


def test_sorting_puts_the_best_first_and_blanks_last() -> None:
    rows = [{"model_name": n, "error_rate": e, "rating": r} for n, e, r in (("x", 0.1, 3), ("y", None, 9), ("z", 0, 1))]
    assert [row["model_name"] for row in reading.sorted_rows(rows, "errors")] == ["z", "x", "y"]
    assert [row["model_name"] for row in reading.sorted_rows(rows, "rating")] == ["y", "x", "z"]


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["matrix", "intervals"])
def test_charts_stand_alone_as_svg_and_have_their_numbers_as_csv(client: Any, published: Snapshot, name: str) -> None:
    svg = client.get(f"/a/sample/leaderboard/{name}.svg")
    root = ElementTree.fromstring(svg.content)
    assert svg["Content-Type"] == "image/svg+xml" and root.attrib["role"] == "img" and root.attrib["aria-label"]
    assert all(word in svg.content.decode() for word in ("Ash", "Birch", "Cedar", "Dogwood"))
    assert client.get(f"/a/sample/leaderboard/{name}.csv").content.startswith(b"model_")


@transactional
def test_names_are_escaped_in_page_svg_and_csv(client: Any, orchard: Arena, judge: Any, now: datetime) -> None:
    Competitor.objects.filter(name="Ash").update(name='=1+"<b>Ash</b>&')
    for winner in ("a", "b", "tie"):
        judge("Ash", "Birch", winner)
    publish_snapshot(orchard, now=now)
    assert "<b>Ash" not in client.get("/a/orchard/leaderboard/").content.decode()
    for name in ("matrix", "intervals"):
        ElementTree.fromstring(client.get(f"/a/orchard/leaderboard/{name}.svg").content)
    assert "\"'=1+" in client.get("/a/orchard/leaderboard.csv").content.decode()
    assert "\"'=1+" in client.get("/a/orchard/leaderboard/matrix.csv").content.decode()


@transactional
def test_reservations_are_words(client: Any, orchard: Arena, judge: Any, now: datetime) -> None:
    for winner in ("a", "a", "a"):
        judge("Ash", "Birch", winner)
    judge("Cedar", "Dogwood", "tie")
    publish_snapshot(orchard, now=now)
    page = text_of(client.get("/a/orchard/leaderboard/").content.decode())
    assert page.count("not comparable") == 4
    assert "fall into 2 groups that never met" in page


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({"votes": 0}, "There are no votes yet."),
        ({}, "With 412 votes by 9 people, A is better than B."),
        (
            {"undecided": ["C"], "more_votes": 130},
            "With 412 votes by 9 people, A and C cannot be told apart yet: about 130 more votes on the closest pair "
            "that can be settled. A is better than B.",
        ),
        (
            {"undecided": ["C", "D"], "behind": [], "needs_new_voters": True},
            "With 412 votes by 9 people, A, C and D cannot be told apart yet: more people have to judge, not the same "
            "people more often.",
        ),
        (
            {"level": ["C"]},
            "With 412 votes by 9 people, A and C are practically equal, within 10 points. A is better than B.",
        ),
        (
            {"level": ["C"], "undecided": ["D"], "behind": [], "too_few": ["E"]},
            "With 412 votes by 9 people, A and D cannot be told apart yet. C is practically equal to A. Too few votes "
            "yet to say anything of E.",
        ),
        (
            {"leader": None, "votes": 1, "voters": 1},
            "With 1 vote by 1 person, there are too few votes to say who is better.",
        ),
    ],
)
def test_the_sentence_says_what_is_known_and_what_is_not(facts: dict[str, Any], sentence: str) -> None:
    assert top_sentence({**FACTS, **facts}) == sentence


def test_a_long_row_of_names_is_cut_and_says_so() -> None:
    assert joined(list("abcdefg")) == "a, b, c, d and 3 others"
    assert (joined([]), joined(["x"]), joined(["x", "y"])) == ("", "x", "x and y")


def test_brackets_join_only_what_cannot_be_told_apart() -> None:
    """A–B and B–C overlap, A and C do not: two runs, not one."""
    assert charts.undecided_runs(["A", "B", "C"], {frozenset("AC")}) == [charts.Run(0, 1), charts.Run(1, 2)]


def test_one_axis_holds_every_interval() -> None:
    rows = [{"rating": 1000.0, "rating_lower": 903.0, "rating_upper": 1187.0}]
    axis = charts.axis_for(rows)
    assert axis.low <= 903 and axis.high >= 1187 and axis.x(axis.low) == charts.PAD
    assert axis.x(axis.high) == charts.WIDTH - charts.PAD
    empty = charts.axis_for([])
    assert empty.low < empty.high


@pytest.mark.django_db
def test_the_reveal_hears_what_the_last_board_says_of_the_pair(sample: Arena, published: Snapshot) -> None:
    ash, dogwood = (Competitor.objects.get(arena=sample, name=name) for name in ("Ash", "Dogwood"))
    agreed = standing.of_pair(sample, (ash.pk, "Ash"), (dogwood.pk, "Dogwood"), Winner.A)
    assert agreed.heading == "You agree with the board so far" and "Settled: A leads" in agreed.sentences[1]
    turned = standing.of_pair(sample, (dogwood.pk, "Dogwood"), (ash.pk, "Ash"), Winner.A)
    assert turned.heading == "The board so far says otherwise" and "Settled: B leads" in turned.sentences[1]
    a_won, b_won = (re.search(r"(\d+) for A, (\d+) for B", s.sentences[0]) for s in (agreed, turned))
    assert a_won and b_won and a_won.groups() == b_won.groups()[::-1]
    assert standing.of_pair(sample, (ash.pk, "Ash"), (dogwood.pk, "Dogwood"), Winner.TIE).heading == "The board so far"


@pytest.mark.django_db
def test_the_reveal_says_nothing_of_a_board_that_is_not_there(orchard: Arena) -> None:
    said = standing.of_pair(orchard, (1, "Ash"), (2, "Birch"), Winner.A)
    assert said.heading == "Nothing is published yet" and not said.board


@pytest.mark.django_db
def test_a_page_costs_the_same_queries_for_any_board(
    client: Any, published: Snapshot, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(8):  # what the snapshot can be parted by is asked once
        client.get("/a/sample/leaderboard/")
    with django_assert_max_num_queries(4):
        client.get("/a/sample/leaderboard/")
