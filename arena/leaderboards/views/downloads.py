"""The published bytes, and the charts with the numbers behind them."""

from __future__ import annotations

import csv
import hashlib
import io
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.cache import patch_cache_control
from django.utils.http import http_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from arena.leaderboards import charts, reading
from arena.leaderboards.verdicts import PairVerdict
from arena.teams.access import arena_for
from arena.teams.models import Arena


@require_safe
def board_csv(request: HttpRequest, slug: str) -> HttpResponse:
    """The published CSV, byte for byte."""
    arena = arena_for(request.user, slug, include_archived=True)
    return _bytes(request, arena, reading.board_csv_of(arena), "text/csv; charset=utf-8")


@require_safe
def board_json(request: HttpRequest, slug: str) -> HttpResponse:
    """The published JSON, byte for byte."""
    arena = arena_for(request.user, slug, include_archived=True)
    return _bytes(request, arena, reading.board_json_of(arena), "application/json")


@require_safe
def chart(request: HttpRequest, slug: str, name: str, kind: str) -> HttpResponse:
    """One chart as SVG, or the numbers behind it as CSV."""
    arena = arena_for(request.user, slug, include_archived=True)
    published = reading.published_board(arena)
    if published is None:
        raise Http404("Nothing is published yet.")
    ranked = [row["model_name"] for row in published.rows if row["rank"] is not None]
    if kind == "csv":
        return _bytes(request, arena, _chart_csv(published, name), "text/csv; charset=utf-8")
    svg = charts.win_matrix(ranked, published.matrix) if name == "matrix" else charts.intervals(published.rows)
    note = _("Every vote here is simulated and the competitors do not exist.") if arena.is_simulated else ""
    return _bytes(request, arena, charts.standalone(svg, note=note), "image/svg+xml")


def _chart_csv(published: reading.PublishedBoard, name: str) -> str:
    if name == "matrix":
        return _matrix_csv(published.matrix)
    return _pairs_csv(published.verdicts) if name == "pairs" else published.snapshot.board_csv


def _pairs_csv(pairs: dict[tuple[str, str], PairVerdict]) -> str:
    """Every pair with its verdict, and its difference in points; `more_votes` is empty where nobody can say."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["model_a", "model_b", "verdict", "difference", "lower", "upper", "votes", "more_votes"])
    for pair in pairs.values():
        names = [reading.safe_cell(pair.first), reading.safe_cell(pair.second)]
        writer.writerow([*names, pair.verdict, pair.difference, pair.lower, pair.upper, pair.votes, pair.more_votes])
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


def _bytes(request: HttpRequest, arena: Arena, text: str, content_type: str) -> HttpResponse:
    """A published text with an ETag of its content."""
    etag = f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'
    if request.headers.get("If-None-Match") == etag:
        return HttpResponseNotModified(headers={"ETag": etag})
    response = HttpResponse(text, content_type=content_type)
    response["ETag"] = etag
    if arena.is_simulated:  # a CSV has no place to say so but its name
        name = request.path.rsplit("/", 1)[1]
        response["Content-Disposition"] = f'inline; filename="{arena.slug}-simulated-{name}"'
    if arena.access != Arena.Access.OPEN:
        patch_cache_control(response, private=True)
    snapshot = reading.latest_snapshot(arena)
    if snapshot is not None:
        response["Last-Modified"] = http_date(snapshot.published_at.timestamp())
    return response
