"""What the pages about prompts show of their records: columns, an order, a filter, and the set's meter."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

from arena.leaderboards import prompt_records
from arena.leaderboards.prompt_records import SetRecord
from arena.leaderboards.prompt_words import saturation_sentence, verdict_word
from arena.prompts.models import Prompt, PromptSet

PAGE = 50


def page_of(request: HttpRequest, prompt_set: PromptSet, prompts: QuerySet[Prompt]) -> dict[str, Any]:
    """The prompts on this page in their order, each with its `record`; before the first snapshot without one."""
    asked, found = request.GET, prompt_records.record_of(prompt_set)
    if found is None:
        return {"shown": Paginator(prompts, PAGE).get_page(asked.get("page")), "measured": None}
    sort = asked.get("sort", "") if asked.get("sort") in prompt_records.SORTS else ""
    verdict = prompt_records.NOTHING if asked.get("verdict") == prompt_records.NOTHING else ""
    ids = prompt_records.in_order(prompts, found, sort=sort, verdict=verdict)
    shown: Page[Any] = Paginator(ids, PAGE).get_page(asked.get("page"))
    shown.object_list = _with_records(prompts, list(shown.object_list), found)
    worn = prompt_records.saturation_of(prompt_set)
    return {
        "shown": shown, "measured": worn, "sort": sort, "verdict": verdict, "kept": {"sort": sort, "verdict": verdict},
        "sentence": saturation_sentence(worn) if worn else "",
        "percents": [round(100 * part) for part in (worn.share, worn.lower, worn.upper) if part is not None]
        if worn else [],
    }  # fmt: skip


def _with_records(prompts: QuerySet[Prompt], ids: list[int], found: SetRecord) -> list[Prompt]:
    rows = {prompt.pk: prompt for prompt in prompts.filter(pk__in=ids)}
    for pk, prompt in rows.items():
        record = found.of(pk)
        prompt.record, prompt.verdict = record, verdict_word(record)  # type: ignore[attr-defined]
    return [rows[pk] for pk in ids if pk in rows]


def of_prompt(prompt: Prompt) -> dict[str, Any]:
    """The record of one prompt for its page; nothing before the first snapshot."""
    found = prompt_records.record_of(prompt.prompt_set)
    if found is None:
        return {"record": None}
    record = found.of(prompt.pk)
    return {"record": record, "verdict": verdict_word(record)}
