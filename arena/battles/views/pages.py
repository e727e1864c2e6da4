"""The voting page and its actions. Every POST answers with the same fragment that the page is painted from."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync
from django.conf import settings
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_POST, require_safe

from arena.battles import lifecycle, notes, opening, running, votes, work
from arena.battles.addresses import visit_of
from arena.battles.errors import BattleError
from arena.battles.finding import check_may_vote, own_battle
from arena.battles.models import Battle
from arena.battles.views.stage import Stage, revealed_stage, stage_of, start_stage
from arena.leaderboards.policies import policy_of
from arena.teams import voters
from arena.teams.access import arena_for
from arena.teams.models import Arena, Voter
from arena.teams.person import person_of

log = logging.getLogger(__name__)
Action = Callable[[HttpRequest, Battle], Stage]


@require_safe
@never_cache
@ensure_csrf_cookie
def vote_page(request: HttpRequest, slug: str) -> HttpResponse:
    """The voter's open battle here, if any, else the start. Serves nothing. `?battle=` shows one of their own."""
    arena = arena_for(person_of(request), slug)
    voter = voters.voter_of(request)
    now = timezone.now()
    if "start" in request.GET:
        current = opening.current_battle(voter, arena, now=now) if voter else None
        return _answer(request, arena, stage_of(arena, voter, now=now, battle=current) if current
                       else start_stage(arena, voter, now=now))  # fmt: skip
    asked = _own_battle(request.GET.get("battle", ""), arena, voter)
    return _answer(request, arena, stage_of(arena, voter, now=now, battle=asked))


@require_safe
@never_cache
def challenge(request: HttpRequest, slug: str) -> JsonResponse:
    """What a browser may work on before it asks for a battle; 404 where nobody is asked to."""
    if not work.is_asked_for(arena_for(person_of(request), slug)):
        raise Http404("This arena asks for no work.")
    return JsonResponse({"challenge": work.challenge(), "bits": settings.PROOF_OF_WORK})


@require_POST
@never_cache
def open_battle(request: HttpRequest, slug: str) -> HttpResponse:
    """Serves a battle: for the prompt that was sent, or the next item of the prompt set."""
    arena = arena_for(person_of(request), slug)
    now = timezone.now()
    prompt = request.POST.get("prompt")
    voter = voters.voter_of(request)
    try:
        check_may_vote(person_of(request), arena)
        if prompt is not None:
            opening.check_prompt(prompt, limit=arena.max_prompt_chars)  # refused before a voter is made
        voter = voter or voters.ensure_voter(request)
        battle = opening.open_battle(
            voter, arena, prompt, seed=opening.new_seed(), now=now, policy=policy_of(arena), visit=visit_of(request)
        )
        response = _answer(request, arena, stage_of(arena, voter, now=now, battle=battle))
    except BattleError as error:
        if error.code == "nothing_left":
            return _answer(request, arena, start_stage(arena, voter, now=now))
        stage = start_stage(arena, voter, now=now).saying(str(error), draft=prompt or "")
        return _refusal(request, arena, stage, error)
    except DatabaseError:
        return _unavailable(request, arena, _("Nothing could be stored just now. Try again in a moment."), prompt or "")
    voters.remember(response, voter)
    return response


def _action(function: Action, *, failure: Any = "") -> Callable[..., HttpResponse]:
    """A POST on one battle of this voter: ownership checked, refusals translated once, nothing lost."""

    @require_POST
    @never_cache
    def view(request: HttpRequest, slug: str, battle_id: UUID) -> HttpResponse:
        draft = request.POST.get("prompt", "")
        battle = None
        try:
            battle = own_battle(person_of(request), request.COOKIES.get(voters.COOKIE), slug, battle_id)
            return _answer(request, battle.arena, function(request, battle))
        except BattleError as error:
            arena = battle.arena if battle else arena_for(person_of(request), slug)
            voter = battle.voter if battle else voters.voter_of(request)
            stage = stage_of(arena, voter, now=timezone.now(), battle=battle).saying(str(error), draft=draft)
            return _refusal(request, arena, stage, error)
        except DatabaseError:
            log.exception("The database refused an action on a battle.")
            sentence = str(failure) or _("Nothing could be stored just now. Try again in a moment.")
            return _unavailable(request, battle.arena if battle else Arena(slug=slug), sentence, draft)

    view.__name__ = function.__name__.lstrip("_")
    view.__doc__ = function.__doc__
    return view


def _cast(request: HttpRequest, battle: Battle) -> Stage:
    """Casts the vote; the reveal is in the answer to the committed vote and nowhere earlier."""
    check_may_vote(person_of(request), battle.arena)
    winner = votes.parse_winner(request.POST.get("winner", ""))
    now = timezone.now()
    cast = votes.cast_vote(battle.public_id, battle.voter, winner, now=now)
    if request.headers.get("X-Has-Turns"):
        return revealed_stage(battle, cast=cast)
    return stage_of(battle.arena, battle.voter, now=now, battle=battle)


def _skip(request: HttpRequest, battle: Battle) -> Stage:
    """Sets the battle aside; reveals nothing."""
    now = timezone.now()
    lifecycle.skip(battle.public_id, battle.voter, now=now)
    _stop_running(battle)
    return start_stage(battle.arena, battle.voter, now=now)


def _stop(request: HttpRequest, battle: Battle) -> Stage:
    """Stops both sides; the battle becomes void and the prompt is offered again."""
    now = timezone.now()
    stopped = lifecycle.stop(battle.public_id, battle.voter, now=now)
    _stop_running(battle)
    return stage_of(battle.arena, battle.voter, now=now, battle=stopped)


def _redraw(request: HttpRequest, battle: Battle) -> Stage:
    """A new pair for a void battle's prompt, once."""
    now = timezone.now()
    fresh = opening.redraw_battle(
        battle, battle.voter, seed=opening.new_seed(), now=now, policy=policy_of(battle.arena), visit=visit_of(request)
    )
    return stage_of(battle.arena, battle.voter, now=now, battle=fresh)


def _follow_up(request: HttpRequest, battle: Battle) -> Stage:
    """Another message to the same blind pair."""
    now = timezone.now()
    opening.follow_up(battle, battle.voter, request.POST.get("prompt", ""), now=now)
    battle.refresh_from_db(fields=["state"])
    return stage_of(battle.arena, battle.voter, now=now, battle=battle)


def _note(request: HttpRequest, battle: Battle) -> Stage:
    """Tags and a comment beside a committed vote."""
    now = timezone.now()
    tags, comment = request.POST.getlist("tags"), request.POST.get("comment", "")
    notes.write_note(battle, battle.voter, tags=tags, comment=comment, now=now)
    return stage_of(battle.arena, battle.voter, now=now, battle=battle)


vote = _action(
    _cast, failure=gettext_lazy("Your vote could not be saved, and nothing was revealed. Try again in a moment.")
)
skip = _action(_skip)
stop = _action(_stop)
redraw = _action(_redraw)
follow_up = _action(_follow_up)
note = _action(_note)


def _stop_running(battle: Battle) -> None:
    turn = battle.turns.order_by("-index").first()
    if turn is not None:
        async_to_sync(running.stop_anywhere)(turn.pk)


def _own_battle(raw: str, arena: Arena, voter: Voter | None) -> Battle | None:
    try:
        public_id = UUID(raw)
    except ValueError:
        return None
    if voter is None:
        return None
    return arena.battle_set.filter(public_id=public_id, voter=voter).first()


def _answer(request: HttpRequest, arena: Arena, stage: Stage, *, status: int = 200) -> HttpResponse:
    context: dict[str, Any] = {
        "arena": arena, "stage": stage, "section": "vote",
        "asks_work": work.is_asked_for(arena) and (settings.SIGN_UP == "open" or not request.user.is_authenticated),
    }  # fmt: skip
    if request.headers.get("X-Fragment"):
        return render(request, "battles/_stage.html", context, status=status)
    if request.method == "POST" and status < 400:
        target = reverse("battles:vote_page", args=[arena.slug])
        return redirect(f"{target}?battle={stage.battle.id}" if stage.battle else target)
    return render(request, "battles/vote.html", context, status=status)


def _refusal(request: HttpRequest, arena: Arena, stage: Stage, error: BattleError) -> HttpResponse:
    response = _answer(request, arena, stage, status=error.status)
    response["X-Refusal"] = error.code
    if retry := getattr(error, "retry_after", None):
        response["Retry-After"] = str(retry)
    return response


def _unavailable(request: HttpRequest, arena: Arena, sentence: str, draft: str) -> HttpResponse:
    """503 that needs no database, so that it can be said when there is none; nothing is revealed."""
    stage = Stage("unavailable", notice=sentence, draft=draft)
    template = "battles/_stage.html" if request.headers.get("X-Fragment") else "503.html"
    context = {"arena": arena, "stage": stage, "rate_limits_off": not settings.RATE_LIMITS}
    response = HttpResponse(render_to_string(template, context), status=503)
    response["Retry-After"] = "2"
    return response
