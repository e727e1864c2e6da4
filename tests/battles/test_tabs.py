"""One voter with several tabs, who asks for everything at once and twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from arena.battles import lifecycle, opening
from arena.battles.models import Battle
from arena.battles.words import VoidReason
from arena.teams.models import Arena, Voter


@pytest.mark.django_db(transaction=True)
def test_eight_tabs_that_ask_at_one_moment_get_one_battle(recorded: Arena, voter: Voter) -> None:
    """SQLite has one writer at a time; on PostgreSQL it takes a lock."""
    together = threading.Barrier(8)

    def ask(_number: int) -> int:
        try:
            together.wait()
            return opening.open_battle(voter, recorded, None, seed=opening.new_seed(), now=timezone.now()).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as tabs:
        assert len(set(tabs.map(ask, range(8)))) == 1
    assert Battle.objects.count() == 1


def test_a_conversation_that_failed_is_not_begun_anew(as_voter: Client, serve: Callable[..., Battle]) -> None:
    battle = serve("complete")
    opening.follow_up(battle, battle.voter, "And then?", now=timezone.now())
    assert lifecycle.void(battle.pk, VoidReason.SIDE_FAILED, now=timezone.now())
    answer = as_voter.post(f"/a/live/battles/{battle.public_id}/redraw/", headers={"X-Fragment": "1"})
    assert answer.status_code == 409
    assert Battle.objects.count() == 1
