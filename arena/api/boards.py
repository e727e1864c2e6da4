"""What stands beside the board, over REST: win matrix, snapshots, own votes. No logic of its own."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from arena.api.people import within
from arena.api.rooms import readable
from arena.api.serializers import ErrorOut
from arena.api.views import ArenaView
from arena.battles.blinding import OwnVote, own_votes
from arena.battles.words import Winner
from arena.integrity.erasing import erase
from arena.integrity.standing import held_votes
from arena.leaderboards.models import Snapshot
from arena.leaderboards.personal import own_board
from arena.leaderboards.reading import published_board
from arena.teams.person import person_of

REFUSALS = {403: ErrorOut, 404: ErrorOut}


class PairOut(serializers.Serializer[Any]):
    first = serializers.CharField()
    second = serializers.CharField()
    first_wins = serializers.IntegerField()
    ties = serializers.IntegerField()
    both_bad = serializers.IntegerField()
    second_wins = serializers.IntegerField()


class MatrixOut(serializers.Serializer[Any]):
    snapshot = serializers.IntegerField(allow_null=True, help_text="Null before the first one.")
    pairs = PairOut(many=True, help_text="Pairs that met, whichever sides they were on.")


class SnapshotOut(serializers.ModelSerializer[Snapshot]):
    class Meta:
        model = Snapshot
        fields = ("number", "published_at", "vote_count", "voter_count", "data_sha256", "seed", "code_version")


class OwnVoteOut(serializers.Serializer[Any]):
    battle = serializers.UUIDField()
    at = serializers.DateTimeField()
    prompt = serializers.CharField(allow_blank=True, help_text="Empty where its set is sealed.")
    winner = serializers.ChoiceField(choices=Winner.choices)
    name_a = serializers.CharField(allow_blank=True, help_text="Empty until names are revealed to you.")
    name_b = serializers.CharField(allow_blank=True)
    tags = serializers.ListField(child=serializers.CharField())
    comment = serializers.CharField(allow_blank=True)


class OwnRowOut(serializers.Serializer[Any]):
    model_name = serializers.CharField()
    rating = serializers.FloatField(allow_null=True)
    rating_lower = serializers.FloatField(allow_null=True)
    rating_upper = serializers.FloatField(allow_null=True)
    vote_count = serializers.FloatField()


class MineOut(serializers.Serializer[Any]):
    board = OwnRowOut(
        many=True, help_text="Of your votes alone; empty before the second, and until names are revealed to you."
    )
    votes = OwnVoteOut(many=True, help_text="The latest first.")
    held = serializers.BooleanField(help_text="Whether votes of yours are held for review.")


class Matrix(ArenaView):
    @extend_schema(operation_id="matrix", responses={200: MatrixOut, **REFUSALS})
    def get(self, request: Request, slug: str) -> Response:
        """Who won how often against whom, of the votes that the last snapshot counts."""
        board = published_board(readable(request, slug))
        names = list(PairOut().fields)
        pairs = [dict(zip(names, row, strict=True)) for row in board.matrix] if board else []
        return Response({"snapshot": board.snapshot.number if board else None, "pairs": pairs})


class Snapshots(ArenaView):
    @extend_schema(operation_id="snapshots_list", responses={200: SnapshotOut(many=True), **REFUSALS})
    def get(self, request: Request, slug: str) -> Response:
        """Every board that was published, the latest first, with what it can be verified by."""
        rows = Snapshot.objects.filter(arena=readable(request, slug)).only(*SnapshotOut.Meta.fields, "arena_id")
        return Response(SnapshotOut(rows, many=True).data)


class SnapshotDetail(ArenaView):
    @extend_schema(operation_id="snapshot", responses={200: dict, **REFUSALS})
    def get(self, request: Request, slug: str, number: int) -> HttpResponse:
        """One published board's JSON, byte for byte as it was published."""
        found = get_object_or_404(Snapshot, arena=readable(request, slug), number=within(number))
        return HttpResponse(found.board_json, content_type="application/json")


class Mine(ArenaView):
    @extend_schema(operation_id="mine", responses={200: MineOut, **REFUSALS})
    def get(self, request: Request, slug: str) -> Response:
        """The caller's own votes here; nothing of a battle that is open."""
        arena = self.arena(request, slug, include_archived=True)
        voter = person_of(request._request).voter()
        votes = own_votes(arena, voter) if voter else []
        board = own_board(arena, voter) if voter else None
        return Response({
            "board": OwnRowOut(board.rows if board else [], many=True).data,
            "votes": [_line(vote) for vote in votes],
            "held": bool(voter and held_votes(voter, arena)),
        })  # fmt: skip

    @extend_schema(operation_id="mine_forget", responses={204: None, **REFUSALS, 409: ErrorOut})
    def delete(self, request: Request, slug: str) -> Response:
        """Deletes what says who the caller is, in every arena; the votes stay, as nobody's. It cannot be undone."""
        self.arena(request, slug, include_archived=True)
        if getattr(request.auth, "arena_id", None) is not None:
            raise PermissionDenied("This reaches every arena: use a token for all arenas, or the page.")
        voter = person_of(request._request).voter()
        if voter is not None:
            erase(voter, now=timezone.now())
        return Response(status=204)


def _line(vote: OwnVote) -> dict[str, Any]:
    return dict(OwnVoteOut({
        "battle": vote.battle_id, "at": vote.at, "prompt": "" if vote.is_sealed else vote.prompt,
        "winner": vote.winner, "name_a": vote.name_a, "name_b": vote.name_b, "tags": vote.tags,
        "comment": vote.comment,
    }).data)  # fmt: skip
