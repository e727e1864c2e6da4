from __future__ import annotations

from datetime import UTC, datetime

import pytest

from arena.competitors.models import Competitor, Endpoint
from arena.teams.models import Arena

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def arena(db: None) -> Arena:
    return Arena.objects.create(slug="live", title="Live", kind=Arena.Kind.LIVE)


@pytest.fixture
def endpoint(db: None) -> Endpoint:
    return Endpoint.objects.create(name="here", base_url="http://127.0.0.1:9/v1")


@pytest.fixture
def competitor(arena: Arena, endpoint: Endpoint) -> Competitor:
    return Competitor.objects.create(arena=arena, name="Ada", endpoint=endpoint, model_id="ada-1", temperature=0.5)
