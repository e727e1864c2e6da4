"""What is learnt from votes about prompts: how often each was served, what came of it, and how much it separates.

Up to the last snapshot's cut-offs and from battles that may be told, for operators alone; computed when asked for and
remembered by the process, never stored beside the prompts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from math import isfinite
from typing import TYPE_CHECKING, Any

from django.db.models import Count, QuerySet

from arena.battles.models import Battle, Vote
from arena.battles.words import Winner
from arena.integrity.standing import counted
from arena.leaderboards import counting
from arena.leaderboards.models import Snapshot
from arena.leaderboards.reading import latest_snapshot
from arena.leaderboards.shares import cutoffs_of
from arena.prompts.models import Prompt, PromptSet
from arena.teams.models import Arena

if TYPE_CHECKING:
    from ratings import Comparisons
    from ratings.data import Ints
    from ratings.separation import Saturation, Separations

LATEST_VOTES = 200_000
"""Votes of an arena that are looked at; older ones say less of what a prompt separates today."""
SORTS = ("served", "votes", "ties", "both_bad", "separates")
NOTHING = "nothing"
"""The verdict by which the page filters; a word of `ratings.separation.Separates`."""


@dataclass(frozen=True, slots=True)
class PromptRecord:
    """One prompt's record. Separation in per cent of what the ratings expect; None where nobody can say."""

    served: int = 0
    votes: int = 0
    ties: float | None = None
    both_bad: float | None = None
    separates: float | None = None
    lower: float | None = None
    upper: float | None = None
    verdict: str = "too_few"
    kind: str = ""


@dataclass(frozen=True, slots=True)
class SetRecord:
    """A set's prompts by id, those that were served or judged; and what the statistics made of them."""

    by_prompt: dict[int, PromptRecord]
    separations: Separations

    def of(self, prompt_id: int) -> PromptRecord:
        """The record of a prompt; an empty one where it was never served."""
        return self.by_prompt.get(prompt_id, PromptRecord())


@dataclass(frozen=True, slots=True)
class JudgedVotes:
    """Counted votes, each with its prompt; −1 where the voter wrote it or it is of no set asked for."""

    data: Comparisons
    prompt: Ints


def record_of(prompt_set: PromptSet) -> SetRecord | None:
    """The set's record as of the last snapshot; None before the first one."""
    snapshot = latest_snapshot(prompt_set.arena)
    if snapshot is None:
        return None
    return _record(snapshot.pk, snapshot.published_at, snapshot.data_sha256, prompt_set.pk)


def saturation_of(prompt_set: PromptSet) -> Saturation | None:
    """How worn the set is, by its prompts in service; None before the first snapshot."""
    found = record_of(prompt_set)
    if found is None:
        return None
    from ratings.separation import saturation

    live = set(prompt_set.prompts.filter(retired_at__isnull=True).values_list("pk", flat=True))
    return saturation(found.separations, [pk in live for pk in found.separations.prompt.tolist()])


def in_order(prompts: QuerySet[Prompt], found: SetRecord, *, sort: str = "", verdict: str = "") -> list[int]:
    """Ids of these prompts with this verdict, in the order of a column, the largest first and blanks last."""
    ids = [pk for pk in prompts.values_list("pk", flat=True) if not verdict or found.of(pk).verdict == verdict]
    if sort not in SORTS:
        return ids
    values = {pk: getattr(found.of(pk), sort) for pk in ids}
    return sorted(ids, key=lambda pk: (values[pk] is None, -(values[pk] or 0)))


@lru_cache(maxsize=16)
def _record(pk: int, published_at: datetime, data_sha256: str, set_id: int) -> SetRecord:
    """A snapshot never changes; time and hash tell databases apart."""
    from ratings.separation import separations

    snapshot = snapshot_of(pk)
    judged = votes_on(snapshot, Prompt.objects.filter(prompt_set=set_id))
    found = separations(judged.data, judged.prompt)
    served = _served(snapshot, set_id)
    rows = {
        prompt: _one(row, found, served.get(prompt, 0)) for row, prompt in enumerate(found.prompt.tolist())
    }  # fmt: skip
    return SetRecord({pk: PromptRecord(served=count) for pk, count in served.items()} | rows, found)


def snapshot_of(pk: int) -> Snapshot:
    """With what is asked of a snapshot here, and without its bytes."""
    columns = ("arena", "cutoff_vote_id", "cutoff_battle_id", "cutoff_response_id", "cutoff_exclusion_id")
    return Snapshot.objects.only(*columns).select_related("arena").get(pk=pk)


def _one(row: int, found: Separations, served: int) -> PromptRecord:
    votes = float(found.votes[row])
    return PromptRecord(
        served=served, votes=round(votes), ties=100 * float(found.ties[row]) / votes,
        both_bad=100 * float(found.both_bad[row]) / votes, separates=_percent(found.shrunk[row]),
        lower=_percent(found.shrunk_lower[row]), upper=_percent(found.shrunk_upper[row]),
        verdict=str(found.verdict[row]), kind=str(found.kind[row] or ""),
    )  # fmt: skip


def _percent(share: Any) -> float | None:
    return 100 * float(share) if isfinite(share) else None


def _served(snapshot: Snapshot, set_id: int) -> dict[int, int]:
    """How often each prompt of the set was served here, by its id."""
    limits = cutoffs_of(snapshot)
    told = Battle.objects.filter(
        counting.tellable(limits), arena=snapshot.arena, is_imported=False, id__lte=limits.battle,
        prompt__prompt_set=set_id,
    )  # fmt: skip
    return dict(told.order_by().values_list("prompt_id").annotate(count=Count("id")))


def votes_on(snapshot: Snapshot, prompts: QuerySet[Prompt]) -> JudgedVotes:
    """The votes that count for the snapshot, counted by voter, pair, side, outcome and prompt of those given.

    All others stand under −1: they say how good the competitors are, and nothing of these prompts.
    """
    votes = _latest(snapshot.arena, snapshot)
    labels = counting.competitors_in(votes)
    place = {pk: row for row, pk in enumerate(labels)}
    known = set(prompts.values_list("pk", flat=True))
    columns = ("voter_id", "battle__prompt_id", "battle__competitor_a_id", "battle__competitor_b_id", "winner")
    rows = votes.order_by().values_list(*columns).annotate(count=Count("id")).order_by(*columns)
    table = [
        (voter, prompt if prompt in known else -1, place[a], place[b], counting.OUTCOMES[Winner(winner)], count)
        for voter, prompt, a, b, winner, count in rows.iterator(chunk_size=5000)
    ]
    import numpy as np

    from ratings import comparisons

    voter, prompt, a, b, outcome, count = np.array(table, dtype=np.int64).reshape(-1, 6).T
    return JudgedVotes(comparisons(list(labels.values()), a, b, outcome, voter=voter, weight=count), prompt)


def _latest(arena: Arena, snapshot: Snapshot) -> QuerySet[Vote]:
    """The latest votes that count for the snapshot: no repeats, none that was set aside."""
    votes = counted(counting.rated(arena, snapshot.cutoff_vote_id), arena, through=snapshot.cutoff_exclusion_id)
    older = votes.order_by("-id").values_list("id", flat=True)[LATEST_VOTES : LATEST_VOTES + 1].first()
    return votes.filter(id__gt=older or 0)
