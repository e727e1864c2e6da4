"""Who was retired, when, why, and what the last board said: nobody vanishes without a word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Subquery

from arena.competitors.models import Competitor
from arena.competitors.versions import WhyRetired, why_retired
from arena.leaderboards.models import Snapshot, SnapshotRow
from arena.teams.models import Arena


@dataclass(frozen=True, slots=True)
class Retirement:
    """A competitor out of the draw; `last` is its line on the last board that has it, None where none ever had."""

    name: str
    at: datetime
    why: WhyRetired
    last: SnapshotRow | None

    @property
    def half(self) -> float | None:
        """Half the last interval's width, in points."""
        if self.last is None or self.last.rating_lower is None or self.last.rating_upper is None:
            return None
        return (self.last.rating_upper - self.last.rating_lower) / 2

    def as_json(self) -> dict[str, Any]:
        """Plain values; `reason` is null while it is held back, and empty where none was given."""
        last = self.last
        return {
            "name": self.name,
            "retired_at": self.at.isoformat(),
            "reason": self.why.reason,
            "replaced_by": self.why.replaced_by or None,
            "snapshot": last and last.snapshot.number,
            "rating": last and last.rating,
            "rating_lower": last and last.rating_lower,
            "rating_upper": last and last.rating_upper,
        }


def retirements(arena: Arena, snapshot: Snapshot | None, *, untold: datetime | None) -> list[Retirement]:
    """Everybody who is retired now, the latest first, with ratings up to the snapshot; `untold` as in `why_retired`."""
    number = snapshot.number if snapshot else 0
    lines = SnapshotRow.objects.filter(
        competitor=OuterRef("pk"), snapshot__arena=arena, snapshot__number__lte=number
    ).order_by("-snapshot__number")
    retired = (
        Competitor.objects.filter(arena=arena, retired_at__isnull=False)
        .select_related("replaced_by")
        .annotate(last_line=Subquery(lines.values("pk")[:1]))
        .order_by("-retired_at", "name", "version")
    )
    found = list(retired)
    last = SnapshotRow.objects.select_related("snapshot").in_bulk([row.last_line for row in found if row.last_line])
    return [
        Retirement(row.label, row.retired_at, why, last.get(row.last_line))
        for row in found
        if row.retired_at is not None and (why := why_retired(row, untold)) is not None
    ]
