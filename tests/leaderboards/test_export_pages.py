"""Votes and bundles over HTTP: for whom, streamed under ASGI without reading ahead, and refused in sentences."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest
from asgiref.testing import ApplicationCommunicator
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponseBase

from arena.battles.models import Response
from arena.handler import WarmHandler
from arena.leaderboards.models import Snapshot
from arena.leaderboards.publishing import publish_snapshot
from arena.leaderboards.views.exports import in_turn, streamed
from arena.teams.models import Arena, Membership, Voter

FILES = ("/a/orchard/votes.csv", "/a/orchard/votes.jsonl", "/a/orchard/leaderboard.zip",
         "/api/v1/arenas/orchard/votes/", "/api/v1/arenas/orchard/bundle/")  # fmt: skip
db = pytest.mark.django_db


@pytest.fixture
def published(judge: Any, orchard: Arena, now: datetime) -> Snapshot:
    judge("Ash", "Birch", "a")
    Response.objects.update(text="canary")
    return publish_snapshot(orchard, now=now)


def body(answer: Any) -> bytes:
    assert answer.status_code == 200, answer
    return b"".join(answer.streaming_content)


def as_role(client: Any, arena: Arena, role: str) -> Any:
    user = User.objects.create_user(f"{role}-person")
    Membership.objects.create(arena=arena, voter=Voter.objects.create(user=user), role=role)
    client.force_login(user)
    return client


@db
def test_anybody_takes_the_votes_of_an_open_arena_away(client: Any, published: Snapshot) -> None:
    table = body(client.get("/a/orchard/votes.csv")).decode()
    assert table.startswith("id,model_a,model_b,winner,") and "Ash,Birch,model_a," in table
    row = json.loads(body(client.get("/a/orchard/votes.jsonl")))
    assert (row["model_a"], row["conversation_a"]) == ("Ash", None)
    api = client.get("/api/v1/arenas/orchard/votes/?kind=jsonl")
    assert json.loads(body(api))["winner"] == "model_a" and api["Content-Type"] == "application/x-ndjson"
    with ZipFile(BytesIO(body(client.get("/a/orchard/leaderboard.zip")))) as bundle:
        assert bundle.read("orchard-1/leaderboard.csv").decode() == published.board_csv
    assert body(client.get("/api/v1/arenas/orchard/bundle/"))[:2] == b"PK"


@db
def test_files_say_what_they_are_and_no_cache_keeps_them(client: Any, published: Snapshot, orchard: Arena) -> None:
    answer = client.get("/a/orchard/votes.csv")
    assert answer["Content-Disposition"] == 'attachment; filename="orchard-votes.csv"'
    assert answer["Cache-Control"].startswith("no-store") and "ETag" not in answer.headers
    Arena.objects.filter(pk=orchard.pk).update(is_simulated=True)
    assert "orchard-simulated-votes.csv" in client.get("/a/orchard/votes.csv")["Content-Disposition"]


@db
@pytest.mark.parametrize("address", FILES)
def test_the_full_export_is_for_owners(client: Any, published: Snapshot, orchard: Arena, address: str) -> None:
    assert client.get(f"{address}?full=1").status_code == 403
    for role in ("voter", "expert", "operator", "auditor"):
        assert as_role(client, orchard, role).get(f"{address}?full=1").status_code == 403, role
    answer = as_role(client, orchard, "owner").get(f"{address}?full=1")
    assert "-full-" in answer["Content-Disposition"]
    data = body(answer)
    if data[:2] == b"PK":
        with ZipFile(BytesIO(data)) as bundle:
            data = bundle.read("orchard-1/votes.jsonl")
    assert b"canary" in data


@db
@pytest.mark.parametrize("address", FILES)
@pytest.mark.parametrize("access", ["invite", "private"])
def test_elsewhere_the_public_export_is_for_those_who_see_the_console(
    client: Any, published: Snapshot, orchard: Arena, access: str, address: str
) -> None:
    Arena.objects.filter(pk=orchard.pk).update(access=access)
    assert client.get(address).status_code == 404, "an outsider does not learn that there is such an arena"
    assert as_role(client, orchard, "voter").get(address).status_code == 403
    assert as_role(client, orchard, "auditor").get(address).status_code == 200


@db
@pytest.mark.parametrize("address", FILES)
def test_who_waits_for_the_names_cannot_look_them_up(
    client: Any, published: Snapshot, orchard: Arena, now: datetime, address: str
) -> None:
    Arena.objects.filter(pk=orchard.pk).update(reveal="never")
    refused = client.get(address)
    assert refused.status_code == 403 and b"closed to votes" in refused.content
    Arena.objects.filter(pk=orchard.pk).update(closed_at=now)
    assert client.get(address).status_code == 200


@db
@pytest.mark.parametrize("address", [*FILES, "/a/orchard/leaderboard.csv.json"])
def test_where_the_board_is_withheld_so_are_its_votes(
    client: Any, published: Snapshot, orchard: Arena, address: str
) -> None:
    Arena.objects.filter(pk=orchard.pk).update(board_visibility="closed")
    refused = client.get(address)
    assert refused.status_code == 403 and b"closed" in refused.content


@db
@pytest.mark.parametrize("address", FILES)
def test_before_the_first_snapshot_there_is_nothing_to_take(client: Any, orchard: Arena, address: str) -> None:
    refused = client.get(address)
    assert refused.status_code == 404 and "Nothing is published" in refused.content.decode()


@db
def test_an_unknown_form_is_refused_with_the_allowed_ones(client: Any, published: Snapshot) -> None:
    refused = client.get("/api/v1/arenas/orchard/votes/?kind=xlsx")
    assert refused.status_code == 400
    assert refused.json() == {
        "code": "unknown_kind", "detail": "“xlsx” is no form of a file of votes. Allowed: csv, jsonl.",
    }  # fmt: skip


@db
def test_the_page_offers_what_the_reader_may_take(client: Any, published: Snapshot, orchard: Arena) -> None:
    page = client.get("/a/orchard/leaderboard/").content.decode()
    assert all(f'href="{address}"' in page for address in (*FILES[:3], "/a/orchard/leaderboard.csv.json"))
    assert "full=1" not in page
    assert (
        "/a/orchard/votes.csv?full=1"
        in as_role(client, orchard, "owner").get("/a/orchard/leaderboard/").content.decode()
    )
    client.logout()
    Arena.objects.filter(pk=orchard.pk).update(reveal="never")
    assert "votes.csv" not in client.get("/a/orchard/leaderboard/").content.decode()


@db
def test_the_sidecar_says_how_the_csv_was_made(client: Any, published: Snapshot) -> None:
    said = client.get("/a/orchard/leaderboard.csv.json").json()
    assert (said["snapshot_id"], said["snapshot"], said["seed"]) == (published.pk, 1, published.seed)
    assert said["data"]["sha256"] == published.data_sha256 and said["code_version"] == published.code_version
    assert said["settings"] == json.loads(json.dumps(published.settings)) and said["method"]["model"] == "Bradley-Terry"
    assert said["cutoff"]["vote"] == published.cutoff_vote_id and said["notes"]


@db
def test_the_sidecar_of_a_part_is_the_parts_own(client: Any, published: Snapshot, now: datetime) -> None:
    day = (now - timedelta(days=1)).date().isoformat()
    said = client.get(f"/a/orchard/leaderboard.csv.json?since={day}").json()
    assert said["slice"]["since"] == day and said["snapshot_id"] == published.pk
    assert client.get("/a/orchard/leaderboard.csv.json?colour=red").status_code == 400


@db
def test_before_the_first_snapshot_the_sidecar_is_defined(client: Any, orchard: Arena) -> None:
    assert set(client.get("/a/orchard/leaderboard.csv.json").json()) == {"method", "data", "notes"}


# under ASGI

SCOPE = {"type": "http", "method": "GET", "path": "/x", "query_string": b"", "headers": [(b"host", b"localhost")]}


class Source:
    """Pieces that tell how far they were asked for, in which thread, and whether they were closed."""

    def __init__(self, most: int) -> None:
        self.made, self.most, self.closed = 0, most, False
        self.threads: set[int] = set()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        self.threads.add(threading.get_ident())
        if self.made == self.most:
            raise StopIteration
        self.made += 1
        return b"piece" if self.made % 2 else b""

    def close(self) -> None:
        self.closed = True


def line_to(source: Source, monkeypatch: pytest.MonkeyPatch, threads: list[int]) -> ApplicationCommunicator:
    def view(request: HttpRequest) -> HttpResponseBase:
        threads.append(threading.get_ident())
        arena = Arena(slug="orchard")
        return streamed(request, arena, source, "votes.csv", "text/csv", is_full=False)

    handler = WarmHandler()
    monkeypatch.setattr(handler, "get_response", view)
    return ApplicationCommunicator(handler, SCOPE)


async def test_pieces_leave_as_they_are_made_in_the_requests_own_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    source, threads = Source(6), list[int]()
    line = line_to(source, monkeypatch, threads)
    await line.send_input({"type": "http.request", "body": b""})
    assert (await line.receive_output())["status"] == 200
    assert (await line.receive_output())["body"] == b"piece"
    rest = [await line.receive_output() for _ in range(3)]
    assert [part.get("body", b"") for part in rest] == [b"piece", b"piece", b""]
    assert [part.get("more_body", False) for part in rest] == [True, True, False]
    await line.wait()
    assert source.closed and source.threads == set(threads), "a connection of SQLite belongs to its thread"


async def test_a_reader_who_leaves_ends_the_export(monkeypatch: pytest.MonkeyPatch) -> None:
    source, threads = Source(10**9), list[int]()
    line = line_to(source, monkeypatch, threads)
    await line.send_input({"type": "http.request", "body": b""})
    await line.receive_output()
    assert (await line.receive_output())["body"] == b"piece"
    await line.send_input({"type": "http.disconnect"})
    await line.wait()
    made = source.made
    await asyncio.sleep(0.05)
    assert source.closed and source.made == made


async def test_an_error_on_the_way_reaches_the_server_and_closes_the_source() -> None:
    class Broken(Source):
        def __next__(self) -> bytes:
            if self.made:
                raise RuntimeError("the database is gone")
            return super().__next__()

    source = Broken(5)
    pieces = in_turn(source)
    assert await anext(aiter(pieces)) == b"piece"
    with pytest.raises(RuntimeError, match="the database is gone"):
        await anext(aiter(pieces))
    assert source.closed
