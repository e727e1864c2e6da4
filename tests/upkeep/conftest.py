"""Instances in folders of their own, on SQLite or on the database of this run."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.db import connection

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Place:
    """A folder and a database that nothing has used yet."""

    folder: Path
    database_url: str = ""
    more: dict[str, str] = field(default_factory=dict)

    def run(self, *args: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if name not in ("SECRET_KEY", "DATABASE_URL")}
        env = {**kept, "VAR_DIR": str(self.folder), **self.more}
        if self.database_url:
            env["DATABASE_URL"] = self.database_url
        command = [sys.executable, "manage.py", *args]
        return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=120)

    def manage(self, *args: str) -> str:
        done = self.run(*args)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refusal(self, *args: str) -> str:
        """The sentence with which a command refuses; nothing else may be printed."""
        done = self.run(*args)
        assert done.returncode == 2, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr.strip()


@pytest.fixture
def sqlite_place(tmp_path: Path) -> Callable[[str], Place]:
    def make(name: str) -> Place:
        folder = tmp_path / name
        folder.mkdir()
        return Place(folder)

    return make


@pytest.fixture
def place(sqlite_place: Callable[[str], Place], request: pytest.FixtureRequest) -> Iterator[Callable[[str], Place]]:
    """Makes places on the kind of database that this run uses."""
    if connection.vendor == "sqlite":
        yield sqlite_place
        return
    request.getfixturevalue("transactional_db")
    made: list[str] = []

    def make(name: str) -> Place:
        database = f"upkeep_{uuid.uuid4().hex[:12]}"
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{database}"')
        made.append(database)
        found = sqlite_place(name)
        found.database_url = os.environ["DATABASE_URL"].rpartition("/")[0] + f"/{database}"
        return found

    yield make
    with connection.cursor() as cursor:
        for database in made:
            cursor.execute(f'DROP DATABASE "{database}" WITH (FORCE)')
