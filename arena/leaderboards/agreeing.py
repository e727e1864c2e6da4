"""Do an arena's voters agree with each other and with themselves, and how few of them decide who is first?

From plain columns, up to a snapshot's cut-offs, for operators alone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

import numpy as np

import ratings
from arena.battles.models import Vote
from arena.battles.words import Winner
from arena.leaderboards import counting
from arena.leaderboards.models import Snapshot
from arena.leaderboards.publishing import OPTIONS
from arena.leaderboards.shares import cutoffs_of
from arena.prompts.keeping import shown_outside
from arena.prompts.models import Prompt
from arena.teams.models import Arena
from ratings.agreement import Agreement, measure_agreement
from ratings.attention import SelfConsistency, VoterAttention, self_consistency, voter_attention
from ratings.data import Ints
from ratings.influence import Influence, flip_first
from ratings.items import first_votes, items
from ratings.uncertainty import PRIOR_VOTES

COMPARED = 10
"""Voters in the matrix: those with the most items that others judged too."""
DISPUTED = 12
MIN_VOTES = 10
"""Decided votes from which a voter's leaning to a side is listed."""


@dataclass(frozen=True, slots=True)
class Disputed:
    """An item that split its voters: the prompt, and how many were for one answer, the other, neither."""

    prompt_id: int
    prompt: str
    voters: int
    one: int
    other: int
    ties: int
    both_bad: int


@dataclass(frozen=True, slots=True)
class Found:
    """Everything the page says. Voters are numbers in the order of their first vote here, from 0.

    `on_prompts` counts rated votes on prompts that more than one voter can be shown: without them nothing is shared.
    """

    rated: int
    repeats: int
    on_prompts: int
    agreement: Agreement
    consistency: SelfConsistency
    attention: tuple[VoterAttention, ...]
    disputed: tuple[Disputed, ...]
    influence: Influence


@dataclass(frozen=True, slots=True)
class _Rows:
    """Votes in order; `prompt` is −1 where the voter wrote it, which stands for itself."""

    data: ratings.Comparisons
    prompt: Ints
    rated: np.ndarray[tuple[int], np.dtype[np.bool_]]


def measured(snapshot: Snapshot) -> Found:
    """Measured once a snapshot and process; what prompts read is looked up anew, for one may be sealed by now."""
    found = _measured(snapshot.pk, snapshot.published_at, snapshot.data_sha256)
    texts = Prompt.objects.select_related("prompt_set").in_bulk([item.prompt_id for item in found.disputed])
    shown = (replace(item, prompt=shown_outside(texts[item.prompt_id])) for item in found.disputed)
    return replace(found, disputed=tuple(shown))


@lru_cache(maxsize=8)
def _measured(pk: int, published_at: datetime, data_sha256: str) -> Found:
    """A snapshot never changes; time and hash tell databases apart."""
    snapshot = Snapshot.objects.only(
        "arena", "cutoff_vote_id", "cutoff_battle_id", "cutoff_response_id", "cutoff_exclusion_id"
    ).select_related("arena").get(pk=pk)  # fmt: skip
    limits = cutoffs_of(snapshot)
    labels = counting.entered(snapshot.arena, limits)
    rows = _rows(snapshot.arena, limits, labels)
    data, prompt = _rated(rows)
    # Repeats never enter alpha: they are second looks of one voter, not second opinions.
    found = measure_agreement(
        data, prompt, experts=_busiest(data, prompt), disputed=DISPUTED, min_common=MIN_VOTES
    )  # fmt: skip
    everything = items(rows.data, rows.prompt)
    return Found(
        rated=int(rows.rated.sum()), repeats=int((~rows.rated).sum()), on_prompts=int((prompt >= 0).sum()),
        agreement=found, consistency=self_consistency(everything),
        attention=voter_attention(everything, min_votes=MIN_VOTES), disputed=_disputed(found),
        influence=_influence(snapshot.arena, limits, labels),
    )  # fmt: skip


def _rows(arena: Arena, limits: counting.Cutoffs, labels: dict[int, str]) -> _Rows:
    columns = ("voter_id", "battle__prompt_id", "battle__competitor_a_id", "battle__competitor_b_id", "winner",
               "battle__repeat_of_id")  # fmt: skip
    votes = Vote.objects.filter(battle__arena=arena, id__lte=limits.vote).order_by("id").values_list(*columns)
    place = {pk: row for row, pk in enumerate(labels)}
    voters: dict[int, int] = {}
    table = [
        (voters.setdefault(voter, len(voters)), -1 if prompt is None else prompt, place[a], place[b],
         int(counting.OUTCOMES[Winner(winner)]), repeat_of is None)
        for voter, prompt, a, b, winner, repeat_of in votes.iterator(chunk_size=5000)
    ]  # fmt: skip
    voter, prompt, a, b, outcome, rated = np.array(table, dtype=np.int64).reshape(-1, 6).T
    data = ratings.comparisons(list(labels.values()), a, b, outcome, voter=voter)
    return _Rows(data, prompt, rated.astype(np.bool_))


def _rated(rows: _Rows) -> tuple[ratings.Comparisons, Ints]:
    data, keep = rows.data, rows.rated
    voter = None if data.voter is None else data.voter[keep]
    return ratings.comparisons(data.names, data.a[keep], data.b[keep], data.outcome[keep], voter=voter), rows.prompt[
        keep
    ]


def _busiest(data: ratings.Comparisons, prompt: Ints) -> list[int]:
    """Voters with the most items that somebody else judged too, in order of their numbers."""
    judged = items(data, prompt)
    rows = first_votes(judged)
    if data.voter is None or not rows.size:
        return []
    shared = np.bincount(judged.item[rows], minlength=judged.first.size)[judged.item[rows]] >= 2
    busy = Counter(data.voter[rows[shared]].tolist())
    return sorted(sorted(busy, key=lambda code: (-busy[code], code))[:COMPARED])


def _disputed(found: Agreement) -> tuple[Disputed, ...]:
    """By prompt: who answered is left out, for whoever reads this may be served those answers yet."""
    return tuple(
        Disputed(item.prompt, "", item.voters, item.wins_a, item.wins_b, item.ties, item.both_bad)
        for item in found.disputed
        if item.prompt is not None
    )


def _influence(arena: Arena, limits: counting.Cutoffs, labels: dict[int, str]) -> Influence:
    """In the board's own fit; where that has no finite estimate, with the board's own stand-in."""
    data = counting.load_counts(arena, limits, labels)
    found = flip_first(data, side_effect=OPTIONS.side_effect)
    if found.status == "not_strongly_connected":
        found = flip_first(data, side_effect=OPTIONS.side_effect, prior=PRIOR_VOTES)
    return found
