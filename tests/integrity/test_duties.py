"""What is owed to readers, as counted by hand: aged votes, the most active, the minority, the chain's head."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from arena.battles.models import Battle, Vote
from arena.integrity import deciding, sealing
from arena.integrity.deciding import SCREENING, Reason
from arena.leaderboards import duties
from arena.leaderboards.publishing import publish_snapshot
from arena.leaderboards.verifying import verify
from arena.teams.models import Arena
from tests.leaderboards.rooms import page, text_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_figures_are_those_of_a_count_by_hand(client: Any, sample: Arena, now: datetime) -> None:
    first = Battle.objects.earliest("served_at")
    Battle.objects.filter(pk=first.pk).update(served_at=now - timedelta(days=400))
    lost = list(Vote.objects.filter(battle__competitor_a__name="Dogwood", winner="b").values_list("pk", flat=True))
    deciding.set_aside(sample, None, Reason("by hand", "Told to."), SCREENING, now=now, votes=lost[:7])
    sealing.seal_all(now=now)
    snapshot = publish_snapshot(sample, now=now)
    assert verify(snapshot).same, verify(snapshot).sentence
    body = client.get("/a/sample/integrity.json").json()
    votes = Counter(Vote.objects.values_list("voter_id", flat=True))
    assert body["voters"]["top_share"] == pytest.approx(max(votes.values()) / votes.total())
    starts: dict[int, Any] = {}
    for battle in Battle.objects.order_by("served_at"):
        starts.setdefault(battle.voter_id, battle.served_at.date())
    aged = sum((vote.created_at.date() - starts[vote.voter_id]).days >= 30 for vote in Vote.objects.all())
    assert aged and body["voters"]["aged_share"] == pytest.approx(aged / votes.total())
    assert body["exclusions"]["votes"] == 7 and body["exclusions"]["by_reason"] == [
        {"rule": "by hand", "action": "held", "decided_by": "automatic", "decisions": 1}
    ]
    assert body["exclusions"]["minority_ratio"] == 0.0  # all seven were with the majority
    assert body["audit_head"]["sha256"] == sealing.Chain(sample.pk).sha256
    assert body["flip_first"]["first"] == json.loads(snapshot.board_json)["board"][0]["model_name"]
    assert body["counted_up_to"]["vote"] == snapshot.cutoff_vote_id
    shown = text_of(page(client, "/a/sample/integrity/"))
    for said in ("7 of", "a reviewer's own finding".replace("'", "&#x27;"), body["audit_head"]["sha256"],
                 f"without {body['flip_first']['votes']} votes"):  # fmt: skip
        assert said in shown, said


def test_votes_against_the_majority_weigh_in_the_ratio() -> None:
    wins = Counter({(0, 1): 90, (1, 0): 10, (2, 3): 5, (3, 2): 5})
    assert duties._shares(wins, Counter({(1, 0): 2, (0, 1): 9, (2, 3): 5})) == (0.2, 0.1)


def test_a_large_arena_is_counted_anew_when_it_has_grown(
    sample: Arena, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = publish_snapshot(sample, now=now)
    monkeypatch.setattr(duties, "SMALL", 10)
    second = publish_snapshot(sample, now=now)
    assert second.page["duties"] == first.page["duties"]
    battle = Battle.objects.latest("pk")
    for _ in range(len(Battle.objects.all()) // duties.GROWTH + 1):
        battle.pk, battle.public_id = None, uuid4()
        battle.save(force_insert=True)
    third = publish_snapshot(sample, now=now)
    assert third.page["duties"]["battles"]["all"] > first.page["duties"]["battles"]["all"]
    fourth = publish_snapshot(sample, now=now)
    for snapshot in (second, third, fourth):
        assert verify(snapshot).same, verify(snapshot).sentence
