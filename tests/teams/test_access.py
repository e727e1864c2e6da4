from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.http import Http404
from django.utils import timezone

from arena.teams.access import arena_for, arenas_for
from arena.teams.models import Arena
from arena.teams.person import Person

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
