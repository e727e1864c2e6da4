"""The addresses that answer for competitors, which all arenas of the instance share."""

from __future__ import annotations

import os
from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from arena.competitors import catalogue, health, watching
from arena.competitors import endpoints as asking
from arena.competitors.models import Competitor, Endpoint
from arena.console.field_forms import PRESETS, EndpointForm, EndpointTrialForm
from arena.console.refusals import said_on
from arena.console.views.votes import endpoint_words
from arena.teams.models import Arena
from arena.teams.permissions import Action, may
from arena.teams.person import person_of


@require_safe
@never_cache
def endpoints(request: HttpRequest) -> HttpResponse:
    """All endpoints, and how each is."""
    if refused := _refused(request):
        return refused
    now = timezone.now()
    serves: dict[int, list[str]] = {}
    for row in Competitor.objects.filter(retired_at__isnull=True, endpoint__isnull=False).select_related("arena"):
        serves.setdefault(row.endpoint_id or 0, []).append(f"{row.label} ({row.arena.slug})")
    rows = [
        (row, watching.state_of(row, tuple(serves.get(row.pk, ())), now=now), _has_key(row))
        for row in Endpoint.objects.order_by("name")
    ]
    return render(request, "console/endpoints.html", {**_place(), "rows": rows, "words": endpoint_words()})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def add_endpoint(request: HttpRequest) -> HttpResponse:
    """A new one; a preset fills the form in. Whoever comes from an arena goes back there, to enter a competitor."""
    if refused := _refused(request):
        return refused
    preset = PRESETS.get(request.GET.get("preset", ""))
    initial = {"name": preset.name, "base_url": preset.base_url, "key_env": preset.key_env} if preset else {}
    form = EndpointForm(request.POST if request.method == "POST" else None, initial=initial)
    arena = Arena.objects.filter(slug=request.GET.get("arena", "")).first()
    if request.method == "POST" and form.is_valid():
        with said_on(form):
            made = catalogue.add_endpoint(**form.cleaned_data)
            messages.success(request, _("Added %(name)s.") % {"name": made.name})
            return _onwards(made, arena)
    context = {**_place(), "form": form, "presets": _preset_links(request, arena), "for_arena": arena}
    return render(request, "console/endpoint_add.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def endpoint(request: HttpRequest, endpoint_id: int) -> HttpResponse:
    """One endpoint, to change and to try."""
    if refused := _refused(request):
        return refused
    row = _found(endpoint_id)
    # The form writes into its instance, whatever comes of it.
    form = EndpointForm(request.POST if request.method == "POST" else None, instance=_found(endpoint_id))
    if request.method == "POST" and form.is_valid():
        with said_on(form):
            catalogue.change_endpoint(row, **form.cleaned_data)
            messages.success(request, _("Saved."))
            return redirect("console:endpoint", endpoint_id=row.pk)
    return _page(request, row, form=form)


@require_POST
@never_cache
def try_endpoint(request: HttpRequest, endpoint_id: int) -> HttpResponse:
    """One streamed answer; nothing is stored."""
    if refused := _refused(request):
        return refused
    row, trial = _found(endpoint_id), EndpointTrialForm(request.POST)
    result = asking.try_endpoint(row, **trial.cleaned_data) if trial.is_valid() else None
    return _page(request, row, trial=trial, result=result)


@require_POST
@never_cache
def look_up_models(request: HttpRequest, endpoint_id: int) -> HttpResponse:
    """What the endpoint offers, to choose from where it is asked; nothing is stored."""
    if refused := _refused(request):
        return refused
    row = _found(endpoint_id)
    return _page(request, row, offer=asking.look_up_models(row))


@require_POST
@never_cache
def put_back(request: HttpRequest, endpoint_id: int) -> HttpResponse:
    """Forgets the failures of an endpoint that has been mended."""
    if refused := _refused(request):
        return refused
    row = _found(endpoint_id)
    health.put_back([row.pk])
    messages.success(request, _("%(name)s is in the draw again.") % {"name": row.name})
    return redirect("console:endpoint", endpoint_id=row.pk)


def _refused(request: HttpRequest) -> HttpResponse | None:
    """Where somebody who may not operate the instance goes instead. Raises Http404."""
    if may(person_of(request), Action.OPERATE):
        return None
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    raise Http404("There is no page at this address, or it is not open to you.")


def _page(
    request: HttpRequest,
    row: Endpoint,
    *,
    form: EndpointForm | None = None,
    trial: EndpointTrialForm | None = None,
    result: asking.TrialResult | None = None,
    offer: asking.Offer | None = None,
) -> HttpResponse:
    form = form or EndpointForm(instance=_found(row.pk))
    field = Competitor.objects.filter(endpoint=row)
    known = field.order_by("-pk").values_list("model_id", flat=True).first()
    trial = trial or EndpointTrialForm(initial={"model_id": known or ""})
    trial.fields["model_id"].widget.attrs["list"] = "offered"
    context: dict[str, Any] = {
        **_place(),
        "row": row,
        "health": watching.state_of(row, now=timezone.now()),
        "words": endpoint_words(),
        "has_key": _has_key(row),
        "serves": field.count(),
        # How many and not who: whoever runs the server may vote, and a pause that grows would name one of their two.
        "resting": field.filter(retired_at__isnull=True, out_until__gt=timezone.now()).count(),
        "form": form,
        "trial": trial,
        "offer": offer,
        "result": result,
    }
    refused = bool(form.errors or trial.errors)
    return render(request, "console/endpoint.html", context, status=400 if refused else 200)


def _place() -> dict[str, Any]:
    return {"arena": None, "section": "console"}


def _found(endpoint_id: int) -> Endpoint:
    row = Endpoint.objects.filter(pk=endpoint_id).first()
    if row is None:
        raise Http404("There is no page at this address, or it is not open to you.")
    return row


def _has_key(row: Endpoint) -> bool:
    """Whether the key's variable holds anything; what it holds is shown nowhere."""
    return bool(row.key_env and os.environ.get(row.key_env))


def _preset_links(request: HttpRequest, arena: Arena | None) -> list[tuple[str, str, bool]]:
    """Name, address and whether it is the one that the form is filled in with."""
    kept = {"arena": arena.slug} if arena else {}
    chosen = request.GET.get("preset", "")
    return [(one.name, f"?{urlencode({'preset': key, **kept})}", key == chosen) for key, one in PRESETS.items()]


def _onwards(made: Endpoint, arena: Arena | None) -> HttpResponse:
    if arena is None:
        return redirect("console:endpoint", endpoint_id=made.pk)
    return redirect(f"{reverse('console:add_competitor', args=[arena.slug])}?{urlencode({'endpoint': made.pk})}")
