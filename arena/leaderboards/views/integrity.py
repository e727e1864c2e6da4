"""What anybody may check: how battles were drawn, who was served how often, and how to verify the board."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from arena.battles.matchmaking import UNIFORM_FLOOR
from arena.battles.opening import untold_since
from arena.integrity.words import decided_word, rule_word
from arena.leaderboards import beside, charts, plots, reading, shares
from arena.leaderboards.models import Snapshot
from arena.leaderboards.retirements import retirements
from arena.leaderboards.views.readers import for_readers
from arena.teams.models import Arena
from arena.teams.permissions import Action, may
from arena.teams.person import person_of


@require_safe
@for_readers
def integrity(request: HttpRequest, arena: Arena) -> HttpResponse:
    """The page; before the first snapshot the settings alone."""
    snapshot = reading.latest_snapshot(arena)
    context: dict[str, Any] = {
        "arena": arena, "section": "leaderboard", "snapshot": snapshot, "policy": _policy(arena),
        "overlap_set": arena.overlap_share * 100, "repeat_set": arena.repeat_share * 100,
        "for_staff": may(person_of(request), Action.SEE_CONSOLE, arena),
    }  # fmt: skip
    served = shares.served(snapshot) if snapshot else None
    rows, providers = shares.shares_of(arena, served)
    most = max((row.share for row in rows), default=0.0)
    context |= {
        "served": served,
        "providers": [(row, row.share * 100, row.even_share * 100) for row in providers],
        "retirements": retirements(arena, snapshot, untold=untold_since(person_of(request), arena, now=timezone.now())),
    }
    if served is not None:
        context |= {
            "competitors": [(row, row.share * 100, plots.share_bar(row.share, row.even_share, most)) for row in rows],
            "even": rows[0].even_share * 100 if rows else 0,
            "policies": sorted(served.policies.items()),
            "void": [(_void_words().get(reason, reason), count) for reason, count in served.void.items()],
            "untold": served.all - served.told,
            "overlap_found": _percent(served.overlaps, served.on_prompts),
            "repeat_found": _percent(served.repeats, served.on_prompts),
        }
    return render(request, "leaderboards/integrity.html", context | _owed(arena, snapshot))


def _owed(arena: Arena, snapshot: Snapshot | None) -> dict[str, Any]:
    """What was counted at publication, as the page shows it, and the head of the audit chain."""
    head = shares.audit_head(arena)
    found: dict[str, Any] = {"head": head and json.dumps(head)}
    if snapshot is None or not snapshot.page.get("duties"):
        return found
    owed = shares.owed(snapshot)
    voters, rows = owed["voters"], {row["model_name"]: row for row in owed["plain_against_defended"]}
    changes = beside.changes(rows.values()) if snapshot.plain_json else {}
    return found | {
        "exclusions": owed["exclusions"],
        "reasons": [
            (rule_word(row["rule"]), decided_word(row["action"], row["decided_by"]), row["decisions"])
            for row in owed["exclusions"]["by_reason"]
        ],
        "voters": voters, "aged": _hundred(voters["aged_share"]), "top": _hundred(voters["top_share"]),
        "flip": owed["flip_first"],
        "beside": [(rows[name], charts.signed(round(points))) for name, points in changes.items()],
    }  # fmt: skip


def _hundred(share: float | None) -> float | None:
    return None if share is None else share * 100


@require_safe
@for_readers
def integrity_json(request: HttpRequest, arena: Arena) -> HttpResponse:
    """The same figures as data."""
    untold = untold_since(person_of(request), arena, now=timezone.now())
    answer = JsonResponse(shares.integrity_of(arena, untold=untold))
    if arena.access != Arena.Access.OPEN or untold is not None:
        patch_cache_control(answer, private=True)
    return answer


def _percent(part: int, whole: int) -> float | None:
    return part / whole * 100 if whole else None


def _policy(arena: Arena) -> str:
    """How pairs are drawn here, and what that does to shares."""
    said: Mapping[str, str] = {
        Arena.Sampling.UNIFORM: _(
            "Every pair is drawn with the same chance. Shares differ by chance alone, and by when a competitor entered "
            "or retired."
        ),
        Arena.Sampling.COVERAGE: _(
            "Pairs that met least are drawn most; %(floor)s %% of the draws take every pair alike. A newcomer is "
            "served more until it has caught up."
        ),
        Arena.Sampling.INFORMATIVE: _(
            "The pair whose vote narrows the board most is drawn most; %(floor)s %% of the draws take every "
            "pair alike. Close competitors are served more."
        ),
    }
    return said[arena.sampling] % {"floor": f"{_floor(arena) * 100:g}"}


def _floor(arena: Arena) -> float:
    if arena.sampling != Arena.Sampling.INFORMATIVE:
        return UNIFORM_FLOOR
    from ratings.sampling import FLOOR  # numpy and scipy, 50 MB that most arenas do without

    return FLOOR


def _void_words() -> dict[str, str]:
    return {
        "side_failed": _("a side failed"),
        "stalled": _("the stream stood still"),
        "stopped": _("the voter stopped it"),
        "interrupted": _("the server was restarted"),
        "repeated": _("an answer repeated one whose author the voter knew"),
    }
