"""The prompts of a set over REST: read, corrected, retired. As in the console; no logic of its own."""

from __future__ import annotations

import json
from typing import Any

from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from arena.api.arenas import REFUSALS, ConsoleView
from arena.api.people import LARGEST, within
from arena.api.serializers import ErrorOut, example
from arena.prompts import keeping
from arena.prompts.keeping import Facts, KeepingRefused
from arena.prompts.models import Prompt, PromptSet
from arena.prompts.prompt_rows import LONGEST_PROMPT
from arena.teams.models import Arena
from arena.teams.permissions import Action

PAGE = 200
"""Prompts a page of a set's list."""


class PromptOut(serializers.ModelSerializer[Prompt]):
    messages = serializers.SerializerMethodField()
    checks = serializers.DictField()
    tags = serializers.ListField(child=serializers.CharField())
    replaces = serializers.CharField(source="replaces.key", default=None, allow_null=True)

    class Meta:
        model = Prompt
        fields = (
            "id", "key", "messages", "category", "language", "tags", "source", "checks", "replaces", "created_at",
            "retired_at",
        )  # fmt: skip

    def get_messages(self, prompt: Prompt) -> list[str] | None:
        """What is asked, one message a turn; null where the set is sealed."""
        return None if prompt.prompt_set.is_sealed else prompt.messages


class PromptsOut(serializers.Serializer[Any]):
    prompts = PromptOut(many=True, help_text=f"In the order they came, at most {PAGE}.")
    next_after = serializers.IntegerField(allow_null=True, help_text="For the next page's `after`; null on the last.")


class Behind(serializers.Serializer[Any]):
    after = serializers.IntegerField(
        min_value=0, max_value=LARGEST, default=0, help_text="Only prompts behind this id."
    )


class PromptIn(serializers.Serializer[Any]):
    """What is left out stays."""

    messages = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_PROMPT, trim_whitespace=False), min_length=1, required=False,
        help_text="Once the prompt has answers, other messages make a new prompt that replaces it.",
    )  # fmt: skip
    category = serializers.CharField(max_length=60, allow_blank=True, required=False)
    language = serializers.CharField(max_length=20, allow_blank=True, required=False)
    tags = serializers.ListField(child=serializers.CharField(), required=False)
    source = serializers.CharField(max_length=200, allow_blank=True, required=False)  # type: ignore[assignment]
    checks = serializers.DictField(required=False, help_text="Objective checks of its answers, as an import has them.")
    retired = serializers.BooleanField(required=False, help_text="Whether it is out of the draw; its battles stay.")


class Prompts(ConsoleView):
    scope = "configure"  # the texts of prompts, which a token to read boards does not show

    @extend_schema(
        operation_id="prompts_list",
        parameters=[Behind],
        responses={200: PromptsOut, 400: ErrorOut, 403: ErrorOut, 404: ErrorOut},
    )
    def get(self, request: Request, slug: str, set_id: int) -> Response:
        """The prompts of a set, retired ones too."""
        arena = self.allowed(request, slug, Action.CONFIGURE)
        prompt_set = get_object_or_404(PromptSet, arena=arena, pk=within(set_id))
        query = Behind(data=request.query_params)
        query.is_valid(raise_exception=True)
        after = query.validated_data["after"]
        rows = prompt_set.prompts.select_related("prompt_set", "replaces").filter(pk__gt=after).order_by("pk")
        found = list(rows[: PAGE + 1])
        more = found[PAGE - 1].pk if len(found) > PAGE else None
        return Response(PromptsOut({"prompts": found[:PAGE], "next_after": more}).data)


class PromptDetail(ConsoleView):
    scope = "configure"

    @extend_schema(operation_id="prompt", responses={200: PromptOut, 403: ErrorOut, 404: ErrorOut})
    def get(self, request: Request, slug: str, prompt_id: int) -> Response:
        """One prompt; of a sealed set without its messages."""
        return Response(PromptOut(_prompt(self.allowed(request, slug, Action.CONFIGURE), prompt_id)).data)

    @extend_schema(
        operation_id="prompt_change", request=PromptIn, responses={200: PromptOut, **REFUSALS},
        examples=example("Out of the draw", {"retired": True}),
    )  # fmt: skip
    def patch(self, request: Request, slug: str, prompt_id: int) -> Response:
        """The prompt as it now stands: another id where it had answers and its messages changed."""
        prompt = _prompt(self.allowed(request, slug, Action.CONFIGURE), prompt_id)
        body = PromptIn(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            with transaction.atomic():
                kept = _changed(prompt, body.validated_data)
        except KeepingRefused as refused:
            raise serializers.ValidationError({"body": [str(refused)]}) from None
        return Response(PromptOut(_prompt(kept.prompt_set.arena, kept.pk)).data)


def _prompt(arena: Arena, prompt_id: int) -> Prompt:
    rows = Prompt.objects.select_related("prompt_set__arena", "replaces")
    return get_object_or_404(rows, prompt_set__arena=arena, pk=within(prompt_id))


def _changed(prompt: Prompt, given: dict[str, Any]) -> Prompt:
    """Raises KeepingRefused."""
    messages = given.get("messages", prompt.messages)
    if prompt.prompt_set.is_sealed and messages != prompt.messages:
        raise KeepingRefused("The set is sealed, so its messages stay. Leave them out.")
    facts = Facts(
        **{name: given.get(name, getattr(prompt, name)) for name in ("category", "language", "tags", "source")},
        checks=json.dumps(given["checks"]) if "checks" in given else None,
    )
    kept = keeping.edit(prompt, messages, facts, now=timezone.now())
    if given.get("retired") is True:
        keeping.retire([kept.pk], now=timezone.now())
    if given.get("retired") is False and not keeping.restore([kept.pk]) and _is_retired(kept):
        raise KeepingRefused("Another prompt replaced this one, so it stays retired. Correct that one.")
    return kept


def _is_retired(prompt: Prompt) -> bool:
    return Prompt.objects.filter(pk=prompt.pk, retired_at__isnull=False).exists()
