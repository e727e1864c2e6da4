"""From a stored endpoint to one that can be asked: its address and key, a provider, and whether an arena is ready."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from arena.competitors.health import LOCAL_MODEL, healthy_filter, local_model_missing
from arena.competitors.models import Competitor, Endpoint
from arena.competitors.providers import (
    Cleaner,
    Delta,
    EndpointAddress,
    Finish,
    GenerationSettings,
    Message,
    OpenAICompatibleProvider,
    Provider,
    ProviderError,
    Timeouts,
    close_shared_clients,
    offered_models,
)
from arena.teams.arenas import is_closed
from arena.teams.models import Arena

TRIAL_PROMPT = "Say in one sentence what you are good at."
TRIAL_TOKENS = 200
TRIAL_SECONDS = 120.0
"""However patient an endpoint's own limits are: somebody waits for the page."""
_trials = threading.BoundedSemaphore(2)
"""Each trial keeps one of the few places that pages are worked on in."""


class KeyMissing(Exception):
    """The environment variable that should hold an endpoint's key is not set."""

    def __init__(self, endpoint: str, key_env: str) -> None:
        self.endpoint, self.key_env = endpoint, key_env
        super().__init__(
            f"The endpoint {endpoint} takes its key from {key_env}, which is not set. "
            "Set it where the server runs, and restart the server."
        )


class LocalModelMissing(Exception):
    """The model that comes with Blindfold is not running."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"The local model cannot be asked. {reason}")


class UnknownEndpoint(Exception):
    """No endpoint has this name."""

    def __init__(self, name: str) -> None:
        self.name = name
        known = ", ".join(Endpoint.objects.order_by("name").values_list("name", flat=True))
        super().__init__(f"There is no endpoint {name!r}. Known: {known or 'none yet: make one with add_endpoint'}.")


class NothingToAsk(Exception):
    """A competitor without an endpoint was to answer live."""

    def __init__(self, label: str) -> None:
        self.label = label
        super().__init__(f"{label} has recorded answers only. Give it an endpoint, in a new version.")


@dataclass(frozen=True, slots=True)
class TrialResult:
    """How one answer went, in an operator's words."""

    text: str = ""
    error_code: str = ""
    error_detail: str = ""
    first_token_ms: float | None = None
    total_ms: float | None = None
    output_tokens: int | None = None

    @property
    def failed(self) -> bool:
        return bool(self.error_code)

    @property
    def tokens_per_second(self) -> float | None:
        """After the first token, which waits for the prompt to be read; None where nothing was counted."""
        if not self.output_tokens or self.first_token_ms is None or self.total_ms is None:
            return None
        writing = self.total_ms - self.first_token_ms
        return round((self.output_tokens - 1) / writing * 1000, 1) if writing > 0 and self.output_tokens > 1 else None

    def figures(self) -> str:
        """One line: first token, whole answer, speed."""
        said = [f"first token after {self.first_token_ms:.0f} ms"] if self.first_token_ms is not None else []
        said += [f"whole answer after {self.total_ms:.0f} ms"] if self.total_ms is not None else []
        said += [f"{self.tokens_per_second} tokens/s"] if self.tokens_per_second is not None else []
        return ", ".join(said)


@dataclass(frozen=True, slots=True)
class Offer:
    """The models that an endpoint names, or in an operator's words why it named none."""

    models: tuple[str, ...] = ()
    error_detail: str = ""


def endpoint_named(name: str) -> Endpoint:
    """The endpoint of this name, for operators. Raises UnknownEndpoint, which lists those there are."""
    endpoint = Endpoint.objects.filter(name=name).first()
    if endpoint is None:
        raise UnknownEndpoint(name)
    return endpoint


def why_closed(arena: Arena, now: datetime) -> str:
    """Why nobody can open a battle here, in a sentence that names no competitor; "" when the arena is ready.

    Voters read it, so which endpoint or key is the matter stays with the operator, in the console.
    """
    if arena.archived_at is not None:
        return _("This arena is archived. Its board can still be read.")
    if is_closed(arena, now=now):
        return _("This arena is closed to votes. Thank you to everybody who judged here.")
    if arena.is_simulated:
        return _("The votes of this arena are simulated, so nobody votes here.")
    here = Competitor.objects.filter(arena=arena, retired_at__isnull=True)
    if arena.kind != Arena.Kind.LIVE and _have_recorded_answers(here):
        return ""
    if arena.kind == Arena.Kind.RECORDED:
        return _too_few()
    if here.filter(healthy_filter(now))[:2].count() == 2:
        return ""
    with_endpoint = list(here.filter(endpoint__isnull=False).select_related("endpoint"))
    return _why_resting(with_endpoint, now)


def _have_recorded_answers(here: QuerySet[Competitor]) -> bool:
    """Whether two of them answered prompts that are in service: competitors alone serve nobody."""
    answered = here.filter(recorded_answers__isnull=False, recorded_answers__prompt__retired_at__isnull=True)
    return answered.order_by().distinct()[:2].count() == 2


def _too_few() -> str:
    return _("Fewer than two competitors can answer here. Whoever runs this arena adds them in the console.")


def _why_resting(rows: Sequence[Competitor], now: datetime) -> str:
    asked = [row.endpoint for row in rows if row.endpoint is not None]
    if len(asked) < 2:
        return _too_few()
    missing = local_model_missing()
    if missing and any(endpoint.base_url == LOCAL_MODEL for endpoint in asked):
        return _("The local model is not available: %(reason)s") % {"reason": missing}
    if any(endpoint.key_env and not os.environ.get(endpoint.key_env) for endpoint in asked):
        return _("An endpoint's key is not set. Whoever runs this arena sees in the console which.")
    out = [endpoint.out_until for endpoint in asked] + [row.out_until for row in rows]
    back = [until for until in out if until is not None and until > now]
    if not back:  # they came back between two queries
        return ""
    clock = timezone.localtime(min(back)).strftime("%H:%M:%S %Z")
    return _("Too few competitors answer at the moment. The next try is at %(clock)s.") % {"clock": clock}


def address_of(endpoint: Endpoint) -> EndpointAddress:
    """Where the endpoint is and the key to it. Raises KeyMissing, LocalModelMissing."""
    base_url = endpoint.base_url
    if base_url == LOCAL_MODEL:
        if missing := local_model_missing():
            raise LocalModelMissing(missing)
        base_url = settings.LOCAL_MODEL_URL
    key = os.environ.get(endpoint.key_env, "") if endpoint.key_env else ""
    if endpoint.key_env and not key:
        raise KeyMissing(endpoint.name, endpoint.key_env)
    return EndpointAddress(base_url, key)


def timeouts(endpoint: Endpoint) -> Timeouts:
    """How long the endpoint is waited for."""
    return Timeouts(endpoint.first_token_seconds, endpoint.between_tokens_seconds, endpoint.total_seconds)


def generation_settings(competitor: Competitor) -> GenerationSettings:
    """The competitor's settings as a provider takes them; its system prompt is the conversation's first message."""
    return GenerationSettings(
        model=competitor.model_id,
        temperature=competitor.temperature,
        top_p=competitor.top_p,
        max_tokens=competitor.max_tokens,
        stop=tuple(competitor.stop),
        extra_body=competitor.extra_body,
    )


def provider_for(competitor: Competitor) -> Provider:
    """The way to this competitor's answers. Raises NothingToAsk, KeyMissing, LocalModelMissing."""
    if competitor.endpoint is None:
        raise NothingToAsk(competitor.label)
    return OpenAICompatibleProvider(address_of(competitor.endpoint), timeouts(competitor.endpoint))


def try_endpoint(
    asked: Endpoint | Competitor, *, model_id: str = "", prompt: str = TRIAL_PROMPT, provider: Provider | None = None
) -> TrialResult:
    """Stream one answer and say how it went; stores nothing and raises nothing. Not for use inside an event loop.

    A competitor is asked under its own settings, an endpoint for `model_id`. `provider` replaces the way there.
    """
    messages = [Message("user", prompt)]
    if isinstance(asked, Competitor):
        settings = generation_settings(asked)
        if asked.system_prompt:
            messages.insert(0, Message("system", asked.system_prompt))
    else:
        settings = GenerationSettings(model=model_id, max_tokens=TRIAL_TOKENS)
    try:
        provider = provider or _provider_of(asked)
    except (KeyMissing, LocalModelMissing, NothingToAsk) as error:
        return TrialResult(error_code="not_asked", error_detail=str(error))
    if not _trials.acquire(blocking=False):
        return TrialResult(error_code="not_asked", error_detail=_busy())
    try:
        return asyncio.run(_trial(provider, messages, settings))
    finally:
        _trials.release()


def look_up_models(endpoint: Endpoint) -> Offer:
    """Which models the endpoint says that it offers; stores nothing and raises nothing. Not for use inside a loop."""
    try:
        address = address_of(endpoint)
    except (KeyMissing, LocalModelMissing) as error:
        return Offer(error_detail=str(error))
    if not _trials.acquire(blocking=False):
        return Offer(error_detail=_busy())
    try:
        return Offer(models=tuple(asyncio.run(_offered(address))))
    except ProviderError as error:
        return Offer(error_detail=f"{error.code}: {error.detail}")
    finally:
        _trials.release()


async def _offered(address: EndpointAddress) -> list[str]:
    try:
        return await offered_models(address)
    finally:
        await close_shared_clients()  # this loop ends here, and its connections with it


def _busy() -> str:
    return _("Two others are being asked. Try again in a moment.")


def _provider_of(asked: Endpoint | Competitor) -> Provider:
    endpoint = asked.endpoint if isinstance(asked, Competitor) else asked
    if endpoint is None:
        raise NothingToAsk(str(asked))
    waits = replace(timeouts(endpoint), total=min(endpoint.total_seconds, TRIAL_SECONDS))
    return OpenAICompatibleProvider(address_of(endpoint), waits)


async def _trial(provider: Provider, messages: Sequence[Message], settings: GenerationSettings) -> TrialResult:
    began = time.monotonic()
    cleaner, pieces = Cleaner(), list[str]()
    first_token_ms: float | None = None
    finish: Finish | None = None
    try:
        async for event in provider.stream(messages, settings):
            if isinstance(event, Delta):
                first_token_ms = first_token_ms or (time.monotonic() - began) * 1000
                pieces.append(cleaner.feed(event.text))
            else:
                finish = event
    except ProviderError as error:
        return TrialResult(error_code=str(error.code), error_detail=error.detail)
    finally:
        await close_shared_clients()  # this loop ends here, and its connections with it
    text = "".join((*pieces, cleaner.finish()))
    return TrialResult(
        text=text,
        error_code="" if text.strip() else "empty",
        error_detail="" if text.strip() else "The answer holds no text.",
        first_token_ms=first_token_ms,
        total_ms=(time.monotonic() - began) * 1000,
        output_tokens=finish.output_tokens if finish else None,
    )
