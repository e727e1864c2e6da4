"""What belongs to an account: how it signs in, and the arenas that it is a member of."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from arena.teams.models import Membership
from arena.teams.person import person_of


@require_safe
@never_cache
@login_required
def account(request: HttpRequest) -> HttpResponse:
    """The account's own page."""
    mine = Membership.objects.filter(
        person_of(request).memberships(), ended_at__isnull=True, arena__archived_at__isnull=True
    )
    context = {"memberships": mine.select_related("arena").order_by("arena_id"), "person": person_of(request)}
    return render(request, "teams/account.html", context)
