from __future__ import annotations

from datetime import datetime, timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from arena.competitors.errors import CompetitorSealed
from arena.competitors.models import Competitor
from arena.competitors.versions import ALWAYS, UnknownSetting, WhyRetired, bring_back, retire, revise, seal, why_retired


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


def test_who_is_retired_has_a_reason_until_it_is_brought_back(competitor: Competitor, now: datetime) -> None:
    retire(competitor, reason="  Its provider withdrew it.  ", now=now)
    competitor.refresh_from_db()
    assert (competitor.retired_at, competitor.retired_reason) == (now, "Its provider withdrew it.")
    bring_back(competitor)
    competitor.refresh_from_db()
    assert (competitor.retired_at, competitor.retired_reason) == (None, "")
    assert why_retired(competitor, None) is None


def test_a_reason_is_corrected_and_the_date_stays(competitor: Competitor, now: datetime) -> None:
    for reason in ("Too deer.", "Too dear.", ""):
        retire(competitor, reason=reason, now=now)
        now += timedelta(days=1)
    competitor.refresh_from_db()
    assert (competitor.retired_at, competitor.retired_reason) == (now - timedelta(days=3), "Too dear.")


def test_a_replaced_version_tells_by_which_until_it_is_brought_back(competitor: Competitor, now: datetime) -> None:
    new = revise(competitor, now=now, top_p=0.9)
    competitor.refresh_from_db()
    assert why_retired(competitor, None) == WhyRetired("", "Ada v2") and why_retired(new, None) is None
    bring_back(competitor)
    retire(competitor, now=now)
    competitor.refresh_from_db()
    assert why_retired(competitor, None) == WhyRetired("", "")


def test_who_was_retired_before_a_revision_was_not_replaced_by_it(competitor: Competitor, now: datetime) -> None:
    retire(competitor, reason="Too dear.", now=now)
    revise(competitor, now=now + timedelta(days=1), top_p=0.9)
    competitor.refresh_from_db()
    assert why_retired(competitor, None) == WhyRetired("Too dear.", "") and competitor.retired_at == now


def test_a_reason_is_held_back_from_whose_open_battle_may_have_it(competitor: Competitor, now: datetime) -> None:
    retire(competitor, reason="It answers in rhymes.", now=now)
    competitor.refresh_from_db()
    before, after = now - timedelta(minutes=1), now + timedelta(minutes=1)
    for untold, told in ((None, True), (after, True), (now, False), (before, False), (ALWAYS, False)):
        assert why_retired(competitor, untold) == WhyRetired("It answers in rhymes." if told else None, "")


@pytest.mark.parametrize(
    ("reason", "said"),
    [("a" * 201, "it has 201"), ("öne\ntwo", "'öne\\ntwo' holds the character U+000A"), ("a\x00b", "'a\\x00b' holds"),
     ("bell\x07", "U+0007"), ("\u202egnihsilbup", "'\\u202egnihsilbup' holds"), ("two\u2028lines", "U+2028")],
)  # fmt: skip
def test_a_reason_that_is_no_line_is_refused_by_its_value(
    competitor: Competitor, now: datetime, reason: str, said: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        retire(competitor, reason=reason, now=now)
    ((field, says),) = refused.value.message_dict.items()
    assert field == "retired_reason" and said in says[0]
    competitor.refresh_from_db()
    assert competitor.retired_at is None


def test_200_characters_of_any_script_are_a_reason(competitor: Competitor, now: datetime) -> None:
    for reason in ("é" * 200, "<script>alert(1)</script>", "بازنشسته می‌شود", "👩‍🔬 left"):
        retire(competitor, reason=reason, now=now)
        competitor.refresh_from_db()
        assert competitor.retired_reason == reason


def test_versions_replaced_by_an_earlier_release_tell_by_which(competitor: Competitor) -> None:
    new = revise(competitor, now=timezone.now(), top_p=0.9)
    late = Competitor.objects.create(
        arena=competitor.arena, name="Bea", model_id="b", retired_at=timezone.now() - timedelta(days=1)
    )
    Competitor.objects.create(arena=competitor.arena, name="Bea", version=2, model_id="b")
    Competitor.objects.update(replaced_by=None)
    import_module("arena.competitors.migrations.0005_who_replaced_whom").tell(apps, None)
    competitor.refresh_from_db()
    late.refresh_from_db()
    assert (competitor.replaced_by, late.replaced_by) == (new, None)
