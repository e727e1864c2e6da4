"""Links that make members: for a while, for so many, until withdrawn."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from arena.teams import invitations, members, tokens, voters
from arena.teams.errors import (
    InvitationExpired,
    InvitationRevoked,
    InvitationUsedUp,
    LastOwner,
    MembershipEnded,
    NeedsAccount,
    UnknownInvitation,
)
from arena.teams.models import Arena, Invitation, Membership, Voter

NOW = timezone.now()


@pytest.fixture
def arena(db: None) -> Arena:
    return Arena.objects.create(slug="team", title="Team", kind="recorded", access="invite")


def link(arena: Arena, role: str = "voter", **settings: Any) -> tuple[Invitation, str]:
    return invitations.invite(arena, role, **settings)


def account_voter(name: str) -> Voter:
    return Voter.objects.create(user=User.objects.create_user(name))


def test_the_database_does_not_hold_what_opens_the_link(arena: Arena) -> None:
    made, token = link(arena)
    assert invitations.invitation_of(token) == made
    assert token not in str(Invitation.objects.values().get())
    assert made.token_hash == tokens.digest(token)


@pytest.mark.parametrize("spoil", [lambda t: t[:-1], lambda t: t + "x", lambda t: "", lambda t: t.split(".")[0]])
def test_a_token_that_is_not_whole_is_unknown(arena: Arena, spoil: Any) -> None:
    _made, token = link(arena)
    with pytest.raises(UnknownInvitation):
        invitations.invitation_of(spoil(token))


def test_a_token_for_another_purpose_is_unknown(arena: Arena) -> None:
    other = tokens.mint("setup")
    Invitation.objects.create(arena=arena, role="owner", token_hash=tokens.digest(other))
    with pytest.raises(UnknownInvitation):
        invitations.invitation_of(other)


@pytest.mark.parametrize(
    ("settings", "later", "refusal"),
    [
        ({"expires_at": NOW + timedelta(days=1)}, timedelta(days=1), InvitationExpired),
        ({"max_uses": 1}, timedelta(), InvitationUsedUp),
        ({"revoked": True}, timedelta(), InvitationRevoked),
        ({"archived": True}, timedelta(), InvitationRevoked),
    ],
)
def test_a_link_past_its_time_admits_nobody(
    arena: Arena, settings: dict[str, Any], later: timedelta, refusal: type[Exception]
) -> None:
    revoked, archived = settings.pop("revoked", False), settings.pop("archived", False)
    made, token = link(arena, **settings)
    members.join(made, Voter.objects.create(), now=NOW)
    if revoked:
        invitations.revoke(made, now=NOW)
    if archived:
        Arena.objects.update(archived_at=NOW)
    for attempt in (
        lambda: invitations.check(invitations.invitation_of(token), now=NOW + later),
        lambda: members.join(made, Voter.objects.create(), now=NOW + later),
    ):
        with pytest.raises(refusal):
            attempt()
    assert Membership.objects.count() == 1


def test_joining_twice_costs_one_use(arena: Arena) -> None:
    made, _token = link(arena, max_uses=2)
    voter = Voter.objects.create()
    first = members.join(made, voter, now=NOW, display_name="Ines")
    assert members.join(made, voter, now=NOW, display_name="Else") == first
    made.refresh_from_db()
    assert (made.used_count, Membership.objects.get().display_name) == (1, "Ines")


@pytest.mark.django_db(transaction=True)
def test_a_link_for_five_admits_five_however_many_come_at_once() -> None:
    arena = Arena.objects.create(slug="team", title="Team", kind="recorded", access="invite")
    made, _token = link(arena, max_uses=5)
    crowd = [Voter.objects.create() for _ in range(20)]

    def try_to(voter: Voter) -> str:
        try:
            members.join(made, voter, now=NOW)
            return "in"
        except InvitationUsedUp:
            return "out"
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(try_to, crowd))
    made.refresh_from_db()
    assert (outcomes.count("in"), made.used_count, Membership.objects.count()) == (5, 5, 5)


def test_a_link_lifts_a_role_and_never_lowers_it(arena: Arena) -> None:
    voter = account_voter("ines")
    members.join(link(arena, "expert", cohort="physicians")[0], voter, now=NOW)
    members.join(link(arena, "voter")[0], voter, now=NOW)
    member = Membership.objects.get()
    assert (member.role, member.cohort) == ("expert", "physicians")
    members.join(link(arena, "operator")[0], voter, now=NOW)
    member.refresh_from_db()
    assert member.role == "operator"


@pytest.mark.parametrize("role", ["owner", "operator", "auditor"])
def test_whoever_may_see_names_needs_an_account(arena: Arena, role: str) -> None:
    made, _token = link(arena, role)
    with pytest.raises(NeedsAccount):
        members.join(made, Voter.objects.create(), now=NOW)
    assert members.join(made, account_voter("ines"), now=NOW).role == role


def test_a_private_arena_is_for_accounts_alone(arena: Arena) -> None:
    Arena.objects.update(access="private")
    made, _token = link(Arena.objects.get())
    with pytest.raises(NeedsAccount):
        members.join(made, Voter.objects.create(), now=NOW)


def test_whose_membership_was_ended_does_not_come_back_by_the_old_link(arena: Arena) -> None:
    made, _token = link(arena)
    voter = Voter.objects.create()
    members.end(members.join(made, voter, now=NOW), now=timezone.now())
    with pytest.raises(MembershipEnded):
        members.join(made, voter, now=NOW)
    assert members.join(link(arena)[0], voter, now=NOW).ended_at is None


def test_the_only_owner_can_neither_leave_nor_step_down(arena: Arena) -> None:
    owner = members.appoint(arena, account_voter("ines"), "owner")
    for attempt in (
        lambda: members.end(owner, now=NOW),
        lambda: members.change(owner, role="voter", cohort=""),
    ):
        with pytest.raises(LastOwner):
            attempt()
    members.appoint(arena, account_voter("otto"), "owner")
    members.end(owner, now=NOW)


def test_a_cookie_is_not_made_an_operator(arena: Arena) -> None:
    member = members.join(link(arena)[0], Voter.objects.create(), now=NOW)
    with pytest.raises(NeedsAccount):
        members.change(member, role="operator", cohort="")


# The page


def test_a_person_without_an_account_joins_and_votes(arena: Arena) -> None:
    _made, token = link(arena, cohort="customers")
    browser = Client()
    assert browser.get("/a/team/").status_code == 404
    page = browser.get(f"/join/{token}/")
    assert (page.status_code, b"Team" in page.content) == (200, True)
    done = browser.post(f"/join/{token}/", {"display_name": "Ines", "affiliation": " Acme   AI "}, follow=True)
    assert done.redirect_chain == [("/a/team/", 302)] and done.status_code == 200
    member = Membership.objects.select_related("voter").get()
    assert (member.display_name, member.cohort, member.voter.affiliation) == ("Ines", "customers", "Acme AI")
    assert browser.get(f"/join/{token}/")["Location"] == "/a/team/"


def test_opening_a_link_makes_nobody_a_member(arena: Arena) -> None:
    _made, token = link(arena)
    Client().get(f"/join/{token}/")
    assert (Membership.objects.count(), Voter.objects.count()) == (0, 0)


def test_a_name_is_asked_only_where_the_link_says_so(arena: Arena) -> None:
    _made, asking = link(arena)
    _made, silent = link(arena, asks_name=False)
    assert Client().post(f"/join/{asking}/", {"display_name": ""}).status_code == 200
    assert not Membership.objects.exists()
    assert Client().post(f"/join/{silent}/").status_code == 302


@pytest.mark.parametrize(
    ("spoil", "status", "sentence"),
    [
        ({"revoked_at": NOW}, 410, "was withdrawn"),
        ({"expires_at": NOW - timedelta(days=1)}, 410, "has expired"),
        ({"max_uses": 1, "used_count": 1}, 410, "as often as it may"),
        ({"token_hash": "0" * 64}, 404, "is not complete"),
    ],
)
def test_a_link_that_is_over_says_why_and_leaves_no_trace(
    arena: Arena, spoil: dict[str, Any], status: int, sentence: str
) -> None:
    _made, token = link(arena)
    Invitation.objects.update(**spoil)
    for answer in (Client().get(f"/join/{token}/"), Client().post(f"/join/{token}/", {"display_name": "Ines"})):
        assert answer.status_code == status
        assert sentence in answer.content.decode()
    assert (Membership.objects.count(), Voter.objects.count()) == (0, 0)


def test_a_link_for_operators_asks_for_an_account_first(arena: Arena) -> None:
    _made, token = link(arena, "operator")
    page = Client().get(f"/join/{token}/").content.decode()
    assert f"/accounts/signup/?next=/join/{token}/" in page and f"/accounts/login/?next=/join/{token}/" in page
    assert Client().post(f"/join/{token}/", {"display_name": "Ines"}).status_code == 403
    assert Voter.objects.count() == 0


def test_a_signed_in_person_joins_with_the_account(arena: Arena) -> None:
    user = User.objects.create_user("otto")
    browser = Client()
    browser.force_login(user)
    _made, token = link(arena, "auditor")
    browser.post(f"/join/{token}/", {"display_name": "Otto"})
    assert Membership.objects.get().voter.user == user


def test_a_member_by_cookie_is_shut_out_when_the_arena_becomes_private(arena: Arena) -> None:
    _made, token = link(arena)
    browser = Client()
    browser.post(f"/join/{token}/", {"display_name": "Ines"})
    assert browser.get("/a/team/").status_code == 200
    Arena.objects.update(access="private")
    assert browser.get("/a/team/").status_code == 404


def test_the_name_stays_with_those_who_run_the_arena(arena: Arena) -> None:
    _made, token = link(arena)
    browser = Client()
    browser.post(f"/join/{token}/", {"display_name": "Zanzibar"})
    assert voters.COOKIE in browser.cookies
    for address in ("/", "/a/team/", "/a/team/integrity/", "/api/v1/arenas/team/"):
        assert b"Zanzibar" not in browser.get(address, follow=True).content
