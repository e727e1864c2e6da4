"""Objective checks on the board: by competitor and check the share that passed, with Wilson's interval.

Counted like service figures and beside the votes: it moves no rating. Taken as published by `verify`, for answers are
checked in the background and again when an operator asks for something else.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Count, QuerySet
from django.utils.translation import gettext_lazy as _

from arena.battles.models import CheckedAnswer
from arena.leaderboards.counting import Cutoffs, latest_answers
from arena.prompts.checks.running import ALWAYS
from arena.prompts.checks.specs import KINDS
from arena.teams.models import Arena

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

PREFIX = "check_"
ENDS = ("", "_lower", "_upper", "_answers")
"""Columns of a check: the share that passed, its interval, and of how many answers it is known."""
NAMES = (*ALWAYS, *KINDS)
"""In the order of the columns."""
SAID = {
    "not_empty": _("Not empty"),
    "no_refusal": _("No refusal"),
    "not_cut_off": _("Not cut off"),
    "json": _("Is JSON"),
    "json_schema": _("Fits the schema"),
    "regex": _("Fits the pattern"),
    "contains": _("Contains"),
    "not_contains": _("Leaves out"),
    "max_words": _("Short enough"),
    "language": _("Language"),
}
"""What passing is called, by check."""
Counts = dict[str, Counter[bool]]
"""By check: how many answers passed, and how many failed."""


def load_checks(arena: Arena, limits: Cutoffs, labels: Mapping[int, str]) -> dict[str, dict[str, Any]]:
    """The columns of each competitor by its label, alike for all; none for checks of which nothing is known.

    All recorded answers of the arena; live answers of battles that may be told, the latest ones.
    """
    counts: dict[int, Counts] = defaultdict(lambda: defaultdict(Counter))
    recorded = CheckedAnswer.objects.filter(recorded_answer__prompt__prompt_set__arena=arena)
    _count(counts, recorded, "recorded_answer__competitor_id")
    live = CheckedAnswer.objects.filter(response__in=latest_answers(arena, limits))
    _count(counts, live, "response__competitor_id")
    names = [name for name in NAMES if any(counts[pk][name] for pk in labels)]
    return {
        label: {key: value for name in names for key, value in _columns(name, counts[pk][name])}
        for pk, label in labels.items()
    }


def checked_since(arena: Arena, moment: datetime) -> QuerySet[CheckedAnswer]:
    """Findings on recorded answers later than this. Those on live ones come with their votes."""
    return CheckedAnswer.objects.filter(checked_at__gt=moment, recorded_answer__prompt__prompt_set__arena=arena)


def _count(counts: dict[int, Counts], checked: QuerySet[CheckedAnswer], competitor: str) -> None:
    """The database groups: few kinds of results are found however many answers there are."""
    rows = checked.values_list(competitor, "results").annotate(answers=Count("id")).order_by()
    for pk, results, answers in rows:
        for name, passed in results.items():
            if passed is not None:
                counts[pk][name][passed] += answers


def _columns(name: str, counted: Counter[bool]) -> list[tuple[str, Any]]:
    from ratings.attention import wilson_interval

    total = counted.total()
    values: list[Any] = [None, None, None, None]
    if total:
        bounds = wilson_interval(counted[True], total)
        values = [*(round(float(value), 6) for value in (counted[True] / total, *bounds)), total]
    return [(f"{PREFIX}{name}{end}", value) for end, value in zip(ENDS, values, strict=True)]


def as_published(row: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of checks of a board's row."""
    return {name: value for name, value in row.items() if name.startswith(PREFIX)}


@dataclass(frozen=True, slots=True)
class Share:
    """The share of a competitor's answers that passed one check, in per cent."""

    percent: float
    lower: float
    upper: float
    answers: int


@dataclass(frozen=True, slots=True)
class CheckTable:
    """Checks by competitor, in the board's order; None where nothing is known."""

    names: list[str]
    said: list[_StrPromise]
    rows: list[tuple[str, list[Share | None]]]


def table_of(rows: Sequence[Mapping[str, Any]]) -> CheckTable | None:
    """The table of a published board; None where it knows of no check."""
    names = [name for name in NAMES if any(row.get(f"{PREFIX}{name}") is not None for row in rows)]
    if not names:
        return None
    return CheckTable(
        names,
        [SAID[name] for name in names],
        [(row["model_name"], [_share(row, name) for name in names]) for row in rows],
    )


def _share(row: Mapping[str, Any], name: str) -> Share | None:
    values: list[Any] = [row.get(f"{PREFIX}{name}{end}") for end in ENDS]
    if any(value is None for value in values):
        return None
    share, lower, upper, answers = values
    return Share(100 * share, 100 * lower, 100 * upper, answers)
