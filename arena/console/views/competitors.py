"""Who answers in an arena: seen, added, changed, tried, retired. Nobody who answered ever vanishes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from arena.competitors import catalogue, endpoints, health, versions, watching
from arena.competitors.health import LOCAL_MODEL, local_model_missing
from arena.competitors.models import Competitor, Endpoint
from arena.console.door import console_arena
from arena.console.field_forms import CompetitorForm, RetireForm, TrialForm
from arena.console.naming import change, why_name_stays
from arena.console.refusals import said_on
from arena.console.state import state_of
from arena.console.views.arena import page_context, untold_since
from arena.console.views.votes import endpoint_words
from arena.teams.models import Arena
from arena.teams.permissions import Action, may
from arena.teams.person import person_of


@require_safe
@never_cache
def competitors(request: HttpRequest, slug: str) -> HttpResponse:
    """All competitors, those in service first, each with how its endpoint is."""
    arena = console_arena(request, slug)
    now = timezone.now()
    field = Competitor.objects.filter(arena=arena).select_related("endpoint").order_by("name", "-version")
    untold = untold_since(request, arena)
    rows = [(row, _health(row, untold, now=now)) for row in field]
    in_service = [pair for pair in rows if pair[0].retired_at is None]
    context = page_context(request, arena) | {
        "rows": in_service + [pair for pair in rows if pair[0].retired_at is not None],
        "untold_since": untold,
        "words": endpoint_words(),
        "in_service": len(in_service),
        "answer_live": len([row for row, _state in in_service if row.endpoint]),
        "state": state_of(arena, now=now),
        "wants_live": arena.kind != Arena.Kind.RECORDED,
        "offers_local": arena.kind != Arena.Kind.RECORDED and not local_model_missing(),
        "has_endpoints": Endpoint.objects.exclude(base_url=LOCAL_MODEL).exists(),  # which has a button of its own
        "may_operate": may(person_of(request), Action.OPERATE),
    }
    return render(request, "console/competitors.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def add(request: HttpRequest, slug: str) -> HttpResponse:
    """A new competitor."""
    arena = console_arena(request, slug, Action.CONFIGURE)
    chosen = request.GET.get("endpoint", "")
    form = CompetitorForm(
        request.POST if request.method == "POST" else None,
        initial={"endpoint": chosen if chosen.isdecimal() else None},
        needs_endpoint=arena.kind == Arena.Kind.LIVE,
    )
    if request.method == "POST" and form.is_valid():
        with said_on(form):
            made = catalogue.add_competitor(form.cleaned_data["name"], arena=arena, **form.settings())
            messages.success(request, _("Added %(name)s.") % {"name": made.label})
            return redirect("console:competitors", slug=arena.slug)
    context = page_context(request, arena) | {
        "form": form,
        "groups": form.groups(),
        "has_endpoints": Endpoint.objects.exists(),
        "may_operate": may(person_of(request), Action.OPERATE),
    }
    return render(request, "console/competitor_add.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def competitor(request: HttpRequest, slug: str, competitor_id: int) -> HttpResponse:
    """One version; sending the form changes it, or makes the next version where it has answered."""
    arena = console_arena(request, slug, Action.CONFIGURE if request.method == "POST" else Action.SEE_CONSOLE)
    stored = _found(arena, competitor_id)
    may_configure = may(person_of(request), Action.CONFIGURE, arena)
    form = CompetitorForm(
        request.POST if request.method == "POST" else None,
        instance=_found(arena, competitor_id),  # the form writes into it, whatever comes of it
        needs_endpoint=arena.kind == Arena.Kind.LIVE,
        may_change=may_configure,
        name_fixed=why_name_stays(stored, untold_since(request, arena)),
    )
    if request.method == "POST" and form.is_valid():
        with said_on(form):
            kept = change(stored, form.cleaned_data["name"], form.settings(), now=timezone.now())
            messages.success(request, _said_of(stored, kept))
            return redirect("console:competitor", slug=arena.slug, competitor_id=kept.pk)
    return _page(request, arena, stored, form=form)


@require_POST
@never_cache
def change_service(request: HttpRequest, slug: str, competitor_id: int) -> HttpResponse:
    """Retires for a reason, or corrects the reason; brings back; forgets the failures of one that has been mended."""
    arena = console_arena(request, slug, Action.CONFIGURE)
    row = _found(arena, competitor_id)
    wanted = request.POST.get("service", "")
    if wanted == "retire":
        retiring = RetireForm(request.POST)
        if not retiring.is_valid():
            return _page(request, arena, row, retiring=retiring)
        versions.retire(row, reason=retiring.cleaned_data["retired_reason"], now=timezone.now())
        messages.success(request, _("%(name)s is retired.") % {"name": row.label})
    elif wanted == "back":
        versions.bring_back(row)
        messages.success(request, _("%(name)s is in service again.") % {"name": row.label})
    elif wanted == "mended":
        health.put_competitor_back(row)
        messages.success(request, _("%(name)s is in the draw again.") % {"name": row.label})
    else:
        messages.error(request, _("Nothing was changed: retire, back and mended are known."))
    return redirect("console:competitor", slug=arena.slug, competitor_id=row.pk)


@require_POST
@never_cache
def try_competitor(request: HttpRequest, slug: str, competitor_id: int) -> HttpResponse:
    """One streamed answer under the competitor's own settings; nothing is stored."""
    arena = console_arena(request, slug, Action.CONFIGURE)
    row, trial = _found(arena, competitor_id), TrialForm(request.POST)
    result = endpoints.try_endpoint(row, prompt=trial.cleaned_data["prompt"]) if trial.is_valid() else None
    return _page(request, arena, row, trial=trial, result=result)


@require_POST
@never_cache
def add_local(request: HttpRequest, slug: str) -> HttpResponse:
    """The competitors of the model that comes with Blindfold."""
    arena = console_arena(request, slug, Action.CONFIGURE)
    if missing := local_model_missing():
        messages.error(request, _("The local model is not available: %(reason)s") % {"reason": missing})
    else:
        made = len(catalogue.add_local_competitors(arena))
        messages.success(request, ngettext("Added one competitor.", "Added %(n)s competitors.", made) % {"n": made})
    return redirect("console:competitors", slug=arena.slug)


def _page(
    request: HttpRequest,
    arena: Arena,
    row: Competitor,
    *,
    form: CompetitorForm | None = None,
    trial: TrialForm | None = None,
    retiring: RetireForm | None = None,
    result: endpoints.TrialResult | None = None,
) -> HttpResponse:
    may_configure = may(person_of(request), Action.CONFIGURE, arena)
    untold = untold_since(request, arena)
    form = form or CompetitorForm(
        instance=_found(arena, row.pk),
        needs_endpoint=arena.kind == Arena.Kind.LIVE,
        may_change=may_configure,
        name_fixed=why_name_stays(row, untold),
    )
    why = versions.why_retired(row, untold)
    context: dict[str, Any] = page_context(request, arena) | {
        "row": row,
        "form": form,
        "groups": form.groups(),
        "trial": trial or TrialForm(),
        "why": why,
        "retiring": retiring or RetireForm(initial={"retired_reason": why and why.reason}),
        "result": result,
        "health": _health(row, untold, now=timezone.now()),
        "untold_since": untold,
        "words": endpoint_words(),
        "others": Competitor.objects.filter(arena=arena, name=row.name).exclude(pk=row.pk).order_by("-version"),
    }
    refused = any(given is not None and given.errors for given in (form, trial, retiring))
    return render(request, "console/competitor.html", context, status=400 if refused else 200)


def _health(row: Competitor, untold: datetime | None, *, now: datetime) -> watching.EndpointState | None:
    """How the competitor is; its endpoint only, while what happens to the competitor would tell who is in a battle."""
    if untold is None or row.endpoint is None:
        return watching.state_of_competitor(row, now=now)
    return watching.state_of(row.endpoint, now=now)


def _found(arena: Arena, competitor_id: int) -> Competitor:
    row = Competitor.objects.filter(arena=arena, pk=competitor_id).select_related("endpoint", "replaced_by").first()
    if row is None:
        raise Http404("There is no page at this address, or it is not open to you.")
    return row


def _said_of(before: Competitor, after: Competitor) -> str:
    if after.pk == before.pk:
        return _("Saved.")
    return _("Made %(new)s and retired %(old)s.") % {"new": after.label, "old": before.label}
