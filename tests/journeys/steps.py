"""Steps that several journeys take."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

ANSWER_SECONDS = 120_000
VOTES = ("A is better", "Tie", "Both are bad", "B is better")


def page_of(browser: Any, *, width: int = 1440, dark: bool = False, language: str = "en", scripts: bool = True) -> Any:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if dark else "light",
        locale=language,
        java_script_enabled=scripts,
    )
    page = context.new_page()
    page.foreign = []
    page.on("request", lambda request: page.foreign.append(request.url) if "127.0.0.1" not in request.url else None)
    page.on("pageerror", lambda error: page.foreign.append(f"script error: {error}"))
    return page


def axe_findings(page: Any) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    page.wait_for_load_state()  # after a click the next document may be there and still empty
    results = Axe().run(page).response
    return [f"{v['id']}: {v['help']} ({v['nodes'][0]['html'][:120]})" for v in results["violations"]]


def wait_until_votable(page: Any) -> None:
    from playwright.sync_api import expect

    for name in VOTES:
        expect(page.get_by_role("button", name=name, exact=True)).to_be_enabled(timeout=ANSWER_SECONDS)


def wait_for_votes(page: Any) -> None:
    """As `wait_until_votable`, in any language."""
    page.locator("[data-vote] button:enabled").nth(3).wait_for(timeout=ANSWER_SECONDS)


def sideways(page: Any) -> int:
    """By how many pixels the page scrolls sideways."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def names(page: Any) -> list[str]:
    region = page.get_by_role("region", name="Reveal")
    region.wait_for()
    return [region.locator(f'[data-side="{side}"]').inner_text() for side in "ab"]


def ask(page: Any, prompt: str) -> None:
    """Sends a prompt from the composer, by keyboard."""
    page.get_by_label("Your prompt").fill(prompt)
    page.keyboard.press("Enter")


def battle_of(page: Any) -> str:
    """The id of the battle that the page shows."""
    return str(page.locator(".stage").get_attribute("data-battle"))


def web_pids(instance: Any) -> list[int]:
    """The web processes that the instance's parent looks after."""
    listing = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    rows = re.findall(r"^\s*(\d+)\s+(\d+)\s+.*-m arena\.start\.web ", listing, re.M)
    return [int(pid) for pid, parent in rows if int(parent) == instance.parent.pid]


def kill_web(instance: Any) -> None:
    """SIGKILL to the web processes; the parent starts them again."""
    pids = web_pids(instance)
    assert pids, "no web process was found"
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def picture(page: Any, name: str) -> None:
    """A screenshot for the eye, where JOURNEY_PICTURES names a folder."""
    if folder := os.environ.get("JOURNEY_PICTURES"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


SIGNED_IN = """
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


def page_of_lead(browser: Any, instance: Any, **look: Any) -> Any:
    """A page of somebody who operates the instance, signed in."""
    page = page_of(browser, **look)
    key = str(instance.manage("shell", "-c", SIGNED_IN)).rsplit("session:", 1)[1].strip()
    page.context.add_cookies([{"name": "sessionid", "value": key, "url": instance.url}])
    return page
