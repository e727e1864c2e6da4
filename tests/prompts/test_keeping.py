"""Prompts are corrected, tagged, sealed and retired; what was answered never changes under anybody's vote."""

from __future__ import annotations

import random
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from arena.battles import assignment, opening
from arena.competitors.models import Competitor
from arena.leaderboards.management.commands.run_worker import tick
from arena.prompts import keeping
from arena.prompts.alike import near_duplicates
from arena.prompts.keeping import Facts, KeepingRefused
from arena.prompts.models import Prompt, PromptSet, RecordedAnswer
from arena.teams.models import Arena, Membership, Role, Voter

pytestmark = pytest.mark.django_db
PLAIN = Facts("", "", [], "")


@pytest.fixture
def arena() -> Arena:
    arena = Arena.objects.create(slug="team", title="Team", kind=Arena.Kind.RECORDED, access=Arena.Access.PRIVATE)
    prompts = PromptSet.objects.create(arena=arena, name="set")
    models = [Competitor.objects.create(arena=arena, name=name, model_id=name) for name in ("Ada", "Bea", "Cem")]
    for number in range(3):
        prompt = Prompt.objects.create(prompt_set=prompts, key=f"p{number}", text=f"Secret wording {number}?")
        for model in models:
            RecordedAnswer.objects.create(prompt=prompt, competitor=model, text=f"{model.name} {number}")
    return arena


@pytest.fixture
def lead(arena: Arena) -> Client:
    user = get_user_model().objects.create_user("lead")
    Membership.objects.create(arena=arena, voter=Voter.objects.create(user=user), role=Role.OPERATOR)
    client = Client()
    client.force_login(user)
    return client


def address(prompt: Prompt | None = None) -> str:
    base = f"/console/team/prompts/{PromptSet.objects.get().pk}/"
    return f"{base}{prompt.pk}/" if prompt else base


def change(client: Client, action: str, *prompts: Prompt, **more: Any) -> Any:
    data = {"action": action, "prompt": [prompt.pk for prompt in prompts], **more}
    return client.post(address(), data, follow=True)


def test_another_text_of_an_answered_prompt_is_another_prompt(arena: Arena, lead: Client) -> None:
    old = Prompt.objects.get(key="p0")
    voter = Voter.objects.create()
    opening.open_battle(voter, arena, None, seed=opening.new_seed(), now=timezone.now())
    page = lead.post(address(old), {"message": ["Better wording?"], "category": "short"}, follow=True)
    assert "Saved as p0-2, which replaces p0" in page.content.decode()
    old.refresh_from_db()
    new = Prompt.objects.get(key="p0-2")
    assert (old.text, old.answers.count(), old.retired_at is not None) == ("Secret wording 0?", 3, True)
    assert (new.text, new.category, new.replaces, new.answers.count()) == ("Better wording?", "short", old, 0)
    assert old.pk not in assignment.answers_by_prompt(arena)
    again = lead.post(address(old), {"message": ["Third wording?"]})
    assert again.status_code == 400 and "was replaced already" in again.content.decode()
    assert keeping.restore([old.pk]) == 0


def test_what_nobody_answered_is_corrected_in_place(arena: Arena, lead: Client) -> None:
    fresh = Prompt.objects.create(prompt_set=PromptSet.objects.get(), key="new", text="Wy?")
    lead.post(address(fresh), {"message": ["Why?", "", "And then?"], "tags": "short, why; short", "language": "en"})
    fresh.refresh_from_db()
    assert (fresh.messages, fresh.turn_count) == (["Why?", "And then?"], 2)
    assert (fresh.tags, fresh.language, fresh.retired_at) == (["short", "why"], "en", None)


def test_facts_of_an_answered_prompt_change_in_place_whatever_line_ends_the_browser_sends(
    arena: Arena, lead: Client
) -> None:
    old = Prompt.objects.get(key="p1")
    Prompt.objects.filter(pk=old.pk).update(text="two\nlines")
    lead.post(address(old), {"message": ["two\r\nlines"], "category": "maths", "source": "a book"})
    old.refresh_from_db()
    assert (old.category, old.source, old.retired_at) == ("maths", "a book", None)
    assert Prompt.objects.count() == 3


@pytest.mark.parametrize("texts", [[], [" "], ["x\x00y"], ["x" * 200_001]])
def test_texts_that_are_none_are_refused(arena: Arena, texts: list[str]) -> None:
    with pytest.raises(KeepingRefused):
        keeping.edit(Prompt.objects.get(key="p0"), texts, PLAIN, now=timezone.now())
    assert Prompt.objects.count() == 3


def test_several_prompts_are_tagged_sorted_and_retired_at_once(arena: Arena, lead: Client) -> None:
    first, second, third = Prompt.objects.order_by("key")
    change(lead, "tag", first, second, tags="hard, old")
    change(lead, "tag", second, tags="old", way="remove")
    change(lead, "categorise", first, third, category="maths")
    page = change(lead, "retire", third)
    assert "1 prompt retired." in page.content.decode()
    rows = [(row.tags, row.category, row.retired_at is None) for row in Prompt.objects.order_by("key")]
    assert rows == [(["hard", "old"], "maths", True), (["hard"], "", True), ([], "maths", False)]
    assert third.pk not in assignment.answers_by_prompt(arena)
    shown = lead.get(address() + "?tag=old&category=maths&state=in_service").context["shown"]
    assert [prompt.key for prompt in shown] == ["p0"]
    change(lead, "restore", third)
    assert third.pk in assignment.answers_by_prompt(arena)


def test_a_change_of_nothing_is_refused_in_words(arena: Arena, lead: Client) -> None:
    for action in ("retire", "tag"):
        page = change(lead, action, tags="x")
        assert page.status_code == 400 and "no prompt is chosen" in page.content.decode()
    foreign = Arena.objects.create(slug="other", title="Other", kind=Arena.Kind.RECORDED)
    other = Prompt.objects.create(prompt_set=PromptSet.objects.create(arena=foreign, name="x"), key="x", text="x")
    data = {"action": "retire", "prompt": [other.pk]}
    assert lead.post(f"/console/team/prompts/{PromptSet.objects.get(arena=arena).pk}/", data).status_code == 400
    other.refresh_from_db()
    assert other.retired_at is None
    assert lead.post(f"/console/team/prompts/{PromptSet.objects.get(arena=arena).pk}/", {}).status_code == 404


def test_a_set_is_renamed_and_keeps_its_window_in_days(arena: Arena, lead: Client) -> None:
    PromptSet.objects.create(arena=arena, name="taken")
    base = {"action": "save", "source": "our desk"}
    place = f"/console/team/prompts/{PromptSet.objects.get(name='set').pk}/"
    for wrong in (
        {"name": "taken"},
        {"name": ""},
        {"name": "x", "window_days": "0"},
        {"name": "x", "window_days": "a"},
    ):
        assert lead.post(place, base | wrong).status_code == 400
    assert lead.post(place, {**base, "name": "daily", "window_days": "30"}).status_code == 302
    kept = PromptSet.objects.get(name="daily")
    assert (kept.source, kept.window_days) == ("our desk", 30)


def test_the_worker_retires_what_has_left_the_window(arena: Arena) -> None:
    now = timezone.now()
    PromptSet.objects.update(window_days=7)
    Prompt.objects.filter(key="p0").update(created_at=now - timedelta(days=8))
    Prompt.objects.filter(key="p1").update(created_at=now - timedelta(days=6))
    tick(now=now)
    retired = Prompt.objects.filter(retired_at__isnull=False).values_list("key", flat=True)
    assert list(retired) == ["p0"]


def test_a_sealed_text_is_on_no_page_but_the_battles(arena: Arena, lead: Client) -> None:
    prompts = PromptSet.objects.get()
    assert b"Secret wording" in lead.get(address()).content
    assert change(lead, "seal").status_code == 400
    change(lead, "seal", sure="1")
    prompts.refresh_from_db()
    assert prompts.is_sealed
    one = Prompt.objects.get(key="p0")
    places = ["/console/team/prompts/", address(), f"{address()}?q=wording", address(one),
              "/api/v1/arenas/team/prompt-sets/"]  # fmt: skip
    for place in places:
        assert b"ording 0" not in lead.get(place).content, place
    assert lead.get(f"{address()}?q=Secret").context["shown"].paginator.count == 0
    battle = opening.open_battle(Voter.objects.create(), arena, None, seed=opening.new_seed(), now=timezone.now())
    assert "Secret wording" in battle.turns.get().prompt
    lead.post(address(one), {"message": ["Overwritten?"], "category": "maths"})
    one.refresh_from_db()
    assert (one.text, one.category) == ("Secret wording 0?", "maths")
    assert keeping.shown_outside(one) == "Sealed prompt p0"


def test_a_member_who_does_not_configure_finds_nothing(arena: Arena) -> None:
    user = get_user_model().objects.create_user("expert")
    Membership.objects.create(arena=arena, voter=Voter.objects.create(user=user), role=Role.EXPERT)
    client = Client()
    client.force_login(user)
    for place in ("/console/team/prompts/", address(), address(Prompt.objects.get(key="p0"))):
        assert client.get(place).status_code == 404
        assert client.post(place, {"action": "retire"}).status_code in (404, 405)


# Nearly alike

LONG = "Write a short poem about the first morning of a long winter in a small town by the cold northern sea"


@pytest.mark.parametrize(
    ("first", "second", "alike"),
    [
        ("Why is the sky blue?", "  why is the SKY blue ", True),
        (LONG, LONG.replace("small", "tiny"), True),
        (LONG, LONG.replace("winter", "summer").replace("cold", "warm").replace("town", "city"), False),
        ("What is the capital of France?", "What is the capital of Spain?", False),
        ("空はなぜ青いのですか、教えてください", "空はなぜ青いのですか。教えてください", True),
        ("?!", "??", False),
    ],
)
def test_prompts_are_alike_by_the_word_pairs_they_share(first: str, second: str, alike: bool) -> None:
    assert bool(near_duplicates([first, second]).pairs) == alike


def test_filtered_comparison_finds_what_comparing_everything_finds() -> None:
    rng = random.Random(20)
    words = [f"w{number}" for number in range(12)]
    drawn = [" ".join(rng.choices(words, k=rng.randint(2, 9))) for _ in range(250)]
    texts = list({frozenset(pairwise(text.split())): text for text in drawn}.values())
    pairs = {(pair.first, pair.second) for pair in near_duplicates(texts, alike=0.5).pairs}
    naive = {(i, j) for j in range(len(texts)) for i in range(j) if _share(texts[i], texts[j]) >= 0.5}
    assert pairs == naive and len(naive) > 20


def _share(first: str, second: str) -> float:
    one, two = (set(pairwise(text.split())) for text in (first, second))
    return len(one & two) / len(one | two)


def test_only_pairs_with_something_new_are_told() -> None:
    texts = ["Why is it so?", "why is it so", "Why is it so!"]
    assert [(pair.first, pair.second) for pair in near_duplicates(texts, new_from=2).pairs] == [(0, 2)]


def test_one_prompt_ten_thousand_times_is_told_and_not_counted_out() -> None:
    found = near_duplicates(["Why is it so?"] * 10_000)
    assert (len(found.pairs), found.is_whole) == (1000, False)


def test_texts_of_one_template_end_the_comparison_and_it_says_so() -> None:
    template = "Please solve the following task in the usual way and explain each step of it: what is {} times {}"
    found = near_duplicates([template.format(number, number + 1) for number in range(3000)])
    assert not found.is_whole


def test_the_sets_page_names_pairs_that_read_alike(arena: Arena, lead: Client) -> None:
    prompts = PromptSet.objects.get()
    for key in ("one", "two"):
        Prompt.objects.create(prompt_set=prompts, key=key, text=LONG + ("" if key == "one" else " "))
    pairs = lead.get(address()).context["alike"]
    assert [(pair.first.key, pair.second.key, pair.percent) for pair in pairs] == [("one", "two", 100)]
