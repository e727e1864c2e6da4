"""How often a new arena publishes."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.test import Client

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
