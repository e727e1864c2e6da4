"""How often a new arena publishes, and at which addresses none may stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import URLResolver, get_resolver

from arena.teams.models import Arena

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("given", "votes", "seconds"),
    [
        ([], 100, 3600),
        (["--access", "open"], 100, 3600),
        (["--access", "invite"], 5, 60),
        (["--access", "private"], 5, 60),
        (["--publish-after-votes", "20"], 20, 3600),
        (["--access", "private", "--publish-after-seconds", "9"], 5, 9),
    ],
)
def test_an_open_arena_publishes_seldom_unless_told_otherwise(given: list[str], votes: int, seconds: int) -> None:
    call_command("add_arena", "added", "--title", "New", "--kind", "live", *given)
    arena = Arena.objects.get(slug="added")
    assert (arena.publish_after_votes, arena.publish_after_seconds) == (votes, seconds)


def test_the_admins_form_suggests_the_same(admin_client: Client) -> None:
    form = admin_client.get("/admin/teams/arena/add/").context["adminform"].form
    assert form["access"].value() == "open"
    assert (form["publish_after_votes"].value(), form["publish_after_seconds"].value()) == (100, 3600)


def routes(patterns: Any, before: str = "") -> Iterator[str]:
    for pattern in patterns:
        route = before + str(pattern.pattern).strip("^$")
        yield from routes(pattern.url_patterns, route) if isinstance(pattern, URLResolver) else [route]


def test_every_word_that_stands_where_a_slug_may_is_kept_from_arenas() -> None:
    every = list(routes(get_resolver().url_patterns))
    places = {before for before, found, _after in (route.partition("<slug:slug>") for route in every) if found}
    assert places == {"console/", "a/", "api/v1/arenas/"}
    words = {
        word
        for place in places
        for route in every
        if route.startswith(place) and (word := route.removeprefix(place).split("/")[0]) and word.isalpha()
    }
    assert words == Arena.RESERVED


@pytest.mark.parametrize("slug", sorted(Arena.RESERVED))
def test_an_arena_at_the_address_of_a_page_is_refused_in_a_sentence(slug: str) -> None:
    with pytest.raises(CommandError, match=f"--slug: “{slug}” is the address of a page of the console's."):
        call_command("add_arena", slug, "--title", "New", "--kind", "live")
    assert not Arena.objects.exists()


@pytest.mark.parametrize("slug", sorted(Arena.RESERVED))
def test_a_program_that_titles_an_arena_like_a_page_gets_another_slug(client: Client, slug: str) -> None:
    client.force_login(User.objects.create_user("me", is_staff=True))
    made = client.post("/api/v1/arenas/", {"title": slug.title()}, content_type="application/json")
    assert (made.status_code, made.json()["slug"]) == (201, f"{slug}-2")
    assert client.get(f"/console/{slug}-2/").status_code == 200
