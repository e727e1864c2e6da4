"""The leaderboard's page."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from arena.leaderboards import charts, checked, cost_chart, costs, reading
from arena.leaderboards.board_settings import board_settings
from arena.leaderboards.claims import CANNOT_TELL
from arena.leaderboards.exporting.permitted import offered
from arena.leaderboards.reserving import held_back_sentence
from arena.leaderboards.sentences import controlled_sentence, money, saving_sentence, top_sentence, worded
from arena.leaderboards.slices import STYLES
from arena.leaderboards.views import filters
from arena.leaderboards.views.readers import for_readers
from arena.refusals import Refusal
from arena.teams.models import Arena
from arena.teams.person import person_of


@require_safe
@for_readers
def board(request: HttpRequest, arena: Arena) -> HttpResponse:
    """The board, or that of a part of its votes, with what it does not know said first."""
    context: dict[str, Any] = {"arena": arena, "section": "leaderboard", "board": None}
    try:
        choice, by_default = _asked(request, arena)
        published = reading.board_of_choice(choice)
    except Refusal as refused:
        page = render(
            request, "leaderboards/refused.html", {**context, "sentence": str(refused)}, status=refused.status
        )
        if retry := getattr(refused, "retry_after", None):
            page["Retry-After"] = str(retry)
        return page
    if published is not None:
        context["exports"] = offered(person_of(request), arena, now=timezone.now())
        context |= _board_context(published, request.GET.get("sort", "rating"))
        context |= filters.context(choice, published, sort=context["sort"], style_by_default=by_default)
    return render(request, "leaderboards/board.html", context)


def _asked(request: HttpRequest, arena: Arena) -> tuple[reading.Choice, bool]:
    """What the address asks for; without a word on style the arena's own default, which is the second value."""
    choice = reading.chosen(arena, dict(request.GET.lists()), person_of(request))
    by_default = choice.facets.has_styles and board_settings(arena).controls_style
    if by_default and "style" not in request.GET:
        choice = replace(choice, part=replace(choice.part, style=STYLES))
    return choice, by_default


def _board_context(published: reading.PublishedBoard, sort: str) -> dict[str, Any]:
    rows = published.rows
    axis = charts.axis_for(rows)
    ranked = [row["model_name"] for row in rows if row["rank"] is not None]
    runs = charts.undecided_runs(ranked, published.apart)
    by_rating = sort not in reading.SORTS or sort == "rating"
    facts = published.facts
    leaders = {name for name in ranked if frozenset((ranked[0], name)) not in published.apart}
    cards = [
        {
            **row,
            "half": (row["rating_upper"] - row["rating_lower"]) / 2 if row["rating_lower"] is not None else None,
            "change": _change(row),
            "rank_text": _rank_text(row),
            "win_percent": _percent(row["win_rate"]),
            "tie_percent": _percent(row["tie_rate"]),
            "bad_percent": _percent(row["both_bad_rate"]),
            "error_percent": _percent(row["error_rate"]),
            "cost_text": "" if row["cost_per_1k_answers"] is None else money(row["cost_per_1k_answers"]),
            "whisker": charts.whisker(row, axis),
            "lanes": charts.brackets(ranked.index(row["model_name"]), runs) if by_rating and row["rank"] else "",
            "band": by_rating and len(leaders) > 1 and row["model_name"] in leaders,
            "flag": "" if row["status"] == "ranked" else row["status"],
        }
        for row in reading.sorted_rows(rows, sort)
    ]
    settle = [pair for pair in published.verdicts.values() if pair.verdict == CANNOT_TELL and pair.more_votes]
    beside = bool(published.set_aside) and published.part.is_whole
    return {
        "board": published,
        "paired": beside or bool(published.part.style),
        "sentence": controlled_sentence(facts) if published.part.style else top_sentence(facts),
        "interval": worded(published.method["interval"]),
        "prior": worded(published.method["prior"]),
        "notes": [worded(note) for note in published.notes],
        "rows": cards,
        "held_back": held_back_sentence(published.reasons, rows),
        "axis": charts.axis_head(axis),
        "sort": "rating" if by_rating else sort,
        "matrix": charts.win_matrix(ranked[:30], published.matrix) if len(ranked) > 1 else "",
        "settle": settle[:6],
        "cost_chart": cost_chart.rating_against_cost(costs.offers(rows)),
        "has_costs": any(row["cost_per_1k_answers"] is not None for row in rows),
        "checks": checked.table_of(rows),
        "saving": saving_sentence(costs.saving(rows, published.verdicts)),
    }


def _percent(share: float | None) -> float | None:
    return None if share is None else share * 100


def _change(row: dict[str, Any]) -> str | None:
    """What holding style equal, or setting votes aside, does to a rating, signed."""
    if row["rating"] is None or row["rating_plain"] is None:
        return None
    return charts.signed(round(row["rating"] - row["rating_plain"]))


def _rank_text(row: dict[str, Any]) -> str:
    if row["rank_lower"] is None:
        return "–"
    low, high = row["rank_lower"], row["rank_upper"]
    return str(low) if low == high else f"{low}–{high}"
