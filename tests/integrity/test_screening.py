"""Screening of a served log in the database: a planted campaign is set aside, honest voters are not, and it can end."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from arena.battles import simulating
from arena.battles.models import Battle, ServedFrom, Vote
from arena.competitors.models import Competitor
from arena.integrity import deciding, proposing, standing
from arena.integrity.deciding import Decider
from arena.integrity.models import Exclusion, Proposal, Screening, ScreeningRun
from arena.integrity.serving import served
from arena.leaderboards.management.commands import run_worker
from arena.leaderboards.models import Snapshot
from arena.leaderboards.publishing import publish_snapshot
from arena.leaderboards.verifying import verify
from arena.teams.models import Arena, Membership, Voter
from ratings.bursts import bursts
from tests.leaderboards.conftest import FIELD, field

pytestmark = pytest.mark.django_db(transaction=True)
ATTACKERS, SERVED_EACH = 12, 40


def attack(arena: Arena, target: str, now: datetime, *, accounts: int = ATTACKERS, seed: int = 5) -> set[int]:
    """Accounts that vote only where the target appears, and always for it: served as everybody is."""
    rng = random.Random(seed)
    ids = list(Competitor.objects.filter(arena=arena).values_list("pk", flat=True))
    it = Competitor.objects.get(arena=arena, name=target).pk
    voters = Voter.objects.bulk_create(Voter() for _ in range(accounts))
    battles = []
    for n, voter in enumerate([voter for voter in voters for _ in range(SERVED_EACH)]):
        a, b = rng.sample(ids, 2)
        at = now - timedelta(minutes=10 * accounts) + timedelta(seconds=n)
        state = "complete" if it in (a, b) else "skipped"
        battles.append(
            Battle(
                arena=arena, voter=voter, competitor_a_id=a, competitor_b_id=b, policy="uniform", seed="0",
                draw_probability=1 / 12, state=state, stream_mode="paced", served_at=at, completed_at=at,
                expires_at=at + timedelta(hours=24),
            )
        )  # fmt: skip
    chosen = [battle for battle in Battle.objects.bulk_create(battles) if battle.state == "complete"]
    Vote.objects.bulk_create(
        Vote(
            battle=battle, voter_id=battle.voter_id, winner="a" if battle.competitor_a_id == it else "b", created_at=now
        )
        for battle in chosen
    )  # fmt: skip
    return {voter.pk for voter in voters}


@pytest.fixture
def world(db: None, now: datetime) -> Arena:
    """1,500 honest battles among four competitors by 100 simulated people; open, and no longer said to be simulated."""
    arena = Arena.objects.create(slug="world", title="World", kind="live", is_simulated=True)
    strengths = list(zip(field(arena), [strength for _, strength in FIELD], strict=True))
    simulating.simulate_votes(arena, strengths, voters=100, battles=1500, seed=11, now=now - timedelta(days=2))
    Arena.objects.filter(pk=arena.pk).update(is_simulated=False)
    arena.refresh_from_db()
    return arena


def withheld(arena: Arena) -> set[int]:
    return set(standing.in_force(arena).all)


def test_newcomers_of_one_hour_are_a_burst_and_members_are_in_none(world: Arena, now: datetime) -> None:
    crowd = sorted(attack(world, "Dogwood", now, accounts=20))
    Membership.objects.create(arena=world, voter_id=crowd[0], role="voter")
    log = served(world, through_battle=10**9, through_vote=10**9, now=now)
    of = dict(zip(log.voters, log.log.clusters["burst"].tolist(), strict=True))
    assert of[crowd[0]] == -1 and len({of[pk] for pk in crowd[1:]}) == 1 and of[crowd[1]] >= 0
    honest = Voter.objects.exclude(pk__in=crowd).values_list("pk", flat=True)
    assert sum(of[pk] >= 0 for pk in honest if pk in of) == 0


def test_old_accounts_are_in_no_burst_however_late_the_log_begins(
    world: Arena, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a large arena the latest battles are read: who was first served long before has not come with them."""
    a, b = Competitor.objects.filter(arena=world)[:2]
    old = list(Voter.objects.filter(battle__arena=world).distinct().order_by("pk")[:60])
    assert len(old) == 60
    Battle.objects.bulk_create(
        Battle(
            arena=world, voter=voter, competitor_a=a, competitor_b=b, policy="uniform", seed="0", state="skipped",
            draw_probability=1 / 12, stream_mode="paced", served_at=now - timedelta(minutes=60 - n),
            expires_at=now + timedelta(hours=23),
        )
        for n, voter in enumerate(old)
    )  # fmt: skip
    monkeypatch.setattr("arena.integrity.serving.LATEST", 90)
    log = served(world, through_battle=10**9, through_vote=10**9, now=now).log
    assert log.battles == 90 and "burst" not in log.clusters
    assert (bursts(log.first_served()) >= 0).any(), "by this log alone they would seem to have come at once"


def test_a_campaign_is_set_aside_and_nobody_else(world: Arena, now: datetime) -> None:
    plain = publish_snapshot(world, now=now)
    attackers = attack(world, "Dogwood", now)
    proposing.screen_arena(world, now=now)
    assert withheld(world) == attackers
    snapshot = publish_snapshot(world, now=now)
    rows = {row["model_name"]: row for row in json.loads(snapshot.board_json)["board"]}
    before = {row["model_name"]: row["rating"] for row in json.loads(plain.board_json)["board"]}
    assert rows["Dogwood"]["rating_plain"] - before["Dogwood"] > 60  # what the campaign moves
    assert abs(rows["Dogwood"]["rating"] - before["Dogwood"]) < 1e-6  # and without its votes nothing is left of it
    assert verify(snapshot).same
    for row in Exclusion.objects.all():
        assert row.decided_by == "automatic" and f"Voter {row.voter_id}" in row.sentence


def test_honest_voters_alone_raise_nothing(world: Arena, now: datetime) -> None:
    run = proposing.screen_arena(world, now=now)
    assert (run.findings, withheld(world), Proposal.objects.count()) == (0, set(), 0)


def test_looking_again_decides_nothing_twice(world: Arena, now: datetime) -> None:
    attack(world, "Dogwood", now)
    proposing.screen_arena(world, now=now)
    decided = Exclusion.objects.count()
    proposing.screen_arena(world, now=now + timedelta(hours=1))
    assert Exclusion.objects.count() == decided and ScreeningRun.objects.count() == 2


def test_in_review_findings_wait_and_count_until_somebody_decides(world: Arena, now: datetime) -> None:
    deciding.set_screening(world, Screening.REVIEW, now=now)
    attackers = attack(world, "Dogwood", now)
    proposing.screen_arena(world, now=now)
    assert withheld(world) == set()
    waiting = list(proposing.pending(world))
    assert {voter for row in waiting for voter in row.voters} == attackers
    deciding.accept(waiting[0], Decider(User.objects.create(username="r")), now=now)
    assert withheld(world) == set(waiting[0].voters)
    assert len(proposing.pending(world)) == len(waiting) - 1


def test_what_a_reviewer_cleared_stays_cleared(world: Arena, now: datetime) -> None:
    attackers = attack(world, "Dogwood", now)
    proposing.screen_arena(world, now=now)
    row = Exclusion.objects.earliest("pk")
    deciding.clear(row, "A class that was asked to.", Decider(User.objects.create(username="r")), now=now)
    proposing.screen_arena(world, now=now + timedelta(hours=1))
    assert withheld(world) == attackers - {row.voter_id}


def test_an_automatic_decision_that_nothing_supports_any_more_is_taken_back(world: Arena, now: datetime) -> None:
    voter = Vote.objects.filter(battle__arena=world).earliest("pk").voter
    deciding.set_aside(world, voter, deciding.Reason("D1", "An earlier look."), deciding.SCREENING, now=now)
    proposing.screen_arena(world, now=now)
    assert withheld(world) == set()
    assert Exclusion.objects.latest("pk").sentence == proposing.NO_LONGER


def test_a_reviewers_own_decision_is_left_alone(world: Arena, now: datetime) -> None:
    voter = Vote.objects.filter(battle__arena=world).earliest("pk").voter
    by_hand = Decider(User.objects.create(username="r"))
    deciding.set_aside(world, voter, deciding.Reason("by hand", "A friend of the house."), by_hand, now=now)
    proposing.screen_arena(world, now=now)
    assert withheld(world) == {voter.pk}


def test_the_log_holds_what_could_have_been_judged(world: Arena, now: datetime) -> None:
    attackers = attack(world, "Dogwood", now, accounts=2)
    Membership.objects.create(arena=world, voter_id=min(attackers), role="voter")
    newest = Battle.objects.latest("pk")
    limits: dict[str, Any] = {"through_battle": newest.pk, "through_vote": Vote.objects.latest("pk").pk, "now": now}
    log = served(world, **limits)
    assert log.votes == Vote.objects.filter(battle__arena=world).count()
    shown = [row for row in Battle.objects.filter(arena=world) if hasattr(row, "vote") or row.state != "void"]
    assert log.log.battles == len(shown)
    assert log.log.vouched is not None and log.log.vouched.sum() == 1
    for place in (0, log.log.battles // 2, log.log.battles - 1):
        if log.vote[place]:
            vote = Vote.objects.select_related("battle").get(pk=log.vote[place])
            assert log.voters[log.log.account[place]] == vote.voter_id
            assert log.competitors[log.log.a[place]] == vote.battle.competitor_a_id
            assert log.log.at[place] == vote.battle.served_at.timestamp()
    Battle.objects.filter(pk=newest.pk).update(state="served", expires_at=now + timedelta(hours=1))
    Vote.objects.filter(battle=newest)._raw_delete(Vote.objects.db)
    assert served(world, **limits).log.battles == log.log.battles - 1  # an open battle may be judged yet


def test_accounts_behind_one_address_block_are_a_cluster(world: Arena, now: datetime) -> None:
    first, second, other = Vote.objects.filter(battle__arena=world).order_by("pk").distinct()[:3]
    for vote, block in ((first, "x"), (second, "x"), (other, "y")):
        ServedFrom.objects.create(battle_id=vote.battle_id, block=block, served_at=now, is_first=False)
    top = Battle.objects.latest("pk").pk
    log = served(world, through_battle=top, through_vote=Vote.objects.latest("pk").pk, now=now)
    shared = {log.voters[n] for n, code in enumerate(log.log.clusters["address"]) if code >= 0}
    assert shared == {first.voter_id, second.voter_id}


def test_the_worker_screens_when_due_and_rests_as_long_as_it_cost(
    world: Arena, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    attack(world, "Dogwood", now)
    run_worker.tick(now=now)
    assert ScreeningRun.objects.count() == 1
    assert Snapshot.objects.get(arena=world).plain_json  # screened before it was published
    run_worker.tick(now=now + timedelta(days=1))
    assert ScreeningRun.objects.count() == 1  # no new votes
    attack(world, "Cedar", now, accounts=1, seed=6)
    monkeypatch.setattr(proposing, "REST", 1e9)
    run_worker.tick(now=now + timedelta(days=1))
    assert ScreeningRun.objects.count() == 1


def test_small_arenas_and_those_that_want_none_are_not_screened(world: Arena, orchard: Arena, now: datetime) -> None:
    assert proposing.screen_if_due(orchard, now=now) is None
    deciding.set_screening(world, Screening.OFF, now=now)
    assert proposing.screen_if_due(world, now=now) is None
    assert not ScreeningRun.objects.exists()
