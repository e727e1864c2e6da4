"""What a voter may say about themselves in an arena: a name for those who run it, and for whom they work."""

from __future__ import annotations

from allauth.core import ratelimit
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from arena.teams import members, voters
from arena.teams.access import arena_for
from arena.teams.forms import ProfileForm
from arena.teams.models import Membership
from arena.teams.person import person_of


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def profile(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows what is known, and keeps what is sent. Only members have a name here."""
    arena = arena_for(person_of(request), slug)
    voter = voters.voter_of(request)
    member = Membership.objects.filter(arena=arena, voter=voter, ended_at__isnull=True).first() if voter else None
    known = {
        "display_name": member.display_name if member else "",
        "affiliation": voter.affiliation if voter else "",
    }
    form = ProfileForm(request.POST or None, initial=known)
    if member is None:
        del form.fields["display_name"]
    if request.method != "POST" or not form.is_valid():
        return render(request, "teams/profile.html", {"arena": arena, "form": form, "section": "mine"})
    if voter is None and not ratelimit.consume(request, action="new_voter"):
        return render(
            request, "429.html", status=429
        )  # who opens a battle is counted there; here nothing else would be
    with transaction.atomic():
        voter = voter or voters.ensure_voter(request)
        voters.declare_affiliation(voter, form.cleaned_data["affiliation"])
        if member is not None:
            members.rename(member, form.cleaned_data["display_name"])
    response = redirect("battles:vote_page", slug=slug)
    voters.remember(response, voter)
    return response
