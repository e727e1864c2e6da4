"""The endpoints of the instance over REST, for those who operate it; no logic of its own. A key is told nowhere."""

from __future__ import annotations

import os
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from arena.api.parsers import ShallowJSONParser
from arena.api.people import within
from arena.api.serializers import ErrorOut, example
from arena.api.strict import STRICT, Text
from arena.competitors import catalogue, health, watching
from arena.competitors import endpoints as asking
from arena.competitors.endpoints import TRIAL_PROMPT
from arena.competitors.models import Endpoint
from arena.teams.permissions import Action, may
from arena.teams.person import person_of

REFUSALS = dict.fromkeys((400, 403, 409), ErrorOut)
STATES = (watching.ANSWERS, watching.RESTS, watching.NO_KEY, watching.NO_MODEL)


class EndpointIn(serializers.ModelSerializer[Endpoint]):
    serializer_field_mapping = STRICT
    name = Text(max_length=80, help_text="What operators call it; voters never see it.")

    class Meta:
        model = Endpoint
        fields = ("name", "base_url", "key_env", "first_token_seconds", "between_tokens_seconds", "total_seconds")


class EndpointOut(serializers.ModelSerializer[Endpoint]):
    key_env = serializers.CharField(help_text="The variable that holds the key; the key itself is told nowhere.")
    has_key = serializers.SerializerMethodField(help_text="Whether that variable holds anything.")
    state = serializers.SerializerMethodField(help_text="no_key and no_model: what it needs is not there.")
    out_until = serializers.DateTimeField(allow_null=True, help_text="Until then it is out of the draw.")

    class Meta:
        model = Endpoint
        fields = (
            "id", "name", "base_url", "key_env", "has_key", "first_token_seconds", "between_tokens_seconds",
            "total_seconds", "state", "failures_in_a_row", "out_until", "last_failure", "last_failure_at",
        )  # fmt: skip

    def get_has_key(self, row: Endpoint) -> bool:
        return bool(row.key_env and os.environ.get(row.key_env))

    @extend_schema_field(serializers.ChoiceField(choices=STATES))
    def get_state(self, row: Endpoint) -> str:
        return watching.state_of(row, now=timezone.now()).state


class AnswerTrialIn(serializers.Serializer[Any]):
    prompt = Text(max_length=2000, default=TRIAL_PROMPT)


class EndpointTrialIn(AnswerTrialIn):
    model_id = Text(max_length=200, help_text="As the endpoint calls it.")


class AnswerTrialOut(serializers.Serializer[Any]):
    text = serializers.CharField(help_text="The answer; empty where none came.")
    error_code = serializers.CharField(help_text="Empty where it answered.")
    error_detail = serializers.CharField()
    first_token_ms = serializers.FloatField(allow_null=True)
    total_ms = serializers.FloatField(allow_null=True)
    output_tokens = serializers.IntegerField(allow_null=True)
    tokens_per_second = serializers.FloatField(allow_null=True)


class OfferOut(serializers.Serializer[Any]):
    models = serializers.ListField(child=serializers.CharField(), help_text="What a competitor's model_id may be.")
    error_detail = serializers.CharField(help_text="Why there are none, in a sentence; else empty.")


@method_decorator(never_cache, name="dispatch")
class EndpointView(APIView):
    """A view of the instance's own. Bodies are JSON, and every method needs the scope that configures."""

    scope = "configure"
    parser_classes = (ShallowJSONParser,)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Raises PermissionDenied for whoever does not operate the instance, before anything is looked up."""
        super().initial(request, *args, **kwargs)
        if not may(person_of(request._request), Action.OPERATE):
            raise PermissionDenied("Endpoints are for those who operate this instance, with a token for all arenas.")

    def found(self, endpoint_id: int) -> Endpoint:
        """The endpoint. Raises Http404."""
        return get_object_or_404(Endpoint, pk=within(endpoint_id))


class Endpoints(EndpointView):
    @extend_schema(operation_id="endpoints_list", responses={200: EndpointOut(many=True), 403: ErrorOut})
    def get(self, request: Request) -> Response:
        """Every endpoint by its name, and how it is."""
        return Response(EndpointOut(Endpoint.objects.order_by("name"), many=True).data)

    @extend_schema(
        operation_id="endpoint_add", request=EndpointIn, responses={201: EndpointOut, **REFUSALS},
        examples=example("Of this machine", {"name": "mine", "base_url": "http://127.0.0.1:11434/v1"}),
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Adds an OpenAI-compatible address that streams. `key_env` names an environment variable of the server's."""
        body = EndpointIn(data=request.data)
        body.is_valid(raise_exception=True)
        return _stored(201, catalogue.add_endpoint, **body.validated_data)


class EndpointDetail(EndpointView):
    @extend_schema(operation_id="endpoint", responses={200: EndpointOut, 403: ErrorOut, 404: ErrorOut})
    def get(self, request: Request, endpoint_id: int) -> Response:
        """One endpoint, and how it is."""
        return Response(EndpointOut(self.found(endpoint_id)).data)

    @extend_schema(
        operation_id="endpoint_change", request=EndpointIn, responses={200: EndpointOut, **REFUSALS, 404: ErrorOut},
        examples=example("Another key", {"key_env": "OTHER_API_KEY"}),
    )  # fmt: skip
    def patch(self, request: Request, endpoint_id: int) -> Response:
        """Changes what is sent, all or none; one with another address or key is in the draw again at once. Keep the
        same models behind it: for others add an endpoint, and make new versions of its competitors."""
        row = self.found(endpoint_id)
        body = EndpointIn(row, data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        return _stored(200, catalogue.change_endpoint, row, **body.validated_data)


class EndpointTrial(EndpointView):
    @extend_schema(
        operation_id="endpoint_try", request=EndpointTrialIn,
        responses={200: AnswerTrialOut, 400: ErrorOut, 403: ErrorOut, 404: ErrorOut},
        examples=example("One answer", {"model_id": "llama3.2"}),
    )  # fmt: skip
    def post(self, request: Request, endpoint_id: int) -> Response:
        """Streams one short answer and says how it went. Nothing is stored; the endpoint may charge for it."""
        row, body = self.found(endpoint_id), EndpointTrialIn(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(AnswerTrialOut(asking.try_endpoint(row, **body.validated_data)).data)


class EndpointModels(EndpointView):
    @extend_schema(
        operation_id="endpoint_models", request=None, responses={200: OfferOut, 403: ErrorOut, 404: ErrorOut}
    )
    def post(self, request: Request, endpoint_id: int) -> Response:
        """Asks the endpoint which models it offers, and waits ten seconds at most. Nothing is stored."""
        return Response(OfferOut(asking.look_up_models(self.found(endpoint_id))).data)


class EndpointMended(EndpointView):
    @extend_schema(
        operation_id="endpoint_mended", request=None, responses={200: EndpointOut, 403: ErrorOut, 404: ErrorOut}
    )
    def post(self, request: Request, endpoint_id: int) -> Response:
        """Forgets the failures of one that has been mended: it is in the draw again at once."""
        row = self.found(endpoint_id)
        health.put_back([row.pk])
        return Response(EndpointOut(self.found(endpoint_id)).data)


def _stored(status: int, store: Any, *args: Any, **given: Any) -> Response:
    """What the catalogue stored, or why it did not."""
    try:
        return Response(EndpointOut(store(*args, **given)).data, status=status)
    except catalogue.NameTaken as taken:
        return Response({"code": "name_taken", "detail": str(taken)}, status=409)
    except catalogue.BadAddress as refused:
        raise serializers.ValidationError({"base_url": str(refused)}) from refused
