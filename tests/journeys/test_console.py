"""A team lead makes an arena, configures it, lets somebody in, watches the votes and closes it, by pages alone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.journeys.steps import axe_findings, page_of, page_of_lead, picture, sideways, wait_for_votes

pytestmark = pytest.mark.browser
TITLE, ROOM = "Support replies", "support-replies"
SHEET = "prompt\tAlder\tBirch\tCedar\n" + "".join(f"What is {n}?\tA{n}\tB{n}\tC{n}\n" for n in range(6))


def fine(page: Any, name: str) -> None:
    """No finding and nothing that scrolls sideways, wide and narrow, light and dark."""
    for width, scheme in ((1440, "light"), (390, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # else colours are measured half-way
        assert axe_findings(page) == [], (name, width)
        assert sideways(page) <= 0, (name, width)
        picture(page, f"console-{name}-{width}-{scheme}")
    page.set_viewport_size({"width": 1440, "height": 900})


def test_an_arena_lives_from_the_first_page_to_the_last(browser: Any, instance: Any) -> None:
    page = page_of_lead(browser, instance)
    page.goto(f"{instance.url}/console/")
    fine(page, "list")
    page.get_by_role("link", name="New arena").click()
    fine(page, "new")
    page.get_by_label("Title").fill(TITLE)
    page.get_by_role("button", name="Make the arena").click()
    page.get_by_role("heading", name="What comes next").wait_for()
    fine(page, "overview-empty")

    page.get_by_role("link", name="Import prompts and answers").click()
    page.get_by_label("Or paste cells from a spreadsheet").fill(SHEET)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Import", exact=True).click()

    page.get_by_role("link", name="Settings").click()
    page.get_by_label("Guidelines").fill("## What counts\n\nJudge by **facts**.")
    page.get_by_label("Tags").fill("Facts\nTone")
    page.get_by_label("Allow skipping").uncheck()
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved.").wait_for()
    assert page.get_by_label("Tags").input_value() == "Facts\nTone"
    fine(page, "settings")

    page.get_by_role("link", name="People").click()
    page.get_by_role("button", name="Make a link").click()
    link = page.get_by_label("Link", exact=True).input_value()

    voter = page_of(browser)
    voter.goto(link)
    voter.get_by_label("Your name").fill("Ines")
    voter.locator("main form button").click()
    voter.get_by_role("button", name="Start voting").click()
    wait_for_votes(voter)
    guide = voter.locator("[data-guide]")
    assert guide.evaluate("drawer => drawer.open") and guide.get_by_text("facts").is_visible()
    fine(voter, "guidelines")
    assert voter.get_by_role("button", name="Skip").count() == 0
    for number in range(6):
        voter.keyboard.press("s")  # no skipping here, so nothing happens
        voter.keyboard.press("ArrowLeft")
        voter.get_by_role("button", name="Next battle").wait_for()
        if number == 0:
            voter.get_by_text("Tone").click()
        voter.keyboard.press("n")
        voter.locator('.stage[data-state="complete"], .stage[data-state="nothing_left"]').wait_for()
        if number == 0:
            assert not guide.evaluate("drawer => drawer.open")

    voter.get_by_role("link", name="My votes").click()
    voter.get_by_role("heading", name="My own board").wait_for()
    assert voter.locator("tbody tr").count() == 3 + 6
    assert voter.get_by_text("Tone").count() == 1
    fine(voter, "mine")

    page.goto(f"{instance.url}/console/{ROOM}/votes/")
    page.get_by_text("1 · Ines").wait_for()
    fine(page, "votes")
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("button", name="Close to votes now").click()
    page.get_by_text("Closed to votes.").wait_for()
    voter.goto(f"{instance.url}/a/{ROOM}/")
    voter.get_by_role("heading", name="This arena is closed to votes").wait_for()
    fine(voter, "closed")

    voter.goto(f"{instance.url}/a/{ROOM}/mine/")
    voter.get_by_role("link", name="Delete my data").click()
    fine(voter, "forget")
    voter.get_by_role("button", name="Delete my data now").click()
    voter.get_by_role("heading", name="Your data is deleted").wait_for()
    page.goto(f"{instance.url}/console/{ROOM}/votes/")
    assert page.get_by_text("Ines").count() == 0
    assert page.locator(".stats dd").first.inner_text() == "6"
    for seen in (page, voter):
        assert seen.foreign == []
        seen.context.close()
