"""One competitor's page, and its rating over the snapshots as files."""

from __future__ import annotations

import csv
import io
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from arena.battles.opening import untold_since
from arena.competitors.models import Competitor
from arena.competitors.versions import why_retired
from arena.leaderboards import charts, plots, profile, reading
from arena.leaderboards.costs import cost_of_thousand
from arena.leaderboards.sentences import figure
from arena.leaderboards.views.compare import verdict_word
from arena.leaderboards.views.readers import for_readers
from arena.teams.models import Arena
from arena.teams.permissions import Action, may
from arena.teams.person import person_of


@require_safe
@for_readers
def competitor(request: HttpRequest, arena: Arena, name: str) -> HttpResponse:
    """What is known of a competitor, on the board or not, retired or not; operators may read what won and lost."""
    row = _asked(arena, name)
    published = reading.published_board(arena)
    context: dict[str, Any] = {
        "arena": arena, "section": "leaderboard", "competitor": row, "board": published, "line": None,
        "settings": _settings(row), "price_in": _number(row.price_in, "–"), "price_out": _number(row.price_out, "–"),
        "why": why_retired(row, untold_since(person_of(request), arena, now=timezone.now())),
    }  # fmt: skip
    if published is not None:
        context |= _on_the_board(published, row)
        if may(person_of(request), Action.SEE_CONSOLE, arena) and not arena.is_simulated:
            # Never for anybody else: an answer whose author is known must not be served again to who knows, and
            # nobody keeps count of who read this page.
            recorded = not profile.votes_here(request.user, arena)
            context |= {
                "reads": [
                    (_("Answers that won"), profile.reads(published.snapshot, row, won=True, recorded=recorded)),
                    (_("Answers that lost"), profile.reads(published.snapshot, row, won=False, recorded=recorded)),
                ],
                "recorded_withheld": not recorded,
            }
    response = render(request, "leaderboards/competitor.html", context)
    patch_cache_control(response, private=True)
    return response


@require_safe
@for_readers
def history(request: HttpRequest, arena: Arena, name: str, kind: str) -> HttpResponse:
    """The rating in every snapshot, as CSV, or drawn."""
    row = _asked(arena, name)
    published = reading.published_board(arena)
    if published is None:
        raise Http404("Nothing is published yet.")
    if kind == "csv":
        answer = HttpResponse(_csv(profile.history(published.snapshot, row)), content_type="text/csv; charset=utf-8")
    else:
        svg = plots.history(profile.history(published.snapshot, row, most=profile.POINTS))
        if not svg:
            raise Http404("This competitor has no rating yet.")
        note = _("Every vote here is simulated and the competitors do not exist.") if arena.is_simulated else ""
        answer = HttpResponse(charts.standalone(svg, note=note), content_type="image/svg+xml")
    if arena.is_simulated:  # a CSV has no place to say so but its name
        answer["Content-Disposition"] = f'inline; filename="{arena.slug}-simulated-history.{kind}"'
    if arena.access != Arena.Access.OPEN:
        patch_cache_control(answer, private=True)
    return answer


def _asked(arena: Arena, name: str) -> Competitor:
    row = profile.find(arena, name)
    if row is None:
        raise Http404("There is no competitor of this name here.")
    return row


def _on_the_board(published: reading.PublishedBoard, row: Competitor) -> dict[str, Any]:
    line = next((line for line in published.rows if line["model_name"] == row.label), None)
    counted = profile.answered(published.snapshot, row)
    met = profile.meetings(published, row.label) if line else []
    reach = plots.reach_of([found.verdict for found in met])
    ranked = sum(other["rank"] is not None for other in published.rows)
    return {
        "line": line,
        "half": _half(line),
        "rank": _rank(line, ranked),
        "whisker": charts.whisker(line, charts.axis_for(published.rows)) if line else "",
        "axis": charts.axis_head(charts.axis_for(published.rows)),
        "error_percent": line["error_rate"] * 100 if line and line["error_rate"] is not None else None,
        "meetings": [_line(found, reach) for found in met],
        "head": plots.difference_head(reach),
        "counted": counted,
        "failures": [(said, count, count / counted.asked * 100) for said, count in _said(counted.failures)],
        "cost": cost_of_thousand(row, counted.input_tokens, counted.output_tokens),
        "history": plots.history(profile.history(published.snapshot, row, most=profile.POINTS)),
    }


def _line(found: profile.Meeting, reach: float) -> dict[str, Any]:
    pair = found.verdict
    known = pair is not None and pair.difference is not None and abs(pair.difference) < plots.FAR
    return {
        "opponent": found.opponent,
        "votes": found.votes,
        "percent": None if found.share is None else found.share * 100,
        "verdict": verdict_word(found),
        "more": pair.more_votes if pair and pair.verdict != "better" else None,
        "points": charts.signed(round(pair.difference)) if pair and known and pair.difference is not None else "–",
        "chart": plots.difference_row(pair, reach),
    }


def _half(line: dict[str, Any] | None) -> float | None:
    if line is None or line["rating_lower"] is None:
        return None
    return float(line["rating_upper"] - line["rating_lower"]) / 2


def _rank(line: dict[str, Any] | None, ranked: int) -> str:
    """“rank 2–4 of 11”, or nothing."""
    if line is None or line["rank_lower"] is None:
        return ""
    low, high = line["rank_lower"], line["rank_upper"]
    return _("rank %(rank)s of %(count)s") % {"rank": low if low == high else f"{low}–{high}", "count": ranked}


def _settings(row: Competitor) -> list[tuple[str, str]]:
    """The fixed settings that anybody may know: not the endpoint, nor what else is sent to it."""
    tokens = ngettext("%(count)s token", "%(count)s tokens", row.max_tokens) % {"count": figure(row.max_tokens)}
    known = [
        (_("Model"), row.model_id),
        (_("Revision"), row.revision),
        (_("System prompt"), row.system_prompt),
        (_("Temperature"), _number(row.temperature, "")),
        (_("Top p"), _number(row.top_p, "")),
        (_("At most"), tokens),
        (_("Context"), "" if row.context_length is None else figure(row.context_length)),
    ]
    return [(name, value) for name, value in known if value]


def _number(value: float | None, unknown: str) -> str:
    """As many decimals as it has, in the reader's language."""
    return unknown if value is None else number_format(value)


def _said(failures: dict[str, int]) -> list[tuple[str, int]]:
    """Failures by code, most first, the codes worded where they are known."""
    words = {
        "connect": _("no connection"),
        "refused": _("request refused"),
        "status": _("error at the endpoint"),
        "timeout_first": _("no first token in time"),
        "timeout_between": _("stood still in between"),
        "timeout_total": _("not finished in time"),
        "cut_off": _("cut off"),
        "malformed": _("malformed answer"),
        "too_long": _("conversation too long"),
        "empty": _("empty answer"),
        "internal": _("internal error"),
    }
    ordered = sorted(failures.items(), key=lambda item: (-item[1], item[0]))
    return [(words.get(code, code), count) for code, count in ordered]


def _csv(points: list[profile.Point]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["snapshot", "published_at", "rating", "rating_lower", "rating_upper", "vote_count"])
    for point in points:
        at = point.published_at.isoformat()
        writer.writerow([point.number, at, point.rating, point.lower, point.upper, point.votes])
    return out.getvalue()
