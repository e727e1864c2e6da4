"""Integrity page and its JSON: who was served how often and what became of the battles, as counted by hand."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from arena.battles.models import Battle, Vote
from arena.competitors import versions
from arena.competitors.models import Competitor
from arena.leaderboards.models import Snapshot
from arena.leaderboards.publishing import publish_snapshot
from arena.leaderboards.verifying import verify
from arena.prompts.models import Prompt, PromptSet
from arena.teams.models import Arena
from tests.leaderboards.rooms import page, serve, text_of

transactional = pytest.mark.django_db(transaction=True)


@pytest.fixture
def published(sample: Arena, now: datetime) -> Snapshot:
    return publish_snapshot(sample, now=now)


@transactional
def test_shares_are_those_of_a_count_by_hand(client: Any, published: Snapshot, sample: Arena) -> None:
    Competitor.objects.filter(name="Ash").update(organization="Other")
    told = [battle for battle in Battle.objects.select_related("vote", "competitor_a", "competitor_b")
            if hasattr(battle, "vote") or battle.expires_at <= Battle.objects.latest("id").served_at.replace(
                hour=0, minute=0, second=0, microsecond=0)]  # fmt: skip
    served = Counter(side.name for battle in told for side in (battle.competitor_a, battle.competitor_b))
    body = client.get("/a/sample/integrity.json").json()
    assert body == client.get("/api/v1/arenas/sample/integrity/").json()
    assert {row["name"]: row["battles"] for row in body["competitors"]} == served
    assert body["battles"]["served"] == 600 and body["battles"]["told"] == len(told) < 600
    assert body["battles"]["judged"] == Vote.objects.count()
    assert body["battles"]["expired"] == len(told) - Vote.objects.count()
    shown = text_of(page(client, "/a/sample/integrity/"))
    for name, count in served.items():
        assert f"{name} {count} {count / served.total() * 100:.1f} %" in shown
    providers = {row["organization"]: row for row in body["providers"]}
    assert providers["Nursery"]["battles"] == served.total() - served["Ash"]
    assert (providers["Nursery"]["variants"], providers["Other"]["even_share"]) == (3, 0.25)
    for row in json.loads(published.board_json)["board"]:  # the same count as the board's
        assert row["battles_served"] == served[row["model_name"]]
    for value in (published.data_sha256, f"verify_snapshot {published.pk}", f"Seed {published.seed}"):
        assert value in shown


@transactional
def test_ends_of_battles_are_counted_by_reason(client: Any, orchard: Arena, judge: Any, now: datetime) -> None:
    long_ago = now - timedelta(days=3)
    for state, reason in (("void", "side_failed"), ("void", "stopped"), ("void", "stopped"), ("skipped", ""),
                          ("served", ""), ("complete", ""), ("expired", "")):  # fmt: skip
        serve(orchard, "Ash", "Cedar", state, long_ago, void_reason=reason)
    serve(orchard, "Ash", "Cedar", "skipped", now)
    prompts = PromptSet.objects.create(arena=orchard, name="Set")
    prompt = Prompt.objects.create(prompt_set=prompts, key="1", text="Why?")
    votes = [judge("Ash", "Birch", "a") for _ in range(4)]
    Battle.objects.filter(pk__in=[vote.battle_id for vote in votes]).update(prompt=prompt)
    Battle.objects.filter(pk=votes[2].battle_id).update(policy="overlap")
    Battle.objects.filter(pk=votes[3].battle_id).update(policy="repeat", repeat_of=votes[0].battle_id)
    Arena.objects.filter(pk=orchard.pk).update(overlap_share=0.2, repeat_share=0.1)
    publish_snapshot(orchard, now=now)
    body = client.get("/a/orchard/integrity.json").json()
    assert body["battles"] == {
        "served": 12, "told": 11, "judged": 4, "skipped": 1, "expired": 3, "void": {"side_failed": 1, "stopped": 2},
        "by_policy": {"overlap": 1, "repeat": 1, "uniform": 9}, "on_prompts": 4, "overlaps": 1, "repeats": 1,
    }  # fmt: skip
    shown = text_of(page(client, "/a/orchard/integrity/"))
    for said in ("void: the voter stopped it 2", "expired without a vote 3", "Overlap 20 % 25.0 % 1",
                 "Repeats 10 % 25.0 % 1", "11 of 12 battles"):  # fmt: skip
        assert said in shown, said


@transactional
def test_variants_and_retirements_stand_before_the_first_snapshot(client: Any, orchard: Arena, now: datetime) -> None:
    Competitor.objects.filter(name="Cedar").update(retired_at=now)
    body = client.get("/a/orchard/integrity.json").json()
    assert body["snapshot"] is None and body["battles"] is None and body["competitors"] == []
    assert [(row["variants"], row["retired"]) for row in body["providers"]] == [(4, 1)]
    assert body["retirements"] == [
        {"name": "Cedar", "retired_at": now.isoformat(), "reason": "", "replaced_by": None, "snapshot": None,
         "rating": None, "rating_lower": None, "rating_upper": None}
    ]  # fmt: skip
    assert "Cedar – none given since 1 Mar 2026" in text_of(page(client, "/a/orchard/integrity/"))
    assert "Nothing is published here yet" in page(client, "/a/orchard/integrity/")
    assert "Pairs that met least" in page(client, "/a/orchard/integrity/")


@transactional
def test_the_retired_stand_with_their_last_rating_and_why(client: Any, published: Snapshot, now: datetime) -> None:
    ash, birch = (Competitor.objects.get(name=name) for name in ("Ash", "Birch"))
    versions.retire(ash, reason="<script>alert(1)</script> & withdrawn", now=now)
    versions.revise(birch, now=now + timedelta(hours=1), temperature=0.5)
    body = client.get("/a/sample/integrity.json").json()
    board = {row["model_name"]: row for row in json.loads(published.board_json)["board"]}
    assert [(row["name"], row["reason"], row["replaced_by"]) for row in body["retirements"]] == [
        ("Birch", "", "Birch v2"), ("Ash", "<script>alert(1)</script> & withdrawn", None),
    ]  # fmt: skip
    html = page(client, "/a/sample/integrity/")
    assert "<script>alert" not in html
    for row in body["retirements"]:
        line = board[row["name"]]
        assert row["snapshot"] == published.number
        assert all(row[name] == line[name] for name in ("rating", "rating_lower", "rating_upper"))
        half = (line["rating_upper"] - line["rating_lower"]) / 2
        assert f"{row['name']} {line['rating']:.0f} ± {half:.0f}" in text_of(html)
    assert "<bdi>&lt;script&gt;alert(1)&lt;/script&gt; &amp; withdrawn</bdi>" in html
    assert '<a href="/a/sample/competitors/Birch%20v2/">replaced by Birch v2</a>' in html
    assert "replaced by Birch v2 since 1 Mar 2026" in text_of(html)
    assert "<bdi>&lt;script&gt;" in page(client, "/a/sample/competitors/Ash/")
    assert "Reason: replaced by Birch v2" in text_of(page(client, "/a/sample/competitors/Birch/"))
    assert "Reason:" not in page(client, "/a/sample/competitors/Cedar/")
    published.refresh_from_db()
    assert "the same bytes" in verify(published).sentence  # why somebody was retired is in no snapshot
    versions.bring_back(ash)
    assert [row["name"] for row in client.get("/a/sample/integrity.json").json()["retirements"]] == ["Birch"]
    assert "withdrawn" not in page(client, "/a/sample/competitors/Ash/")


@transactional
def test_many_retirements_cost_no_more_questions_than_one(client: Any, published: Snapshot, now: datetime) -> None:
    counts = []
    for names in (("Ash",), ("Birch", "Cedar", "Dogwood")):
        for row in Competitor.objects.filter(name__in=names):
            versions.revise(row, now=now, temperature=0.5)
        with CaptureQueriesContext(connection) as queries:
            client.get("/a/sample/integrity.json")
        counts.append(len(queries))
    assert counts[0] == counts[1]
