"""A web process cleans up after the one before it, comes up though the database is away, and ends with its parent."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

import pytest
from asgiref import testing
from django.db import OperationalError
from pytest_django import Settings

from arena.lifespan import Lifespan, end_with_parent

Communicator: Any = testing.ApplicationCommunicator


@pytest.fixture
def recovered(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The calls for recovery, which themselves are tested with battles."""
    calls: list[Any] = []

    def recover(*, now: Any) -> int:
        calls.append(now)
        return 2

    monkeypatch.setattr("arena.lifespan.lifecycle.recover", recover)
    return calls


async def life(*, watched: bool = False) -> list[str]:
    """What the process answers to its start and its end."""
    process: Any = Communicator(Lifespan(), {"type": "lifespan"})
    said = []
    for event in ("startup", "shutdown"):
        await process.send_input({"type": f"lifespan.{event}"})
        said.append((await process.receive_output(timeout=30))["type"])
        names = {getattr(task.get_coro(), "__name__", "") for task in asyncio.all_tasks()}
        assert ("end_with_parent" in names) is (watched and event == "startup")
    await process.wait(timeout=30)
    return said


BOTH = ["lifespan.startup.complete", "lifespan.shutdown.complete"]


@pytest.mark.django_db(transaction=True)
async def test_the_battles_of_a_killed_process_are_looked_up_before_the_first_request(recovered: list[Any]) -> None:
    assert await life() == BOTH
    assert len(recovered) == 1


@pytest.mark.django_db(transaction=True)
async def test_a_database_that_is_away_does_not_keep_the_server_from_saying_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def recover(*, now: Any) -> int:
        raise OperationalError("away")

    monkeypatch.setattr("arena.lifespan.lifecycle.recover", recover)
    assert await life() == BOTH
    assert "the worker will see to them" in caplog.text


@pytest.mark.django_db(transaction=True)
async def test_a_process_that_has_a_parent_watches_it_while_it_serves(recovered: list[Any], settings: Settings) -> None:
    settings.PROCESS_NAME = "web-1"
    assert await life(watched=True) == BOTH


async def test_a_process_whose_parent_is_gone_ends_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    parents, sent = [7, 7, 1], list[tuple[int, int]]()
    monkeypatch.setattr(os, "getppid", lambda: parents.pop(0))
    monkeypatch.setattr(os, "kill", lambda *call: sent.append(call))
    await end_with_parent(7, every=0)
    assert parents == [] and sent == [(os.getpid(), signal.SIGTERM)]
