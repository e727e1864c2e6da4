"""The admin's pages over arenas and voters, and what every room's read-only pages share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from arena.teams.arenas import OPEN_CADENCE
from arena.teams.models import Arena, Voter

if TYPE_CHECKING:
    RoomAdmin = admin.ModelAdmin[Any]
else:  # Django's class takes no type arguments when the program runs
    RoomAdmin = admin.ModelAdmin


class ReadOnlyAdmin(RoomAdmin):
    """Rows to look at: nobody adds, changes or deletes one here, whatever their permissions."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Arena)
class ArenaAdmin(RoomAdmin):
    list_display = ("title", "slug", "kind", "access", "stream_mode", "is_simulated", "archived_at")
    list_filter = ("kind", "access")
    search_fields = ("title", "slug")
    readonly_fields = ("created_at",)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {**OPEN_CADENCE, **super().get_changeform_initial_data(request)}

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # Addresses have been given away, and simulated votes must stay labelled as what they are.
        return ("slug", "is_simulated", *self.readonly_fields) if obj else tuple(self.readonly_fields)


@admin.register(Voter)
class VoterAdmin(ReadOnlyAdmin):
    list_display = ("id", "public_id", "user", "created_at")
    list_select_related = ("user",)
    search_fields = ("public_id", "user__username")
    fields = ("public_id", "user", "affiliation", "created_at")
