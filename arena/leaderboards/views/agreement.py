"""For operators: do voters agree with each other and with themselves, and how few decide who is first?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from arena.leaderboards import reading
from arena.leaderboards.sentences import figure
from arena.teams.access import arena_for
from arena.teams.permissions import Action, may
from arena.teams.person import person_of

if TYPE_CHECKING:
    from arena.leaderboards.agreeing import Found
    from ratings.influence import GroupFlip, Influence
    from ratings.kappa import KappaMatrix


@require_safe
def agreement(request: HttpRequest, slug: str) -> HttpResponse:
    """The page; to everybody but operators there is none."""
    arena = arena_for(person_of(request), slug, include_archived=True)
    if not may(person_of(request), Action.SEE_CONSOLE, arena):
        raise Http404("There is no page at this address.")
    snapshot = reading.latest_snapshot(arena)
    context: dict[str, Any] = {"arena": arena, "section": "console", "snapshot": snapshot, "found": None}
    if snapshot is not None:
        from arena.leaderboards import agreeing  # numpy and scipy, 50 MB that voters' pages do without

        context |= _measured(agreeing.measured(snapshot))
    response = render(request, "leaderboards/agreement.html", context)
    patch_cache_control(response, private=True)
    return response


def _measured(found: Found) -> dict[str, Any]:
    return {
        "found": found,
        "status": _status(found),
        "agreed_percent": _percent(found.agreement.agreement),
        "matrix": _rows(found.agreement.experts),
        "flipped": found.consistency.flipped,
        "flipped_percent": [
            _percent(share)
            for share in (
                found.consistency.flipped.share, found.consistency.flipped.lower, found.consistency.flipped.upper
            )
        ],
        "attention": [
            {
                "number": row.voter + 1, "decided": row.decided, "share": _percent(row.share_a),
                "lower": _percent(row.lower), "upper": _percent(row.upper), "biased": row.biased,
                "repeats": row.repeats, "agreed": row.agreed,
            }
            for row in sorted(found.attention, key=lambda row: (not row.biased, row.voter))[:SHOWN]
        ],
        "influence": influence_sentence(found.influence),
        "whole_voters": _whole(found.influence.by_voter),
    }  # fmt: skip


SHOWN = 50
"""Voters listed at most: those who lean first."""


def _status(found: Found) -> str:
    """Why there is no alpha; empty where there is one."""
    if not found.rated:
        return _("There are no votes yet.")
    if not found.on_prompts:
        return _("Voters write their own prompts here, so no two of them judge the same answers: agreement between "
                 "voters and self-consistency cannot be measured. A prompt set makes both possible.")  # fmt: skip
    return {
        "no_shared_items": _("No item was judged by two voters yet. A share of overlap, in the arena's settings, "
                             "brings them about."),
        "one_label": _("All votes on shared items say the same, so there was nothing to disagree about."),
    }.get(found.agreement.status, "")  # fmt: skip


def _rows(matrix: KappaMatrix | None) -> dict[str, Any] | None:
    """Kappa and common items of every two, by voters' numbers from 1; the diagonal has no kappa."""
    if matrix is None or len(matrix.voters) < 2:
        return None
    lines = [
        (code + 1, [
            {"common": common, "kappa": None if row == column else kappa, "own": row == column}
            for column, (common, kappa) in enumerate(zip(matrix.common[row], matrix.kappa[row], strict=True))
        ])
        for row, code in enumerate(matrix.voters)
    ]  # fmt: skip
    return {"voters": [code + 1 for code in matrix.voters], "lines": lines}


def influence_sentence(found: Influence) -> str:
    """How few votes decide who is first, or why nobody can say."""
    if found.status == "ok":
        votes = ngettext("%(count)s vote", "%(count)s votes", found.votes_to_flip or 0)
        voters = ngettext("%(count)s voter", "%(count)s voters", found.votes_by or 0)
        removed = {
            "votes": votes % {"count": figure(found.votes_to_flip or 0)},
            "voters": voters % {"count": figure(found.votes_by or 0)},
        }
        said = [
            _("%(votes)s by %(voters)s, if removed, change who is first.") % removed,
            _("%(second)s would stand before %(first)s.") % {"first": found.first, "second": found.second},
        ]
        return " ".join(said if found.confirmed else [*said, _("A fit without them does not confirm it.")])
    return {
        "no_flip": _("No removal of votes was found that changes who is first."),
        "no_votes": _("There are no votes yet."),
        "one_competitor": _("There is one competitor, so nobody else can be first."),
        "not_connected": _("The competitors fall into groups that never met, so nobody is first."),
    }.get(found.status, _("Nobody is first yet."))


def _whole(found: GroupFlip | None) -> str:
    if found is None:
        return ""
    voters = ngettext("%(count)s voter", "%(count)s voters", found.groups) % {"count": figure(found.groups)}
    return _("Without all votes of %(voters)s, %(second)s would be first.") % {"voters": voters, "second": found.second}


def _percent(share: float | None) -> float | None:
    return None if share is None else share * 100
