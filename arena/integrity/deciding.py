"""The only writer of exclusions: decisions are laid over votes, reversed by another row, and never change one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from arena.battles.models import Vote
from arena.competitors.models import Competitor
from arena.integrity.errors import AlreadyDecided, NothingConcerned, ReasonMissing
from arena.integrity.models import Exclusion, Proposal, Screening, ScreeningPolicy
from arena.integrity.standing import decisions
from arena.teams.models import Arena, Voter

Action, By = Exclusion.Action, Exclusion.By
BY_HAND = "by hand"
"""The rule of a reviewer's own decision."""


@dataclass(frozen=True, slots=True)
class Decider:
    """Who decides: somebody with an account, or the screening itself."""

    reviewer: User | None = None

    @property
    def word(self) -> str:
        return By.REVIEWER if self.reviewer is not None else By.AUTOMATIC


SCREENING = Decider()


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, for the one who reviews it: a rule's word, a sentence, and figures."""

    rule: str
    sentence: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


def set_aside(
    arena: Arena, voter: Voter | int | None, reason: Reason, decider: Decider, *, now: datetime, held: bool = True,
    competitor: Competitor | int | None = None, votes: Iterable[int] = (), proposal: Proposal | None = None,
) -> Exclusion:  # fmt: skip
    """A voter's votes, those on one competitor, or single ones do not count from here on; of many, single ones alone.

    Raises
    ------
    ReasonMissing
    NothingConcerned
        A vote is not this voter's in this arena; or neither a voter nor votes are named.
    """
    if not reason.sentence.strip():
        raise ReasonMissing
    single = sorted(set(votes))
    number = voter.pk if isinstance(voter, Voter) else voter
    own = Vote.objects.filter(pk__in=single, battle__arena=arena)
    own = own if number is None else own.filter(voter=number)
    if (number is None and not single) or (own.count() if single else 0) != len(single):
        raise NothingConcerned
    return Exclusion.objects.create(
        arena=arena, voter_id=number, votes=single, action=Action.HELD if held else Action.EXCLUDED,
        competitor_id=competitor.pk if isinstance(competitor, Competitor) else competitor, rule=reason.rule,
        evidence=dict(reason.evidence), sentence=reason.sentence.strip(), decided_by=decider.word,
        reviewer=decider.reviewer, proposal=proposal, created_at=now,
    )  # fmt: skip


def clear(
    exclusion: Exclusion, sentence: str, decider: Decider, *, now: datetime, appeal_note: str = ""
) -> Exclusion:  # fmt: skip
    """Takes an exclusion back, once: the votes count again from the next board on.

    Raises
    ------
    ReasonMissing
    AlreadyDecided
    """
    if not sentence.strip():
        raise ReasonMissing
    if exclusion.action == Action.CLEARED:
        raise AlreadyDecided
    try:
        with transaction.atomic():
            return Exclusion.objects.create(
                arena_id=exclusion.arena_id, voter_id=exclusion.voter_id, votes=exclusion.votes,
                competitor_id=exclusion.competitor_id, action=Action.CLEARED, rule=exclusion.rule,
                sentence=sentence.strip(), decided_by=decider.word, reviewer=decider.reviewer, reverses=exclusion,
                proposal_id=exclusion.proposal_id, appeal_note=appeal_note.strip(), created_at=now,
            )  # fmt: skip
    except IntegrityError:
        raise AlreadyDecided from None


def accept(proposal: Proposal, decider: Decider, *, now: datetime, sentence: str = "") -> list[Exclusion]:
    """Sets aside what a proposal names, a row a voter. Raises AlreadyDecided."""
    with transaction.atomic():
        _lock(proposal)
        reason = Reason(proposal.rule, sentence.strip() or proposal.sentence, proposal.evidence)
        return [
            set_aside(
                proposal.arena, voter, reason, decider, now=now, held=proposal.action == Action.HELD,
                competitor=proposal.competitor_id, votes=proposal.vote_ids, proposal=proposal,
            )
            for voter in concerned(proposal)
        ]  # fmt: skip


def concerned(proposal: Proposal) -> list[int | None]:
    """The voters for each of whom there is a row; one row for nobody's where single votes of many are concerned."""
    return [None] if proposal.vote_ids else list(proposal.voters)


def turn_down(
    proposal: Proposal, sentence: str, decider: Decider, *, now: datetime, appeal_note: str = ""
) -> list[Exclusion]:
    """Nothing is set aside: a cleared row a voter says so, and takes back what was set aside meanwhile.

    Raises
    ------
    ReasonMissing
    AlreadyDecided
    """
    if not sentence.strip():
        raise ReasonMissing
    with transaction.atomic():
        rows = list(decisions(proposal.arena).filter(proposal=proposal))
        if rows:
            return [clear(row, sentence, decider, now=now, appeal_note=appeal_note) for row in rows]
        _lock(proposal)
        return [
            Exclusion.objects.create(
                arena=proposal.arena, voter_id=voter, competitor_id=proposal.competitor_id, action=Action.CLEARED,
                rule=proposal.rule, sentence=sentence.strip(), decided_by=decider.word, reviewer=decider.reviewer,
                proposal=proposal, votes=proposal.vote_ids, appeal_note=appeal_note.strip(), created_at=now,
            )
            for voter in concerned(proposal)
        ]  # fmt: skip


def set_screening(arena: Arena, mode: Screening, *, now: datetime) -> None:
    """How findings are dealt with from now on; what was decided stays."""
    ScreeningPolicy.objects.update_or_create(arena=arena, defaults={"mode": mode, "updated_at": now})


def _lock(proposal: Proposal) -> None:
    """Nobody else decides about it meanwhile. Raises AlreadyDecided."""
    Proposal.objects.select_for_update().get(pk=proposal.pk)
    if Exclusion.objects.filter(proposal=proposal).exists():
        raise AlreadyDecided
