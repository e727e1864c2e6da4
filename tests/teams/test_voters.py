from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from pytest_django import Settings

from arena.teams import voters
from arena.teams.models import Voter

pytestmark = pytest.mark.django_db


def request(cookie: str | None = None, user: User | None = None) -> HttpRequest:
    made = RequestFactory().get("/")
    made.user = user or AnonymousUser()
    if cookie is not None:
        made.COOKIES[voters.COOKIE] = cookie
    return made


def test_somebody_new_has_no_voter_until_one_is_needed() -> None:
    assert voters.voter_of(request()) is None
    assert Voter.objects.count() == 0
    assert voters.ensure_voter(request()).user is None


def test_a_browser_is_known_again_by_its_cookie() -> None:
    voter = voters.ensure_voter(request())
    response = HttpResponse()
    voters.remember(response, voter)
    value = response.cookies[voters.COOKIE].value
    assert voters.voter_of(request(value)) == voter
    assert voters.ensure_voter(request(value)) == voter


def test_the_cookie_is_kept_from_scripts_and_other_sites(settings: Settings) -> None:
    for is_secure in (False, True):
        settings.IS_SECURE = is_secure
        response = HttpResponse()
        voters.remember(response, Voter.objects.create())
        cookie = response.cookies[voters.COOKIE]
        assert cookie["httponly"] and cookie["samesite"] == "Lax"
        assert bool(cookie["secure"]) is is_secure
        assert cookie["max-age"] == 365 * 24 * 3600


def test_the_cookie_says_the_public_id_and_no_other() -> None:
    user = User.objects.create_user("ines")
    voter = Voter.objects.create(user=user)
    named, *_ = voters.cookie_value(voter).split(":")
    assert named == voter.public_id.hex


@pytest.mark.parametrize("spoil", [lambda v: v[:-1], lambda v: "0" * 32 + v[32:], lambda v: "", lambda v: "a:b:c"])
def test_a_cookie_that_was_tampered_with_names_nobody(spoil: object) -> None:
    assert callable(spoil)
    value = spoil(voters.cookie_value(Voter.objects.create()))
    assert voters.voter_from_cookie(value) is None


def test_a_cookie_signed_for_another_purpose_names_nobody() -> None:
    voter = Voter.objects.create()
    assert voters.voter_from_cookie(signing.TimestampSigner(salt="else").sign(voter.public_id.hex)) is None
    assert voters.voter_from_cookie(voters._signer.sign("no-uuid")) is None


def test_a_cookie_older_than_a_year_names_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    value = voters.cookie_value(Voter.objects.create())
    later = datetime.now(UTC).timestamp() + 366 * 24 * 3600
    monkeypatch.setattr(signing.time, "time", lambda: later)
    assert voters.voter_from_cookie(value) is None


def test_an_account_votes_as_itself_whatever_cookie_the_browser_holds() -> None:
    user = User.objects.create_user("ines")
    stranger = voters.cookie_value(Voter.objects.create())
    assert voters.voter_of(request(stranger, user)) is None
    mine = voters.ensure_voter(request(stranger, user))
    assert mine.user == user
    assert voters.ensure_voter(request(None, user)) == mine
    assert voters.voter_of(request(stranger, user)) == mine


def test_whoever_comes_after_an_account_does_not_vote_in_its_name() -> None:
    value = voters.cookie_value(Voter.objects.create(user=User.objects.create_user("ines")))
    assert voters.voter_of(request(value)) is None
    assert voters.ensure_voter(request(value)).user is None


def test_a_socket_knows_the_voter_by_cookie_and_user() -> None:
    user = User.objects.create_user("ines")
    voter, stranger = Voter.objects.create(user=user), Voter.objects.create()
    assert voters.voter_from_scope_cookie(voters.cookie_value(stranger), AnonymousUser()) == stranger
    assert voters.voter_from_scope_cookie(None, user) == voter
    assert voters.voter_from_scope_cookie(voters.cookie_value(voter), None) is None
