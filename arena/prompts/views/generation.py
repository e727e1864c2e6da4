"""Generation in the console: start a run, watch it, stop it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from arena.competitors.models import Competitor
from arena.prompts.generation import costs, runs
from arena.prompts.generation.errors import GenerationRefused
from arena.prompts.models import GenerationRun, PromptSet
from arena.prompts.views.door import configured, frame
from arena.teams.models import Arena

SHOWN = 10


class RunForm(forms.Form):
    """What is run, against whom, how fast and for how much."""

    prompt_set = forms.ModelChoiceField(PromptSet.objects.none(), label=gettext_lazy("Prompt set"))
    competitors = forms.ModelMultipleChoiceField(
        Competitor.objects.none(), label=gettext_lazy("Competitors"), widget=forms.CheckboxSelectMultiple
    )
    concurrency = forms.IntegerField(
        min_value=1, max_value=32, initial=2, label=gettext_lazy("At a time"),
        help_text=gettext_lazy("Answers asked of one endpoint at a time. Above 1 the recorded timings say less."),
    )  # fmt: skip
    budget = forms.FloatField(
        min_value=0, required=False, label=gettext_lazy("Budget"),
        help_text=gettext_lazy("In the currency of the prices. Nothing is asked that could pass it. Empty: no limit."),
    )  # fmt: skip

    def __init__(self, arena: Arena, *args: Any) -> None:
        super().__init__(*args)
        sets = PromptSet.objects.filter(arena=arena, purpose=PromptSet.Purpose.BATTLES).order_by("name")
        here = runs.askable(arena).order_by("name", "version")
        for name, rows in (("prompt_set", sets), ("competitors", here)):
            self.fields[name].queryset = rows  # type: ignore[attr-defined]
        self.initial.setdefault("competitors", [row.pk for row in here])
        self.initial.setdefault("prompt_set", sets.first())


@never_cache
@require_http_methods(["GET", "POST"])
def generation(request: HttpRequest, slug: str) -> HttpResponse:
    """The runs of an arena, and the form for a new one. `?runs` answers with the runs alone, for the page's script."""
    arena = configured(request, slug)
    if request.method == "GET" and "runs" in request.GET:
        return render(request, "prompts/_runs.html", {"arena": arena, "runs": _shown(arena)})
    form = RunForm(arena, request.POST) if request.method == "POST" else RunForm(arena)
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        try:
            runs.start(
                chosen["prompt_set"], list(chosen["competitors"]), now=timezone.now(), user=_account(request),
                concurrency=chosen["concurrency"], budget=chosen["budget"],
            )  # fmt: skip
        except GenerationRefused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("The worker has taken the run. You may leave this page."))
            return redirect("prompts:generation", slug)
    context = frame(request, arena) | {
        "form": form, "runs": _shown(arena), "page": "generation", "at_most": _at_most(arena),
        "has_sets": form.fields["prompt_set"].queryset.exists(),  # type: ignore[attr-defined]
        "has_competitors": runs.askable(arena).exists(),
    }  # fmt: skip
    return render(request, "prompts/generation.html", context, status=400 if form.errors else 200)


@require_POST
def stop(request: HttpRequest, slug: str, run_id: int) -> HttpResponse:
    """Ends a run; what is under way is still stored."""
    arena = configured(request, slug)
    run = GenerationRun.objects.filter(prompt_set__arena=arena, pk=run_id).first()
    if run is None:
        raise Http404("There is no such run.")
    try:
        runs.stop(run, now=timezone.now())
        messages.success(request, _("The run asks for nothing more. A new run asks for what is missing."))
    except GenerationRefused as refused:
        messages.error(request, str(refused))
    return redirect("prompts:generation", slug)


def _account(request: HttpRequest) -> Any:
    return request.user if request.user.is_authenticated else None


def _shown(arena: Arena) -> list[dict[str, Any]]:
    latest = GenerationRun.objects.filter(prompt_set__arena=arena).select_related("prompt_set").order_by("-pk")
    return [
        {"run": run, "progress": runs.progress(run), "going": run.state in runs.GOING, "state": STATES[run.state],
         "failures": list(reversed(run.failures))}
        for run in latest[:SHOWN]
    ]  # fmt: skip


def _at_most(arena: Arena) -> list[dict[str, Any]]:
    """What each set could cost with each competitor at most; none where prices are missing."""
    found = []
    for prompt_set in PromptSet.objects.filter(arena=arena, purpose=PromptSet.Purpose.BATTLES).order_by("name"):
        asked = [prompt.messages for prompt in prompt_set.prompts.filter(retired_at__isnull=True)]
        for competitor in runs.askable(arena).filter(price_in__isnull=False, price_out__isnull=False):
            most = sum(costs.at_most(competitor, messages) for messages in asked)
            found.append({"set": prompt_set.name, "competitor": competitor.label, "prompts": len(asked), "most": most})
    return found


STATES: dict[str, Any] = {
    GenerationRun.State.WAITING: gettext_lazy("waiting for the worker"),
    GenerationRun.State.RUNNING: gettext_lazy("running"),
    GenerationRun.State.FINISHED: gettext_lazy("finished"),
    GenerationRun.State.STOPPED: gettext_lazy("stopped by hand"),
    GenerationRun.State.OUT_OF_BUDGET: gettext_lazy("stopped at the budget"),
    GenerationRun.State.GAVE_UP: gettext_lazy("ended with answers missing"),
}
