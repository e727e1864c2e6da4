from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.http import Http404
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from arena.teams.access import arena_for, arenas_for, may_enter
from arena.teams.models import Arena, Membership, Voter
from arena.teams.person import Limits, Person
from arena.teams.voters import cookie_value

pytestmark = pytest.mark.django_db
NOBODY = AnonymousUser()


@pytest.fixture
def staff() -> User:
    return User.objects.create_user("ines", is_staff=True)


def make(access: str, **fields: object) -> Arena:
    return Arena.objects.create(slug=access, title=access, kind=Arena.Kind.LIVE, access=access, **fields)


def test_an_open_arena_is_open_to_anybody() -> None:
    arena = make("open")
    assert arena_for(Person(NOBODY), "open") == arena


@pytest.mark.parametrize("access", ["invite", "private"])
def test_a_closed_arena_is_not_found_by_strangers_and_found_by_staff(access: str, staff: User) -> None:
    arena = make(access)
    colleague = User.objects.create_user("otto")
    for user in (NOBODY, colleague):
        with pytest.raises(Http404):
            arena_for(Person(user), access)
    assert arena_for(Person(staff), access) == arena


def test_a_private_arena_and_a_missing_one_are_refused_in_the_same_words() -> None:
    make("private")
    said = []
    for slug in ("private", "no-such-arena"):
        with pytest.raises(Http404) as refused:
            arena_for(Person(NOBODY), slug)
        said.append(str(refused.value))
    assert said[0] == said[1]


def test_staff_who_left_see_what_everybody_sees(staff: User) -> None:
    make("private")
    staff.is_active = False
    with pytest.raises(Http404):
        arena_for(Person(staff), "private")


def test_an_archived_arena_is_readable_only_where_asked_for() -> None:
    arena = make("open", archived_at=timezone.now())
    with pytest.raises(Http404):
        arena_for(Person(NOBODY), "open")
    assert arena_for(Person(NOBODY), "open", include_archived=True) == arena
    assert list(arenas_for(Person(NOBODY))) == []


def test_arenas_are_listed_as_they_may_be_entered(staff: User) -> None:
    arenas = [make("open"), make("private")]
    assert list(arenas_for(Person(NOBODY))) == arenas[:1]
    assert list(arenas_for(Person(staff))) == arenas


@pytest.mark.parametrize("access", Arena.Access.values)
@pytest.mark.parametrize("archived", [False, True])
@pytest.mark.parametrize("membership", ["none", "ended", "voter", "auditor"])
def test_who_may_enter_an_arena_at_hand_is_who_finds_it(
    access: str, archived: bool, membership: str, staff: User
) -> None:
    arena = make(access, archived_at=timezone.now() if archived else None)
    other = make("open" if access != "open" else "invite")
    members = User.objects.create_user("otto"), User.objects.create_user("gone", is_active=False)
    voters = [Voter.objects.create(user=user) for user in members] + [Voter.objects.create()]
    if membership != "none":
        role = "voter" if membership == "ended" else membership
        ended = timezone.now() if membership == "ended" else None
        for voter in voters:
            Membership.objects.create(arena=arena, voter=voter, role=role, ended_at=ended)
    actions = frozenset({"vote"})
    people: list[tuple[User | AnonymousUser, str | None]] = [(user, None) for user in (NOBODY, staff, *members)]
    people += [(NOBODY, cookie) for cookie in ("forged", cookie_value(voters[2]), cookie_value(voters[0]))]
    found = set()
    for user, cookie in people:
        for limits in (None, Limits(actions), Limits(actions, arena.pk), Limits(actions, other.pk)):
            person = Person(user, cookie, limits=limits)
            finds = arenas_for(person).filter(pk=arena.pk).exists()
            assert may_enter(person, arena) == finds, (user, cookie, limits)
            found.add(finds)
    assert found == ({False} if archived else {False, True})


def test_an_open_arena_at_hand_is_entered_without_a_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    arena = make("open")
    person = Person(NOBODY, cookie_value(Voter.objects.create()))
    with django_assert_num_queries(0):
        assert may_enter(person, arena)
