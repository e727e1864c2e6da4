"""Every answer, refusals among them, tells browsers what they may do with it; and no page needs more than that."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from pytest_django import Settings

from arena.teams import heartbeat
from arena.teams.models import Arena

ROOT = Path(__file__).resolve().parent.parent
KWARGS: dict[str, Any] = {
    "slug": "open", "battle_id": uuid.UUID(int=1), "name": "matrix", "kind": "svg", "token": "none", "key": "none",
    "uidb36": "1", "upload_id": uuid.UUID(int=1), "number": 1,
}  # fmt: skip


@pytest.fixture
def browser(db: None) -> Client:
    """A browser that is shown error pages, as outside of tests."""
    heartbeat.beat(heartbeat.WORKER, now=timezone.now())
    Arena.objects.create(slug="open", title="Open", kind="recorded")
    return Client(raise_request_exception=False)


def own_addresses(patterns: Any = None, before: str = "") -> Iterator[str]:
    """An address for every view of ours; the admin's are Django's own and stand for themselves by their sign-in."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = before + re.sub(r"\(\?P<(\w+)>[^)]*\)|<(?:\w+:)?(\w+)>", fill, str(pattern.pattern).strip("^$"))
        if isinstance(pattern, URLResolver) and pattern.app_name != "admin":
            yield from own_addresses(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield "/" + route.replace("\\", "")


def fill(match: re.Match[str]) -> str:
    word = str(match[1] or match[2])
    return str(1 if word.endswith("_id") and word not in KWARGS else KWARGS[word])


def faults(answer: HttpResponseBase) -> list[str]:
    policy = dict(
        (part.split() + [""])[:1] + [" ".join(part.split()[1:])]
        for part in answer.headers.get("Content-Security-Policy", "").split(";")
    )
    wanted = {
        "Content-Security-Policy: default-src": (policy.get("default-src"), "'self'"),
        "Content-Security-Policy: frame-ancestors": (policy.get("frame-ancestors"), "'none'"),
        "Content-Security-Policy: object-src": (policy.get("object-src"), "'none'"),
        "Content-Security-Policy: base-uri": (policy.get("base-uri"), "'none'"),
        "Content-Security-Policy: form-action": (policy.get("form-action"), "'self'"),
        "X-Content-Type-Options": (answer.headers.get("X-Content-Type-Options"), "nosniff"),
        "X-Frame-Options": (answer.headers.get("X-Frame-Options"), "DENY"),
        "Referrer-Policy": (answer.headers.get("Referrer-Policy"), "same-origin"),
        "Cross-Origin-Opener-Policy": (answer.headers.get("Cross-Origin-Opener-Policy"), "same-origin"),
    }
    return [f"{name} is {found!r}" for name, (found, right) in wanted.items() if found != right] + [
        f"Content-Security-Policy allows {word}"
        for word in ("unsafe-inline", "unsafe-eval", "*", "http:", "https:", "data:")
        if any(word in sources.split() or f"'{word}'" in sources.split() for sources in policy.values())
    ]


def test_every_address_is_walked(browser: Client) -> None:
    addresses = list(own_addresses())
    for known in ("/", "/healthz", "/a/open/", "/a/open/leaderboard/", "/a/open/leaderboard.csv", "/api/schema/"):
        assert known in addresses
    assert "/a/open/leaderboard/matrix.svg" in addresses and len(addresses) >= 25
    assert browser.get("/a/open/").status_code == 200, "the walk must meet pages, not only refusals"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_answer_carries_the_headers(method: str, browser: Client) -> None:
    wrong = []
    for address in own_addresses():
        answer = browser.generic(method, address)
        assert answer.status_code < 500, address
        wrong += [f"{method} {address} ({answer.status_code}): {fault}" for fault in faults(answer)]
    assert not wrong, "\n".join(wrong)


def test_sign_in_missing_pages_and_files_carry_them(browser: Client) -> None:
    for address, status in (
        ("/admin/login/", 302),
        ("/accounts/login/", 200),
        ("/admin/", 302),
        ("/nowhere/", 404),
        ("/static/css/none.css", 404),
    ):
        answer = browser.get(address)
        assert (answer.status_code, faults(answer)) == (status, []), address


def test_files_are_what_they_are(browser: Client) -> None:
    style = next((ROOT / "static/css").glob("*.css"))
    answer = browser.get(f"/static/css/{style.name}")
    assert answer.status_code == 200
    answer.close()
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_a_wrong_host_is_refused_with_them(browser: Client, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["localhost"]
    answer = browser.get("/", headers={"host": "evil.example.org"})
    assert (answer.status_code, faults(answer)) == (400, [])


def test_a_forged_form_is_refused_with_them(browser: Client) -> None:
    forged = Client(enforce_csrf_checks=True).post("/a/open/battles/", {"prompt": "Hello"})
    assert (forged.status_code, faults(forged)) == (403, [])


def test_an_error_of_ours_carries_them(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("zanzibar")

    monkeypatch.setattr("arena.health.timezone.now", broken)
    answer = browser.get("/healthz")
    assert (answer.status_code, faults(answer)) == (500, [])
    assert b"zanzibar" not in answer.content and b"Traceback" not in answer.content


def test_no_template_asks_for_what_the_policy_forbids() -> None:
    """Scripts, styles and handlers in the page itself, or anything from elsewhere."""
    forbidden = re.compile(
        r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>|<style\b|\sstyle=|\son\w+=\"|javascript:"
        r"|(?:src|href|action|srcset)=\"(?:https?:)?//|(?:src|href)=\"data:",
        re.IGNORECASE,
    )
    files = sorted((ROOT / "templates").rglob("*.html"))
    assert len(files) > 10
    wrong = [
        f"{file.relative_to(ROOT)}:{number}: {match[0].strip()}"
        for file in files
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        for match in forbidden.finditer(line)
    ]
    assert not wrong, "\n".join(wrong)


def test_no_style_sheet_asks_for_what_the_policy_forbids() -> None:
    wrong = [
        f"{file.relative_to(ROOT)}: {match[0]}"
        for file in sorted((ROOT / "static/css").rglob("*.css"))
        for match in re.finditer(r"url\(\s*['\"]?(?:data:|https?:|//)[^)]{0,40}", file.read_text(encoding="utf-8"))
    ]
    assert not wrong, "\n".join(wrong)
