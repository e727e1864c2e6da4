"""The one door to everything that shows a board: which arena is meant, and whether its board may be seen by now."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_cache_control

from arena.leaderboards import reading
from arena.leaderboards.withholding import BoardWithheld
from arena.refusals import Refusal
from arena.teams.access import arena_for
from arena.teams.models import Arena
from arena.teams.person import person_of

View = Callable[..., HttpResponseBase]


def for_readers(view: View) -> View:
    """Hands the view its arena instead of a slug; a withheld board is refused in the manner of what was asked."""

    @wraps(view)
    def guarded(request: HttpRequest, slug: str, **kwargs: str) -> HttpResponseBase:
        person = person_of(request)
        arena = arena_for(person, slug, include_archived=True)
        try:
            reading.check_board(person, arena, now=timezone.now())
        except BoardWithheld as withheld:
            response: HttpResponseBase = _refused(request, arena, withheld)
        else:
            response = view(request, arena, **kwargs)
        if arena.board_visibility != Arena.BoardVisibility.DURING:
            patch_cache_control(response, private=True)
        return response

    return guarded


def refusal(refused: Refusal, content_type: str) -> HttpResponse:
    """A refusal in the manner of the file that was asked for: JSON as JSON, anything else as a line of text."""
    response: HttpResponse
    if content_type == "application/json":
        response = JsonResponse({"code": refused.code, "detail": str(refused)}, status=refused.status)
    else:
        response = HttpResponse(f"{refused}\n", status=refused.status, content_type="text/plain; charset=utf-8")
    if retry := getattr(refused, "retry_after", None):
        response["Retry-After"] = str(retry)
    return response


def _refused(request: HttpRequest, arena: Arena, withheld: BoardWithheld) -> HttpResponse:
    if not request.path.endswith("/"):
        return refusal(withheld, "application/json" if request.path.endswith(".json") else "text/plain")
    context = {"arena": arena, "section": "leaderboard", "sentence": str(withheld), "withheld": True}
    return render(request, "leaderboards/refused.html", context, status=withheld.status)
