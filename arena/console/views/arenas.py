"""The list of arenas, and a new one."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from arena.console.door import seen_by
from arena.console.forms import NewArenaForm, new_arena_settings
from arena.console.state import state_of
from arena.teams import arenas, members, voters
from arena.teams.arenas import SlugTaken
from arena.teams.models import Role
from arena.teams.permissions import Action, may
from arena.teams.person import person_of


@require_safe
@never_cache
def index(request: HttpRequest) -> HttpResponse:
    """The arenas that this person runs or may look into. Who is not signed in and runs none is asked to sign in."""
    person = person_of(request)
    seen = seen_by(person)
    if not seen and not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    now = timezone.now()
    context: dict[str, Any] = {
        "arenas": [(arena, state_of(arena, now=now)) for arena in seen],
        "may_create": may(person, Action.CREATE_ARENA),
        "may_operate": may(person, Action.OPERATE),
        "arena": None,
        "section": "console",
    }
    return render(request, "console/index.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def new(request: HttpRequest) -> HttpResponse:
    """A few questions; then the overview, which says what comes next."""
    if not may(person_of(request), Action.CREATE_ARENA):
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        raise Http404("There is no page at this address, or it is not open to you.")
    form = NewArenaForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                arena = arenas.add_arena(**new_arena_settings(form.cleaned_data))
                members.appoint(arena, voters.ensure_voter(request), Role.OWNER)
        except (SlugTaken, ValidationError) as refused:
            form.add_error("title", str(refused))
        else:
            return redirect("console:overview", slug=arena.slug)
    context = {"form": form, "arena": None, "section": "console"}
    return render(request, "console/new.html", context, status=400 if form.errors else 200)
