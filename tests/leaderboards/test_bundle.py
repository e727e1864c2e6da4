"""A reproduction bundle: one command, from the unpacked folder, makes the published CSV again byte for byte."""

from __future__ import annotations

import csv
import hashlib
import json
import shlex
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db.models import Count

from arena.battles import simulating
from arena.battles.models import Battle, Response, Vote
from arena.competitors.models import Competitor
from arena.integrity.deciding import SCREENING, Reason, set_aside
from arena.leaderboards.exporting.bundle import NotByCommand, bundle_pieces, command_of
from arena.leaderboards.models import Snapshot
from arena.leaderboards.publishing import publish_snapshot
from arena.teams.models import Arena, Voter
from ratings.__main__ import main
from tests.leaderboards.rooms import serve

pytestmark = pytest.mark.django_db


def unpacked(snapshot: Snapshot, folder: Path, *, is_full: bool = False) -> Path:
    with ZipFile(BytesIO(b"".join(bundle_pieces(snapshot, is_full=is_full)))) as bundle:
        assert bundle.testzip() is None
        bundle.extractall(folder)
    (inside,) = folder.iterdir()
    return inside


def rebuilt(inside: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """What the command that the bundle names writes."""
    command = shlex.split(json.loads((inside / "settings.json").read_text())["command"])
    assert f"    {shlex.join(command)}\n" in (inside / "README.md").read_text()
    monkeypatch.chdir(inside)
    assert command[:3] == ["python", "-m", "ratings"] and main(command[3:]) == 0
    return (inside / command[command.index("--out") + 1]).read_bytes()


@pytest.mark.parametrize("is_full", [False, True])
def test_one_command_rebuilds_the_published_csv(
    sample: Arena, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_full: bool
) -> None:
    snapshot = publish_snapshot(sample, now=now)
    inside = unpacked(snapshot, tmp_path, is_full=is_full)
    assert rebuilt(inside, monkeypatch) == snapshot.board_csv.encode() == (inside / "leaderboard.csv").read_bytes()
    said = json.loads((inside / "rebuilt.csv.json").read_text())
    assert said["data"]["sha256"] == snapshot.data_sha256
    assert said["method"] == json.loads(snapshot.board_json)["method"]


def test_what_makes_boards_odd_is_rebuilt_too(
    judge: Any, orchard: Arena, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that spreadsheets run, one served and never judged, two groups that never met, a second look, a correction
    after publication."""
    Competitor.objects.filter(arena=orchard, name="Ash").update(
        name='@cf/"Ash", 2', organization="=Nursery", license="07"
    )
    voter = Voter.objects.create()
    first = judge("Ash", "Birch", "a", voter=voter)
    again = judge("Birch", "Ash", "b", voter=voter)
    Battle.objects.filter(pk=again.battle_id).update(repeat_of=first.battle_id)
    for winner in ("b", "both_bad", "tie", "a"):
        judge("Ash", "Birch", winner)
    Competitor.objects.create(arena=orchard, name="Elm", model_id="fictional/Elm")
    serve(orchard, "Cedar", "Elm", "void", now.replace(year=2025))
    judge("Cedar", "Dogwood", "tie")
    snapshot = publish_snapshot(orchard, now=now)
    Competitor.objects.filter(arena=orchard, name="Birch").update(organization="Corrected")
    inside = unpacked(snapshot, tmp_path)
    assert rebuilt(inside, monkeypatch) == snapshot.board_csv.encode()
    assert "Elm" in snapshot.board_csv and "'@cf/" in snapshot.board_csv and "not_comparable" in snapshot.board_csv


def test_more_voters_than_groups_are_dealt_alike(
    sample: Arena, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Above 500 voters groups of them are the units, and the kept counts know the groups alone."""
    field = [(row, 0.2) for row in Competitor.objects.filter(arena=sample)]
    publish_snapshot(sample, now=now)
    simulating.simulate_votes(sample, field, voters=900, battles=1500, seed=3, now=now)
    snapshot = publish_snapshot(sample, now=now)
    assert snapshot.voter_count > 500
    assert rebuilt(unpacked(snapshot, tmp_path), monkeypatch) == snapshot.board_csv.encode()


def test_an_empty_board_is_rebuilt_empty(
    orchard: Arena, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = publish_snapshot(orchard, now=now)
    assert rebuilt(unpacked(snapshot, tmp_path), monkeypatch) == snapshot.board_csv.encode()


def test_the_public_bundle_holds_no_text_and_the_full_one_the_screenings_inputs(
    judge: Any, orchard: Arena, now: datetime, tmp_path: Path
) -> None:
    vote = judge("Ash", "Birch", "a")
    Response.objects.update(text="canary")
    snapshot = publish_snapshot(orchard, now=now)
    public = unpacked(snapshot, tmp_path / "public")
    full = unpacked(snapshot, tmp_path / "full", is_full=True)
    assert {path.name for path in full.iterdir()} - {path.name for path in public.iterdir()} == {
        "served.csv",
        "key.txt",
    }
    every = b"".join(path.read_bytes() for path in public.iterdir())
    for secret in ("canary", "Which?", str(vote.battle.public_id), str(vote.voter.public_id)):
        assert secret.encode() not in every
    assert b"canary" in (full / "votes.jsonl").read_bytes()
    assert b"voter_since" in (full / "votes.jsonl").read_bytes()
    assert (public / "exclusions.csv").read_bytes() == (
        b"id,voter,cluster,model_name,direction,votes,log_evidence,action,reason\r\n"
    )


def test_every_file_has_its_sum(sample: Arena, now: datetime, tmp_path: Path) -> None:
    inside = unpacked(publish_snapshot(sample, now=now), tmp_path)
    sums = dict(reversed(line.split("  ")) for line in (inside / "SHA256SUMS").read_text().splitlines())
    assert sums == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in inside.iterdir()
        if path.name != "SHA256SUMS"
    }


def test_a_bundle_streams(sample: Arena, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes leave while votes are still being read."""
    monkeypatch.setattr("ratings.writers.PIECE", 1000)
    monkeypatch.setattr("arena.leaderboards.exporting.votes.CHUNK", 50)
    pieces = list(bundle_pieces(publish_snapshot(sample, now=now)))
    assert sum(len(piece) > 0 for piece in pieces) > 5
    assert max(map(len, pieces)) < 20_000 < sum(map(len, pieces))


def test_a_snapshot_of_another_seed_anchor_and_level_names_them(sample: Arena, now: datetime) -> None:
    snapshot = publish_snapshot(sample, now=now, seed=17)
    snapshot.settings |= {"anchor": "Ash, the 1st", "anchor_rating": 1200.0, "level": 0.9, "prior": False}
    command = command_of(snapshot)
    assert command[command.index("--anchor") + 1] == "Ash, the 1st=1200" and "--no-prior" in command
    assert command[command.index("--seed") + 1] == "17" and command[command.index("--level") + 1] == "0.9"
    snapshot.settings["screen"] = True
    with pytest.raises(NotByCommand, match="screen"):
        command_of(snapshot)


def test_the_command_writes_a_whole_file_or_none(sample: Arena, now: datetime, tmp_path: Path) -> None:
    snapshot = publish_snapshot(sample, now=now)
    call_command("export_bundle", str(snapshot.pk), "--out", str(tmp_path / "b.zip"))
    with ZipFile(tmp_path / "b.zip") as bundle:
        votes = bundle.read("sample-1/votes.jsonl")
    assert votes.count(b"\n") == Vote.objects.filter(battle__arena=sample).count()
    with pytest.raises(CommandError, match="There is no snapshot 999"):
        call_command("export_bundle", "999", "--out", str(tmp_path / "none.zip"))
    with pytest.raises(CommandError, match="No such file or directory"):
        call_command("export_bundle", str(snapshot.pk), "--out", str(tmp_path / "no" / "b.zip"))
    assert [path.name for path in tmp_path.iterdir()] == ["b.zip"]


def test_votes_that_do_not_count_are_told_apart_and_the_defended_board_is_rebuilt(
    sample: Arena, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A whole voter, one on one competitor, and single votes; the plain rating beside the defended one."""
    set_some_aside(sample, now=now)
    snapshot = publish_snapshot(sample, now=now)
    public = unpacked(snapshot, tmp_path / "public")
    assert rebuilt(public, monkeypatch) == snapshot.board_csv.encode()
    board = json.loads(snapshot.board_json)["board"]
    assert any(row["rating"] != row["rating_plain"] for row in board)
    rows = list(csv.DictReader((public / "exclusions.csv").read_text().splitlines()))
    assert {row["reason"] for row in rows} == {"by hand"} and {row["action"] for row in rows} == {"held", "excluded"}
    assert b"canary" not in b"".join(path.read_bytes() for path in public.iterdir())
    full = unpacked(snapshot, tmp_path / "full", is_full=True)
    assert rebuilt(full, monkeypatch) == snapshot.board_csv.encode()
    assert b"canary" in (full / "exclusions.csv").read_bytes()


def test_groups_of_many_voters_stay_as_they_were_when_some_are_set_aside(
    sample: Arena, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    field = [(row, 0.2) for row in Competitor.objects.filter(arena=sample)]
    simulating.simulate_votes(sample, field, voters=900, battles=1500, seed=3, now=now)
    set_some_aside(sample, now=now)
    snapshot = publish_snapshot(sample, now=now)
    assert snapshot.voter_count > 500
    inside = unpacked(snapshot, tmp_path)
    assert rebuilt(inside, monkeypatch) == snapshot.board_csv.encode()
    assert json.loads((inside / "rebuilt.csv.json").read_text())["data"]["sha256"] == snapshot.data_sha256


def set_some_aside(arena: Arena, *, now: datetime) -> None:
    busy = Vote.objects.filter(battle__arena=arena).values_list("voter").annotate(n=Count("id")).order_by("-n")
    first, second, third = (voter for voter, _ in busy[:3])
    reason = Reason("by hand", "canary: they know each other.")
    competitor = Competitor.objects.filter(arena=arena).first()
    single = Vote.objects.filter(battle__arena=arena, voter=third).values_list("pk", flat=True)[:2]
    set_aside(arena, first, reason, SCREENING, now=now, held=False)
    set_aside(arena, second, reason, SCREENING, now=now, competitor=competitor)
    set_aside(arena, third, reason, SCREENING, now=now, votes=list(single))


def test_what_holds_rows_back_stands_beside_the_csv_that_is_rebuilt(
    judge: Any, orchard: Arena, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for first, second in (("Ash", "Birch"), ("Birch", "Cedar"), ("Ash", "Cedar")):
        for winner in ("a", "b", "a"):
            judge(first, second, winner)
    Competitor.objects.filter(arena=orchard, name="Birch").update(retired_at=now)
    assert orchard.access == Arena.Access.OPEN
    snapshot = publish_snapshot(orchard, now=now)
    inside = unpacked(snapshot, tmp_path)
    assert rebuilt(inside, monkeypatch) == snapshot.board_csv.encode()
    said = json.loads((inside / "settings.json").read_text())["standing"]
    assert said["status"] == {"Ash": "preliminary", "Birch": "retired", "Cedar": "preliminary"}
    assert said == json.loads((inside / "leaderboard.json").read_text())["snapshot"]["standing"]
