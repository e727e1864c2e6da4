"""REST over the functions that the pages call; no logic of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from arena.api.serializers import (
    ArenaOut,
    BattleOut,
    CompetitorOut,
    ErrorOut,
    NoteIn,
    OpenIn,
    PromptIn,
    RevealOut,
    VoteIn,
    VoteOut,
    battle_out,
    example,
    reveal_out,
)
from arena.battles import lifecycle, notes, opening, running, votes
from arena.battles.addresses import visit_of
from arena.battles.blinding import blind, reveal
from arena.battles.errors import RevealWithheld
from arena.battles.finding import check_may_vote, own_battle
from arena.battles.models import Battle, Turn
from arena.competitors import endpoints
from arena.competitors.models import Competitor
from arena.competitors.versions import ALWAYS
from arena.leaderboards import reading
from arena.leaderboards.policies import policy_of
from arena.leaderboards.withholding import why_withheld
from arena.teams import voters
from arena.teams.access import arena_for, arenas_for
from arena.teams.models import Arena, Voter
from arena.teams.person import person_of

SLICING = {
    "category": "Votes on prompts of this category only.",
    "language": "Votes on prompts in this language only.",
    "set": "Votes on prompts of this set only, by its name.",
    "voters": "Votes by people with an `account`, or by `anonymous` ones, only.",
    "source": "Votes cast here (`own`), or `imported` ones, only.",
    "since": "Votes of this day (YYYY-MM-DD, UTC) and later only.",
    "until": "Votes of this day (YYYY-MM-DD, UTC) and earlier only.",
    "votes": "`all` counts votes that are set aside too, where some are.",
    "style": "Styles held equal: `on` for all, or some of `length,headers,lists,bold`. `rating` is then the controlled "
    "one and `rating_plain` the plain one of the same votes.",
}
EVENT = {
    "type": "object",
    "description": "One event. Its data is JSON: n, the texts a and b so far or what was added, end in the last one.",
    "properties": {"id": {"type": "string"}, "event": {"type": "string"}, "data": {"type": "string"}},
    "required": ["id", "data"],
}
REFUSALS = dict.fromkeys((400, 403, 404, 409, 410, 429, 503), ErrorOut)


def with_reason(arena: Arena) -> Arena:
    """The arena, told why it is closed if it is."""
    simulated = "its votes are simulated"
    arena.closed_because = (  # type: ignore[attr-defined]
        simulated if arena.is_simulated else endpoints.why_closed(arena, now=timezone.now())
    )
    return arena


@method_decorator([never_cache, ensure_csrf_cookie], name="dispatch")
class ArenaView(APIView):
    """A view inside one arena; private arenas do not exist for outsiders."""

    def arena(self, request: Request, slug: str, *, include_archived: bool = False) -> Arena:
        return arena_for(person_of(request._request), slug, include_archived=include_archived)

    def battle(self, request: Request, slug: str, battle_id: UUID) -> tuple[Battle, Voter]:
        """The caller's own battle and who they are. Raises NotFound, NotYours."""
        plain = request._request
        battle = own_battle(person_of(plain), plain.COOKIES.get(voters.COOKIE), slug, battle_id)
        return battle, battle.voter


class Arenas(ArenaView):
    @extend_schema(operation_id="arenas_list", responses={200: ArenaOut(many=True)})
    def get(self, request: Request) -> Response:
        """The arenas that the caller may enter."""
        arenas = [with_reason(arena) for arena in arenas_for(person_of(request._request))]
        return Response(ArenaOut(arenas, many=True).data)


class ArenaDetail(ArenaView):
    @extend_schema(operation_id="arena", responses={200: ArenaOut, 404: ErrorOut})
    def get(self, request: Request, slug: str) -> Response:
        """One arena, and why it is closed if it is."""
        return Response(ArenaOut(with_reason(self.arena(request, slug))).data)


class Competitors(ArenaView):
    @extend_schema(operation_id="competitors_list", responses={200: CompetitorOut(many=True), 404: ErrorOut})
    def get(self, request: Request, slug: str) -> Response:
        """Every competitor that was ever entered, retired ones included."""
        arena, person = self.arena(request, slug), person_of(request._request)
        now = timezone.now()
        withheld = why_withheld(person, arena, now=now) is not None
        untold = ALWAYS if withheld else opening.untold_since(person, arena, now=now)
        rows = Competitor.objects.filter(arena=arena).select_related("replaced_by")
        return Response(CompetitorOut(rows, many=True, context={"untold": untold}).data)


class Leaderboard(ArenaView):
    @extend_schema(
        operation_id="leaderboard",
        parameters=[OpenApiParameter(name, str, description=said) for name, said in SLICING.items()],
        responses={200: dict, 400: ErrorOut, 403: ErrorOut, 404: ErrorOut, 503: ErrorOut},
    )
    def get(self, request: Request, slug: str) -> HttpResponseBase:
        """The last snapshot's JSON, byte for byte as published; with parameters, that of a part of its votes."""
        arena = arena_for(person_of(request._request), slug, include_archived=True)
        plain = request._request
        reading.check_board(person_of(plain), arena, now=timezone.now())
        choice = reading.chosen(arena, dict(plain.GET.lists()), person_of(plain), ignored=("format",))
        return HttpResponse(reading.json_of_choice(choice), content_type="application/json")


class Battles(ArenaView):
    scope = "vote"

    @extend_schema(
        operation_id="battle_open",
        request=OpenIn,
        responses={201: BattleOut, 200: BattleOut, **REFUSALS},
        examples=example("A prompt, in a live arena", {"prompt": "Why is the sky blue?"}),
    )
    def post(self, request: Request, slug: str) -> Response:
        """Serves a battle. In a recorded arena an open one is answered again (200) instead of a new draw (201)."""
        arena = self.arena(request, slug)
        check_may_vote(person_of(request._request), arena)
        body = OpenIn(data=request.data)
        body.is_valid(raise_exception=True)
        prompt, now = body.validated_data.get("prompt"), timezone.now()
        if prompt is not None:
            opening.check_prompt(prompt, limit=arena.max_prompt_chars)
        voter = voters.ensure_voter(request._request)
        visit = visit_of(request._request)
        battle = opening.open_battle(
            voter, arena, prompt, seed=opening.new_seed(), now=now, policy=policy_of(arena), visit=visit
        )
        response = Response(battle_out(blind(battle)), status=201 if battle.served_at == now else 200)
        voters.remember(response, voter)
        return response


class BattleDetail(ArenaView):
    scope = "vote"

    @extend_schema(operation_id="battle", responses={200: BattleOut, **REFUSALS})
    def get(self, request: Request, slug: str, battle_id: UUID) -> Response:
        """The caller's battle: sides and text, never a name."""
        battle, _voter = self.battle(request, slug, battle_id)
        return Response(battle_out(blind(battle)))


class BattleTurns(ArenaView):
    scope = "vote"

    @extend_schema(
        operation_id="battle_follow_up",
        request=PromptIn,
        responses={201: BattleOut, **REFUSALS},
        examples=example("Another message", {"prompt": "Shorter, please."}),
    )
    def post(self, request: Request, slug: str, battle_id: UUID) -> Response:
        """Another message to the same blind pair."""
        battle, voter = self.battle(request, slug, battle_id)
        body = PromptIn(data=request.data)
        body.is_valid(raise_exception=True)
        opening.follow_up(battle, voter, body.validated_data["prompt"], now=timezone.now())
        battle.refresh_from_db()
        return Response(battle_out(blind(battle)), status=201)


class BattleVote(ArenaView):
    scope = "vote"

    @extend_schema(
        operation_id="battle_vote",
        request=VoteIn,
        responses={200: VoteOut, **REFUSALS},
        examples=example("Side a is better", {"winner": "a"}),
    )
    def post(self, request: Request, slug: str, battle_id: UUID) -> Response:
        """Casts the vote; the answer to the committed vote holds the reveal. The same vote again is answered alike."""
        body = VoteIn(data=request.data)
        body.is_valid(raise_exception=True)
        winner = votes.parse_winner(body.validated_data["winner"])
        battle, voter = self.battle(request, slug, battle_id)
        check_may_vote(person_of(request._request), battle.arena)
        cast = votes.cast_vote(battle.public_id, voter, winner, now=timezone.now())
        try:
            shown: dict[str, Any] | None = reveal_out(reveal(battle))
        except RevealWithheld:
            shown = None
        return Response({"winner": cast.vote.winner, "repeated": cast.repeated, "reveal": shown})


class BattleReveal(ArenaView):
    scope = "vote"

    @extend_schema(operation_id="battle_reveal", responses={200: RevealOut, **REFUSALS})
    def get(self, request: Request, slug: str, battle_id: UUID) -> Response:
        """Who answered; refused before the vote."""
        battle, _voter = self.battle(request, slug, battle_id)
        return Response(reveal_out(reveal(battle)))


class BattleNote(ArenaView):
    scope = "vote"

    @extend_schema(
        operation_id="battle_note",
        request=NoteIn,
        responses={200: NoteIn, **REFUSALS},
        examples=example("What decided it", {"tags": ["accuracy"], "comment": "b invents a source."}),
    )
    def post(self, request: Request, slug: str, battle_id: UUID) -> Response:
        """Tags and a comment beside a committed vote."""
        battle, voter = self.battle(request, slug, battle_id)
        body = NoteIn(data=request.data)
        body.is_valid(raise_exception=True)
        note = notes.write_note(battle, voter, **body.validated_data, now=timezone.now())
        return Response({"tags": note.tags, "comment": note.comment})


class BattleSkip(ArenaView):
    scope = "vote"

    @extend_schema(operation_id="battle_skip", request=None, responses={200: BattleOut, **REFUSALS})
    def post(self, request: Request, slug: str, battle_id: UUID) -> Response:
        """Sets the battle aside; reveals nothing."""
        battle, voter = self.battle(request, slug, battle_id)
        return _ended(lifecycle.skip(battle.public_id, voter, now=timezone.now()))


class BattleStop(ArenaView):
    scope = "vote"

    @extend_schema(operation_id="battle_stop", request=None, responses={200: BattleOut, **REFUSALS})
    def post(self, request: Request, slug: str, battle_id: UUID) -> Response:
        """Stops both sides; the battle becomes void."""
        battle, voter = self.battle(request, slug, battle_id)
        return _ended(lifecycle.stop(battle.public_id, voter, now=timezone.now()))


class BattleRedraw(ArenaView):
    scope = "vote"

    @extend_schema(operation_id="battle_redraw", request=None, responses={201: BattleOut, **REFUSALS})
    def post(self, request: Request, slug: str, battle_id: UUID) -> Response:
        """A new pair for the prompt of a void battle; asked again, the same new battle."""
        battle, voter = self.battle(request, slug, battle_id)
        fresh = opening.redraw_battle(
            battle, voter, seed=opening.new_seed(), now=timezone.now(), policy=policy_of(battle.arena),
            visit=visit_of(request._request),
        )  # fmt: skip
        return Response(battle_out(blind(fresh)), status=201)


class BattleStream(ArenaView):
    scope = "vote"

    @extend_schema(
        operation_id="battle_stream",
        parameters=[
            OpenApiParameter("turn", int, description="Which turn, from 1; the last one by default."),
            OpenApiParameter("after", int, description="The last frame seen; Last-Event-ID serves as well."),
        ],
        responses={(200, "text/event-stream"): OpenApiResponse(EVENT, "Numbered frames."), **REFUSALS},
    )
    def get(self, request: Request, slug: str, battle_id: UUID) -> HttpResponseBase:
        """The turn's frames as server-sent events, the same as on the socket; ends with the frame that has an end."""
        battle, _voter = self.battle(request, slug, battle_id)
        turns = Turn.objects.filter(battle=battle).order_by("-index")
        wanted = _number(request.query_params.get("turn"))
        turn = turns.filter(index=wanted).first() if wanted else turns.first()
        if turn is None:
            raise Http404("There is no such turn.")
        seen = request.headers.get("Last-Event-ID") or request.query_params.get("after")
        response = StreamingHttpResponse(_events(turn.pk, _number(seen)), content_type="text/event-stream")
        response["X-Accel-Buffering"] = "no"
        return response

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """Clients that accept only text/event-stream are welcome; refusals are JSON all the same."""
        return super().perform_content_negotiation(request, force=True)


async def _events(turn_id: int, after: int) -> AsyncIterator[str]:
    async for frame in running.read_frames(turn_id, after=after):
        number = frame[len('{"n":') : frame.index(",")]
        yield f"id: {number}\ndata: {frame}\n\n"


def _number(raw: str | None) -> int:
    """0 where nothing is said. Raises ParseError for what is no number."""
    if raw is not None and not (raw.isdecimal() and len(raw) < 9):
        raise ParseError(f"{raw[:40]!r} is no number of a turn or of a frame. Leave it out, or send digits.")
    return int(raw or 0)


def _ended(battle: Battle) -> Response:
    turn = Turn.objects.filter(battle=battle).order_by("-index").first()
    if turn is not None:
        async_to_sync(running.stop_anywhere)(turn.pk)
    battle.refresh_from_db()
    return Response(battle_out(blind(battle)))
