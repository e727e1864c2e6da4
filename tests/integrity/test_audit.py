"""The audit chain: every way of tampering is tried by SQL of one's own and found, with its position."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from arena.battles import marking
from arena.battles.models import Response, SelfNaming, Turn, Vote
from arena.competitors.models import Competitor
from arena.integrity import sealing
from arena.integrity.auditing import Audit, audit
from arena.integrity.commitments import GENESIS, link_hash
from arena.integrity.heads import BadHead, Head, heads_in
from arena.integrity.models import AuditHead, AuditLink, Exclusion, VoterSalt
from arena.teams.models import Arena

pytestmark = pytest.mark.django_db(transaction=True)
Judge = Callable[..., Vote]


def sql(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def position_of(vote: Vote) -> int:
    return AuditLink.objects.get(kind="vote", row_id=vote.pk).position


def sentences(done: Audit) -> str:
    return " ".join(finding.sentence for finding in done.findings)


@pytest.fixture
def votes(orchard: Arena, judge: Judge, now: datetime) -> list[Vote]:
    """Six sealed votes; the arena's settings and four competitors are positions 1 to 5."""
    cast = [judge("Ash", "Birch", winner) for winner in ("a", "b", "tie", "a", "b", "both_bad")]
    assert sealing.seal(now=now) == 11
    return cast


def head_of(arena: Arena) -> Head:
    chain = sealing.Chain(arena.pk)
    return Head(arena.slug, chain.position, chain.sha256)


def test_an_untouched_chain_matches(orchard: Arena, votes: list[Vote]) -> None:
    done = audit(orchard, [head_of(orchard)])
    assert (done.links, done.findings, done.unattested, done.changes) == (11, [], [], [])


def test_sealing_again_adds_nothing_and_new_votes_are_unattested_until_sealed(
    orchard: Arena, votes: list[Vote], judge: Judge, now: datetime
) -> None:
    assert sealing.seal(now=now) == 0
    judge("Ash", "Cedar", "a")
    assert audit(orchard).unattested == ["1 vote row(s) after the last link"]
    assert sealing.seal(now=now) == 1
    assert audit(orchard).unattested == [] == audit(orchard).findings


def test_an_edited_vote_is_found_with_its_position(orchard: Arena, votes: list[Vote]) -> None:
    sql("UPDATE battles_vote SET winner = 'b' WHERE id = %s", votes[3].pk)
    [finding] = audit(orchard).findings
    assert finding.position == position_of(votes[3])
    assert f"vote {votes[3].pk}" in finding.sentence


@pytest.mark.parametrize("column", ["competitor_a_id", "draw_probability", "seed", "served_at", "policy"])
def test_an_edited_battle_is_found_as_its_vote(orchard: Arena, votes: list[Vote], column: str, now: datetime) -> None:
    cedar = Competitor.objects.get(name="Cedar")
    value = {"competitor_a_id": cedar.pk, "draw_probability": 0.5, "seed": "9", "policy": "coverage"}.get(column, now)
    sql(f"UPDATE battles_battle SET {column} = %s WHERE id = %s", value, votes[2].battle_id)
    [finding] = audit(orchard).findings
    assert finding.position == position_of(votes[2])


def test_two_swapped_votes_are_both_found(orchard: Arena, votes: list[Vote]) -> None:
    first, second = votes[0], votes[4]
    for pk, battle in ((first.pk, None), (second.pk, first.battle_id), (first.pk, second.battle_id)):
        if battle is None:
            spare = votes[5].battle_id
            sql("DELETE FROM battles_vote WHERE id = %s", votes[5].pk)
            battle = spare
        sql("UPDATE battles_vote SET battle_id = %s WHERE id = %s", battle, pk)
    assert {finding.position for finding in audit(orchard).findings} == {
        position_of(vote) for vote in (first, second, votes[5])
    }


def test_a_deleted_vote_is_found(orchard: Arena, votes: list[Vote]) -> None:
    sql("DELETE FROM battles_vote WHERE id = %s", votes[1].pk)
    [finding] = audit(orchard).findings
    assert finding.position == position_of(votes[1]) and "deleted" in finding.sentence


def test_the_last_votes_deleted_with_their_links_are_found_by_a_head_kept_elsewhere(
    orchard: Arena, votes: list[Vote]
) -> None:
    head = head_of(orchard)
    for vote in votes[-2:]:
        sql("DELETE FROM battles_vote WHERE id = %s", vote.pk)
    sql("DELETE FROM integrity_auditlink WHERE position >= 10")
    sql("DELETE FROM integrity_audithead")
    assert audit(orchard).findings == []  # nothing in the database itself tells
    [finding] = audit(orchard, [head]).findings
    assert finding.position == 11 and "ends at 9" in finding.sentence


def test_a_daily_head_in_the_database_finds_a_shorter_chain_too(orchard: Arena, votes: list[Vote]) -> None:
    sql("DELETE FROM battles_vote WHERE id = %s", votes[-1].pk)
    sql("DELETE FROM integrity_auditlink WHERE position = 11")
    assert "the daily head" in sentences(audit(orchard))


def recompute(arena: Arena) -> None:
    """What somebody with the database and the code would do after an edit: every hash anew."""
    before = GENESIS
    for link in AuditLink.objects.filter(arena=arena).order_by("position"):
        before = link_hash(before, arena.pk, link.position, link.kind, link.row_id, link.commitments)
        sql("UPDATE integrity_auditlink SET sha256 = %s WHERE id = %s", before, link.pk)


def test_a_chain_written_anew_is_found_by_a_head_kept_elsewhere(
    orchard: Arena, votes: list[Vote], now: datetime
) -> None:
    head = head_of(orchard)
    sql("UPDATE battles_vote SET winner = 'b' WHERE id = %s", votes[0].pk)
    sql("DELETE FROM integrity_auditlink WHERE position > 0")
    sql("DELETE FROM integrity_audithead")
    sealing._seen.clear()
    assert sealing.seal(now=now) == 11
    assert audit(orchard).findings == []
    [finding] = audit(orchard, [head]).findings
    assert "written anew" in finding.sentence and finding.position == 11


def test_an_edited_link_is_found_at_its_place(orchard: Arena, votes: list[Vote]) -> None:
    sql("UPDATE integrity_auditlink SET row_id = %s WHERE position = 7", votes[5].pk)
    assert 7 in {finding.position for finding in audit(orchard).findings}


def test_a_removed_link_is_found_at_its_place(orchard: Arena, votes: list[Vote]) -> None:
    sql("DELETE FROM integrity_auditlink WHERE position = 8")
    done = audit(orchard)
    assert {finding.position for finding in done.findings} >= {8}
    assert f"vote {votes[2].pk} stands among sealed rows and was never sealed" in sentences(done)


def test_two_swapped_links_are_found(orchard: Arena, votes: list[Vote]) -> None:
    for old, new in ((7, 99), (8, 7), (99, 8)):
        sql("UPDATE integrity_auditlink SET position = %s WHERE position = %s", new, old)
    assert {7, 8} <= {finding.position for finding in audit(orchard).findings}
    recompute(orchard)
    assert f"vote {votes[1].pk} stands after vote {votes[2].pk}" in sentences(audit(orchard))


def test_a_vote_slipped_in_among_sealed_ones_is_found(orchard: Arena, votes: list[Vote], judge: Judge) -> None:
    late = judge("Ash", "Cedar", "a")
    sql("DELETE FROM battles_vote WHERE id = %s", votes[0].pk)
    sql("UPDATE battles_vote SET id = %s WHERE id = %s", 0, late.pk)
    assert "vote 0 stands among sealed rows and was never sealed" in sentences(audit(orchard))


@pytest.mark.parametrize("column", ["system_prompt", "model_id", "name"])
def test_a_setting_of_a_competitor_that_has_answered_cannot_change(
    orchard: Arena, votes: list[Vote], now: datetime, column: str
) -> None:
    ash = Competitor.objects.get(name="Ash")
    sql("UPDATE competitors_competitor SET first_answered_at = %s WHERE id = %s", now, ash.pk)
    assert sealing.seal(now=now) == 1
    sql(f"UPDATE competitors_competitor SET {column} = 'other' WHERE id = %s", ash.pk)
    [finding] = audit(orchard).findings
    assert column in finding.sentence and finding.position == 12
    sealing.seal(now=now)  # the worker seals the change, and that does not hide it
    [finding] = audit(orchard).findings
    assert column in finding.sentence and finding.position == 13


def test_a_deleted_competitor_is_found(orchard: Arena, votes: list[Vote]) -> None:
    dogwood = Competitor.objects.get(name="Dogwood")
    sql("DELETE FROM competitors_competitor WHERE id = %s", dogwood.pk)
    assert f"competitor {dogwood.pk} was deleted" in sentences(audit(orchard))


def test_changed_settings_are_unattested_until_sealed_and_listed_for_good(
    orchard: Arena, votes: list[Vote], now: datetime
) -> None:
    sql("UPDATE teams_arena SET publish_after_votes = 7 WHERE id = %s", orchard.pk)
    assert audit(orchard).unattested == [f"arena {orchard.pk}: publish_after_votes changed since position 1"]
    sealing.seal(now=now)
    done = audit(orchard)
    assert done.changes == [f"arena {orchard.pk}: publish_after_votes changed at position 12."]
    assert not done.unattested and not done.findings


def test_an_edited_or_deleted_exclusion_is_found(orchard: Arena, votes: list[Vote], now: datetime) -> None:
    row = Exclusion.objects.create(
        arena=orchard, voter=votes[0].voter, action="held", rule="D1", sentence="Chose one.", decided_by="automatic",
        evidence={"log_l": 7.25, "votes": [1, 2]}, created_at=now,
    )  # fmt: skip
    assert sealing.seal(now=now) == 1
    assert audit(orchard).findings == []
    sql("UPDATE integrity_exclusion SET action = 'cleared' WHERE id = %s", row.pk)
    [finding] = audit(orchard).findings
    assert finding.sentence == f"exclusion {row.pk} was edited."
    sql("DELETE FROM integrity_exclusion WHERE id = %s", row.pk)
    [finding] = audit(orchard).findings
    assert finding.sentence == f"exclusion {row.pk} was deleted."


def test_edited_words_are_found(orchard: Arena, votes: list[Vote]) -> None:
    sql("UPDATE battles_turn SET prompt = 'Other?' WHERE battle_id = %s", votes[0].battle_id)
    [finding] = audit(orchard).findings
    assert "asked or answered" in finding.sentence and finding.position == position_of(votes[0])


def test_an_edited_answer_is_found_though_its_stored_hash_is_left(orchard: Arena, judge: Judge, now: datetime) -> None:
    vote = judge("Ash", "Birch", "a")
    answer = Response.objects.filter(turn__battle=vote.battle_id, side="a")
    digest = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"  # of "a", by sha256sum
    answer.update(text_sha256=digest)
    sealing.seal(now=now)
    assert audit(orchard).findings == []
    answer.update(text="aa")
    assert "asked or answered" in sentences(audit(orchard))


def test_erasing_a_person_breaks_no_link_and_keeps_what_boards_count(
    orchard: Arena, votes: list[Vote], now: datetime
) -> None:
    head, voter = head_of(orchard), votes[0].voter
    Turn.objects.filter(battle=votes[0].battle_id).update(prompt="")
    Response.objects.filter(turn__battle=votes[0].battle_id).update(text="", text_sha256="")
    sealing.forget(voter, now=now)
    assert not VoterSalt.objects.filter(voter=voter).exists()
    done = audit(orchard, [head])
    assert (done.findings, done.erased) == ([], 1)
    assert sealing.seal(now=now) == 1  # the erasure itself
    assert audit(orchard, [head]).findings == []
    sql("UPDATE battles_vote SET winner = 'b' WHERE id = %s", votes[0].pk)
    assert [finding.position for finding in audit(orchard).findings] == [position_of(votes[0])]


def test_a_salt_deleted_without_an_erasure_is_found(orchard: Arena, votes: list[Vote], now: datetime) -> None:
    sql("DELETE FROM integrity_votersalt WHERE voter_id = %s", votes[0].voter_id)
    assert "no erasure says why" in sentences(audit(orchard))


@pytest.fixture
def marked(orchard: Arena, judge: Judge, now: datetime) -> Vote:
    """A vote on a battle whose answer said whose it is."""
    vote = judge("Ash", "Birch", "a")
    SelfNaming.objects.create(
        battle=vote.battle, turn=1, side="a", rule="says", kind="model", words="i am ash", made_at=now
    )
    return vote


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM battles_selfnaming",
        "UPDATE battles_selfnaming SET side = 'b'",
        "INSERT INTO battles_selfnaming (battle_id, turn, side, rule, kind, words, made_at) "
        "SELECT battle_id, 1, '', 'asks', 'prompt', '', made_at FROM battles_selfnaming",
    ],
)
def test_a_mark_slipped_in_changed_or_taken_away_is_found(
    orchard: Arena, marked: Vote, now: datetime, statement: str
) -> None:
    sealing.seal(now=now)
    assert audit(orchard).findings == []
    sql(statement)
    [finding] = audit(orchard).findings
    assert finding.position == position_of(marked) and "rated or not" in finding.sentence


def test_words_of_a_mark_that_go_with_a_person_change_nothing(orchard: Arena, marked: Vote, now: datetime) -> None:
    sealing.seal(now=now)
    marking.forget_words(marked.voter)
    assert audit(orchard).findings == []


def test_a_mark_taken_back_is_sealed(orchard: Arena, marked: Vote, now: datetime) -> None:
    sealing.seal(now=now)
    marking.reverse(marked.battle.self_namings.get(), reviewer=None, reason="Ash is a tree here.", now=now)
    assert audit(orchard).unattested == ["1 reversal row(s) after the last link"]
    assert sealing.seal(now=now) == 1
    done = audit(orchard)
    assert (done.findings, done.unattested) == ([], [])
    sql("UPDATE battles_selfnamingreversal SET after_vote_id = 0")
    assert "was edited" in sentences(audit(orchard))
    sql("DELETE FROM battles_selfnamingreversal")
    assert "was deleted" in sentences(audit(orchard))


def test_links_of_a_release_that_knew_no_marks_still_match(orchard: Arena, marked: Vote, now: datetime) -> None:
    sealing.seal(now=now)
    link = AuditLink.objects.get(kind="vote", row_id=marked.pk)
    sealed = json.loads(link.commitments)
    del sealed["marked"]
    sql("UPDATE integrity_auditlink SET commitments = %s WHERE id = %s", json.dumps(sealed), link.pk)
    sql("DELETE FROM integrity_audithead")
    recompute(orchard)
    assert audit(orchard).findings == []


def test_an_erasure_made_up_to_hide_a_change_of_words_is_found(orchard: Arena, judge: Judge, now: datetime) -> None:
    vote = judge("Ash", "Birch", "a")
    sealing.seal(now=now)
    Turn.objects.filter(battle=vote.battle_id).update(prompt="What was never asked")
    sql("DELETE FROM integrity_votersalt WHERE voter_id = %s", vote.voter_id)
    sql("INSERT INTO integrity_erasure (voter_id, erased_at) VALUES (%s, %s)", vote.voter_id, now)
    done = audit(orchard)
    assert "is said to be erased" in sentences(done)
    assert done.unattested == ["1 erasure row(s) that no link covers"]
    sealing.seal(now=now)
    assert "is said to be erased" in sentences(audit(orchard))


def test_an_erasure_taken_back_after_its_votes_were_sealed_is_found(
    orchard: Arena, judge: Judge, now: datetime
) -> None:
    vote = judge("Ash", "Birch", "a")
    sealing.forget(vote.voter, now=now)
    sealing.seal(now=now)
    sql("DELETE FROM integrity_erasure")
    assert "no erasure says why" in sentences(audit(orchard))


def test_a_vote_erased_before_it_was_sealed_is_sealed_without_its_words(
    orchard: Arena, judge: Judge, now: datetime
) -> None:
    vote = judge("Ash", "Birch", "a")
    sealing.forget(vote.voter, now=now)
    sealing.seal(now=now)
    Turn.objects.filter(battle=vote.battle_id).update(prompt="")
    done = audit(orchard)
    assert (done.findings, done.erased) == ([], 1)
    assert not VoterSalt.objects.exists()


def test_a_head_is_kept_once_a_day(orchard: Arena, votes: list[Vote], judge: Judge, now: datetime) -> None:
    judge("Ash", "Birch", "a")
    sealing.seal(now=now + timedelta(hours=1))
    sealing.seal(now=now + timedelta(days=1))
    assert list(AuditHead.objects.order_by("day").values_list("position", flat=True)) == [11, 12]


def test_arenas_have_chains_of_their_own(orchard: Arena, sample: Arena, judge: Judge, now: datetime) -> None:
    judge("Ash", "Birch", "a")
    sealing.seal_all(now=now)
    judge("Ash", "Birch", "b")
    sealing.seal_all(now=now)
    for arena in (orchard, sample):
        assert audit(arena).findings == []
    assert sealing.Chain(orchard.pk).position == 7
    assert sealing.Chain(sample.pk).position == 5 + Vote.objects.filter(battle__arena=sample).count()


def test_the_commands_print_a_head_and_verify_against_it(
    orchard: Arena, votes: list[Vote], tmp_path: Path, capsys: Any
) -> None:
    out = io.StringIO()
    call_command("audit_head", stdout=out)
    kept = tmp_path / "heads.txt"
    kept.write_text(out.getvalue())
    out = io.StringIO()
    call_command("verify_audit", head=kept, stdout=out)
    assert "orchard: 11 links; the chain matches." in out.getvalue()
    sql("DELETE FROM battles_vote WHERE id = %s", votes[1].pk)
    out = io.StringIO()
    with pytest.raises(CommandError, match="1 finding"):
        call_command("verify_audit", "orchard", head=kept, stdout=out)
    assert f"orchard, position {position_of(votes[1])}: vote {votes[1].pk} was deleted." in out.getvalue()


def test_a_file_that_holds_no_head_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(BadHead, match="Line 2"):
        heads_in(['{"arena": "x", "position": 1, "sha256": "' + "0" * 64 + '"}', "17"])
    with pytest.raises(CommandError, match=r"heads\.txt"):
        call_command("verify_audit", head=tmp_path / "heads.txt")
