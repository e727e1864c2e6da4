"""Which votes count and why, and the chain that shows when a stored row was changed behind our back."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from arena.competitors.models import Competitor
from arena.teams.frozen import FrozenRow
from arena.teams.models import Arena, Voter


class AuditLink(FrozenRow):
    """One sealed row: h_i = SHA-256(h_{i-1} || record). Written by `integrity.sealing`.

    The record is the canonical JSON of arena, position, kind, row and salted commitments (`integrity.commitments`).
    """

    class Kind(models.TextChoices):
        ARENA = "arena", "settings of the arena"
        COMPETITOR = "competitor", "competitor"
        EXCLUSION = "exclusion", "exclusion"
        ERASURE = "erasure", "erasure"
        REVERSAL = "reversal", "mark taken back"
        VOTE = "vote", "vote"

    arena = models.ForeignKey(Arena, on_delete=models.PROTECT, related_name="+", db_index=False)
    position = models.PositiveBigIntegerField()
    kind = models.CharField(max_length=12, choices=Kind)
    row_id = models.BigIntegerField()
    salt = models.CharField(max_length=32)
    commitments = models.TextField(help_text="Canonical JSON: a salted hash by name.")
    sha256 = models.CharField(max_length=64)

    class Meta:
        ordering = ("arena_id", "position")
        constraints = [models.UniqueConstraint(fields=("arena", "position"), name="one_link_a_position")]
        indexes = [models.Index(fields=("kind", "row_id"), name="link_of_row")]

    def __str__(self) -> str:
        return f"link {self.position} of {self.arena_id}"


class VoterSalt(models.Model):
    """What hides a voter's words in the chain; deleted with them. Written by `integrity.sealing`."""

    voter = models.OneToOneField(Voter, on_delete=models.PROTECT, related_name="+", primary_key=True)
    salt = models.CharField(max_length=32)

    def __str__(self) -> str:
        return f"salt of {self.voter_id}"


class Erasure(FrozenRow):
    """A voter's words were deleted at their wish; their votes keep the voter's number. Written by `sealing`."""

    voter = models.OneToOneField(Voter, on_delete=models.PROTECT, related_name="+")
    erased_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"erasure of {self.voter_id}"


class AuditHead(FrozenRow):
    """An arena's last link at the first look of a day: what is published and can be kept elsewhere. By `sealing`."""

    arena = models.ForeignKey(Arena, on_delete=models.PROTECT, related_name="+")
    day = models.DateField()
    position = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    made_at = models.DateTimeField()

    class Meta:
        ordering = ("arena_id", "-day")
        constraints = [models.UniqueConstraint(fields=("arena", "day"), name="one_head_a_day")]

    def __str__(self) -> str:
        return f"head of {self.arena_id} on {self.day}"


class Screening(models.TextChoices):
    """What a finding of the screening leads to."""

    AUTOMATIC = "automatic", "Automatic: findings take effect at once, and can be reversed"
    REVIEW = "review", "Review: findings wait for somebody's decision"
    OFF = "off", "Off: nobody looks"


class ScreeningPolicy(models.Model):
    """How an arena is screened; without a row by `standing.screening_of`. Written by `deciding`."""

    arena = models.OneToOneField(Arena, on_delete=models.PROTECT, related_name="+", primary_key=True)
    mode = models.CharField(max_length=10, choices=Screening)
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"screening of {self.arena_id}: {self.mode}"


class ScreeningRun(FrozenRow):
    """One look at the served log: how far, what it cost, what rang. Written by `integrity.proposing`."""

    arena = models.ForeignKey(Arena, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    seconds = models.FloatField()
    through_battle_id = models.BigIntegerField()
    through_vote_id = models.BigIntegerField()
    battles = models.PositiveIntegerField()
    votes = models.PositiveIntegerField()
    alarms = models.JSONField(default=list, help_text="Rule, competitor, sign, statistic, threshold, sentence.")
    findings = models.PositiveIntegerField()

    class Meta:
        ordering = ("arena_id", "-id")

    def __str__(self) -> str:
        return f"screening {self.pk} of {self.arena_id}"


class Proposal(FrozenRow):
    """A finding about one unit, with its evidence, waiting for or followed by decisions. Written by `proposing`."""

    arena = models.ForeignKey(Arena, on_delete=models.PROTECT, related_name="+")
    run = models.ForeignKey(ScreeningRun, on_delete=models.PROTECT, related_name="proposals")
    rule = models.CharField(max_length=20)
    unit_kind = models.CharField(max_length=12)
    voters = models.JSONField(help_text="Numbers of the voters concerned: one, or a cluster's members.")
    vote_ids = models.JSONField(default=list, help_text="Single votes instead, where a rule concerns nobody's others.")
    competitor = models.ForeignKey(Competitor, null=True, on_delete=models.PROTECT, related_name="+")
    sign = models.SmallIntegerField(help_text="+1 promotion, -1 demotion, 0 neither.")
    action = models.CharField(max_length=10)
    votes = models.PositiveIntegerField(help_text="Votes that lose their weight if it takes effect.")
    evidence = models.JSONField()
    sentence = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"proposal {self.pk}"


class Exclusion(FrozenRow):
    """A decision about a voter's votes, laid over them; never a deletion. Written by `integrity.deciding`.

    A `cleared` row takes an earlier one back (`reverses`) or turns a proposal down.
    """

    class Action(models.TextChoices):
        EXCLUDED = "excluded", "excluded"
        HELD = "held", "held"
        CLEARED = "cleared", "cleared"

    class By(models.TextChoices):
        AUTOMATIC = "automatic", "automatic"
        REVIEWER = "reviewer", "reviewer"

    arena = models.ForeignKey(Arena, on_delete=models.PROTECT, related_name="+")
    voter = models.ForeignKey(
        Voter, null=True, on_delete=models.PROTECT, related_name="+", help_text="Blank where single votes of many are."
    )
    votes = models.JSONField(default=list, help_text="Ids of single votes; empty for all of the voter's.")
    competitor = models.ForeignKey(
        Competitor, null=True, on_delete=models.PROTECT, related_name="+",
        help_text="Only votes on battles with this one; blank for all.",
    )  # fmt: skip
    action = models.CharField(max_length=10, choices=Action)
    rule = models.CharField(max_length=20)
    evidence = models.JSONField(default=dict)
    sentence = models.TextField()
    decided_by = models.CharField(max_length=10, choices=By)
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    reverses = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="reversal")
    proposal = models.ForeignKey(Proposal, null=True, on_delete=models.PROTECT, related_name="decisions")
    appeal_note = models.TextField(blank=True, help_text="What the voter said, as the reviewer noted it.")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=models.Q(action__in=("excluded", "held", "cleared")), name="known_exclusion_action"
            ),
        ]
        indexes = [models.Index(fields=("arena", "voter"), name="exclusion_of_voter")]

    def __str__(self) -> str:
        return f"exclusion {self.pk}"
