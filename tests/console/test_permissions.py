"""Every page of the console × everybody who may ask for it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import URLPattern, reverse

from arena.competitors.models import Competitor
from arena.console.urls import urlpatterns
from arena.teams.models import Arena, Role
from tests.console.conftest import NOBODY, STAFF, STRANGER

pytestmark = pytest.mark.django_db(transaction=True)
Person = Callable[[str], Client]
EVERYBODY = (NOBODY, STRANGER, *Role.values, STAFF)
SEES = {Role.OWNER, Role.OPERATOR, Role.AUDITOR, STAFF}
CONFIGURES = {Role.OWNER, Role.OPERATOR, STAFF}
READ = {
    "competitors": "/console/team/competitors/",
    "freshness": "/console/team/freshness/", "freshness_csv": "/console/team/freshness.csv",
    "overview": "/console/team/", "settings": "/console/team/settings/", "votes": "/console/team/votes/",
    "daily_csv": "/console/team/votes-a-day.csv", "daily_svg": "/console/team/votes-a-day.svg",
}  # fmt: skip
WRITTEN = {
    "settings": "/console/team/settings/", "state": "/console/team/state/",
    "add_competitor": "/console/team/competitors/add/", "add_local": "/console/team/competitors/local/",
}  # fmt: skip
OF_THE_INSTANCE = {"index", "new"}
OF_ENDPOINTS = {"endpoints", "add_endpoint", "endpoint", "try_endpoint", "look_up_models", "put_back"}
"""In tests/console/test_endpoint_pages.py."""
OF_ONE_COMPETITOR = {"competitor", "service", "try_competitor"}
OF_WEBHOOKS = {"webhooks", "try_webhook", "withdraw_webhook"}
"""In tests/console/test_webhook_pages.py."""
OF_VOTERS = {"mine", "mine_csv", "forget"}
"""Each tested below, or beside what it does."""
OF_REVIEWERS = {"review", "decide"}
"""Their roles are tried in tests/integrity/test_review_page.py."""


@pytest.mark.parametrize("role", EVERYBODY)
@pytest.mark.parametrize("name", READ)
def test_a_page_is_there_for_those_who_see_the_console(name: str, role: str, team: Arena, person: Person) -> None:
    answer = person(role).get(READ[name])
    assert answer.status_code == (200 if role in SEES else 404)
    if role not in SEES:
        assert "Team" not in answer.content.decode()


@pytest.mark.parametrize("role", EVERYBODY)
@pytest.mark.parametrize("name", WRITTEN)
def test_only_those_who_configure_change_anything(name: str, role: str, team: Arena, person: Person) -> None:
    answer = person(role).post(WRITTEN[name], {"state": "close", "title": "Other"})
    assert (answer.status_code != 404) is (role in CONFIGURES)
    team.refresh_from_db()
    assert team.title == "Team"  # the form lacked the rest
    assert (team.closed_at is not None) is (name == "state" and role in CONFIGURES)


@pytest.mark.parametrize("role", EVERYBODY)
def test_the_list_holds_what_each_may_see(role: str, team: Arena, person: Person) -> None:
    answer = person(role).get("/console/")
    assert answer.status_code == (302 if role == NOBODY else 200)
    assert ("Team" in answer.content.decode()) is (role in SEES)


@pytest.mark.parametrize("role", EVERYBODY)
def test_only_those_who_run_the_instance_make_arenas(role: str, team: Arena, person: Person) -> None:
    client = person(role)
    assert client.get("/console/new/").status_code == {NOBODY: 302, STAFF: 200}.get(role, 404)
    client.post("/console/new/", {"title": "Mine", "kind": "recorded", "access": "invite"})
    assert Arena.objects.filter(title="Mine").exists() is (role == STAFF)


@pytest.mark.parametrize("role", EVERYBODY)
def test_the_header_leads_to_the_console_those_who_have_one(role: str, team: Arena, person: Person) -> None:
    Arena.objects.filter(pk=team.pk).update(access="open")
    client = person(role)
    assert ('href="/console/team/"' in client.get("/a/team/").content.decode()) is (role in SEES)


def test_a_member_of_another_arena_sees_nothing_of_this_one(team: Arena, person: Person) -> None:
    other = Arena.objects.create(slug="other", title="Other", kind="recorded", access="invite")
    client = person(Role.OWNER)
    for path in READ.values():
        assert client.get(path).status_code == 200
        assert client.get(path.replace("team", "other")).status_code == 404
    assert other.title not in client.get("/console/").content.decode()


@pytest.mark.parametrize("role", EVERYBODY)
@pytest.mark.parametrize("name", sorted(OF_ONE_COMPETITOR))
def test_a_competitor_is_read_by_some_and_touched_by_fewer(name: str, role: str, team: Arena, person: Person) -> None:
    ash = Competitor.objects.get(name="Ash")
    address, client = reverse(f"console:{name}", args=["team", ash.pk]), person(role)
    if name == "competitor":
        assert client.get(address).status_code == (200 if role in SEES else 404)
    given = {"service": "retire", "retired_reason": "Too dear.", "name": "Ash", "model_id": "other", "max_tokens": "9"}
    answer = client.post(address, given)
    assert (answer.status_code != 404) is (role in CONFIGURES)
    ash.refresh_from_db()
    assert (ash.retired_at is not None) is (name == "service" and role in CONFIGURES)
    assert (ash.model_id == "other") is (name == "competitor" and role in CONFIGURES)


def test_no_address_of_the_console_is_missing_here() -> None:
    ours = OF_ENDPOINTS | OF_ONE_COMPETITOR | OF_WEBHOOKS
    names = {pattern.name for pattern in urlpatterns if isinstance(pattern, URLPattern)}
    assert names <= READ.keys() | WRITTEN.keys() | OF_THE_INSTANCE | OF_VOTERS | OF_REVIEWERS | ours
