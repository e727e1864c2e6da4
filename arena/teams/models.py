"""Who is here, and where: arenas and voters."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models


class Arena(models.Model):
    """One question, asked in one way, of one field of competitors; its settings and nothing learnt from votes."""

    class Kind(models.TextChoices):
        LIVE = "live", "Live: competitors answer while the voter waits"
        RECORDED = "recorded", "Recorded: a prompt set with answers made beforehand"
        MIXED = "mixed", "Mixed: recorded prompts, and prompts of the voter's own"

    class Access(models.TextChoices):
        OPEN = "open", "Open: anyone who reaches this server may vote"
        INVITE = "invite", "By invitation"
        PRIVATE = "private", "Private: signed-in staff only"

    class StreamMode(models.TextChoices):
        PACED = "paced", "Paced: speed tells nothing about who writes"
        LIVE = "live", "Live: faster, and weaker blindness, since speed can be seen"

    class Reveal(models.TextChoices):
        EACH = "each", "After every vote"
        END = "end", "At the end: when this voter has judged the whole prompt set"
        NEVER = "never", "Never"

    class Sampling(models.TextChoices):
        COVERAGE = "coverage", "Coverage: connect everyone, then the least compared pairs"
        UNIFORM = "uniform", "Uniform: every pair alike"
        INFORMATIVE = "informative", "Informative: the pair whose vote narrows the board most, coverage while young"

    slug = models.SlugField(unique=True, max_length=60)
    title = models.CharField(max_length=80)
    description = models.TextField(blank=True)
    kind = models.CharField(max_length=10, choices=Kind)
    access = models.CharField(max_length=10, choices=Access, default=Access.OPEN)
    is_simulated = models.BooleanField(
        default=False, help_text="Votes are made by a simulation; every page says so and nobody can vote."
    )
    stream_mode = models.CharField(max_length=10, choices=StreamMode, default=StreamMode.PACED)
    pace = models.PositiveIntegerField(
        default=200,
        validators=[MinValueValidator(10), MaxValueValidator(2000)],
        help_text="Characters a second that each side shows in paced mode. Set it below the slowest competitor.",
    )
    reveal = models.CharField(max_length=10, choices=Reveal, default=Reveal.EACH)
    sampling = models.CharField(max_length=12, choices=Sampling, default=Sampling.COVERAGE)
    overlap_share = models.FloatField(
        default=0,
        validators=[MinValueValidator(0), MaxValueValidator(0.9)],
        help_text="Share of battles on a prompt set that show a voter what somebody else has judged, for agreement "
        "between voters: 0.2 is one in five. Each vote counts.",
    )
    repeat_share = models.FloatField(
        default=0,
        validators=[MinValueValidator(0), MaxValueValidator(0.5)],
        help_text="Share of battles that show a voter an own earlier one with sides exchanged, for self-consistency. "
        "The second vote is never rated. Only where names are not revealed after each vote.",
    )
    max_prompt_chars = models.PositiveIntegerField(default=12_000, validators=[MaxValueValidator(200_000)])
    max_turns = models.PositiveIntegerField(default=8, validators=[MinValueValidator(1), MaxValueValidator(50)])
    publish_after_votes = models.PositiveIntegerField(default=5, validators=[MinValueValidator(1)])
    publish_after_seconds = models.PositiveIntegerField(default=60, validators=[MinValueValidator(1)])
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.title

    def clean(self) -> None:
        """Refuses settings that contradict each other."""
        if self.reveal == self.Reveal.END and self.kind == self.Kind.LIVE:
            raise ValidationError({"reveal": "A live arena has no end: reveal after each vote, or never."})
        if self.repeat_share and self.reveal == self.Reveal.EACH:
            raise ValidationError(
                {"repeat_share": "Nothing is repeated once its authors are known: reveal at the end, or never."}
            )


class Voter(models.Model):
    """A pseudonymous source of votes. Signed-in people have an account; others only the signed cookie."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="voter"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"voter {self.pk}"


class Heartbeat(models.Model):
    """The last sign of life of a background process. Written by `teams.heartbeat`."""

    name = models.CharField(max_length=40, primary_key=True)
    beat_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
