"""Immutable published fits."""

from __future__ import annotations

from django.db import models

from arena.competitors.models import Competitor
from arena.teams.frozen import FrozenRow
from arena.teams.models import Arena


class Snapshot(FrozenRow):
    """One published board: what was counted, how, and the exact bytes that were shown. Written by `publishing`."""

    arena = models.ForeignKey(Arena, on_delete=models.PROTECT, related_name="snapshots")
    number = models.PositiveIntegerField()
    published_at = models.DateTimeField()
    cutoff_vote_id = models.BigIntegerField(help_text="Votes up to and including this id were counted.")
    cutoff_battle_id = models.BigIntegerField()
    cutoff_response_id = models.BigIntegerField()
    vote_count = models.PositiveIntegerField()
    voter_count = models.PositiveIntegerField()
    data_sha256 = models.CharField(max_length=64)
    seed = models.BigIntegerField()
    settings = models.JSONField(help_text="Everything the fit was told.")
    code_version = models.CharField(max_length=40)
    board_json = models.TextField(help_text="The published JSON, byte for byte.")
    board_csv = models.TextField(help_text="The published CSV, byte for byte.")
    page = models.JSONField(help_text="What only the page shows: the sentence, the pairs, the win matrix.")

    class Meta:
        ordering = ("arena_id", "-number")
        constraints = [models.UniqueConstraint(fields=("arena", "number"), name="one_snapshot_a_number")]

    def __str__(self) -> str:
        return f"snapshot {self.number} of {self.arena_id}"


class SnapshotRow(FrozenRow):
    """One competitor's line of a snapshot, for joins and history; the page reads the snapshot's own bytes."""

    snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="rows")
    competitor = models.ForeignKey(Competitor, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveIntegerField()
    status = models.CharField(max_length=20)
    rating = models.FloatField(null=True)
    rating_lower = models.FloatField(null=True)
    rating_upper = models.FloatField(null=True)
    rank = models.PositiveIntegerField(null=True)
    rank_lower = models.PositiveIntegerField(null=True)
    rank_upper = models.PositiveIntegerField(null=True)
    vote_count = models.PositiveIntegerField()

    class Meta:
        ordering = ("snapshot_id", "position")
        constraints = [models.UniqueConstraint(fields=("snapshot", "competitor"), name="one_row_a_competitor")]

    def __str__(self) -> str:
        return f"row {self.position} of {self.snapshot_id}"
