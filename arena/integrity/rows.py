"""Rows as the chain commits to them, read in batches of plain columns."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from arena.battles.models import Response, SelfNaming, SelfNamingReversal, Turn, Vote
from arena.competitors.models import Competitor
from arena.integrity.commitments import EXCLUSION_COLUMNS, REVERSAL_COLUMNS, VOTE_COLUMNS, columns
from arena.integrity.models import AuditLink, Erasure, Exclusion
from arena.teams.models import Arena

Kind = AuditLink.Kind
Values = dict[str, Any]
BATCH = 2000
COUNTED, SAID, MARKED = "counted", "said", "marked"
"""Commitments of a vote: to what boards make of it, to what was asked and answered, and to why it is not rated."""


def votes(ids: Sequence[int]) -> dict[int, tuple[Any, ...]]:
    """`VOTE_COLUMNS` by id; a vote that is gone is missing."""
    return {row[0]: row for row in Vote.objects.filter(pk__in=ids).values_list(*VOTE_COLUMNS)}


def words(battle_ids: Sequence[int], *, check: bool = False) -> dict[int, list[Any]]:
    """What was asked and answered, by battle; answers by the hash of their text, which `check` computes anew."""
    said: dict[int, list[Any]] = defaultdict(list)
    turns = Turn.objects.filter(battle_id__in=battle_ids).order_by("battle_id", "index")
    for battle, index, prompt in turns.values_list("battle_id", "index", "prompt"):
        said[battle].append([index, prompt])
    answers = Response.objects.filter(turn__battle_id__in=battle_ids)
    names = ["turn__battle_id", "turn__index", "side", "text_sha256", "recorded_answer_id", "error_code"]
    for battle, index, side, stored, recorded, error, *text in answers.order_by(
        "turn__battle_id", "turn__index", "side"
    ).values_list(*names, *(["text"] if check else [])):
        found = hashlib.sha256(text[0].encode()).hexdigest() if check and stored and recorded is None else stored
        said[battle].append([index, side, found, recorded, error])
    return said


def marks(battle_ids: Sequence[int]) -> dict[int, list[Any]]:
    """Marks by battle, all made before its vote; without the words that were found, which may go with a person."""
    found: dict[int, list[Any]] = defaultdict(list)
    made = SelfNaming.objects.filter(battle_id__in=battle_ids).order_by("battle_id", "turn", "side")
    for battle, *mark in made.values_list("battle_id", "turn", "side", "rule", "kind"):
        found[battle].append(mark)
    return found


def rows_of(kind: str, ids: Iterable[int]) -> dict[int, Values]:
    """Values by name of rows of any kind but votes; a row that is gone is missing."""
    model, names = {
        Kind.ARENA: (Arena, columns(Arena)),
        Kind.COMPETITOR: (Competitor, columns(Competitor)),
        Kind.EXCLUSION: (Exclusion, EXCLUSION_COLUMNS),
        Kind.ERASURE: (Erasure, columns(Erasure)),
        Kind.REVERSAL: (SelfNamingReversal, REVERSAL_COLUMNS),
    }[Kind(kind)]
    found = model._default_manager.filter(pk__in=list(ids)).values("pk", *names)
    rows = {row.pop("pk"): row for row in found}
    return {pk: grouped(kind, row) for pk, row in rows.items()}


def grouped(kind: str, row: Mapping[str, Any]) -> Values:
    """What is committed to together: each setting by itself, so that a change can be named; else the whole row."""
    if kind in (Kind.ARENA, Kind.COMPETITOR):
        return dict(row)
    return {"row": dict(row)}


def batches(items: Sequence[Any], size: int = BATCH) -> Iterator[Sequence[Any]]:
    return (items[start : start + size] for start in range(0, len(items), size))
