from __future__ import annotations

from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from arena.competitors import endpoints
from arena.competitors.admin import SETTINGS
from arena.competitors.endpoints import TrialResult
from arena.competitors.models import Competitor, Endpoint
from arena.competitors.versions import seal
from arena.teams.models import Arena


def form_of(competitor: Competitor, **changes: object) -> dict[str, object]:
    settings = {
        "endpoint": competitor.endpoint_id, "model_id": competitor.model_id, "temperature": competitor.temperature,
        "max_tokens": competitor.max_tokens, "stop": "[]", "extra_body": "{}",
    }  # fmt: skip
    return {**settings, **changes}


def test_a_new_version_is_made_from_a_prefilled_form(
    admin_client: Client, competitor: Competitor, now: datetime
) -> None:
    seal([competitor.pk], now=now)
    address = f"/admin/competitors/competitor/{competitor.pk}/revise/"
    assert b'value="ada-1"' in admin_client.get(address).content
    answer = admin_client.post(address, form_of(competitor, temperature=0.9, stop='["END"]'))
    new = Competitor.objects.get(version=2)
    assert answer.headers["Location"] == f"/admin/competitors/competitor/{new.pk}/change/"
    assert (new.temperature, new.stop, new.is_sealed) == (0.9, ["END"], False)
    competitor.refresh_from_db()
    assert competitor.retired_at is not None and competitor.temperature == 0.5


def test_a_bad_revision_is_said_and_changes_nothing(admin_client: Client, competitor: Competitor) -> None:
    address = f"/admin/competitors/competitor/{competitor.pk}/revise/"
    answer = admin_client.post(address, form_of(competitor, stop='"END"'))
    assert b"is no list of texts" in answer.content
    assert Competitor.objects.count() == 1


def test_a_sealed_competitor_shows_its_settings_and_takes_no_others(
    admin_client: Client, competitor: Competitor, now: datetime
) -> None:
    seal([competitor.pk], now=now)
    address = f"/admin/competitors/competitor/{competitor.pk}/change/"
    page = admin_client.get(address).content.decode()
    assert "New version" in page
    for name in SETTINGS:
        assert f'name="{name}"' not in page
    admin_client.post(address, {"temperature": 1.5, "organization": "Lab"})
    competitor.refresh_from_db()
    assert (competitor.temperature, competitor.organization) == (0.5, "Lab")
    assert admin_client.post(f"/admin/competitors/competitor/{competitor.pk}/delete/").status_code == 403


def test_a_reason_to_retire_is_given_read_and_cleared(
    admin_client: Client, competitor: Competitor, now: datetime
) -> None:
    seal([competitor.pk], now=now)
    address = f"/admin/competitors/competitor/{competitor.pk}/change/"
    retired = {"retired_at_0": "2026-02-01", "retired_at_1": "12:00:00"}
    refused = admin_client.post(address, {"retired_reason": "Too dear."}).content.decode()
    assert "It is in service. Say when it was retired, or leave the reason out." in refused
    admin_client.post(address, retired | {"retired_reason": "Too dear <b>by far</b>."})
    competitor.refresh_from_db()
    assert competitor.retired_reason == "Too dear <b>by far</b>." and competitor.retired_at is not None
    listed = admin_client.get("/admin/competitors/competitor/").content.decode()
    assert "Too dear &lt;b&gt;by far&lt;/b&gt;." in listed
    assert (
        "holds the character U+0007"
        in admin_client.post(address, retired | {"retired_reason": "bell\x07"}).content.decode()
    )
    Competitor.objects.filter(pk=competitor.pk).update(replaced_by=competitor)
    admin_client.post(address, {"retired_reason": "Too dear."})
    competitor.refresh_from_db()
    assert (competitor.retired_at, competitor.retired_reason, competitor.replaced_by) == (None, "", None)


def test_an_unsealed_competitor_may_still_change(admin_client: Client, competitor: Competitor) -> None:
    data = form_of(competitor, arena=competitor.arena_id, name="Ada", temperature=0.8)
    admin_client.post(f"/admin/competitors/competitor/{competitor.pk}/change/", data)
    competitor.refresh_from_db()
    assert competitor.temperature == 0.8


def test_an_address_with_a_key_in_it_is_refused(admin_client: Client) -> None:
    data = {"name": "x", "base_url": "https://me:secret@host/v1"}
    timeouts = {"first_token_seconds": 1, "between_tokens_seconds": 1, "total_seconds": 1}
    page = admin_client.post("/admin/competitors/endpoint/add/", {**data, **timeouts}).content.decode()
    assert "is no address of an endpoint" in page
    assert not Endpoint.objects.exists()


def test_an_endpoint_is_asked_only_by_a_post(
    admin_client: Client, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def answer(endpoint: Endpoint, *, model_id: str, prompt: str) -> TrialResult:
        asked.append((endpoint.name, model_id, prompt))
        return TrialResult(text="I am <b>fine</b>", first_token_ms=12.4, total_ms=1012.4, output_tokens=51)

    monkeypatch.setattr(endpoints, "try_endpoint", answer)
    address = f"/admin/competitors/endpoint/{endpoint.pk}/try/"
    admin_client.get(address)
    assert asked == []
    page = admin_client.post(address, {"model_id": "m", "prompt": "How are you?"}).content.decode()
    assert asked == [("here", "m", "How are you?")]
    assert "I am &lt;b&gt;fine&lt;/b&gt;" in page
    assert "first token after 12 ms" in page and "50.0 tokens/s" in page


def test_a_failed_trial_says_the_operators_error(
    admin_client: Client, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = TrialResult(error_code="unreachable", error_detail="Connection refused")
    monkeypatch.setattr(endpoints, "try_endpoint", lambda *_, **__: failed)
    page = admin_client.post(f"/admin/competitors/endpoint/{endpoint.pk}/try/", {"model_id": "m", "prompt": "?"})
    assert b"unreachable: Connection refused" in page.content


def test_only_staff_with_permission_try_and_revise(client: Client, competitor: Competitor) -> None:
    addresses = [
        f"/admin/competitors/endpoint/{competitor.endpoint_id}/try/",
        f"/admin/competitors/competitor/{competitor.pk}/revise/",
    ]
    assert [client.post(address).status_code for address in addresses] == [302, 302]
    client.force_login(User.objects.create_user("ines", is_staff=True))
    assert [client.post(address).status_code for address in addresses] == [403, 403]


def test_missing_rows_are_not_found(admin_client: Client) -> None:
    assert admin_client.post("/admin/competitors/endpoint/999/try/").status_code == 404
    assert admin_client.get("/admin/competitors/competitor/999/revise/").status_code == 404


def test_trials_want_a_token_against_forgery(endpoint: Endpoint) -> None:
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(User.objects.create_superuser("root"))
    address = f"/admin/competitors/endpoint/{endpoint.pk}/try/"
    assert careful.post(address, {"model_id": "m", "prompt": "?"}).status_code == 403


@pytest.mark.parametrize("room", ["competitors/competitor", "competitors/endpoint", "teams/arena"])
def test_list_pages_cost_the_same_for_3_rows_and_30(admin_client: Client, room: str) -> None:
    counts = []
    for rows in (range(3), range(3, 30)):
        for number in rows:
            arena = Arena.objects.create(slug=f"a{number}", title="A", kind="live")
            endpoint = Endpoint.objects.create(name=f"e{number}", base_url="http://h/v1")
            Competitor.objects.create(arena=arena, endpoint=endpoint, name="Ada", model_id="m")
        with CaptureQueriesContext(connection) as queries:
            assert admin_client.get(f"/admin/{room}/").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
