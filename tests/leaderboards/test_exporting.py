"""Votes out of an arena: who may, what stays inside, under which pseudonyms, and the same board from the file."""

from __future__ import annotations

import csv
import io
import json
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from arena.battles.models import Battle, Response, Vote
from arena.leaderboards.exporting import files, votes
from arena.leaderboards.exporting.scope import NothingPublished, Scope, scope_of
from arena.leaderboards.exporting.texts import metadata
from arena.leaderboards.publishing import publish_snapshot
from arena.prompts.models import Prompt, PromptSet
from arena.prompts.style import style_of
from arena.teams.models import Arena, Voter
from ratings.__main__ import main
from ratings.reading import read_table
from ratings.writers import as_cell
from tests.leaderboards.conftest import NOW
from tests.leaderboards.rooms import serve

pytestmark = pytest.mark.django_db
MARKDOWN = "# One\n\n## Two ##\n### #3\n\n* a\n2. b\n   - **bold** and __strong__\n\n```\n# code **x**\n```\n"


def rows(scope: Scope) -> list[dict[str, Any]]:
    return list(votes.vote_rows(scope))


def export(*args: str, tmp_path: Path) -> list[dict[str, Any]]:
    """What the command writes as JSON Lines."""
    path = tmp_path / "votes.jsonl"
    call_command("export_votes", *args, "--format", "jsonl", "--out", str(path))
    return [json.loads(line) for line in path.read_text().splitlines()]


def on_prompt(vote: Vote, *, is_sealed: bool = False) -> Prompt:
    """The vote's battle as one on a prompt of a set."""
    name = "sealed" if is_sealed else "open"
    prompts, _ = PromptSet.objects.get_or_create(arena=vote.battle.arena, name=name, is_sealed=is_sealed)
    prompt = Prompt.objects.create(
        prompt_set=prompts, key=f"{name}-canary-{vote.pk}", text="Which?", category="trees", language="en"
    )
    Battle.objects.filter(pk=vote.battle_id).update(prompt=prompt)
    return prompt


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_the_board_of_an_export_is_the_published_board(sample: Arena, now: datetime, tmp_path: Path, kind: str) -> None:
    snapshot = publish_snapshot(sample, now=now)
    path = tmp_path / f"votes.{kind}"
    call_command("export_votes", "sample", "--format", kind, "--out", str(path))
    assert (
        main(["board", str(path), "--side-effect", "--seed", str(snapshot.seed), "--out", str(tmp_path / "b.csv")]) == 0
    )
    made, published = (
        list(csv.DictReader(io.StringIO(text, newline="")))
        for text in ((tmp_path / "b.csv").read_text(), snapshot.board_csv)
    )
    figures = ("model_name", "rating", "rating_lower", "rating_upper", "rank", "rank_lower", "voters", "vote_count")
    assert [[row[name] for name in figures] for row in made] == [[row[name] for name in figures] for row in published]
    body = json.loads((tmp_path / "b.csv.json").read_text())
    assert body["data"]["sha256"] == snapshot.data_sha256


def test_an_export_ends_where_the_snapshot_ends(judge: Any, orchard: Arena, now: datetime) -> None:
    judge("Ash", "Birch", "a")
    publish_snapshot(orchard, now=now)
    judge("Ash", "Birch", "b")
    serve(orchard, "Cedar", "Dogwood", "complete", now)
    scope = scope_of(orchard, now=NOW, is_full=True)
    assert [row["winner"] for row in rows(scope)] == ["model_a"]
    assert [row["voted"] for row in votes.served_rows(scope)] == [1]


def test_the_pair_of_an_open_battle_is_nowhere(judge: Any, orchard: Arena, now: datetime) -> None:
    judge("Ash", "Birch", "a")
    serve(orchard, "Cedar", "Dogwood", "complete", now)
    publish_snapshot(orchard, now=now)
    scope = scope_of(orchard, now=NOW, is_full=True)
    told = b"".join([*files.vote_pieces(scope, "csv"), *files.served_pieces(scope)])
    assert b"Ash" in told and b"Cedar" not in told and b"Dogwood" not in told


def test_old_battles_without_a_vote_are_in_the_served_log(judge: Any, orchard: Arena, now: datetime) -> None:
    serve(orchard, "Cedar", "Dogwood", "void", now - timedelta(days=4))
    judge("Ash", "Birch", "a")
    publish_snapshot(orchard, now=now)
    log = list(votes.served_rows(scope_of(orchard, now=NOW, is_full=True)))
    assert [(row["model_a"], row["voted"], row["state"]) for row in log] == [
        ("Cedar", 0, "void"),
        ("Ash", 1, "complete"),
    ]
    assert log[0]["draw_probability"] == 0.5


def test_an_arena_without_a_snapshot_exports_nothing(orchard: Arena) -> None:
    with pytest.raises(NothingPublished, match="Nothing is published in “orchard” yet"):
        scope_of(orchard, now=NOW)


def test_votes_of_other_arenas_stay_out(judge: Any, orchard: Arena, sample: Arena, now: datetime) -> None:
    vote = judge("Ash", "Birch", "a")
    for arena in (orchard, sample):
        publish_snapshot(arena, now=now)
    assert [row["id"] for row in rows(scope_of(orchard, now=NOW, is_full=True))] == [str(vote.battle.public_id)]
    assert len(rows(scope_of(sample, now=NOW))) == Vote.objects.filter(battle__arena=sample).count()


# pseudonyms


def test_voters_are_the_same_within_an_export_and_unknown_between_two(
    judge: Any, orchard: Arena, now: datetime
) -> None:
    voter = Voter.objects.create()
    for winner in ("a", "b"):
        judge("Ash", "Birch", winner, voter=voter)
    judge("Ash", "Birch", "tie")
    publish_snapshot(orchard, now=now)
    first, second = (rows(scope_of(orchard, now=NOW)) for _ in range(2))
    for found in (first, second):
        assert [row["judge"] == found[0]["judge"] for row in found] == [True, True, False]
        assert [row["evaluation_order"] for row in found] == [1, 2, 1]
    for column in ("judge", "id", "evaluation_session_id"):
        assert not {row[column] for row in first} & {row[column] for row in second}, column
    ids = {str(uuid) for uuid in (*Voter.objects.values_list("public_id", flat=True),
                                  *Battle.objects.values_list("public_id", flat=True))}  # fmt: skip
    assert not ids & {value for row in first for value in map(str, row.values())}


def test_a_scope_does_not_print_its_key(orchard: Arena, judge: Any, now: datetime) -> None:
    judge("Ash", "Birch", "a")
    publish_snapshot(orchard, now=now)
    scope = scope_of(orchard, now=NOW)
    assert scope.key.hex() not in repr(scope) and repr(scope.key) not in repr(scope)


# texts


def test_the_public_export_holds_no_text_that_a_voter_wrote(
    judge: Any, orchard: Arena, now: datetime, tmp_path: Path
) -> None:
    vote = judge("Ash", "Birch", "a")
    Response.objects.filter(turn__battle=vote.battle).update(text="canary")
    publish_snapshot(orchard, now=now)
    (public,) = export("orchard", tmp_path=tmp_path)
    assert public["conversation_a"] is None and "canary" not in json.dumps(public)
    (full,) = export("orchard", "--full", tmp_path=tmp_path)
    assert full["conversation_a"][0]["content"] == [{"type": "text", "text": "Which?"}]
    assert full["full_conversation"][0]["model_side_b"]["content"][0]["text"] == "canary"
    assert full["id"] == str(vote.battle.public_id)


@pytest.mark.parametrize("end", ["closed_at", "archived_at"])
def test_recorded_answers_are_told_once_nobody_can_be_served_them(
    judge: Any, orchard: Arena, now: datetime, end: str
) -> None:
    on_prompt(judge("Ash", "Birch", "a"))
    publish_snapshot(orchard, now=now)
    (row,) = rows(scope_of(orchard, now=NOW))
    assert "conversation_a" not in row and "conv_metadata" not in row, "a length can name an answer's author too"
    assert row["prompt_id"].startswith("open-canary") and row["category"] == "trees"
    Arena.objects.filter(pk=orchard.pk).update(**{end: now})
    orchard.refresh_from_db()
    (row,) = rows(scope_of(orchard, now=NOW))
    assert row["conversation_a"][1]["content"][0]["text"] == "a" and row["conv_metadata"]["turns"] == 1


def test_sealed_prompts_are_withheld_for_good(judge: Any, orchard: Arena, now: datetime) -> None:
    on_prompt(judge("Ash", "Birch", "a"), is_sealed=True)
    publish_snapshot(orchard, now=now)
    Arena.objects.filter(pk=orchard.pk).update(closed_at=now)
    orchard.refresh_from_db()
    (row,) = rows(scope_of(orchard, now=NOW))
    assert "conversation_a" not in row and "canary" not in json.dumps(row)
    assert row["prompt_id"], "agreement on a prompt can be measured all the same"
    (full,) = rows(scope_of(orchard, now=NOW, is_full=True))
    assert full["prompt_id"].startswith("sealed-canary") and full["conversation_a"]


def test_a_second_look_is_there_and_rated_by_nobody(judge: Any, orchard: Arena, now: datetime, tmp_path: Path) -> None:
    voter = Voter.objects.create()
    first = judge("Ash", "Birch", "a", voter=voter)
    again = judge("Birch", "Ash", "b", voter=voter)
    Battle.objects.filter(pk=again.battle_id).update(repeat_of=first.battle_id)
    publish_snapshot(orchard, now=now)
    assert [row["rated"] for row in rows(scope_of(orchard, now=NOW))] == [True, False]
    files.write_votes(scope_of(orchard, now=NOW), "csv", tmp_path / "votes.csv")
    assert read_table(str(tmp_path / "votes.csv")).a.size == 1


def test_counts_of_texts_are_those_of_styled_boards() -> None:
    found = metadata([("Hi there", MARKDOWN, "plain"), ("More", MARKDOWN, "")])
    style = style_of(MARKDOWN)
    assert found["turns"] == 2 and found["sum_user_tokens"] == 3
    assert found["sum_assistant_a_tokens"] == 2 * style.length and found["sum_assistant_b_tokens"] == 1
    for name, count in (("header", style.headers), ("list", style.lists), ("bold", style.bold)):
        assert sum(found[f"{name}_count_a"].values()) == 2 * count > 0
        assert sum(found[f"{name}_count_b"].values()) == 0
    assert found["header_count_a"] == {"h1": 2, "h2": 2, "h3": 2, "h4": 0, "h5": 0, "h6": 0}
    assert found["list_count_a"] == {"ordered": 2, "unordered": 4}
    assert found["bold_count_a"] == {"**": 2, "__": 2}


# size


def test_questions_to_the_database_grow_with_the_chunks_alone(
    sample: Arena, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_snapshot(sample, now=now)
    whole = rows(scope_of(sample, now=NOW))
    scope = scope_of(sample, now=NOW)
    monkeypatch.setattr(votes, "CHUNK", 100)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        parts = rows(scope)
    assert [row["timestamp"] for row in parts] == [row["timestamp"] for row in whole]
    assert len(asked) <= 6 * (len(whole) // 100 + 2)
    assert not any("OFFSET" in question["sql"] for question in asked)


# the command


def test_the_command_prints_or_writes_whole_files(
    sample: Arena, now: datetime, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    publish_snapshot(sample, now=now)
    call_command("export_votes", "sample")
    printed = capfdbinary.readouterr().out.decode()
    assert printed.startswith("id,model_a,model_b,winner,evaluation_session_id,")
    assert printed.count("\r\n") == 1 + Vote.objects.filter(battle__arena=sample).count()
    call_command(
        "export_votes", "sample", "--full", "--out", str(tmp_path / "v.csv"), "--served", str(tmp_path / "s.csv")
    )
    written, log = (
        list(csv.DictReader(io.StringIO((tmp_path / name).read_bytes().decode(), newline="")))
        for name in ("v.csv", "s.csv")
    )
    assert {row["judge"] for row in written} <= {row["voter"] for row in log}, "the same pseudonyms in both"
    assert [row["battle_id"] for row in log if row["voted"] == "1"] == [row["id"] for row in written]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("nowhere",), "There is no arena 'nowhere'"),
        (("orchard",), "Nothing is published"),
        (("orchard", "--served", "x.csv"), "add --full"),
        (("orchard", "--format", "parquet"), "name a file with --out"),
    ],
)
def test_the_command_refuses_in_sentences(orchard: Arena, args: tuple[str, ...], said: str) -> None:
    with pytest.raises(CommandError, match=said) as refused:
        call_command("export_votes", *args)
    assert refused.value.returncode == 2


def test_parquet_holds_the_votes_that_csv_holds(sample: Arena, now: datetime, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    publish_snapshot(sample, now=now)
    scope = scope_of(sample, now=now, is_full=True)
    for kind in ("csv", "parquet"):
        files.write_votes(scope, kind, tmp_path / f"v.{kind}")
    cells = list(csv.DictReader(io.StringIO((tmp_path / "v.csv").read_bytes().decode(), newline="")))
    rows = parquet.read_table(tmp_path / "v.parquet").to_pylist()
    assert len(rows) == Vote.objects.filter(battle__arena=sample).count() > 100
    told = [{name: "" if value is None else as_cell(value) for name, value in row.items()} for row in rows]
    plain = [{name: value.removeprefix("'") for name, value in row.items()} for row in cells]
    assert told == plain


def test_the_command_names_the_package_that_parquet_needs(
    sample: Arena, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_snapshot(sample, now=now)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(CommandError, match="pyarrow, which is not installed: take csv or jsonl"):
        call_command("export_votes", "sample", "--format", "parquet", "--out", str(tmp_path / "v.parquet"))
    assert list(tmp_path.iterdir()) == []
