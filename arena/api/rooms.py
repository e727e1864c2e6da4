"""REST over the pages beside the board; no logic of its own."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from arena.api.serializers import ErrorOut
from arena.api.views import ArenaView
from arena.battles.opening import untold_since
from arena.leaderboards.comparing import NotAsked, verdict_json
from arena.leaderboards.reading import check_board
from arena.leaderboards.shares import integrity_of
from arena.teams.access import arena_for
from arena.teams.models import Arena
from arena.teams.person import person_of


class CompareOut(serializers.Serializer[Any]):
    verdict = serializers.CharField(help_text="better, no_practical_difference, cannot_tell or too_few.")
    better = serializers.CharField(allow_null=True, help_text="The better one's name, where the verdict is better.")
    difference = serializers.FloatField(allow_null=True, help_text="Rating of a minus that of b, in points.")
    lower = serializers.FloatField(allow_null=True)
    upper = serializers.FloatField(allow_null=True)
    votes = serializers.FloatField(help_text="Rated votes in which at least one of the two took part.")
    more_votes = serializers.IntegerField(allow_null=True, help_text="About how many more such votes would settle it.")


class Compare(ArenaView):
    @extend_schema(
        operation_id="compare",
        parameters=[
            OpenApiParameter("a", str, required=True, description="One competitor's name."),
            OpenApiParameter("b", str, required=True, description="The other one's."),
        ],
        responses={200: CompareOut, 400: ErrorOut, 403: ErrorOut, 404: ErrorOut},
    )
    def get(self, request: Request, slug: str) -> Response:
        """What the last snapshot says of two competitors, however often it is asked."""
        arena = readable(request, slug)
        try:
            found = verdict_json(arena, request.query_params.get("a", ""), request.query_params.get("b", ""))
        except NotAsked as refusal:
            code = "not_found" if refusal.status == 404 else "invalid"
            return Response({"code": code, "detail": str(refusal)}, status=refusal.status)
        return Response(CompareOut(found).data)


class Integrity(ArenaView):
    @extend_schema(operation_id="integrity", responses={200: dict, 403: ErrorOut, 404: ErrorOut})
    def get(self, request: Request, slug: str) -> Response:
        """How battles were drawn, who was served how often, who was retired and why, and what the last snapshot can be
        verified by."""
        arena = readable(request, slug)
        untold = untold_since(person_of(request._request), arena, now=timezone.now())
        return Response(integrity_of(arena, untold=untold))


def readable(request: Request, slug: str) -> Arena:
    """The arena whose board the caller may see. Raises Http404, BoardWithheld."""
    person = person_of(request._request)
    arena = arena_for(person, slug, include_archived=True)
    check_board(person, arena, now=timezone.now())
    return arena
