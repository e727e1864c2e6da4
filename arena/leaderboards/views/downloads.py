"""The published bytes, and the charts with the numbers behind them."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.cache import patch_cache_control
from django.utils.http import http_date
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from arena.leaderboards import charts, cost_chart, costs, reading
from arena.leaderboards.claims import PairVerdict
from arena.leaderboards.slices import OFF, Slice, SliceRefused
from arena.leaderboards.views.readers import for_readers, refusal
from arena.refusals import Refusal
from arena.teams.models import Arena
from arena.teams.person import person_of


@require_safe
@for_readers
def board_csv(request: HttpRequest, arena: Arena) -> HttpResponse:
    """The published CSV, byte for byte, or that of the part asked for."""
    return file_of(request, arena, reading.csv_of_choice, "text/csv; charset=utf-8")


@require_safe
@for_readers
def board_json(request: HttpRequest, arena: Arena) -> HttpResponse:
    """The published JSON, byte for byte, or that of the part asked for."""
    return file_of(request, arena, reading.json_of_choice, "application/json")


def file_of(
    request: HttpRequest, arena: Arena, text_of: Callable[[reading.Choice], str], content_type: str
) -> HttpResponse:
    """A text that follows from what the address asks for, or a refusal in its manner."""
    try:
        choice = reading.chosen(arena, dict(request.GET.lists()), person_of(request))
        return _bytes(request, arena, choice, text_of(choice), content_type)
    except Refusal as refused:
        return refusal(refused, content_type)


@require_safe
@for_readers
def chart(request: HttpRequest, arena: Arena, name: str, kind: str) -> HttpResponse:
    """One chart as SVG, or the numbers behind it as CSV, of the board or of the part asked for."""
    content_type = "text/csv; charset=utf-8" if kind == "csv" else "image/svg+xml"
    try:
        choice = reading.chosen(arena, dict(request.GET.lists()), person_of(request))
        published = reading.board_of_choice(choice)
        if published is None:
            raise Http404("Nothing is published yet.")
        if kind == "csv":
            return _bytes(request, arena, choice, _chart_csv(choice, published, name), content_type)
    except Refusal as refused:
        return refusal(refused, content_type)
    ranked = [row["model_name"] for row in published.rows if row["rank"] is not None]
    if name == "matrix":
        svg = charts.win_matrix(ranked, published.matrix)
    elif name == "cost":
        svg = cost_chart.rating_against_cost(costs.offers(published.rows))
    else:
        svg = charts.intervals(published.rows)
    if not svg:
        raise Http404("The prices that this chart needs are not known.")
    note = _("Every vote here is simulated and the competitors do not exist.") if arena.is_simulated else ""
    return _bytes(request, arena, choice, charts.standalone(svg, note=note), content_type)


def _chart_csv(choice: reading.Choice, published: reading.PublishedBoard, name: str) -> str:
    """Verdicts on pairs know no style, so that they are given for plain boards only."""
    if name == "matrix":
        return _matrix_csv(published.matrix)
    if name == "cost":
        return _cost_csv(costs.offers(published.rows))
    if name == "pairs":
        if choice.part.style:
            raise SliceRefused(parameter="style", value=choice.part.query()["style"], allowed=OFF)
        return _pairs_csv(published.verdicts)
    return reading.csv_of_choice(choice)


def _pairs_csv(pairs: dict[tuple[str, str], PairVerdict]) -> str:
    """Every pair with its verdict, and its difference in points; `more_votes` is empty where nobody can say."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["model_a", "model_b", "verdict", "difference", "lower", "upper", "votes", "more_votes"])
    for pair in pairs.values():
        names = [reading.safe_cell(pair.first), reading.safe_cell(pair.second)]
        writer.writerow([*names, pair.verdict, pair.difference, pair.lower, pair.upper, pair.votes, pair.more_votes])
    return out.getvalue()


def _cost_csv(offers: list[costs.Offer]) -> str:
    """Ratings beside costs, the cheapest first."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["model_name", "cost_per_1k_answers", "rating", "rating_lower", "rating_upper", "on_front"])
    for offer in offers:
        front = "true" if offer.on_front else "false"
        writer.writerow([reading.safe_cell(offer.name), offer.cost, offer.rating, offer.lower, offer.upper, front])
    return out.getvalue()


def _matrix_csv(matrix: list[list[Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["model_a", "model_b", "wins_a", "ties", "both_bad", "wins_b", "votes", "win_rate_a"])
    for first, second, *counts in matrix:
        wins, ties, both_bad, _losses = counts
        votes = sum(counts)
        names = [reading.safe_cell(first), reading.safe_cell(second)]
        writer.writerow([*names, *counts, votes, (wins + (ties + both_bad) / 2) / votes])
    return out.getvalue()


def _bytes(request: HttpRequest, arena: Arena, choice: reading.Choice, text: str, content_type: str) -> HttpResponse:
    """A published text with an ETag of its content."""
    etag = f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'
    if request.headers.get("If-None-Match") == etag:
        return HttpResponseNotModified(headers={"ETag": etag})
    response = HttpResponse(text, content_type=content_type)
    response["ETag"] = etag
    said = _said_by_name(arena, choice.part)
    if said:  # a CSV has no place to say so but its name
        name = request.path.rsplit("/", 1)[1]
        response["Content-Disposition"] = f'inline; filename="{arena.slug}-{said}-{name}"'
    if arena.access != Arena.Access.OPEN:
        patch_cache_control(response, private=True)
    if choice.snapshot is not None:
        response["Last-Modified"] = http_date(choice.snapshot.published_at.timestamp())
    return response


def _said_by_name(arena: Arena, part: Slice) -> str:
    """That votes are simulated, and which of them are counted; empty for all votes of people."""
    words = ["simulated"] if arena.is_simulated else []
    words += [f"{name}-{slugify(value.replace(',', '-'))}" for name, value in part.query().items()]
    return "-".join(words)
