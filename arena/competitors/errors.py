"""What can go wrong with competitors."""

from __future__ import annotations

from collections.abc import Sequence


class CompetitorSealed(Exception):
    """A competitor that has answered was about to change."""

    def __init__(self, label: str, fields: Sequence[str]) -> None:
        self.label, self.fields = label, tuple(fields)
        super().__init__(
            f"{label} has answered already, so {', '.join(fields)} cannot change. "
            "Make a new version (competitors.versions.revise) and retire this one."
        )
