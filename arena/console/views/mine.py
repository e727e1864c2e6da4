"""A voter's own page: their votes, their own board, their data to take along or to delete."""

from __future__ import annotations

import csv
import io
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from arena.battles.blinding import OwnVote, is_told, own_votes
from arena.battles.words import EXPORTED
from arena.integrity.erasing import erase
from arena.integrity.standing import held_votes
from arena.leaderboards import charts
from arena.leaderboards.personal import own_board
from arena.leaderboards.reading import safe_cell
from arena.teams import voters
from arena.teams.access import arena_for
from arena.teams.errors import MembershipRefused
from arena.teams.models import Arena
from arena.teams.person import person_of

SHOWN = 200


@require_safe
@never_cache
def mine(request: HttpRequest, slug: str) -> HttpResponse:
    """What this voter judged here, and what their votes alone say; nothing of a battle that is open."""
    arena = arena_for(person_of(request), slug, include_archived=True)
    voter = voters.voter_of(request)
    votes = own_votes(arena, voter, most=SHOWN) if voter else []
    board = own_board(arena, voter) if voter else None
    context: dict[str, Any] = {
        "arena": arena,
        "section": "mine",
        "votes": votes,
        "shown": SHOWN,
        "is_told": bool(voter and is_told(arena, voter)),
        "board": board,
        "has_voter": voter is not None,
        "is_held": bool(voter and held_votes(voter, arena)),  # whether, not which: that would say how it was found
    }
    if board is not None:
        axis = charts.axis_for(board.rows)
        context |= {
            "axis": charts.axis_head(axis),
            "rows": [(row, charts.whisker(row, axis)) for row in board.rows],
            "level": round(board.level * 100),
        }
    return render(request, "console/mine.html", context)


@require_safe
@never_cache
def mine_csv(request: HttpRequest, slug: str) -> HttpResponse:
    """All own votes. Texts of sealed prompts stay here; names are blank where they are not revealed yet."""
    arena = arena_for(person_of(request), slug, include_archived=True)
    voter = voters.voter_of(request)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["battle", "voted_at", "prompt", "winner", "model_a", "model_b", "tags", "comment"])
    writer.writerows(_line(vote) for vote in (own_votes(arena, voter) if voter else []))
    answer = HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{arena.slug}-my-votes.csv"'
    return answer


def _line(vote: OwnVote) -> list[str]:
    words = ["" if vote.is_sealed else vote.prompt, EXPORTED[vote.winner], vote.name_a, vote.name_b]
    texts = [*words, ", ".join(vote.tags), vote.comment]
    return [str(vote.battle_id), vote.at.isoformat(), *(safe_cell(text) for text in texts)]


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def forget(request: HttpRequest, slug: str) -> HttpResponse:
    """Says what goes and what stays, and asks once; then it is gone, in every arena."""
    arena = arena_for(person_of(request), slug, include_archived=True)
    voter = voters.voter_of(request)
    context: dict[str, Any] = {"arena": arena, "section": "mine", "has_voter": voter is not None, "refused": ""}
    if request.method != "POST" or voter is None:
        return render(request, "console/forget.html", context)
    try:
        erase(voter, now=timezone.now())
    except MembershipRefused as refused:
        return render(request, "console/forget.html", context | {"refused": str(refused)}, status=409)
    return _gone(request, arena)


def _gone(request: HttpRequest, arena: Arena) -> HttpResponse:
    """The browser is somebody new from here on. The arena is not named: it may have become closed to this person."""
    answer = render(request, "console/gone.html", {"arena": None, "section": "", "slug": arena.slug})
    answer.delete_cookie(voters.COOKIE)
    return answer
