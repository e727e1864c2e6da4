"""Not one byte before the vote names anybody: every page, answer, header, cookie and frame is searched for canaries.

Competitors and endpoints carry a canary word in every field, prices and timings that stand out, and errors that say
it too. The same search is then shown ten planted leaks, and must find each.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from asgiref.sync import async_to_sync
from django.test import Client
from django.utils import timezone

from arena.battles import blinding, frames, running
from arena.battles.models import Battle, Turn
from arena.battles.views import stage as stages
from arena.competitors import versions
from arena.competitors.providers import ErrorCode, ProviderError, ScriptedProvider
from arena.teams.models import Arena, Voter
from arena.teams.voters import COOKIE, cookie_value

pytestmark = pytest.mark.django_db(transaction=True)
CANARY = re.compile(
    rb"zanzibar|[78],?00\d[.,]25|7,?123[.,]5|9,?123[.,]5|43[.,]?210[.,]?987|draw_probability|first_token|total_ms", re.I
)
CSRF = re.compile(rb'name="csrfmiddlewaretoken" value="[^"]+"')


@pytest.fixture(autouse=True)
def forget_turns() -> None:
    running._turns.clear()


class Watcher:
    """A voter's browser that keeps every byte it is sent."""

    def __init__(self, voter: Voter) -> None:
        self.client = Client()
        self.client.cookies[COOKIE] = cookie_value(voter)
        self.seen: list[bytes] = []

    def note(self, answer: Any) -> Any:
        if getattr(answer, "streaming", False):
            self.seen.append(self._drain(answer))
        else:
            self.seen.append(answer.content)
        self.seen += [f"{key}: {value}".encode() for key, value in answer.headers.items()]
        self.seen += [morsel.OutputString().encode() for morsel in answer.cookies.values()]
        return answer

    def get(self, path: str, **kwargs: Any) -> Any:
        return self.note(self.client.get(path, **kwargs))

    def post(self, path: str, data: dict[str, str] | None = None) -> Any:
        return self.note(self.client.post(path, data or {}, headers={"X-Fragment": "1"}))

    @staticmethod
    def _drain(answer: Any) -> bytes:
        async def collect() -> bytes:
            return b"".join([part async for part in answer])

        return bytes(async_to_sync(collect)())

    def findings(self) -> list[bytes]:
        return [part for part in self.seen if CANARY.search(CSRF.sub(b"", part))]


def crawl(arena: Arena, voter: Voter, *, prompt: str | None) -> Watcher:
    """Everything a voter can reach about a battle before the vote."""
    watcher = Watcher(voter)
    schema = Client().get("/api/schema/").content
    page, api = f"/a/{arena.slug}/", f"/api/v1/arenas/{arena.slug}/"
    watcher.get(page)
    watcher.post(f"{page}battles/", {"prompt": prompt} if prompt else {})
    battle = Battle.objects.filter(voter=voter).latest("id")
    own, own_api = f"{page}battles/{battle.public_id}/", f"{api}battles/{battle.public_id}/"
    watcher.get(f"{own_api}stream/")
    watcher.get(page)
    watcher.get(page, headers={"X-Fragment": "1"})
    watcher.get(f"{page}?battle={battle.public_id}")
    for path in ("", "reveal/", "stream/?after=1", "vote/", "nothing/"):
        watcher.get(own_api + path)
    for action, data in (
        ("vote/", {"winner": "nobody"}),
        ("note/", {"tags": "accuracy"}),
        ("stop/", {}),
        ("redraw/", {}),
        ("follow-up/", {"prompt": ""}),
        ("elsewhere/", {}),
    ):
        watcher.post(own + action, data)
    for action, data in (("vote/", {"winner": "x"}), ("turns/", {"prompt": ""}), ("note/", {}), ("redraw/", {})):
        watcher.post(own_api + action, data)
    watcher.post(f"{page}battles/", {"prompt": "x" * 20_000})
    watcher.get("/healthz")
    described = watcher.get("/api/schema/").content
    assert described == schema and b"zanzibar" not in schema.lower()
    watcher.seen.remove(described)  # it names fields; the very bytes from before the battle tell nothing about it
    watcher.get("/")
    watcher.get(api)
    for own_page in ("mine/", "mine.csv", "mine/forget/"):
        watcher.get(page + own_page)
    watcher.post(f"{own}skip/")
    watcher.get(f"{page}?battle={battle.public_id}")
    watcher.get(f"{page}?start=1")
    return watcher


@pytest.fixture
def live_crawl(
    live: Arena, voter: Voter, scripted: Callable[..., dict[str, ScriptedProvider]]
) -> Callable[[], Watcher]:
    scripted("Hello ", "there")
    return lambda: crawl(live, voter, prompt="A question?")


def test_a_live_battle_names_nobody_before_the_vote(live_crawl: Callable[[], Watcher]) -> None:
    watcher = live_crawl()
    assert len(watcher.seen) > 100
    assert any(b"there" in part for part in watcher.seen)
    assert watcher.findings() == []


def test_a_recorded_battle_names_nobody_before_the_vote(recorded: Arena, voter: Voter) -> None:
    watcher = crawl(recorded, voter, prompt=None)
    assert any(re.search(rb"Answer \d to \d", part) for part in watcher.seen)
    assert watcher.findings() == []


def test_a_failing_provider_names_nobody(
    live: Arena, voter: Voter, scripted: Callable[..., dict[str, ScriptedProvider]]
) -> None:
    scripted("half", ProviderError(ErrorCode.STATUS, "zanzibar: 500 from zanzibar-endpoint"))
    watcher = crawl(live, voter, prompt="A question?")
    assert any(b'"end":"void"' in part for part in watcher.seen)
    assert watcher.findings() == []


def test_the_vote_names_exactly_the_two(
    live: Arena, voter: Voter, scripted: Callable[..., dict[str, ScriptedProvider]]
) -> None:
    scripted("Hello")
    watcher = Watcher(voter)
    watcher.post("/a/live/battles/", {"prompt": "A question?"})
    battle = Battle.objects.get()
    watcher.get(f"/api/v1/arenas/live/battles/{battle.public_id}/stream/")
    assert watcher.findings() == []
    answer = watcher.post(f"/a/live/battles/{battle.public_id}/vote/", {"winner": "a"})
    names = re.findall(r'data-side="([ab])">([^<]+)<', answer.content.decode())
    assert names == [("a", battle.competitor_a.label), ("b", battle.competitor_b.label)]
    others = set(live.competitors.values_list("name", flat=True)) - {name for _, name in names}
    assert not [name for name in others if name.encode() in answer.content]


def test_why_one_of_two_is_retired_is_told_after_the_vote_alone(recorded: Arena, voter: Voter) -> None:
    """The pages beside the board name everybody, retired or not; a reason could say who answers how."""
    watcher = Watcher(voter)
    watcher.post("/a/recorded/battles/")
    battle = Battle.objects.get()
    versions.retire(battle.competitor_a, reason="Answers in rhymes.", now=timezone.now())
    told = f"/a/recorded/competitors/{battle.competitor_a.label}/"
    beside = (told, "/a/recorded/integrity/", "/a/recorded/integrity.json", "/api/v1/arenas/recorded/integrity/",
              "/api/v1/arenas/recorded/competitors/")  # fmt: skip
    for path in (*beside, "/a/recorded/", f"/a/recorded/battles/{battle.public_id}/"):
        watcher.get(path)
    assert not [part for part in watcher.seen if b"rhymes" in part]
    assert watcher.post(f"/a/recorded/battles/{battle.public_id}/vote/", {"winner": "a"}).status_code == 200
    assert [path for path in beside if b"rhymes" not in watcher.get(path).content] == []


def test_two_battles_with_the_same_model_share_no_bytes_but_text(
    live: Arena, voter: Voter, stranger: Voter, scripted: Callable[..., dict[str, ScriptedProvider]]
) -> None:
    """No id that repeats: what differs between two battles' JSON is ids, times and nothing that could be joined."""
    scripted("Hello")
    bodies = []
    for person in (voter, stranger):
        watcher = Watcher(person)
        watcher.post("/a/live/battles/", {"prompt": "A question?"})
        battle = Battle.objects.filter(voter=person).get()
        bodies.append(watcher.get(f"/api/v1/arenas/live/battles/{battle.public_id}/").json())
    shared = {k for k in bodies[0] if bodies[0][k] == bodies[1][k]}
    assert shared == {"state", "voted", "void_reason", "turns"}


def leak_stage(change: Callable[[Any, Battle], Any]) -> AbstractContextManager[Any]:
    original = stages._of_battle

    def leaking(arena: Any, battle: Any, voter: Any, *, now: Any) -> Any:
        return change(original(arena, battle, voter, now=now), battle)

    return patch.object(stages, "_of_battle", leaking)


@contextmanager
def leak_header(name: str) -> Iterator[None]:
    from arena.battles.views import pages

    original = pages._answer

    def leaking(request: Any, arena: Any, stage: Any, *, status: int = 200) -> Any:
        response = original(request, arena, stage, status=status)
        if stage.battle:
            response[name] = Battle.objects.latest("id").competitor_a.name
        return response

    with patch.object(pages, "_answer", leaking):
        yield


@contextmanager
def leak_cookie() -> Iterator[None]:
    from arena.battles.views import pages

    original = pages._answer

    def leaking(request: Any, arena: Any, stage: Any, *, status: int = 200) -> Any:
        response = original(request, arena, stage, status=status)
        if stage.battle:
            response.set_cookie("last", Battle.objects.latest("id").competitor_b.model_id)
        return response

    with patch.object(pages, "_answer", leaking):
        yield


def leak_frame(key: str, value: Any) -> AbstractContextManager[Any]:
    original = frames.encode

    def leaking(number: int, a: str, b: str, **kwargs: Any) -> str:
        frame = json.loads(original(number, a, b, **kwargs))
        frame[key] = value
        return json.dumps(frame)

    return patch.object(frames, "encode", leaking)


def leak_api(value: Callable[[Battle], dict[str, Any]]) -> AbstractContextManager[Any]:
    from arena.api import views

    original = views.battle_out

    def leaking(seen: blinding.BlindBattle) -> dict[str, Any]:
        return {**original(seen), **value(Battle.objects.get(public_id=seen.id))}

    return patch.object(views, "battle_out", leaking)


def notice(stage: Any, text: str) -> Any:
    return stage.saying(text)


LEAKS: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "a name on the page": lambda: leak_stage(lambda stage, battle: notice(stage, battle.competitor_a.name)),
    "an organisation on the page": lambda: leak_stage(
        lambda stage, battle: notice(stage, battle.competitor_b.organization)
    ),
    "a price on the page": lambda: leak_stage(lambda stage, battle: notice(stage, str(battle.competitor_a.price_in))),
    "a header": lambda: leak_header("X-Model"),
    "an ETag": lambda: leak_header("ETag"),
    "a cookie": leak_cookie,
    "a name in a frame": lambda: leak_frame("model", "zanzibar1-name"),
    "a timing in a frame": lambda: leak_frame("first_token_ms", 12.5),
    "a field of the API": lambda: leak_api(lambda battle: {"model": battle.competitor_a.model_id}),
    "the draw in the API": lambda: leak_api(lambda battle: {"draw_probability": battle.draw_probability}),
}


@pytest.mark.parametrize("leak", list(LEAKS))
def test_the_search_finds_each_planted_leak(live_crawl: Callable[[], Watcher], leak: str) -> None:
    assert len(LEAKS) == 10
    with LEAKS[leak]():
        watcher = live_crawl()
    assert watcher.findings(), f"{leak} was not found"


def test_turns_and_seeds_stay_inside(live: Arena, voter: Voter, live_crawl: Callable[[], Watcher]) -> None:
    watcher = live_crawl()
    battle = Battle.objects.filter(voter=voter).first()
    assert battle is not None
    everything = b"\n".join(watcher.seen)
    assert battle.seed.encode() not in everything
    assert Turn.objects.filter(battle=battle).exists()
