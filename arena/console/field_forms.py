"""What is filled in for an endpoint and for a competitor, and to ask one of them for an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from arena.competitors import catalogue
from arena.competitors.endpoints import TRIAL_PROMPT
from arena.competitors.models import REASON_CHARS, Competitor, Endpoint, is_one_line
from arena.console import field_words as words

if TYPE_CHECKING:
    _OfEndpoint = forms.ModelForm[Endpoint]
    _OfCompetitor = forms.ModelForm[Competitor]
else:
    _OfEndpoint = _OfCompetitor = forms.ModelForm
SHOWN_BREAK = "\\n"


@dataclass(frozen=True, slots=True)
class Preset:
    """A common address: what the form is filled in with."""

    name: str
    base_url: str
    key_env: str = ""


PRESETS = {
    "ollama": Preset("Ollama", "http://127.0.0.1:11434/v1"),
    "vllm": Preset("vLLM", "http://127.0.0.1:8000/v1"),
    "lm-studio": Preset("LM Studio", "http://127.0.0.1:1234/v1"),
    "llama-cpp": Preset("llama.cpp", "http://127.0.0.1:8080/v1"),
    "openrouter": Preset("OpenRouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
}


class StopField(forms.CharField):
    """Texts at which an answer ends, one a line as they are; a line break within one is written as two characters."""

    widget = forms.Textarea(attrs={"rows": 2})

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strip=False, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(text.replace("\n", SHOWN_BREAK) for text in value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        lines = super().clean(value).splitlines()
        return [line.replace(SHOWN_BREAK, "\n") for line in lines if line.strip()]


class ObjectField(forms.JSONField):
    """A JSON object; none at all stands for an empty one."""

    widget = forms.Textarea(attrs={"rows": 3, "class": "mono", "spellcheck": "false"})

    def prepare_value(self, value: Any) -> Any:
        return "" if value in ({}, None) else super().prepare_value(value)

    def clean(self, value: Any) -> Any:
        given = super().clean(value)
        return {} if given is None else given


class EndpointForm(_OfEndpoint):
    class Meta:
        model = Endpoint
        fields = ("name", "base_url", "key_env", "first_token_seconds", "between_tokens_seconds", "total_seconds")
        labels = words.ENDPOINT_LABELS
        help_texts = words.ENDPOINT_HELP

    def clean_base_url(self) -> str:
        try:
            return catalogue.checked_address(self.cleaned_data["base_url"])
        except catalogue.BadAddress as error:
            raise ValidationError(str(error)) from error


class CompetitorForm(_OfCompetitor):
    """A competitor's settings and the words about it; the name stays where there is a reason, which stands there."""

    stop = StopField(label=words.LABELS["stop"], help_text=words.HELP["stop"], required=False)
    extra_body = ObjectField(label=words.LABELS["extra_body"], help_text=words.HELP["extra_body"], required=False)
    price_in = forms.FloatField(
        label=words.LABELS["price_in"], help_text=words.HELP["price"], required=False, min_value=0
    )
    price_out = forms.FloatField(
        label=words.LABELS["price_out"], help_text=words.HELP["price"], required=False, min_value=0
    )

    class Meta:
        model = Competitor
        fields = (
            "name", "endpoint", "model_id", "system_prompt", "temperature", "top_p", "max_tokens", "stop", "extra_body",
            "revision", "description", "organization", "license", "price_in", "price_out", "context_length",
        )  # fmt: skip
        labels = words.LABELS
        help_texts = words.HELP
        widgets = {
            "system_prompt": forms.Textarea(attrs={"rows": 4}),
            "description": forms.Textarea(attrs={"rows": 2}),
        }

    def __init__(
        self, *args: Any, needs_endpoint: bool = False, may_change: bool = True, name_fixed: str = "", **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        endpoint: Any = self.fields["endpoint"]
        endpoint.queryset = Endpoint.objects.order_by("name")
        endpoint.empty_label = _("Recorded answers only")
        if needs_endpoint:
            endpoint.required, endpoint.empty_label = True, _("Choose one")
        if name_fixed:
            self.fields["name"].disabled, self.fields["name"].help_text = True, name_fixed
        for field in self.fields.values():
            field.disabled |= not may_change

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        catalogue.check_lists(cleaned)
        return cleaned

    def settings(self) -> dict[str, Any]:
        """What was given, without the name."""
        return {name: value for name, value in self.cleaned_data.items() if name != "name"}

    def groups(self) -> list[tuple[str, str, list[forms.BoundField]]]:
        """The fields as they stand on the page: an id, a heading, and the fields below it."""
        return [(key, str(heading), [self[name] for name in names]) for key, heading, names in words.GROUPS]


class RetireForm(forms.Form):
    """Why a competitor is retired."""

    retired_reason = forms.CharField(
        label=_("Reason"), max_length=REASON_CHARS, validators=[is_one_line],
        help_text=_("One line, which everybody who may see the board reads on its page and under Integrity."),
    )  # fmt: skip


class TrialForm(forms.Form):
    """One question, for a competitor under its own settings."""

    prompt = forms.CharField(
        label=_("Trial prompt"), max_length=2000, initial=TRIAL_PROMPT, widget=forms.Textarea(attrs={"rows": 2})
    )


class EndpointTrialForm(TrialForm):
    """One question for an endpoint, which has to be told whom to ask."""

    model_id = forms.CharField(label=words.LABELS["model_id"], max_length=200, help_text=words.HELP["model_id"])
    field_order = ("model_id", "prompt")
