"""Whether a competitor's name may still be corrected, as it may be told to whoever asks; for pages and programs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from arena.battles import renaming
from arena.competitors import versions
from arena.competitors.models import Competitor


def why_name_stays(row: Competitor, untold: datetime | None) -> str:
    """Why the name stays; while somebody judges, whether it does would say who has just been drawn or answered.

    `untold` is when the asking person's open battle was served, None without one.
    """
    known = row.first_answered_at
    if untold is not None and (known is None or known >= untold):
        return _("Whether it may still be changed is told after your open battle here.")
    return str(renaming.why_fixed(row) or "")


def change(stored: Competitor, name: str, settings: dict[str, Any], *, now: datetime) -> Competitor:
    """Name and settings, both or neither. Raises as `renaming.rename` and `versions.change` do."""
    with transaction.atomic():
        if name != stored.name:
            renaming.rename(stored, name)
        return versions.change(stored, now=now, **settings)
