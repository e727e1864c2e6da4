"""Old prompts against fresh ones, competitor by competitor: a page and its file."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from arena.console.door import console_arena
from arena.console.views.arena import page_context
from arena.leaderboards.reading import latest_snapshot
from arena.prompts.models import PromptSet
from arena.teams.models import Arena

if TYPE_CHECKING:
    from arena.leaderboards.freshness import Found


class DayRefused(Exception):
    """The day of an address is no day; says how to write one."""


@require_safe
@never_cache
def freshness(request: HttpRequest, slug: str) -> HttpResponse:
    """The comparison for one set or all, by a day or by the halving one."""
    arena = console_arena(request, slug)
    chosen, problem, found = _set(request, arena), "", None
    try:
        found = _found(request, arena, chosen)
    except DayRefused as refused:
        problem = str(refused)
    context: dict[str, Any] = page_context(request, arena) | {
        "sets": arena.prompt_sets.order_by("name"), "chosen": chosen, "found": found, "problem": problem,
        "given": request.GET.get("since", ""), "query": request.GET.urlencode(), "snapshot": latest_snapshot(arena),
    }  # fmt: skip
    if found is not None:
        from arena.leaderboards.freshness import sentence  # numpy and scipy, which other pages do without

        context["sentence"] = sentence(found)
    return render(request, "console/freshness.html", context, status=400 if problem else 200)


@require_safe
@never_cache
def freshness_csv(request: HttpRequest, slug: str) -> HttpResponse:
    """The same as a file; the header alone before the first snapshot."""
    from arena.leaderboards.freshness import Found, csv_of

    arena = console_arena(request, slug)
    try:
        found = _found(request, arena, _set(request, arena)) or Found((), None, 0, 0, "few_prompts")
    except DayRefused as refused:
        return HttpResponse(str(refused), status=400, content_type="text/plain; charset=utf-8")
    answer = HttpResponse(csv_of(found), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'inline; filename="{arena.slug}-freshness.csv"'
    return answer


def _set(request: HttpRequest, arena: Arena) -> PromptSet | None:
    """The set that the address names; None for all of the arena. Raises Http404 for one that is not here."""
    given = request.GET.get("set", "")
    if not given:
        return None
    found = arena.prompt_sets.filter(pk=int(given)).first() if given.isdecimal() and len(given) < 19 else None
    if found is None:
        raise Http404("There is no such prompt set.")
    return found


def _found(request: HttpRequest, arena: Arena, chosen: PromptSet | None) -> Found | None:
    since = _day(request.GET.get("since", "").strip())
    snapshot = latest_snapshot(arena)
    if snapshot is None:
        return None
    from arena.leaderboards.freshness import compared

    return compared(snapshot, set_id=chosen.pk if chosen else None, since=since)


def _day(given: str) -> date | None:
    if not given:
        return None
    try:
        return date.fromisoformat(given)
    except ValueError:
        says = _(
            "“%(given)s” is no day. Write one as 2026-05-31, or leave it empty for the day that halves the prompts."
        )
        raise DayRefused(says % {"given": given[:40]}) from None
