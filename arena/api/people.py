"""Members and invitations over REST, for those who manage people; no logic of its own."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from arena.api.arenas import REFUSALS, ConsoleView
from arena.api.serializers import ErrorOut, example
from arena.teams import invitations, members
from arena.teams.models import Arena, Invitation, Membership, Role
from arena.teams.permissions import Action

LARGEST = 2**63 - 1
"""What a database takes as an id; an address may say more."""


class MemberIn(serializers.Serializer[Any]):
    role = serializers.ChoiceField(choices=Role.choices)
    cohort = serializers.CharField(max_length=40, allow_blank=True, default="")


class MemberOut(serializers.ModelSerializer[Membership]):
    account = serializers.CharField(help_text="The account's address or name; empty for a member by cookie.")

    class Meta:
        model = Membership
        fields = ("id", "role", "cohort", "display_name", "account", "created_at")


class InvitationIn(serializers.Serializer[Any]):
    role = serializers.ChoiceField(choices=Role.choices, default=Role.VOTER)
    cohort = serializers.CharField(max_length=40, allow_blank=True, default="")
    note = serializers.CharField(max_length=80, allow_blank=True, default="", help_text="For whom it is.")
    max_uses = serializers.IntegerField(min_value=1, max_value=1_000_000, allow_null=True, default=None)
    expires_at = serializers.DateTimeField(allow_null=True, default=None, help_text="Null: until it is withdrawn.")
    asks_name = serializers.BooleanField(default=True)

    def validate_expires_at(self, moment: datetime | None) -> datetime | None:
        """A link that is over already is somebody's mistake."""
        if moment is not None and moment <= timezone.now():
            raise serializers.ValidationError(f"{moment.isoformat()} is past. Name a moment to come.")
        return moment


class InvitationOut(serializers.ModelSerializer[Invitation]):
    class Meta:
        model = Invitation
        fields = ("id", "role", "cohort", "note", "asks_name", "max_uses", "used_count", "expires_at", "created_at")


class NewInvitationOut(InvitationOut):
    address = serializers.CharField(help_text="The link. It is told this once: only its hash is kept.")

    class Meta(InvitationOut.Meta):
        fields = (*InvitationOut.Meta.fields, "address")  # type: ignore[assignment]


class _People(ConsoleView):
    scope = "configure"

    def managed(self, request: Request, slug: str) -> Arena:
        """The arena, where the caller manages its people. Raises Http404, PermissionDenied."""
        return self.allowed(request, slug, Action.MANAGE_PEOPLE)


class Members(_People):
    @extend_schema(operation_id="members_list", responses={200: MemberOut(many=True), 403: ErrorOut, 404: ErrorOut})
    def get(self, request: Request, slug: str) -> Response:
        """Everybody who belongs here, the longest first."""
        here = Membership.objects.filter(arena=self.managed(request, slug), ended_at__isnull=True)
        return Response(MemberOut(here.select_related("voter__user").order_by("id"), many=True).data)


class Member(_People):
    @extend_schema(
        operation_id="member_change", request=MemberIn, responses={200: MemberOut, **REFUSALS},
        examples=example("An expert", {"role": "expert", "cohort": "support"}),
    )  # fmt: skip
    def put(self, request: Request, slug: str, member_id: int) -> Response:
        """Another role and cohort. The last owner stays one."""
        member = _member(self.managed(request, slug), member_id)
        body = MemberIn(data=request.data)
        body.is_valid(raise_exception=True)
        members.change(member, **body.validated_data)
        member.refresh_from_db(fields=["role", "cohort"])
        return Response(MemberOut(member).data)

    @extend_schema(operation_id="member_end", responses={204: None, **REFUSALS})
    def delete(self, request: Request, slug: str, member_id: int) -> Response:
        """Ends a membership; the votes stay. The last owner stays."""
        member = _member(self.managed(request, slug), member_id)
        members.end(member, now=timezone.now())
        return Response(status=204)


class Invitations(_People):
    @extend_schema(
        operation_id="invitations_list", responses={200: InvitationOut(many=True), 403: ErrorOut, 404: ErrorOut}
    )
    def get(self, request: Request, slug: str) -> Response:
        """The links that still admit somebody, the latest first. Nobody can be told a link again."""
        given, now = (
            Invitation.objects.filter(arena=self.managed(request, slug)).select_related("arena"),
            timezone.now(),
        )
        good = [link for link in given.order_by("-id") if invitations.is_good(link, now=now)]
        return Response(InvitationOut(good, many=True).data)

    @extend_schema(
        operation_id="invitation_create", request=InvitationIn, responses={201: NewInvitationOut, **REFUSALS},
        examples=example("Five experts", {"role": "expert", "cohort": "support", "max_uses": 5}),
    )  # fmt: skip
    def post(self, request: Request, slug: str) -> Response:
        """Makes a link and tells it, this once."""
        arena = self.managed(request, slug)
        body = InvitationIn(data=request.data)
        body.is_valid(raise_exception=True)
        by = request.user if isinstance(request.user, User) else None
        made, token = invitations.invite(arena, **body.validated_data, by=by)
        made.address = request.build_absolute_uri(reverse("teams:join", args=[token]))  # type: ignore[attr-defined]
        return Response(NewInvitationOut(made).data, status=201)


class InvitationDetail(_People):
    @extend_schema(operation_id="invitation_revoke", responses={204: None, 403: ErrorOut, 404: ErrorOut})
    def delete(self, request: Request, slug: str, invitation_id: int) -> Response:
        """Withdraws a link; who joined by it stays."""
        arena = self.managed(request, slug)
        invitation = get_object_or_404(Invitation, pk=within(invitation_id), arena=arena)
        invitations.revoke(invitation, now=timezone.now())
        return Response(status=204)


def within(pk: int) -> int:
    """An id as an address gives it. Raises Http404 for one that no table can hold."""
    if pk > LARGEST:
        raise Http404
    return pk


def _member(arena: Arena, member_id: int) -> Membership:
    rows = Membership.objects.select_related("voter__user")
    return get_object_or_404(rows, pk=within(member_id), arena=arena, ended_at=None)
