"""The admin's pages over prompt sets, prompts and recorded answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Left
from django.http import HttpRequest
from django.utils import timezone

from arena.prompts import keeping
from arena.prompts.models import Prompt, PromptSet, RecordedAnswer
from arena.teams.admin import ReadOnlyAdmin, RoomAdmin

SHOWN = 80
SEALED = "sealed"


def offered(lookup: str, filters: Sequence[str]) -> bool:
    """Whether an address asks by a filter on offer: `?text__contains=` would be a search in sealed texts."""
    return any(lookup in (name, f"{name}__exact", f"{name}__id__exact", f"{name}__isnull") for name in filters)


@admin.register(PromptSet)
class PromptSetAdmin(RoomAdmin):
    list_display = ("name", "arena", "purpose", "prompt_count", "source", "created_at")
    list_filter = ("arena", "purpose", "is_sealed")
    list_select_related = ("arena",)
    search_fields = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).annotate(prompt_total=Count("prompts"))
        return rows

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # Checks are held to what can be run where the console sets them.
        return ("arena", "purpose", "checks", "created_at") if obj else ("checks", "created_at")

    @admin.display(description="prompts", ordering="prompt_total")
    def prompt_count(self, row: Any) -> int:
        return int(row.prompt_total)


@admin.register(Prompt)
class PromptAdmin(RoomAdmin):
    list_display = ("key", "beginning", "prompt_set", "category", "language", "retired_at")
    list_filter = ("prompt_set", "category", "language")
    list_select_related = ("prompt_set",)
    search_fields = ("key", "text")
    actions = ("retire",)
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).annotate(start=Left("text", SHOWN))
        return rows

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return offered(lookup, self.list_filter)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], term: str
    ) -> tuple[QuerySet[Any], bool]:
        """A sealed text is not searched: a search is a question about it."""
        found, may_repeat = super().get_search_results(request, queryset, term)
        by_key = Q()
        for word in term.split():
            by_key &= Q(key__icontains=word)
        return found.filter(by_key | Q(prompt_set__is_sealed=False)), may_repeat

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # Answers and votes are about this very text; another text is another prompt, which the console makes.
        always = ("follow_ups", "checks", "created_at")
        return ("prompt_set", "key", "text", *always) if obj else always

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("text", "follow_ups") if obj and obj.prompt_set.is_sealed else ()

    @admin.display(description="text")
    def beginning(self, row: Any) -> str:
        return SEALED if row.prompt_set.is_sealed else str(row.start)

    @admin.action(description="Retire the selected prompts", permissions=("change",))
    def retire(self, request: HttpRequest, queryset: QuerySet[Prompt]) -> None:
        count = keeping.retire(list(queryset.values_list("pk", flat=True)), now=timezone.now())
        self.message_user(request, f"Retired: {count}. Their battles and answers stay.")


@admin.register(RecordedAnswer)
class RecordedAnswerAdmin(ReadOnlyAdmin):
    list_display = ("id", "prompt", "competitor", "beginning", "generated_at", "output_tokens")
    list_filter = ("prompt__prompt_set",)
    list_select_related = ("prompt__prompt_set", "competitor")
    search_fields = ("prompt__key", "competitor__name")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return offered(lookup, self.list_filter)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).annotate(start=Left("text", SHOWN)).defer("prompt__text")
        return rows

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("text",) if obj and obj.prompt.prompt_set.is_sealed else ()

    @admin.display(description="text")
    def beginning(self, row: Any) -> str:
        return SEALED if row.prompt.prompt_set.is_sealed else str(row.start)
