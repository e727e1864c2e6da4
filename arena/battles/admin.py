"""The admin's pages over the served log: to look at, never to add, change or delete.

Whoever runs an arena may vote in it too. So while a battle is open its competitors, and what would tell them apart,
are hidden here as everywhere else.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.db.models.functions import Left
from django.http import HttpRequest
from django.utils import timezone

from arena.battles import marking
from arena.battles.models import Battle, Response, SelfNaming, SelfNamingReversal, Turn, Vote, VoteNote
from arena.battles.words import OPEN_STATES
from arena.teams.admin import ReadOnlyAdmin
from arena.teams.permissions import Action, may
from arena.teams.person import person_of

HIDDEN = "hidden until the vote"
SEALED = "sealed"
SHOWN = 80
TAKEN_BACK = "A reviewer read the words: they name nobody."


def _is_open(battle: Battle) -> bool:
    return battle.state in OPEN_STATES and not hasattr(battle, "vote")


def _is_sealed(battle: Battle) -> bool:
    return battle.prompt is not None and battle.prompt.prompt_set.is_sealed


@admin.register(Battle)
class BattleAdmin(ReadOnlyAdmin):
    list_display = ("public_id", "arena", "state", "first", "second", "voter", "served_at", "winner")
    list_filter = ("arena", "state")
    list_select_related = ("arena", "voter", "competitor_a", "competitor_b", "vote")
    search_fields = ("public_id",)
    ordering = ("-id",)
    fields = (
        "public_id", "arena", "voter", "prompt", "first", "second", "policy", "chance", "drawn_with",
        "state", "void_reason", "redraw_of", "stream_mode", "served_at", "expires_at", "completed_at", "closed_at",
        "owner", "lease_until", "winner",
    )  # fmt: skip

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only the filters on offer: `?competitor_a=3` would tell what the columns hide."""
        return lookup.split("__")[0] in self.list_filter

    @admin.display(description="side A")
    def first(self, battle: Battle) -> str:
        return HIDDEN if _is_open(battle) else battle.competitor_a.label

    @admin.display(description="side B")
    def second(self, battle: Battle) -> str:
        return HIDDEN if _is_open(battle) else battle.competitor_b.label

    @admin.display(description="draw probability")
    def chance(self, battle: Battle) -> str:
        return HIDDEN if _is_open(battle) else str(battle.draw_probability)

    @admin.display(description="seed")
    def drawn_with(self, battle: Battle) -> str:
        return HIDDEN if _is_open(battle) else battle.seed

    @admin.display(description="vote")
    def winner(self, battle: Battle) -> str:
        vote: Vote | None = getattr(battle, "vote", None)
        return vote.winner if vote else ""


@admin.register(Turn)
class TurnAdmin(ReadOnlyAdmin):
    list_display = ("id", "battle", "index", "beginning", "created_at")
    list_select_related = ("battle__prompt__prompt_set",)
    search_fields = ("battle__public_id",)
    ordering = ("-id",)
    fields = ("battle", "index", "asked", "created_at")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """None: `?prompt__contains=` would be a search in sealed texts."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).annotate(start=Left("prompt", SHOWN))
        return rows

    @admin.display(description="prompt")
    def beginning(self, row: Any) -> str:
        return SEALED if _is_sealed(row.battle) else str(row.start)

    @admin.display(description="prompt")
    def asked(self, row: Turn) -> str:
        return SEALED if _is_sealed(row.battle) else row.prompt


@admin.register(Response)
class ResponseAdmin(ReadOnlyAdmin):
    """Responses of battles that are over. Those of open ones would tell who answers, and how fast."""

    list_display = ("id", "turn_index", "side", "competitor", "error_code", "first_token_ms", "total_ms", "created_at")
    list_filter = ("error_code",)
    list_select_related = ("turn", "competitor")
    search_fields = ("turn__battle__public_id", "competitor__name")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        still_open = Q(turn__battle__state__in=OPEN_STATES, turn__battle__vote__isnull=True)
        rows: QuerySet[Any] = super().get_queryset(request).exclude(still_open).defer("text", "turn__prompt")
        return rows

    @admin.display(description="turn", ordering="turn")
    def turn_index(self, row: Response) -> str:
        return str(row.turn)


@admin.register(Vote)
class VoteAdmin(ReadOnlyAdmin):
    list_display = ("id", "battle", "winner", "voter", "created_at")
    list_filter = ("winner", "battle__arena")
    list_select_related = ("battle", "voter")
    search_fields = ("battle__public_id",)
    ordering = ("-id",)


@admin.register(VoteNote)
class VoteNoteAdmin(ReadOnlyAdmin):
    list_display = ("vote", "tags", "comment", "updated_at")
    list_select_related = ("vote",)
    search_fields = ("comment",)
    ordering = ("-id",)


@admin.register(SelfNaming)
class SelfNamingAdmin(ReadOnlyAdmin):
    """Marks of battles that are over: those of open ones would say who answers. A reviewer may take marks back."""

    list_display = ("id", "battle", "turn", "where", "rule", "kind", "words", "made_at", "taken_back")
    list_filter = ("kind", "rule", "battle__arena")
    list_select_related = ("battle", "reversal")
    search_fields = ("battle__public_id", "words")
    ordering = ("-id",)
    actions = ("take_back",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        still_open = Q(battle__state__in=OPEN_STATES, battle__vote__isnull=True)
        rows: QuerySet[Any] = super().get_queryset(request).exclude(still_open)
        return rows

    @admin.display(description="text")
    def where(self, mark: SelfNaming) -> str:
        return f"answer {mark.side}" if mark.side else "prompt"

    @admin.display(description="taken back")
    def taken_back(self, mark: SelfNaming) -> str:
        reversal: SelfNamingReversal | None = getattr(mark, "reversal", None)
        return reversal.reason if reversal else ""

    @admin.action(description="Take these marks back: the words name nobody", permissions=["view"])
    def take_back(self, request: HttpRequest, chosen: QuerySet[SelfNaming]) -> None:
        """With the next vote these battles' votes count."""
        done = 0
        for mark in chosen.select_related("battle__arena"):
            if may(person_of(request), Action.REVIEW, mark.battle.arena):
                marking.reverse(mark, reviewer=request.user, reason=TAKEN_BACK, now=timezone.now())  # type: ignore[arg-type]
                done += 1
        self.message_user(request, f"{done} marks were taken back.")
