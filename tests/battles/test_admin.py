from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from arena.battles.models import Battle, Response, Turn, Vote, VoteNote
from arena.battles.words import BattleState
from arena.competitors.models import Competitor
from arena.prompts.models import Prompt, PromptSet, RecordedAnswer
from arena.teams.models import Arena, Voter

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db
LOG = [Battle, Turn, Response, Vote, VoteNote]


def make_battle(number: int, *, voted: bool = True) -> Battle:
    arena = Arena.objects.create(slug=f"a{number}", title="Arena", kind="live")
    names = [f"canary-{side}-{number}" for side in "ab"]
    first, second = (Competitor.objects.create(arena=arena, name=name, model_id=name) for name in names)
    voter = Voter.objects.create(user=User.objects.create_user(f"voter{number}"))
    prompt_set = PromptSet.objects.create(arena=arena, name="set")
    prompt = Prompt.objects.create(prompt_set=prompt_set, key=f"p{number}", text="Why?")
    RecordedAnswer.objects.create(prompt=prompt, competitor=first, text="So.")
    battle = Battle.objects.create(
        arena=arena, voter=voter, competitor_a=first, competitor_b=second, policy="uniform", draw_probability=1,
        seed="s", state=BattleState.COMPLETE, stream_mode="paced", served_at=NOW, expires_at=NOW + timedelta(days=1),
    )  # fmt: skip
    turn = Turn.objects.create(battle=battle, index=1, prompt="Why?", created_at=NOW)
    for side, competitor in (("a", first), ("b", second)):
        Response.objects.create(turn=turn, side=side, competitor=competitor, text=f"So, {side}.", created_at=NOW)
    if voted:
        vote = Vote.objects.create(battle=battle, voter=voter, winner="a", created_at=NOW)
        VoteNote.objects.create(vote=vote, updated_at=NOW)
    return battle


def address(model: type) -> str:
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/"  # type: ignore[attr-defined]


@pytest.mark.parametrize("model", [*LOG, Voter, RecordedAnswer])
def test_nobody_adds_changes_or_deletes(admin_client: Client, model: type) -> None:
    make_battle(1)
    row = model.objects.first()  # type: ignore[attr-defined]
    before = model.objects.values().get(pk=row.pk)  # type: ignore[attr-defined]
    assert admin_client.get(f"{address(model)}add/").status_code == 403
    assert admin_client.get(f"{address(model)}{row.pk}/change/").status_code == 200
    assert admin_client.post(f"{address(model)}{row.pk}/change/", {"winner": "b"}).status_code == 403
    assert admin_client.post(f"{address(model)}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    deletion = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    admin_client.post(address(model), deletion)
    assert model.objects.values().get(pk=row.pk) == before  # type: ignore[attr-defined]


@pytest.mark.parametrize("model", LOG)
def test_no_action_is_offered(model: type) -> None:
    request = RequestFactory().get("/")
    request.user = User.objects.create_superuser("root")
    assert admin.site._registry[model].get_actions(request) == {}  # type: ignore[index]


@pytest.mark.parametrize("model", [*LOG, Voter, PromptSet, Prompt, RecordedAnswer])
def test_list_pages_cost_the_same_for_3_rows_and_30(admin_client: Client, model: type) -> None:
    counts = []
    for rows in (range(3), range(3, 30)):
        for number in rows:
            make_battle(number)
        with CaptureQueriesContext(connection) as queries:
            assert admin_client.get(address(model)).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_an_open_battle_is_blind_to_staff_too(admin_client: Client) -> None:
    battle = make_battle(1, voted=False)
    turn, response = battle.turns.get(), Response.objects.first()
    assert response is not None
    pages = [
        address(Battle), f"{address(Battle)}{battle.pk}/change/", address(Turn), f"{address(Turn)}{turn.pk}/change/",
        address(Response), f"{address(Response)}{response.pk}/change/", f"{address(Battle)}?q={battle.public_id}",
    ]  # fmt: skip
    for page in pages:
        assert b"canary" not in admin_client.get(page, follow=True).content, page


@pytest.mark.parametrize("hidden", ["competitor_a", "competitor_b__exact", "seed", "draw_probability__gt"])
def test_an_open_battle_cannot_be_filtered_by_what_is_hidden(admin_client: Client, hidden: str) -> None:
    battle = make_battle(1, voted=False)
    row = Battle.objects.values("competitor_a", "competitor_b", "seed", "draw_probability").get(pk=battle.pk)
    answer = admin_client.get(f"{address(Battle)}?{hidden}={row[hidden.split('__')[0]]}")
    assert answer.status_code in (302, 400)
    assert str(battle.public_id).encode() not in answer.content
    for offered in (f"arena__id__exact={battle.arena_id}", "state__exact=complete"):
        assert str(battle.public_id).encode() in admin_client.get(f"{address(Battle)}?{offered}").content


def test_an_open_battle_hides_how_likely_its_draw_was(admin_client: Client) -> None:
    battle = make_battle(1, voted=False)
    Battle.objects.filter(pk=battle.pk).update(draw_probability=0.03125)
    assert b"03125" not in admin_client.get(f"{address(Battle)}{battle.pk}/change/").content


def test_a_judged_battle_shows_who_answered(admin_client: Client) -> None:
    battle = make_battle(1)
    assert b"canary-a-1" in admin_client.get(f"{address(Battle)}{battle.pk}/change/").content
    assert b"canary-b-1" in admin_client.get(address(Response)).content


def test_pages_keep_to_the_content_security_policy(admin_client: Client) -> None:
    battle = make_battle(1)
    competitor = battle.competitor_a_id
    pages = ["/admin/", address(Battle), f"/admin/competitors/competitor/{competitor}/change/",
             f"/admin/competitors/competitor/{competitor}/revise/"]  # fmt: skip
    for page in pages:
        answer = admin_client.get(page)
        text = answer.content.decode()
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        assert "<style" not in text and " style=" not in text and " onclick=" not in text, page
        assert all('src="' in tag.split(">")[0] or 'type="application/json"' in tag or "data-" in tag
                   for tag in text.split("<script")[1:]), page  # fmt: skip


def test_a_sealed_text_is_neither_shown_nor_searched(admin_client: Client) -> None:
    battle = make_battle(1)
    prompt = Prompt.objects.get()
    RecordedAnswer.objects.update(text="Because of zanzibar.")
    Prompt.objects.update(text="Why zanzibar?", key="question-1")
    Turn.objects.update(prompt="Why zanzibar?")
    Battle.objects.update(prompt=prompt)

    def told(path: str) -> bool:
        body = admin_client.get(path).content.decode()
        return "zanzibar?" in body or ">question-1<" in body

    turn = f"{address(Turn)}{battle.turns.get().pk}/change/"
    paths = [f"{address(Prompt)}?q=zanzibar", address(Turn), turn]
    assert all(told(path) for path in paths), "nothing is sealed yet"
    PromptSet.objects.update(is_sealed=True)
    assert [path for path in paths if told(path)] == []
    assert told(f"{address(Prompt)}?q=question")


@pytest.mark.parametrize(
    ("model", "lookup"),
    [
        (Prompt, "text__contains"),
        (Turn, "prompt__contains"),
        (RecordedAnswer, "text__contains"),
        (RecordedAnswer, "prompt__text__contains"),
        (RecordedAnswer, "prompt__prompt_set__prompts__text__contains"),
    ],
)
def test_an_address_asks_nothing_of_a_sealed_text(admin_client: Client, model: type, lookup: str) -> None:
    assert admin_client.get(f"{address(model)}?{lookup}=zan").status_code == 400


def test_filters_on_offer_work(admin_client: Client) -> None:
    make_battle(1)
    chosen = PromptSet.objects.get().pk
    prompts, answers = address(Prompt), address(RecordedAnswer)
    for path in (f"{prompts}?prompt_set__id__exact={chosen}", f"{prompts}?category=", f"{prompts}?language=en",
                 f"{answers}?prompt__prompt_set__id__exact={chosen}"):  # fmt: skip
        assert admin_client.get(path).status_code == 200, path
