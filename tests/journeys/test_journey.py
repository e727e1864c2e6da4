"""The main job in a real browser: prompt, two streamed answers, keyboard vote, reveal, next; recorded arena; board."""

from __future__ import annotations

import csv
import io
import urllib.request
from typing import Any

import pytest

from tests.journeys.steps import axe_findings, kill_web, names, page_of, wait_until_votable

pytestmark = pytest.mark.browser


@pytest.mark.models
def test_a_voter_judges_two_real_models_without_touching_the_mouse(instance: Any, browser: Any) -> None:
    page = page_of(browser)
    page.goto(f"{instance.url}/a/live/")
    assert axe_findings(page) == []
    page.get_by_label("Your prompt").fill("Name three fruits and say why you like them.")
    page.keyboard.press("Enter")
    page.get_by_role("region", name="Answer A").wait_for()
    page.get_by_role("region", name="Answer B").wait_for()
    assert page.get_by_role("button", name="A is better", exact=True).is_disabled()
    wait_until_votable(page)
    for side in "AB":
        assert len(page.get_by_role("region", name=f"Answer {side}", exact=True).inner_text()) > 20
    assert axe_findings(page) == []
    assert "smollm2" not in page.content().lower()
    page.keyboard.press("ArrowLeft")
    first, second = names(page)
    assert first != second
    assert first.startswith("smollm2") and second.startswith("smollm2")
    assert axe_findings(page) == []
    page.keyboard.press("Enter")
    page.get_by_label("Your prompt").wait_for()
    assert page.foreign == []


def test_a_voter_judges_recorded_answers_and_the_board_shows_it(instance: Any, browser: Any) -> None:
    page = page_of(browser)
    page.goto(f"{instance.url}/a/recorded/")
    page.get_by_role("button", name="Start voting").click()
    seen = set()
    for number in range(8):
        wait_until_votable(page)
        assert "smollm2" not in page.content().lower()
        page.keyboard.press(("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown")[number % 4])
        seen.update(names(page))
        page.keyboard.press("n")
    wait_until_votable(page)
    instance.manage("publish_leaderboard", "recorded")
    page.goto(f"{instance.url}/a/recorded/leaderboard/")
    for name in seen:
        assert page.get_by_text(name, exact=True).count() >= 1
    assert axe_findings(page) == []
    with urllib.request.urlopen(f"{instance.url}/a/recorded/leaderboard.csv") as answer:
        rows = list(csv.DictReader(io.StringIO(answer.read().decode())))
    assert seen <= {row["model_name"] for row in rows}
    assert sum(float(row["vote_count"]) for row in rows) >= 16
    assert page.foreign == []


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("dark", [False, True])
def test_every_page_fits_reads_and_has_no_finding(instance: Any, browser: Any, width: int, dark: bool) -> None:
    page = page_of(browser, width=width, dark=dark)
    page.goto(f"{instance.url}/a/recorded/")
    page.get_by_role("button", name="Start voting").click()
    wait_until_votable(page)
    steps = [
        "/",
        "/a/live/",
        "/a/sample/",
        "/a/sample/leaderboard/",
        "/a/recorded/",
        "/a/recorded/leaderboard/",
        "/a/none/",
    ]
    for path in steps:
        page.goto(instance.url + path)
        sideways = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert sideways <= 0, f"{path} scrolls sideways by {sideways} px"
        assert axe_findings(page) == [], path
    page.goto(f"{instance.url}/a/recorded/")
    page.keyboard.press("ArrowUp")
    names(page)
    assert axe_findings(page) == []
    assert page.foreign == []


def test_an_upset_server_is_no_upset_voter(instance: Any, browser: Any) -> None:
    """The web process is killed; the page recovers without a reload and the vote is saved once."""
    page = page_of(browser)
    page.goto(f"{instance.url}/a/recorded/")
    page.get_by_role("button", name="Start voting").click()
    wait_until_votable(page)
    kill_web(instance)
    page.keyboard.press("ArrowLeft")
    assert len(names(page)) == 2


def test_the_first_page_is_light(instance: Any, browser: Any) -> None:
    for path in ("/a/live/", "/a/sample/leaderboard/"):
        page = page_of(browser)
        sizes: list[int] = []
        page.on("requestfinished", lambda request, sizes=sizes: sizes.append(request.sizes()["responseBodySize"]))
        page.goto(instance.url + path, wait_until="networkidle")
        assert len(sizes) <= 15
        assert sum(sizes) <= 150_000
