"""Who may see an arena's board, and when; a refusal says what to do."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from arena.battles import assignment
from arena.battles.models import Vote
from arena.refusals import Refusal
from arena.teams.arenas import is_closed
from arena.teams.models import Arena
from arena.teams.permissions import Action, may
from arena.teams.person import Person


class BoardWithheld(Refusal):
    """The arena shows its board later, or to others."""

    status = 403
    code = "board_withheld"


class VotesFirst(BoardWithheld):
    sentence = _(
        "This board opens to you after a number of own votes: %(votes)s. So far: %(done)s. Judge on, then return."
    )


class ClosingFirst(BoardWithheld):
    sentence = _("This board is shown when the arena is closed to votes. Until then there is nothing to do but vote.")


class NotForYou(BoardWithheld):
    sentence = _("This board is for members of the arena. Ask those who run it for an invitation.")


def why_withheld(person: Person, arena: Arena, *, now: datetime) -> BoardWithheld | None:
    """Why this person may not see the board now; None where they may. Those who see the console always may."""
    if may(person, Action.SEE_CONSOLE, arena):
        return None
    if not may(person, Action.SEE_BOARD, arena):
        return NotForYou()
    if arena.board_visibility == Arena.BoardVisibility.DURING or arena.archived_at or is_closed(arena, now=now):
        return None
    if arena.board_visibility == Arena.BoardVisibility.CLOSED:
        return ClosingFirst()
    return _votes_first(person, arena)


def _votes_first(person: Person, arena: Arena) -> VotesFirst | None:
    """Own votes, repeats too: they are work. Who has judged the whole prompt set has done enough."""
    voter, wanted = person.voter(), arena.board_after_votes
    done = Vote.objects.filter(voter=voter, battle__arena=arena)[:wanted].count() if voter else 0
    if done >= wanted or (voter is not None and assignment.is_done(arena, voter)):
        return None
    return VotesFirst(votes=wanted, done=done)
