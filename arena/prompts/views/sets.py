"""Prompt sets and prompts in the console: what is there, corrected, tagged, split, sealed and retired."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from arena.prompts import keeping, listing
from arena.prompts.checks import specs
from arena.prompts.keeping import ChecksRefused, Facts, KeepingRefused
from arena.prompts.listing import Filters
from arena.prompts.models import Prompt, PromptSet
from arena.prompts.prompt_rows import split_tags
from arena.prompts.views import records
from arena.prompts.views.door import configured, frame

DESCRIBED = {
    "json": gettext_lazy("true: the answer is JSON, or one code block of it"),
    "json_schema": gettext_lazy("a JSON schema that the answer fits"),
    "regex": gettext_lazy("a pattern, or a list of them; each is found in the answer"),
    "contains": gettext_lazy("a text, or a list of them; each stands in the answer, in either case"),
    "not_contains": gettext_lazy("a text, or a list of them; none stands in the answer"),
    "max_words": gettext_lazy("a number: the answer has no more words"),
    "language": gettext_lazy("a language's code, such as en or de, where the answer is long enough to tell"),
}
"""What each check takes, for the field where it is set."""


@never_cache
@require_safe
def prompt_sets(request: HttpRequest, slug: str) -> HttpResponse:
    """All sets of an arena."""
    arena = configured(request, slug)
    context = frame(request, arena) | {"sets": listing.sets_of(arena), "page": "sets"}
    return render(request, "prompts/sets.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
def one_set(request: HttpRequest, slug: str, set_id: int) -> HttpResponse:
    """One set: its settings, its prompts, and what several of them are put into at once."""
    prompt_set = _set(request, slug, set_id)
    if request.method == "GET":
        return _show(request, prompt_set)
    change = CHANGES.get(request.POST.get("action", ""))
    if change is None:
        raise Http404("There is no such change.")
    try:
        messages.success(request, change(request, prompt_set))
    except KeepingRefused as refused:
        return _show(request, prompt_set, refused)
    return redirect(_back(request, slug, set_id))


def _set(request: HttpRequest, slug: str, set_id: int) -> PromptSet:
    arena = configured(request, slug)
    prompt_set = PromptSet.objects.select_related("arena").filter(arena=arena, pk=set_id).first()
    if prompt_set is None:
        raise Http404("There is no such prompt set.")
    return prompt_set


def _filters(request: HttpRequest) -> Filters:
    asked = request.GET
    return Filters(
        asked.get("q", "").replace("\x00", "")[:200], asked.get("category", "")[:60].replace("\x00", ""),
        asked.get("tag", "")[:60], asked.get("state", "") if asked.get("state") in ("in_service", "retired") else "",
    )  # fmt: skip


def _show(request: HttpRequest, prompt_set: PromptSet, refused: KeepingRefused | None = None) -> HttpResponse:
    filters = _filters(request)
    listed = records.page_of(request, prompt_set, listing.prompts_of(prompt_set, filters))
    alike, is_whole = listing.alike_in(prompt_set)
    kept = {"q": filters.text, "category": filters.category, "tag": filters.tag, "state": filters.state}
    kept |= listed.pop("kept", {})
    query, unsorted = ({k: v for k, v in kept.items() if v and k != left_out} for left_out in ("", "sort"))
    context = {
        **frame(request, prompt_set.arena), **listed, "set": prompt_set, "filters": filters,
        "problem": str(refused or ""),
        "categories": listing.categories_of(prompt_set), "tags": listing.tags_of(prompt_set),
        "alike": alike, "is_whole": is_whole, "query": urlencode(query),
        "sort_start": f"?{urlencode(unsorted)}&" if unsorted else "?",
        **_of_checks(request, prompt_set.checks, refused),
    }  # fmt: skip
    return render(request, "prompts/set.html", context, status=400 if refused else 200)


def _back(request: HttpRequest, slug: str, set_id: int) -> str:
    query = request.META.get("QUERY_STRING", "")
    address = reverse("prompts:set", kwargs={"slug": slug, "set_id": set_id})
    return f"{address}?{query}" if query else address


def _chosen(request: HttpRequest, prompt_set: PromptSet) -> list[int]:
    """The prompts that were ticked, of this set alone. Raises KeepingRefused where there are none."""
    ids = [int(pk) for pk in request.POST.getlist("prompt") if pk.isdecimal() and len(pk) < 19]
    found = list(prompt_set.prompts.filter(pk__in=ids).values_list("pk", flat=True))
    if not found:
        raise KeepingRefused(_("Nothing was changed: no prompt is chosen. Tick the prompts it is about."))
    return found


def _save(request: HttpRequest, prompt_set: PromptSet) -> str:
    raw = request.POST.get("window_days", "").strip()
    if raw and not (raw.isdecimal() and len(raw) < 8):
        raise KeepingRefused(_("A rolling window has 1 to 36,500 days. Leave it empty for none."))
    name, source = request.POST.get("name", ""), request.POST.get("source", "")
    keeping.describe_set(
        prompt_set, name=name, source=source, window_days=int(raw) if raw else None, checks=request.POST.get("checks")
    )
    return _("Saved.")


def _seal(request: HttpRequest, prompt_set: PromptSet) -> str:
    if request.POST.get("sure") != "1":
        raise KeepingRefused(_("Sealing cannot be undone. Tick the box to say that you mean it."))
    keeping.seal(prompt_set)
    return _("The set is sealed: its texts are shown in battles alone.")


def _retire(request: HttpRequest, prompt_set: PromptSet) -> str:
    count = keeping.retire(_chosen(request, prompt_set), now=timezone.now())
    said = ngettext("%(n)d prompt retired.", "%(n)d prompts retired.", count) % {"n": count}
    return said + " " + _("Their battles and answers stay.")


def _restore(request: HttpRequest, prompt_set: PromptSet) -> str:
    count = keeping.restore(_chosen(request, prompt_set))
    return ngettext("%(n)d prompt is back in service.", "%(n)d prompts are back in service.", count) % {"n": count}


def _tag(request: HttpRequest, prompt_set: PromptSet) -> str:
    given = split_tags(request.POST.get("tags", ""))
    if not given:
        raise KeepingRefused(_("No tag is given. Write one or several, with commas between them."))
    chosen, is_removal = _chosen(request, prompt_set), request.POST.get("way") == "remove"
    count = keeping.tag(chosen, remove=given) if is_removal else keeping.tag(chosen, add=given)
    return ngettext("Tags of %(n)d prompt changed.", "Tags of %(n)d prompts changed.", count) % {"n": count}


def _categorise(request: HttpRequest, prompt_set: PromptSet) -> str:
    count = keeping.categorise(_chosen(request, prompt_set), request.POST.get("category", "").strip())
    return ngettext("Category of %(n)d prompt changed.", "Category of %(n)d prompts changed.", count) % {"n": count}


CHANGES: dict[str, Callable[[HttpRequest, PromptSet], str]] = {
    "save": _save, "seal": _seal, "retire": _retire, "restore": _restore, "tag": _tag, "categorise": _categorise,
}  # fmt: skip


@never_cache
@require_http_methods(["GET", "POST"])
def one_prompt(request: HttpRequest, slug: str, set_id: int, prompt_id: int) -> HttpResponse:
    """One prompt to read and correct; a sealed one without its text."""
    prompt_set = _set(request, slug, set_id)
    prompt = prompt_set.prompts.select_related("replaces").filter(pk=prompt_id).first()
    if prompt is None:
        raise Http404("There is no such prompt.")
    problem: KeepingRefused | None = None
    if request.method == "POST":
        try:
            kept = keeping.edit(prompt, _messages(request, prompt_set, prompt), _facts(request), now=timezone.now())
        except KeepingRefused as refused:
            problem = refused
        else:
            messages.success(request, _said(prompt, kept))
            return redirect("prompts:prompt", slug=slug, set_id=set_id, prompt_id=kept.pk)
    return render(request, "prompts/prompt.html", _of_prompt(request, prompt, problem), status=400 if problem else 200)


def _messages(request: HttpRequest, prompt_set: PromptSet, prompt: Prompt) -> list[str]:
    """The messages as they were written, without those left empty. A sealed prompt keeps its own."""
    if prompt_set.is_sealed:
        return prompt.messages
    texts = (text.replace("\r\n", "\n") for text in request.POST.getlist("message"))
    # As it was stored: what the browser changed in line ends alone is no other text.
    stored = {text.replace("\r\n", "\n"): text for text in prompt.messages}
    return [stored.get(text, text) for text in texts if text.strip()]


def _facts(request: HttpRequest) -> Facts:
    post = request.POST
    return Facts(
        post.get("category", "").strip(), post.get("language", "").strip(), split_tags(post.get("tags", "")),
        post.get("source", "").strip(), post.get("checks"),
    )  # fmt: skip


def _of_checks(request: HttpRequest, stored: specs.Spec, refused: KeepingRefused | None) -> dict[str, Any]:
    """The field of checks: as stored, or as written where something was refused."""
    return {
        "checks": request.POST.get("checks", specs.written(stored)) if refused else specs.written(stored),
        "checks_problem": str(refused) if isinstance(refused, ChecksRefused) else "",
        "kinds": [(name, DESCRIBED[name]) for name in specs.KINDS],
    }


def _said(old: Prompt, kept: Prompt) -> str:
    if kept.pk == old.pk:
        return _("Saved.")
    says = _("Saved as %(key)s, which replaces %(old)s. It is served once it has answers of its own.")
    return says % {"key": kept.key, "old": old.key}


def _of_prompt(request: HttpRequest, prompt: Prompt, problem: KeepingRefused | None) -> dict[str, Any]:
    texts = request.POST.getlist("message") if problem else prompt.messages
    facts = _facts(request) if problem else prompt
    return {
        **frame(request, prompt.prompt_set.arena), "set": prompt.prompt_set, "prompt": prompt,
        "problem": str(problem or ""),
        "texts": texts, "facts": facts, "tags": ", ".join(facts.tags),
        "competitors": prompt.answers.values("competitor").distinct().count(), **records.of_prompt(prompt),
        "replaced_by": prompt.replacements.first(), "of_set": specs.written(prompt.prompt_set.checks),
        **_of_checks(request, prompt.checks, problem),
    }  # fmt: skip
