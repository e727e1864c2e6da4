"""An account's API tokens: made, shown once, withdrawn."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from arena.teams import api_tokens
from arena.teams.access import arena_for, arenas_for, require
from arena.teams.forms import TokenForm
from arena.teams.models import ApiToken
from arena.teams.permissions import Action
from arena.teams.person import person_of


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def tokens(request: HttpRequest) -> HttpResponse:
    """The account's tokens; one that is made is shown this once."""
    assert isinstance(request.user, User)  # noqa: S101 - login_required
    now, made = timezone.now(), ""
    form = TokenForm(request.POST or None, arenas=arenas_for(person_of(request)))
    if request.method == "POST" and form.is_valid():
        given: dict[str, Any] = dict(form.cleaned_data)
        expires_at = now + timedelta(days=int(given.pop("days")))
        _row, made = api_tokens.make(request.user, **given, expires_at=expires_at)
        form = TokenForm(arenas=arenas_for(person_of(request)))
    mine = api_tokens.good_ones(ApiToken.objects.filter(user=request.user), now=now).select_related("arena")
    status = 400 if form.is_bound else 200
    return render(request, "teams/tokens.html", {"form": form, "tokens": mine, "made": made}, status=status)


@require_POST
@login_required
def revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    """Withdraws one of the account's own."""
    api_tokens.revoke(get_object_or_404(ApiToken, pk=token_id, user=request.user), now=timezone.now())
    return redirect("teams:tokens")


@require_POST
def revoke_in_arena(request: HttpRequest, slug: str, token_id: int) -> HttpResponse:
    """Withdraws anybody's token for this arena alone."""
    arena = arena_for(person_of(request), slug)
    require(person_of(request), Action.MANAGE_PEOPLE, arena)
    api_tokens.revoke(get_object_or_404(ApiToken, pk=token_id, arena=arena), now=timezone.now())
    return redirect("teams:people", slug=slug)
