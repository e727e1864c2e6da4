"""Versions: a competitor that has answered never changes; a change makes the next version."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from arena.competitors import catalogue, health
from arena.competitors.models import Competitor

ABOUT = frozenset({"description", "organization", "license", "price_in", "price_out", "context_length"})
"""What says nothing about how a competitor answers; it may be corrected after it has."""
CHANGEABLE = ABOUT | frozenset(
    {"endpoint", "model_id", "revision", "system_prompt", "temperature", "top_p", "max_tokens", "stop", "extra_body"}
)


class UnknownSetting(Exception):
    """A revision named something that is no setting of a competitor."""

    def __init__(self, unknown: Sequence[str], allowed: Sequence[str]) -> None:
        self.unknown, self.allowed = tuple(unknown), tuple(allowed)
        super().__init__(f"{', '.join(unknown)}: no setting of a competitor. Use {', '.join(allowed)}.")


def revise(competitor: Competitor, *, now: datetime, **changes: Any) -> Competitor:
    """Make the next version with these changes and retire the given one, both or neither.

    Raises UnknownSetting for anything that is no setting (the name and the arena stay: they are what a version is
    of), and ValidationError where a value is not allowed.
    """
    _check_known(changes)
    with transaction.atomic():
        versions = Competitor.objects.select_for_update().filter(arena=competitor.arena_id, name=competitor.name)
        # Locked first: two revisions at once must not both count the same maximum.
        list(versions.order_by("pk").values_list("pk", flat=True))
        latest = versions.aggregate(latest=Max("version"))["latest"]
        old = Competitor.objects.get(pk=competitor.pk)
        kept = {field: getattr(old, field) for field in CHANGEABLE}
        new = Competitor(arena_id=old.arena_id, name=old.name, version=latest + 1, **{**kept, **changes})
        catalogue.save_new(new)
        Competitor.objects.filter(pk=old.pk, retired_at__isnull=True).update(retired_at=now)
    return new


def change(competitor: Competitor, *, now: datetime, **changes: Any) -> Competitor:
    """The competitor with these changes: itself while it has not answered, and where only words about it change;
    else its next version. One that answers otherwise now is in the draw again.

    Raises as `revise` does.
    """
    _check_known(changes)
    with transaction.atomic():
        stored = Competitor.objects.select_for_update().get(pk=competitor.pk)
        changed = {name: value for name, value in changes.items() if getattr(stored, name) != value}
        if stored.is_sealed and not changed.keys() <= ABOUT:
            return revise(stored, now=now, **changed)
        for name, value in changed.items():
            setattr(stored, name, value)
        if not changed.keys() <= ABOUT:
            health.put_competitor_back(stored)
        return catalogue.save_changed(stored, changed) if changed else stored


def rename(competitor: Competitor, name: str) -> Competitor:
    """Another name, for a competitor that has not answered and is the only version of its own.

    Raises CompetitorSealed, NameTaken and ValidationError. Whether a battle knows it is asked above, by
    `battles.renaming`.
    """
    others = Competitor.objects.filter(arena=competitor.arena_id).exclude(pk=competitor.pk)
    if name in {known for row in others for known in (row.name, row.label)}:
        raise catalogue.NameTaken("a competitor", name, "Give another name.")
    competitor.name = name
    return catalogue.save_changed(competitor, ["name"])


def retire(competitor: Competitor, *, now: datetime) -> None:
    """Out of the draw from now on; its votes count on, and battles under way go on."""
    Competitor.objects.filter(pk=competitor.pk, retired_at__isnull=True).update(retired_at=now)


def bring_back(competitor: Competitor) -> None:
    """Into the draw again, as it was."""
    Competitor.objects.filter(pk=competitor.pk).update(retired_at=None)


def _check_known(changes: Iterable[str]) -> None:
    unknown = sorted(set(changes) - CHANGEABLE)
    if unknown:
        raise UnknownSetting(unknown, sorted(CHANGEABLE))


def seal(competitor_ids: Iterable[int], *, now: datetime) -> int:
    """Mark these competitors' first answer, from which on their settings are fixed; says how many are newly sealed.

    One conditional update, which writes nothing for those sealed before.
    """
    return Competitor.objects.filter(pk__in=list(competitor_ids), first_answered_at__isnull=True).update(
        first_answered_at=now
    )
