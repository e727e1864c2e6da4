"""What goes in and out, for the schema and for checking. Before the vote only `BlindBattle` goes out."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field
from rest_framework import serializers

from arena.battles.blinding import BlindBattle, Reveal
from arena.battles.notes import MAX_COMMENT, tags_of
from arena.battles.votes import outcomes_of
from arena.battles.words import BattleState, Side, Winner
from arena.competitors.models import Competitor
from arena.competitors.versions import ALWAYS, why_retired
from arena.teams.models import Arena


class ArenaOut(serializers.ModelSerializer[Arena]):
    closed_because = serializers.CharField(help_text="Empty while battles are served.")
    outcomes = serializers.SerializerMethodField(help_text="What a vote may say here.")
    tags = serializers.SerializerMethodField(help_text="What may be said to have decided a vote.")

    class Meta:
        model = Arena
        fields = ("slug", "title", "description", "kind", "is_simulated", "stream_mode", "max_prompt_chars",
                  "guidelines", "outcomes", "allow_skip", "tags", "allow_comment", "board_visibility",
                  "board_after_votes", "closed_at", "closed_because")  # fmt: skip

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_outcomes(self, arena: Arena) -> list[str]:
        return [str(winner) for winner in outcomes_of(arena)]

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_tags(self, arena: Arena) -> list[str]:
        return list(tags_of(arena))


class RetirableOut(serializers.ModelSerializer[Competitor]):
    """What is said of a competitor's retirement. `untold` in the context as for `why_retired`; without it no reason."""

    retired_reason = serializers.SerializerMethodField(
        help_text="Why it was retired, as on its page; empty where nobody said why. Null until your open battle is "
        "judged, and while the board is withheld from you."
    )
    replaced_by = serializers.SerializerMethodField(
        help_text="The name of the version that took its place, where that is why it was retired; else empty."
    )

    def get_retired_reason(self, row: Competitor) -> str | None:
        why = why_retired(row, self.context.get("untold", ALWAYS))
        return why.reason if why else ""

    def get_replaced_by(self, row: Competitor) -> str:
        why = why_retired(row, ALWAYS)
        return why.replaced_by if why else ""


class CompetitorOut(RetirableOut):
    name = serializers.CharField(source="label")

    class Meta:
        model = Competitor
        fields = ("id", "name", "version", "organization", "license", "model_id", "revision", "description",
                  "system_prompt", "temperature", "top_p", "max_tokens", "created_at", "retired_at",
                  "retired_reason", "replaced_by")  # fmt: skip


class PromptIn(serializers.Serializer[Any]):
    prompt = serializers.CharField(trim_whitespace=False, allow_blank=True, help_text="What both shall answer.")


class OpenIn(serializers.Serializer[Any]):
    prompt = serializers.CharField(
        required=False,
        allow_null=True,
        allow_blank=True,
        trim_whitespace=False,
        help_text="Live arenas: what both shall answer. Recorded arenas: leave it out.",
    )


class VoteIn(serializers.Serializer[Any]):
    winner = serializers.CharField(help_text="One of a, b, tie, both_bad.")


class NoteIn(serializers.Serializer[Any]):
    tags = serializers.ListField(
        child=serializers.CharField(max_length=40), default=list, help_text="Some of the arena's `tags`."
    )
    comment = serializers.CharField(default="", allow_blank=True, max_length=MAX_COMMENT)


class TurnOut(serializers.Serializer[Any]):
    index = serializers.IntegerField()
    prompt = serializers.CharField()
    a = serializers.CharField(allow_null=True, help_text="Null until both answers are complete.")
    b = serializers.CharField(allow_null=True, help_text="Null until both answers are complete.")


class BattleOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=BattleState.choices)
    voted = serializers.BooleanField()
    void_reason = serializers.CharField(allow_blank=True)
    expires_at = serializers.DateTimeField()
    turns = TurnOut(many=True)


class SideOut(serializers.Serializer[Any]):
    side = serializers.ChoiceField(choices=Side.choices)
    name = serializers.CharField()
    organization = serializers.CharField(allow_blank=True)
    license = serializers.CharField(allow_blank=True)
    model_id = serializers.CharField()
    revision = serializers.CharField(allow_blank=True)


class RevealOut(serializers.Serializer[Any]):
    winner = serializers.ChoiceField(choices=Winner.choices)
    sides = SideOut(many=True)


class VoteOut(serializers.Serializer[Any]):
    winner = serializers.ChoiceField(choices=Winner.choices)
    repeated = serializers.BooleanField(help_text="True when this very vote had been cast before.")
    reveal = RevealOut(allow_null=True, help_text="Null where the arena does not reveal names.")


class ErrorOut(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="A stable word for programs.")
    detail = serializers.CharField(help_text="A sentence for people.")
    fields = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField()), required=False,
        help_text="What is wrong by field, where the body or a parameter is.",
    )  # fmt: skip


def example(name: str, body: dict[str, Any]) -> list[OpenApiExample]:
    """One body, as the schema shows it."""
    return [OpenApiExample(name, body, request_only=True)]


def battle_out(seen: BlindBattle) -> dict[str, Any]:
    """A blind battle as JSON values."""
    turns = [
        {"index": t.index, "prompt": t.prompt, "a": t.answers.get(Side.A), "b": t.answers.get(Side.B)}
        for t in seen.turns
    ]
    return dict(BattleOut({
        "id": seen.id, "state": seen.state, "voted": seen.voted, "void_reason": seen.void_reason,
        "expires_at": seen.expires_at, "turns": turns,
    }).data)  # fmt: skip


def reveal_out(shown: Reveal) -> dict[str, Any]:
    """A reveal as JSON values."""
    return dict(RevealOut(shown).data)
