"""Webhooks are added, tried and withdrawn in the console, by those who configure the arena."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.test import Client

from arena.leaderboards import webhooks
from arena.leaderboards.models import Webhook
from arena.leaderboards.publishing import publish_snapshot
from arena.teams.models import Arena, Role
from tests.console.conftest import NOBODY, STAFF, STRANGER

pytestmark = pytest.mark.django_db(transaction=True)
Person = Callable[[str], Client]
Receiver = tuple[str, list[dict[str, Any]], list[int]]
ROOM = "/console/team/webhooks/"
URL = "https://example.org/hook?key=of-theirs"


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    """A server of this machine's: its address, what it was told, and the statuses it answers with, 200 at last."""
    settings.WEBHOOKS_PRIVATE = True
    told: list[dict[str, Any]] = []
    answers: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(answers.pop(0) if answers else 200)
            self.end_headers()

        def log_message(self, *_args: Any) -> None:
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/hook", told, answers
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("role", [NOBODY, STRANGER, *Role.values, STAFF])
def test_only_those_who_configure_see_and_change_them(
    role: str, team: Arena, person: Person, now: datetime, receiver: Receiver
) -> None:
    row, _secret = webhooks.add(team, receiver[0], now=now)
    client, comes_in = person(role), role in {Role.OWNER, Role.OPERATOR, STAFF}
    page = client.get(ROOM)
    assert page.status_code == (200 if comes_in else 404)
    assert (receiver[0] in page.content.decode()) is comes_in
    for path in (f"{row.pk}/try/", f"{row.pk}/withdraw/", ""):
        assert (client.post(f"{ROOM}{path}", {"url": URL}).status_code != 404) is comes_in
    row.refresh_from_db()
    assert (bool(receiver[1]), row.withdrawn_at is not None) == (comes_in, comes_in)
    assert Webhook.objects.filter(url=URL).exists() is comes_in


def test_the_secret_is_shown_once(person: Person, team: Arena) -> None:
    client = person(Role.OPERATOR)
    answer = client.post(ROOM, {"url": URL})
    row = Webhook.objects.get(arena=team)
    assert (row.url, webhooks.secret_of(row) in answer.content.decode()) == (URL, True)
    again = client.get(ROOM).content.decode()
    assert webhooks.secret_of(row) not in again and URL in again
    assert "none yet: the next board is the first" in again


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "This field is required."),
        ("http://example.org/", "Use https"),
        ("https://me:key@example.org/", "without user and password"),
        (f"https://example.org/{'x' * 300}", "at most 300 characters"),
    ],
)
def test_an_address_that_is_not_told_is_refused_at_its_field(person: Person, url: str, said: str) -> None:
    answer = person(Role.OWNER).post(ROOM, {"url": url})
    assert answer.status_code == 400 and said in answer.content.decode()
    assert not Webhook.objects.exists()


def test_an_arena_has_only_so_many(person: Person, team: Arena, now: datetime) -> None:
    for _ in range(webhooks.MOST):
        webhooks.add(team, URL, now=now)
    client = person(Role.OWNER)
    assert 'name="url"' not in client.get(ROOM).content.decode()
    answer = client.post(ROOM, {"url": URL})
    assert answer.status_code == 400 and "Nothing was saved." in answer.content.decode()
    assert "An arena has at most 10 webhooks. Withdraw one first." in answer.content.decode()


def test_a_test_delivery_is_sent_and_what_came_of_it_is_said(
    person: Person, team: Arena, now: datetime, receiver: Receiver
) -> None:
    url, told, answers = receiver
    row, secret = webhooks.add(team, url, now=now)
    answers += [200, 503]
    client = person(Role.OPERATOR)
    first, second = [client.post(f"{ROOM}{row.pk}/try/").content.decode() for _ in range(2)]
    assert f"The test was taken by {url}." in first
    assert f"The test was not taken by {url}." in second and "HTTP 503" in second
    assert [event["event"] for event in told] == ["test", "test"]
    assert secret not in first + second


def test_a_test_into_the_house_is_refused_unless_the_server_allows_it(
    person: Person, team: Arena, now: datetime, receiver: Receiver, settings: Any
) -> None:
    row, _secret = webhooks.add(team, receiver[0], now=now)
    settings.WEBHOOKS_PRIVATE = False
    said = person(Role.OPERATOR).post(f"{ROOM}{row.pk}/try/").content.decode()
    assert "127.0.0.1 leads into a private network." in said
    assert receiver[1] == []


def test_nobody_there_is_said_in_a_sentence(person: Person, team: Arena, now: datetime, settings: Any) -> None:
    settings.WEBHOOKS_PRIVATE = True
    row, _secret = webhooks.add(team, "http://127.0.0.1:1/", now=now)
    assert "Nobody answers at this address" in person(Role.OWNER).post(f"{ROOM}{row.pk}/try/").content.decode()


def test_the_page_says_how_the_last_delivery_went(
    person: Person, team: Arena, now: datetime, receiver: Receiver
) -> None:
    webhooks.add(team, receiver[0], now=now)
    receiver[2].extend([200, *[500] * webhooks.TRIES])
    client, pages = person(Role.OWNER), []
    for day in range(webhooks.TRIES + 1):
        if day < 2:
            publish_snapshot(team, now=now)
        webhooks.deliver_due(now=now + timedelta(days=day))
        pages.append(client.get(ROOM).content.decode())
    assert "taken " in pages[0] and "failed" not in pages[0]
    assert "failed once" in pages[1] and "HTTP 500" in pages[1]
    assert "failed 2 times in a row" in pages[2]
    assert "given up" in pages[-1] and "the next board is tried anew" in pages[-1]


def test_a_withdrawn_one_is_gone(person: Person, team: Arena, now: datetime) -> None:
    row, _secret = webhooks.add(team, URL, now=now)
    client = person(Role.OPERATOR)
    assert "Withdrawn." in client.post(f"{ROOM}{row.pk}/withdraw/", follow=True).content.decode()
    assert URL not in client.get(ROOM).content.decode()
    assert client.post(f"{ROOM}{row.pk}/try/").status_code == 404


def test_another_arenas_webhook_is_not_to_be_reached(person: Person, team: Arena, now: datetime) -> None:
    other = Arena.objects.create(slug="other", title="Other", kind="recorded", access="invite")
    row, _secret = webhooks.add(other, URL, now=now)
    client = person(Role.OWNER)
    for verb in ("try", "withdraw"):
        assert client.post(f"{ROOM}{row.pk}/{verb}/").status_code == 404
    assert Webhook.objects.get().withdrawn_at is None


def test_the_settings_lead_there(person: Person, team: Arena) -> None:
    assert f'href="{ROOM}"' in person(Role.OPERATOR).get("/console/team/settings/").content.decode()
