"""An invitation is opened and taken."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from arena.teams import invitations, members, voters
from arena.teams.adapters import INVITED
from arena.teams.errors import InvitationRefused, MembershipRefused
from arena.teams.forms import JoinForm
from arena.teams.models import Invitation
from arena.teams.person import person_of


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def join(request: HttpRequest, token: str) -> HttpResponse:
    """The invitation, or the sentence why it is none any more; joining leads straight to the vote."""
    try:
        invitation = invitations.invitation_of(token)
        if person_of(request).role_in(invitation.arena) == invitation.role:
            return redirect("battles:vote_page", slug=invitation.arena.slug)
        invitations.check(invitation, now=timezone.now())
    except InvitationRefused as refusal:
        return _refused(request, refusal)
    request.session[INVITED] = invitation.pk
    form = JoinForm(request.POST if request.method == "POST" else None, invitation=invitation)
    if request.method != "POST" or not form.is_valid():
        return _page(request, invitation, form)
    try:
        return _join(request, invitation, form)
    except (InvitationRefused, MembershipRefused) as refusal:
        return _refused(request, refusal)


def _join(request: HttpRequest, invitation: Invitation, form: JoinForm) -> HttpResponse:
    with transaction.atomic():  # a refusal leaves no voter behind
        voter = voters.ensure_voter(request)
        members.join(invitation, voter, now=timezone.now(), **form.cleaned_data)
    response = redirect("battles:vote_page", slug=invitation.arena.slug)
    voters.remember(response, voter)
    return response


def _page(request: HttpRequest, invitation: Invitation, form: JoinForm) -> HttpResponse:
    context = {
        "invitation": invitation,
        "form": form,
        "needs_account": invitations.needs_account(invitation) and not request.user.is_authenticated,
    }
    return render(request, "teams/join.html", context)


def _refused(request: HttpRequest, refusal: InvitationRefused | MembershipRefused) -> HttpResponse:
    return render(request, "teams/join_refused.html", {"refusal": refusal}, status=refusal.status)
