"""The arenas of the leaderboards' tests, and a process that remembers nothing of an earlier database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from arena.integrity import sealing
from tests.leaderboards.conftest import judge, nothing_remembered, now, orchard, sample

__all__ = ["judge", "nothing_remembered", "now", "orchard", "sample"]


@pytest.fixture(autouse=True)
def nothing_seen() -> Iterator[None]:
    sealing._seen.clear()
    yield
