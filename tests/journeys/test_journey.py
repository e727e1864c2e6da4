"""The main job in a real browser: prompt, two streamed answers, keyboard vote, reveal, next; recorded arena; board."""

from __future__ import annotations

import csv
import io
import urllib.request
from typing import Any

import pytest

from tests.journeys.steps import (
    axe_findings,
    kill_web,
    names,
    page_of,
    picture,
    sideways,
    wait_for_votes,
    wait_until_votable,
)

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


@pytest.mark.parametrize(
    ("width", "dark", "language"),
    [
        (1440, False, "en"),
        (1440, True, "en"),
        (1440, False, "de"),
        (1440, True, "de"),
        (390, True, "en"),
        (390, False, "de"),
    ],
)
def test_every_page_fits_reads_and_has_no_finding(
    instance: Any, browser: Any, width: int, dark: bool, language: str
) -> None:
    page = page_of(browser, width=width, dark=dark, language=language)

    def check(place: str) -> None:
        assert page.locator("html").get_attribute("lang") == language
        assert sideways(page) <= 0, f"{place} scrolls sideways by {sideways(page)} px"
        assert axe_findings(page) == [], place
        picture(page, f"{place.replace('/', '-')}-{width}-{'dark' if dark else 'light'}-{language}")

    for path in ("/", "/a/live/", "/a/sample/", "/a/recorded/leaderboard/", "/a/none/", "/accounts/login/"):
        page.goto(instance.url + path)
        check(path.strip("/") or "home")
    for place, query in (("styled", "style=on&sort=plain"), ("part", "voters=anonymous"), ("refused", "category=none")):
        page.goto(f"{instance.url}/a/sample/leaderboard/?{query}")
        check(place)
    page.goto(f"{instance.url}/a/sample/leaderboard/?sort=first")
    page.locator(".method summary").click()
    check("board")
    for room in ("competitors/Lampwright 3/", "compare/", "compare/?a=Lampwright 3&b=Lampwright 9", "integrity/"):
        page.goto(f"{instance.url}/a/sample/{room}")
        check(room.split("/")[0] + ("-two" if "?" in room else ""))
    page.goto(f"{instance.url}/a/recorded/")
    check("start")
    page.locator("[data-next] button").click()
    wait_for_votes(page)
    check("complete")
    page.keyboard.press("?")
    check("keys")
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowUp")
    page.locator(".reveal [data-side]").first.wait_for()
    page.locator(".reread > summary").click()
    check("reveal")
    assert page.foreign == []


def test_operators_pages_fit_and_have_no_finding(instance: Any, browser: Any) -> None:
    instance.env["DJANGO_SUPERUSER_PASSWORD"] = secret = "a phrase of four words"
    instance.manage("createsuperuser", "--noinput", "--username", "operator", "--email", "operator@example.org")
    for width, dark, language in ((1440, False, "en"), (390, True, "de")):
        page = page_of(browser, width=width, dark=dark, language=language)
        page.goto(f"{instance.url}/accounts/login/?next=/a/sample/agreement/")
        page.locator("#id_login").fill("operator@example.org")
        page.locator("#id_password").fill(secret)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{instance.url}/a/sample/agreement/")
        for room in ("agreement/", "integrity/", "competitors/Lampwright 3/"):
            page.goto(f"{instance.url}/a/sample/{room}")
            assert sideways(page) <= 0 and axe_findings(page) == [], (room, width, language)
            picture(page, f"operator-{room.split('/')[0]}-{width}-{language}")
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
