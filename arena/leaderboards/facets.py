"""What a snapshot's votes can be parted by. Asked of prompts and voters, so that the cost does not grow with votes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache

from django.db.models import Exists, OuterRef, Q

from arena.battles.models import Battle, Response, Vote
from arena.leaderboards.counting import rated
from arena.leaderboards.models import Snapshot
from arena.prompts.models import Prompt
from arena.teams.models import Arena, Voter

WINDOWS = (30, 7)
"""Days back from the publication that a page offers."""


@dataclass(frozen=True, slots=True)
class Facets:
    """Words that at least one counted vote has, in order, and what else there is to choose."""

    categories: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    prompt_sets: tuple[str, ...] = ()
    has_both_voters: bool = False
    windows: tuple[tuple[int, date], ...] = ()
    """Days, and the first day, of each window that holds some of the votes and not all."""
    has_styles: bool = False
    has_imported: bool = False
    has_own: bool = True
    has_set_aside: bool = False
    """Whether votes were set aside, so that a board of every vote is another one."""


def facets_of(snapshot: Snapshot | None) -> Facets:
    """What a snapshot offers; nothing before the first one. Kept by the process, as a snapshot never changes."""
    if snapshot is None:
        return Facets()
    found = _facets(
        snapshot.pk, snapshot.data_sha256, snapshot.arena, snapshot.cutoff_vote_id, snapshot.published_at.date()
    )
    return replace(found, has_set_aside=bool(snapshot.plain_json))


@lru_cache(maxsize=64)
def _facets(_pk: int, _sha256: str, arena: Arena, cutoff: int, published: date) -> Facets:
    """By number and hash together, which tells databases apart."""
    asked = Prompt.objects.filter(prompt_set__arena=arena).filter(_has_vote("battle__prompt", cutoff))
    found = list(asked.order_by().values_list("category", "language", "prompt_set__name").distinct())
    categories, languages, sets = (tuple(sorted({row[k] for row in found} - {""})) for k in range(3))
    return Facets(
        categories, languages, sets, _has_both_voters(arena, cutoff), _windows(arena, cutoff, published),
        *_kinds(arena, cutoff),
    )  # fmt: skip


def _has_vote(path: str, cutoff: int, **more: object) -> Exists:
    counted = Vote.objects.filter(id__lte=cutoff, battle__repeat_of__isnull=True, **more)
    return Exists(counted.filter(**{path: OuterRef("pk")}))


def _kinds(arena: Arena, cutoff: int) -> tuple[bool, bool, bool]:
    """Whether styles of answers were counted, whether votes were imported, and whether some were cast here; in one
    question. An index knows what was imported: an arena without such votes is not read through."""
    judged = Battle.objects.filter(arena=arena, vote__id__lte=cutoff)
    styled = Response.objects.filter(
        turn__battle__arena=arena, turn__battle__vote__id__lte=cutoff, style_length__isnull=False
    )
    found = Arena.objects.filter(pk=arena.pk).values_list(
        Exists(styled), Exists(judged.filter(is_imported=True)), Exists(judged.filter(is_imported=False))
    )
    styles, imported, own = found.get()
    return bool(styles), bool(imported), bool(own)


def _has_both_voters(arena: Arena, cutoff: int) -> bool:
    voted = _has_vote("voter", cutoff, battle__arena=arena)
    return all(
        Voter.objects.filter(kind).filter(voted).exists() for kind in (Q(user__isnull=False), Q(user__isnull=True))
    )


def _windows(arena: Arena, cutoff: int, published: date) -> tuple[tuple[int, date], ...]:
    """The first and the last vote by id tell, though votes that were imported may be older than those before them."""
    votes = rated(arena, cutoff).values_list("created_at", flat=True)
    oldest, newest = votes.order_by("id").first(), votes.order_by("-id").first()
    if oldest is None or newest is None:
        return ()
    starts = [(days, published - timedelta(days=days)) for days in WINDOWS]
    return tuple((days, start) for days, start in starts if oldest.date() < start <= newest.date())
