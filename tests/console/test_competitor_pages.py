"""Competitors are added, changed, tried and retired in the console."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from arena.battles import opening, renaming, votes
from arena.battles.errors import NameFixed
from arena.battles.models import Battle
from arena.battles.words import Winner
from arena.competitors import endpoints, health, versions
from arena.competitors.endpoints import TrialResult
from arena.competitors.local import LOCAL_COMPETITORS
from arena.competitors.models import Competitor, Endpoint
from arena.console import field_words as words
from arena.teams.models import Arena, Role, Voter
from tests.console.conftest import STAFF

pytestmark = pytest.mark.django_db(transaction=True)
Person = Callable[[str], Client]
ROOM = "/console/team/competitors/"


@pytest.fixture
def live(team: Arena) -> Arena:
    Arena.objects.filter(pk=team.pk).update(kind="live", reveal="each")
    team.refresh_from_db()
    return team


@pytest.fixture
def endpoint(db: None) -> Endpoint:
    return Endpoint.objects.create(name="Mine", base_url="http://127.0.0.1:9/v1", key_env="MINE_KEY")


@pytest.fixture
def dahlia(live: Arena, endpoint: Endpoint) -> Competitor:
    return Competitor.objects.create(arena=live, name="Dahlia", endpoint=endpoint, model_id="d-1", temperature=0.5)


def filled(endpoint: Endpoint | None, **changes: Any) -> dict[str, Any]:
    given = {"name": "Elm", "endpoint": endpoint.pk if endpoint else "", "model_id": "e-1", "max_tokens": "300"}
    return given | changes


def held(client: Client, row: Competitor) -> dict[str, Any]:
    """What the competitor's form holds, as a browser would send it back."""
    form = client.get(f"{ROOM}{row.pk}/").context["form"]
    return {name: value for name in form.fields if (value := form[name].value()) is not None}


def test_a_competitor_is_added_with_everything_it_has(person: Person, live: Arena, endpoint: Endpoint) -> None:
    given = filled(
        endpoint, system_prompt="Be brief.", temperature="0.2", top_p="0.9", stop="END\r\n a\\n\r\n",
        extra_body='{"seed": 1}', organization="Lab", license="MIT", price_in="1.5", price_out="2", revision="r2",
        context_length="4096",
    )  # fmt: skip
    answer = person(Role.OPERATOR).post(f"{ROOM}add/", given)
    assert answer["Location"] == ROOM
    elm = Competitor.objects.get(name="Elm")
    assert (elm.arena, elm.endpoint, elm.model_id, elm.system_prompt) == (live, endpoint, "e-1", "Be brief.")
    assert (elm.temperature, elm.top_p, elm.max_tokens, elm.stop) == (0.2, 0.9, 300, ["END", " a\n"])
    assert (elm.extra_body, elm.organization, elm.license, elm.revision) == ({"seed": 1}, "Lab", "MIT", "r2")
    assert (elm.price_in, elm.price_out, elm.context_length) == (1.5, 2, 4096)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": "Ash"}, "There is a competitor Ash in team already."),
        ({"endpoint": ""}, "This field is required."),
        ({"temperature": "9"}, "less than or equal to 5"),
        ({"extra_body": "[1]"}, "is no object"),
        ({"extra_body": '{"model": "other"}'}, "set by the competitor"),
        ({"price_in": "-1"}, "greater than or equal to 0"),
    ],
)
def test_a_refused_competitor_says_why_and_is_not_there(
    person: Person, live: Arena, endpoint: Endpoint, wrong: dict[str, str], said: str
) -> None:
    answer = person(Role.OPERATOR).post(f"{ROOM}add/", filled(endpoint) | wrong)
    assert answer.status_code == 400 and said in answer.content.decode()
    assert Competitor.objects.count() == 3


def test_recorded_answers_need_no_endpoint(person: Person, team: Arena) -> None:
    assert person(Role.OPERATOR).post(f"{ROOM}add/", filled(None)).status_code == 302
    assert Competitor.objects.get(name="Elm").endpoint is None


def test_a_form_that_is_sent_back_as_it_came_changes_nothing(person: Person, dahlia: Competitor) -> None:
    Competitor.objects.filter(pk=dahlia.pk).update(stop=["\n\n", "END "], extra_body={"seed": 1})
    versions.seal([dahlia.pk], now=timezone.now())
    before = Competitor.objects.filter(pk=dahlia.pk).values().get()
    client = person(Role.OPERATOR)
    assert client.post(f"{ROOM}{dahlia.pk}/", held(client, dahlia))["Location"] == f"{ROOM}{dahlia.pk}/"
    assert Competitor.objects.filter(pk=dahlia.pk).values().get() == before
    assert Competitor.objects.count() == 4


def test_who_has_not_answered_changes_in_place(person: Person, dahlia: Competitor) -> None:
    client = person(Role.OPERATOR)
    client.post(f"{ROOM}{dahlia.pk}/", held(client, dahlia) | {"temperature": "0.9"})
    dahlia.refresh_from_db()
    assert (dahlia.temperature, dahlia.version, dahlia.retired_at) == (0.9, 1, None)


def test_who_has_answered_gets_a_next_version_and_is_retired(person: Person, dahlia: Competitor) -> None:
    versions.seal([dahlia.pk], now=timezone.now())
    client = person(Role.OPERATOR)
    answer = client.post(f"{ROOM}{dahlia.pk}/", held(client, dahlia) | {"temperature": "0.9"}, follow=True)
    new = Competitor.objects.get(name="Dahlia", version=2)
    dahlia.refresh_from_db()
    assert (dahlia.temperature, new.temperature, new.is_sealed) == (0.5, 0.9, False)
    assert dahlia.retired_at is not None and new.retired_at is None
    assert "Made Dahlia v2 and retired Dahlia." in answer.content.decode()


def test_what_stands_under_about_it_makes_no_version() -> None:
    assert set({key: names for key, _heading, names in words.GROUPS}["about"]) == versions.ABOUT


def test_words_about_who_has_answered_are_corrected_in_place(person: Person, dahlia: Competitor) -> None:
    versions.seal([dahlia.pk], now=timezone.now())
    client = person(Role.OPERATOR)
    client.post(f"{ROOM}{dahlia.pk}/", held(client, dahlia) | {"organization": "Lab", "price_in": "2"})
    dahlia.refresh_from_db()
    assert (dahlia.organization, dahlia.price_in, dahlia.retired_at) == ("Lab", 2, None)
    assert Competitor.objects.filter(name="Dahlia").count() == 1


def test_whoever_judges_does_not_read_who_has_just_answered_first(person: Person, team: Arena) -> None:
    client, names = person(Role.OPERATOR), ("Ash", "Birch", "Cedar")
    me = Voter.objects.get(memberships__role=Role.OPERATOR)
    before = timezone.now()
    versions.seal([Competitor.objects.get(name="Ash").pk], now=before)

    def told() -> list[str]:
        pages = [client.get(f"{ROOM}{Competitor.objects.get(name=name).pk}/").content.decode() for name in names]
        return ["since" if "Has answered" in page else "untold" if "is told after" in page else "no" for page in pages]

    assert told() == ["since", "no", "no"]
    battle = opening.open_battle(me, team, None, seed=opening.new_seed(), now=timezone.now())
    versions.seal([Competitor.objects.get(name="Birch").pk], now=timezone.now())
    assert told() == ["since", "untold", "untold"]
    page = client.get(ROOM).content.decode()
    assert page.count("told after your open battle") == 2 and "not yet" not in page
    votes.cast_vote(battle.public_id, me, Winner.A, now=timezone.now())
    assert told()[0] == "since" and "untold" not in told()


def named(client: Client, row: Competitor, name: str) -> Any:
    """The form sent back with another name, whether the page offers that or not."""
    return client.post(f"{ROOM}{row.pk}/", held(client, row) | {"name": name, "temperature": "0.9"}, follow=True)


def test_a_name_may_be_corrected_before_anybody_has_met_it(person: Person, dahlia: Competitor) -> None:
    client = person(Role.OPERATOR)
    assert "Saved." in named(client, dahlia, " Elm ").content.decode()
    dahlia.refresh_from_db()
    assert (dahlia.name, dahlia.temperature, dahlia.version, dahlia.retired_at) == ("Elm", 0.9, 1, None)


@pytest.mark.parametrize("name", ["Ash", "Birch v2", "", "x" * 81])
def test_a_name_that_is_taken_or_none_is_refused_and_nothing_is_saved(
    person: Person, dahlia: Competitor, name: str
) -> None:
    versions.revise(Competitor.objects.get(name="Birch"), now=timezone.now(), top_p=0.5)
    answer = named(person(Role.OPERATOR), dahlia, name)
    assert answer.status_code == 400 and answer.context["form"].errors["name"]
    dahlia.refresh_from_db()
    assert (dahlia.name, dahlia.temperature) == ("Dahlia", 0.5)


def answered(dahlia: Competitor) -> None:
    versions.seal([dahlia.pk], now=timezone.now())


def drawn(dahlia: Competitor) -> None:
    ash, now = Competitor.objects.get(name="Ash"), timezone.now()
    Battle.objects.create(
        arena=dahlia.arena, voter=Voter.objects.create(), competitor_a=ash, competitor_b=dahlia, policy="uniform",
        draw_probability=0.5, seed="0", state="void", stream_mode="paced", served_at=now, expires_at=now,
    )  # fmt: skip


def revised(dahlia: Competitor) -> None:
    versions.revise(dahlia, now=timezone.now(), temperature=0.7)


@pytest.mark.parametrize(
    ("become", "said"),
    [
        (answered, "It has answered: its name stays, as everything that makes it."),
        (drawn, "It has been drawn for a battle: its name stays, for boards may know it."),
        (revised, "Its other versions have the same name, which therefore stays."),
    ],
)
def test_a_name_that_is_known_stays_and_the_page_says_why(
    person: Person, dahlia: Competitor, become: Callable[[Competitor], None], said: str
) -> None:
    become(dahlia)
    client = person(Role.OPERATOR)
    page = client.get(f"{ROOM}{dahlia.pk}/")
    assert page.context["form"].fields["name"].disabled and said in page.content.decode()
    named(client, dahlia, "Elm")
    assert set(Competitor.objects.filter(model_id="d-1").values_list("name", flat=True)) == {"Dahlia"}
    with pytest.raises(NameFixed, match=said):
        renaming.rename(dahlia, "Elm")


def test_whoever_judges_does_not_learn_from_a_name_who_was_drawn(person: Person, team: Arena) -> None:
    client = person(Role.OPERATOR)
    me = Voter.objects.get(memberships__role=Role.OPERATOR)
    rows = list(Competitor.objects.order_by("pk"))
    battle = opening.open_battle(me, team, None, seed=opening.new_seed(), now=timezone.now())
    shown = {
        (field.disabled, str(field.help_text))
        for row in rows
        for field in [client.get(f"{ROOM}{row.pk}/").context["form"].fields["name"]]
    }
    assert shown == {(True, "Whether it may still be changed is told after your open battle here.")}
    for row in rows:
        client.post(f"{ROOM}{row.pk}/", held(client, row) | {"name": f"{row.name} two"})
    assert {row.name for row in Competitor.objects.all()} == {"Ash", "Birch", "Cedar"}
    votes.cast_vote(battle.public_id, me, Winner.A, now=timezone.now())
    fixed = {row.pk for row in rows if client.get(f"{ROOM}{row.pk}/").context["form"].fields["name"].disabled}
    assert fixed == {battle.competitor_a_id, battle.competitor_b_id}


def test_a_competitor_is_retired_and_brought_back_and_never_vanishes(person: Person, dahlia: Competitor) -> None:
    client = person(Role.OPERATOR)
    for word, retired in (("retire", True), ("nonsense", True), ("back", False)):
        client.post(f"{ROOM}{dahlia.pk}/service/", {"service": word, "retired_reason": "Too <script>dear</script>."})
        dahlia.refresh_from_db()
        assert (dahlia.retired_at is not None, bool(dahlia.retired_reason)) == (retired, retired)
        assert "Dahlia" in client.get(ROOM).content.decode()
        page = client.get(f"{ROOM}{dahlia.pk}/").content.decode()
        assert ("Reason: <bdi>Too &lt;script&gt;dear&lt;/script&gt;.</bdi>" in page) is retired
        assert "<script>dear" not in page
    assert client.delete(f"{ROOM}{dahlia.pk}/").status_code == 405


def test_the_list_says_how_an_endpoint_is(person: Person, dahlia: Competitor, monkeypatch: pytest.MonkeyPatch) -> None:
    client = person(Role.AUDITOR)
    monkeypatch.delenv("MINE_KEY", raising=False)
    assert "its key is not set" in client.get(ROOM).content.decode()
    monkeypatch.setenv("MINE_KEY", "sk-very-secret")
    for _ in range(3):
        health.note_failure(dahlia, "connect", "Refused sk-very-secret", now=timezone.now())
    page = client.get(ROOM).content.decode()
    assert "out of the draw" in page and "until" in page and "connect: Refused [MINE_KEY]" in page
    assert "sk-very-secret" not in page


def test_one_answer_is_asked_for_only_by_a_post(
    person: Person, dahlia: Competitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def answer(row: Competitor, *, prompt: str) -> TrialResult:
        asked.append((row.pk, prompt))
        return TrialResult(text="I am <b>fine</b>", first_token_ms=12.4, total_ms=1012.4, output_tokens=51)

    monkeypatch.setattr(endpoints, "try_endpoint", answer)
    client = person(Role.OPERATOR)
    assert "may charge for it" in client.get(f"{ROOM}{dahlia.pk}/").content.decode()
    assert client.get(f"{ROOM}{dahlia.pk}/try/").status_code == 405 and asked == []
    page = client.post(f"{ROOM}{dahlia.pk}/try/", {"prompt": "How are you?"}).content.decode()
    assert asked == [(dahlia.pk, "How are you?")]
    assert "I am &lt;b&gt;fine&lt;/b&gt;" in page and "First token after 12 ms" in page and "50.0 tokens" in page
    assert client.post(f"{ROOM}{dahlia.pk}/try/", {"prompt": " "}).status_code == 400 and len(asked) == 1


def test_a_trial_that_fails_says_so(person: Person, dahlia: Competitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MINE_KEY", raising=False)
    page = person(Role.OPERATOR).post(f"{ROOM}{dahlia.pk}/try/", {"prompt": "?"}).content.decode()
    assert "It did not answer." in page and "MINE_KEY, which is not set" in page


def test_competitors_of_another_arena_are_not_here(person: Person, dahlia: Competitor) -> None:
    other = Arena.objects.create(slug="other", title="Other", kind="live", access="open")
    stranger = Competitor.objects.create(arena=other, name="Fir", model_id="f")
    client = person(Role.OWNER)
    for path, method in (("", "get"), ("", "post"), ("service/", "post"), ("try/", "post")):
        assert getattr(client, method)(f"{ROOM}{stranger.pk}/{path}").status_code == 404


def test_an_auditor_reads_and_has_no_button(person: Person, dahlia: Competitor) -> None:
    client = person(Role.AUDITOR)
    page = client.get(f"{ROOM}{dahlia.pk}/")
    assert all(field.disabled for field in page.context["form"].fields.values())
    assert page.content.decode().count("<button") == client.get("/console/team/").content.decode().count("<button")
    assert f"{ROOM}add/" not in client.get(ROOM).content.decode()


def test_the_local_models_competitors_come_with_one_button(
    person: Person, live: Arena, settings: Any, tmp_path: Path
) -> None:
    settings.VAR_DIR, settings.LOCAL_MODEL_URL = tmp_path, ""
    client = person(Role.OPERATOR)
    assert f"{ROOM}local/" not in client.get(ROOM).content.decode()
    assert "is not available" in client.post(f"{ROOM}local/", follow=True).content.decode()
    assert not Competitor.objects.filter(name__startswith="smollm2").exists()
    settings.LOCAL_MODEL_URL = "http://127.0.0.1:9/v1"
    assert f"{ROOM}local/" in client.get(ROOM).content.decode()
    for said in ("Added 5 competitors.", "Added 0 competitors."):
        assert said in client.post(f"{ROOM}local/", follow=True).content.decode()
    added = Competitor.objects.filter(arena=live, endpoint__base_url=health.LOCAL_MODEL)
    assert {row.name for row in added} == {one.name for one in LOCAL_COMPETITORS}
    assert not endpoints.why_closed(live, timezone.now())


def test_the_overview_leads_here_and_no_further_than_somebody_may(person: Person, live: Arena) -> None:
    assert f'href="{ROOM}"' in person(Role.OPERATOR).get("/console/team/").content.decode()
    assert "Whoever runs this server adds one" in person(Role.OWNER).get(ROOM).content.decode()
    assert "/console/endpoints/add/?arena=team" in person(STAFF).get(ROOM).content.decode()


@pytest.mark.parametrize("path", [ROOM, "/console/endpoints/"])
def test_lists_cost_the_same_for_3_rows_and_30(path: str, person: Person, live: Arena) -> None:
    client, counts = person(STAFF), []
    for rows in (range(3), range(3, 30)):
        for number in rows:
            endpoint = Endpoint.objects.create(name=f"e{number}", base_url="http://127.0.0.1:9/v1")
            Competitor.objects.create(arena=live, endpoint=endpoint, name=f"Elm {number}", model_id="e")
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_one_that_fails_alone_is_named_and_put_back_when_mended(
    person: Person, live: Arena, dahlia: Competitor, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINE_KEY", "k")
    Competitor.objects.create(arena=live, name="Elm", endpoint=endpoint, model_id="e", first_answered_at=timezone.now())
    for _ in range(3):
        health.note_failure(dahlia, "refused", "HTTP 404: no such model", now=timezone.now())
    client = person(Role.OPERATOR)
    overview = client.get("/console/team/").content.decode()
    assert "Dahlia does not answer." in overview and "no such model" in overview and "Mine does not" not in overview
    rows = {row.label: health.state for row, health in client.get(ROOM).context["rows"] if health}
    assert rows == {"Dahlia": "rests_alone", "Elm": "answers"}
    page = client.get(f"{ROOM}{dahlia.pk}/").content.decode()
    assert "this competitor is out of the draw" in page and "Mended" in page
    client.post(f"{ROOM}{dahlia.pk}/service/", {"service": "mended"})
    dahlia.refresh_from_db()
    assert (dahlia.failures_in_a_row, dahlia.out_until) == (0, None)
    assert "Mended" not in client.get(f"{ROOM}{dahlia.pk}/").content.decode()


def test_the_pause_of_a_competitor_is_not_told_beside_an_open_battle(
    person: Person, live: Arena, dahlia: Competitor, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The draw of a probe lengthens its pause: whoever saw that happen would know one of their two."""
    monkeypatch.setenv("MINE_KEY", "k")
    Competitor.objects.create(arena=live, name="Elm", endpoint=endpoint, model_id="e", first_answered_at=timezone.now())
    then = timezone.now() - health.FIRST_PAUSE
    for _ in range(3):
        health.note_failure(dahlia, "refused", "HTTP 404: no such model", now=then)
    client = person(Role.OPERATOR)
    voter = Voter.objects.get()
    opening.open_battle(voter, live, "A question?", seed="1", now=timezone.now())
    dahlia.refresh_from_db()
    assert dahlia.out_until and dahlia.out_until > timezone.now()
    for address in ("/console/team/", ROOM, f"{ROOM}{dahlia.pk}/"):
        page = client.get(address).content.decode()
        assert "this competitor is out" not in page and "no such model" not in page and "Mended" not in page
