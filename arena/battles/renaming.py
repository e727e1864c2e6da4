"""A competitor's name may be corrected until it was drawn or has answered: then battles, boards and people know it."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q

from arena.battles.errors import NameAnswered, NameDrawn, NameFixed, NameShared
from arena.battles.models import Battle
from arena.competitors import versions
from arena.competitors.models import Competitor


def why_fixed(competitor: Competitor) -> NameFixed | None:
    """Why its name stays; None where it may be changed."""
    if competitor.is_sealed:
        return NameAnswered()
    if Battle.objects.filter(Q(competitor_a=competitor) | Q(competitor_b=competitor)).exists():
        return NameDrawn()
    family = Competitor.objects.filter(arena=competitor.arena_id, name=competitor.name)
    return NameShared() if family.exclude(pk=competitor.pk).exists() else None


def rename(competitor: Competitor, name: str) -> None:
    """Another name for one that nobody has met. Raises NameFixed, NameTaken and ValidationError."""
    with transaction.atomic():
        stored = Competitor.objects.select_for_update().get(pk=competitor.pk)
        if reason := why_fixed(stored):
            raise reason
        versions.rename(stored, name)
