"""Two competitors: is one better, however often one looks?"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from arena.leaderboards import charts, profile, reading
from arena.leaderboards.claims import BETTER, CANNOT_TELL, NO_DIFFERENCE, TOO_FEW, PairVerdict
from arena.leaderboards.comparing import NotAsked, asked_pair
from arena.leaderboards.profile import Meeting
from arena.leaderboards.sentences import figure
from arena.leaderboards.views.readers import for_readers
from arena.teams.models import Arena


@require_safe
@for_readers
def compare(request: HttpRequest, arena: Arena) -> HttpResponse:
    """The form alone, or the form and what the last snapshot says of the two that it names."""
    published = reading.published_board(arena)
    a, b = request.GET.get("a", ""), request.GET.get("b", "")
    context: dict[str, Any] = {
        "arena": arena, "section": "leaderboard", "board": published, "names": profile.known_names(arena),
        "a": a, "b": b, "error": "",
    }  # fmt: skip
    status = 200
    if a or b:
        try:
            asked_pair(arena, a, b)
        except NotAsked as refusal:
            context["error"], status = str(refusal), refusal.status
        else:
            context |= _said(published, a, b)
    return render(request, "leaderboards/compare.html", context, status=status)


def _said(published: reading.PublishedBoard | None, a: str, b: str) -> dict[str, Any]:
    found = profile.meeting(published, a, b) if published else None
    pair = found.verdict if found else None
    if published is None or pair is None:
        return {"sentence": _("The board says nothing of these two yet."), "meeting": None, "pair": None}
    margin = figure(published.facts["margin"])
    chart = ""
    if pair.difference is not None and pair.lower is not None and pair.upper is not None:
        chart = charts.difference(pair.difference, pair.lower, pair.upper)
    return {
        "sentence": sentence(pair, margin),
        "more": what_it_takes(pair),
        "margin": margin,
        "meeting": found,
        "pair": pair,
        "chart": chart,
        "difference": None if pair.difference is None else charts.signed(round(pair.difference)),
        "lower": None if pair.lower is None else charts.signed(round(pair.lower)),
        "upper": None if pair.upper is None else charts.signed(round(pair.upper)),
    }


def sentence(pair: PairVerdict, margin: str) -> str:
    """The verdict as one clear sentence."""
    names = {"a": pair.first, "b": pair.second, "margin": margin}
    if pair.verdict == BETTER:
        worse = pair.second if pair.better == pair.first else pair.first
        return _("%(better)s is better than %(worse)s.") % {"better": pair.better, "worse": worse}
    return {
        NO_DIFFERENCE: _("%(a)s and %(b)s are practically equal: they do not differ by more than %(margin)s points."),
        CANNOT_TELL: _("It cannot be told yet whether %(a)s or %(b)s is better."),
        TOO_FEW: _("There are too few votes on %(a)s and %(b)s to say anything, or nothing connects them."),
    }[pair.verdict] % names


def what_it_takes(pair: PairVerdict) -> str:
    """What more votes would tell; empty where it is settled or nobody can say."""
    if pair.verdict in (BETTER, NO_DIFFERENCE):
        return ""
    said = []
    if pair.more_votes:
        more = ngettext(
            "About %(more)s more vote on these two would settle it.",
            "About %(more)s more votes on these two would settle it.",
            pair.more_votes,
        )
        said.append(more % {"more": figure(pair.more_votes)})
    if pair.needs_new_voters:
        said.append(_("More people have to judge; more votes of the same people would not settle it."))
    return " ".join(said)


def verdict_word(found: Meeting) -> str:
    """A verdict in a table, seen from the first of the two."""
    pair = found.verdict
    if pair is None or pair.verdict == TOO_FEW:
        return _("too few votes")
    if pair.verdict == BETTER:
        return _("better") if pair.better == pair.first else _("worse")
    return _("practically equal") if pair.verdict == NO_DIFFERENCE else _("cannot tell yet")
