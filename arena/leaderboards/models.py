"""Immutable published fits."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from arena.competitors.models import Competitor
from arena.teams.frozen import FrozenRow
from arena.teams.models import Arena, Voter

MEAN_RATING = 1000.0
"""Of the mean, or of the anchor, where nothing else is said; as in `ratings.options`."""


class BoardSettings(models.Model):
    """What an arena's operators want of its board. Written by `leaderboards.board_settings`."""

    arena = models.OneToOneField(Arena, on_delete=models.PROTECT, related_name="+", primary_key=True)
    anchor = models.ForeignKey(
        Competitor,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Pinned to the rating below; without one the mean is.",
    )
    anchor_rating = models.FloatField(
        default=MEAN_RATING, validators=[MinValueValidator(-10_000), MaxValueValidator(10_000)]
    )
    controls_style = models.BooleanField(
        default=False, help_text="The board's page opens with style held equal; the published board stays plain."
    )

    def __str__(self) -> str:
        return f"board settings of {self.arena_id}"

    def clean(self) -> None:
        """Refuses an anchor that competes elsewhere."""
        if self.anchor is not None and self.anchor.arena_id != self.arena_id:
            raise ValidationError({"anchor": "The anchor has to be a competitor of this arena."})


class Snapshot(FrozenRow):
    """One published board: what was counted, how, and the exact bytes that were shown. Written by `publishing`."""

    arena = models.ForeignKey(Arena, on_delete=models.PROTECT, related_name="snapshots")
    number = models.PositiveIntegerField()
    published_at = models.DateTimeField()
    cutoff_vote_id = models.BigIntegerField(help_text="Votes up to and including this id were counted.")
    cutoff_battle_id = models.BigIntegerField()
    cutoff_response_id = models.BigIntegerField()
    cutoff_exclusion_id = models.BigIntegerField(
        null=True, help_text="Decisions up to and including this id were followed; blank before there were any."
    )
    vote_count = models.PositiveIntegerField()
    voter_count = models.PositiveIntegerField()
    data_sha256 = models.CharField(max_length=64)
    seed = models.BigIntegerField()
    settings = models.JSONField(help_text="Everything the fit was told.")
    code_version = models.CharField(max_length=40)
    board_json = models.TextField(help_text="The published JSON, byte for byte.")
    board_csv = models.TextField(help_text="The published CSV, byte for byte.")
    plain_json = models.TextField(
        blank=True, help_text="The same of every vote, byte for byte; blank where every vote counts anyway."
    )
    plain_csv = models.TextField(blank=True)
    page = models.JSONField(help_text="What only the page shows: the sentence, the verdicts, the win matrix.")

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


class CountedVotes(models.Model):
    """How far an arena's votes are counted into blocks. Written by `tallying`; can be made again from the votes."""

    arena = models.OneToOneField(Arena, on_delete=models.PROTECT, related_name="+", primary_key=True)
    through_vote_id = models.BigIntegerField(default=0)
    voters = models.PositiveIntegerField(default=0, help_text="Voters so far, which is the next voter's place.")
    judges = models.JSONField(default=dict, help_text="Distinct voters by competitor id.")

    def __str__(self) -> str:
        return f"votes of {self.arena_id} up to {self.through_vote_id}"


class VoterPlace(models.Model):
    """A voter's place in the order of first votes, and whom this voter judged. Written by `tallying`."""

    arena = models.ForeignKey(Arena, on_delete=models.PROTECT, related_name="+")
    voter = models.ForeignKey(Voter, on_delete=models.PROTECT, related_name="+")
    place = models.PositiveIntegerField()
    judged = models.JSONField(default=list, help_text="Ids of the competitors in this voter's battles, in order.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=("arena", "voter"), name="one_place_a_voter")]

    def __str__(self) -> str:
        return f"place {self.place} in {self.arena_id}"


class CountBlock(models.Model):
    """The counts of one group of voters: a few kilobytes, however many votes. Written by `tallying`."""

    arena = models.ForeignKey(Arena, on_delete=models.PROTECT, related_name="+")
    group = models.PositiveIntegerField(help_text="Place of the voter modulo the number of groups.")
    counts = models.BinaryField(help_text="Rows of (first, second, outcome, votes) as compressed 64-bit integers.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=("arena", "group"), name="one_block_a_group")]

    def __str__(self) -> str:
        return f"block {self.group} of {self.arena_id}"


class Webhook(models.Model):
    """An address that is told of an arena's publications. Written by `webhooks`; its secret is nowhere stored."""

    arena = models.ForeignKey(Arena, on_delete=models.PROTECT, related_name="+")
    url = models.CharField(max_length=300)
    nonce = models.CharField(max_length=32, help_text="What the signing key is derived from, with the server's secret.")
    created_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    delivered_number = models.PositiveIntegerField(default=0, help_text="The last snapshot that was told, or given up.")
    delivered_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0, help_text="In a row, of the snapshot that is due.")
    next_at = models.DateTimeField(null=True, blank=True, help_text="When the next try is due; blank for at once.")
    last_error = models.CharField(max_length=200, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"webhook {self.pk}"
