"""Integrity page and its JSON: who was served how often and what became of the battles, as counted by hand."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from arena.battles.models import Battle, Vote
from arena.competitors.models import Competitor
from arena.leaderboards.models import Snapshot
from arena.leaderboards.publishing import publish_snapshot
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
    assert "Nothing is published here yet" in page(client, "/a/orchard/integrity/")
    assert "Pairs that met least" in page(client, "/a/orchard/integrity/")
