"""An arena's people: members, and the links by which others become members."""

from __future__ import annotations

from typing import Any

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from arena.battles.models import Vote
from arena.teams import api_tokens, invitations, members
from arena.teams.access import arena_for, require
from arena.teams.errors import MembershipRefused
from arena.teams.forms import InviteForm, MemberForm
from arena.teams.models import ApiToken, Arena, Invitation, Membership
from arena.teams.permissions import Action
from arena.teams.person import person_of


@require_safe
@never_cache
def people(request: HttpRequest, slug: str) -> HttpResponse:
    """Everybody who belongs here, and the links that are out."""
    return _page(request, _arena(request, slug))


@require_POST
@never_cache
def invite(request: HttpRequest, slug: str) -> HttpResponse:
    """Makes a link and shows it, this once: nothing that opens it is kept."""
    arena, now = _arena(request, slug), timezone.now()
    form = InviteForm(request.POST)
    if not form.is_valid():
        return _page(request, arena, form=form, status=400)
    made, token = invitations.invite(arena, **form.settings(now=now), by=request.user)  # type: ignore[arg-type]
    address = request.build_absolute_uri(reverse("teams:join", args=[token]))
    return _page(request, arena, made=made, address=address)


@require_POST
@never_cache
def revoke(request: HttpRequest, slug: str, invitation_id: int) -> HttpResponse:
    """Withdraws a link; who joined by it stays."""
    invitation = get_object_or_404(Invitation, pk=invitation_id, arena=_arena(request, slug))
    invitations.revoke(invitation, now=timezone.now())
    return redirect("teams:people", slug=slug)


@require_POST
@never_cache
def change(request: HttpRequest, slug: str, member_id: int) -> HttpResponse:
    """Another role or cohort for a member."""
    arena = _arena(request, slug)
    form = MemberForm(request.POST)
    if not form.is_valid():
        return _page(
            request, arena, refusal=_("Choose one of the roles, and a cohort of at most 40 letters."), status=400
        )
    try:
        members.change(_member(arena, member_id), **form.cleaned_data)
    except MembershipRefused as refusal:
        return _page(request, arena, refusal=str(refusal), status=refusal.status)
    return redirect("teams:people", slug=slug)


@require_POST
@never_cache
def end(request: HttpRequest, slug: str, member_id: int) -> HttpResponse:
    """Ends a membership; the votes stay."""
    arena = _arena(request, slug)
    try:
        members.end(_member(arena, member_id), now=timezone.now())
    except MembershipRefused as refusal:
        return _page(request, arena, refusal=str(refusal), status=refusal.status)
    return redirect("teams:people", slug=slug)


def _arena(request: HttpRequest, slug: str) -> Arena:
    arena = arena_for(person_of(request), slug)
    require(person_of(request), Action.MANAGE_PEOPLE, arena)
    return arena


def _member(arena: Arena, member_id: int) -> Membership:
    return get_object_or_404(Membership.objects.select_related("voter"), pk=member_id, arena=arena, ended_at=None)


def _page(request: HttpRequest, arena: Arena, *, status: int = 200, **more: Any) -> HttpResponse:
    now = timezone.now()
    current = Membership.objects.filter(arena=arena, ended_at__isnull=True).select_related("voter__user")
    here = list(current.order_by("id"))
    votes = dict(
        Vote.objects.filter(battle__arena=arena, voter__in=[member.voter_id for member in here])
        .values_list("voter")
        .annotate(Count("pk"))
        .order_by()
    )
    given = Invitation.objects.filter(arena=arena).order_by("-id")
    context = {
        "arena": arena,
        "section": "console",
        "rows": [(member, votes.get(member.voter_id, 0), MemberForm.of(member)) for member in here],
        "links": [link for link in given if invitations.is_good(link, now=now)],
        "tokens": api_tokens.good_ones(ApiToken.objects.filter(arena=arena), now=now).select_related("user"),
        "form": InviteForm(),
        **more,
    }
    return render(request, "teams/people.html", context, status=status)
