"""Suites that need more than Python are asked for by name; `--fail-on-skip` makes a skip there a failure."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import translation

ON_DEMAND = ("browser", "models", "processes", "redis")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fail-on-skip", action="store_true", help="a skipped test fails the run")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what was not asked for; deselected, not skipped."""
    if config.option.markexpr:
        return
    left_out = [item for item in items if any(item.get_closest_marker(mark) for mark in ON_DEMAND)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):  # type: ignore[no-untyped-def]
    outcome = yield
    report = outcome.get_result()
    if report.skipped and item.config.option.fail_on_skip:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and here it must run: {report.longrepr}"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A connection lives as long as its thread, and some tests' threads outlive them: PostgreSQL ends what is left."""
    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture(autouse=True)
def in_english() -> None:
    """A request in another language leaves that language with its thread; each test begins without it."""
    translation.deactivate()


@pytest.fixture(scope="session")
def validation_data() -> Path:
    """The folder of published data sets; tests that need it are skipped without it."""
    folder = os.environ.get("ARENA_VALIDATION_DATA", "")
    if not folder:
        pytest.skip("ARENA_VALIDATION_DATA is not set")
    return Path(folder)
