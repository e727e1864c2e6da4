"""Snapshots to look at; nobody edits one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from arena.leaderboards.models import Snapshot
from arena.teams.admin import RoomAdmin


@admin.register(Snapshot)
class SnapshotAdmin(RoomAdmin):
    list_display = ("arena", "number", "published_at", "vote_count", "voter_count", "code_version")
    list_select_related = ("arena",)
    list_filter = ("arena",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [field.name for field in Snapshot._meta.fields]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
