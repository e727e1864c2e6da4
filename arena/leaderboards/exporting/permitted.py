"""Who may take votes out of an arena, and when."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from arena.battles.errors import BattleError
from arena.leaderboards.exporting.scope import is_over
from arena.teams.models import Arena
from arena.teams.permissions import Action, may
from arena.teams.person import Person


class ExportRefused(BattleError):
    status = 403
    code = "export_refused"
    sentence = _("Votes of this arena are not for you to export.")


class VotesWithheld(ExportRefused):
    code = "votes_withheld"
    sentence = _(
        "Names are not revealed after each vote here, and whoever knows the own votes could find them in an export. "
        "It is there once the arena is closed to votes."
    )


class FullExportRefused(ExportRefused):
    code = "full_export_refused"
    sentence = _("The full export holds what the public one withholds: it is for the owners of the arena.")


def check_export(person: Person, arena: Arena, *, now: datetime, is_full: bool = False) -> None:
    """Raises ExportRefused. Public where anybody may vote, and for whoever sees the console elsewhere."""
    if is_full:
        if not may(person, Action.EXPORT_FULL, arena):
            raise FullExportRefused
        return
    if may(person, Action.SEE_CONSOLE, arena):
        return
    if arena.access != Arena.Access.OPEN or not may(person, Action.SEE_BOARD, arena):
        raise ExportRefused
    if arena.reveal != Arena.Reveal.EACH and not is_over(arena, now=now):
        raise VotesWithheld


def may_export(person: Person, arena: Arena, *, now: datetime, is_full: bool = False) -> bool:
    """Whether a page should offer it."""
    try:
        check_export(person, arena, now=now, is_full=is_full)
    except ExportRefused:
        return False
    return True
