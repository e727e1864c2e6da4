"""Accounts: made by invitation, signed in with a password and a second factor, locked against guessing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, hotp_value, yield_hotp_counters_from_time
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from arena.teams import invitations, members, voters
from arena.teams.lockout import whose_address
from arena.teams.models import Arena, Membership, Voter

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "four-words-make-one"
NEW = {"email": "ines@example.org", "password1": PASSWORD}


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    cache.clear()


@pytest.fixture
def arena(db: None) -> Arena:
    return Arena.objects.create(slug="team", title="Team", kind="recorded", access="invite")


@pytest.fixture
def ines(db: None) -> User:
    return User.objects.create_user("ines", "ines@example.org", PASSWORD)


def sign_in(browser: Client, password: str = PASSWORD, name: str = "ines", address: str = "10.1.2.3") -> int:
    body = {"login": name, "password": password}
    return browser.post("/accounts/login/", body, REMOTE_ADDR=address).status_code


def is_signed_in(browser: Client) -> bool:
    return "_auth_user_id" in browser.session


@pytest.mark.parametrize("name", ["ines@example.org", "INES@example.org", "ines"])
def test_people_sign_in_by_address_or_by_name(ines: User, name: str) -> None:
    browser = Client()
    assert (sign_in(browser, name=name), is_signed_in(browser)) == (302, True)
    assert b"ines@example.org" in browser.get("/accounts/").content


def test_a_password_is_kept_as_argon2(ines: User) -> None:
    assert ines.password.startswith("argon2$argon2id$")


def test_guessing_is_locked_out_and_only_from_there(ines: User) -> None:
    answers = [sign_in(Client(), f"guess-number-{n}") for n in range(7)]
    assert answers == [200] * 5 + [429] * 2
    assert sign_in(Client()) == 429, "the right password comes too late"
    browser = Client()
    assert (sign_in(browser, address="10.9.9.9"), is_signed_in(browser)) == (302, True)


def test_guessing_from_another_address_of_one_ipv6_network_is_guessing_on(ines: User) -> None:
    answers = [sign_in(Client(), f"guess-number-{n}", address=f"2001:db8:1:2::{n}") for n in range(6)]
    assert answers == [200] * 5 + [429]
    assert sign_in(Client(), address="2001:db8:1:2:ffff::1") == 429
    assert sign_in(Client(), address="2001:db8:1:3::1") == 302


def test_who_asks_too_often_reads_so_on_a_page_of_ours(db: None) -> None:
    answers = [Client().post("/accounts/password/reset/", {"email": f"a{n}@example.org"}) for n in range(25)]
    page = answers[-1].content.decode()
    assert answers[-1].status_code == 429 and "Wait a few minutes" in page and 'href="/"' in page


@pytest.mark.parametrize(
    ("raw", "whose"),
    [("203.0.113.7", "203.0.113.7"), ("::ffff:203.0.113.7", "203.0.113.7"), ("2001:db8:1:2:3::9", "2001:db8:1:2::"),
     ("fe80::1%eth0", "fe80::"), ("", "")],
)  # fmt: skip
def test_a_caller_has_an_address_or_a_network(raw: str, whose: str) -> None:
    assert whose_address(raw) == whose


def test_the_lockout_stores_no_address_of_anybody(ines: User) -> None:
    sign_in(Client(), "a-wrong-password")
    stored = str(AccessAttempt.objects.values().get())
    assert "10.1.2.3" not in stored and "a-wrong-password" not in stored
    assert "fd" in AccessAttempt.objects.get().ip_address[:2]


def test_nobody_makes_an_account_without_an_invitation(db: None) -> None:
    page = Client().get("/accounts/signup/")
    assert b"by invitation" in page.content
    Client().post("/accounts/signup/", NEW)
    assert not User.objects.exists()


def test_an_invitation_lets_its_holder_make_an_account_and_join(arena: Arena) -> None:
    _made, token = invitations.invite(arena, "operator")
    browser = Client()
    browser.get(f"/join/{token}/")
    made = browser.post("/accounts/signup/", {**NEW, "next": f"/join/{token}/"})
    assert made["Location"] == f"/join/{token}/"
    browser.post(f"/join/{token}/", {"display_name": "Ines"})
    member = Membership.objects.get()
    assert (member.role, member.voter.user) == ("operator", User.objects.get(email="ines@example.org"))


def test_a_withdrawn_invitation_makes_no_account(arena: Arena) -> None:
    made, token = invitations.invite(arena, "operator")
    browser = Client()
    browser.get(f"/join/{token}/")
    invitations.revoke(made, now=timezone.now())
    browser.post("/accounts/signup/", NEW)
    assert not User.objects.exists()


def test_anybody_makes_an_account_where_sign_up_is_open(db: None, settings: Settings) -> None:
    settings.SIGN_UP = "open"
    assert b"keep_votes" not in Client().get("/accounts/signup/").content, "there is nothing to keep"
    Client().post("/accounts/signup/", NEW)
    assert User.objects.get().email == "ines@example.org"


def cookie_member(arena: Arena) -> tuple[Client, Voter]:
    browser = Client()
    _made, token = invitations.invite(arena, "voter")
    browser.post(f"/join/{token}/", {"display_name": "Ines"})
    return browser, Voter.objects.get()


def test_an_account_made_later_keeps_membership_and_votes(arena: Arena) -> None:
    browser, voter = cookie_member(arena)
    browser.post("/accounts/signup/", {**NEW, "keep_votes": "on"})
    voter.refresh_from_db()
    assert voter.user == User.objects.get()
    assert browser.get("/a/team/").status_code == 200
    browser.post("/accounts/logout/")
    assert browser.get("/a/team/").status_code == 404, "the cookie alone no longer stands for this voter"
    elsewhere = Client()
    sign_in(elsewhere)
    assert elsewhere.get("/a/team/").status_code == 200


def test_an_account_leaves_a_shared_browsers_votes_where_it_is_told_to(arena: Arena) -> None:
    browser, voter = cookie_member(arena)
    browser.post("/accounts/signup/", NEW)
    voter.refresh_from_db()
    assert voter.user is None and Voter.objects.filter(user__isnull=False).count() == 0


def test_signing_in_takes_over_no_other_voter(arena: Arena, ines: User) -> None:
    """Two voters in one person's hands would let one's reveal name the other's answers."""
    browser, voter = cookie_member(arena)
    sign_in(browser)
    voter.refresh_from_db()
    assert voter.user is None
    assert browser.get("/a/team/").status_code == 404


def test_an_account_with_a_voter_adopts_no_second_one(arena: Arena, ines: User) -> None:
    browser, voter = cookie_member(arena)
    Voter.objects.create(user=ines)
    assert voters.adopt(browser.get("/").wsgi_request, ines) is None
    voter.refresh_from_db()
    assert voter.user is None


PAGES = [
    "/accounts/", "/accounts/password/change/", "/accounts/2fa/", "/accounts/logout/", "/accounts/email/",
    "/accounts/password/reset/", "/accounts/3rdparty/", "/accounts/reauthenticate/",
]  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_every_page_of_an_account_is_in_our_look(ines: User, page: str) -> None:
    browser = Client()
    sign_in(browser)
    answer = browser.get(page)
    assert answer.status_code == 200, answer
    assert b"people.css" in answer.content and b"<script>" not in answer.content


def test_a_second_factor_is_asked_for_and_encrypted_at_rest(ines: User) -> None:
    secret = generate_totp_secret()
    TOTP.activate(ines, secret)
    assert secret not in str(Authenticator.objects.values().get())
    browser = Client()
    sign_in(browser)
    assert not is_signed_in(browser)
    code = hotp_value(secret, next(yield_hotp_counters_from_time()))
    browser.post("/accounts/2fa/authenticate/", {"code": f"{code:06}"})
    assert is_signed_in(browser)


def test_the_code_to_scan_stands_in_the_page_itself(ines: User) -> None:
    browser = Client()
    sign_in(browser)
    asked = browser.get("/accounts/2fa/totp/activate/")
    assert asked["Location"].startswith("/accounts/reauthenticate/"), "an open browser must not be enough"
    browser.post(asked["Location"], {"password": PASSWORD})
    page = browser.get("/accounts/2fa/totp/activate/").content.decode()
    assert "<svg" in page and "data:image" not in page and "<?xml" not in page


def test_the_admin_has_the_same_door(ines: User) -> None:
    assert Client().get("/admin/login/")["Location"].startswith("/accounts/login/?next=")
    assert Client().get("/admin/")["Location"].startswith("/admin/login/")


def test_without_a_mail_server_no_mail_is_offered(db: None) -> None:
    page = Client().get("/accounts/login/").content
    assert b"sends no mail" in page and b"by e-mail" not in page
    assert b"sends no mail" in Client().get("/accounts/password/reset/").content
    assert Client().get("/accounts/login/code/").status_code == 404


SHOWN = """
import django
django.setup()
from django.conf import settings
from django.urls import reverse
print(settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS)
print(settings.ACCOUNT_EMAIL_VERIFICATION, reverse("account_request_login_code"))
print(reverse("openid_connect_login", args=["oidc"]))
print(settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["settings"]["server_url"])
"""


def test_mail_and_the_organizations_sign_in_come_from_the_environment(tmp_path: Path) -> None:
    env = {
        **os.environ, "VAR_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "arena.settings",
        "EMAIL_URL": "smtp+tls://me:secret@mail.example.org:587", "OIDC_ISSUER": "https://sso.example.org/realm",
        "OIDC_CLIENT_ID": "blindfold", "OIDC_CLIENT_SECRET": "x",
    }  # fmt: skip
    done = subprocess.run([sys.executable, "-c", SHOWN], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        "django.core.mail.backends.smtp.EmailBackend mail.example.org 587 True",
        "mandatory /accounts/login/code/",
        "/accounts/oidc/oidc/login/",
        "https://sso.example.org/realm",
    ], done.stderr


def test_an_account_deleted_leaves_its_votes_to_nobody(arena: Arena, ines: User) -> None:
    member = members.appoint(arena, Voter.objects.create(user=ines), "owner")
    ines.delete()
    member.voter.refresh_from_db()
    assert member.voter.user is None
