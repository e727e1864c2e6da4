"""What a voter sees while things happen: nothing jumps, nothing is silent, either language, with or without scripts."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.journeys.steps import ask, axe_findings, page_of, picture, sideways, wait_for_votes

pytestmark = pytest.mark.browser

TOP = "(selector) => document.querySelector(selector).getBoundingClientRect().top"


@pytest.fixture(scope="module")
def arena(models: Any) -> str:
    return str(models.arena("look"))


@pytest.mark.parametrize(("width", "still"), [(1440, ".votebar"), (390, "#answer-b")])
def test_nothing_moves_while_answers_grow(browser: Any, arena: str, width: int, still: str) -> None:
    page = page_of(browser, width=width)
    page.goto(arena)
    ask(page, f"A calm one, rate=400 width={width}")
    page.locator('[data-answer="a"] .raw', has_text=re.compile(".{10}")).wait_for()
    before = page.evaluate(TOP, still)
    page.locator('[data-answer="a"] .raw', has_text=re.compile(r"[\s\S]{400}")).wait_for()
    assert page.evaluate(TOP, still) == before
    wait_for_votes(page)
    page.context.close()


def test_each_side_scrolls_alone_when_wished(browser: Any, arena: str) -> None:
    page = page_of(browser)
    page.set_viewport_size({"width": 1440, "height": 500})
    page.goto(arena)
    ask(page, "A long one, tongues")
    wait_for_votes(page)
    toggle = page.get_by_role("button", name="Scroll together", exact=True)
    assert toggle.get_attribute("aria-pressed") == "true"
    toggle.click()
    assert toggle.get_attribute("aria-pressed") == "false"
    page.locator('[data-answer="a"]').evaluate("(pane) => pane.scrollTo(0, 300)")
    tops = page.locator("[data-answer]").evaluate_all("(panes) => panes.map((pane) => pane.scrollTop)")
    assert tops == [300, 0]
    assert axe_findings(page) == []
    page.reload()
    assert page.get_by_role("button", name="Scroll together", exact=True).get_attribute("aria-pressed") == "false"
    page.context.close()


def test_an_offline_voter_reads_so(browser: Any, arena: str) -> None:
    page = page_of(browser)
    page.goto(arena)
    ask(page, "A slow one, rate=60")
    page.locator('[data-answer="a"] .raw', has_text=re.compile(".{5}")).wait_for()
    page.context.set_offline(True)
    page.get_by_text("You are offline.").wait_for()
    page.context.set_offline(False)
    page.get_by_text("Both models are writing.").wait_for()
    wait_for_votes(page)
    page.context.close()


def test_an_old_token_is_renewed_and_the_prompt_is_sent(browser: Any, arena: str) -> None:
    page = page_of(browser)
    page.goto(arena)
    page.context.clear_cookies()
    ask(page, "Sent with a token that nobody knows any more")
    wait_for_votes(page)
    page.context.close()


def test_a_silent_server_is_said_before_anything_was_asked(browser: Any, arena: str) -> None:
    page = page_of(browser)
    page.goto(arena)
    page.route("**/a/look/**", lambda route: route.abort())
    ask(page, "Is anybody there?")
    page.get_by_text("The server does not answer. Trying again.").wait_for()
    page.unroute("**/a/look/**")
    wait_for_votes(page)
    page.context.close()


@pytest.mark.parametrize("dark", [False, True])
def test_a_failed_pair_a_skip_and_a_stop_each_have_words_and_a_way_on(browser: Any, models: Any, dark: bool) -> None:
    page = page_of(browser, dark=dark, width=390 if dark else 1440)
    page.goto(models.arena(f"fails-{dark}".lower()))
    ask(page, f"Stopped, rate=40 dark={dark}")
    page.locator('[data-answer="a"] .raw', has_text=re.compile(".{5}")).wait_for()
    page.get_by_role("button", name="Stop both", exact=True).click()
    page.get_by_text("You stopped this battle. Nothing was counted.").wait_for()
    assert axe_findings(page) == []
    ask(page, f"Skipped, dark={dark}")
    wait_for_votes(page)
    page.keyboard.press("s")
    page.locator("[data-state=start]").wait_for()
    ask(page, f"fault=status, dark={dark}")
    page.get_by_text("One of the answers could not be finished").wait_for()
    way_on = page.get_by_role("button", name="Try with a new pair").or_(page.get_by_label("Your prompt"))
    way_on.wait_for()  # the sentence may come a moment before the stage that it belongs to
    assert way_on.count() == 1
    assert axe_findings(page) == []
    assert sideways(page) <= 0
    picture(page, f"void-{dark}")
    page.context.close()


def test_the_footer_switches_the_language_and_the_battle_stays(instance: Any, browser: Any) -> None:
    page = page_of(browser)
    page.goto(f"{instance.url}/a/recorded/")
    page.get_by_role("button", name="Start voting").click()
    wait_for_votes(page)
    battle = page.locator(".stage").get_attribute("data-battle")
    page.get_by_role("button", name="Deutsch", exact=True).click()
    page.get_by_role("button", name="A ist besser", exact=True).wait_for()
    assert page.locator(".stage").get_attribute("data-battle") == battle
    page.keyboard.press("ArrowLeft")
    page.get_by_text("Stimme gespeichert: A ist besser.").wait_for()
    page.goto(f"{instance.url}/a/sample/leaderboard/")
    assert re.search(r"Mit \d\.\d{3} Stimmen von", page.locator(".sentence").inner_text())
    page.get_by_role("button", name="English", exact=True).click()
    page.get_by_text("With 2,").wait_for()
    page.context.close()


def test_without_scripts_a_voter_votes_and_sorts(instance: Any, browser: Any) -> None:
    page = page_of(browser, scripts=False)
    page.goto(f"{instance.url}/a/recorded/")
    page.get_by_role("button", name="Start voting").click()
    page.get_by_role("button", name="Both are bad", exact=True).click()
    assert page.locator(".reveal [data-side]").count() == 2
    assert not page.get_by_role("button", name="Keys").is_visible()
    page.goto(f"{instance.url}/a/sample/leaderboard/")
    page.get_by_role("columnheader", name="First token").get_by_role("link").click()
    shown = page.locator("td[data-label='First token']").all_inner_texts()
    times = [int(text.split()[0].replace(",", "")) for text in shown]
    assert times == sorted(times) and len(times) > 5
    assert page.locator("th[aria-sort='ascending']").inner_text().startswith("First token")
    page.context.close()


@pytest.mark.parametrize("chart", ["leaderboard.csv", "leaderboard.json", "leaderboard/intervals.svg",
                                   "leaderboard/intervals.csv", "leaderboard/matrix.svg", "leaderboard/matrix.csv",
                                   "leaderboard/pairs.csv"])  # fmt: skip
def test_every_download_is_there(instance: Any, browser: Any, chart: str) -> None:
    page = page_of(browser)
    answer = page.request.get(f"{instance.url}/a/sample/{chart}")
    assert answer.status == 200
    assert len(answer.body()) > 500
    page.context.close()
