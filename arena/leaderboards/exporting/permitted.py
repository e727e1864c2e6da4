"""Who may take votes out of an arena, and when."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from arena.leaderboards.exporting.scope import is_over
from arena.leaderboards.reading import check_board
from arena.leaderboards.withholding import BoardWithheld
from arena.refusals import Refusal
from arena.teams.models import Arena
from arena.teams.permissions import Action, may
from arena.teams.person import Person


class ExportRefused(Refusal):
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


class UnknownKind(Refusal):
    code = "unknown_kind"
    sentence = _("“%(kind)s” is no form of a file of votes. Allowed: %(allowed)s.")


def check_export(person: Person, arena: Arena, *, now: datetime, is_full: bool = False) -> None:
    """Raises ExportRefused or BoardWithheld. Public where anybody may vote, elsewhere to who sees the console."""
    if is_full:
        if not may(person, Action.EXPORT_FULL, arena):
            raise FullExportRefused
        return
    if may(person, Action.SEE_CONSOLE, arena):
        return
    check_board(person, arena, now=now)
    if arena.access != Arena.Access.OPEN:
        raise ExportRefused
    if arena.reveal != Arena.Reveal.EACH and not is_over(arena, now=now):
        raise VotesWithheld


def offered(person: Person, arena: Arena, *, now: datetime) -> tuple[str, ...]:
    """Which exports a page should offer: `public`, `full`."""
    return tuple(word for word, is_full in (("public", False), ("full", True)) if _may(person, arena, now, is_full))


def _may(person: Person, arena: Arena, now: datetime, is_full: bool) -> bool:
    try:
        check_export(person, arena, now=now, is_full=is_full)
    except (ExportRefused, BoardWithheld):
        return False
    return True
