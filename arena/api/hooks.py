"""Webhooks over REST, for those who configure an arena; no logic of its own."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from arena.api.arenas import REFUSALS, ConsoleView
from arena.api.people import within
from arena.api.serializers import ErrorOut, example
from arena.leaderboards import webhooks
from arena.leaderboards.models import Webhook
from arena.teams.models import Arena
from arena.teams.permissions import Action


class WebhookIn(serializers.Serializer[Any]):
    url = serializers.CharField(max_length=300, help_text="An https address that can be reached from here.")


class WebhookOut(serializers.ModelSerializer[Webhook]):
    class Meta:
        model = Webhook
        fields = (
            "id", "url", "created_at", "delivered_number", "delivered_at", "failures", "next_at", "last_error",
            "failed_at",
        )  # fmt: skip


class NewWebhookOut(WebhookOut):
    secret = serializers.CharField(help_text="Signs every delivery. It is told this once.")

    class Meta(WebhookOut.Meta):
        fields = (*WebhookOut.Meta.fields, "secret")  # type: ignore[assignment]


class TrialOut(serializers.Serializer[Any]):
    taken = serializers.BooleanField(help_text="Whether the address answered with a status from 200 to 299.")
    says = serializers.CharField(help_text="Why it was not taken: a status, a kind of error or a sentence; else empty.")


class _Hooks(ConsoleView):
    scope = "configure"

    def configured(self, request: Request, slug: str) -> Arena:
        """The arena, where the caller configures it. Raises Http404, PermissionDenied."""
        return self.allowed(request, slug, Action.CONFIGURE)


class Webhooks(_Hooks):
    @extend_schema(operation_id="webhooks_list", responses={200: WebhookOut(many=True), 403: ErrorOut, 404: ErrorOut})
    def get(self, request: Request, slug: str) -> Response:
        """The addresses that are told of publications, with what came of the last deliveries."""
        return Response(WebhookOut(webhooks.standing(self.configured(request, slug)), many=True).data)

    @extend_schema(
        operation_id="webhook_add", request=WebhookIn, responses={201: NewWebhookOut, **REFUSALS},
        examples=example("A receiver", {"url": "https://example.org/blindfold"}),
    )  # fmt: skip
    def post(self, request: Request, slug: str) -> Response:
        """Adds an address and tells its secret, this once. Deliveries carry `X-Blindfold-Signature`."""
        arena = self.configured(request, slug)
        body = WebhookIn(data=request.data)
        body.is_valid(raise_exception=True)
        made, secret = webhooks.add(arena, body.validated_data["url"], now=timezone.now())
        made.secret = secret  # type: ignore[attr-defined]
        return Response(NewWebhookOut(made).data, status=201)


class WebhookDetail(_Hooks):
    @extend_schema(operation_id="webhook_withdraw", responses={204: None, 403: ErrorOut, 404: ErrorOut})
    def delete(self, request: Request, slug: str, webhook_id: int) -> Response:
        """From now on the address is told nothing."""
        rows = webhooks.standing(self.configured(request, slug))
        webhooks.withdraw(get_object_or_404(rows, pk=within(webhook_id)), now=timezone.now())
        return Response(status=204)


class WebhookTrial(_Hooks):
    @extend_schema(
        operation_id="webhook_try", request=None, responses={200: TrialOut, 403: ErrorOut, 404: ErrorOut}
    )  # fmt: skip
    def post(self, request: Request, slug: str, webhook_id: int) -> Response:
        """Sends one delivery at once, whose event is `test`, and tells what came of it. Nothing is stored."""
        rows = webhooks.standing(self.configured(request, slug))
        says = webhooks.try_now(get_object_or_404(rows, pk=within(webhook_id)), now=timezone.now())
        return Response({"taken": not says, "says": says})
