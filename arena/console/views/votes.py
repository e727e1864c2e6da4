"""Votes as they come in: a day, by voter, under way, set aside, and what they cost."""

from __future__ import annotations

import csv
import io

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from arena.battles.words import VoidReason
from arena.competitors.watching import NO_KEY, NO_MODEL, RESTS, RESTS_ALONE, endpoint_states
from arena.console.door import console_arena
from arena.console.views.arena import page_context
from arena.leaderboards import charts, days, oversight
from arena.leaderboards.reading import latest_snapshot
from arena.teams.models import Arena
from arena.teams.permissions import Action, may
from arena.teams.person import person_of


@require_safe
@never_cache
def votes(request: HttpRequest, slug: str) -> HttpResponse:
    """The figures of one arena."""
    arena = console_arena(request, slug)
    now = timezone.now()
    counted = oversight.votes_a_day(arena, now=now)
    spent = oversight.spending(arena)
    with_names = may(person_of(request), Action.CONFIGURE, arena)
    context = page_context(request, arena) | {
        "counted": list(reversed(counted)),
        "total": sum(count for _day, count in counted),
        "chart": days.chart(counted),
        "ready": oversight.readiness(arena),
        "voters": oversight.progress_of_voters(arena, with_names=with_names),
        "most_voters": oversight.VOTERS_SHOWN,
        "with_names": with_names,
        "under_way": oversight.under_way(arena, now=now),
        "voids": [(void_words().get(reason, reason), count) for reason, count in oversight.voids(arena).items()],
        "endpoints": [(row, endpoint_words().get(row.state, _("answers"))) for row in endpoint_states(arena, now=now)],
        "spent": spent,
        "spent_total": sum(row.cost or 0 for row in spent),
        "snapshot": latest_snapshot(arena),
    }
    return render(request, "console/votes.html", context)


@require_safe
@never_cache
def daily(request: HttpRequest, slug: str, kind: str) -> HttpResponse:
    """Votes a day as a file."""
    arena = console_arena(request, slug)
    counted = oversight.votes_a_day(arena, now=timezone.now())
    if kind == "svg":
        return HttpResponse(charts.standalone(days.chart(counted)), content_type="image/svg+xml")
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["day", "votes"])
    writer.writerows((day.isoformat(), count) for day, count in counted)
    return _csv(out.getvalue(), arena)


def _csv(text: str, arena: Arena) -> HttpResponse:
    answer = HttpResponse(text, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'inline; filename="{arena.slug}-votes-a-day.csv"'
    return answer


def void_words() -> dict[str, str]:
    """Why a battle was set aside, for those who run the arena."""
    return {
        VoidReason.SIDE_FAILED: _("a side failed"),
        VoidReason.STALLED: _("the stream stood still"),
        VoidReason.STOPPED: _("the voter stopped it"),
        VoidReason.INTERRUPTED: _("the server was restarted"),
        VoidReason.REPEATED: _("an answer repeated one whose author the voter knew"),
    }


def endpoint_words() -> dict[str, str]:
    """What is the matter with an endpoint, or with a competitor alone."""
    return {
        RESTS: _("out of the draw"),
        RESTS_ALONE: _("this competitor is out of the draw"),
        NO_KEY: _("its key is not set"),
        NO_MODEL: _("the local model does not run"),
    }
