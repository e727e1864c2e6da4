"""What is filled in to make and to configure an arena; every setting is explained where it is set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from arena.battles.models import Battle
from arena.competitors.models import Competitor
from arena.console import words
from arena.leaderboards.board_settings import MEAN_RATING, board_settings
from arena.teams import arenas
from arena.teams.models import Arena

if TYPE_CHECKING:
    _OfArena = forms.ModelForm[Arena]
else:
    _OfArena = forms.ModelForm
MAX_TAGS, MAX_TAG_CHARS = 20, 40


class PercentField(forms.FloatField):
    """A share, said and shown in percent."""

    def prepare_value(self, value: Any) -> Any:
        return f"{value * 100:g}" if isinstance(value, float | int) else value

    def clean(self, value: Any) -> float:
        given = super().clean(value)
        return (given or 0.0) / 100


class LinesField(forms.CharField):
    """One word or phrase a line; none at all stands for the usual ones."""

    widget = forms.Textarea(attrs={"rows": 4})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str] | None:
        lines = dict.fromkeys(" ".join(line.split()) for line in super().clean(value).splitlines())
        found = [line for line in lines if line]
        if len(found) > MAX_TAGS or any(len(line) > MAX_TAG_CHARS for line in found):
            said = {"most": MAX_TAGS, "length": MAX_TAG_CHARS}
            raise ValidationError(_("At most %(most)s tags of at most %(length)s characters each.") % said)
        return found or None


class NewArenaForm(forms.Form):
    """Few questions; everything else has a sensible default and can be changed."""

    title = forms.CharField(
        label=_("Title"), max_length=80, help_text=_("What people see above the vote. The address is made from it.")
    )
    kind = forms.ChoiceField(
        label=_("What is voted on"), choices=words.KINDS, widget=forms.RadioSelect, initial="recorded"
    )
    access = forms.ChoiceField(
        label=_("Who may enter"), choices=words.ACCESS, widget=forms.RadioSelect, initial="invite"
    )

    def clean_title(self) -> str:
        title = " ".join(str(self.cleaned_data["title"]).split())
        if not title:
            raise ValidationError(_("Give the arena a title."))
        return title


class ArenaForm(_OfArena):
    """All settings of an arena, and of its board."""

    tags = LinesField(label=_("Tags"), required=False, help_text=words.HELP["tags"])
    overlap_share = PercentField(
        label=_("Overlap, in percent"), min_value=0, max_value=90, required=False, help_text=words.HELP["overlap_share"]
    )
    repeat_share = PercentField(
        label=_("Flipped repeats, in percent"), min_value=0, max_value=50, required=False,
        help_text=words.HELP["repeat_share"],
    )  # fmt: skip
    anchor = forms.ModelChoiceField(
        Competitor.objects.none(), label=_("Anchor"), required=False, empty_label=_("The mean of all"),
        help_text=words.HELP["anchor"],
    )  # fmt: skip
    anchor_rating = forms.FloatField(
        label=_("Rating of the anchor"), min_value=-10_000, max_value=10_000, help_text=words.HELP["anchor_rating"]
    )
    controls_style = forms.BooleanField(
        label=_("Open the board with style held equal"), required=False, help_text=words.HELP["controls_style"]
    )

    class Meta:
        model = Arena
        fields = (
            "title", "description", "kind", "access", "guidelines", "allow_both_bad", "allow_skip", "tags",
            "allow_comment", "max_turns", "max_prompt_chars", "reveal", "board_visibility", "board_after_votes",
            "stream_mode", "pace", "sampling", "overlap_share", "repeat_share", "publish_after_votes",
            "publish_after_seconds", "closed_at",
        )  # fmt: skip
        labels = words.LABELS
        help_texts = words.HELP
        widgets = {
            "description": forms.Textarea(attrs={"rows": 2}),
            "guidelines": forms.Textarea(attrs={"rows": 8}),
            "closed_at": forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"}),
        }

    def __init__(self, *args: Any, may_change: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        board = board_settings(self.instance)
        self.fields["anchor"].queryset = Competitor.objects.filter(arena=self.instance)  # type: ignore[attr-defined]
        self.initial.update(
            anchor=board.anchor_id, anchor_rating=board.anchor_rating, controls_style=board.controls_style
        )
        for name, choices in words.CHOICES.items():
            self.fields[name].choices = choices  # type: ignore[attr-defined]
        if Battle.objects.filter(arena=self.instance).exists():
            self.fields["kind"].disabled = True
        for field in self.fields.values():
            field.disabled |= not may_change

    def clean_anchor_rating(self) -> float:
        given = self.cleaned_data["anchor_rating"]
        return MEAN_RATING if given is None else float(given)

    def arena_changes(self) -> dict[str, Any]:
        """The arena's own settings that differ from what is stored."""
        return {name: self.cleaned_data[name] for name in self.changed_data if name in self.Meta.fields}

    def board_values(self) -> dict[str, Any]:
        """What the board is told."""
        return {name: self.cleaned_data[name] for name in ("anchor", "anchor_rating", "controls_style")}

    def groups(self) -> list[tuple[str, str, list[forms.BoundField]]]:
        """The fields as they stand on the page: an id, a heading, and the fields below it."""
        return [(key, str(heading), [self[name] for name in names]) for key, heading, names in words.GROUPS]


def new_arena_settings(cleaned: dict[str, Any]) -> dict[str, Any]:
    """What `arenas.add_arena` is told."""
    return {**cleaned, "slug": arenas.free_slug(cleaned["title"]), "reveal": arenas.default_reveal(cleaned["kind"])}
