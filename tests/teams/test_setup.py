"""The first account, and further operators: by links that work once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from arena.teams import api_tokens, setup
from arena.teams.models import SetupLink
from arena.teams.setup import SetupRefused

PASSWORD = "four-words-make-one"
FORM = {"email": "ines@example.org", "password": PASSWORD}


def printed(*command: str) -> str:
    out = StringIO()
    call_command(*command, stdout=out)
    return out.getvalue().strip()


def path_of(link: str) -> str:
    return link.removeprefix("http://127.0.0.1:8000")


def test_the_first_account_is_made_by_the_printed_link_and_signed_in(db: None) -> None:
    link = path_of(printed("setup_link"))
    browser = Client()
    assert b"Make the first account" in browser.get(link).content
    assert browser.post(link, FORM).status_code == 302
    user = User.objects.get()
    assert (user.email, user.is_staff, user.check_password(PASSWORD)) == ("ines@example.org", True, True)
    assert browser.get("/accounts/").status_code == 200


def test_the_link_works_once_and_only_while_there_is_no_account(db: None) -> None:
    link = path_of(printed("setup_link"))
    User.objects.create_user("otto")
    assert Client().get(link).status_code == 404
    assert Client().post(link, FORM).status_code == 404
    assert printed("setup_link") == ""
    User.objects.all().delete()
    Client().post(link, FORM)
    User.objects.all().delete()
    assert Client().post(link, FORM).status_code == 404, "it was used, even if the account is gone"


def test_a_newer_link_takes_the_place_of_an_older_one(db: None) -> None:
    old, new = path_of(printed("setup_link")), path_of(printed("setup_link"))
    assert (Client().get(old).status_code, Client().get(new).status_code) == (404, 200)


def test_the_database_does_not_hold_what_opens_it(db: None) -> None:
    token = path_of(printed("setup_link")).split("/")[2]
    assert token not in str(SetupLink.objects.values().get())


@pytest.mark.parametrize("token", ["x", "x.y", "0" * 68])
def test_a_made_up_link_opens_nothing(db: None, token: str) -> None:
    assert Client().get(f"/setup/{token}/").status_code == 404


def test_a_link_is_over_after_its_time(db: None) -> None:
    now = timezone.now()
    token = setup.first_link(now=now)
    assert token
    with pytest.raises(SetupRefused):
        setup.link_of(token, now=now + timedelta(days=8))


def test_an_easy_password_is_refused(db: None) -> None:
    link = path_of(printed("setup_link"))
    answer = Client().post(link, {**FORM, "password": "password123"})
    assert (answer.status_code, User.objects.count()) == (200, 0)


@pytest.mark.django_db(transaction=True)
def test_of_many_who_take_the_first_link_at_once_one_is_made() -> None:
    now = timezone.now()
    token = setup.first_link(now=now)
    assert token
    link = setup.link_of(token, now=now)

    def take(number: int) -> str:
        try:
            setup.finish(link, email=f"voter-{number}@example.org", password=PASSWORD, now=now)
            return "made"
        except SetupRefused:
            return "refused"
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(take, range(8)))
    assert (outcomes.count("made"), User.objects.count()) == (1, 1)


def test_a_further_operator_is_added_by_command(db: None) -> None:
    User.objects.create_user("otto")
    link = path_of(printed("add_owner", "ines@example.org"))
    Client().post(link, {"email": "somebody-else@example.org", "password": PASSWORD})
    made = User.objects.get(is_staff=True)
    assert made.email == "ines@example.org", "the address is the command's, not the form's"


def test_a_known_account_gets_a_new_password_and_signs_in_by_itself(db: None) -> None:
    User.objects.create_user("ines", "ines@example.org", "another-old-password")
    browser = Client()
    answer = browser.post(path_of(printed("add_owner", "Ines@example.org")), {"password": PASSWORD})
    assert answer["Location"] == "/accounts/login/"
    assert "_auth_user_id" not in browser.session, "a second factor would be passed over"
    assert User.objects.get().check_password(PASSWORD) and User.objects.get().is_staff


def test_what_an_account_gave_to_programs_before_does_not_operate_the_instance(db: None) -> None:
    """Somebody may have signed up with an address that is not theirs, and be waiting."""
    user = User.objects.create_user("ines", "ines@example.org", "another-old-password")
    now = timezone.now()
    _row, token = api_tokens.make(user, name="early", scopes=["configure"], expires_at=now + timedelta(days=365))
    assert api_tokens.token_of(token, now=now) is not None
    Client().post(path_of(printed("add_owner", "ines@example.org")), {"password": PASSWORD})
    assert api_tokens.token_of(token, now=timezone.now()) is None


def test_a_word_that_is_no_address_is_refused(db: None) -> None:
    with pytest.raises(CommandError, match="valid email"):
        call_command("add_owner", "ines")
