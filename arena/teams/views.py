"""The front door."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from arena.competitors import endpoints
from arena.teams.access import arenas_for


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The arenas that this person may enter; straight to the only one."""
    arenas = list(arenas_for(request.user))
    if len(arenas) == 1:
        return redirect("battles:vote_page", slug=arenas[0].slug)
    now = timezone.now()
    for arena in arenas:
        arena.closed_reason = "" if arena.is_simulated else endpoints.why_closed(arena, now=now)  # type: ignore[attr-defined]
    return render(request, "teams/home.html", {"arenas": arenas, "arena": None, "section": ""})


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The 404 page. Django's own looks into the body for a CSRF token first, and a malformed one made it a 500."""
    return render(request, "404.html", status=404)
