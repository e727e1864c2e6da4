"""Somebody becomes an operator of this instance, by a link that works once."""

from __future__ import annotations

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from arena.teams import setup as setting_up
from arena.teams.forms import SetupForm

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def setup(request: HttpRequest, token: str) -> HttpResponse:
    """Address and password; a new account is signed in, a known one signs in with its second factor as ever."""
    now = timezone.now()
    try:
        link = setting_up.link_of(token, now=now)
        form = SetupForm(request.POST if request.method == "POST" else None, email=link.email)
        if request.method != "POST" or not form.is_valid():
            return render(request, "teams/setup.html", {"form": form, "link": link})
        user, is_new = setting_up.finish(link, **form.cleaned_data, now=now)
    except setting_up.SetupRefused as refusal:
        return render(request, "teams/setup_refused.html", {"refusal": refusal}, status=404)
    if not is_new:
        return redirect("account_login")
    login(request, user, backend=BACKEND)
    return redirect("console:index")
