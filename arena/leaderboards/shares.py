"""Who was served how often, and what became of the battles: counted by the database up to a snapshot's cut-offs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db.models import Count, Q

from arena.battles.assignment import OVERLAP
from arena.battles.models import Battle
from arena.battles.words import BattleState
from arena.competitors.models import Competitor
from arena.integrity.models import AuditHead
from arena.leaderboards import counting
from arena.leaderboards.models import Snapshot
from arena.leaderboards.reading import latest_snapshot
from arena.leaderboards.retirements import retirements
from arena.teams.models import Arena


@dataclass(frozen=True, slots=True)
class Served:
    """The battles of an arena up to a snapshot.

    Only those that may be told (`counting.tellable`) are looked into: an open battle would show in the figures of two
    competitors, and its voter knows which battle is open.
    """

    all: int
    told: int
    judged: int
    skipped: int
    expired: int
    void: Mapping[str, int]
    policies: Mapping[str, int]
    by_competitor: Mapping[int, int]
    on_prompts: int
    overlaps: int
    repeats: int


@dataclass(frozen=True, slots=True)
class Share:
    """A competitor's part of the places in battles (two a battle), beside an even one."""

    name: str
    organization: str
    battles: int
    share: float
    even_share: float
    retired: bool


@dataclass(frozen=True, slots=True)
class ProviderShare:
    """The same of a provider with all its variants; `variants` counts every one that was ever entered."""

    organization: str
    variants: int
    retired: int
    battles: int
    share: float
    even_share: float


def cutoffs_of(snapshot: Snapshot) -> counting.Cutoffs:
    """The rows that a snapshot counted."""
    return counting.Cutoffs(
        snapshot.cutoff_vote_id, snapshot.cutoff_battle_id, snapshot.cutoff_response_id, snapshot.cutoff_exclusion_id
    )  # fmt: skip


def served(snapshot: Snapshot) -> Served:
    """As counted at publication; a snapshot of an earlier release is counted once a process."""
    kept = snapshot.page.get("duties")
    if kept is not None:
        battles = kept["battles"]
        return Served(**{**battles, "by_competitor": {int(pk): n for pk, n in battles["by_competitor"].items()}})
    limits = cutoffs_of(snapshot)
    return _served(snapshot.arena_id, limits.vote, limits.battle, limits.response, snapshot.published_at)


@lru_cache(maxsize=32)
def _served(arena_id: int, vote: int, battle: int, response: int, published_at: datetime) -> Served:
    """A snapshot never changes; the time tells databases apart."""
    return count_served(arena_id, counting.Cutoffs(vote, battle, response))


def count_served(arena_id: int, limits: counting.Cutoffs) -> Served:
    """Goes through every battle up to the cut-offs."""
    battles = Battle.objects.filter(arena=arena_id, id__lte=limits.battle, is_imported=False)
    grouped = (
        battles.filter(counting.tellable(limits))
        .values_list("competitor_a_id", "competitor_b_id", "policy", "state", "void_reason")
        .annotate(
            battles=Count("id"),
            judged=Count("id", filter=Q(vote__id__lte=limits.vote)),
            prompts=Count("prompt_id"),
            repeats=Count("repeat_of_id"),
        )
        .order_by()
    )
    by_competitor, policies, void, ended = Counter[int](), Counter[str](), Counter[str](), Counter[str]()
    judged = on_prompts = repeats = 0
    for a, b, policy, state, reason, count, voted, prompts, again in grouped:
        by_competitor.update({a: count, b: count})
        policies[policy] += count
        judged, on_prompts, repeats = judged + voted, on_prompts + prompts, repeats + again
        if state == BattleState.VOID:
            void[reason] += count - voted
        else:  # what is told, is not judged and was not skipped is past its time, whether swept by now or not
            ended[BattleState.SKIPPED if state == BattleState.SKIPPED else BattleState.EXPIRED] += count - voted
    return Served(
        all=battles.count(), told=policies.total(), judged=judged, skipped=ended[BattleState.SKIPPED],
        expired=ended[BattleState.EXPIRED], void=dict(sorted(void.items())), policies=dict(sorted(policies.items())),
        by_competitor=dict(sorted(by_competitor.items())), on_prompts=on_prompts, overlaps=policies[OVERLAP],
        repeats=repeats,
    )  # fmt: skip


def shares_of(arena: Arena, counted: Served | None) -> tuple[list[Share], list[ProviderShare]]:
    """By competitor and by provider, most served first; nobody's retirement takes them off the list."""
    entered = list(Competitor.objects.filter(arena=arena))
    by_competitor = counted.by_competitor if counted else {}
    places, told = sum(by_competitor.values()), len(by_competitor)
    even = 1 / told if told else 0.0
    rows = [
        Share(
            row.label, row.organization, battles, battles / places, even, row.retired_at is not None
        )
        for row in entered
        if (battles := by_competitor.get(row.pk, 0))
    ]  # fmt: skip
    rows.sort(key=lambda row: (-row.battles, row.name))
    providers = []
    for name in {row.organization for row in entered}:
        own = [row for row in rows if row.organization == name]
        variants = [row for row in entered if row.organization == name]
        battles = sum(row.battles for row in own)
        providers.append(
            ProviderShare(
                name, len(variants), sum(row.retired_at is not None for row in variants), battles,
                battles / places if places else 0.0, len(own) * even,
            )
        )  # fmt: skip
    providers.sort(key=lambda row: (-row.battles, row.organization))
    return rows, providers


OWED = ("exclusions", "voters", "flip_first", "counted_up_to", "plain_against_defended")


def owed(snapshot: Snapshot) -> dict[str, Any]:
    """What else was counted at publication; null for snapshots of an earlier release."""
    duties = snapshot.page.get("duties", {})
    rows = json.loads(snapshot.board_json)["board"]
    return {
        "exclusions": snapshot.page.get("exclusions"),
        "voters": duties.get("voters"),
        "flip_first": duties.get("flip"),
        "counted_up_to": duties.get("as_of"),
        "plain_against_defended": [
            {name: row.get(name) for name in ("model_name", "rating", "rating_plain", "status")} for row in rows
        ],
    }


def audit_head(arena: Arena) -> dict[str, Any] | None:
    """The newest daily head of the audit chain: to be kept elsewhere by whoever wants to check this arena one day."""
    head = AuditHead.objects.filter(arena=arena).first()
    if head is None:
        return None
    made_at = head.made_at.isoformat()
    return {"arena": arena.slug, "position": head.position, "sha256": head.sha256, "made_at": made_at}


def integrity_of(arena: Arena, *, untold: datetime | None = None) -> dict[str, Any]:
    """Everything on the integrity page as plain values; `snapshot` and `battles` are null before the first snapshot.

    `untold` is when the open battle of whoever asks was served: why somebody was retired since is not told.
    """
    snapshot = latest_snapshot(arena)
    counted = served(snapshot) if snapshot else None
    rows, providers = shares_of(arena, counted)
    return {
        "arena": arena.slug,
        "is_simulated": arena.is_simulated,
        "sampling": {
            "policy": arena.sampling, "overlap_share": arena.overlap_share, "repeat_share": arena.repeat_share,
        },
        "snapshot": snapshot and _snapshot(snapshot),
        "battles": counted and {
            "served": counted.all, "told": counted.told, "judged": counted.judged, "skipped": counted.skipped,
            "expired": counted.expired, "void": dict(counted.void), "by_policy": dict(counted.policies),
            "on_prompts": counted.on_prompts, "overlaps": counted.overlaps, "repeats": counted.repeats,
        },
        **(owed(snapshot) if snapshot else dict.fromkeys(OWED)),
        "audit_head": audit_head(arena),
        "competitors": [asdict(row) for row in rows],
        "providers": [asdict(row) for row in providers],
        "retirements": [row.as_json() for row in retirements(arena, snapshot, untold=untold)],
    }  # fmt: skip


def _snapshot(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "id": snapshot.pk,
        "number": snapshot.number,
        "published_at": snapshot.published_at.isoformat(),
        "votes": snapshot.vote_count,
        "voters": snapshot.voter_count,
        "cutoff": cutoffs_of(snapshot).as_json(),
        "data_sha256": snapshot.data_sha256,
        "seed": snapshot.seed,
        "code_version": snapshot.code_version,
    }
