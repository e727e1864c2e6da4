"""Signing in at the organization, tried against a provider that runs here: who comes in, who does not, what is said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers import registry
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from arena import environment
from arena.teams import api_tokens, invitations
from arena.teams.models import Arena, Membership, Voter
from tests.provider import Organization, running

PASSWORD = "four-words-make-one"
LOGIN = "/accounts/oidc/oidc/login/"


@pytest.fixture(scope="module")
def provider() -> Iterator[Organization]:
    with running() as organization:
        yield organization


def configure(monkeypatch: pytest.MonkeyPatch, settings: Settings, issuer: str) -> None:
    """As the environment does for an instance that is started with it."""
    for name, value in {"ISSUER": issuer, "CLIENT_ID": "blindfold", "CLIENT_SECRET": "s", "NAME": "Acme"}.items():
        monkeypatch.setenv(f"OIDC_{name}", value)
    settings.SOCIALACCOUNT_PROVIDERS = environment.oidc()
    registry.load()
    monkeypatch.setitem(registry.provider_map, OpenIDConnectProvider.id, OpenIDConnectProvider)


@pytest.fixture
def acme(provider: Organization, db: None, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Organization:
    cache.clear()
    configure(monkeypatch, settings, provider.url)
    provider.knows("ines", email="ines@example.org", email_verified=True, name="Ines")
    return provider


@pytest.fixture
def arena(db: None) -> Arena:
    return Arena.objects.create(slug="team", title="Team", kind="recorded", access="private")


def leave(browser: Client, query: str = "") -> str:
    """Where the product's page leads on to."""
    page = browser.post(f"{LOGIN}{query}")
    assert page.status_code == 200, page
    (address,) = {
        found.replace("&amp;", "&") for found in re.findall(r'url=([^"]+)"|href="(http[^"]+)"', page.content.decode())
        for found in found if found
    }  # fmt: skip
    return address


def sign_in(browser: Client, acme: Organization, sub: str = "ines", query: str = "") -> Any:
    return browser.get(acme.confirms(leave(browser, query), sub).removeprefix("http://testserver"))


def who(browser: Client) -> str:
    pk = browser.session.get("_auth_user_id")
    return User.objects.get(pk=pk).email if pk else ""


def invited(arena: Arena, role: str = "operator") -> tuple[Client, str]:
    browser = Client()
    _made, token = invitations.invite(arena, role)
    browser.get(f"/join/{token}/")
    return browser, f"/join/{token}/"


def test_the_page_offers_it_by_a_form_and_nothing_else_begins_it(acme: Organization) -> None:
    page = Client().get("/accounts/login/?next=/a/team/").content.decode()
    assert "Sign in with Acme" in page and f'method="post" action="{LOGIN}?process=login&amp;next=' in page
    browser = Client()
    asked = browser.get(LOGIN)
    assert asked.status_code == 200 and b"Continue" in asked.content and acme.url.encode() not in asked.content
    assert "socialaccount_states" not in browser.session, "a link or an image must not begin it"
    assert Client(enforce_csrf_checks=True).post(LOGIN).status_code == 403, "nor a form from elsewhere"


def test_the_way_there_is_a_page_that_leads_on_with_state_and_proof(acme: Organization) -> None:
    asked = parse_qs(urlsplit(leave(Client())).query)
    assert asked["redirect_uri"] == ["http://testserver/accounts/oidc/oidc/login/callback/"]
    assert set(asked["scope"][0].split()) == {"openid", "email", "profile"}
    assert asked["code_challenge_method"] == ["S256"] and len(asked["state"][0]) >= 16


def test_whoever_was_invited_signs_in_and_has_a_role(acme: Organization, arena: Arena) -> None:
    browser, link = invited(arena)
    back = sign_in(browser, acme, query=f"?next={link}")
    assert (back.status_code, back["Location"], who(browser)) == (302, link, "ines@example.org")
    browser.post(link, {"display_name": "Ines"})
    assert Membership.objects.get(arena=arena).role == "operator"
    assert browser.get("/console/team/").status_code == 200


def test_whoever_was_not_invited_is_told_so_and_no_account_is_made(acme: Organization) -> None:
    browser = Client()
    answer = sign_in(browser, acme)
    assert b"Accounts are made by invitation" in answer.content
    assert (who(browser), User.objects.count(), SocialAccount.objects.count()) == ("", 0, 0)


def test_a_second_sign_in_is_the_same_account_also_under_another_address(
    acme: Organization, settings: Settings
) -> None:
    settings.SIGN_UP = "open"
    sign_in(Client(), acme)
    acme.knows("ines", email="married@example.org", email_verified=True)
    elsewhere = Client()
    sign_in(elsewhere, acme)
    assert (who(elsewhere), User.objects.count(), SocialAccount.objects.count()) == ("ines@example.org", 1, 1)


def test_an_account_keeps_what_this_browser_did_before(acme: Organization, settings: Settings) -> None:
    settings.SIGN_UP = "open"
    Arena.objects.create(slug="team", title="Team", kind="recorded", access="invite")
    browser = Client()
    _made, token = invitations.invite(Arena.objects.get(), "voter")
    browser.post(f"/join/{token}/", {"display_name": "Ines"})
    sign_in(browser, acme)
    assert Voter.objects.get().user == User.objects.get()
    assert browser.get("/a/team/").status_code == 200


@pytest.mark.parametrize("state", ["", "made-up", "of-another"])
def test_a_state_that_this_browser_does_not_hold_is_refused_in_a_sentence(acme: Organization, state: str) -> None:
    browser, other = Client(), Client()
    leave(browser)
    query = {"code": "x", "state": {"of-another": parse_qs(urlsplit(leave(other)).query)["state"][0]}.get(state, state)}
    answer = browser.get(f"{LOGIN}callback/", query)
    assert answer.status_code == 400 and b"begun in another browser" in answer.content
    assert who(browser) == ""


def test_a_code_is_good_once(acme: Organization, settings: Settings) -> None:
    settings.SIGN_UP = "open"
    browser = Client()
    back = acme.confirms(leave(browser), "ines").removeprefix("http://testserver")
    assert browser.get(back).status_code == 302
    browser.post("/accounts/logout/")
    assert browser.get(back).status_code == 400, "the state is used up"
    assert who(browser) == ""


@pytest.mark.parametrize("error", ["server_error", "invalid_scope"])
def test_a_refusal_of_the_organization_is_told(acme: Organization, error: str) -> None:
    browser = Client()
    state = parse_qs(urlsplit(leave(browser)).query)["state"][0]
    answer = browser.get(f"{LOGIN}callback/", {"error": error, "state": state})
    assert answer.status_code == 401 and b"Acme did not confirm who you are" in answer.content


def test_whoever_cancels_it_there_is_back_at_the_door(acme: Organization) -> None:
    browser = Client()
    state = parse_qs(urlsplit(leave(browser)).query)["state"][0]
    answer = browser.get(f"{LOGIN}callback/", {"error": "access_denied", "state": state}, follow=True)
    assert answer.status_code == 200 and b"You have cancelled it" in answer.content


def test_a_code_that_the_organization_does_not_know_is_no_sign_in(acme: Organization) -> None:
    browser = Client()
    state = parse_qs(urlsplit(leave(browser)).query)["state"][0]
    answer = browser.get(f"{LOGIN}callback/", {"code": "made-up", "state": state})
    assert answer.status_code == 401 and b"Acme did not confirm who you are" in answer.content
    assert who(browser) == ""


class TestTaken:
    """Somebody has a password account under the address that the organization gives."""

    @pytest.fixture(autouse=True)
    def known(self, acme: Organization, settings: Settings) -> User:
        settings.SIGN_UP = "open"
        user = User.objects.create_user("ines", "ines@example.org", PASSWORD)
        EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
        return user

    @pytest.mark.parametrize("claims", [{}, {"email_verified": False}, {"email_verified": "false"}])
    def test_an_address_that_is_not_confirmed_there_opens_no_account_here(
        self, acme: Organization, known: User, claims: dict[str, Any]
    ) -> None:
        acme.knows("mallory", email="ines@example.org", **claims)
        browser = Client()
        answer = sign_in(browser, acme, "mallory")
        assert who(browser) == ""
        assert not SocialAccount.objects.filter(user=known).exists()
        assert answer["Location"] == "/accounts/3rdparty/signup/"
        form = browser.get(answer["Location"])
        assert form.status_code == 200 and b"If you have an account here, sign in to it first" in form.content
        taken = browser.post("/accounts/3rdparty/signup/", {"email": "ines@example.org"})
        assert taken.status_code == 200 and who(browser) == ""
        assert User.objects.get() == known and known.check_password(PASSWORD)

    @pytest.mark.parametrize("claim", [True, "true"])
    def test_one_that_is_confirmed_there_is_this_account_and_its_password_stays(
        self, acme: Organization, known: User, claim: Any
    ) -> None:
        acme.knows("ines", email="INES@example.org", email_verified=claim)
        browser = Client()
        sign_in(browser, acme)
        known.refresh_from_db()
        assert who(browser) == "ines@example.org" and User.objects.count() == 1
        assert known.check_password(PASSWORD) and SocialAccount.objects.get().user == known

    def test_who_had_put_in_the_address_of_somebody_else_loses_the_account_to_its_owner(
        self, acme: Organization, known: User
    ) -> None:
        EmailAddress.objects.update(verified=False)
        expires = timezone.now() + timedelta(days=1)
        _row, token = api_tokens.make(known, name="x", scopes=["read"], expires_at=expires)
        mallory = Client()
        mallory.post("/accounts/login/", {"login": "ines@example.org", "password": PASSWORD})
        assert who(mallory) == "ines@example.org"
        browser = Client()
        sign_in(browser, acme)
        known.refresh_from_db()
        assert who(browser) == "ines@example.org" and not known.has_usable_password()
        assert mallory.get("/accounts/").status_code == 302, "the session ends with the password"
        assert api_tokens.token_of(token, now=timezone.now()) is None

    def test_an_account_is_connected_by_its_own_page_and_then_met_without_an_address(
        self, acme: Organization, known: User
    ) -> None:
        acme.knows("other", email="", name="Ines")
        browser = Client()
        browser.force_login(known)
        assert b'href="/accounts/3rdparty/"' in browser.get("/accounts/").content
        page = browser.get("/accounts/3rdparty/").content.decode()
        assert f"{LOGIN}?process=connect" in page
        assert b"you can sign in here with Acme, too" in browser.get(f"{LOGIN}?process=connect").content
        sign_in(browser, acme, "other", "?process=connect")
        assert SocialAccount.objects.get().user == known
        later = Client()
        sign_in(later, acme, "other")
        assert who(later) == "ines@example.org"


@pytest.fixture
def nobody_there(acme: Organization, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    configure(monkeypatch, settings, "http://127.0.0.1:9")


def test_a_provider_that_is_down_is_named_on_a_page_on_the_way_there(nobody_there: None) -> None:
    assert Client().get("/accounts/login/").status_code == 200, "the password still opens"
    answer = Client().post(LOGIN)
    assert answer.status_code == 503 and b"Acme does not answer at the moment" in answer.content


def test_and_on_the_way_back(acme: Organization, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    browser = Client()
    back = acme.confirms(leave(browser), "ines").removeprefix("http://testserver")
    configure(monkeypatch, settings, "http://127.0.0.1:9")
    answer = browser.get(back)
    assert answer.status_code == 503 and b"Acme does not answer at the moment" in answer.content
    assert who(browser) == ""


def test_an_issuer_that_is_something_else_is_named_so(
    acme: Organization, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """A page without a discovery document, and one whose document lacks everything."""
    configure(monkeypatch, settings, f"{acme.url}/nothing")
    answer = Client().post(LOGIN)
    assert answer.status_code == 503 and b"Acme does not answer" in answer.content
    configure(monkeypatch, settings, acme.url)
    monkeypatch.setattr("requests.models.Response.json", lambda self: {})
    answer = Client().post(LOGIN)
    assert answer.status_code == 503 and b"that this server does not understand" in answer.content


def test_without_an_organization_there_is_no_such_page(db: None) -> None:
    for path in (LOGIN, f"{LOGIN}callback/"):
        assert (Client().get(path).status_code, Client().post(path).status_code) == (404, 404)
    assert b"Sign in with" not in Client().get("/accounts/login/").content
