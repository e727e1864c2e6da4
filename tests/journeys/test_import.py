"""A spreadsheet is enough: from a CSV file to the first blind vote, by a team lead who reads no documentation."""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.steps import axe_findings, names, page_of, picture, sideways, wait_for_votes

pytestmark = pytest.mark.browser
SESSION = """
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
lead, _ = get_user_model().objects.get_or_create(username="lead", defaults={"is_staff": True, "is_superuser": True})
session = import_module(settings.SESSION_ENGINE).SessionStore()
session[SESSION_KEY] = str(lead.pk)
session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
session[HASH_SESSION_KEY] = lead.get_session_auth_hash()
session.save()
print("session:" + session.session_key)
"""


@pytest.fixture(scope="module")
def lead(instance: Any) -> str:
    """The session of somebody who operates the instance, in which an arena `sheet` is still empty."""
    instance.manage("add_arena", "sheet", "--title", "Sheet", "--kind", "recorded", "--access", "private")
    return str(instance.manage("shell", "-c", SESSION)).rsplit("session:", 1)[1].strip()


def opened(browser: Any, instance: Any, lead: str, **look: Any) -> Any:
    page = page_of(browser, **look)
    page.context.add_cookies([{"name": "sessionid", "value": lead, "url": instance.url}])
    return page


def looked_at(page: Any, name: str) -> None:
    assert axe_findings(page) == []
    assert sideways(page) <= 0
    picture(page, name)


def test_from_a_spreadsheet_to_the_first_vote(browser: Any, instance: Any, lead: str, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.csv"
    with sheet.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(["Question", "Alder", "Birch", "Cedar"])
        writer.writerows([f"What is {n} good for?", f"A {n}", f"B {n}", f"C {n}"] for n in range(20))
    page, began = opened(browser, instance, lead), time.monotonic()
    page.goto(f"{instance.url}/console/sheet/answers/import/")
    looked_at(page, "import-upload")
    page.get_by_label("File", exact=True).set_input_files(sheet)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("heading", name="No problems. This is what the import makes:").wait_for()
    looked_at(page, "import-columns")
    page.get_by_role("button", name="Import", exact=True).click()
    page.get_by_role("heading", name="Imported into sheet").wait_for()
    assert page.locator(".stats dd").all_inner_texts()[:4] == ["20", "3", "Alder, Birch, Cedar", "60"]
    looked_at(page, "import-result")
    page.get_by_role("main").get_by_role("link", name="Vote", exact=True).click()
    page.get_by_role("button", name="Start voting").click()
    wait_for_votes(page)
    page.get_by_role("button", name="A is better", exact=True).click()
    assert set(names(page)) < {"Alder", "Birch", "Cedar"}
    assert time.monotonic() - began < 60  # five minutes with a person's reading; the product's own part of them
    assert page.foreign == []
    page.context.close()


@pytest.mark.parametrize("dark", [False, True])
def test_what_is_wrong_with_pasted_cells_is_listed_before_anything_is_stored(
    browser: Any, instance: Any, lead: str, dark: bool
) -> None:
    page = opened(browser, instance, lead, width=390, dark=dark)
    page.goto(f"{instance.url}/console/sheet/answers/import/")
    page.get_by_label("Or paste cells from a spreadsheet").fill(
        "id\tQuestion\tAlder\n1\tWhy?\tSo.\n1\tWhy?\tNo.\n2\t\tSo.\n"
    )
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("heading", name="2 problems, and nothing was stored").wait_for()
    looked_at(page, f"import-problems-{dark}")
    page.get_by_label("Meaning of the column id").select_option("")
    page.get_by_role("button", name="Check again").click()
    page.get_by_role("heading", name="2 problems, and nothing was stored").wait_for()
    page.context.close()


def test_a_pasted_table_larger_than_a_forms_field_comes_in(browser: Any, instance: Any, lead: str) -> None:
    page = opened(browser, instance, lead, width=390)
    page.goto(f"{instance.url}/console/sheet/prompts/import/")
    rows = "".join(f"p{number}\tPrompt number {number} is about {'x' * 800} {number}.\n" for number in range(1_500))
    field = page.get_by_label("Or paste cells from a spreadsheet")
    field.evaluate("(field, text) => { field.value = text; }", "id\tprompt\n" + rows)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("heading", name="No problems. This is what the import makes:").wait_for()
    assert page.locator(".stats dd").first.inner_text() == "1500"
    page.context.close()


def test_prompt_sets_are_looked_after_on_a_phone(browser: Any, instance: Any, lead: str) -> None:
    page = opened(browser, instance, lead, width=390, dark=True)
    page.goto(f"{instance.url}/console/sheet/prompts/")
    looked_at(page, "prompt-sets")
    page.get_by_role("link", name="sheet", exact=True).click()
    page.locator("input[name=prompt]").first.check()
    page.get_by_role("button", name="Retire").click()
    page.get_by_text("1 prompt retired.").wait_for()
    looked_at(page, "prompt-set")
    page.locator("th[scope=row] a").nth(1).click()
    page.get_by_label("Message 1").fill("What is one good for, then?")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("which replaces").wait_for()
    looked_at(page, "prompt")
    page.context.close()
