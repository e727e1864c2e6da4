"""Screens an arena's served log and turns what is found into proposals; where that is automatic, into decisions."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Max, Q

from arena.battles.models import Battle, Vote
from arena.battles.settled import TABLES, frozen_tables
from arena.integrity import deciding, standing
from arena.integrity.deciding import SCREENING
from arena.integrity.models import Exclusion, Proposal, Screening, ScreeningRun
from arena.integrity.serving import Served, served
from arena.teams.models import Arena

if TYPE_CHECKING:
    from ratings.campaigns import Screening as Found

FEWEST = 200
"""Votes below which nothing is looked for: nobody could be told from taste."""
REST = 30
"""A screening rests this many times as long as it took: at most three per cent of a core go into it."""
ACTIONS = {"excluded": "excluded", "quarantined": "held", "flagged": "flagged"}
FLAGGED = "flagged"
"""Something to look at, which takes no weight from any vote."""
NO_LONGER = "The screening no longer finds this among the votes that there are now."
Key = tuple[int, int | None]
"""Voter and competitor."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One unit as the screening named it, in the database's numbers."""

    rule: str
    kind: str
    voters: tuple[int, ...]
    competitor: int | None
    sign: int
    action: str
    votes: int
    sentence: str
    evidence: dict[str, Any]
    vote_ids: tuple[int, ...] = ()

    @property
    def keys(self) -> set[Key]:
        return {(voter, self.competitor) for voter in self.voters}


def screen_if_due(arena: Arena, *, now: datetime) -> ScreeningRun | None:
    """Looks when there are new votes, enough of them, and the last look was long enough ago for what it cost."""
    if standing.screening_of(arena) == Screening.OFF:
        return None
    last = ScreeningRun.objects.filter(arena=arena).first()
    votes = Vote.objects.filter(battle__arena=arena)
    if last is not None:
        rest = timedelta(seconds=max(arena.publish_after_seconds, REST * last.seconds))
        if now - last.started_at < rest or not votes.filter(pk__gt=last.through_vote_id).exists():
            return None
    elif votes[:FEWEST].count() < FEWEST:
        return None
    return screen_arena(arena, now=now)


def screen_arena(arena: Arena, *, now: datetime) -> ScreeningRun:
    """One look now: a run with its proposals, and in automatic mode its decisions, all or none."""
    from ratings.campaigns import ScreenOptions, screen

    begun = time.perf_counter()
    with frozen_tables(*TABLES):
        through = [model._default_manager.aggregate(top=Max("id"))["top"] or 0 for model in (Battle, Vote)]
    log = served(arena, through_battle=through[0], through_vote=through[1], now=now)
    # Clones, choice among variants, style and prompt caps weigh votes instead of setting them aside: not for overlays.
    found = screen(log.log, ScreenOptions(d5=False, d6=False, d7=False, d8=False))
    findings = [*_findings(found, log), *_gated(found, log)]
    with transaction.atomic():
        run = ScreeningRun.objects.create(
            arena=arena, started_at=now, seconds=round(time.perf_counter() - begun, 3), through_battle_id=through[0],
            through_vote_id=through[1], battles=log.log.battles, votes=log.votes, alarms=_alarms(found, log),
            findings=len(findings),
        )  # fmt: skip
        _propose(arena, run, findings, log, now=now)
    return run


def pending(arena: Arena) -> Any:
    """Proposals about which nothing is decided yet, newest first."""
    return Proposal.objects.filter(arena=arena, decisions__isnull=True).select_related("competitor", "run")


def _findings(found: Found, log: Served) -> Iterator[Finding]:
    """Accounts and clusters; of a cluster those members who voted."""
    for row in found.exclusions:
        competitor = log.competitors[row.competitor] if row.competitor >= 0 else None
        whole = ACTIONS[row.action] == "excluded"
        voters = tuple(log.voters[code] for code in _codes(row.kind, row.unit, log).tolist())
        sentence = row.sentence
        if row.kind == "account":
            sentence = sentence.replace(f"Account {row.unit} ", f"Voter {voters[0]} ", 1)
            sentence = sentence.replace(f"Account {row.unit}:", f"Voter {voters[0]}:", 1)
        yield Finding(
            row.rule, row.kind, voters, None if whole else competitor, row.sign, ACTIONS[row.action], row.votes,
            sentence,
            {"log_e": _finite(row.log_e), "log_l": _finite(row.log_l), "competitor": competitor},
        )  # fmt: skip


def _codes(kind: str, unit: int, log: Served) -> Any:
    """The accounts of a unit by their codes in the log; of a cluster those who voted."""
    import numpy as np

    if kind == "account":
        return np.array([unit])
    voted = np.unique(log.log.account[log.log.voted])
    return voted[log.log.clusters[kind][voted] == unit]


def _gated(found: Found, log: Served) -> Iterator[Finding]:
    """The strata gate takes single votes of many: those without weight that no unit's exclusion explains."""
    import numpy as np

    lost = log.log.voted & (found.weight == 0)
    for row in found.exclusions:
        if ACTIONS[row.action] != FLAGGED:
            of_unit = np.isin(log.log.account, _codes(row.kind, row.unit, log))
            on_it = (log.log.a == row.competitor) | (log.log.b == row.competitor)
            lost &= ~(of_unit & (on_it | (row.action == "excluded")))
    for alarm in found.alarms:
        if alarm.rule != "D2":
            continue
        rows = np.flatnonzero(lost & ((log.log.a == alarm.competitor) | (log.log.b == alarm.competitor)))
        lost[rows] = False
        ids = tuple(sorted(log.vote[rows].tolist()))
        if ids:
            competitor = log.competitors[alarm.competitor]
            yield Finding(
                "D2", "stratum", (), competitor, alarm.sign, "held", len(ids), alarm.sentence,
                {"z": _finite(alarm.statistic), "threshold": _finite(alarm.threshold), "competitor": competitor}, ids,
            )  # fmt: skip


def _alarms(found: Found, log: Served) -> list[dict[str, Any]]:
    return [
        {
            "rule": alarm.rule, "competitor": log.competitors[alarm.competitor] if alarm.competitor >= 0 else None,
            "sign": alarm.sign, "statistic": _finite(alarm.statistic), "threshold": _finite(alarm.threshold),
            "kind": alarm.kind, "sentence": alarm.sentence,
        }
        for alarm in found.alarms
    ]  # fmt: skip


def _propose(arena: Arena, run: ScreeningRun, findings: list[Finding], log: Served, *, now: datetime) -> None:
    """New findings become proposals; automatic decisions that nothing supports any more are taken back.

    What a reviewer cleared stays cleared, and what a reviewer decided is left alone.
    """
    in_force = list(standing.decisions(arena))
    cleared = Exclusion.objects.filter(arena=arena, action="cleared", decided_by="reviewer")
    cleared = cleared.exclude(proposal__action=FLAGGED)
    known: set[Key] = {(row.voter_id, row.competitor_id) for row in [*in_force, *cleared] if row.voter_id is not None}
    waiting = {(key, False) for row in pending(arena).exclude(action=FLAGGED) for key in _keys(row)}
    waiting |= {(key, True) for row in Proposal.objects.filter(arena=arena, action=FLAGGED) for key in _keys(row)}
    singles = {vote for row in [*in_force, *cleared] for vote in row.votes}
    singles |= {vote for row in pending(arena) for vote in row.vote_ids}
    for finding in findings:
        flag = finding.action == FLAGGED
        fresh = {key for key in finding.keys if (key, flag) not in waiting and (flag or key not in known)}
        voters = sorted(voter for voter, _ in fresh)
        votes = [vote for vote in finding.vote_ids if vote not in singles]
        if voters or votes:
            Proposal.objects.create(
                arena=arena, run=run, rule=finding.rule, unit_kind=finding.kind, voters=voters, vote_ids=votes,
                competitor_id=finding.competitor, sign=finding.sign, action=finding.action, votes=finding.votes,
                evidence=finding.evidence, sentence=finding.sentence, created_at=now,
            )  # fmt: skip
    if standing.screening_of(arena) == Screening.AUTOMATIC:
        _decide(arena, findings, in_force, log, now=now)


def _decide(
    arena: Arena, findings: list[Finding], in_force: list[Exclusion], log: Served, *, now: datetime
) -> None:  # fmt: skip
    supported = {key for finding in findings if finding.action != FLAGGED for key in finding.keys}
    votes = {vote for finding in findings for vote in finding.vote_ids}
    for proposal in pending(arena).filter(~Q(action=FLAGGED)):
        if _keys(proposal) <= supported and set(proposal.vote_ids) <= votes:
            deciding.accept(proposal, SCREENING, now=now)
    seen = set(log.voters)
    for row in in_force:
        if row.voter_id is None:
            stands = bool(set(row.votes) & votes)
        else:
            stands = row.voter_id not in seen or (row.voter_id, row.competitor_id) in supported
        if row.decided_by == Exclusion.By.AUTOMATIC and not stands:
            deciding.clear(row, NO_LONGER, SCREENING, now=now)


def _keys(proposal: Proposal) -> set[Key]:
    return {(voter, proposal.competitor_id) for voter in proposal.voters}


def _finite(value: float) -> float | None:
    """Rounded for people; JSON has no word for what is not a number."""
    return round(value, 3) + 0.0 if math.isfinite(value) else None
