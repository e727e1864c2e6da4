"""The informative draw: from the published board, with its probability in the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from arena.battles import opening
from arena.battles.models import Battle
from arena.competitors.models import Competitor, Endpoint
from arena.leaderboards import sampling
from arena.leaderboards.models import Snapshot
from arena.leaderboards.policies import policy_of
from arena.leaderboards.publishing import publish_snapshot
from arena.leaderboards.verifying import verify
from arena.teams.models import Arena, Voter

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def nothing_opened() -> Iterator[None]:
    sampling._opened.cache_clear()
    yield


@pytest.fixture
def curious(orchard: Arena, settings: Any) -> Arena:
    """An arena under `informative` whose competitors answer at an endpoint."""
    settings.RATE_LIMITS = False
    endpoint = Endpoint.objects.create(name="trees", base_url="http://trees.invalid/v1")
    Competitor.objects.filter(arena=orchard).update(endpoint=endpoint)
    Arena.objects.filter(pk=orchard.pk).update(sampling="informative")
    orchard.refresh_from_db()
    return orchard


def draw(arena: Arena, now: datetime) -> Battle:
    return opening.open_battle(
        Voter.objects.create(), arena, "Which?", seed=opening.new_seed(), now=now, policy=policy_of(arena)
    )


def all_meet(judge: Any, now: datetime, *, spare: str = "", times: int = 6) -> None:
    names = ("Ash", "Birch", "Cedar", "Dogwood")
    for a in names:
        for b in names:
            if a != b and spare not in (a, b):
                for number in range(times):
                    judge(a, b, "ab"[number % 2], at=now)


def test_before_a_board_the_log_decides(curious: Arena, now: datetime) -> None:
    assert draw(curious, now).policy == "coverage"


def test_other_policies_do_not_ask_for_ratings(orchard: Arena) -> None:
    assert policy_of(orchard) is None


def test_a_newcomer_is_covered_first_and_then_drawn_more_often(curious: Arena, judge: Any, now: datetime) -> None:
    all_meet(judge, now, spare="Dogwood")
    publish_snapshot(curious, now=now)
    dogwood = Competitor.objects.get(name="Dogwood")
    policy = policy_of(curious)
    assert policy is not None
    weighed = policy(list(Competitor.objects.filter(arena=curious).values_list("pk", flat=True)))
    assert weighed.policy == "coverage" and weighed.weights is not None
    assert all(dogwood.pk in pair for pair in weighed.weights), "all but the uniform floor go to the newcomer"
    for other in ("Ash", "Birch", "Cedar"):
        judge(other, "Dogwood", "a")
        judge(other, "Dogwood", "b")
    publish_snapshot(curious, now=now)
    served: Counter[int] = Counter()
    for _ in range(120):
        battle = draw(curious, now)
        assert battle.policy == "informative"
        served.update((battle.competitor_a_id, battle.competitor_b_id))
    rest = [count for pk, count in served.items() if pk != dogwood.pk]
    assert served[dogwood.pk] > 1.5 * max(rest), "the widest interval is where votes tell most"
    assert len(served) == 4, "and nobody is left out"


def test_the_stored_probability_is_that_of_the_draw(curious: Arena, judge: Any, now: datetime) -> None:
    """400 draws against the stored chances: each pair within four standard deviations."""
    all_meet(judge, now)
    publish_snapshot(curious, now=now)
    chance: dict[tuple[int, int], float] = {}
    drawn: Counter[tuple[int, int]] = Counter()
    for _ in range(400):
        battle = draw(curious, now)
        sides = battle.competitor_a_id, battle.competitor_b_id
        drawn[sides] += 1
        chance[sides] = battle.draw_probability
    assert len(chance) == 12 and abs(sum(chance.values()) - 1) < 1e-6
    for sides, probability in chance.items():
        assert abs(drawn[sides] - 400 * probability) < 4 * (400 * probability) ** 0.5


def test_only_a_new_snapshot_changes_the_draw(curious: Arena, judge: Any, now: datetime) -> None:
    """Votes since the last publication have no influence: nobody can read them off the draws."""
    all_meet(judge, now)
    publish_snapshot(curious, now=now)
    policy = policy_of(curious)
    assert policy is not None
    ids = list(Competitor.objects.filter(arena=curious).values_list("pk", flat=True))
    before = policy(ids)
    for _ in range(10):
        judge("Ash", "Birch", "a")
    assert policy(ids) == before
    publish_snapshot(curious, now=now + timedelta(minutes=1))
    assert policy(ids) != before


def test_groups_that_never_met_are_connected_first(curious: Arena, judge: Any, now: datetime) -> None:
    for winner in "ab":
        judge("Ash", "Birch", winner)
        judge("Cedar", "Dogwood", winner)
    snapshot = publish_snapshot(curious, now=now)
    assert snapshot.page["geometry"] is None and draw(curious, now).policy == "coverage"
    assert verify(Snapshot.objects.get()).same
