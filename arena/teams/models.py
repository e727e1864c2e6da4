"""Who is here, and where: arenas, voters, members and how they came."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class Arena(models.Model):
    """One question, asked in one way, of one field of competitors; its settings and nothing learnt from votes."""

    class Kind(models.TextChoices):
        LIVE = "live", "Live: competitors answer while the voter waits"
        RECORDED = "recorded", "Recorded: a prompt set with answers made beforehand"
        MIXED = "mixed", "Mixed: recorded prompts, and prompts of the voter's own"

    class Access(models.TextChoices):
        OPEN = "open", "Open: anyone who reaches this server may vote"
        INVITE = "invite", "By invitation: members, who need no account to vote"
        PRIVATE = "private", "Private: members with an account"

    class StreamMode(models.TextChoices):
        PACED = "paced", "Paced: speed tells nothing about who writes"
        LIVE = "live", "Live: faster, and weaker blindness, since speed can be seen"

    class Reveal(models.TextChoices):
        EACH = "each", "After every vote"
        END = "end", "At the end: when this voter has judged the whole prompt set"
        NEVER = "never", "Never"

    class BoardVisibility(models.TextChoices):
        DURING = "during", "While votes come in"
        OWN_VOTES = "own_votes", "After a number of own votes"
        CLOSED = "closed", "Only when the arena is closed to votes"

    class Sampling(models.TextChoices):
        COVERAGE = "coverage", "Coverage: connect everyone, then the least compared pairs"
        UNIFORM = "uniform", "Uniform: every pair alike"
        INFORMATIVE = "informative", "Informative: the pair whose vote narrows the board most, coverage while young"

    RESERVED = frozenset({"endpoints", "new"})
    """Slugs that would hide a page of the console's."""

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
    guidelines = models.TextField(
        blank=True, max_length=20_000, help_text="What voters should judge by, in Markdown; shown beside the vote."
    )
    allow_both_bad = models.BooleanField(
        "allow “both are bad”", default=True, help_text="Off, a voter chooses A, B or a tie."
    )
    allow_skip = models.BooleanField(
        "allow skipping", default=True, help_text="Off, only a vote or the expiry of a battle leads to the next one."
    )
    tags = models.JSONField(
        null=True, blank=True, help_text="What may have decided a vote; a list of words. Empty for the usual seven."
    )
    allow_comment = models.BooleanField("allow comments", default=True, help_text="A remark after the vote.")
    board_visibility = models.CharField(
        max_length=10,
        choices=BoardVisibility,
        default=BoardVisibility.DURING,
        help_text="When voters may see the board. Those who run the arena always may.",
    )
    board_after_votes = models.PositiveIntegerField(
        default=10, validators=[MinValueValidator(1)], help_text="Own votes after which a voter sees the board."
    )
    closed_at = models.DateTimeField(
        "closed to votes", null=True, blank=True, help_text="From then on nobody votes; the board stays."
    )
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
        """Refuses settings that contradict each other, and a new arena at the address of a page."""
        if self._state.adding and self.slug in self.RESERVED:
            raise ValidationError(
                {"slug": f"“{self.slug}” is the address of a page of the console's. Give another slug."}
            )
        if self.reveal == self.Reveal.END and self.kind == self.Kind.LIVE:
            raise ValidationError({"reveal": "A live arena has no end: reveal after each vote, or never."})
        if self.repeat_share and self.reveal == self.Reveal.EACH:
            raise ValidationError(
                {"repeat_share": "Nothing is repeated once its authors are known: reveal at the end, or never."}
            )


class Role(models.TextChoices):
    """What a member is there for; `teams.permissions` says what each may do."""

    OWNER = "owner", _("Owner: everything here, people included")
    OPERATOR = "operator", _("Operator: settings, prompts, competitors, evidence")
    EXPERT = "expert", _("Expert: votes, and is counted as an expert")
    VOTER = "voter", _("Voter: votes")
    AUDITOR = "auditor", _("Auditor: sees everything, changes nothing, does not vote")


class Voter(models.Model):
    """A pseudonymous source of votes. Signed-in people have an account; others only the signed cookie."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="voter"
    )
    affiliation = models.CharField(
        max_length=120, blank=True, help_text="The organization whose competitors this voter is never shown."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"voter {self.pk}"


class Invitation(models.Model):
    """A link that makes members: of one role and cohort, for a while, for so many. Written by `teams.invitations`.

    The token itself is only in the link: whoever reads the database cannot join.
    """

    arena = models.ForeignKey(Arena, on_delete=models.PROTECT, related_name="invitations")
    token_hash = models.CharField(max_length=64, unique=True)
    role = models.CharField(max_length=10, choices=Role)
    cohort = models.CharField(max_length=40, blank=True)
    note = models.CharField(max_length=80, blank=True, help_text="For whom it is; on the people page only.")
    asks_name = models.BooleanField(default=True)
    max_uses = models.PositiveIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    used_count = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"invitation {self.pk}"


class Membership(models.Model):
    """A voter's place in an arena: role and cohort. Written by `teams.members`; ended, never deleted."""

    arena = models.ForeignKey(Arena, on_delete=models.PROTECT, related_name="memberships")
    voter = models.ForeignKey(Voter, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role)
    cohort = models.CharField(
        max_length=40, blank=True, help_text="A group whose votes can be looked at apart, such as experts or customers."
    )
    display_name = models.CharField(max_length=80, blank=True, help_text="Shown to those who run the arena only.")
    invitation = models.ForeignKey(
        Invitation, null=True, blank=True, on_delete=models.SET_NULL, related_name="memberships"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("arena", "voter"), name="one_membership_a_voter")]

    def __str__(self) -> str:
        return f"{self.role} in {self.arena_id}"

    @property
    def account(self) -> str:
        """The address or name of the member's account; "" for a member by cookie. Asks for voter and user."""
        user = self.voter.user
        return (user.email or user.username) if user else ""


class SetupLink(models.Model):
    """A link by which somebody becomes an operator of this instance, once. Written by `teams.setup`."""

    token_hash = models.CharField(max_length=64, unique=True)
    email = models.EmailField(blank=True, help_text="For whom; empty for the first account, whoever makes it.")
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"setup link {self.pk}"


class ApiToken(models.Model):
    """What lets a program act for an account: in its scopes, until a day. Written by `teams.api_tokens`."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    arena = models.ForeignKey(Arena, null=True, blank=True, on_delete=models.PROTECT, related_name="api_tokens")
    name = models.CharField(max_length=80)
    token_hash = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"token {self.pk}"


class Heartbeat(models.Model):
    """The last sign of life of a background process. Written by `teams.heartbeat`."""

    name = models.CharField(max_length=40, primary_key=True)
    beat_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
