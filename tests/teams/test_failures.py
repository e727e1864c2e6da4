"""What people see when the database does not answer, or something breaks."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest
from django.db import OperationalError
from django.test import Client

from arena.teams import access
from arena.teams.models import Arena

PAGES = ["/", "/a/team/", "/a/team/leaderboard/", "/a/team/leaderboard.csv"]


def broken(error: Exception) -> Any:
    def refuse(*_args: Any, **_kwargs: Any) -> None:
        raise error

    return patch.object(access.Arena.objects, "filter", refuse)


@pytest.fixture
def visitor(db: None) -> Client:
    Arena.objects.create(slug="team", title="Team", kind="recorded")
    return Client(raise_request_exception=False)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_without_a_database_is_503_and_says_when_to_try_again(visitor: Client, page: str) -> None:
    with broken(OperationalError("connection refused by 10.0.0.7")):
        answer = visitor.get(page)
    assert (answer.status_code, answer["Retry-After"]) == (503, "2")
    assert b"Not available just now" in answer.content and b"10.0.0.7" not in answer.content


def test_any_other_defect_is_500_in_words(visitor: Client) -> None:
    with broken(RuntimeError("a secret")):
        answer = visitor.get("/a/team/")
    assert answer.status_code == 500
    assert b"Something broke on our side" in answer.content and b"a secret" not in answer.content
