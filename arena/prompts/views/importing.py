"""Import in the browser: a file or a pasted table, what its columns mean, a check of everything, one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from time import monotonic
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from arena.prompts import uploads
from arena.prompts.answers import Mixed
from arena.prompts.decoding import DELIMITERS, ENCODINGS, LARGEST, File, Reading, read_files
from arena.prompts.intake import Choice, Report, refuse_too_large, set_name_for, take_in
from arena.prompts.mapping import MEANINGS, guess
from arena.prompts.models import PromptSet, Upload
from arena.prompts.rows import ImportRefused, Problem, Table
from arena.prompts.views.door import configured, frame
from arena.teams.models import Arena

PREVIEWED = 3
SHOWN = 140
MOST_PROBLEMS = 200
SLOW = 2.0
"""Seconds of a check from which on the page says how long the import will take."""
SIGNS = {
    ",": gettext_lazy("comma"), ";": gettext_lazy("semicolon"), "\t": gettext_lazy("tab"), "|": gettext_lazy("bar"),
}  # fmt: skip
PURPOSES = (
    (PromptSet.Purpose.BATTLES, gettext_lazy("Served in battles, with recorded answers")),
    (PromptSet.Purpose.SUGGESTIONS, gettext_lazy("Suggested to voters who write their own")),
)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the file on the page: its name, its meaning, and what stands in its first cells."""

    name: str
    meaning: str
    cells: Sequence[str]


@never_cache
@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest, slug: str, kind: str) -> HttpResponse:
    """Choose a file, or paste a table."""
    arena = configured(request, slug)
    problems: Sequence[Problem] = ()
    if request.method == "POST":
        try:
            kept = uploads.keep(_sent(request), arena, request.user.pk, kind, now=timezone.now())
            return redirect("prompts:columns", slug=slug, upload_id=kept.public_id)
        except ImportRefused as refused:
            problems = refused.problems
    context = {
        **frame(request, arena), "kind": kind, "problems": problems, "most_mb": LARGEST // 1_000_000,
        "pasted": request.POST.get("pasted", "") if problems else "",
    }  # fmt: skip
    return render(request, "prompts/upload.html", context, status=400 if problems else 200)


def _sent(request: HttpRequest) -> list[File]:
    """The files that were sent; else the pasted table. Sizes are looked at before anything is read."""
    sent: list[Any] = request.FILES.getlist("files")
    if sent:
        refuse_too_large(sum(file.size or 0 for file in sent), str(sent[0].name))
        return [File(str(file.name)[:200], file.read()) for file in sent]
    pasted = request.POST.get("pasted", "")
    return [File(_("pasted table"), pasted.encode())] if pasted.strip() else []


@never_cache
@require_http_methods(["GET", "POST"])
def columns(request: HttpRequest, slug: str, upload_id: UUID) -> HttpResponse:
    """What each column means; a check without consequence; the import; and afterwards what came of it."""
    arena = configured(request, slug)
    with transaction.atomic():  # holds the upload's row: two clicks must not import twice
        kept = uploads.waiting(arena, upload_id)
        if kept is None:
            raise Http404("There is no such upload, or it was removed after a day.")
        if kept.result is not None:
            return render(request, "prompts/result.html", frame(request, arena) | _after(arena, kept))
        if request.POST.get("kind") in Upload.Kind.values:
            uploads.change_kind(kept, request.POST["kind"])
        return _choose(request, arena, kept)


def _choose(request: HttpRequest, arena: Arena, kept: Upload) -> HttpResponse:
    files, now, began = uploads.files_of(kept), timezone.now(), monotonic()
    choice = _choice(request, arena, kept, files)
    context = frame(request, arena) | _page(arena, kept, choice)
    try:
        table = read_files(files, choice.reading)
        mapping = _mapping(request, table, kept.kind)
        context |= {"columns": _columns(table, mapping), "row_count": len(table.rows), "reading_notes": table.notes}
        choice = _with(choice, mapping)
        is_final = request.POST.get("action") == "import"
        report = take_in(files, arena, choice, now=now, dry_run=not is_final)
    except ImportRefused as refused:
        shown, more = refused.problems[:MOST_PROBLEMS], max(0, len(refused.problems) - MOST_PROBLEMS)
        context |= {"problems": shown, "more_problems": more, "problem_count": len(refused.problems)}
        return render(request, "prompts/columns.html", context, status=400 if request.method == "POST" else 200)
    if not is_final:
        # A check does all that an import does, and takes it back: so it tells how long that one will take.
        took = monotonic() - began
        context |= {"report": report, "seconds": ceil(took) if took >= SLOW else None}
        return render(request, "prompts/columns.html", context)
    uploads.finish(kept, report.as_json())
    return redirect("prompts:columns", slug=arena.slug, upload_id=kept.public_id)


def _choice(request: HttpRequest, arena: Arena, kept: Upload, files: Sequence[File]) -> Choice:
    """What was chosen on the page, or what it begins with."""
    post = request.POST
    encoding, delimiter = post.get("encoding", ""), post.get("delimiter", "")
    return Choice(
        kind=kept.kind,
        set_name=post.get("set", "").strip() or _first_set(arena, kept, files),
        purpose=_one_of(post.get("purpose", ""), PromptSet.Purpose.values, _first_purpose(arena)),
        sealed="sealed" in post,
        mixed=_one_of(post.get("mixed", ""), [str(word) for word in Mixed], Mixed.REFUSE),
        reading=Reading(_one_of(encoding, ENCODINGS, ""), _one_of(delimiter, list(DELIMITERS), ""), guess=True),
    )


def _one_of(given: str, allowed: Sequence[str], otherwise: str) -> str:
    return given if given in allowed else otherwise


def _first_set(arena: Arena, kept: Upload, files: Sequence[File]) -> str:
    """Answers go to the arena's set where there is one; what was pasted has no name of its own."""
    sets = PromptSet.objects.filter(arena=arena, purpose=PromptSet.Purpose.BATTLES).order_by("-id")
    latest = sets.first()
    if kept.kind == Upload.Kind.ANSWERS and latest is not None:
        return latest.name
    return _("Prompts") if files and files[0].name == _("pasted table") else set_name_for(files)


def _first_purpose(arena: Arena) -> str:
    return PromptSet.Purpose.SUGGESTIONS if arena.kind == Arena.Kind.LIVE else PromptSet.Purpose.BATTLES


def _with(choice: Choice, mapping: dict[str, str]) -> Choice:
    return Choice(choice.kind, mapping, choice.set_name, choice.purpose, choice.sealed, choice.mixed, choice.reading)


def _mapping(request: HttpRequest, table: Table, kind: str) -> dict[str, str]:
    """The meanings chosen on the page, if they are of these columns and this kind; else guessed."""
    names, meanings = request.POST.getlist("column"), request.POST.getlist("meaning")
    chosen = dict(zip(names, meanings, strict=False))
    if list(chosen) != table.columns() or "kind" in request.POST:
        return guess(table, kind)
    return chosen


def _columns(table: Table, mapping: dict[str, str]) -> list[Column]:
    rows = table.rows[:PREVIEWED]
    return [
        Column(name, mapping.get(name, ""), [_cell(row.values.get(name)) for row in rows]) for name in table.columns()
    ]


def _cell(value: Any) -> str:
    text = "" if value is None else " ".join(str(value).split())
    text = text.encode("utf-8", "backslashreplace").decode()  # a lone surrogate is refused, and must be shown for it
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def _page(arena: Arena, kept: Upload, choice: Choice) -> dict[str, Any]:
    sets = PromptSet.objects.filter(arena=arena).order_by("name")
    return {
        "upload": kept, "choice": choice, "kinds": Upload.Kind.choices,
        "meanings": list(MEANINGS[kept.kind].items()), "sets": list(sets.values_list("name", flat=True)),
        "purposes": PURPOSES, "encodings": ENCODINGS,
        "signs": [(sign, SIGNS[sign]) for sign in DELIMITERS], "is_answers": kept.kind == Upload.Kind.ANSWERS,
    }  # fmt: skip


def _after(arena: Arena, kept: Upload) -> dict[str, Any]:
    report = Report(**(kept.result or {}))
    prompt_set = PromptSet.objects.filter(arena=arena, name=report.prompt_set).first()
    return {"report": report, "upload": kept, "prompt_set": prompt_set}
