"""How many battles are served, tried at the edge: the last that is served, the first that is not, and when again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from arena.battles import addresses, opening, quotas
from arena.battles.addresses import NOWHERE, Visit
from arena.battles.errors import TooManyBattles, TooManyFromHere
from arena.battles.models import AddressKey, Battle, ServedFrom
from arena.integrity.erasing import erase, forget_origins
from arena.teams.models import Arena, Invitation, Membership, Voter

pytestmark = pytest.mark.django_db
HERE, ELSEWHERE = Visit("203.0.113.7"), Visit("198.51.100.7")
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same rules in numbers that a test can serve."""
    monkeypatch.setattr(quotas, "PER_VOTER", ((MINUTE, 4), (HOUR, 9)))
    monkeypatch.setattr(quotas, "PER_NEWCOMER", ((10 * MINUTE, 6), (DAY, 8)))
    monkeypatch.setattr(quotas, "PER_BLOCK", ((MINUTE, 5), (HOUR, 12)))
    monkeypatch.setattr(quotas, "NEW_PER_BLOCK", ((HOUR, 3), (DAY, 5)))
    monkeypatch.setattr(quotas, "NEW_PER_INVITATION", ((HOUR, 4), (DAY, 9)))


def serve(arena: Arena, voter: Voter, at: datetime, visit: Visit = NOWHERE) -> Battle:
    return opening.open_battle(voter, arena, "Why?", seed=opening.new_seed(), now=at, visit=visit)


def refused(arena: Arena, voter: Voter, at: datetime, visit: Visit = NOWHERE) -> TooManyBattles:
    before = Battle.objects.count()
    with pytest.raises(TooManyBattles) as error:
        serve(arena, voter, at, visit)
    assert Battle.objects.count() == before
    return error.value


@pytest.fixture
def known(db: None) -> Voter:
    return Voter.objects.create(user=User.objects.create_user("known"))


@pytest.fixture
def newcomers(db: None) -> Iterator[Voter]:
    return iter([Voter.objects.create() for _ in range(30)])


def test_a_voter_is_served_the_last_of_a_minute_and_not_one_more(live: Arena, known: Voter, now: datetime) -> None:
    for number in range(4):
        serve(live, known, now + number * SECOND)
    refusal = refused(live, known, now + 10 * SECOND)
    assert refusal.retry_after == 50
    refused(live, known, now + MINUTE - SECOND)
    serve(live, known, now + MINUTE)


def test_an_hours_limit_holds_when_no_minutes_does(live: Arena, known: Voter, now: datetime) -> None:
    for number in range(9):
        serve(live, known, now + number * MINUTE)
    assert refused(live, known, now + 10 * MINUTE).retry_after == 50 * 60
    serve(live, known, now + HOUR)


def test_a_new_cookie_is_held_tighter_than_an_old_one(
    live: Arena, newcomers: Iterator[Voter], known: Voter, now: datetime
) -> None:
    voter = next(newcomers)
    for number in range(6):
        serve(live, voter, now + number * 20 * SECOND)
        serve(live, known, now + number * 20 * SECOND)
    refused(live, voter, now + 3 * MINUTE)
    serve(live, known, now + 3 * MINUTE)
    for number in range(2):
        serve(live, voter, now + HOUR + number * MINUTE)
    refused(live, voter, now + 3 * HOUR)
    serve(live, voter, now + DAY)
    for number in range(1, 4):  # a day old: the narrow limits are over
        serve(live, voter, now + DAY + number * 2 * MINUTE)


def test_skipping_does_not_make_room(live: Arena, known: Voter, now: datetime) -> None:
    """Each new prompt sets the open battle aside, and every battle that was served counts."""
    for number in range(4):
        serve(live, known, now + number * SECOND)
    assert Battle.objects.filter(state="skipped").count() == 3
    refused(live, known, now + 5 * SECOND)


def test_a_block_takes_so_many_new_cookies_an_hour_and_old_ones_go_on(
    live: Arena, newcomers: Iterator[Voter], now: datetime
) -> None:
    old = next(newcomers)
    serve(live, old, now - 3 * DAY, HERE)
    for number in range(3):
        serve(live, next(newcomers), now + number * 30 * SECOND, HERE)
    late = next(newcomers)
    refusal = refused(live, late, now + 5 * MINUTE, Visit("203.0.113.250"))
    assert isinstance(refusal, TooManyFromHere)
    assert refusal.retry_after == 55 * 60
    serve(live, old, now + 5 * MINUTE, HERE)
    serve(live, late, now + 6 * MINUTE, ELSEWHERE)


def test_a_block_takes_so_many_battles_a_minute_whoever_asks(
    live: Arena, newcomers: Iterator[Voter], now: datetime
) -> None:
    olds = [next(newcomers) for _ in range(6)]
    for number, voter in enumerate(olds):
        serve(live, voter, now - (9 - number) * DAY, HERE)
    for voter in olds[:5]:
        serve(live, voter, now, HERE)
    assert refused(live, olds[5], now + 20 * SECOND, HERE).retry_after == 40
    serve(live, olds[5], now + MINUTE, HERE)


def test_accounts_and_members_are_not_counted_with_their_neighbours(
    live: Arena, newcomers: Iterator[Voter], known: Voter, now: datetime
) -> None:
    for number in range(3):
        serve(live, next(newcomers), now + number * 30 * SECOND, HERE)
    member = next(newcomers)
    refused(live, member, now + 2 * MINUTE, HERE)
    Membership.objects.create(arena=live, voter=member, role="voter")
    serve(live, member, now + 2 * MINUTE, HERE)
    serve(live, known, now + 2 * MINUTE, HERE)


def test_an_account_that_anybody_could_make_is_counted_as_a_cookie(
    live: Arena, newcomers: Iterator[Voter], now: datetime, settings: Any
) -> None:
    settings.SIGN_UP = "open"

    def signed_up(number: int, *, confirmed: bool = False) -> Voter:
        user = User.objects.create_user(f"u{number}", f"u{number}@example.org")
        EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=confirmed)
        return Voter.objects.create(user=user)

    for number in range(3):
        serve(live, signed_up(number), now + number * 30 * SECOND, HERE)
    assert isinstance(refused(live, signed_up(3), now + 2 * MINUTE, HERE), TooManyFromHere)
    refused(live, next(newcomers), now + 2 * MINUTE, HERE)
    serve(live, signed_up(4, confirmed=True), now + 2 * MINUTE, HERE)


def test_arenas_by_invitation_know_their_voters(live: Arena, newcomers: Iterator[Voter], now: datetime) -> None:
    Arena.objects.filter(pk=live.pk).update(access="invite")
    live.refresh_from_db()
    for _ in range(5):
        serve(live, next(newcomers), now, HERE)


def test_an_invitation_brings_so_many_newcomers_an_hour_from_wherever(
    live: Arena, newcomers: Iterator[Voter], now: datetime
) -> None:
    Arena.objects.filter(pk=live.pk).update(access="invite")
    live.refresh_from_db()
    link, other = (
        Invitation.objects.create(arena=live, role="voter", token_hash=f"{n}", expires_at=now + DAY) for n in "12"
    )

    def guest(invitation: Invitation) -> Voter:
        voter = next(newcomers)
        Membership.objects.create(arena=live, voter=voter, role="voter", invitation=invitation)
        return voter

    first = guest(link)
    serve(live, first, now, Visit("203.0.113.1"))
    for number in range(3):
        serve(live, guest(link), now + MINUTE, Visit(f"203.0.{number}.1"))
    assert refused(live, guest(link), now + 2 * MINUTE, ELSEWHERE).retry_after == 58 * 60
    serve(live, first, now + 2 * MINUTE, HERE)
    serve(live, guest(other), now + 2 * MINUTE, ELSEWHERE)


def test_off_lifts_every_limit(
    live: Arena, known: Voter, newcomers: Iterator[Voter], now: datetime, settings: Any
) -> None:
    settings.RATE_LIMITS = False
    for _ in range(12):
        serve(live, known, now, HERE)
    for _ in range(12):
        serve(live, next(newcomers), now, HERE)


def test_a_refusal_over_the_web_is_429_and_says_when(live: Arena, client: Client) -> None:
    answers = [client.post("/a/live/battles/", {"prompt": "Why?"}) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [302, 302, 302, 302, 429]
    assert 50 <= int(answers[-1]["Retry-After"]) <= 60
    assert "Wait" in answers[-1].content.decode()


def test_new_browsers_of_one_address_are_refused_over_the_api_too(live: Arena) -> None:
    def post(address: str) -> Any:
        return Client(REMOTE_ADDR=address).post("/api/v1/arenas/live/battles/", {"prompt": "Why?"})

    assert [post(f"203.0.113.{host}").status_code for host in (1, 2, 3, 4)] == [201, 201, 201, 429]
    assert post("203.0.113.9").json()["code"] == "rate_limited_here"
    assert post("198.51.100.1").status_code == 201


def test_a_header_that_no_trusted_proxy_sent_names_no_address(live: Arena) -> None:
    def post(number: int) -> int:
        forged = {"x-forwarded-for": f"198.51.{number}.1", "forwarded": f"for=198.51.{number}.1"}
        return Client(REMOTE_ADDR="203.0.113.1", headers=forged).post("/a/live/battles/", {"prompt": "?!x"}).status_code

    assert [post(number) for number in range(4)] == [302, 302, 302, 429]


# Addresses


@pytest.mark.parametrize(
    ("address", "block"),
    [
        ("203.0.113.7", "203.0.113.0/24"),
        ("203.0.113.255", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:203.0.113.7", "203.0.113.0/24"),
        ("::1", "::/64"),
        ("", ""),
        ("unix:", ""),
        ("999.1.1.1", ""),
    ],
)
def test_a_block_is_what_one_household_has(address: str, block: str) -> None:
    assert addresses.block_of(address) == block


def test_no_address_and_no_block_is_stored(live: Arena, newcomers: Iterator[Voter], now: datetime) -> None:
    serve(live, next(newcomers), now, HERE)
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            assert "203.0.113" not in repr(cursor.fetchall()), table


def test_without_the_key_a_hash_leads_nowhere(live: Arena, newcomers: Iterator[Voter], now: datetime) -> None:
    serve(live, next(newcomers), now, HERE)
    stored = ServedFrom.objects.get().block
    assert len(stored) == 32
    AddressKey.objects.all().delete()
    assert stored not in addresses.hashes_of("203.0.113.7", now=now)


def test_keys_change_and_limits_see_across_the_change(live: Arena, newcomers: Iterator[Voter], now: datetime) -> None:
    turn = now + addresses.KEY_LIFE
    serve(live, next(newcomers), now, ELSEWHERE)
    for number in range(3):
        serve(live, next(newcomers), turn - 10 * MINUTE + number * 20 * SECOND, HERE)
    refused(live, next(newcomers), turn + MINUTE, HERE)
    serve(live, next(newcomers), turn + 2 * HOUR, HERE)
    assert AddressKey.objects.count() == 2
    names = set(ServedFrom.objects.order_by("served_at").values_list("block", flat=True))
    assert len(names) == 3, "after the change the same block has another name"


def test_the_worker_forgets_what_is_old(live: Arena, newcomers: Iterator[Voter], now: datetime, settings: Any) -> None:
    settings.ADDRESS_DAYS = 10
    serve(live, next(newcomers), now, HERE)
    serve(live, next(newcomers), now + DAY, HERE)
    assert addresses.forget(now=now + 10 * DAY - SECOND) == 0
    assert addresses.forget(now=now + 10 * DAY) == 1
    assert AddressKey.objects.count() == 1
    addresses.forget(now=now + addresses.KEY_LIFE + addresses.LONGEST_WINDOW)
    assert (ServedFrom.objects.count(), AddressKey.objects.count()) == (0, 0)
    assert Battle.objects.count() == 2


def test_screening_finds_clusters_and_ages(live: Arena, newcomers: Iterator[Voter], now: datetime) -> None:
    one, two, three = (next(newcomers) for _ in range(3))
    serve(live, one, now - DAY, HERE)
    serve(live, one, now, HERE)
    serve(live, two, now, Visit("203.0.113.99"))
    serve(live, three, now, ELSEWHERE)
    assert sorted(map(len, addresses.clusters(live).values())) == [1, 2]
    assert {one.pk, two.pk} in addresses.clusters(live).values()
    assert addresses.first_served([one.pk, two.pk]) == {one.pk: now - DAY, two.pk: now}


def test_who_has_their_data_deleted_makes_no_room_for_the_next_cookie(
    live: Arena, newcomers: Iterator[Voter], now: datetime
) -> None:
    for number in range(3):
        voter = next(newcomers)
        serve(live, voter, now + number * SECOND, HERE)
        erase(voter, now=now + number * SECOND)
    refused(live, next(newcomers), now + MINUTE, HERE)
    forget_origins(now=now + DAY - SECOND)
    assert ServedFrom.objects.count() == 3
    forget_origins(now=now + DAY + MINUTE)
    assert not ServedFrom.objects.exists()


def test_what_is_too_old_for_limits_goes_at_once_with_its_voter(
    live: Arena, newcomers: Iterator[Voter], now: datetime
) -> None:
    voter = next(newcomers)
    serve(live, voter, now - 2 * DAY, HERE)
    erase(voter, now=now)
    assert not ServedFrom.objects.exists()
