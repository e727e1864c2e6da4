"""A backup is whole or not there; what it holds comes back byte for byte, in either database, in this release."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID
from zipfile import ZipFile

import pytest
from django.db import models
from django.utils import timezone
from pytest_django import Settings

from arena.upkeep.archive import line_of, value_of
from arena.upkeep.backing_up import write_backup
from arena.upkeep.errors import BadArchive, CannotWrite, InTheWay, NewerRelease
from arena.upkeep.restoring import restore
from tests.upkeep.conftest import Place

RELEASED = Path(__file__).parent / "data" / "release-0.1.0.zip"
"""A backup of release 0.1.0: its three arenas with few simulated votes, and two people's eight votes in `recorded`."""
Make = Callable[[str], Place]


def manifest(path: Path) -> dict[str, Any]:
    with ZipFile(path) as archive:
        return dict(json.loads(archive.read("manifest.json")))


def changed(path: Path, to: Path, member: str, content: bytes | None) -> Path:
    """A copy of an archive in which one member is another, or missing."""
    with ZipFile(path) as source, ZipFile(to, "w") as copy:
        for name in source.namelist():
            if name != member:
                copy.writestr(name, source.read(name))
        if content is not None:
            copy.writestr(member, content)
    return to


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (models.DateTimeField(), datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)),
        (models.DateField(), date(2026, 1, 2)),
        (models.FloatField(), 0.1 + 0.2),
        (models.UUIDField(), UUID("12345678-1234-5678-1234-567812345678")),
        (models.DecimalField(max_digits=9, decimal_places=4), Decimal("12.3400")),
        (models.BinaryField(), bytes(range(256))),
        (models.DurationField(), timedelta(days=1, microseconds=7)),
        (models.JSONField(), {"a": [1, None, "ü"]}),
        (models.TextField(), "two\nlines \x7f ✓"),
        (models.BooleanField(), False),
        (models.TextField(null=True), None),
    ],
)
def test_a_value_comes_back_as_it_was(field: Any, value: Any) -> None:
    (plain,) = json.loads(line_of((value,)))
    assert value_of(field, plain) == value


@pytest.mark.django_db(transaction=True)  # makes and drops databases
def test_an_earlier_release_comes_back_with_its_boards_and_is_upgraded(
    place: Make, sqlite_place: Make, tmp_path: Path
) -> None:
    """From SQLite, where release 0.1.0 was kept, to the database of this run, and from there to SQLite."""
    old = place("old")
    said = old.manage("restore", str(RELEASED))
    assert "1776 rows" in said
    old.manage("migrate", "--check")  # nothing is left to apply
    for snapshot in ("1", "2"):
        assert "the same bytes" in old.manage("verify_snapshot", snapshot)
    said = old.manage("add_arena", "added", "--title", "Added", "--kind", "live")  # ids go on above the old ones
    assert "added" in said

    first, second = tmp_path / "first.zip", tmp_path / "second.zip"
    old.manage("backup", str(first))
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    new = sqlite_place("new")
    new.manage("restore", str(first))
    new.manage("backup", str(second))
    assert manifest(first)["tables"] == manifest(second)["tables"]
    assert (old.folder / "secret-key").read_text() == (new.folder / "secret-key").read_text()


def test_a_used_database_is_not_touched_and_can_be_set_aside(sqlite_place: Make) -> None:
    used = sqlite_place("used")
    used.manage("migrate", "-v", "0")
    used.manage("add_arena", "ours", "--title", "Ours", "--kind", "live")
    said = used.refusal("restore", str(RELEASED))
    assert "is not empty" in said
    assert "--set-aside" in said
    assert "is kept as" in used.manage("restore", str(RELEASED), "--set-aside")
    (aside,) = used.folder.glob("*.before-restore-*")
    shutil.move(aside, used.folder / "blindfold.sqlite3")
    assert "There is an arena ours already" in used.run("add_arena", "ours", "--title", "X", "--kind", "live").stderr


@pytest.mark.parametrize(
    ("member", "content", "says"),
    [
        ("manifest.json", None, "its manifest.json is missing"),
        ("manifest.json", b"{", "its manifest.json is missing or damaged"),
        ("tables/battles.Vote.jsonl", None, "battles.Vote.jsonl is missing"),
        (
            "tables/battles.Vote.jsonl",
            b'[1,1,1,"a","2026-01-01T00:00:00+00:00"]\n',
            "holds 1 rows that are not the 230",
        ),
    ],
)
def test_a_damaged_archive_names_what_is_wrong_and_restores_nothing(
    tmp_path: Path, member: str, content: bytes | None, says: str
) -> None:
    with pytest.raises(BadArchive, match=says):  # and no database is touched: this test has none
        restore(changed(RELEASED, tmp_path / "bad.zip", member, content))


def test_half_a_file_no_file_and_another_file_are_refused_in_words(tmp_path: Path) -> None:
    half, text = tmp_path / "half.zip", tmp_path / "notes.txt"
    half.write_bytes(RELEASED.read_bytes()[:60_000])
    text.write_text("hello")
    for path in (half, text, tmp_path / "missing.zip"):
        with pytest.raises(BadArchive) as refused:
            restore(path)
        assert str(refused.value).startswith(f"{path} is not a whole backup")


def test_a_backup_of_a_newer_release_asks_for_that_release(tmp_path: Path) -> None:
    told = manifest(RELEASED)
    told["migrations"] = [[app, "9999_of_tomorrow" if app == "battles" else name] for app, name in told["migrations"]]
    newer = changed(RELEASED, tmp_path / "newer.zip", "manifest.json", json.dumps(told).encode())
    with pytest.raises(NewerRelease, match=r"battles\.9999_of_tomorrow"):
        restore(newer)


@pytest.mark.django_db(transaction=True)
def test_a_backup_overwrites_nothing_and_leaves_no_half_file(tmp_path: Path) -> None:
    there = tmp_path / "there.zip"
    there.write_text("mine")
    with pytest.raises(InTheWay):
        write_backup(there, now=timezone.now())
    assert there.read_text() == "mine"
    with pytest.raises(CannotWrite, match="Give another place"):
        write_backup(tmp_path / "nowhere" / "b.zip", now=timezone.now())
    assert [path.name for path in tmp_path.glob(".*")] == []


@pytest.mark.django_db(transaction=True)
def test_a_key_that_is_not_kept_in_the_folder_is_in_no_backup(tmp_path: Path, settings: Settings) -> None:
    settings.SECRET_KEY = "x" * 60
    write_backup(tmp_path / "kept.zip", now=timezone.now())
    with ZipFile(tmp_path / "kept.zip") as archive:
        assert "secret-key" not in archive.namelist()
        assert not any(b"x" * 60 in archive.read(name) for name in archive.namelist())
