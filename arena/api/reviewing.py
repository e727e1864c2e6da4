"""What screening found and what was decided, and whether voters agree, over REST; no logic of its own."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from arena.api.arenas import REFUSALS, ConsoleView
from arena.api.people import within
from arena.api.serializers import ErrorOut, example
from arena.integrity import deciding, standing
from arena.integrity.deciding import Decider
from arena.integrity.models import Exclusion, Proposal, Screening
from arena.integrity.proposing import pending
from arena.leaderboards import reading
from arena.teams.models import Arena
from arena.teams.permissions import Action

SHOWN = 200
"""Findings and decisions told at most, each; the newest."""
SENTENCE = 2000


class ModeIn(serializers.Serializer[Any]):
    mode = serializers.ChoiceField(choices=Screening.choices, help_text="How findings are dealt with from now on.")


class DecisionIn(serializers.Serializer[Any]):
    decision = serializers.ChoiceField(
        choices=["accept", "turn_down"], help_text="Accept sets the votes aside; turn_down lets them count."
    )
    why = serializers.CharField(
        max_length=SENTENCE, allow_blank=True, default="", help_text="Needed to turn down; else the finding's sentence."
    )
    appeal_note = serializers.CharField(max_length=SENTENCE, allow_blank=True, default="")


class ClearIn(serializers.Serializer[Any]):
    why = serializers.CharField(max_length=SENTENCE, help_text="Why the votes count again.")
    appeal_note = serializers.CharField(
        max_length=SENTENCE, allow_blank=True, default="", help_text="What the voter said."
    )


class ProposalOut(serializers.ModelSerializer[Proposal]):
    competitor = serializers.CharField(source="competitor.label", allow_null=True, default=None)
    accounts = serializers.SerializerMethodField()
    evidence = serializers.DictField()

    class Meta:
        model = Proposal
        fields = (
            "id", "rule", "unit_kind", "accounts", "competitor", "sign", "action", "votes", "evidence", "sentence",
            "created_at",
        )  # fmt: skip

    def get_accounts(self, row: Proposal) -> int:
        """How many accounts it concerns."""
        return len(row.voters)


class ExclusionOut(serializers.ModelSerializer[Exclusion]):
    competitor = serializers.CharField(source="competitor.label", allow_null=True, default=None)
    in_force = serializers.SerializerMethodField()

    class Meta:
        model = Exclusion
        fields = (
            "id", "proposal", "reverses", "action", "rule", "decided_by", "competitor", "sentence", "appeal_note",
            "in_force", "created_at",
        )  # fmt: skip

    def get_in_force(self, row: Exclusion) -> bool:
        """Whether votes are set aside by it now."""
        return row.pk in self.context["in_force"]


class ReviewOut(serializers.Serializer[Any]):
    mode = serializers.ChoiceField(choices=Screening.choices)
    waiting = ProposalOut(many=True, help_text="Findings about which nothing is decided yet, the newest first.")
    decided = ExclusionOut(many=True, help_text="Decisions, the newest first; a cleared one takes another back.")


class Review(ConsoleView):
    @extend_schema(operation_id="review", responses={200: ReviewOut, 403: ErrorOut, 404: ErrorOut})
    def get(self, request: Request, slug: str) -> Response:
        """What waits for a decision and what was decided, for whoever sees the console; 200 of each."""
        return _standing(self.allowed(request, slug, Action.SEE_CONSOLE))

    @extend_schema(
        operation_id="review_mode", request=ModeIn, responses={200: ReviewOut, **REFUSALS},
        examples=example("Somebody decides", {"mode": "review"}),
    )  # fmt: skip
    def put(self, request: Request, slug: str) -> Response:
        """How findings are dealt with from now on; what was decided stays."""
        arena = self.allowed(request, slug, Action.REVIEW)
        body = ModeIn(data=request.data)
        body.is_valid(raise_exception=True)
        deciding.set_screening(arena, Screening(body.validated_data["mode"]), now=timezone.now())
        return _standing(arena)


class ProposalDecision(ConsoleView):
    @extend_schema(
        operation_id="review_decide", request=DecisionIn, responses={200: ExclusionOut(many=True), **REFUSALS},
        examples=example("Turned down", {"decision": "turn_down", "why": "A class that voted together."}),
    )  # fmt: skip
    def post(self, request: Request, slug: str, proposal_id: int) -> Response:
        """Sets aside what a finding names, or lets it count: one decision an account. The next board follows it."""
        arena = self.allowed(request, slug, Action.REVIEW)
        proposal = get_object_or_404(Proposal, arena=arena, pk=within(proposal_id))
        body = DecisionIn(data=request.data)
        body.is_valid(raise_exception=True)
        given, decider, now = body.validated_data, _decider(request._request), timezone.now()
        if given["decision"] == "accept":
            made = deciding.accept(proposal, decider, now=now, sentence=given["why"])
        else:
            note = given["appeal_note"]
            made = deciding.turn_down(proposal, given["why"], decider, now=now, appeal_note=note)
        return Response(ExclusionOut(made, many=True, context=_in_force(arena)).data)


class ExclusionClear(ConsoleView):
    @extend_schema(
        operation_id="review_clear", request=ClearIn, responses={200: ExclusionOut, **REFUSALS},
        examples=example("After an appeal", {"why": "Known to us.", "appeal_note": "They wrote to us."}),
    )  # fmt: skip
    def post(self, request: Request, slug: str, exclusion_id: int) -> Response:
        """Takes a decision back, once: the votes count again from the next board on."""
        arena = self.allowed(request, slug, Action.REVIEW)
        exclusion = get_object_or_404(Exclusion, arena=arena, pk=within(exclusion_id))
        body = ClearIn(data=request.data)
        body.is_valid(raise_exception=True)
        why, note = body.validated_data["why"], body.validated_data["appeal_note"]
        made = deciding.clear(exclusion, why, _decider(request._request), now=timezone.now(), appeal_note=note)
        return Response(ExclusionOut(made, context=_in_force(arena)).data)


class RepeatsOut(serializers.Serializer[Any]):
    repeats = serializers.IntegerField(help_text="Second looks at an item with the sides flipped.")
    agreed = serializers.IntegerField()
    share = serializers.FloatField(allow_null=True)
    lower = serializers.FloatField(allow_null=True, help_text="Of the 95 % Wilson interval.")
    upper = serializers.FloatField(allow_null=True)


class DisputedOut(serializers.Serializer[Any]):
    prompt_id = serializers.IntegerField()
    prompt = serializers.CharField(help_text="The key alone where its set is sealed.")
    voters = serializers.IntegerField()
    one = serializers.IntegerField(help_text="Voters who preferred one of the two.")
    other = serializers.IntegerField()
    ties = serializers.IntegerField()
    both_bad = serializers.IntegerField()


class AgreementOut(serializers.Serializer[Any]):
    snapshot = serializers.IntegerField(allow_null=True, help_text="Null before the first one.")
    status = serializers.CharField(help_text="ok, no_votes, no_voters, no_shared_items or one_label.")
    alpha = serializers.FloatField(allow_null=True, help_text="Krippendorff's, nominal.")
    alpha_lower = serializers.FloatField(allow_null=True)
    alpha_upper = serializers.FloatField(allow_null=True)
    kappa = serializers.FloatField(allow_null=True, help_text="Fleiss', for items with different numbers of voters.")
    agreement = serializers.FloatField(allow_null=True, help_text="Chance that two voters of one item agree.")
    items = serializers.IntegerField(help_text="Items that at least two voters judged.")
    voters = serializers.IntegerField()
    votes = serializers.IntegerField(help_text="First votes on those items.")
    flipped = RepeatsOut(allow_null=True, help_text="Self-consistency; null before the first snapshot.")
    disputed = DisputedOut(many=True, help_text="Items that split their voters, the most split first.")
    votes_to_flip = serializers.IntegerField(allow_null=True, help_text="Votes whose removal changes who is first.")


OF_ALL = ("status", "alpha", "alpha_lower", "alpha_upper", "kappa", "agreement", "items", "voters", "votes")
UNMEASURED: dict[str, Any] = {
    **dict.fromkeys((*OF_ALL, "snapshot", "flipped", "votes_to_flip")),
    "status": "no_votes", "items": 0, "voters": 0, "votes": 0, "disputed": [],
}  # fmt: skip


class Agreement(ConsoleView):
    @extend_schema(operation_id="agreement", responses={200: AgreementOut, 403: ErrorOut, 404: ErrorOut})
    def get(self, request: Request, slug: str) -> Response:
        """Do voters agree with each other and with themselves, and how few votes decide who is first?"""
        snapshot = reading.latest_snapshot(self.allowed(request, slug, Action.SEE_CONSOLE))
        if snapshot is None:
            body: dict[str, Any] = {
                **UNMEASURED,
                "snapshot": None,
                "flipped": None,
                "disputed": [],
                "votes_to_flip": None,
            }
            return Response(AgreementOut(body).data)
        from arena.leaderboards import agreeing  # numpy and scipy, 50 MB that voters' pages do without

        found = agreeing.measured(snapshot)
        body = {name: getattr(found.agreement, name) for name in OF_ALL} | {
            "snapshot": snapshot.number,
            "flipped": found.consistency.flipped,
            "disputed": found.disputed,
            "votes_to_flip": found.influence.votes_to_flip,
        }
        return Response(AgreementOut(body).data)


def _standing(arena: Arena) -> Response:
    decided = Exclusion.objects.filter(arena=arena).select_related("competitor")[:SHOWN]
    body = {"mode": standing.screening_of(arena), "waiting": pending(arena)[:SHOWN], "decided": decided}
    return Response(ReviewOut(body, context=_in_force(arena)).data)


def _in_force(arena: Arena) -> dict[str, set[int]]:
    return {"in_force": set(standing.decisions(arena).values_list("pk", flat=True))}


def _decider(request: HttpRequest) -> Decider:
    return Decider(request.user if isinstance(request.user, User) else None)
