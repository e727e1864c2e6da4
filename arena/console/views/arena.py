"""One arena: what comes next, its settings, its end."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from arena.battles import opening
from arena.competitors.watching import ANSWERS, endpoint_states, resting_alone
from arena.console.door import console_arena
from arena.console.forms import ArenaForm
from arena.console.state import state_of
from arena.console.steps import steps_of
from arena.leaderboards import days, oversight
from arena.leaderboards.board_settings import set_board
from arena.teams import arenas
from arena.teams.models import Arena
from arena.teams.permissions import Action, may
from arena.teams.person import person_of


def untold_since(request: HttpRequest, arena: Arena) -> datetime | None:
    """When the open battle here of whoever asks was served."""
    return opening.untold_since(person_of(request), arena, now=timezone.now())


@require_safe
@never_cache
def overview(request: HttpRequest, slug: str) -> HttpResponse:
    """What is there, what comes next, and what is in trouble."""
    arena = console_arena(request, slug)
    now = timezone.now()
    ready = oversight.readiness(arena)
    steps = steps_of(arena, ready)
    counted = oversight.votes_a_day(arena, now=now)
    context = page_context(request, arena) | {
        "state": state_of(arena, now=now),
        "ready": ready,
        "steps": steps,
        "next": next((step.key for step in steps if not step.done), ""),
        "today": counted[-1][1],
        "days": len(counted),
        "recent": sum(votes for _day, votes in counted),
        "chart": days.chart(counted) if ready.votes else "",
        "under_way": oversight.under_way(arena, now=now),
        "troubled": [row for row in endpoint_states(arena, now=now) if row.state != ANSWERS],
        "resting": [] if untold_since(request, arena) else resting_alone(arena, now=now),
    }
    return render(request, "console/overview.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def settings(request: HttpRequest, slug: str) -> HttpResponse:
    """All settings; auditors read them, those who configure change them."""
    arena = console_arena(request, slug, Action.CONFIGURE if request.method == "POST" else Action.SEE_CONSOLE)
    may_change = may(person_of(request), Action.CONFIGURE, arena)
    form = ArenaForm(request.POST if request.method == "POST" else None, instance=arena, may_change=may_change)
    if request.method == "POST" and form.is_valid() and _saved(arena, form):
        messages.success(request, _("Saved."))
        return redirect("console:settings", slug=arena.slug)
    stored = Arena.objects.get(pk=arena.pk)  # a form that was refused has written into its instance
    context = page_context(request, stored) | {
        "form": form,
        "groups": form.groups(),
        "state": state_of(stored, now=timezone.now()),
        "is_closed": arenas.is_closed(stored, now=timezone.now()),
    }
    return render(request, "console/settings.html", context, status=400 if form.errors else 200)


def _saved(arena: Arena, form: ArenaForm) -> bool:
    """Everything or nothing; what the domain refuses is said on the form."""
    stored = Arena.objects.get(pk=arena.pk)
    try:
        with transaction.atomic():
            arenas.configure(stored, **form.arena_changes())
            set_board(stored, **form.board_values())
    except ValidationError as refused:
        form.add_error(None, refused.messages)
        return False
    return True


@require_POST
@never_cache
def change_state(request: HttpRequest, slug: str) -> HttpResponse:
    """Closes, reopens, archives."""
    arena = console_arena(request, slug, Action.CONFIGURE)
    now = timezone.now()
    wanted = request.POST.get("state", "")
    if wanted == "close":
        arenas.close(arena, now=now)
        messages.success(request, _("Closed to votes."))
    elif wanted == "open":
        arenas.reopen(arena)
        messages.success(request, _("Open to votes again."))
    elif wanted == "archive":
        arenas.archive(arena, now=now)
        messages.success(request, _("Archived."))
    else:
        messages.error(request, _("Nothing was changed: close, open and archive are known."))
    return redirect("console:settings", slug=arena.slug)


def page_context(request: HttpRequest, arena: Arena) -> dict[str, Any]:
    """What every page about one arena is handed."""
    may_configure = may(person_of(request), Action.CONFIGURE, arena)
    return {"arena": arena, "section": "console", "may_configure": may_configure}
