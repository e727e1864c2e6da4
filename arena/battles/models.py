"""The served log: battles, turns, responses, votes. Each table has one writer, named in its docstring."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from django.conf import settings
from django.db import models

from arena.battles.words import BattleState, Side, Winner
from arena.competitors.models import Competitor
from arena.prompts.models import Dressed, Prompt, RecordedAnswer
from arena.teams.frozen import FrozenRow
from arena.teams.models import Arena, Voter


class Battle(models.Model):
    """One pair drawn for one voter. The draw is stored before any text exists.

    Written by `battles.opening` (the row), `battles.lifecycle` (its state) and `battles.importing` (those judged
    elsewhere). "Voted" is no state: it is the existence of the vote.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    arena = models.ForeignKey(Arena, on_delete=models.PROTECT)
    voter = models.ForeignKey(Voter, on_delete=models.PROTECT)
    prompt = models.ForeignKey(Prompt, null=True, on_delete=models.PROTECT)
    competitor_a = models.ForeignKey(Competitor, on_delete=models.PROTECT, related_name="+")
    competitor_b = models.ForeignKey(Competitor, on_delete=models.PROTECT, related_name="+")
    policy = models.CharField(max_length=20)
    draw_probability = models.FloatField()
    seed = models.CharField(max_length=64)
    state = models.CharField(max_length=12, choices=BattleState.choices, default=BattleState.SERVED)
    void_reason = models.CharField(max_length=30, blank=True)
    redraw_of = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="redraw")
    repeat_of = models.OneToOneField(
        "self",
        null=True,
        on_delete=models.PROTECT,
        related_name="repeat",
        help_text="The voter's own earlier battle, shown again with sides exchanged; never rated.",
    )
    is_imported = models.BooleanField(
        default=False, help_text="Judged elsewhere and imported with its vote; drawn by no policy of ours."
    )
    stream_mode = models.CharField(max_length=10)
    served_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    owner = models.CharField(max_length=80, blank=True)
    lease_until = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=("voter", "arena", "-id"), name="battle_of_voter"),
            models.Index(fields=("arena", "competitor_a", "competitor_b"), name="battle_pairs"),
            models.Index(fields=("arena",), name="battle_imported", condition=models.Q(is_imported=True)),
            models.Index(
                fields=("lease_until",), name="battle_answering", condition=models.Q(state=BattleState.ANSWERING)
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(competitor_a=models.F("competitor_b")), name="two_distinct_competitors"
            ),
            models.CheckConstraint(
                condition=models.Q(draw_probability__gt=0) & models.Q(draw_probability__lte=1),
                name="draw_probability_in_unit",
            ),
        ]

    def __str__(self) -> str:
        return f"battle {self.public_id}"

    def competitor_on(self, side: Side) -> Competitor:
        return self.competitor_a if side == Side.A else self.competitor_b

    def competitor_ids(self) -> Iterator[tuple[Side, int]]:
        yield Side.A, self.competitor_a_id
        yield Side.B, self.competitor_b_id


class Turn(models.Model):
    """One user message of a battle. Written by `battles.opening`."""

    battle = models.ForeignKey(Battle, on_delete=models.PROTECT, related_name="turns")
    index = models.PositiveSmallIntegerField()
    prompt = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("battle_id", "index")
        constraints = [models.UniqueConstraint(fields=("battle", "index"), name="one_turn_an_index")]

    def __str__(self) -> str:
        return f"turn {self.index} of {self.battle_id}"


class Response(Dressed):
    """One side's finished or failed answer, written once, at the turn's end, by `battles.recording`."""

    turn = models.ForeignKey(Turn, on_delete=models.PROTECT, related_name="responses")
    side = models.CharField(max_length=1, choices=Side.choices)
    competitor = models.ForeignKey(Competitor, on_delete=models.PROTECT, related_name="+")
    text = models.TextField(blank=True)
    text_sha256 = models.CharField(max_length=64, blank=True)
    error_code = models.CharField(max_length=30, blank=True, help_text="Empty when the answer is complete.")
    error_detail = models.CharField(max_length=300, blank=True)
    finish_reason = models.CharField(max_length=30, blank=True)
    first_token_ms = models.FloatField(null=True)
    total_ms = models.FloatField(null=True)
    input_tokens = models.PositiveIntegerField(null=True)
    output_tokens = models.PositiveIntegerField(null=True)
    recorded_answer = models.ForeignKey(RecordedAnswer, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=("turn", "side"), name="one_response_a_side")]

    def __str__(self) -> str:
        return f"response {self.side} to {self.turn_id}"

    @property
    def content(self) -> str:
        """The answer's text, wherever it is stored."""
        return self.recorded_answer.text if self.recorded_answer else self.text


class CheckedAnswer(models.Model):
    """What the objective checks found in one answer, live or recorded. Written by `battles.checking`.

    Apart from the answer, which never changes: checks may be asked for later, and the newer finding takes the place of
    the older one.
    """

    response = models.OneToOneField(Response, null=True, on_delete=models.CASCADE, related_name="checked")
    recorded_answer = models.OneToOneField(RecordedAnswer, null=True, on_delete=models.CASCADE, related_name="checked")
    specification = models.CharField(max_length=16, help_text="The digest of what was checked, and by which rules.")
    results = models.JSONField(help_text="By check: passed, failed, or null where nothing can be said.")
    checked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(response__isnull=True, recorded_answer__isnull=False)
                | models.Q(response__isnull=False, recorded_answer__isnull=True),
                name="one_answer_checked",
            )
        ]
        indexes = [models.Index(fields=("checked_at",), name="checked_lately")]

    def __str__(self) -> str:
        return f"checks of {self.response or self.recorded_answer}"


class Vote(FrozenRow):
    """One judgement of one battle. Written by `battles.votes`, never edited, never deleted."""

    battle = models.OneToOneField(Battle, on_delete=models.PROTECT, related_name="vote")
    voter = models.ForeignKey(Voter, on_delete=models.PROTECT)
    winner = models.CharField(max_length=8, choices=Winner.choices)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(winner__in=Winner.values), name="known_winner")]

    def __str__(self) -> str:
        return f"vote {self.pk}"


class VoteNote(models.Model):
    """What decided a vote, said after it: tags and a comment. Written by `battles.notes`; may be changed."""

    vote = models.OneToOneField(Vote, on_delete=models.PROTECT, related_name="note")
    tags = models.JSONField(default=list)
    comment = models.CharField(max_length=500, blank=True)
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"note on vote {self.vote_id}"


class SelfNaming(FrozenRow):
    """An answer that said whose it is, or a prompt that asked: the battle can be voted and is not rated.

    Written by `battles.marking` before the battle can be voted; taken back by a `SelfNamingReversal`.
    """

    battle = models.ForeignKey(Battle, on_delete=models.PROTECT, related_name="self_namings")
    turn = models.PositiveSmallIntegerField()
    side = models.CharField(max_length=1, blank=True, help_text="Blank for the prompt.")
    rule = models.CharField(max_length=20)
    kind = models.CharField(max_length=10, help_text="What was named: model, maker, own name of the arena; or prompt.")
    words = models.CharField(max_length=120, help_text="The words that were found, as folded.")
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=("battle", "turn", "side"), name="one_self_naming_a_text")]

    def __str__(self) -> str:
        return f"self-naming {self.pk} in battle {self.battle_id}"


class SelfNamingReversal(FrozenRow):
    """A mark taken back by a reviewer. Written by `battles.marking`.

    Boards whose last vote is older than `after_vote_id` do not follow it: what they counted can be counted again.
    """

    mark = models.OneToOneField(SelfNaming, on_delete=models.PROTECT, related_name="reversal")
    after_vote_id = models.BigIntegerField(help_text="The last vote when it was taken back.")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.CharField(max_length=300)
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"reversal of self-naming {self.mark_id}"


class AddressKey(models.Model):
    """What address blocks are hashed with for a while; deleted, it leaves hashes that lead nowhere.

    Written by `battles.addresses`.
    """

    key = models.CharField(max_length=64)
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"address key {self.pk}"


class ServedFrom(models.Model):
    """From which address block a battle was asked for, as a keyed hash; deleted when it is old.

    Written by `battles.addresses`. The address itself is stored nowhere.
    """

    class Work(models.TextChoices):
        VERIFIED = "verified", "Verified: the browser worked for it"
        UNVERIFIED = "unverified", "Unverified: it did not, could not, or repeated another's work"

    battle = models.OneToOneField(Battle, on_delete=models.PROTECT, related_name="served_from", primary_key=True)
    block = models.CharField(max_length=32, help_text="Of the /24 or /64, keyed: a cluster's name, and no more.")
    served_at = models.DateTimeField()
    is_first = models.BooleanField(help_text="The first battle of a voter without an account.")
    work = models.CharField(
        max_length=10, blank=True, choices=Work, help_text="Blank where the instance asks for no proof of work."
    )
    challenge = models.CharField(
        max_length=32, null=True, unique=True, help_text="Whose work was spent on this battle."
    )

    class Meta:
        indexes = [
            models.Index(fields=("block", "-served_at"), name="served_from_block"),
            models.Index(fields=("served_at",), name="served_from_age"),
        ]

    def __str__(self) -> str:
        return f"origin of battle {self.battle_id}"
