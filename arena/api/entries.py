"""One competitor over REST, with everything that makes it, to read, change and put back; no logic of its own."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from arena.api.arenas import REFUSALS, CompetitorIn, ConsoleView
from arena.api.endpoints import AnswerTrialIn, AnswerTrialOut
from arena.api.people import within
from arena.api.serializers import ErrorOut, RetirableOut, example
from arena.battles.errors import NameFixed
from arena.competitors import endpoints, health
from arena.competitors.catalogue import NameTaken
from arena.competitors.models import Competitor
from arena.console.naming import change, why_name_stays
from arena.console.views.arena import untold_since
from arena.teams.models import Arena
from arena.teams.permissions import Action


class EntryOut(RetirableOut):
    name = serializers.CharField(source="label", help_text="As on the board: a later version has its number in it.")
    endpoint = serializers.SlugRelatedField(  # type: ignore[var-annotated]
        slug_field="name", read_only=True, allow_null=True, help_text="Null where it has recorded answers only."
    )
    stop = serializers.ListField(child=serializers.CharField())
    extra_body = serializers.DictField()

    class Meta:
        model = Competitor
        fields = (
            "id", "name", "version", "endpoint", "model_id", "revision", "system_prompt", "temperature", "top_p",
            "max_tokens", "stop", "extra_body", "description", "organization", "license", "price_in", "price_out",
            "context_length", "created_at", "retired_at", "retired_reason", "replaced_by",
        )  # fmt: skip


class EntryView(ConsoleView):
    """A view of one competitor, by its id."""

    def entry(self, arena: Arena, competitor_id: int) -> Competitor:
        """The competitor, if it is this arena's. Raises Http404."""
        rows = Competitor.objects.filter(arena=arena).select_related("endpoint", "arena", "replaced_by")
        return get_object_or_404(rows, pk=within(competitor_id))

    def told(self, request: Request, row: Competitor) -> dict[str, Any]:
        """The competitor as it may be told to whoever asks."""
        return dict(EntryOut(row, context={"untold": untold_since(request._request, row.arena)}).data)


class Entry(EntryView):
    @extend_schema(operation_id="competitor", responses={200: EntryOut, 403: ErrorOut, 404: ErrorOut})
    def get(self, request: Request, slug: str, competitor_id: int) -> Response:
        """Everything that makes a competitor, for those who see the console."""
        arena = self.allowed(request, slug, Action.SEE_CONSOLE)
        return Response(self.told(request, self.entry(arena, competitor_id)))

    @extend_schema(
        operation_id="competitor_change", request=CompetitorIn, responses={200: EntryOut, **REFUSALS},
        examples=example("Warmer", {"temperature": 0.9}),
    )  # fmt: skip
    def patch(self, request: Request, slug: str, competitor_id: int) -> Response:
        """Changes what is sent, all or none. One that has answered stays as it was and is retired, and its next version
        is made and answered with; words about it (description, organization, license, prices, context) are corrected
        in place. The name, without a version's number, may change until somebody has met it."""
        arena = self.allowed(request, slug, Action.CONFIGURE)
        stored = self.entry(arena, competitor_id)
        body = CompetitorIn(stored, data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        given = dict(body.validated_data)
        if arena.kind == Arena.Kind.LIVE and "endpoint" in given and given["endpoint"] is None:
            raise serializers.ValidationError({"endpoint": "This arena is live: name the endpoint that answers."})
        name = given.pop("name", stored.name)
        stays = why_name_stays(stored, untold_since(request._request, arena)) if name != stored.name else ""
        if stays:
            return Response({"code": NameFixed.code, "detail": stays}, status=409)
        try:
            kept = change(stored, name, given, now=timezone.now())
        except NameTaken as taken:
            return Response({"code": "name_taken", "detail": str(taken)}, status=409)
        return Response(self.told(request, kept))


class EntryTrial(EntryView):
    @extend_schema(
        operation_id="competitor_try", request=AnswerTrialIn,
        responses={200: AnswerTrialOut, 400: ErrorOut, 403: ErrorOut, 404: ErrorOut},
        examples=example("One answer", {"prompt": "Why is the sky blue?"}),
    )  # fmt: skip
    def post(self, request: Request, slug: str, competitor_id: int) -> Response:
        """Streams one answer under the competitor's own settings and says how it went. Nothing is stored; the endpoint
        may charge for it."""
        row = self.entry(self.allowed(request, slug, Action.CONFIGURE), competitor_id)
        body = AnswerTrialIn(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(AnswerTrialOut(endpoints.try_endpoint(row, prompt=body.validated_data["prompt"])).data)


class EntryMended(EntryView):
    @extend_schema(
        operation_id="competitor_mended", request=None, responses={200: EntryOut, 403: ErrorOut, 404: ErrorOut}
    )
    def post(self, request: Request, slug: str, competitor_id: int) -> Response:
        """Forgets the failures of one that has been mended: it is in the draw again at once."""
        row = self.entry(self.allowed(request, slug, Action.CONFIGURE), competitor_id)
        health.put_competitor_back(row)
        return Response(self.told(request, row))
