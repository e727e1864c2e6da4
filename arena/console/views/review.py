"""What the screening found and what was decided: evidence, decisions, reversals."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from arena.console.door import console_arena
from arena.console.views.arena import page_context
from arena.integrity import deciding, standing
from arena.integrity.deciding import Decider
from arena.integrity.errors import DecisionRefused
from arena.integrity.models import Exclusion, Proposal, Screening, ScreeningRun
from arena.integrity.proposing import FLAGGED, pending
from arena.integrity.words import decided_word, rule_word
from arena.teams.models import Arena
from arena.teams.permissions import Action, may
from arena.teams.person import person_of

SHOWN = 200
"""Rows of each table; the newest."""


@require_safe
@never_cache
def review(request: HttpRequest, slug: str) -> HttpResponse:
    """Findings that wait, and every decision; whoever sees the console may read, reviewers decide."""
    arena = console_arena(request, slug)
    in_force = set(standing.decisions(arena).values_list("pk", flat=True))
    decided = Exclusion.objects.filter(arena=arena).select_related("competitor", "reviewer")[:SHOWN]
    context = page_context(request, arena) | {
        "reviews": may(person_of(request), Action.REVIEW, arena),
        "mode": standing.screening_of(arena),
        "modes": [(Screening.AUTOMATIC, _("Automatic")), (Screening.REVIEW, _("Review")), (Screening.OFF, _("Off"))],
        "last": ScreeningRun.objects.filter(arena=arena).first(),
        "waiting": [(row, rule_word(row.rule), row.action != FLAGGED) for row in pending(arena)[:SHOWN]],
        "decided": [
            (row, rule_word(row.rule), _decision(row), row.pk in in_force) for row in decided
        ],
    }  # fmt: skip
    return render(request, "console/review.html", context)


@require_POST
@never_cache
def decide(request: HttpRequest, slug: str) -> HttpResponse:
    """One decision: accept or turn down a proposal, clear an exclusion, or set how findings are dealt with."""
    arena = console_arena(request, slug, Action.REVIEW)
    try:
        _do(request, arena)
    except DecisionRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("Decided. The next board follows it."))
    return redirect("console:review", slug=arena.slug)


def _do(request: HttpRequest, arena: Arena) -> None:
    """Raises DecisionRefused, or Http404 for a row of another arena."""
    now, posted = timezone.now(), request.POST
    decider = Decider(request.user if isinstance(request.user, User) else None)
    why, note = posted.get("why", "")[:2000], posted.get("appeal_note", "")[:2000]
    what, pk = posted.get("what"), posted.get("row", "")
    number = int(pk) if pk.isdecimal() and len(pk) < 19 else 0
    if what == "mode" and posted.get("mode") in Screening.values:
        deciding.set_screening(arena, Screening(posted["mode"]), now=now)
    elif what == "accept":
        deciding.accept(get_object_or_404(Proposal, arena=arena, pk=number), decider, now=now, sentence=why)
    elif what == "turn_down":
        found = get_object_or_404(Proposal, arena=arena, pk=number)
        deciding.turn_down(found, why, decider, now=now, appeal_note=note)
    elif what == "clear":
        deciding.clear(get_object_or_404(Exclusion, arena=arena, pk=number), why, decider, now=now, appeal_note=note)
    else:
        raise DecisionRefused


def _decision(row: Exclusion) -> str:
    if row.action == Exclusion.Action.CLEARED:
        return _("cleared")
    return decided_word(row.action, row.decided_by)
