"""The admin's pages over endpoints and competitors: try an endpoint, make a new version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from arena.competitors import catalogue, endpoints, health, versions
from arena.competitors.models import Competitor, Endpoint
from arena.teams.admin import RoomAdmin

# A competitor's words, which say nothing about how it answers, may be corrected after it has answered.
SETTINGS = (
    "arena", "name", "endpoint", "model_id", "revision", "system_prompt", "temperature", "top_p", "max_tokens",
    "stop", "extra_body",
)  # fmt: skip
WORDS = ("description", "organization", "license", "price_in", "price_out", "context_length")


if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Any]
else:  # Django's class takes no type arguments when the program runs
    ModelForm = forms.ModelForm


class EndpointForm(ModelForm):
    class Meta:
        model = Endpoint
        fields = ("name", "base_url", "key_env", "first_token_seconds", "between_tokens_seconds", "total_seconds")

    def clean_base_url(self) -> str:
        try:
            return catalogue.checked_address(self.cleaned_data["base_url"])
        except catalogue.BadAddress as error:
            raise ValidationError(str(error)) from error


class CompetitorForm(ModelForm):
    class Meta:
        model = Competitor
        fields: tuple[str, ...] = (*SETTINGS, *WORDS, "retired_at", "retired_reason")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        catalogue.check_lists(cleaned)
        if "retired_at" in self.fields and cleaned.get("retired_at") is None:
            self._in_service(cleaned)
        return cleaned

    def _in_service(self, cleaned: dict[str, Any]) -> None:
        """Bringing it back clears why it was out; one that was never out has no reason to give."""
        if cleaned.get("retired_reason") and self.initial.get("retired_at") is None:
            self.add_error("retired_reason", "It is in service. Say when it was retired, or leave the reason out.")
        cleaned["retired_reason"], self.instance.replaced_by = "", None


class RevisionForm(CompetitorForm):
    class Meta(CompetitorForm.Meta):
        fields = (*SETTINGS[2:], *WORDS)  # without the arena and the name, which a version is of


class TrialForm(forms.Form):
    model_id = forms.CharField(label="Model", max_length=200)
    prompt = forms.CharField(max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))


@admin.register(Endpoint)
class EndpointAdmin(RoomAdmin):
    form = EndpointForm
    list_display = ("name", "base_url", "key_env", "failures_in_a_row", "out_until", "last_failure")
    search_fields = ("name",)
    readonly_fields = ("failures_in_a_row", "out_until", "last_failure", "last_failure_at")
    actions = ("put_back",)
    change_form_template = "admin/competitors/endpoint/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.try_view)
        return [path("<int:pk>/try/", view, name="competitors_endpoint_try"), *super().get_urls()]

    @admin.action(description="Put the selected endpoints back in the draw", permissions=("change",))
    def put_back(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        count = health.put_back(list(queryset.values_list("pk", flat=True)))
        self.message_user(request, f"Back in the draw: {count}.")

    def try_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for one streamed answer and show how it went. A GET only shows the form: asking costs money."""
        return _try(self, request, _found(self, request, pk))


@admin.register(Competitor)
class CompetitorAdmin(RoomAdmin):
    form = CompetitorForm
    list_display = (
        "label",
        "arena",
        "endpoint",
        "model_id",
        "first_answered_at",
        "out_until",
        "retired_at",
        "retired_reason",
    )
    list_filter = ("arena", "endpoint")
    list_select_related = ("arena", "endpoint")
    search_fields = ("name", "model_id", "organization")
    readonly_fields = (
        "version", "created_at", "first_answered_at", "replaced_by", "out_until", "last_failure", "last_failure_at",
    )  # fmt: skip
    change_form_template = "admin/competitors/competitor/change_form.html"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*self.readonly_fields, *SETTINGS) if obj and obj.is_sealed else tuple(self.readonly_fields)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and obj.is_sealed)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.revise_view)
        return [path("<int:pk>/revise/", view, name="competitors_competitor_revise"), *super().get_urls()]

    def revise_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The competitor's settings in a form; sending it makes the next version and retires this one."""
        return _revise(self, request, _found(self, request, pk))


def _found(page: RoomAdmin, request: HttpRequest, pk: int) -> Any:
    row = page.get_object(request, str(pk))
    if row is None:
        raise Http404("There is nothing at this address any more.")
    if not page.has_change_permission(request, row):
        raise PermissionDenied
    return row


def _try(page: EndpointAdmin, request: HttpRequest, endpoint: Endpoint) -> HttpResponse:
    known = Competitor.objects.filter(endpoint=endpoint).order_by("-pk").values_list("model_id", flat=True).first()
    form = TrialForm(request.POST or None, initial={"model_id": known or "", "prompt": endpoints.TRIAL_PROMPT})
    result = None
    if request.method == "POST" and form.is_valid():
        result = endpoints.try_endpoint(endpoint, **form.cleaned_data)
    context = {"title": f"Try {endpoint.name}", "form": form, "result": result, **_place(page, request, endpoint)}
    return TemplateResponse(request, "admin/competitors/endpoint/try.html", context)


def _revise(page: CompetitorAdmin, request: HttpRequest, competitor: Competitor) -> HttpResponse:
    # The form writes into its instance; the one it is given must stay as it is stored.
    form = RevisionForm(request.POST or None, instance=Competitor.objects.get(pk=competitor.pk))
    if request.method == "POST" and form.is_valid():
        new = versions.revise(competitor, now=timezone.now(), **form.cleaned_data)
        page.log_addition(request, new, f"New version of {competitor.label}.")
        messages.success(request, f"Made {new.label} and retired {competitor.label}.")
        return HttpResponseRedirect(reverse("admin:competitors_competitor_change", args=[new.pk]))
    context = {"title": f"New version of {competitor.label}", "form": form, **_place(page, request, competitor)}
    return TemplateResponse(request, "admin/competitors/competitor/revise.html", context)


def _place(page: RoomAdmin, request: HttpRequest, row: Any) -> dict[str, Any]:
    return {**page.admin_site.each_context(request), "opts": page.model._meta, "original": row}
