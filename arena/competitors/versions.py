"""Versions: a competitor that has answered never changes; a change makes the next version."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max

from arena.competitors import catalogue, health
from arena.competitors.models import Competitor

ABOUT = frozenset({"description", "organization", "license", "price_in", "price_out", "context_length"})
"""What says nothing about how a competitor answers; it may be corrected after it has."""
CHANGEABLE = ABOUT | frozenset(
    {"endpoint", "model_id", "revision", "system_prompt", "temperature", "top_p", "max_tokens", "stop", "extra_body"}
)

ALWAYS = datetime.min.replace(tzinfo=UTC)
"""As `untold`: every reason is held back."""


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
        Competitor.objects.filter(pk=old.pk, retired_at__isnull=True).update(
            retired_at=now, retired_reason="", replaced_by=new
        )
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


def retire(competitor: Competitor, *, reason: str = "", now: datetime) -> None:
    """Out of the draw from now on, for a reason; its votes count on, and battles under way go on.

    One that is retired already keeps its date, and its reason unless another is given. Raises ValidationError where
    the reason is no line of at most 200 characters.
    """
    reason = _checked_reason(reason)
    rows = Competitor.objects.filter(pk=competitor.pk)
    is_new = rows.filter(retired_at__isnull=True).update(retired_at=now, retired_reason=reason, replaced_by=None)
    if reason and not is_new:
        rows.filter(retired_at__isnull=False).update(retired_reason=reason)


def bring_back(competitor: Competitor) -> None:
    """Into the draw again, as it was; why it was out is told no more."""
    Competitor.objects.filter(pk=competitor.pk).update(retired_at=None, retired_reason="", replaced_by=None)


@dataclass(frozen=True, slots=True)
class WhyRetired:
    """Why a competitor was retired, as it may be told to whoever asks."""

    reason: str | None
    """As its operator wrote it, empty where none was given; None while it is held back."""
    replaced_by: str
    """The version that took its place, by its name on the board."""


def why_retired(competitor: Competitor, untold: datetime | None) -> WhyRetired | None:
    """Why it was retired; None for one in service.

    `untold` is when the asking person's open battle was served, None without one: who was retired since may be one of
    its two, and a reason could say how it answers. Who was retired before is not in it.
    """
    if competitor.retired_at is None:
        return None
    is_told = untold is None or competitor.retired_at < untold
    successor = competitor.replaced_by
    return WhyRetired(competitor.retired_reason if is_told else None, successor.label if successor else "")


def _checked_reason(reason: str) -> str:
    field = Competitor._meta.get_field("retired_reason")
    try:
        return str(field.clean(reason.strip(), None))
    except ValidationError as refused:
        raise ValidationError({"retired_reason": refused.messages}) from None


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
