"""What a board holds back for reasons that its votes do not tell: few votes of strangers, an open alarm, retirement.

A snapshot's JSON keeps the reasons in `snapshot.standing`, beside the rows, whose own `status` says what the fit alone
says: so a CSV can still be rebuilt from the votes, byte for byte, by somebody who knows neither alarms nor retirements.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from arena.competitors.models import Competitor
from arena.integrity.alarms import open_alarms
from arena.leaderboards.sentences import figure
from arena.teams.models import Arena

LEAST_VOTES = 1_000
"""Where anybody may vote, a competitor with fewer is preliminary: a few dozen made-up voters would move it."""


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why rows are held back. `least_votes` is None where voters are known, or simulated."""

    least_votes: int | None
    alarms: tuple[str, ...]
    retired: tuple[str, ...]

    def status(self, name: str, status: str, votes: float) -> str:
        """The row's status with what is held back, retirement left out: a weaker one than the fit's changes nothing."""
        few = self.least_votes is not None and votes < self.least_votes
        return "preliminary" if status == "ranked" and (few or name in self.alarms) else status

    def as_json(self, rows: Iterable[tuple[str, str, float]]) -> dict[str, Any]:
        """The reasons, and the rows whose status they change: retired before preliminary and provisional."""
        changed = {}
        for name, status, votes in rows:
            word = self.status(name, status, votes)
            word = "retired" if name in self.retired and word != "not_comparable" else word
            if word != status:
                changed[name] = word
        return {
            "least_votes": self.least_votes, "alarms": list(self.alarms), "retired": list(self.retired),
            "status": changed,
        }  # fmt: skip


def reasons_of(arena: Arena, labels: Mapping[int, str], *, at: datetime) -> Reasons:
    """As they are now; `at` is when the board is published."""
    retired = Competitor.objects.filter(pk__in=list(labels), retired_at__lte=at).values_list("pk", flat=True)
    is_open = arena.access == Arena.Access.OPEN and not arena.is_simulated
    return Reasons(
        LEAST_VOTES if is_open else None,
        tuple(sorted(labels[pk] for pk in open_alarms(arena) if pk in labels)) if is_open else (),
        tuple(sorted(labels[pk] for pk in retired)),
    )


def published_reasons(body: Mapping[str, Any]) -> Reasons | None:
    """Those that a board's JSON was published with; None where an earlier release knew of none, and for parts."""
    said = body.get("snapshot", {}).get("standing")
    return None if said is None else Reasons(said["least_votes"], tuple(said["alarms"]), tuple(said["retired"]))


def hold_back(rows: list[dict[str, Any]], reasons: Reasons | None) -> list[dict[str, Any]]:
    """The rows for a page: `status` with what is held back, and whether each is `retired`."""
    if reasons is None:
        return [{**row, "retired": False} for row in rows]
    return [
        {
            **row,
            "status": reasons.status(row["model_name"], row["status"], row["vote_count"]),
            "retired": row["model_name"] in reasons.retired,
        }
        for row in rows
    ]


def held_back_sentence(reasons: Reasons | None, rows: Iterable[Mapping[str, Any]]) -> str:
    """Why rows of this board are preliminary though their fit is not, in public; empty where none is."""
    if reasons is None:
        return ""
    said, least = [], reasons.least_votes
    if least is not None and any(row["rating"] is not None and row["vote_count"] < least for row in rows):
        said.append(
            _("Anybody may vote here, so a competitor is preliminary under %(least)s rated votes.")
            % {"least": figure(least)}
        )
    if reasons.alarms:
        said.append(_("An alarm of the screening is open for %(names)s.") % {"names": ", ".join(reasons.alarms)})
    if reasons.retired:
        said.append(_("Retired competitors are drawn no more; their last interval stays."))
    return " ".join(said)
