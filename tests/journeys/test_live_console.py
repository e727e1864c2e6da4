"""From a new live arena to its first battle and a next version, by pages of the console alone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.journeys.fake_models import STEADY
from tests.journeys.steps import ask, names, page_of_lead, wait_for_votes
from tests.journeys.test_console import fine

pytestmark = pytest.mark.browser
ROOM = "live-replies"


def labelled(page: Any, **given: str) -> None:
    for label, text in given.items():
        page.get_by_label(label.replace("_", " "), exact=True).fill(text)


def test_a_live_arena_needs_no_other_page_than_the_consoles(browser: Any, instance: Any, models: Any) -> None:
    page = page_of_lead(browser, instance)
    page.goto(f"{instance.url}/console/new/")
    labelled(page, Title="Live replies")
    page.get_by_label("Live answers").check()
    page.get_by_role("button", name="Make the arena").click()
    page.get_by_role("link", name="Enter models").click()
    page.get_by_role("link", name="Endpoints of this server").wait_for()
    fine(page, "competitors-empty")

    page.get_by_role("link", name="Endpoints of this server").click()
    page.get_by_role("link", name="Add an endpoint").wait_for()
    fine(page, "endpoints")
    page.go_back()
    page.get_by_role("link", name="Add an endpoint").click()
    page.get_by_role("link", name="Ollama").click()
    assert page.get_by_label("Address", exact=True).input_value() == "http://127.0.0.1:11434/v1"
    labelled(page, Name="Scripted", Address=models.base_url, Variable_that_holds_the_key="HOME")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_text("HOME may be no key of an endpoint.").wait_for()
    fine(page, "endpoint-refused")
    labelled(page, Variable_that_holds_the_key="")
    page.get_by_role("button", name="Add", exact=True).click()

    page.get_by_label("System prompt", exact=True).wait_for()
    fine(page, "competitor-add")  # the endpoint is chosen already
    labelled(page, Name="Alder", Model=STEADY)
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("heading", name="One more, and two can meet").wait_for()
    page.get_by_role("link", name="Add a competitor").first.click()
    labelled(page, Name="Birch", Model=STEADY, System_prompt="Be brief.", Temperature="0.7")
    page.get_by_label("Endpoint", exact=True).select_option(label="Scripted")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("link", name="Birch").wait_for()
    fine(page, "competitors")

    page.get_by_role("link", name="Birch").click()
    page.get_by_role("button", name="Ask").click()
    page.get_by_text("It answered.").wait_for()
    fine(page, "competitor-asked")

    page.goto(f"{instance.url}/console/{ROOM}/competitors/")
    page.get_by_role("link", name="Page of the voters").click()
    ask(page, "Which of you is brief?")
    wait_for_votes(page)
    page.get_by_role("button", name="A is better", exact=True).click()
    assert sorted(names(page)) == ["Alder", "Birch"]

    page.goto(f"{instance.url}/console/{ROOM}/competitors/")
    page.get_by_role("link", name="Birch").click()
    labelled(page, Temperature="0.2")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Made Birch v2 and retired Birch.").wait_for()
    fine(page, "competitor-version")
    assert page.foreign == []
    page.context.close()
