"""The addresses that are told of an arena's publications; an address may hold a key, so auditors do not see them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from arena.console.door import console_arena
from arena.console.refusals import said_on
from arena.console.views.arena import page_context
from arena.leaderboards import webhooks as hooks
from arena.teams.models import Arena
from arena.teams.permissions import Action

_KINDS = {
    "ConnectError": gettext_lazy("Nobody answers at this address, or not by TLS."),
    "ConnectTimeout": gettext_lazy("The address did not answer in time."),
    "ReadTimeout": gettext_lazy("The address took the message and said nothing in time."),
}


class WebhookForm(forms.Form):
    """The one thing that is asked."""

    url = forms.CharField(
        label=gettext_lazy("Address"), max_length=300,
        help_text=gettext_lazy("https://host/path, which this server can reach."),
        widget=forms.URLInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def webhooks(request: HttpRequest, slug: str) -> HttpResponse:
    """All of them; a new one's secret is shown in the answer that made it, this once."""
    arena = console_arena(request, slug, Action.CONFIGURE)
    form = WebhookForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        with said_on(form):
            made, secret = hooks.add(arena, form.cleaned_data["url"], now=timezone.now())
            return _page(request, arena, made=made, secret=secret)
    return _page(request, arena, form=form, status=400 if form.errors else 200)


@require_POST
@never_cache
def try_webhook(request: HttpRequest, slug: str, webhook_id: int) -> HttpResponse:
    """One delivery that says it is a test; nothing is stored."""
    arena = console_arena(request, slug, Action.CONFIGURE)
    row = get_object_or_404(hooks.standing(arena), pk=webhook_id)
    says = hooks.try_now(row, now=timezone.now())
    return _page(request, arena, tried=row, says=_worded(says))


@require_POST
@never_cache
def withdraw(request: HttpRequest, slug: str, webhook_id: int) -> HttpResponse:
    """It is told nothing from now on."""
    arena = console_arena(request, slug, Action.CONFIGURE)
    hooks.withdraw(get_object_or_404(hooks.standing(arena), pk=webhook_id), now=timezone.now())
    messages.success(request, _("Withdrawn. It is told nothing any more."))
    return redirect("console:webhooks", slug=arena.slug)


def _page(request: HttpRequest, arena: Arena, *, status: int = 200, **more: Any) -> HttpResponse:
    rows = [(row, hooks.state_of(row), _worded(row.last_error)) for row in hooks.standing(arena)]
    context = page_context(request, arena) | {"rows": rows, "form": WebhookForm(), "tries": hooks.TRIES} | more
    context["is_full"] = len(rows) >= hooks.MOST
    return render(request, "console/webhooks.html", context, status=status)


def _worded(says: str) -> str:
    """What is stored for programs, in words for people."""
    return str(_KINDS.get(says, says))
