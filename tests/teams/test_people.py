"""The page on which owners see to their people."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

from arena.teams import members
from arena.teams.models import Arena, Invitation, Membership, Voter

PEOPLE = "/a/team/people/"


@pytest.fixture
def arena(db: None) -> Arena:
    return Arena.objects.create(slug="team", title="Team", kind="recorded", access="invite")


@pytest.fixture
def owner(arena: Arena) -> Client:
    user = User.objects.create_user("olga", "olga@example.org")
    members.appoint(arena, Voter.objects.create(user=user), "owner")
    browser = Client()
    browser.force_login(user)
    return browser


def new_link(owner: Client, **form: str) -> str:
    page = owner.post(f"{PEOPLE}invitations/", {"role": "voter", "lasts": "7", "asks_name": "on", **form})
    assert page.status_code == 200, page
    found = re.search(r'value="http://testserver(/join/[^"]+)"', page.content.decode())
    assert found
    return found[1]


def test_an_owner_makes_a_link_and_somebody_votes_by_it(owner: Client) -> None:
    link = new_link(owner, cohort="customers", max_uses="1", note="Monday's call")
    guest = Client()
    assert guest.post(link, {"display_name": "Gina", "affiliation": "Acme"})["Location"] == "/a/team/"
    page = owner.get(PEOPLE).content.decode()
    assert "Gina" in page and "Acme" in page and 'value="customers"' in page
    assert "Monday" not in page, "a link that is used up is out no more"


def test_the_link_is_shown_this_once(owner: Client) -> None:
    new_link(owner, note="Monday")
    page = owner.get(PEOPLE).content.decode()
    assert "Monday" in page and "/join/" not in page


def test_a_link_is_withdrawn(owner: Client) -> None:
    link = new_link(owner)
    owner.post(f"{PEOPLE}invitations/{Invitation.objects.get().pk}/revoke/")
    assert Client().get(link).status_code == 410


def test_a_wrong_form_is_said_and_makes_nothing(owner: Client) -> None:
    page = owner.post(f"{PEOPLE}invitations/", {"role": "emperor", "lasts": "7", "max_uses": "0"})
    assert (page.status_code, Invitation.objects.count()) == (400, 0)
    assert b"emperor" in page.content


def test_roles_and_cohorts_change_and_memberships_end(owner: Client) -> None:
    guest = Client()
    guest.post(new_link(owner), {"display_name": "Gina"})
    member = Membership.objects.get(role="voter")
    owner.post(f"{PEOPLE}{member.pk}/", {"role": "expert", "cohort": "physicians"})
    member.refresh_from_db()
    assert (member.role, member.cohort) == ("expert", "physicians")
    assert guest.get("/a/team/").status_code == 200
    owner.post(f"{PEOPLE}{member.pk}/end/")
    assert guest.get("/a/team/").status_code == 404


def test_what_may_not_be_is_refused_in_words(owner: Client) -> None:
    mine = Membership.objects.get()
    answer = owner.post(f"{PEOPLE}{mine.pk}/end/")
    assert (answer.status_code, b"only owner" in answer.content) == (409, True)
    guest = Client()
    guest.post(new_link(owner), {"display_name": "Gina"})
    member = Membership.objects.get(role="voter")
    answer = owner.post(f"{PEOPLE}{member.pk}/", {"role": "operator", "cohort": ""})
    assert (answer.status_code, b"with an account" in answer.content) == (409, True)
    assert owner.post(f"{PEOPLE}{member.pk}/", {"role": "emperor"}).status_code == 400


def test_members_of_another_arena_are_out_of_reach(owner: Client) -> None:
    other = Arena.objects.create(slug="other", title="Other", kind="recorded", access="private")
    member = members.appoint(other, Voter.objects.create(), "voter")
    assert owner.post(f"{PEOPLE}{member.pk}/end/").status_code == 404
    assert owner.get("/a/other/people/").status_code == 404
    member.refresh_from_db()
    assert member.ended_at is None


def test_the_page_says_who_works_for_whom_and_counts_no_others_votes(owner: Client, arena: Arena) -> None:
    members.appoint(arena, Voter.objects.create(affiliation="Acme"), "voter")
    page = owner.get(PEOPLE).content.decode()
    assert "Acme" in page and page.count('<td class="r">0</td>') == 2


def test_a_member_changes_name_and_employer(arena: Arena) -> None:
    Arena.objects.update(access="open")
    guest = Client()
    assert b"Your name" not in guest.get("/a/team/mine/profile/").content, "only members have a name here"
    guest.post("/a/team/mine/profile/", {"affiliation": "Acme"})
    voter = Voter.objects.get()
    assert voter.affiliation == "Acme"
    members.appoint(arena, voter, "voter")
    guest.post("/a/team/mine/profile/", {"affiliation": "", "display_name": "Gina"})
    voter.refresh_from_db()
    assert (voter.affiliation, Membership.objects.get().display_name) == ("", "Gina")


def test_telling_an_employer_makes_no_voters_without_limit(arena: Arena) -> None:
    cache.clear()
    Arena.objects.update(access="open")
    told = [Client().post("/a/team/mine/profile/", {"affiliation": "Acme"}) for _ in range(62)]
    assert [page.status_code for page in told] == [302] * 60 + [429] * 2
    assert b"Wait a few minutes" in told[-1].content and Voter.objects.count() == 60
    elsewhere = Client(REMOTE_ADDR="10.1.2.3")
    assert elsewhere.post("/a/team/mine/profile/", {"affiliation": "Acme"}).status_code == 302
    assert elsewhere.post("/a/team/mine/profile/", {"affiliation": "Apex"}).status_code == 302, "a voter by now"
    cache.clear()


def test_the_page_asks_the_database_no_more_for_more_members(
    owner: Client, arena: Arena, django_assert_max_num_queries: object
) -> None:
    for _ in range(20):
        members.appoint(arena, Voter.objects.create(), "voter")
    assert callable(django_assert_max_num_queries)
    with django_assert_max_num_queries(10):
        owner.get(PEOPLE)
