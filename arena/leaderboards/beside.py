"""The board of every vote beside the published one: what setting votes aside does to each rating, said in public."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from arena.leaderboards.charts import signed
from arena.leaderboards.sentences import figure

FAR = 10
"""Points from which the difference is said above the board."""


def changes(rows: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Points that setting votes aside adds to each rating, by name; the largest changes first."""
    found = {
        row["model_name"]: row["rating"] - row["rating_plain"]
        for row in rows
        if row.get("rating") is not None and row.get("rating_plain") is not None
    }
    return dict(sorted(found.items(), key=lambda item: (-abs(item[1]), item[0])))


def note_of(body: Mapping[str, Any]) -> str:
    """One or two sentences for everybody: how many votes are set aside, and whom that moves by more than `FAR` points.

    Empty where every vote counts.
    """
    about = body.get("snapshot", {}).get("set_aside")
    if not about:
        return ""
    votes, voters = about["votes"], about["voters"]
    said = ngettext(
        "Votes of %(voters)s voter are set aside and held for review, %(votes)s in all.",
        "Votes of %(voters)s voters are set aside and held for review, %(votes)s in all.",
        voters,
    ) % {"votes": figure(votes), "voters": figure(voters)}
    far = [(name, points) for name, points in changes(body["board"]).items() if abs(points) > FAR]
    if far:
        moved = ", ".join(f"{name} {signed(round(points))}" for name, points in far)
        said += " " + _("This moves ratings by more than %(far)s points: %(moved)s.") % {"far": FAR, "moved": moved}
    return said
