"""Snapshots appear whole, when they are due, and never change."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection

from arena.battles.models import Battle, Vote
from arena.battles.settled import frozen_tables
from arena.competitors.models import Competitor
from arena.leaderboards import counting, publishing
from arena.leaderboards.management.commands import run_worker
from arena.leaderboards.models import Snapshot, SnapshotRow
from arena.leaderboards.publishing import publish_if_due, publish_snapshot
from arena.leaderboards.verifying import same_figures, verify
from arena.teams.frozen import ImmutableRow
from arena.teams.models import Arena

transactional = pytest.mark.django_db(transaction=True)


@pytest.mark.django_db
def test_a_snapshot_says_what_was_counted_and_how(sample: Arena, now: datetime) -> None:
    snapshot = publish_snapshot(sample, now=now)
    body = json.loads(snapshot.board_json)
    assert [row["model_name"] for row in body["board"]] == ["Ash", "Birch", "Cedar", "Dogwood"]
    assert snapshot.vote_count == body["data"]["votes"] == Vote.objects.filter(battle__arena=sample).count()
    assert snapshot.data_sha256 == body["data"]["sha256"] and len(snapshot.data_sha256) == 64
    assert body["method"]["by"] == "voter" and body["method"]["rounds"] == 1000 and body["method"]["seed"] == 1
    assert body["method"]["side_effect_in_fit"] is True
    side = body["parameters"]["side_effect"]
    assert side["lower"] < side["estimate"] < side["upper"]
    about = body["snapshot"]
    assert about["is_simulated"] is True and about["code_version"] and about["cutoff"]["vote"] > 0


@pytest.mark.django_db
def test_page_csv_json_and_rows_say_the_same(sample: Arena, now: datetime) -> None:
    snapshot = publish_snapshot(sample, now=now)
    rows = list(csv.DictReader(io.StringIO(snapshot.board_csv)))
    board = json.loads(snapshot.board_json)["board"]
    stored = list(SnapshotRow.objects.filter(snapshot=snapshot).select_related("competitor"))
    assert len(rows) == len(board) == len(stored) == 4
    for line, row, kept in zip(rows, board, stored, strict=True):
        assert line["model_name"] == row["model_name"] == kept.competitor.label
        assert float(line["rating"]) == row["rating"] == kept.rating
        assert row["rating_lower"] < row["rating"] < row["rating_upper"]
        assert (kept.rank_lower, kept.rank_upper) == (row["rank_lower"], row["rank_upper"])
        assert row["battles_served"] > row["vote_count"] > 0, "some battles stay without a vote"
        assert abs(row["win_rate"] + row["tie_rate"] + row["both_bad_rate"]) <= 1
        assert row["median_first_token_ms"] and row["tokens_per_second"] and row["error_rate"] == 0
        assert row["organization"] == "Nursery" and row["status"] == "ranked"


@pytest.mark.django_db
def test_the_strongest_and_the_weakest_of_the_simulation_are_told_apart(sample: Arena, now: datetime) -> None:
    """They are 1.8 log-odds apart, which 600 battles show beyond doubt."""
    board = json.loads(publish_snapshot(sample, now=now).board_json)["board"]
    first, last = board[0], board[-1]
    assert (first["model_name"], last["model_name"]) == ("Ash", "Dogwood")
    assert first["rating_lower"] > last["rating_upper"] and first["rank_upper"] < last["rank_lower"]


@transactional
def test_nothing_new_publishes_nothing(orchard: Arena, judge: Any, now: datetime) -> None:
    assert publish_if_due(orchard, now=now) is None
    for _ in range(3):
        judge("Ash", "Birch", "a")
    assert publish_if_due(orchard, now=now) is not None
    assert publish_if_due(orchard, now=now + timedelta(days=1)) is None


@transactional
def test_enough_votes_publish_and_fewer_wait(orchard: Arena, judge: Any, now: datetime) -> None:
    judge("Ash", "Birch", "a")
    judge("Ash", "Birch", "b")
    assert publish_if_due(orchard, now=now) is None
    judge("Ash", "Birch", "tie")
    snapshot = publish_if_due(orchard, now=now)
    assert snapshot is not None and snapshot.vote_count == 3


@transactional
def test_enough_time_publishes_counted_from_the_oldest_new_vote(orchard: Arena, judge: Any, now: datetime) -> None:
    judge("Ash", "Birch", "a", at=now)
    assert publish_if_due(orchard, now=now + timedelta(seconds=599)) is None
    first = publish_if_due(orchard, now=now + timedelta(seconds=600))
    assert first is not None
    judge("Ash", "Birch", "b", at=now + timedelta(hours=2))
    assert publish_if_due(orchard, now=now + timedelta(hours=2, seconds=599)) is None


@transactional
def test_the_worker_publishes_what_is_due_and_one_bad_board_stops_no_other(
    orchard: Arena, sample: Arena, judge: Any, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        judge("Ash", "Birch", "a")
    real = publishing.publish_if_due

    def sick(arena: Arena, *, now: datetime) -> Snapshot | None:
        if arena.slug == "orchard":
            raise ZeroDivisionError("a board that cannot be computed")
        return real(arena, now=now)

    monkeypatch.setattr(run_worker, "publish_if_due", sick)
    run_worker.tick(now=now)
    assert list(Snapshot.objects.values_list("arena__slug", flat=True)) == ["sample"]
    monkeypatch.undo()
    run_worker.tick(now=now)
    assert set(Snapshot.objects.values_list("arena__slug", flat=True)) == {"sample", "orchard"}


@pytest.mark.django_db
def test_a_published_row_cannot_be_saved_again(sample: Arena, now: datetime) -> None:
    snapshot = publish_snapshot(sample, now=now)
    snapshot.vote_count += 1
    with pytest.raises(ImmutableRow, match=f"Snapshot {snapshot.pk}"):
        snapshot.save()
    row = snapshot.rows.first()
    assert row is not None
    with pytest.raises(ImmutableRow):
        row.save(update_fields=["rating"])
    vote = Vote.objects.filter(battle__arena=sample).first()
    assert vote is not None
    for frozen, change in ((snapshot, {"vote_count": 0}), (row, {"rating": 0}), (vote, {"winner": "b"})):
        rows = type(frozen).objects.filter(pk=frozen.pk)
        for refused in (frozen.save, frozen.delete, rows.delete, partial(rows.update, **change)):
            with pytest.raises(ImmutableRow):
                refused()
    assert verify(Snapshot.objects.get(pk=snapshot.pk)).same


@transactional
def test_of_two_publishers_at_one_moment_one_publishes(
    sample: Arena, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second finds its number taken when it stores, and answers with the first one's snapshot."""
    real = publishing.compute

    def overtaken(arena: Arena, *args: Any, **kwargs: Any) -> publishing.Computed:
        monkeypatch.setattr(publishing, "compute", real)
        publish_snapshot(arena, now=now)
        return real(arena, *args, **kwargs)

    monkeypatch.setattr(publishing, "compute", overtaken)
    late = publish_snapshot(sample, now=now)
    assert Snapshot.objects.get() == late and SnapshotRow.objects.count() == 4


@transactional
def test_a_failure_half_way_stores_nothing(sample: Arena, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(SnapshotRow.objects, "bulk_create", refuse)
    with pytest.raises(RuntimeError):
        publish_snapshot(sample, now=now)
    assert not Snapshot.objects.exists()


@pytest.mark.django_db
def test_a_snapshot_recomputes_to_the_same_bytes(sample: Arena, now: datetime, capsys: Any) -> None:
    snapshot = publish_snapshot(sample, now=now)
    assert verify(snapshot).same
    call_command("verify_snapshot", str(snapshot.pk))
    assert "the same bytes" in capsys.readouterr().out


@pytest.mark.django_db
def test_later_votes_do_not_disturb_an_earlier_snapshot(sample: Arena, now: datetime) -> None:
    top = Vote.objects.filter(battle__arena=sample).order_by("-id").first()
    assert top is not None
    snapshot = publish_snapshot(sample, now=now)
    battle = Battle.objects.get(pk=top.battle_id)
    battle.pk, battle.public_id = None, None
    battle.public_id = type(battle)().public_id
    battle.save()
    Vote.objects.create(battle=battle, voter=battle.voter, winner="a", created_at=now)
    assert verify(snapshot).same
    assert publish_snapshot(sample, now=now).vote_count == snapshot.vote_count + 1


TAMPER = {
    "a vote turned round": "UPDATE battles_vote SET winner = CASE winner WHEN 'a' THEN 'b' ELSE 'a' END "
    "WHERE id = (SELECT MIN(id) FROM battles_vote)",
    "a vote removed": "DELETE FROM battles_vote WHERE id = (SELECT MIN(id) FROM battles_vote)",
    "a vote given to another voter": "UPDATE battles_vote SET voter_id = (SELECT MAX(id) FROM teams_voter) "
    "WHERE id = (SELECT MIN(id) FROM battles_vote)",
    "sides exchanged": "UPDATE battles_battle SET competitor_a_id = competitor_b_id, competitor_b_id = competitor_a_id "
    "WHERE id = (SELECT MIN(battle_id) FROM battles_vote)",
    "a rating in the CSV": "UPDATE leaderboards_snapshot SET board_csv = REPLACE(board_csv, 'Ash', 'Oak')",
    "a rating in the JSON": "UPDATE leaderboards_snapshot SET board_json = REPLACE(board_json, '\"rank\": 1', "
    "'\"rank\": 2')",
    "a row's rating": "UPDATE leaderboards_snapshotrow SET rating = rating + 1 WHERE position = 1",
    "a row removed": "DELETE FROM leaderboards_snapshotrow WHERE position = 1",
    "the total": "UPDATE leaderboards_snapshot SET vote_count = vote_count + 1",
    "a pair on the page": "UPDATE leaderboards_snapshot SET page = REPLACE(CAST(page AS TEXT), 'Ash', 'Oak')",
    "an organisation in the CSV": "UPDATE leaderboards_snapshot SET board_csv = REPLACE(board_csv, 'Nursery', 'Mill')",
    "the seed": "UPDATE leaderboards_snapshot SET seed = seed + 1, settings = REPLACE(CAST(settings AS TEXT), "
    "'\"seed\": 1', '\"seed\": 2')",
}  # fmt: skip


@transactional
@pytest.mark.parametrize("what", TAMPER)
def test_tampering_is_found(sample: Arena, now: datetime, what: str) -> None:
    snapshot = publish_snapshot(sample, now=now)
    statement = TAMPER[what]
    if connection.vendor == "postgresql":
        statement = statement.replace("""'"seed": 2')""", """'"seed": 2')::jsonb""")
        statement = statement.replace("'Ash', 'Oak')", "'Ash', 'Oak')::jsonb") if "page" in statement else statement
    with connection.cursor() as cursor:
        cursor.execute(statement)
    snapshot = Snapshot.objects.get(pk=snapshot.pk)
    verdict = verify(snapshot)
    assert not verdict.same and "does not match" in verdict.sentence
    with pytest.raises(CommandError, match="does not match"):
        call_command("verify_snapshot", str(snapshot.pk))


@transactional
def test_last_digits_of_another_processor_are_said_and_no_other_board(sample: Arena, now: datetime) -> None:
    snapshot = publish_snapshot(sample, now=now)
    row = snapshot.rows.filter(rating_lower__isnull=False).first()
    assert row is not None
    for factor, same in ((1 + 1e-13, True), (1 + 1e-6, False)):
        other = repr(row.rating_lower * factor)
        text = snapshot.board_csv.replace(repr(row.rating_lower), other)
        assert text != snapshot.board_csv
        with connection.cursor() as cursor:
            cursor.execute("UPDATE leaderboards_snapshot SET board_csv = %s", [text])
        verdict = verify(Snapshot.objects.get())
        assert verdict.same is same
        assert ("nine digits" in verdict.sentence) is same


@pytest.mark.parametrize(
    ("fresh", "stored", "same"),
    [
        ("a,1.5,3", "a,1.5000000000001,3", True),
        ("a,1.5,3", "a,1.500001,3", False),
        ("a,1.5,3000000000", "a,1.5,3000000001", False),
        ("a,1000,3", "a,999.9999999999999,3", True),
        ("a1.5,3", "b1.5,3", False),
        ("a,1e-13,3", "a,1.1e-13,3", True),
        ("a,,3", "a,0.0,3", False),
    ],
)
def test_only_last_digits_of_fractions_may_differ(fresh: str, stored: str, same: bool) -> None:
    assert same_figures(fresh, stored) is same


@pytest.mark.django_db
def test_a_competitors_words_may_be_corrected_afterwards(sample: Arena, now: datetime) -> None:
    snapshot = publish_snapshot(sample, now=now)
    Competitor.objects.filter(arena=sample).update(organization="Nursery Ltd", license="MIT")
    assert verify(snapshot).same
    assert "Nursery Ltd" in publish_snapshot(sample, now=now).board_csv


@pytest.mark.django_db
def test_commands_name_what_they_cannot_find(sample: Arena) -> None:
    with pytest.raises(CommandError, match="no snapshot 999"):
        call_command("verify_snapshot", "999")
    with pytest.raises(CommandError, match=r"'samples'; there are: sample"):
        call_command("publish_leaderboard", "samples")


@pytest.mark.django_db
def test_the_command_publishes_and_says_the_id(sample: Arena, capsys: Any) -> None:
    call_command("publish_leaderboard", "sample")
    snapshot = Snapshot.objects.get()
    assert f"snapshot {snapshot.pk} (number 1)" in capsys.readouterr().out


@pytest.mark.django_db
def test_an_empty_board_is_defined(orchard: Arena, now: datetime) -> None:
    snapshot = publish_snapshot(orchard, now=now)
    assert (snapshot.vote_count, snapshot.rows.count()) == (0, 0)
    assert json.loads(snapshot.board_json)["notes"] == ["There are no votes yet."]
    assert verify(snapshot).same


@transactional
def test_two_groups_that_never_met_are_not_ranked(orchard: Arena, judge: Any, now: datetime) -> None:
    for winner in ("a", "b", "a"):
        judge("Ash", "Birch", winner)
        judge("Cedar", "Dogwood", winner)
    snapshot = publish_snapshot(orchard, now=now)
    assert set(snapshot.rows.values_list("status", "rank")) == {("not_comparable", None)}


@pytest.mark.django_db
def test_cut_offs_are_the_highest_ids(sample: Arena) -> None:
    with frozen_tables():
        limits = counting.cutoffs()
    assert limits.vote == max(Vote.objects.values_list("id", flat=True))


@pytest.mark.django_db
def test_numbers_are_unique_by_constraint(sample: Arena, now: datetime) -> None:
    snapshot = publish_snapshot(sample, now=now)
    snapshot.pk = None
    snapshot._state.adding = True
    with pytest.raises(IntegrityError):
        snapshot.save()
