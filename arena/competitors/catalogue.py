"""Endpoints and competitors are added: checked as a form would check them, and under names not yet taken."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from arena.competitors.health import LOCAL_MODEL
from arena.competitors.models import Competitor, Endpoint
from arena.teams.models import Arena

# What a request says of itself; an extra body that said it again would contradict the competitor's description.
OWN_FIELDS = {"model", "messages", "stream", "temperature", "top_p", "max_tokens", "stop", "n"}


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
        raise NameTaken("an endpoint", name, "Change it under /admin/, or give another name.")
    endpoint = Endpoint(name=name, base_url=checked_address(base_url), key_env=key_env, **timeouts)
    check_finite(endpoint)
    endpoint.full_clean()
    endpoint.save()
    return endpoint


def add_competitor(name: str, *, arena: Arena, **settings: Any) -> Competitor:
    """Store a new competitor. Raises NameTaken, and ValidationError where a value is not allowed."""
    if Competitor.objects.filter(arena=arena, name=name).exists():
        advice = "Give another name, or make a new version of it under /admin/."
        raise NameTaken("a competitor", f"{name} in {arena.slug}", advice)
    return save_new(Competitor(arena=arena, name=name, **settings))


def save_new(competitor: Competitor) -> Competitor:
    """Check and store a competitor made elsewhere. Raises ValidationError."""
    check_finite(competitor)
    competitor.full_clean()
    check_lists({"stop": competitor.stop, "extra_body": competitor.extra_body})
    competitor.save()
    return competitor


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
