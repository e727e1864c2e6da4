"""Imported votes count on the board, which says so, and stand apart where asked; serving does not know them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from arena.battles.importing import import_votes
from arena.leaderboards import facets, shares, sliced
from arena.leaderboards.models import Snapshot
from arena.leaderboards.publishing import publish_snapshot
from arena.teams.models import Arena

pytestmark = pytest.mark.django_db
VOTES = "model_a,model_b,winner\nAsh,Birch,a\nAsh,Birch,a\nBirch,Ash,tie\n"


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    sliced.forget()
    facets._facets.cache_clear()
    yield


@pytest.fixture
def mixed(judge: Any, orchard: Arena, now: datetime, tmp_path: Path) -> Snapshot:
    """Two votes cast here and three imported."""
    for winner in ("b", "tie"):
        judge("Ash", "Birch", winner)
    (tmp_path / "votes.csv").write_text(VOTES)
    import_votes(tmp_path / "votes.csv", orchard, now=now)
    return publish_snapshot(orchard, now=now)


def votes(client: Any, query: str) -> float:
    return float(client.get(f"/a/orchard/leaderboard.json{query}").json()["data"]["votes"])


def test_the_board_counts_both_and_parts_count_their_own(client: Any, mixed: Snapshot) -> None:
    assert [votes(client, query) for query in ("", "?source=own", "?source=imported")] == [5, 2, 3]
    assert client.get("/api/v1/arenas/orchard/leaderboard/?source=imported").json()["data"]["votes"] == 3
    refused = client.get("/a/orchard/leaderboard.json?source=mine")
    assert refused.status_code == 400 and "own, imported" in refused.json()["detail"]


def test_the_page_says_that_some_were_imported_and_links_to_the_parts(client: Any, mixed: Snapshot) -> None:
    page = client.get("/a/orchard/leaderboard/").content.decode()
    assert "?source=own" in page and "?source=imported" in page
    assert "Votes cast elsewhere and imported count with those cast here" in page


def test_a_board_without_imported_votes_says_nothing_of_them(
    client: Any, judge: Any, orchard: Arena, now: datetime
) -> None:
    judge("Ash", "Birch", "a")
    publish_snapshot(orchard, now=now)
    page = client.get("/a/orchard/leaderboard/").content.decode()
    assert "source=" not in page and "imported" not in page.lower()


def test_figures_on_serving_know_only_what_was_served_here(mixed: Snapshot) -> None:
    rows = {row["model_name"]: row for row in json.loads(mixed.board_json)["board"]}
    assert rows["Ash"]["battles_served"] == 2 and rows["Ash"]["vote_count"] == 5
    counted = shares.served(mixed)
    assert (counted.all, counted.judged, dict(counted.policies)) == (2, 2, {"uniform": 2})
