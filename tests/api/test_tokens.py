"""Programs with a token: within its scopes, until its day, in its arena, and never further than its account."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from arena.teams import api_tokens, members, tokens
from arena.teams.models import ApiToken, Arena, Membership, Voter

ARENAS = "/api/v1/arenas/"


@pytest.fixture
def arena(db: None) -> Arena:
    return Arena.objects.create(slug="team", title="Team", kind="recorded", access="private")


@pytest.fixture
def ines(arena: Arena) -> User:
    user = User.objects.create_user("ines", "ines@example.org")
    members.appoint(arena, Voter.objects.create(user=user), "owner")
    return user


def program(user: User, *scopes: str, **fields: Any) -> Client:
    """A program that holds a new token, checked for cross-site tricks as browsers are."""
    fields.setdefault("expires_at", timezone.now() + timedelta(days=1))
    _row, token = api_tokens.make(user, name="test", scopes=scopes, **fields)
    return Client(enforce_csrf_checks=True, headers={"authorization": f"Bearer {token}"})


def test_a_token_reads_what_its_account_may_and_no_more(ines: User) -> None:
    Arena.objects.create(slug="other", title="Other", kind="recorded", access="private")
    reader = program(ines, "read")
    assert [row["slug"] for row in reader.get(ARENAS).json()] == ["team"]
    assert reader.get(f"{ARENAS}team/").status_code == 200
    assert reader.get(f"{ARENAS}other/").status_code == 404


def test_the_database_does_not_hold_the_token(ines: User) -> None:
    made, token = api_tokens.make(ines, name="x", scopes=["read"], expires_at=timezone.now())
    assert token not in str(ApiToken.objects.values().get())
    assert made.token_hash == tokens.digest(token)


@pytest.mark.parametrize(("scopes", "status"), [(["read"], 403), (["export", "configure"], 403), (["vote"], 409)])
def test_to_be_served_a_battle_takes_the_scope_to_vote(ines: User, scopes: list[str], status: int) -> None:
    """409: it may, and there is nothing to judge. No CSRF token is needed: no browser sends this header by itself."""
    answer = program(ines, *scopes).post(f"{ARENAS}team/battles/", {}, content_type="application/json")
    assert (answer.status_code, set(answer.json())) == (status, {"code", "detail"})


def test_what_no_scope_is_named_for_takes_configure_to_write_and_read_to_read(ines: User) -> None:
    voter = program(ines, "vote")
    assert voter.get(f"{ARENAS}team/").status_code == 403
    for scopes, refused in ((["read"], True), (["configure"], False)):
        answer = program(ines, *scopes).post(f"{ARENAS}team/prompt-sets/", {}, content_type="application/json")
        assert (answer.status_code == 403) is refused


def test_a_scope_gives_nothing_that_the_account_lacks(ines: User, arena: Arena) -> None:
    Membership.objects.update(role="voter")
    answer = program(ines, "configure").post(f"{ARENAS}team/prompt-sets/", {}, content_type="application/json")
    assert answer.status_code in (403, 404)


@pytest.mark.parametrize(
    "spoil",
    [
        {"expires_at": timezone.now() - timedelta(seconds=1)},
        {"revoked_at": timezone.now()},
        {"token_hash": "0" * 64},
    ],
)
def test_a_token_that_is_over_is_401_and_not_somebody_anonymous(ines: User, spoil: dict[str, Any]) -> None:
    reader = program(ines, "read")
    Arena.objects.update(access="open")
    assert reader.get(f"{ARENAS}team/").status_code == 200
    ApiToken.objects.update(**spoil)
    answer = reader.get(f"{ARENAS}team/")
    assert (answer.status_code, answer.json()["code"]) == (401, "authentication_failed")
    assert answer["WWW-Authenticate"] == "Bearer"


def test_a_token_goes_with_its_account(ines: User) -> None:
    reader = program(ines, "read")
    ines.is_active = False
    ines.save()
    assert reader.get(f"{ARENAS}team/").status_code == 401


def test_a_token_for_one_arena_opens_no_other(ines: User, arena: Arena) -> None:
    ines.is_staff = True
    ines.save()
    Arena.objects.create(slug="open", title="Open", kind="recorded")
    reader = program(ines, "read", arena=arena)
    assert [row["slug"] for row in reader.get(ARENAS).json()] == ["team"]
    assert reader.get(f"{ARENAS}open/").status_code == 404


@pytest.mark.parametrize("said", ["Bearer", "Bearer x", "Bearer x.y z", "bearer " + "0" * 68])
def test_what_is_no_token_is_refused(arena: Arena, said: str) -> None:
    assert Client(headers={"authorization": said}).get(ARENAS).status_code == 401


def test_a_token_opens_no_page(ines: User) -> None:
    assert program(ines, "read", "configure", "vote").get("/a/team/").status_code == 404


def test_without_a_token_everything_is_as_before(arena: Arena) -> None:
    Arena.objects.update(access="open")
    assert Client().get(f"{ARENAS}team/").status_code == 200
    forged = Client(enforce_csrf_checks=True).post(f"{ARENAS}team/battles/", {}, content_type="application/json")
    assert forged.status_code == 403


def test_the_schema_tells_of_the_token_and_its_refusals(db: None) -> None:
    schema = Client().get("/api/schema/?format=json", headers={"accept": "application/json"}).json()
    assert schema["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    operation = schema["paths"]["/api/v1/arenas/{slug}/"]["get"]
    assert {"token": []} in operation["security"] and {"401", "403"} <= set(operation["responses"])


def test_people_make_and_withdraw_tokens_on_a_page(ines: User, arena: Arena) -> None:
    browser = Client()
    browser.force_login(ines)
    form = {"name": "nightly", "scopes": ["read", "export"], "arena": str(arena.pk), "days": "30"}
    page = browser.post("/accounts/tokens/", form)
    found = re.search(r'id="new-token" readonly value="([^"]+)"', page.content.decode())
    assert page.status_code == 200 and found
    assert found[1] not in browser.get("/accounts/tokens/").content.decode()
    reader = Client(headers={"authorization": f"Bearer {found[1]}"})
    assert reader.get(f"{ARENAS}team/").status_code == 200
    browser.post(f"/accounts/tokens/{ApiToken.objects.get().pk}/revoke/")
    assert reader.get(f"{ARENAS}team/").status_code == 401


def test_an_owner_withdraws_anybodys_token_for_the_arena(ines: User, arena: Arena) -> None:
    otto = User.objects.create_user("otto")
    members.appoint(arena, Voter.objects.create(user=otto), "operator")
    reader = program(otto, "read", arena=arena)
    token, browser = ApiToken.objects.get(), Client()
    browser.force_login(ines)
    assert b"test" in browser.get("/a/team/people/").content
    assert browser.post(f"/accounts/tokens/{token.pk}/revoke/").status_code == 404, "it is not the owner's own"
    browser.post(f"/a/team/people/tokens/{token.pk}/revoke/")
    assert reader.get(f"{ARENAS}team/").status_code == 401
