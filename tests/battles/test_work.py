"""Work that is done, not done, wrong, spent or too late: always served, and marked for what it is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import signing
from django.test import Client

from arena.battles import opening, work
from arena.battles.addresses import Visit
from arena.battles.models import ServedFrom
from arena.teams.models import Arena, Voter

pytestmark = pytest.mark.django_db
BITS = 8


@pytest.fixture(autouse=True)
def asked_for(settings: Any) -> Iterator[None]:
    settings.PROOF_OF_WORK = BITS
    yield


def done(text: str, bits: int = BITS) -> str:
    nonce = next(
        n for n in range(10**9) if hashlib.sha256(f"{text}~{n}".encode()).digest()[: bits // 8] == bytes(bits // 8)
    )
    return f"{text}~{nonce}"


def worth(arena: Arena, spent: str, now: datetime, voter: Voter | None = None) -> str:
    voter = voter or Voter.objects.create()
    visit = Visit("203.0.113.7", spent)
    battle = opening.open_battle(voter, arena, "Why?", seed=opening.new_seed(), now=now, visit=visit)
    return ServedFrom.objects.get(battle=battle).work


def test_work_that_was_done_is_verified(live: Arena, now: datetime) -> None:
    assert worth(live, done(work.challenge()), now) == "verified"


@pytest.mark.parametrize("spent", ["", "nonsense", "~", "a~b", "a~1", "x" * 300, "~1" * 100, "٣~٣"])
def test_no_work_and_nonsense_are_served_and_unverified(live: Arena, now: datetime, spent: str) -> None:
    assert worth(live, spent, now) == "unverified"


def test_a_number_that_does_not_fit_is_no_work(live: Arena, now: datetime) -> None:
    text, _, nonce = done(work.challenge()).rpartition("~")
    wrong = next(n for n in range(int(nonce) + 1, 10**9) if hashlib.sha256(f"{text}~{n}".encode()).digest()[0])
    assert worth(live, f"{text}~{wrong}", now) == "unverified"


def test_work_is_spent_once_by_whomever(live: Arena, now: datetime) -> None:
    spent = done(work.challenge())
    assert worth(live, spent, now) == "verified"
    assert worth(live, spent, now) == "unverified"
    text = spent.rpartition("~")[0]
    again = next(n for n in range(int(spent.rpartition("~")[2]) + 1, 10**9)
                 if hashlib.sha256(f"{text}~{n}".encode()).digest()[0] == 0)  # fmt: skip
    assert worth(live, f"{text}~{again}", now) == "unverified", "another number for the same challenge"


def test_a_challenge_of_ones_own_or_an_easier_one_is_none(live: Arena, now: datetime, settings: Any) -> None:
    forged = signing.dumps({"c": "0" * 32, "b": 0}, key="another key", salt="arena.battles.work")
    assert worth(live, f"{forged}~0", now) == "unverified"


def test_an_old_challenge_is_none(live: Arena, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    spent = done(work.challenge())
    monkeypatch.setattr(work, "LIFETIME", timedelta(seconds=-1))
    assert worth(live, spent, now) == "unverified"


def test_accounts_and_closed_circles_need_not_work(live: Arena, now: datetime) -> None:
    member = Voter.objects.create(user=User.objects.create_user("known"))
    assert worth(live, "", now, member) == ""
    Arena.objects.filter(pk=live.pk).update(access="invite")
    live.refresh_from_db()
    assert worth(live, "", now) == ""


def test_without_the_setting_nobody_works(live: Arena, now: datetime, settings: Any) -> None:
    settings.PROOF_OF_WORK = 0
    assert worth(live, "", now) == ""


def test_a_browser_is_given_a_challenge_where_one_is_asked_for(live: Arena, client: Client, settings: Any) -> None:
    given = client.get("/a/live/challenge/")
    assert given.json()["bits"] == BITS
    assert given["Cache-Control"].startswith("max-age=0")
    assert given.json()["challenge"] != client.get("/a/live/challenge/").json()["challenge"]
    assert 'data-work="/a/live/challenge/"' in client.get("/a/live/").content.decode()
    answer = client.post("/a/live/battles/", {"prompt": "Why?"}, headers={"X-Work": done(given.json()["challenge"])})
    assert answer.status_code == 302
    assert ServedFrom.objects.get().work == "verified"
    settings.PROOF_OF_WORK = 0
    assert client.get("/a/live/challenge/").status_code == 404
    assert "data-work" not in client.get("/a/live/").content.decode()
