"""What can answer: endpoints, and competitors as immutable versions."""

from __future__ import annotations

import unicodedata
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext as _

from arena.competitors.errors import CompetitorSealed
from arena.teams.models import Arena

OUR_SECRETS = {"SECRET_KEY", "DATABASE_URL", "REDIS_URL", "EMAIL_URL", "OIDC_CLIENT_SECRET", "PGPASSWORD"}
THE_MACHINES = {"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "GH_TOKEN", "GITHUB_TOKEN", "NPM_TOKEN", "VAULT_TOKEN"}
"""Named as keys are, and often there for the machine's own sake."""
KEYS_END_IN = ("_KEY", "_TOKEN")
REASON_CHARS = 200
TURNS_TEXT = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
"""Bidirectional classes that turn the text around them."""


def is_a_key_of_a_provider(name: str) -> None:
    """Whoever may add an endpoint must not have secrets of this server, or of its machine, sent to it.

    A list of secrets is never complete, so a name must look like a key's, or be listed by whoever starts the server.
    """
    if name.upper() in OUR_SECRETS:
        said = _("%(name)s is a secret of this server, not a key of the endpoint. Name another variable.")
        raise ValidationError(said % {"name": name})
    looks_like_one = name.upper().endswith(KEYS_END_IN) and name.upper() not in THE_MACHINES
    if not looks_like_one and name not in settings.KEY_VARIABLES:
        said = _(
            "%(name)s may be no key of an endpoint. Use a variable that ends in _KEY or _TOKEN, or list this one in "
            "ARENA_KEY_VARIABLES where the server is started."
        )
        raise ValidationError(said % {"name": name})


def is_one_line(text: str) -> None:
    """What strangers read beside a name must not break its line, hide in it or turn it round."""
    for char in text:
        if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") or unicodedata.bidirectional(char) in TURNS_TEXT:
            said = _("%(text)s holds the character U+%(code)s. Write one line, without control characters.")
            raise ValidationError(said % {"text": repr(text[:40]), "code": f"{ord(char):04X}"})


class Endpoint(models.Model):
    """An OpenAI-compatible address. The key itself is never stored: only the environment variable that holds it."""

    name = models.CharField(max_length=80, unique=True)
    base_url = models.CharField(
        max_length=300,
        help_text="Up to and without /chat/completions, for example http://127.0.0.1:11434/v1. "
        "The word local-model stands for the model that comes with Blindfold.",
    )
    key_env = models.CharField(
        "key's environment variable",
        max_length=80,
        blank=True,
        validators=[
            RegexValidator(r"^[A-Za-z_][A-Za-z0-9_]*$", "Give the variable's name, not the key."),
            is_a_key_of_a_provider,
        ],
    )
    first_token_seconds = models.FloatField(default=30, validators=[MinValueValidator(0.1), MaxValueValidator(600)])
    between_tokens_seconds = models.FloatField(default=15, validators=[MinValueValidator(0.1), MaxValueValidator(600)])
    total_seconds = models.FloatField(default=180, validators=[MinValueValidator(0.1), MaxValueValidator(3600)])
    # Written by `competitors.health` alone.
    failures_in_a_row = models.PositiveIntegerField(default=0, editable=False)
    out_until = models.DateTimeField(null=True, blank=True, editable=False)
    last_failed = models.BigIntegerField(
        null=True, editable=False, help_text="Id of the competitor whose failure was counted last, in this row of them."
    )
    last_failure = models.CharField(max_length=300, blank=True, editable=False)
    last_failure_at = models.DateTimeField(null=True, blank=True, editable=False)

    def __str__(self) -> str:
        return self.name


class Competitor(models.Model):
    """A ranked entrant: one model, one endpoint, one system prompt, fixed settings. Changed settings make a new one."""

    SETTINGS = (
        "arena_id", "name", "version", "endpoint_id", "model_id", "revision", "system_prompt", "temperature",
        "top_p", "max_tokens", "stop", "extra_body",
    )  # fmt: skip

    arena = models.ForeignKey(Arena, on_delete=models.PROTECT, related_name="competitors")
    name = models.CharField(max_length=80)
    version = models.PositiveIntegerField(default=1, editable=False)
    endpoint = models.ForeignKey(
        Endpoint, null=True, blank=True, on_delete=models.PROTECT, help_text="Blank for recorded answers only."
    )
    model_id = models.CharField(max_length=200)
    revision = models.CharField(max_length=80, blank=True)
    system_prompt = models.TextField(blank=True)
    temperature = models.FloatField(null=True, blank=True, validators=[MinValueValidator(0), MaxValueValidator(5)])
    top_p = models.FloatField(null=True, blank=True, validators=[MinValueValidator(0), MaxValueValidator(1)])
    max_tokens = models.PositiveIntegerField(default=1024, validators=[MinValueValidator(1)])
    stop = models.JSONField(default=list, blank=True)
    extra_body = models.JSONField(default=dict, blank=True)
    description = models.TextField(blank=True)
    organization = models.CharField(max_length=120, blank=True)
    license = models.CharField(max_length=120, blank=True)
    price_in = models.FloatField("price per million input tokens", null=True, blank=True)
    price_out = models.FloatField("price per million output tokens", null=True, blank=True)
    context_length = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True, blank=True)
    # Free text of an operator: nobody is told it without `competitors.versions.why_retired`.
    retired_reason = models.CharField(
        max_length=REASON_CHARS,
        blank=True,
        validators=[is_one_line],
        help_text="Why it was retired, in one line: everybody who may see the board reads it.",
    )
    replaced_by = models.ForeignKey(
        "self", null=True, editable=False, on_delete=models.SET_NULL, related_name="+",
        help_text="The version that took its place, where that is why it was retired.",
    )  # fmt: skip
    first_answered_at = models.DateTimeField(null=True, editable=False)
    # Written by `competitors.health` alone.
    failures_in_a_row = models.PositiveIntegerField(default=0, editable=False)
    out_until = models.DateTimeField(null=True, blank=True, editable=False)
    last_failure = models.CharField(max_length=300, blank=True, editable=False)
    last_failure_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ("arena_id", "name", "version")
        constraints = [models.UniqueConstraint(fields=("arena", "name", "version"), name="one_competitor_a_version")]

    def __str__(self) -> str:
        return self.label

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Raises CompetitorSealed when a setting of a competitor that has answered would change."""
        fields = kwargs.get("update_fields")
        touched = [f for f in self.SETTINGS if fields is None or f in fields or f.removesuffix("_id") in fields]
        if self.pk and touched:
            # As stored: a copy in memory may be older than the first answer.
            stored = type(self).objects.filter(pk=self.pk).values(*touched, "first_answered_at").first() or {}
            self.first_answered_at = self.first_answered_at or stored.get("first_answered_at")
            changed = [name for name in touched if stored and stored[name] != getattr(self, name)]
            if changed and self.is_sealed:
                raise CompetitorSealed(self.label, changed)
        super().save(*args, **kwargs)

    @property
    def label(self) -> str:
        """The name on boards and reveals, unique within the arena."""
        return self.name if self.version == 1 else f"{self.name} v{self.version}"

    @property
    def is_sealed(self) -> bool:
        return self.first_answered_at is not None
