"""Runs the objective checks over new answers, and again over all whose checks changed; the only writer of findings.

The worker's business: telling languages loads numpy. Nothing of it reaches a voter before the vote; boards count it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from arena.battles.models import CheckedAnswer, Response
from arena.battles.words import BattleState
from arena.prompts.checks.running import RULES, Results, run
from arena.prompts.checks.specs import Spec, combined, digest
from arena.prompts.models import Prompt, RecordedAnswer

log = logging.getLogger(__name__)
PAGE = 500
"""Answers that are looked through at a time; only those that are due are read."""
BATCH = 300
"""Answers that are checked at a time, in about a second."""
FOUND = ("specification", "results", "checked_at")


@dataclass(frozen=True, slots=True)
class Due:
    """An answer to check, by its id."""

    pk: int
    spec: Spec
    specification: str


class Checker:
    """Goes round all answers, a page at each look, and looks at the latest each time.

    It remembers its places in one process and keeps nothing elsewhere: whatever is missed, by a restart or by a row
    that was committed late, is found on the next round. Two at once check twice what one would have, and no more.
    """

    def __init__(self) -> None:
        self._places = {"recorded_answer": 0, "response": 0}

    def look(self, *, now: datetime) -> int:
        """Checks up to `BATCH` recorded answers and as many live ones; says how many it checked."""
        return sum(self._look(kind, now=now) for kind in self._places)

    def _look(self, kind: str, *, now: datetime) -> int:
        ids = _every(kind).values_list("pk", flat=True)
        top = ids.order_by("-pk").first() or 0
        latest = ids.order_by("-pk")[PAGE : PAGE + 1].first() or 0  # the last one before the latest
        due = due_in(kind, latest, top)[:BATCH]
        place = self._places[kind] if self._places[kind] < latest else 0
        if len(due) < BATCH and place < latest:
            end = ids.filter(pk__gt=place, pk__lte=latest).order_by("pk")[PAGE - 1 : PAGE].first() or latest
            page, room = due_in(kind, place, end), BATCH - len(due)
            due += page[:room]
            self._places[kind] = end if len(page) <= room else place
        _check(kind, due, now=now)
        return len(due)


def due_in(kind: str, above: int, through: int) -> list[Due]:
    """Answers among these ids that were not checked, or not for what is now asked of their prompt."""
    rows = _rows(kind).filter(pk__gt=above, pk__lte=through).order_by("pk")
    path = "prompt_id" if kind == "recorded_answer" else "turn__battle__prompt_id"
    found = list(rows.values_list("pk", path, "checked__specification"))
    asked = _asked({prompt for _pk, prompt, _done in found if prompt is not None})
    nothing: Spec = {}
    none = specification_of(nothing)
    due = []
    for pk, prompt, done in found:
        spec, name = asked[prompt] if prompt is not None else (nothing, none)
        if done != name:
            due.append(Due(pk, spec, name))
    return due


def specification_of(spec: Spec) -> str:
    """Names what is checked and the rules it is checked by."""
    return digest({"rules": RULES, "checks": spec})


def _every(kind: str) -> QuerySet[Any]:
    return RecordedAnswer.objects.all() if kind == "recorded_answer" else Response.objects.all()


def _rows(kind: str) -> QuerySet[Any]:
    """Recorded answers; or live ones of complete battles of our own. Those whose text went with its voter stay out."""
    if kind == "recorded_answer":
        return RecordedAnswer.objects.all()
    live = Response.objects.filter(recorded_answer__isnull=True, turn__battle__is_imported=False)
    return live.filter(turn__battle__state=BattleState.COMPLETE).exclude(text="")


def _asked(prompts: set[int]) -> Mapping[int, tuple[Spec, str]]:
    """What is checked of the answers to these prompts, with its name."""
    specs: dict[int, tuple[Spec, str]] = {}
    columns = ("pk", "checks", "prompt_set__checks")
    for some in _portions(sorted(prompts)):
        for pk, own, of_set in Prompt.objects.filter(pk__in=some).values_list(*columns):
            spec = combined(of_set, own)
            specs[pk] = spec, specification_of(spec)
    return specs


def _portions(ids: list[int]) -> Iterator[list[int]]:
    """SQLite binds a bounded number of values."""
    for start in range(0, len(ids), 500):
        yield ids[start : start + 500]


def _check(kind: str, due: list[Due], *, now: datetime) -> None:
    texts = _texts(kind, [one.pk for one in due])
    found = [
        CheckedAnswer(
            **{f"{kind}_id": one.pk}, specification=one.specification, checked_at=now,
            results=_found(kind, one, *texts[one.pk]),
        )
        for one in due
    ]  # fmt: skip
    CheckedAnswer.objects.bulk_create(found, update_conflicts=True, unique_fields=[kind], update_fields=FOUND)


def _texts(kind: str, ids: list[int]) -> dict[int, tuple[str, str]]:
    """Text and finish reason by id; nobody keeps why a recorded answer ended."""
    rows = _every(kind).filter(pk__in=ids)
    if kind == "recorded_answer":
        return {pk: (text, "") for pk, text in rows.values_list("pk", "text")}
    return {pk: (text, reason) for pk, text, reason in rows.values_list("pk", "text", "finish_reason")}


def _found(kind: str, one: Due, text: str, finish_reason: str) -> Results:
    """The results. A check that breaks says nothing of this answer, and keeps no other from being checked."""
    try:
        results = run(text, one.spec, finish_reason=finish_reason)
    except Exception:
        log.exception("The checks of %s %d broke.", kind, one.pk)
        return {}
    if kind == "response":
        del results["not_empty"]  # an empty live answer is an error, and counted as one
    return results
