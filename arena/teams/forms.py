"""What people fill in here."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from allauth.core import context
from django import forms
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from arena.teams import api_tokens, voters
from arena.teams.models import Arena, Invitation, Membership, Role


class StyledForm(forms.Form):
    """A form in our look: every field full width, each error beside its field."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if not isinstance(field.widget, forms.CheckboxInput | forms.CheckboxSelectMultiple | forms.RadioSelect):
                field.widget.attrs.setdefault("class", "field")


class JoinForm(StyledForm):
    """What a new member is asked."""

    display_name = forms.CharField(
        label=_("Your name"), max_length=80, help_text=_("Only those who run the arena see it.")
    )
    affiliation = forms.CharField(
        label=_("Do you work for somebody who makes language models? (optional)"),
        max_length=120,
        required=False,
        help_text=_("Their name. You will not be shown answers of their models, so that nobody judges their own."),
    )

    def __init__(self, *args: Any, invitation: Invitation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not invitation.asks_name:
            del self.fields["display_name"]


class ProfileForm(StyledForm):
    """What a voter may change about themselves."""

    display_name = forms.CharField(
        label=_("Your name"), max_length=80, required=False, help_text=_("Only those who run the arena see it.")
    )
    affiliation = forms.CharField(
        label=_("Do you work for somebody who makes language models?"),
        max_length=120,
        required=False,
        help_text=_("Their name, or nothing. It holds in every arena here, from your next battle on."),
    )


class SetupForm(StyledForm):
    """An operator of the instance chooses a password; the first one gives an address too."""

    email = forms.EmailField(
        label=_("Your e-mail address"), widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )
    password = forms.CharField(
        label=_("Password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least ten characters."),
        strip=False,
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if email:
            self.fields["email"].initial = email
            self.fields["email"].disabled = True

    def clean_password(self) -> str:
        """Raises ValidationError for one that is easily guessed."""
        password: str = self.cleaned_data["password"]
        validate_password(password)
        return password


class SignUpForm(forms.Form):
    """What we ask beside e-mail and password; the account library puts its own fields to it."""

    keep_votes = forms.BooleanField(
        label=_("Keep the votes and invitations of this browser"), initial=True, required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        request = context.request
        if request is None or voters.voter_of(request) is None:
            del self.fields["keep_votes"]

    def signup(self, request: HttpRequest, user: User) -> None:
        """Called when the account is made."""
        if self.cleaned_data.get("keep_votes"):
            voters.adopt(request, user)


LASTS = [("1", _("1 day")), ("7", _("7 days")), ("30", _("30 days")), ("", _("until it is withdrawn"))]


class InviteForm(StyledForm):
    """A new link."""

    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, initial=Role.VOTER)
    cohort = forms.CharField(
        label=_("Cohort (optional)"), max_length=40, required=False, help_text=_("Such as experts or customers.")
    )
    max_uses = forms.IntegerField(
        label=_("For how many people (optional)"), min_value=1, max_value=1_000_000, required=False
    )
    lasts = forms.ChoiceField(label=_("Good for"), choices=LASTS, initial="7", required=False)
    note = forms.CharField(
        label=_("For whom (optional)"), max_length=80, required=False, help_text=_("So that you know it again.")
    )
    asks_name = forms.BooleanField(label=_("Ask for a name"), initial=True, required=False)

    def settings(self, *, now: datetime) -> dict[str, Any]:
        """What `invitations.invite` takes."""
        given = dict(self.cleaned_data)
        days = given.pop("lasts")
        return {**given, "expires_at": now + timedelta(days=int(days)) if days else None}


TOKENS_LAST = [("7", _("7 days")), ("30", _("30 days")), ("90", _("90 days")), ("365", _("a year"))]


class TokenForm(StyledForm):
    """A new API token."""

    name = forms.CharField(label=_("What for"), max_length=80, help_text=_("So that you know it again."))
    scopes = forms.MultipleChoiceField(
        label=_("It may"), choices=api_tokens.Scope.choices, widget=forms.CheckboxSelectMultiple, initial=["read"]
    )
    arena = forms.ModelChoiceField(
        label=_("Where"), queryset=Arena.objects.none(), required=False, empty_label=_("in every arena of mine")
    )
    days = forms.ChoiceField(label=_("Good for"), choices=TOKENS_LAST, initial="90")

    def __init__(self, *args: Any, arenas: QuerySet[Arena], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["arena"].queryset = arenas  # type: ignore[attr-defined]


class MemberForm(StyledForm):
    """A member's place."""

    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)
    cohort = forms.CharField(label=_("Cohort"), max_length=40, required=False)

    @classmethod
    def of(cls, member: Membership) -> MemberForm:
        """Filled with what holds now; several stand on one page."""
        values = {"role": member.role, "cohort": member.cohort}
        return cls(initial=values, auto_id=f"id_%s_{member.pk}")
