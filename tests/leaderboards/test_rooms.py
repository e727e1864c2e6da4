"""Rules that hold for all pages beside the board."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from arena.battles.models import Battle, Vote
from arena.competitors.models import Competitor
from arena.leaderboards.models import Snapshot
from arena.leaderboards.publishing import publish_snapshot
from arena.teams.models import Arena, Voter
from tests.leaderboards.rooms import forget, page, serve

transactional = pytest.mark.django_db(transaction=True)
HOSTILE = '=1+"<b>Ash</b>& / ? #\n%2F'
PAGES = ("compare/", "compare/?a=Ash&b=Birch", "competitors/Ash/", "competitors/Ash/history.csv", "integrity/",
         "integrity.json")  # fmt: skip


@pytest.fixture
def published(sample: Arena, now: datetime) -> Snapshot:
    return publish_snapshot(sample, now=now)


@transactional
@pytest.mark.parametrize("access", ["invite", "private"])
@pytest.mark.parametrize("address", [*PAGES, "agreement/"])
def test_outsiders_find_nothing_in_a_closed_arena(
    client: Any, published: Snapshot, sample: Arena, access: str, address: str
) -> None:
    Arena.objects.filter(pk=sample.pk).update(access=access)
    page(client, f"/a/sample/{address}", 404)
    for room in ("compare/?a=Ash&b=Birch", "integrity/"):
        assert client.get(f"/api/v1/arenas/sample/{room}").status_code == 404


@transactional
@pytest.mark.parametrize("address", PAGES)
def test_rooms_are_only_read(client: Any, published: Snapshot, address: str) -> None:
    assert client.post(f"/a/sample/{address}").status_code == 405


@transactional
@pytest.mark.parametrize("address", PAGES)
def test_rooms_change_only_with_a_publication(
    client: Any, orchard: Arena, judge: Any, now: datetime, address: str
) -> None:
    for winner in ("a", "b", "tie"):
        judge("Ash", "Birch", winner)
    publish_snapshot(orchard, now=now)
    before = page(client, f"/a/orchard/{address}")
    judge("Ash", "Cedar", "a")
    serve(orchard, "Ash", "Dogwood", "answering", now)
    serve(orchard, "Ash", "Dogwood", "void", now - timedelta(days=9), void_reason="side_failed")
    forget()
    assert page(client, f"/a/orchard/{address}") == before
    publish_snapshot(orchard, now=now + timedelta(minutes=5))
    if address != "compare/":
        assert page(client, f"/a/orchard/{address}") != before


@transactional
def test_hostile_names_are_escaped_and_have_their_addresses(
    client: Any, orchard: Arena, judge: Any, now: datetime
) -> None:
    Competitor.objects.filter(name="Ash").update(name=HOSTILE, organization="<i>Org", description="<i>Words")
    Competitor.objects.filter(name="Birch").update(name="Бук/../🌳")
    for name, other in ((HOSTILE, "Бук/../🌳"), (HOSTILE, "Cedar")):
        by = {c.name: c for c in Competitor.objects.filter(arena=orchard)}
        battle = Battle.objects.create(
            arena=orchard, voter=Voter.objects.create(), competitor_a=by[name], competitor_b=by[other], seed="0",
            policy="uniform", draw_probability=0.5, stream_mode="paced", state="complete", served_at=now,
            expires_at=now,
        )  # fmt: skip
        Vote.objects.create(battle=battle, voter=battle.voter, winner="a", created_at=now)
    publish_snapshot(orchard, now=now)
    for name in (HOSTILE, "Бук/../🌳", "Cedar"):
        shown = page(client, reverse("leaderboards:competitor", args=("orchard", name)))
        assert "<b>Ash" not in shown and "<i>" not in shown
        links = re.findall(r'href="(/a/orchard/(?:compare|competitors)/[^"]+)"', shown)
        assert len(links) >= 4
        for link in links:
            page(client, link.replace("&amp;", "&"))
        ElementTree.fromstring(client.get(reverse("leaderboards:history_svg", args=("orchard", name))).content)
    shown = page(client, f"/a/orchard/compare/?a={quote(HOSTILE)}&b=Cedar")
    assert "<b>Ash" not in shown and "&lt;b&gt;Ash" in shown
    assert "<b>Ash" not in page(client, "/a/orchard/integrity/")


@transactional
@pytest.mark.parametrize("address", PAGES)
def test_a_room_costs_the_same_queries_however_many_rows(
    client: Any, orchard: Arena, judge: Any, now: datetime, address: str
) -> None:
    asked = []
    for n, other in enumerate(("Birch", "Birch", "Cedar", "Dogwood")):
        judge("Ash", other, "ab"[n % 2])
        serve(orchard, "Ash", other, "void", now - timedelta(days=9), void_reason="stopped")
        publish_snapshot(orchard, now=now + timedelta(hours=n))
        forget()
        with CaptureQueriesContext(connection) as queries:
            page(client, f"/a/orchard/{address}")
        asked.append(len(queries))
    assert len(set(asked)) == 1 and asked[0] <= 10, asked


@transactional
def test_the_vote_page_leads_to_no_competitor(client: Any, orchard: Arena) -> None:
    Arena.objects.filter(pk=orchard.pk).update(kind="live")
    assert "/competitors/" not in page(client, "/a/orchard/")


@transactional
def test_the_board_leads_to_every_room(client: Any, published: Snapshot) -> None:
    board = page(client, "/a/sample/leaderboard/")
    for name in ("Ash", "Birch", "Cedar", "Dogwood"):
        assert f'href="/a/sample/competitors/{name}/"' in board
    assert 'href="/a/sample/integrity/"' in board and 'href="/a/sample/compare/"' in board
    settle = re.findall(r'href="(/a/sample/compare/\?[^"]+)"', board)
    assert len(settle) == sum(row[2] == "cannot_tell" and bool(row[8]) for row in published.page["verdicts"])
    for link in settle:
        assert "cannot be told" in page(client, link.replace("&amp;", "&"))
