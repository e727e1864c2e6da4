"""The only writer of responses: both sides of a turn at once, and with them the battle's next state."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from arena.battles import lifecycle, marking
from arena.battles.models import Battle, Response, Turn
from arena.battles.words import BattleState, Side, VoidReason
from arena.competitors import versions
from arena.prompts.models import Prompt, RecordedAnswer
from arena.prompts.style import style_fields
from arena.teams.models import Arena, Voter


@dataclass(frozen=True, slots=True)
class Answer:
    """What one side gave: text and timing, or an error code that only operators see."""

    text: str = ""
    error_code: str = ""
    error_detail: str = ""
    finish_reason: str = ""
    first_token_ms: float | None = None
    total_ms: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None

    @property
    def failed(self) -> bool:
        return bool(self.error_code)


def text_hash(text: str) -> str:
    """Names an answer's exact text without keeping it."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def record_responses(turn: Turn, answers: Mapping[Side, Answer], *, now: datetime, reason: str = "") -> BattleState:
    """Both sides stored with the state they lead to, in one transaction; returns that state.

    Complete when both sides answered; void when one failed (both answers are discarded, timing and code are kept),
    when `reason` says so, or when an answer repeats one whose author this voter knows. A battle that moved on in
    the meantime (skipped, expired, taken for dead) keeps its state.
    """
    with transaction.atomic():
        battle = Battle.objects.select_for_update(of=("self",)).select_related("arena").get(pk=turn.battle_id)
        if battle.state != BattleState.ANSWERING or battle.owner != lifecycle.process_owner():
            return BattleState(battle.state)
        reason = reason or _why_void(battle, answers)
        # The battle before its responses, as everyone who writes both: a publisher locks the tables in this order.
        if reason:
            lifecycle.void(battle.pk, VoidReason(reason), now=now)
        else:
            Battle.objects.filter(pk=battle.pk).update(
                state=BattleState.COMPLETE, completed_at=now, owner="", lease_until=None
            )
        rows = [
            _row(turn, side, competitor_id, answers[side], discard=bool(reason), now=now)
            for side, competitor_id in battle.competitor_ids()
        ]
        Response.objects.bulk_create(rows)
        if reason:
            return BattleState.VOID
        marking.mark_answers(battle, turn.index, {side: answers[side].text for side in Side}, now=now)
        versions.seal([battle.competitor_a_id, battle.competitor_b_id], now=now)
    return BattleState.COMPLETE


def record_recorded_answers(battle: Battle, turns: Sequence[Turn], prompt: Prompt, *, now: datetime) -> None:
    """Answers made beforehand become the responses of a new battle, all turns at once; it is complete.

    The text stays where it is, in the recorded answer; the caller holds the transaction.
    """
    pair = dict(battle.competitor_ids())
    rows = RecordedAnswer.objects.filter(prompt=prompt, competitor__in=pair.values())
    recorded = {(row.turn, row.competitor_id): row for row in rows}
    Response.objects.bulk_create(
        _recorded_row(turn, side, recorded[turn.index, competitor_id], now=now)
        for turn in turns
        for side, competitor_id in pair.items()
    )
    for turn in turns:
        texts = {side: recorded[turn.index, competitor_id].text for side, competitor_id in pair.items()}
        marking.mark_answers(battle, turn.index, texts, now=now)
    versions.seal([battle.competitor_a_id, battle.competitor_b_id], now=now)
    battle.state, battle.completed_at = BattleState.COMPLETE, now
    battle.save(update_fields=["state", "completed_at"])


def _recorded_row(turn: Turn, side: Side, row: RecordedAnswer, *, now: datetime) -> Response:
    return Response(
        turn=turn,
        side=side,
        competitor_id=row.competitor_id,
        recorded_answer=row,
        text_sha256=text_hash(row.text),
        first_token_ms=row.first_token_ms,
        total_ms=row.total_ms,
        input_tokens=row.input_tokens,
        output_tokens=row.output_tokens,
        created_at=now,
        style_length=row.style_length,
        style_headers=row.style_headers,
        style_lists=row.style_lists,
        style_bold=row.style_bold,
    )


def _why_void(battle: Battle, answers: Mapping[Side, Answer]) -> str:
    if any(answers[side].failed for side in Side):
        return VoidReason.SIDE_FAILED
    if battle.arena.reveal != Arena.Reveal.EACH:
        return ""
    known = Response.objects.filter(
        turn__battle__voter_id=battle.voter_id,
        turn__battle__vote__isnull=False,
        text_sha256__in=[text_hash(answers[side].text) for side in Side],
    )
    return VoidReason.REPEATED if known.exists() else ""


def _row(turn: Turn, side: Side, competitor_id: int, answer: Answer, *, discard: bool, now: datetime) -> Response:
    return Response(
        turn=turn,
        side=side,
        competitor_id=competitor_id,
        text="" if discard else answer.text,
        text_sha256="" if discard else text_hash(answer.text),
        error_code=answer.error_code,
        error_detail=answer.error_detail[:300],
        finish_reason=answer.finish_reason[:30],
        first_token_ms=answer.first_token_ms,
        total_ms=answer.total_ms,
        input_tokens=answer.input_tokens,
        output_tokens=answer.output_tokens,
        created_at=now,
        **({} if discard else style_fields(answer.text)),
    )


def forget_answers(voter: Voter) -> int:
    """Deletes the answers to what this voter wrote, which may repeat it; their hashes and figures stay."""
    own = Response.objects.filter(turn__battle__voter=voter, turn__battle__prompt__isnull=True)
    return own.exclude(text="").update(text="")
