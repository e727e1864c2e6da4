"""Runs of prompt sets over REST, for those who configure an arena; no logic of its own."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from arena.api.arenas import REFUSALS, ConsoleView
from arena.api.people import within
from arena.api.serializers import ErrorOut, example
from arena.prompts.generation import runs
from arena.prompts.generation.errors import GenerationRefused
from arena.prompts.models import GenerationRun, PromptSet
from arena.teams.models import Arena
from arena.teams.permissions import Action

SHOWN = 50


class RunIn(serializers.Serializer[Any]):
    prompt_set = serializers.CharField(max_length=80, help_text="The set's name.")
    competitors = serializers.ListField(
        child=serializers.CharField(max_length=100), required=False,
        help_text="Names of competitors with an endpoint; all of them if left out.",
    )  # fmt: skip
    concurrency = serializers.IntegerField(
        min_value=1, max_value=32, default=2, help_text="Answers asked of one endpoint at a time."
    )
    attempts = serializers.IntegerField(min_value=1, max_value=10, default=3)
    budget = serializers.FloatField(
        min_value=0, allow_null=True, default=None, help_text="In the prices' currency; nothing that could pass it."
    )


class FailureOut(serializers.Serializer[Any]):
    prompt = serializers.CharField()
    competitor = serializers.CharField()
    says = serializers.CharField()


class RunOut(serializers.ModelSerializer[GenerationRun]):
    prompt_set = serializers.CharField(source="prompt_set.name")
    competitors = serializers.SerializerMethodField()
    answered = serializers.SerializerMethodField(help_text="Answers that are there.")
    wanted = serializers.SerializerMethodField(help_text="Answers in all.")
    failures = FailureOut(many=True, help_text="The last ones.")

    class Meta:
        model = GenerationRun
        fields = (
            "id", "prompt_set", "competitors", "state", "answered", "wanted", "concurrency", "attempts", "budget",
            "spent", "failures", "created_at", "ended_at",
        )  # fmt: skip

    def get_competitors(self, run: GenerationRun) -> list[str]:
        return [row.label for row in run.competitors.all()]

    def get_answered(self, run: GenerationRun) -> int:
        return runs.progress(run).answered

    def get_wanted(self, run: GenerationRun) -> int:
        return runs.progress(run).wanted


class _Runs(ConsoleView):
    scope = "configure"

    def configured(self, request: Request, slug: str) -> Arena:
        """The arena, where the caller configures it. Raises Http404, PermissionDenied."""
        return self.allowed(request, slug, Action.CONFIGURE)

    def run(self, request: Request, slug: str, run_id: int) -> GenerationRun:
        found: GenerationRun = get_object_or_404(_of(self.configured(request, slug)), pk=within(run_id))
        return found


class Runs(_Runs):
    @extend_schema(operation_id="runs_list", responses={200: RunOut(many=True), 403: ErrorOut, 404: ErrorOut})
    def get(self, request: Request, slug: str) -> Response:
        """The last fifty runs of the arena's prompt sets, the latest first."""
        return Response(RunOut(_of(self.configured(request, slug))[:SHOWN], many=True).data)

    @extend_schema(
        operation_id="run_start", request=RunIn, responses={201: RunOut, **REFUSALS},
        examples=example("Everybody, for at most 5", {"prompt_set": "support", "budget": 5}),
    )  # fmt: skip
    def post(self, request: Request, slug: str) -> Response:
        """Puts a run into the worker's hands. It asks only for what is missing, so that a second completes a first."""
        arena = self.configured(request, slug)
        body = RunIn(data=request.data)
        body.is_valid(raise_exception=True)
        given = dict(body.validated_data)
        prompt_set = PromptSet.objects.filter(arena=arena, name=given.pop("prompt_set")).first()
        if prompt_set is None:
            raise serializers.ValidationError({"prompt_set": "This arena has no set of that name."})
        field = _named(arena, given.pop("competitors", None))
        user = request.user if isinstance(request.user, User) else None
        try:
            run = runs.start(prompt_set, field, now=timezone.now(), user=user, **given)
        except GenerationRefused as refused:
            return _refusal(refused)
        return Response(RunOut(run).data, status=201)


class RunDetail(_Runs):
    @extend_schema(operation_id="run", responses={200: RunOut, 403: ErrorOut, 404: ErrorOut})
    def get(self, request: Request, slug: str, run_id: int) -> Response:
        """How far a run is, what it has cost, and what went wrong last."""
        return Response(RunOut(self.run(request, slug, run_id)).data)


class RunStop(_Runs):
    @extend_schema(operation_id="run_stop", request=None, responses={200: RunOut, **REFUSALS})
    def post(self, request: Request, slug: str, run_id: int) -> Response:
        """Asks for nothing more; answers that are under way are still stored."""
        run = self.run(request, slug, run_id)
        try:
            runs.stop(run, now=timezone.now())
        except GenerationRefused as refused:
            return _refusal(refused)
        run.refresh_from_db()
        return Response(RunOut(run).data)


def _of(arena: Arena) -> Any:
    latest = GenerationRun.objects.filter(prompt_set__arena=arena).order_by("-pk")
    return latest.select_related("prompt_set").prefetch_related("competitors")


def _named(arena: Arena, names: list[str] | None) -> list[Any]:
    """Raises ValidationError for a name that nobody who can be asked has."""
    there = {row.label: row for row in runs.askable(arena)}
    unknown = [name for name in names or () if name not in there]
    if unknown:
        known = ", ".join(there) or "none yet"
        raise serializers.ValidationError(
            {"competitors": f"{', '.join(unknown)}: cannot be asked here. Known: {known}."}
        )
    return list(there.values()) if names is None else [there[name] for name in dict.fromkeys(names)]


def _refusal(refused: GenerationRefused) -> Response:
    return Response({"code": "run_refused", "detail": str(refused)}, status=409)
