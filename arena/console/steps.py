"""What comes next in an arena, each step with the page that does it."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from arena.leaderboards.oversight import Readiness
from arena.leaderboards.sentences import figure
from arena.teams.models import Arena


@dataclass(frozen=True, slots=True)
class Step:
    """A heading, what has been reached, where it is done, and what the link is called."""

    key: str
    name: str
    said: str
    done: bool
    address: str
    verb: str


def steps_of(arena: Arena, ready: Readiness) -> list[Step]:
    """Prompts and answers, or competitors; people; votes; the board."""
    return [*_field(arena, ready), _people(arena, ready), _votes(arena, ready), _board(arena, ready)]


def _field(arena: Arena, ready: Readiness) -> list[Step]:
    prompts = reverse("prompts:sets" if ready.prompts else "prompts:import_answers", args=[arena.slug])
    room = reverse("console:competitors", args=[arena.slug])
    models = _("%(n)s competitors are entered; two can meet.") % {"n": figure(ready.competitors)}
    few = _("Fewer than two competitors are entered.")
    competitors = Step(
        "competitors", _("Competitors"), models if ready.has_field else few, ready.has_field, room,
        _("See competitors") if ready.has_field else _("Enter models"),
    )  # fmt: skip
    if arena.kind == Arena.Kind.LIVE:
        return [competitors]
    counts = {"prompts": figure(ready.prompts), "answers": figure(ready.answers), "n": figure(ready.competitors)}
    said = _("%(prompts)s prompts with %(answers)s answers by %(n)s competitors.") % counts
    has_answers = ready.answers > 1 and ready.has_field
    recorded = Step(
        "prompts", _("Prompts and answers"), said if ready.prompts else _("No prompts yet: bring a spreadsheet."),
        has_answers, prompts, _("Import prompts and answers") if not has_answers else _("See prompts"),
    )  # fmt: skip
    return [recorded, competitors] if arena.kind == Arena.Kind.MIXED else [recorded]


def _people(arena: Arena, ready: Readiness) -> Step:
    said = ngettext("%(n)s member.", "%(n)s members.", ready.members) % {"n": figure(ready.members)}
    if arena.access == Arena.Access.OPEN:
        said = _("Anybody who reaches this server may vote; members besides: %(n)s.") % {"n": figure(ready.members)}
    done = ready.members > 1 or arena.access == Arena.Access.OPEN
    return Step("people", _("People"), said, done, reverse("teams:people", args=[arena.slug]), _("Invite people"))


def _votes(arena: Arena, ready: Readiness) -> Step:
    said = _("%(votes)s votes by %(voters)s voters.") % {"votes": figure(ready.votes), "voters": figure(ready.voters)}
    address = reverse("console:votes", args=[arena.slug])
    return Step("votes", _("Votes"), said, ready.votes > 0, address, _("Watch the votes"))


def _board(arena: Arena, ready: Readiness) -> Step:
    said = _("A board is published.") if ready.published else _("The first board is published after a few votes.")
    address = reverse("leaderboards:board", args=[arena.slug])
    return Step("board", _("Board"), said, ready.published is not None, address, _("See the leaderboard"))
