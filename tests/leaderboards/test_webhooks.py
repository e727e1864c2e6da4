"""Publications are told, signed, again and again until somebody answers, and never into the house."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone, translation

from arena.leaderboards import webhooks
from arena.leaderboards.models import Webhook
from arena.leaderboards.publishing import publish_snapshot
from arena.teams.models import Arena

pytestmark = pytest.mark.django_db
URL = "https://example.org/hook"
NOW = timezone.now()


@pytest.fixture
def arena() -> Arena:
    return Arena.objects.create(slug="team", title="Team", kind="recorded")


class Receiver:
    """Takes what is sent, and answers as told."""

    def __init__(self, *answers: int | Exception) -> None:
        self.answers = list(answers)
        self.got: list[tuple[str, bytes, dict[str, str]]] = []

    def __call__(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        self.got.append((url, body, headers))
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_a_publication_is_told_once_and_signed(arena: Arena) -> None:
    _row, secret = webhooks.add(arena, URL, now=NOW)
    receiver = Receiver()
    assert webhooks.deliver_due(now=NOW, send=receiver) == 0, "nothing is published yet"
    snapshot = publish_snapshot(arena, now=NOW)
    assert [webhooks.deliver_due(now=NOW, send=receiver) for _ in range(2)] == [1, 0]
    ((url, body, headers),) = receiver.got
    told = json.loads(body)
    assert (url, told["arena"], told["snapshot"], told["data_sha256"]) == (URL, "team", 1, snapshot.data_sha256)
    moment, _, found = headers["X-Blindfold-Signature"].removeprefix("t=").partition(",v1=")
    assert found == hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    assert secret not in str(Webhook.objects.values().get())


def test_what_was_published_before_is_not_told(arena: Arena) -> None:
    publish_snapshot(arena, now=NOW)
    webhooks.add(arena, URL, now=NOW)
    assert webhooks.deliver_due(now=NOW, send=Receiver()) == 0


def test_a_failure_is_shown_and_tried_again_later_with_the_newest(arena: Arena) -> None:
    row, _secret = webhooks.add(arena, URL, now=NOW)
    publish_snapshot(arena, now=NOW)
    receiver = Receiver(500, httpx.ConnectTimeout("slow"))
    webhooks.deliver_due(now=NOW, send=receiver)
    row.refresh_from_db()
    assert (row.failures, row.last_error, row.next_at) == (1, "HTTP 500", NOW + timedelta(seconds=30))
    webhooks.deliver_due(now=NOW, send=receiver)
    assert len(receiver.got) == 1, "not before its time"
    webhooks.deliver_due(now=NOW + timedelta(seconds=30), send=receiver)
    row.refresh_from_db()
    assert (row.failures, row.last_error) == (2, "ConnectTimeout")
    publish_snapshot(arena, now=NOW)
    assert webhooks.deliver_due(now=NOW + timedelta(days=1), send=receiver) == 1
    row.refresh_from_db()
    assert (row.failures, row.next_at, row.delivered_number) == (0, None, 2)


def test_a_dead_address_is_given_up_until_the_next_publication(arena: Arena) -> None:
    _row, _secret = webhooks.add(arena, URL, now=NOW)
    publish_snapshot(arena, now=NOW)
    receiver = Receiver(*[500] * webhooks.TRIES)
    for day in range(webhooks.TRIES + 3):
        webhooks.deliver_due(now=NOW + timedelta(days=day), send=receiver)
    assert len(receiver.got) == webhooks.TRIES
    publish_snapshot(arena, now=NOW)
    assert webhooks.deliver_due(now=NOW + timedelta(days=99), send=receiver) == 1


def test_what_came_of_the_last_delivery_is_told_in_a_word(arena: Arena) -> None:
    row, _secret = webhooks.add(arena, URL, now=NOW)
    receiver = Receiver(200, *[500] * webhooks.TRIES)
    seen = []
    for day in range(webhooks.TRIES + 2):
        row.refresh_from_db()
        seen.append(webhooks.state_of(row))
        if day < 2:
            publish_snapshot(arena, now=NOW)
        webhooks.deliver_due(now=NOW + timedelta(days=day), send=receiver)
    row.refresh_from_db()
    seen.append(webhooks.state_of(row))
    assert seen == ["none", "taken", *["failing"] * (webhooks.TRIES - 1), "given_up", "given_up"]


def test_a_trial_is_signed_says_that_it_is_one_and_changes_nothing(arena: Arena) -> None:
    row, secret = webhooks.add(arena, URL, now=NOW)
    publish_snapshot(arena, now=NOW)
    before = Webhook.objects.values().get()
    receiver = Receiver(204, 410, httpx.ConnectError("refused"), webhooks.WebhookRefused("It leads into the house."))
    said = [webhooks.try_now(row, now=NOW, send=receiver) for _ in range(4)]
    assert said == ["", "HTTP 410", "ConnectError", "It leads into the house."]
    _url, body, headers = receiver.got[0]
    assert json.loads(body) == {"event": "test", "arena": "team", "sent_at": NOW.isoformat()}
    assert headers["X-Blindfold-Signature"] == webhooks.signature(secret, int(NOW.timestamp()), body)
    assert Webhook.objects.values().get() == before, "what is due stays due"
    assert webhooks.deliver_due(now=NOW, send=receiver) == 1


def test_a_trial_speaks_the_callers_language_and_waits_only_so_long(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, _secret = webhooks.add(arena, "https://127.0.0.1/", now=NOW)
    with translation.override("de"):
        assert webhooks.try_now(row, now=NOW) == "127.0.0.1 führt in ein privates Netz."
    monkeypatch.setattr(webhooks, "TRIAL_SECONDS", 0.05)
    end = threading.Event()

    def never(_url: str, _body: bytes, _headers: dict[str, str]) -> int:
        end.wait(60)
        return 200

    said = [webhooks.try_now(row, now=NOW, send=never) for _ in range(3)]
    assert said == [*["No answer within 0.05 seconds."] * 2, "Two others are being tried. Try again in a moment."]
    end.set()
    for thread in threading.enumerate():
        if thread.name == "webhook trial":
            thread.join()
    assert webhooks.try_now(row, now=NOW, send=Receiver()) == "", "their places are free again"


def test_a_fault_of_ours_in_a_trial_is_not_taken_for_silence(arena: Arena) -> None:
    row, _secret = webhooks.add(arena, URL, now=NOW)
    with pytest.raises(ZeroDivisionError):
        webhooks.try_now(row, now=NOW, send=Receiver(ZeroDivisionError()))


def test_a_withdrawn_webhook_is_told_nothing(arena: Arena) -> None:
    row, _secret = webhooks.add(arena, URL, now=NOW)
    webhooks.withdraw(row, now=NOW)
    publish_snapshot(arena, now=NOW)
    assert webhooks.deliver_due(now=NOW, send=Receiver()) == 0


@pytest.mark.parametrize(
    "url",
    ["http://example.org/", "ftp://example.org/", "https://", "https://me:key@example.org/", "https://example.org:x/",
     "https://example.org/ x", "example.org"],
)  # fmt: skip
def test_an_address_that_may_not_be_told_is_refused(arena: Arena, url: str) -> None:
    with pytest.raises(ValidationError):
        webhooks.add(arena, url, now=NOW)


@pytest.mark.parametrize(
    "there",
    ["127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "::1", "fe80::1%1", "fd00::1",
     "::ffff:10.0.0.1", "100.64.0.1", "224.0.0.1", "2002:a00:1::"],
)  # fmt: skip
def test_a_name_that_leads_into_the_house_is_not_asked(monkeypatch: pytest.MonkeyPatch, there: str) -> None:
    looked_up = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in ("93.184.216.34", there)]
    monkeypatch.setattr(webhooks.socket, "getaddrinfo", lambda *_args, **_named: looked_up)
    with pytest.raises(webhooks.WebhookRefused, match="private network"):
        webhooks.send("https://inside.example.org/", b"{}", {})


def test_public_addresses_may_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 443))]
    monkeypatch.setattr(webhooks.socket, "getaddrinfo", lambda *_args, **_named: looked_up)
    assert webhooks.reachable("example.org", 443) == "93.184.216.34"


def test_private_ones_are_told_where_the_server_allows_it(settings: Any) -> None:
    settings.WEBHOOKS_PRIVATE = True
    seen: list[tuple[str, str | None, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.append((self.path, self.headers["Host"], body))
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:1/")
            self.end_headers()

        def log_message(self, *_args: Any) -> None:
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        place = f"localhost:{server.server_port}"
        assert webhooks.send(f"http://{place}/hook?x=1", b"{}", {}) == 302, "a redirect is not followed"
        thread.join()
    assert seen == [("/hook?x=1", place, b"{}")]


def test_strangers_of_an_open_arena_see_no_webhooks(client: Client, arena: Arena) -> None:
    webhooks.add(arena, URL, now=NOW)
    answer = client.get("/api/v1/arenas/team/webhooks/")
    assert answer.status_code == 403 and b"example.org" not in answer.content
