"""Arenas and their settings over REST, as the console has them; no logic of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.validators import MaxLengthValidator
from django.db import transaction
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from arena.api import views
from arena.api.parsers import ShallowJSONParser
from arena.api.serializers import ArenaOut, CompetitorOut, ErrorOut, example
from arena.api.strict import STRICT, Text
from arena.api.views import ArenaView
from arena.battles.models import Battle
from arena.battles.opening import untold_since
from arena.competitors import versions
from arena.competitors.catalogue import NameTaken, add_competitor
from arena.competitors.models import REASON_CHARS, Competitor, Endpoint, is_one_line
from arena.console.forms import MAX_TAG_CHARS, MAX_TAGS, new_arena_settings
from arena.leaderboards.board_settings import board_settings, set_board
from arena.teams import arenas, members, voters
from arena.teams.models import Arena, Role
from arena.teams.permissions import Action, may
from arena.teams.person import person_of

REFUSALS = dict.fromkeys((400, 403, 404, 409), ErrorOut)
OF_BOARD = ("anchor", "anchor_rating", "controls_style")


class NewArenaIn(serializers.Serializer[Any]):
    title = serializers.CharField(max_length=80, help_text="What people see above the vote. Makes the address, too.")
    kind = serializers.ChoiceField(choices=Arena.Kind.choices, default=Arena.Kind.RECORDED)
    access = serializers.ChoiceField(choices=Arena.Access.choices, default=Arena.Access.INVITE)


@extend_schema_field(OpenApiTypes.STR)
class AnchorField(serializers.Field[Any, Any, Any, Any]):
    """A competitor by its name on the board; null stands for the mean of all."""

    def to_internal_value(self, data: Any) -> Competitor:
        """Raises ValidationError for a name that nobody has."""
        field = Competitor.objects.filter(arena=self.context["arena"])
        found = next((row for row in field if row.label == data), None)
        if found is None:
            raise serializers.ValidationError(f"{str(data)[:80]!r} is no competitor of this arena. Use its name there.")
        return found

    def to_representation(self, value: Competitor) -> str:
        return value.label


class SettingsOut(serializers.ModelSerializer[Arena]):
    tags = serializers.ListField(
        child=serializers.CharField(max_length=MAX_TAG_CHARS), max_length=MAX_TAGS, allow_null=True,
        help_text="What may have decided a vote; null for the usual ones.",
    )  # fmt: skip
    anchor = serializers.CharField(allow_null=True, help_text="A competitor's name; null pins the mean of all.")
    anchor_rating = serializers.FloatField(help_text="The rating that the anchor, or the mean, is pinned to.")
    controls_style = serializers.BooleanField(help_text="Whether the board's page opens with style held equal.")

    class Meta:
        model = Arena
        fields = (
            "title", "description", "kind", "access", "guidelines", "allow_both_bad", "allow_skip", "tags",
            "allow_comment", "max_turns", "max_prompt_chars", "reveal", "board_visibility", "board_after_votes",
            "stream_mode", "pace", "sampling", "overlap_share", "repeat_share", "publish_after_votes",
            "publish_after_seconds", "closed_at", *OF_BOARD,
        )  # fmt: skip


class SettingsIn(SettingsOut):
    anchor = AnchorField(allow_null=True)  # type: ignore[assignment]

    def validate_kind(self, kind: str) -> str:
        """Fixed from the first battle on, as on the page."""
        if self.instance and kind != self.instance.kind and Battle.objects.filter(arena=self.instance).exists():
            raise serializers.ValidationError("Battles were served here, so the kind stays. Make another arena.")
        return kind


class StateIn(serializers.Serializer[Any]):
    state = serializers.ChoiceField(
        choices=["open", "close", "archive"], help_text="Close ends voting; archive takes it off the lists, too."
    )


class CompetitorIn(serializers.ModelSerializer[Competitor]):
    serializer_field_mapping = STRICT
    endpoint = serializers.SlugRelatedField(
        slug_field="name", queryset=Endpoint.objects.all(), required=False, allow_null=True,
        help_text="The name of an endpoint of this instance; left out for recorded answers only.",
    )  # fmt: skip
    stop = serializers.ListField(child=Text(), required=False)
    extra_body = serializers.DictField(required=False, help_text="More fields of the request to the endpoint.")

    class Meta:
        model = Competitor
        fields = (
            "name", "endpoint", "model_id", "revision", "system_prompt", "temperature", "top_p", "max_tokens", "stop",
            "extra_body", "description", "organization", "license", "price_in", "price_out", "context_length",
        )  # fmt: skip
        validators: list[Any] = []  # the catalogue says which names are taken


class ConsoleView(ArenaView):
    """A view of the console's: archived arenas are there, too. Bodies are JSON: a form cannot say null."""

    parser_classes: Sequence[Any] = (ShallowJSONParser,)

    def allowed(self, request: Request, slug: str, action: Action) -> Arena:
        """The arena, where the caller may do this in it. Raises Http404, PermissionDenied."""
        arena = self.arena(request, slug, include_archived=True)
        if not may(person_of(request._request), action, arena):
            raise PermissionDenied("Your role here, or this token, does not allow that.")
        return arena


class Arenas(views.Arenas):
    @extend_schema(
        operation_id="arena_create", request=NewArenaIn, responses={201: ArenaOut, **REFUSALS},
        examples=example("An arena of recorded answers", {"title": "Support answers", "kind": "recorded"}),
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Makes an arena, whose owner the caller is; for those who operate the instance."""
        if not may(person_of(request._request), Action.CREATE_ARENA):
            raise PermissionDenied("Making arenas is for those who operate this instance, with a token for all arenas.")
        body = NewArenaIn(data=request.data)
        body.is_valid(raise_exception=True)
        with transaction.atomic():
            arena = arenas.add_arena(**new_arena_settings(dict(body.validated_data)))
            members.appoint(arena, voters.ensure_voter(request._request), Role.OWNER)
        return Response(ArenaOut(views.with_reason(arena)).data, status=201)


class Settings(ConsoleView):
    @extend_schema(operation_id="settings", responses={200: SettingsOut, 403: ErrorOut, 404: ErrorOut})
    def get(self, request: Request, slug: str) -> Response:
        """Every setting of the arena and of its board, for those who see its console."""
        return Response(_settings_of(self.allowed(request, slug, Action.SEE_CONSOLE)))

    @extend_schema(
        operation_id="settings_change", request=SettingsIn, responses={200: SettingsOut, **REFUSALS},
        examples=example("Everybody sees the board at the end", {"board_visibility": "closed", "reveal": "end"}),
    )  # fmt: skip
    def patch(self, request: Request, slug: str) -> Response:
        """Changes the settings that are sent, all or none; battles under way keep what was drawn for them."""
        arena = self.allowed(request, slug, Action.CONFIGURE)
        body = SettingsIn(arena, data=request.data, partial=True, context={"arena": arena})
        body.is_valid(raise_exception=True)
        changes = dict(body.validated_data)
        board = board_settings(arena)
        wanted = {name: changes.pop(name, getattr(board, name)) for name in OF_BOARD}
        with transaction.atomic():
            arenas.configure(arena, **changes)
            if any(wanted[name] != getattr(board, name) for name in OF_BOARD):
                set_board(arena, **wanted)
        return Response(_settings_of(arena))


class State(ConsoleView):
    @extend_schema(
        operation_id="state_change", request=StateIn, responses={200: ArenaOut, **REFUSALS},
        examples=example("No more votes", {"state": "close"}),
    )  # fmt: skip
    def post(self, request: Request, slug: str) -> Response:
        """Closes the arena to votes, opens it again, or archives it."""
        arena = self.allowed(request, slug, Action.CONFIGURE)
        body = StateIn(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data["state"]
        if wanted == "open":
            arenas.reopen(arena)
        else:
            (arenas.close if wanted == "close" else arenas.archive)(arena, now=timezone.now())
        return Response(ArenaOut(views.with_reason(arena)).data)


class Competitors(views.Competitors, ConsoleView):
    @extend_schema(
        operation_id="competitor_add", request=CompetitorIn, responses={201: CompetitorOut, **REFUSALS},
        examples=example("Of an endpoint", {"name": "Ash", "endpoint": "mine", "model_id": "llama3.2"}),
    )  # fmt: skip
    def post(self, request: Request, slug: str) -> Response:
        """Enters a competitor; once it has answered it never changes."""
        arena = self.allowed(request, slug, Action.CONFIGURE)
        body = CompetitorIn(data=request.data)
        body.is_valid(raise_exception=True)
        given = dict(body.validated_data)
        if arena.kind == Arena.Kind.LIVE and given.get("endpoint") is None:
            raise serializers.ValidationError({"endpoint": "This arena is live: name the endpoint that answers."})
        try:
            made = add_competitor(given.pop("name"), arena=arena, **given)
        except NameTaken as taken:
            return Response({"code": "name_taken", "detail": str(taken)}, status=409)
        return Response(CompetitorOut(made).data, status=201)


class ServiceIn(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=100, help_text="As on the board, version included.")
    in_service = serializers.BooleanField(help_text="False: out of the draw; its votes count on.")
    retired_reason = Text(
        required=False, allow_blank=True, validators=[MaxLengthValidator(REASON_CHARS), is_one_line],
        help_text="Why it is retired, in one line that everybody who may see the board reads. Another corrects it.",
    )  # fmt: skip

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A reason is one to retire."""
        if attrs["in_service"] and (reason := attrs.get("retired_reason")):
            said = f"{reason!r} is no reason for being in service. Leave it out, or send in_service: false."
            raise serializers.ValidationError({"retired_reason": said})
        return attrs


class Service(ConsoleView):
    @extend_schema(
        operation_id="competitor_service", request=ServiceIn, responses={200: CompetitorOut, **REFUSALS},
        examples=example(
            "Retired", {"name": "Ash", "in_service": False, "retired_reason": "Its provider withdrew the model."}
        ),
    )  # fmt: skip
    def post(self, request: Request, slug: str) -> Response:
        """Retires a competitor, for a reason that is told beside its rating, or brings it back as it was; battles under
        way go on."""
        arena = self.allowed(request, slug, Action.CONFIGURE)
        body = ServiceIn(data=request.data)
        body.is_valid(raise_exception=True)
        field, name = Competitor.objects.filter(arena=arena), body.validated_data["name"]
        row = next((row for row in field if row.label == name), None)
        if row is None:
            raise serializers.ValidationError({"name": "Nobody competes here under that name."})
        if body.validated_data["in_service"]:
            versions.bring_back(row)
        else:
            versions.retire(row, reason=body.validated_data.get("retired_reason", ""), now=timezone.now())
        row.refresh_from_db()
        untold = untold_since(person_of(request._request), arena, now=timezone.now())
        return Response(CompetitorOut(row, context={"untold": untold}).data)


def _settings_of(arena: Arena) -> dict[str, Any]:
    board = board_settings(arena)
    arena.anchor = board.anchor.label if board.anchor else None  # type: ignore[attr-defined]
    arena.anchor_rating, arena.controls_style = board.anchor_rating, board.controls_style  # type: ignore[attr-defined]
    return dict(SettingsOut(arena).data)
