"""Marks battles whose texts say whose they are, and takes marks back; the only writer of both.

A mark is stored in the transaction that makes its text votable, so that no vote is counted before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Max, QuerySet
from django.utils.translation import gettext_lazy as _

from arena.battles.errors import BattleError
from arena.battles.models import Battle, SelfNaming, SelfNamingReversal, Turn, Vote
from arena.battles.probing import asks_who
from arena.battles.selfnames import Names, own_names
from arena.battles.selfnaming import Finding, names_itself
from arena.battles.settled import frozen_tables
from arena.battles.words import Side
from arena.competitors.models import Competitor
from arena.teams.models import Arena, Voter


class NoReason(BattleError):
    code = "no_reason"
    sentence = _("A mark is taken back for a reason: say why its words name nobody.")


def mark_prompt(turn: Turn, *, now: datetime) -> None:
    """Marks the battle when the voter's message asks who answers; the caller holds the transaction."""
    _mark({"": asks_who(turn.prompt)}, turn.battle_id, turn.index, now=now)


def mark_answers(battle: Battle, turn_index: int, texts: Mapping[Side, str], *, now: datetime) -> None:
    """Marks the battle when an answer says who wrote it; the caller holds the transaction."""
    names = names_of(battle.arena_id)
    _mark({side: _found(text, names) for side, text in texts.items()}, battle.pk, turn_index, now=now)


def reverse(mark: SelfNaming, *, reviewer: AbstractBaseUser | None, reason: str, now: datetime) -> SelfNamingReversal:
    """Takes a mark back: with the next vote, the battle's vote counts. Once; again answers with the first reversal.

    Raises NoReason.
    """
    if not reason.strip():
        raise NoReason
    with frozen_tables(Vote):
        list(SelfNaming.objects.select_for_update().filter(pk=mark.pk).values_list("pk"))  # two reviewers, one reversal
        earlier = SelfNamingReversal.objects.filter(mark=mark).first()
        if earlier is not None:
            return earlier
        return SelfNamingReversal.objects.create(
            mark=mark,
            after_vote_id=Vote.objects.aggregate(top=Max("id"))["top"] or 0,
            reviewer_id=reviewer.pk if reviewer else None,
            reason=reason.strip()[:300],
            made_at=now,
        )


def standing_marks(through: int | None = None) -> QuerySet[SelfNaming]:
    """Marks that stand for a board whose last vote is `through`; without it, those that stand now."""
    if through is None:
        return SelfNaming.objects.filter(reversal__isnull=True)
    return SelfNaming.objects.exclude(reversal__after_vote_id__lt=through)


def has_changed(arena: Arena, since: int, through: int) -> bool:
    """Whether votes up to `since` count otherwise for a board up to `through`: a mark on one was taken back between."""
    back = SelfNamingReversal.objects.filter(after_vote_id__gte=since, after_vote_id__lt=through)
    return back.filter(mark__battle__arena=arena, mark__battle__vote__id__lte=since).exists()


def forget_words(voter: Voter) -> None:
    """Empties the words of marks on this voter's battles, which may be the voter's own; the marks stand."""
    QuerySet(SelfNaming).filter(battle__voter=voter).update(words="")  # past the guard of frozen rows: a person goes


def names_of(arena_id: int) -> Names:
    """What the arena's competitors, retired ones too, and their makers are called."""
    rows = Competitor.objects.filter(arena_id=arena_id).order_by("pk")
    return own_names(rows.values_list("name", "model_id", "organization"))


@lru_cache(maxsize=1024)
def _found(text: str, names: Names) -> Finding | None:
    return names_itself(text, names)  # a recorded answer is shown many times


def _mark(findings: Mapping[str, Finding | None], battle_id: int, turn: int, *, now: datetime) -> None:
    SelfNaming.objects.bulk_create(
        SelfNaming(
            battle_id=battle_id, turn=turn, side=side, rule=found.rule, kind=found.kind, words=found.words, made_at=now
        )
        for side, found in findings.items()
        if found is not None
    )
