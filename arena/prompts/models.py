"""What is asked: prompt sets, prompts, and answers recorded beforehand."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from arena.competitors.models import Competitor
from arena.teams.models import Arena


class PromptSet(models.Model):
    """Prompts of one purpose: served in battles, or suggested beside an empty composer.

    Written by `prompts.importing`, `prompts.answers` and `prompts.keeping`.
    """

    class Purpose(models.TextChoices):
        BATTLES = "battles", "Served in battles, with recorded answers"
        SUGGESTIONS = "suggestions", "Suggested to voters who write their own"

    arena = models.ForeignKey(Arena, on_delete=models.PROTECT, related_name="prompt_sets")
    name = models.CharField(max_length=80)
    purpose = models.CharField(max_length=12, choices=Purpose, default=Purpose.BATTLES)
    source = models.CharField(max_length=200, blank=True)
    is_sealed = models.BooleanField(
        default=False,
        help_text="Its texts are shown in battles alone, never beside the board and never in a public export.",
    )
    window_days = models.PositiveIntegerField(
        "rolling window, in days",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(36_500)],
        help_text="A prompt is retired this many days after it was added. Empty: prompts stay until retired by hand.",
    )
    checks = models.JSONField(
        default=dict, blank=True, help_text="Objective checks of every answer to its prompts (`prompts.checks`)."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("arena", "name"), name="one_prompt_set_a_name")]

    def __str__(self) -> str:
        return self.name


class Prompt(models.Model):
    """What is asked: one user message, or several in turn. Its key is stable over imports.

    Written by `prompts.importing`, `prompts.answers` and `prompts.keeping`. Its messages never change once they were
    answered: another text is another prompt.
    """

    prompt_set = models.ForeignKey(PromptSet, on_delete=models.PROTECT, related_name="prompts")
    key = models.CharField(max_length=80)
    text = models.TextField(help_text="The first message.")
    follow_ups = models.JSONField(default=list, blank=True, help_text="The messages after it, a list of texts.")
    turn_count = models.PositiveSmallIntegerField(default=1, editable=False, help_text="One and the follow-ups.")
    category = models.CharField(max_length=60, blank=True)
    language = models.CharField(max_length=20, blank=True)
    tags = models.JSONField(default=list, blank=True, help_text="A list of words.")
    source = models.CharField(max_length=200, blank=True)
    checks = models.JSONField(default=dict, blank=True, help_text="On top of those of its set.")
    replaces = models.ForeignKey(
        "self", null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="replacements"
    )
    created_at = models.DateTimeField("added", default=timezone.now, editable=False)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("prompt_set_id", "key")
        constraints = [models.UniqueConstraint(fields=("prompt_set", "key"), name="one_prompt_a_key")]

    def __str__(self) -> str:
        return self.key

    @property
    def messages(self) -> list[str]:
        """The user's messages, in their order."""
        return [self.text, *self.follow_ups]


class Dressed(models.Model):
    """A text's style counts (`prompts.style`) beside it: boards hold style constant without reading texts."""

    style_length = models.PositiveIntegerField(null=True, help_text="Words and punctuation marks.")
    style_headers = models.PositiveIntegerField(null=True)
    style_lists = models.PositiveIntegerField(null=True)
    style_bold = models.PositiveIntegerField(null=True)

    class Meta:
        abstract = True


class RecordedAnswer(Dressed):
    """A competitor's answer to one message of a prompt, with the conditions of its making. Never changed.

    Written by `prompts.answers`, all turns of a prompt together: who answered the last one answered them all.
    """

    prompt = models.ForeignKey(Prompt, on_delete=models.PROTECT, related_name="answers")
    competitor = models.ForeignKey(Competitor, on_delete=models.PROTECT, related_name="recorded_answers")
    turn = models.PositiveSmallIntegerField(default=1)
    text = models.TextField()
    conditions = models.JSONField(default=dict)
    conditions_hash = models.CharField(max_length=64)
    generated_at = models.DateTimeField(null=True)
    first_token_ms = models.FloatField(null=True)
    total_ms = models.FloatField(null=True)
    input_tokens = models.PositiveIntegerField(null=True)
    output_tokens = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("prompt", "competitor", "turn"), name="one_answer_a_turn")]

    def __str__(self) -> str:
        return f"answer {self.pk}"


class GenerationRun(models.Model):
    """A prompt set that is run against live competitors. Written by `prompts.generation.runs`.

    What was answered is not counted here but stored as recorded answers, each as soon as it is there: whatever process
    dies, a run goes on with what is missing.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting for the worker"
        RUNNING = "running", "Running"
        FINISHED = "finished", "Finished"
        STOPPED = "stopped", "Stopped by hand"
        OUT_OF_BUDGET = "out_of_budget", "Stopped: the next answer could pass the budget"
        GAVE_UP = "gave_up", "Ended with answers missing"

    prompt_set = models.ForeignKey(PromptSet, on_delete=models.PROTECT, related_name="generation_runs")
    competitors = models.ManyToManyField(Competitor, related_name="+")
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    concurrency = models.PositiveSmallIntegerField(
        default=2,
        validators=[MinValueValidator(1), MaxValueValidator(32)],
        help_text="Answers asked of one endpoint at a time. Above 1 the recorded timings say less.",
    )
    attempts = models.PositiveSmallIntegerField(
        default=3,
        validators=[MinValueValidator(1), MaxValueValidator(10)],
        help_text="How often one answer is asked for before it counts as missing.",
    )
    budget = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="Nothing more is asked once the next answer could pass it; in the currency of the prices.",
    )
    state = models.CharField(max_length=14, choices=State, default=State.WAITING)
    spent = models.FloatField(default=0, help_text="For every answer that was asked for, failed ones too.")
    failures = models.JSONField(default=list, blank=True, help_text="The last things that went wrong, for operators.")
    created_at = models.DateTimeField()
    alive_at = models.DateTimeField(
        null=True, blank=True, help_text="The last sign of life of the process that runs it."
    )
    ended_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"generation run {self.pk}"


class Upload(models.Model):
    """A file that waits for its columns to be named, and afterwards what came of it. Written by `prompts.uploads`.

    The content is dropped when it was imported, and with the whole row a day after it came.
    """

    class Kind(models.TextChoices):
        PROMPTS = "prompts", "Prompts"
        ANSWERS = "answers", "Answers, with their prompts"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    arena = models.ForeignKey(Arena, on_delete=models.CASCADE, related_name="uploads")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind)
    names = models.JSONField(default=list)
    content = models.BinaryField(help_text="The files, in a zip archive.")
    result = models.JSONField(null=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"upload {self.public_id}"
