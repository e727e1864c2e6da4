"""The way to the organization that people sign in at, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from requests import RequestException

from arena.teams import organization


@never_cache
def sign_in(request: HttpRequest, provider_id: str) -> HttpResponse:
    """A GET asks; a POST leads there by a page of ours, since the policy lets a form lead nowhere else."""
    answer = _asked("login", request, provider_id)
    if answer.status_code != 302:
        return answer
    return render(request, "teams/leaving.html", {"address": answer["Location"], "name": _name()})


@never_cache
def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Whoever comes back with a good answer is signed in."""
    return _asked("callback", request, provider_id)


def _asked(view: str, request: HttpRequest, provider_id: str) -> HttpResponse:
    """The account library's answer, or a page that says what went wrong. Raises Http404 without an organization."""
    if not settings.SOCIALACCOUNT_PROVIDERS:
        raise Http404("Nobody signs in elsewhere here: OIDC_ISSUER is not set.")
    from allauth.socialaccount.providers.openid_connect import views  # loaded only where it is used

    ask: Callable[..., Any] = getattr(views, view)
    try:
        answer: HttpResponse = ask(request, provider_id)
    except (RequestException, *organization.NOT_UNDERSTOOD) as error:
        return organization.failed(request, _name(), error)
    return answer


def _name() -> str:
    return str(settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["name"])
