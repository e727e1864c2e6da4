"""What is asked: prompt sets, prompts, and answers recorded beforehand."""

from __future__ import annotations

from django.db import models

from arena.competitors.models import Competitor
from arena.teams.models import Arena


class PromptSet(models.Model):
    """Prompts of one purpose: served in battles, or suggested beside an empty composer."""

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
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("arena", "name"), name="one_prompt_set_a_name")]

    def __str__(self) -> str:
        return self.name


class Prompt(models.Model):
    """One user message. Its key is stable over imports."""

    prompt_set = models.ForeignKey(PromptSet, on_delete=models.PROTECT, related_name="prompts")
    key = models.CharField(max_length=80)
    text = models.TextField()
    category = models.CharField(max_length=60, blank=True)
    language = models.CharField(max_length=20, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("prompt_set_id", "key")
        constraints = [models.UniqueConstraint(fields=("prompt_set", "key"), name="one_prompt_a_key")]

    def __str__(self) -> str:
        return self.key


class Dressed(models.Model):
    """A text's style counts (`prompts.style`) beside it: boards hold style constant without reading texts."""

    style_length = models.PositiveIntegerField(null=True, help_text="Words and punctuation marks.")
    style_headers = models.PositiveIntegerField(null=True)
    style_lists = models.PositiveIntegerField(null=True)
    style_bold = models.PositiveIntegerField(null=True)

    class Meta:
        abstract = True


class RecordedAnswer(Dressed):
    """A competitor's answer to a prompt, with the conditions under which it was made. Never changed."""

    prompt = models.ForeignKey(Prompt, on_delete=models.PROTECT, related_name="answers")
    competitor = models.ForeignKey(Competitor, on_delete=models.PROTECT, related_name="recorded_answers")
    text = models.TextField()
    conditions = models.JSONField(default=dict)
    conditions_hash = models.CharField(max_length=64)
    generated_at = models.DateTimeField(null=True)
    first_token_ms = models.FloatField(null=True)
    total_ms = models.FloatField(null=True)
    input_tokens = models.PositiveIntegerField(null=True)
    output_tokens = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("prompt", "competitor"), name="one_answer_a_competitor")]

    def __str__(self) -> str:
        return f"answer {self.pk}"
