"""Endpoints and competitors are added: checked as a form would check them, and under names not yet taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from math import isfinite
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from arena.competitors.health import LOCAL_MODEL, put_back
from arena.competitors.local import LOCAL_COMPETITORS
from arena.competitors.models import Competitor, Endpoint
from arena.teams.models import Arena

# What a request says of itself; an extra body that said it again would contradict the competitor's description.
OWN_FIELDS = {"model", "messages", "stream", "temperature", "top_p", "max_tokens", "stop", "n"}


LOCAL_NAME = "Local model"
WHERE_TO = ("base_url", "key_env")


class NameTaken(Exception):
    """An endpoint or a competitor of this name is there already."""

    def __init__(self, what: str, name: str, advice: str) -> None:
        self.name = name
        super().__init__(f"There is {what} {name} already. {advice}")


class BadAddress(Exception):
    """A base URL cannot be asked."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        super().__init__(
            f"{base_url!r} is no address of an endpoint. Use http://host:port/v1, up to and without "
            f"/chat/completions and without user or key, or the word {LOCAL_MODEL}."
        )


def add_endpoint(name: str, *, base_url: str, key_env: str = "", **timeouts: float) -> Endpoint:
    """Store a new endpoint. Raises NameTaken, BadAddress, and ValidationError where a value is not allowed."""
    if Endpoint.objects.filter(name=name).exists():
        raise NameTaken("an endpoint", name, "Change it in the console, or give another name.")
    endpoint = Endpoint(name=name, base_url=checked_address(base_url), key_env=key_env, **timeouts)
    check_finite(endpoint)
    endpoint.full_clean()
    endpoint.save()
    return endpoint


def change_endpoint(endpoint: Endpoint, **changes: Any) -> Endpoint:
    """Change an endpoint; one that has another address or key now is back in the draw.

    Raises NameTaken, BadAddress, and ValidationError where a value is not allowed.
    """
    name = changes.get("name", endpoint.name)
    if Endpoint.objects.filter(name=name).exclude(pk=endpoint.pk).exists():
        raise NameTaken("an endpoint", name, "Give another name.")
    if "base_url" in changes:
        changes["base_url"] = checked_address(changes["base_url"])
    stored = Endpoint.objects.get(pk=endpoint.pk)
    leads_elsewhere = any(getattr(stored, field) != changes.get(field, getattr(stored, field)) for field in WHERE_TO)
    for field, value in changes.items():
        setattr(stored, field, value)
    check_finite(stored)
    stored.full_clean()
    if changes:
        stored.save(update_fields=list(changes))
    if leads_elsewhere:
        put_back([stored.pk])
    return stored


def local_endpoint() -> Endpoint:
    """The endpoint that stands for the model that comes with Blindfold, made if there is none."""
    known = Endpoint.objects.filter(base_url=LOCAL_MODEL).order_by("pk").first()
    if known is not None:
        return known
    taken = Endpoint.objects.filter(name=LOCAL_NAME).exists()
    return add_endpoint(f"{LOCAL_NAME} ({LOCAL_MODEL})" if taken else LOCAL_NAME, base_url=LOCAL_MODEL)


def add_local_competitors(arena: Arena) -> list[Competitor]:
    """The local model's competitors, without those whose names are there already; says which are new."""
    endpoint = local_endpoint()
    known = set(Competitor.objects.filter(arena=arena).values_list("name", flat=True))
    settings = [asdict(local) for local in LOCAL_COMPETITORS]
    return [
        ensure_competitor(one.pop("name"), arena=arena, endpoint=endpoint, **one)
        for one in settings
        if one["name"] not in known
    ]


def add_competitor(name: str, *, arena: Arena, **settings: Any) -> Competitor:
    """Store a new competitor. Raises NameTaken, and ValidationError where a value is not allowed."""
    if Competitor.objects.filter(arena=arena, name=name).exists():
        advice = "Give another name, or change that one in the console: once it has answered that makes a new version."
        raise NameTaken("a competitor", f"{name} in {arena.slug}", advice)
    return save_new(Competitor(arena=arena, name=name, **settings))


def save_new(competitor: Competitor) -> Competitor:
    """Check and store a competitor made elsewhere. Raises ValidationError."""
    _check(competitor)
    competitor.save()
    return competitor


def save_changed(competitor: Competitor, fields: Iterable[str]) -> Competitor:
    """Check a competitor that is there and store these fields of it. Raises ValidationError, CompetitorSealed."""
    _check(competitor)
    competitor.save(update_fields=list(fields))
    return competitor


def _check(competitor: Competitor) -> None:
    check_finite(competitor)
    competitor.full_clean()
    check_lists({"stop": competitor.stop, "extra_body": competitor.extra_body})


def ensure_competitor(name: str, *, arena: Arena, **settings: Any) -> Competitor:
    """The competitor of this name, made if there is none; one that is there keeps its settings."""
    known = Competitor.objects.filter(arena=arena, name=name).order_by("version").first()
    if known is not None:
        return known
    try:
        with transaction.atomic():
            return save_new(Competitor(arena=arena, name=name, **settings))
    except IntegrityError:  # another process was faster
        return Competitor.objects.filter(arena=arena, name=name).order_by("version")[0]


def check_finite(row: Endpoint | Competitor) -> None:
    """Raises ValidationError for NaN and infinity: bounds let NaN pass, and no JSON can say either."""
    for field in row._meta.fields:
        value = getattr(row, field.attname)
        if isinstance(value, float) and not isfinite(value):
            raise ValidationError({field.name: f"{value} is no number. Write one with digits."})


def check_lists(settings: Mapping[str, Any]) -> None:
    """Raises ValidationError unless `stop` is a list of texts and `extra_body` an object beside them."""
    stop, extra = settings.get("stop") or [], settings.get("extra_body") or {}
    if not isinstance(stop, list) or not all(isinstance(text, str) and text for text in stop):
        raise ValidationError({"stop": f'{stop!r} is no list of texts. Write ["END"].'})
    if not isinstance(extra, dict):
        raise ValidationError({"extra_body": f'{extra!r} is no object. Write {{"seed": 1}}.'})
    # A null takes a field out of the request, for endpoints that refuse it: that contradicts nothing.
    taken = sorted(name for name, value in extra.items() if name in OWN_FIELDS and value is not None)
    if taken:
        raise ValidationError(
            {"extra_body": f"{', '.join(taken)}: set by the competitor's own settings. Leave it out."}
        )


def checked_address(base_url: str) -> str:
    """The address without a closing slash. Raises BadAddress: a key in the address would be stored and shown."""
    base_url = base_url.strip().rstrip("/")
    if base_url == LOCAL_MODEL:
        return base_url
    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise BadAddress(base_url) from None
    is_plain = parts.scheme in ("http", "https") and host and not parts.query and not parts.fragment
    if parts.username or parts.password:
        raise BadAddress(base_url.replace(parts.netloc, f"[hidden]@{host}"))
    if not is_plain or base_url.endswith("/chat/completions"):
        raise BadAddress(base_url)
    return base_url
