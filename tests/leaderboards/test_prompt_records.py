"""What votes say of prompts: on the set's page, on the prompt's, in the API; and old prompts against fresh ones."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from arena.battles.models import Battle, Vote
from arena.competitors.models import Competitor
from arena.leaderboards import freshness, prompt_records
from arena.leaderboards.freshness import halving_day
from arena.leaderboards.prompt_records import record_of, saturation_of
from arena.leaderboards.publishing import publish_snapshot
from arena.prompts import keeping
from arena.prompts.models import Prompt, PromptSet
from arena.teams import members
from arena.teams.models import Arena, Voter

transactional = pytest.mark.django_db(transaction=True)
STRENGTH = {"Ash": 0.9, "Birch": 0.3, "Cedar": -0.3, "Dogwood": -0.9}
Fill = Callable[..., PromptSet]


@pytest.fixture
def lead(orchard: Arena) -> Client:
    user = User.objects.create_user("lead")
    members.appoint(orchard, Voter.objects.create(user=user), "operator")
    browser = Client()
    browser.force_login(user)
    return browser


@pytest.fixture
def fill(orchard: Arena, now: datetime) -> Fill:
    """Prompts and votes on them by 12 voters: fill(live=12, ties=2), then a snapshot."""
    rng = random.Random(11)
    people = [Voter.objects.create() for _ in range(12)]

    def make(*, live: int, ties: int = 0, bad: int = 0, votes: int = 24, boost: float = 0.0) -> PromptSet:
        prompts = PromptSet.objects.create(arena=orchard, name="Set")
        for number, kind in enumerate(["live"] * live + ["tie"] * ties + ["both_bad"] * bad):
            added = now - timedelta(days=100 - number)
            prompt = Prompt.objects.create(
                prompt_set=prompts, key=f"p{number:02d}", text=f"Q {number}", created_at=added
            )
            strength = STRENGTH | ({"Dogwood": STRENGTH["Dogwood"] + boost} if number < live / 2 else {})
            _vote_on(orchard, prompt, people, kind, votes, rng, now, strength)
        publish_snapshot(orchard, now=now + timedelta(minutes=5))
        return prompts

    return make


def _vote_on(
    arena: Arena, prompt: Prompt, people: list[Voter], kind: str, votes: int, rng: random.Random, at: datetime,
    strength: dict[str, float],
) -> None:  # fmt: skip
    field = list(Competitor.objects.filter(arena=arena).order_by("id"))
    for number in range(votes):
        a, b = rng.sample(field, 2)
        battle = Battle.objects.create(
            arena=arena, voter=people[number % len(people)], prompt=prompt, competitor_a=a, competitor_b=b, seed="0",
            policy="uniform", draw_probability=1 / 12, stream_mode="paced", state="complete", served_at=at,
            expires_at=at + timedelta(hours=24),
        )  # fmt: skip
        chance = 1 / (1 + 10 ** -(strength[a.name] - strength[b.name]))
        winner = kind if kind != "live" else "a" if rng.random() < chance else "b"
        Vote.objects.create(battle=battle, voter=battle.voter, winner=winner, created_at=at)


@transactional
def test_a_record_counts_what_was_served_and_what_came_of_it(fill: Fill, orchard: Arena, now: datetime) -> None:
    prompts = fill(live=6, ties=1)
    first = prompts.prompts.get(key="p00")
    a, b = Competitor.objects.filter(arena=orchard)[:2]
    later = Battle.objects.create(
        arena=orchard, voter=Voter.objects.create(), prompt=first, competitor_a=a, competitor_b=b, seed="0",
        policy="uniform", draw_probability=1 / 12, stream_mode="paced", state="complete", served_at=now,
        expires_at=now + timedelta(hours=24),
    )  # fmt: skip
    found = record_of(prompts)
    assert found is not None
    assert (found.of(first.pk).served, found.of(first.pk).votes) == (24, 24)
    level = found.of(prompts.prompts.get(key="p06").pk)
    assert (level.ties, level.both_bad, level.verdict, level.kind) == (100.0, 0.0, "nothing", "ceiling")
    publish_snapshot(orchard, now=now + timedelta(minutes=9))
    again = record_of(prompts)
    assert again is not None
    assert again.of(first.pk).served == 24, "an open battle is not told, whatever snapshot is asked"
    assert later.pk


@transactional
def test_dead_prompts_are_listed_retired_and_leave_the_meter(fill: Fill, lead: Client) -> None:
    prompts = fill(live=12, ties=2, bad=1)
    address = f"/console/orchard/prompts/{prompts.pk}/"
    page = lead.get(address)
    worn = page.context["measured"]
    assert (worn.nothing, worn.ceiling, worn.floor, worn.even, worn.judged) == (3, 2, 1, 0, 15)
    assert "At least 3 of 15 judged prompts separate nothing any more" in page.content.decode()
    listed = lead.get(address, {"verdict": "nothing"}).context["shown"]
    assert [prompt.key for prompt in listed] == ["p12", "p13", "p14"]
    retired = lead.post(
        f"{address}?verdict=nothing", {"action": "retire", "prompt": [p.pk for p in listed]}, follow=True
    )
    assert "3 prompts retired" in retired.content.decode()
    after = saturation_of(prompts)
    assert after is not None
    assert (after.nothing, after.judged) == (0, 12)


@transactional
def test_a_set_without_dead_prompts_is_left_alone(fill: Fill) -> None:
    worn = saturation_of(fill(live=15))
    assert worn is not None
    assert worn.nothing == 0


@transactional
@pytest.mark.parametrize("column", prompt_records.SORTS)
def test_the_list_is_put_in_the_order_of_a_column(fill: Fill, lead: Client, column: str) -> None:
    prompts = fill(live=5, ties=1, bad=1, votes=12)
    page = lead.get(f"/console/orchard/prompts/{prompts.pk}/", {"sort": column})
    values = [getattr(prompt.record, column) for prompt in page.context["shown"]]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=True)
    assert values[: len(known)] == known, "blanks stand last"
    assert len(values) == 7


@transactional
def test_the_prompts_page_shows_its_record_and_a_sealed_one_too(fill: Fill, lead: Client) -> None:
    prompts = fill(live=5, ties=1)
    keeping.seal(prompts)
    prompt = prompts.prompts.get(key="p05")
    said = lead.get(f"/console/orchard/prompts/{prompts.pk}/{prompt.pk}/").content.decode()
    assert "nothing: ties" in said
    assert prompt.text not in said


@transactional
def test_before_the_first_snapshot_pages_say_nothing_of_votes(orchard: Arena, lead: Client) -> None:
    prompts = PromptSet.objects.create(arena=orchard, name="Set")
    page = lead.get(f"/console/orchard/prompts/{prompts.pk}/")
    assert page.status_code == 200
    assert page.context["measured"] is None
    assert "Nothing is published here yet" in lead.get("/console/orchard/freshness/").content.decode()
    assert lead.get("/console/orchard/freshness.csv").content.decode().strip() == ",".join(freshness.HEADER)


@transactional
def test_the_api_tells_how_worn_a_set_is(fill: Fill, lead: Client) -> None:
    fill(live=8, ties=2)
    (one,) = lead.get("/api/v1/arenas/orchard/prompt-sets/").json()
    assert (one["saturation"]["nothing"], one["saturation"]["ceiling"], one["saturation"]["judged"]) == (2, 2, 10)
    assert one["saturation"]["lower"] < 0.2 < one["saturation"]["upper"]
    assert "2 of 10" in one["saturation"]["sentence"]


@transactional
def test_who_is_better_on_old_prompts_alone_is_named_on_the_page_and_in_the_file(fill: Fill, lead: Client) -> None:
    """Dogwood gains 1.5 factors of ten on the older half of 24 prompts with 40 votes each."""
    prompts = fill(live=24, votes=40, boost=1.5)
    page = lead.get("/console/orchard/freshness/", {"set": prompts.pk})
    assert page.context["found"].flagged == ["Dogwood"]
    assert page.context["found"].since == date(2025, 12, 3)
    assert "Surely better on old prompts" in page.content.decode()
    rows = _rows(lead, set=prompts.pk)
    assert [row["model_name"] for row in rows if row["better_on_old"] == "true"] == ["Dogwood"]
    assert float(rows[0]["difference_lower"]) > 0
    assert float(rows[0]["rating_old"]) - float(rows[0]["rating_fresh"]) == pytest.approx(float(rows[0]["difference"]))


@transactional
def test_without_a_gain_nobody_is_named_and_few_prompts_cannot_tell(fill: Fill, lead: Client) -> None:
    fill(live=24, votes=30)
    assert "No competitor is surely better on old prompts" in lead.get("/console/orchard/freshness/").content.decode()
    few = lead.get("/console/orchard/freshness/", {"since": "2025-11-24"})
    assert few.context["found"].status == "few_prompts"
    assert "nobody can tell yet" in few.content.decode()
    assert {row["better_on_old"] for row in _rows(lead, since="2025-11-24")} == {""}


@transactional
def test_what_is_no_day_and_no_set_of_the_arena_is_refused(orchard: Arena, lead: Client) -> None:
    other = PromptSet.objects.create(arena=Arena.objects.create(slug="other", title="Other"), name="Set")
    for address in ("/console/orchard/freshness/", "/console/orchard/freshness.csv"):
        assert lead.get(address, {"set": other.pk}).status_code == 404
        assert lead.get(address, {"set": "x"}).status_code == 404
        refused = lead.get(address, {"since": "last May"})
        assert refused.status_code == 400
        assert "is no day" in refused.content.decode()


def test_the_halving_day_leaves_as_many_prompts_on_both_sides_as_can_be() -> None:
    first, second, third = (date(2026, 1, day) for day in (1, 2, 3))
    assert halving_day([first, first, second, third]) == second
    assert halving_day([third, first, second, first, third, third]) == third
    assert halving_day([first, first]) is None
    assert halving_day([]) is None


def _rows(browser: Client, **query: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(browser.get("/console/orchard/freshness.csv", query).content.decode())))
