"""Runs of prompt sets: started, claimed, kept alive, ended. The only writer of `GenerationRun`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import F, Q, QuerySet

from arena.competitors.models import Competitor
from arena.prompts.generation.errors import (
    AlreadyRunning,
    AtAnEnd,
    NoPrice,
    NothingMissing,
    NothingToAsk,
    OtherConditions,
)
from arena.prompts.models import GenerationRun, Prompt, PromptSet, RecordedAnswer
from arena.prompts.recording import hash_of
from arena.teams.models import Arena

SILENT_FOR = timedelta(seconds=20)
"""A run whose process has said nothing for so long is taken up by another."""
KEPT_FAILURES = 20
State = GenerationRun.State
GOING = (State.WAITING, State.RUNNING)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: answers that are there, of all that were wanted."""

    answered: int
    wanted: int

    @property
    def missing(self) -> int:
        return self.wanted - self.answered


def askable(arena: Arena) -> QuerySet[Competitor]:
    """The arena's competitors that have an endpoint and are not retired."""
    return Competitor.objects.filter(arena=arena, endpoint__isnull=False, retired_at__isnull=True)


def start(
    prompt_set: PromptSet,
    competitors: Sequence[Competitor],
    *,
    now: datetime,
    user: AbstractBaseUser | None = None,
    concurrency: int = 2,
    attempts: int = 3,
    budget: float | None = None,
) -> GenerationRun:
    """Put a run into the worker's hands. It asks only for what is missing, so a second run completes a first one.

    Raises NothingToAsk, NothingMissing, NoPrice, OtherConditions, AlreadyRunning; ValidationError where a number is
    not allowed.
    """
    if not competitors:
        raise NothingToAsk(prompt_set.name)
    for competitor in competitors:
        _check_competitor(competitor, with_price=budget is not None)
    run = GenerationRun(
        prompt_set=prompt_set, started_by_id=user.pk if user else None, concurrency=concurrency, attempts=attempts,
        budget=budget, created_at=now,
    )  # fmt: skip
    run.full_clean(exclude=["started_by"])
    with transaction.atomic():
        PromptSet.objects.select_for_update().get(pk=prompt_set.pk)
        if GenerationRun.objects.filter(prompt_set=prompt_set, state__in=GOING).exists():
            raise AlreadyRunning(prompt_set.name)
        run.save()
        run.competitors.set(competitors)
        if not progress(run).missing:
            raise NothingMissing(prompt_set.name)
    return run


def _check_competitor(competitor: Competitor, *, with_price: bool) -> None:
    if competitor.endpoint_id is None or competitor.retired_at is not None:
        raise NothingToAsk(competitor.label)
    if with_price and (competitor.price_in is None or competitor.price_out is None):
        raise NoPrice(competitor.label)
    before = RecordedAnswer.objects.filter(competitor=competitor).values_list("conditions_hash", flat=True).first()
    if before is not None and before != hash_of(conditions_of(competitor), competitor.revision):
        raise OtherConditions(competitor.label)


def conditions_of(competitor: Competitor) -> dict[str, Any]:
    """The manifest under which a competitor answers here: its own settings, and nothing of the run."""
    return {
        "model_id": competitor.model_id,
        "system_prompt": competitor.system_prompt,
        "temperature": competitor.temperature,
        "top_p": competitor.top_p,
        "max_tokens": competitor.max_tokens,
        "stop": competitor.stop,
        "extra_body": competitor.extra_body,
    }


def stop(run: GenerationRun, *, now: datetime) -> None:
    """Ask for nothing more; answers that are under way are still stored. Raises AtAnEnd."""
    if not GenerationRun.objects.filter(pk=run.pk, state__in=GOING).update(state=State.STOPPED, ended_at=now):
        run.refresh_from_db()
        raise AtAnEnd(run.get_state_display())


def prompts_of(run: GenerationRun) -> QuerySet[Prompt]:
    """The prompts that are in service."""
    return Prompt.objects.filter(prompt_set=run.prompt_set_id, retired_at__isnull=True)


def missing(run: GenerationRun) -> list[tuple[Prompt, Competitor]]:
    """What nobody has answered yet, prompt by prompt, so that each prompt is soon complete."""
    competitors = list(run.competitors.select_related("endpoint").order_by("pk"))
    there = set(_answered(run).values_list("prompt_id", "competitor_id"))
    return [
        (prompt, competitor)
        for prompt in prompts_of(run).order_by("key")
        for competitor in competitors
        if (prompt.pk, competitor.pk) not in there
    ]


def progress(run: GenerationRun) -> Progress:
    """How far the run is, told from the answers themselves."""
    return Progress(_answered(run).count(), prompts_of(run).count() * run.competitors.count())


def _answered(run: GenerationRun) -> QuerySet[RecordedAnswer]:
    return RecordedAnswer.objects.filter(prompt__in=prompts_of(run), competitor__in=run.competitors.all(), turn=1)


def claim(*, now: datetime) -> GenerationRun | None:
    """The next run that waits, or whose process fell silent; it is this process's from now on."""
    due = Q(state=State.WAITING) | Q(state=State.RUNNING, alive_at__lt=now - SILENT_FOR)
    for run in GenerationRun.objects.filter(due).select_related("prompt_set__arena").order_by("pk"):
        taken = GenerationRun.objects.filter(due, pk=run.pk).update(state=State.RUNNING, alive_at=now)
        if taken:
            run.state, run.alive_at = State.RUNNING, now
            return run
    return None


def keep_alive(run: GenerationRun, *, now: datetime) -> bool:
    """A sign of life; False when the run was stopped meanwhile."""
    return bool(GenerationRun.objects.filter(pk=run.pk, state=State.RUNNING).update(alive_at=now))


def spend(run: GenerationRun, amount: float) -> None:
    """Add to what the run has cost."""
    if amount:
        GenerationRun.objects.filter(pk=run.pk).update(spent=F("spent") + amount)


def note_failure(run: GenerationRun, prompt: Prompt, competitor: Competitor, says: str) -> None:
    """Keep what went wrong, the last of it."""
    with transaction.atomic():
        stored = GenerationRun.objects.select_for_update().get(pk=run.pk)
        failures = [*stored.failures, {"prompt": prompt.key, "competitor": competitor.label, "says": says}]
        GenerationRun.objects.filter(pk=run.pk).update(failures=failures[-KEPT_FAILURES:])


def end(run: GenerationRun, state: GenerationRun.State, *, now: datetime) -> None:
    """Say how a run ended, unless it was stopped by hand. WAITING gives it back to the next worker."""
    ended = None if state == State.WAITING else now
    GenerationRun.objects.filter(pk=run.pk, state=State.RUNNING).update(state=state, ended_at=ended, alive_at=None)
