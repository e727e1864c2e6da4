"""What the voting page shows at this moment: one value for the first paint, the fragments and the errors alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Case, Q, When
from django.utils import timezone
from django.utils.formats import localize
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from arena.battles import assignment, notes, opening
from arena.battles.blinding import BlindBattle, RevealedBattle, RevealedSide, blind, noted, reveal, reveal_all
from arena.battles.errors import RevealWithheld
from arena.battles.models import Battle, Vote
from arena.battles.rendering import to_html
from arena.battles.votes import CastVote
from arena.battles.words import BattleState, Side, VoidReason, Winner
from arena.competitors import endpoints
from arena.leaderboards import standing
from arena.leaderboards.withholding import BoardWithheld, why_withheld
from arena.prompts.models import Prompt, PromptSet
from arena.teams.arenas import is_closed
from arena.teams.models import Arena, Voter
from arena.teams.person import Person

VOID_SENTENCES = {
    VoidReason.SIDE_FAILED: gettext_lazy("One of the answers could not be finished, so this pair was set aside."),
    VoidReason.STALLED: gettext_lazy("The answers stood still for too long, so this pair was set aside."),
    VoidReason.STOPPED: gettext_lazy("You stopped this battle. Nothing was counted."),
    VoidReason.INTERRUPTED: gettext_lazy(
        "The server was restarted while the answers were being written, so this pair was set aside."
    ),
    VoidReason.REPEATED: gettext_lazy(
        "An answer repeated one whose author you already know, so this pair was set aside."
    ),
}


@dataclass(frozen=True, slots=True)
class TurnCard:
    index: int
    prompt: str
    answer_a_html: SafeString
    answer_b_html: SafeString


@dataclass(frozen=True, slots=True)
class BattleCard:
    id: str
    turns: tuple[TurnCard, ...]
    current_turn: int
    is_recorded: bool
    may_follow_up: bool
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SideCard:
    side: str
    name: str
    organization: str
    model_id: str
    revision: str
    settings: str
    license: str
    board: str


@dataclass(frozen=True, slots=True)
class RevealCard:
    heading: str
    sentences: tuple[str, ...]
    winner: str
    winner_label: str
    sides: tuple[SideCard, ...]
    votes_cast: int
    chart_svg: SafeString


@dataclass(frozen=True, slots=True)
class NoteCard:
    """What may be said after the vote, and what has been."""

    tags: tuple[dict[str, Any], ...]
    comment: str


@dataclass(frozen=True, slots=True)
class Guide:
    """What to judge by, in the operator's words; open until the first vote here."""

    html: SafeString
    is_open: bool


@dataclass(frozen=True, slots=True)
class Stage:
    state: str
    notice: str = ""
    draft: str = ""
    suggestions: Sequence[dict[str, str]] = ()
    offers_composer: bool = False
    offers_start: bool = False
    progress: assignment.Progress | None = None
    battle: BattleCard | None = None
    reason: str = ""
    ended: bool = False
    may_redraw: bool = False
    reveal: RevealCard | None = None
    note: NoteCard | None = None
    guide: Guide | None = None
    withheld: str = ""
    judged: Sequence[RevealedBattle] = ()
    page_has_turns: bool = False

    def saying(self, notice: str, *, draft: str = "") -> Stage:
        """The same stage with a sentence above it, and the voter's text kept."""
        return replace(self, notice=notice, draft=draft or self.draft)


def stage_of(arena: Arena, voter: Voter | None, *, now: datetime, battle: Battle | None = None) -> Stage:
    """The stage for a battle, or for the voter's open one, or the start."""
    return _guided(_stage_of(arena, voter, now=now, battle=battle), arena, voter)


def start_stage(arena: Arena, voter: Voter | None, *, now: datetime) -> Stage:
    """A fresh start, whatever came before."""
    return _guided(_start(arena, voter, now=now), arena, voter)


def _stage_of(arena: Arena, voter: Voter | None, *, now: datetime, battle: Battle | None) -> Stage:
    if battle is None and voter is not None:
        battle = opening.current_battle(voter, arena, now=now) or _unfinished_business(arena, voter)
    if battle is None:
        return _start(arena, voter, now=now)
    return _of_battle(arena, battle, voter, now=now)


def _guided(stage: Stage, arena: Arena, voter: Voter | None) -> Stage:
    """With the arena's guidelines, where something is to be judged."""
    if not arena.guidelines.strip() or stage.state not in ("start", "answering", "complete"):
        return stage
    html = mark_safe(to_html(arena.guidelines, label=_("Guidelines")))  # noqa: S308 - sanitised
    has_voted = voter is not None and Vote.objects.filter(voter=voter, battle__arena=arena).exists()
    return replace(stage, guide=Guide(html, is_open=not has_voted))


def _unfinished_business(arena: Arena, voter: Voter) -> Battle | None:
    """The last battle if it was set aside and not drawn again: the voter is owed a word and a new pair."""
    last = arena.battle_set.filter(voter=voter).order_by("-id").first()
    return last if last and last.state == BattleState.VOID else None


def _start(arena: Arena, voter: Voter | None, *, now: datetime) -> Stage:
    reason = endpoints.why_closed(arena, now=now)
    if reason:
        return Stage("closed", reason=reason, ended=is_closed(arena, now=now))
    progress = assignment.progress(arena, voter)
    if arena.kind == Arena.Kind.RECORDED:
        if progress and progress.done >= progress.total:
            return Stage("nothing_left", progress=progress, judged=_judged(arena, voter))
        return Stage("start", offers_start=True, progress=progress)
    readable = Q(language="") | Q(language=get_language() or "")
    suggested = Prompt.objects.filter(
        prompt_set__arena=arena, prompt_set__purpose=PromptSet.Purpose.SUGGESTIONS, retired_at__isnull=True
    ).order_by(Case(When(readable, then=0), default=1), "?")[:3]
    cards = [{"category": prompt.category, "text": prompt.text} for prompt in suggested]
    return Stage("start", offers_composer=True, suggestions=cards, offers_start=arena.kind == Arena.Kind.MIXED)


def _judged(arena: Arena, voter: Voter | None) -> Sequence[RevealedBattle]:
    """All names at the end, where an arena reveals them there; where each vote revealed them there is no need."""
    if voter is None or arena.reveal != Arena.Reveal.END:
        return ()
    try:
        return reveal_all(arena, voter)
    except RevealWithheld:
        return ()


def _of_battle(arena: Arena, battle: Battle, voter: Voter | None, *, now: datetime) -> Stage:
    seen = blind(battle)
    if seen.voted:
        return revealed_stage(battle, seen)
    if is_closed(arena, now=now):
        return _start(arena, voter, now=now)
    progress = assignment.progress(arena, voter)
    card = _card(arena, seen)
    if battle.state == BattleState.VOID:
        reason = str(VOID_SENTENCES[VoidReason(battle.void_reason)])
        may_redraw = battle.void_reason != VoidReason.STOPPED and len(seen.turns) == 1
        draft = seen.turns[0].prompt if not battle.prompt_id else ""
        return Stage("void", battle=card, reason=reason, may_redraw=may_redraw, draft=draft, progress=progress)
    if battle.state == BattleState.EXPIRED or now >= battle.expires_at:
        return Stage("expired", battle=card, reason=_("A battle can be judged for 24 hours; this one is older."))
    if battle.state == BattleState.SKIPPED:
        return Stage("skipped", battle=card, progress=progress)
    return Stage("complete" if battle.state == BattleState.COMPLETE else "answering", battle=card, progress=progress)


def _card(arena: Arena, seen: BlindBattle) -> BattleCard:
    turns = tuple(
        TurnCard(
            turn.index,
            turn.prompt,
            _html(turn.answers.get(Side.A), _("Part of answer A")),
            _html(turn.answers.get(Side.B), _("Part of answer B")),
        )
        for turn in seen.turns
    )
    may_follow_up = not seen.is_recorded and seen.state == BattleState.COMPLETE and len(turns) < arena.max_turns
    return BattleCard(str(seen.id), turns, len(turns), seen.is_recorded, may_follow_up, seen.expires_at)


def _html(text: str | None, label: str) -> SafeString:
    return mark_safe(to_html(text, label=label)) if text is not None else SafeString("")  # noqa: S308 - sanitised


def revealed_stage(battle: Battle, seen: BlindBattle | None = None, cast: CastVote | None = None) -> Stage:
    """Who answered, after the vote. Without `seen` the page that asks already shows the conversation and keeps it.

    `cast` is the vote when it was committed just now.
    """
    if seen is not None:
        card = _card(battle.arena, seen)
    else:
        card = BattleCard(str(battle.public_id), (), 0, battle.prompt_id is not None, False, battle.expires_at)
    try:
        shown = reveal(battle, cast)
    except RevealWithheld as withheld:
        note = _note_card(battle.arena, *noted(battle))
        return Stage("revealed", battle=card, withheld=str(withheld), page_has_turns=seen is None, note=note)
    a, b = ((side.competitor_id, side.name) for side in shown.sides)
    withheld_board = _withheld_board(battle)
    verdict = (
        standing.later(str(withheld_board)) if withheld_board else standing.of_pair(battle.arena, a, b, shown.winner)
    )
    return Stage(
        "revealed",
        battle=card,
        page_has_turns=seen is None,
        reveal=RevealCard(
            heading=verdict.heading,
            sentences=verdict.sentences,
            winner=shown.winner,
            winner_label=str(Winner(shown.winner).label),
            sides=tuple(_side_card(side, verdict) for side in shown.sides),
            votes_cast=Vote.objects.filter(voter_id=battle.voter_id, battle__arena=battle.arena_id).count(),
            chart_svg=verdict.chart_svg,
        ),
        note=_note_card(battle.arena, shown.tags, shown.comment),
    )


def _withheld_board(battle: Battle) -> BoardWithheld | None:
    """Why this voter may not see the board yet; asked for nobody's rights where everybody may."""
    if battle.arena.board_visibility == Arena.BoardVisibility.DURING:
        return None
    return why_withheld(Person.of_voter(battle.voter), battle.arena, now=timezone.now())


def _note_card(arena: Arena, tags: Sequence[str], comment: str) -> NoteCard:
    offered = notes.tags_of(arena).items()
    return NoteCard(tuple({"value": v, "label": label, "checked": v in tags} for v, label in offered), comment)


def _side_card(side: RevealedSide, verdict: standing.Standing) -> SideCard:
    return SideCard(
        side=side.side,
        name=side.name,
        organization=side.organization,
        model_id=side.model_id,
        revision=side.revision,
        settings=settings_sentence(side),
        license=side.license,
        board=verdict.board.get(side.competitor_id, ""),
    )


def settings_sentence(side: RevealedSide | Any) -> str:
    """A competitor's fixed settings in one line."""
    parts = []
    if side.temperature is not None:
        parts.append(_("temperature %(value)s") % {"value": localize(side.temperature)})
    if side.top_p is not None:
        parts.append(_("top-p %(value)s") % {"value": localize(side.top_p)})
    parts.append(_("at most %(value)s tokens") % {"value": side.max_tokens})
    if side.system_prompt:
        parts.append(_("system prompt “%(text)s”") % {"text": side.system_prompt})
    else:
        parts.append(_("no system prompt"))
    return ", ".join(parts)
