"""What the pages and the API tell of prompt sets: how many prompts are in service, answered by how many."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from django.db.models import Count, F, Q, QuerySet

from arena.prompts.alike import Alike, near_duplicates
from arena.prompts.models import Prompt, PromptSet
from arena.teams.models import Arena


@dataclass(frozen=True, slots=True)
class Filters:
    """Which prompts of a set are listed; empty means all."""

    text: str = ""
    category: str = ""
    tag: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class AlikePair:
    """Two prompts in service that read nearly alike."""

    first: Prompt
    second: Prompt
    percent: int


def sets_of(arena: Arena) -> QuerySet[PromptSet]:
    """The arena's sets, with how many prompts are in service and retired, and how many competitors answered."""
    live = Q(prompts__retired_at__isnull=True)
    return (
        PromptSet.objects.filter(arena=arena)
        .annotate(
            in_service=Count("prompts", filter=live, distinct=True),
            retired=Count("prompts", filter=~live, distinct=True),
            competitors=Count(
                "prompts__answers__competitor",
                filter=live & Q(prompts__answers__competitor__retired_at__isnull=True),
                distinct=True,
            ),
        )
        .order_by("name")
    )


def prompts_of(prompt_set: PromptSet, filters: Filters) -> QuerySet[Prompt]:
    """The prompts listed, with `answer_count`: the competitors that answered their last message."""
    rows = prompt_set.prompts.annotate(
        answer_count=Count("answers", filter=Q(answers__turn=F("turn_count"), answers__competitor__retired_at=None))
    ).order_by("pk")
    if filters.text:
        # A sealed text is not searched either: a search is a question about it.
        asked = Q(key__icontains=filters.text)
        rows = rows.filter(asked if prompt_set.is_sealed else asked | Q(text__icontains=filters.text))
    if filters.category:
        rows = rows.filter(category=filters.category)
    if filters.tag:
        rows = rows.filter(pk__in=_tagged(prompt_set, filters.tag))
    if filters.state:
        rows = rows.filter(retired_at__isnull=filters.state == "in_service")
    return rows


def _tagged(prompt_set: PromptSet, tag: str) -> list[int]:
    """In Python: SQLite cannot look into a JSON list."""
    rows = prompt_set.prompts.exclude(tags=[]).values_list("pk", "tags")
    return [pk for pk, tags in rows if tag in tags]


def categories_of(prompt_set: PromptSet) -> list[str]:
    """Every category in use."""
    rows = prompt_set.prompts.exclude(category="").order_by("category").values_list("category", flat=True)
    return list(rows.distinct())


def tags_of(prompt_set: PromptSet) -> list[str]:
    """Every tag in use."""
    return sorted({tag for tags in prompt_set.prompts.exclude(tags=[]).values_list("tags", flat=True) for tag in tags})


def alike_in(prompt_set: PromptSet) -> tuple[list[AlikePair], bool]:
    """Pairs in service that read nearly alike, and whether the whole set was compared."""
    prompts = list(prompt_set.prompts.filter(retired_at__isnull=True).order_by("pk"))
    found = _alike(tuple("\n".join(prompt.messages) for prompt in prompts))
    pairs = [AlikePair(prompts[pair.first], prompts[pair.second], round(100 * pair.share)) for pair in found.pairs]
    return pairs, found.is_whole


@lru_cache(maxsize=8)
def _alike(texts: tuple[str, ...]) -> Alike:
    """Compared once a process for as long as the same texts are in service."""
    return near_duplicates(texts)
