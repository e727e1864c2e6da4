"""The console's page of generation: what can be run, what it costs, how it stands, and who may."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from arena.competitors.models import Competitor, Endpoint
from arena.prompts.generation import runs
from arena.prompts.models import GenerationRun, Prompt, PromptSet
from arena.teams.models import Arena

pytestmark = pytest.mark.django_db
PAGE = "/console/team/generation/"


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_user("ines", is_staff=True))
    return client


@pytest.fixture
def arena() -> Arena:
    return Arena.objects.create(slug="team", title="Team", kind="recorded", access="private")


@pytest.fixture
def prompt_set(arena: Arena) -> PromptSet:
    found = PromptSet.objects.create(arena=arena, name="questions")
    Prompt.objects.create(prompt_set=found, key="p", text="Why?")
    return found


@pytest.fixture
def competitor(arena: Arena) -> Competitor:
    endpoint = Endpoint.objects.create(name="e", base_url="http://127.0.0.1:9/v1")
    return Competitor.objects.create(
        arena=arena, name="plain", model_id="m", endpoint=endpoint, price_in=1.0, price_out=2.0, max_tokens=500_000
    )


def form(prompt_set: PromptSet, competitor: Competitor) -> dict[str, Any]:
    return {"prompt_set": prompt_set.pk, "competitors": [competitor.pk], "concurrency": 2, "budget": ""}


def test_what_is_missing_is_said_first(operator: Client, arena: Arena) -> None:
    assert "There is no prompt set to run yet." in operator.get(PAGE).content.decode()
    PromptSet.objects.create(arena=arena, name="questions")
    assert "No competitor of this arena has an endpoint" in operator.get(PAGE).content.decode()


def test_a_run_is_started_shown_and_stopped(operator: Client, prompt_set: PromptSet, competitor: Competitor) -> None:
    page = operator.get(PAGE).content.decode()
    assert "What it can cost at most" in page
    assert "1.0000" in page  # half a million tokens at 2 a million
    answer = operator.post(PAGE, form(prompt_set, competitor) | {"budget": "3.5"}, follow=True)
    assert "The worker has taken the run." in answer.content.decode()
    run = GenerationRun.objects.get()
    assert (run.concurrency, run.budget, run.started_by) == (2, 3.5, User.objects.get())
    part = operator.get(f"{PAGE}?runs").content.decode()
    assert "<html" not in part
    assert "0 of 1 answers" in part
    stopped = operator.post(f"{PAGE}{run.pk}/stop/", follow=True).content.decode()
    assert "stopped by hand" in stopped
    again = operator.post(f"{PAGE}{run.pk}/stop/", follow=True).content.decode()
    assert "This run has ended" in again


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"concurrency": 0}, "greater than or equal to 1"),
        ({"budget": "-1"}, "greater than or equal to 0"),
        ({"competitors": []}, "This field is required"),
        ({"prompt_set": 999_999}, "not one of the available choices"),
    ],
)
def test_a_wrong_number_is_refused_beside_its_field(
    operator: Client, prompt_set: PromptSet, competitor: Competitor, wrong: dict[str, Any], says: str
) -> None:
    answer = operator.post(PAGE, form(prompt_set, competitor) | wrong)
    assert answer.status_code == 400
    assert says in answer.content.decode()
    assert not GenerationRun.objects.exists()


def test_another_arenas_set_competitor_and_run_are_out_of_reach(
    operator: Client, prompt_set: PromptSet, competitor: Competitor
) -> None:
    other = Arena.objects.create(slug="other", title="Other", kind="recorded")
    assert operator.post("/console/other/generation/", form(prompt_set, competitor)).status_code == 400
    run = runs.start(prompt_set, [competitor], now=timezone.now())
    assert operator.post(f"/console/{other.slug}/generation/{run.pk}/stop/").status_code == 404


def test_strangers_do_not_learn_that_there_is_such_a_page(client: Client, prompt_set: PromptSet) -> None:
    assert client.get(PAGE).status_code == client.get("/console/no-such-arena/generation/").status_code == 404
    assert client.post(PAGE).status_code == 404
