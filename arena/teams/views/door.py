"""The front door."""

from __future__ import annotations

import sys

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_safe

from arena.competitors import endpoints
from arena.teams.access import arenas_for
from arena.teams.person import person_of


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The arenas that this person may enter; straight to the only one."""
    arenas = list(arenas_for(person_of(request)))
    if len(arenas) == 1:
        return redirect("battles:vote_page", slug=arenas[0].slug)
    now = timezone.now()
    for arena in arenas:
        arena.closed_reason = "" if arena.is_simulated else endpoints.why_closed(arena, now=now)  # type: ignore[attr-defined]
    return render(request, "teams/home.html", {"arenas": arenas, "arena": None, "section": ""})


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The 404 page. Django's own looks into the body for a CSRF token first, and a malformed one made it a 500."""
    return render(request, "404.html", status=404)


def failed(request: HttpRequest) -> HttpResponse:
    """The page of an error nobody foresaw: 503 and a time to try again where the database refused, else 500.

    Rendered without the request, whose session would ask the database once more.
    """
    refused = isinstance(sys.exc_info()[1], DatabaseError)
    text = render_to_string("503.html" if refused else "500.html", {"rate_limits_off": not settings.RATE_LIMITS})
    return HttpResponse(text, status=503, headers={"Retry-After": "2"}) if refused else HttpResponse(text, status=500)
