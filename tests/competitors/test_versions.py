from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from arena.competitors.errors import CompetitorSealed
from arena.competitors.models import Competitor
from arena.competitors.versions import UnknownSetting, revise, seal


def test_a_revision_is_the_next_version_and_retires_the_old_one(competitor: Competitor, now: datetime) -> None:
    new = revise(competitor, now=now, temperature=1.2)
    competitor.refresh_from_db()
    assert (new.name, new.version, new.label, new.temperature) == ("Ada", 2, "Ada v2", 1.2)
    assert new.model_id == "ada-1" and new.endpoint == competitor.endpoint
    assert not new.is_sealed and new.retired_at is None
    assert (competitor.temperature, competitor.retired_at) == (0.5, now)


def test_versions_count_on_from_the_highest(competitor: Competitor, now: datetime) -> None:
    revise(competitor, now=now, top_p=0.9)
    assert revise(competitor, now=now + timedelta(days=1), top_p=0.8).version == 3
    competitor.refresh_from_db()
    assert competitor.retired_at == now


def test_a_revision_refuses_what_is_no_setting(competitor: Competitor, now: datetime) -> None:
    with pytest.raises(UnknownSetting, match="name, temprature"):
        revise(competitor, now=now, temprature=1, name="Bea")


def test_a_refused_revision_leaves_everything_as_it_was(competitor: Competitor, now: datetime) -> None:
    for change in ({"temperature": 9}, {"stop": "END"}, {"extra_body": {"model": "other"}}):
        with pytest.raises(ValidationError):
            revise(competitor, now=now, **change)
    competitor.refresh_from_db()
    assert competitor.retired_at is None
    assert Competitor.objects.count() == 1


def test_the_first_answer_seals_and_the_second_changes_nothing(competitor: Competitor, now: datetime) -> None:
    assert seal([competitor.pk], now=now) == 1
    assert seal([competitor.pk], now=now + timedelta(hours=1)) == 0
    competitor.refresh_from_db()
    assert competitor.first_answered_at == now


def test_sealing_two_is_one_statement(competitor: Competitor, now: datetime) -> None:
    with CaptureQueriesContext(connection) as queries:
        seal([competitor.pk, competitor.pk + 1], now=now)
    assert len(queries) == 1


def test_a_sealed_competitor_refuses_another_setting(competitor: Competitor, now: datetime) -> None:
    seal([competitor.pk], now=now)
    competitor.refresh_from_db()
    competitor.temperature = 1.0
    with pytest.raises(CompetitorSealed, match="temperature"):
        competitor.save()


def test_a_copy_older_than_the_first_answer_cannot_undo_the_seal(competitor: Competitor, now: datetime) -> None:
    old = Competitor.objects.get(pk=competitor.pk)
    seal([competitor.pk], now=now)
    old.temperature = 1.0
    with pytest.raises(CompetitorSealed, match="temperature"):
        old.save()
    other = Competitor.objects.get(pk=competitor.pk)
    other.first_answered_at, other.description = None, "Corrected."
    other.save()
    competitor.refresh_from_db()
    assert (competitor.first_answered_at, competitor.description) == (now, "Corrected.")
