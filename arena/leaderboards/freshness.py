"""Are competitors better on old prompts than on fresh ones? As of the last snapshot, for operators alone."""

from __future__ import annotations

import csv
import io
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache
from math import isfinite

from django.utils.translation import gettext as _

import ratings
from arena.leaderboards.models import Snapshot
from arena.leaderboards.prompt_records import snapshot_of, votes_on
from arena.leaderboards.reading import safe_cell
from arena.prompts.models import Prompt
from ratings.freshness import MIN_PROMPTS, MIN_VOTES, Freshness, old_against_fresh
from ratings.scale import MEAN_RATING

HEADER = (
    "model_name", "votes_old", "votes_fresh", "rating_old", "rating_fresh", "difference", "difference_lower",
    "difference_upper", "better_on_old",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """A competitor on both sides of the date, in points; None where nobody can tell."""

    name: str
    votes_old: int
    votes_fresh: int
    old: float | None
    fresh: float | None
    difference: float | None
    lower: float | None
    upper: float | None
    flagged: bool


@dataclass(frozen=True, slots=True)
class Found:
    """The rows, those flagged first and then the largest difference; and why there is none of them that tells.

    `since` is the first day whose prompts are fresh; None where prompts were all added on one day.
    """

    rows: tuple[Row, ...]
    since: date | None
    prompts_old: int
    prompts_fresh: int
    status: str
    scale: float = 1.0
    """How many times as far apart competitors lie on old prompts as on fresh ones."""

    @property
    def flagged(self) -> list[str]:
        """Names of those that are better on old prompts."""
        return [row.name for row in self.rows if row.flagged]


def compared(snapshot: Snapshot, *, set_id: int | None = None, since: date | None = None) -> Found:
    """Old prompts against fresh ones, of one set or of all, by a day or by the one that halves the judged prompts.

    A prompt is as old as its text, whenever it was served. Computed once a process for each question.
    """
    return _compared(snapshot.pk, snapshot.published_at, snapshot.data_sha256, set_id, since)


@lru_cache(maxsize=16)
def _compared(pk: int, published_at: datetime, data_sha256: str, set_id: int | None, since: date | None) -> Found:
    """A snapshot never changes; time and hash tell databases apart."""
    snapshot = snapshot_of(pk)
    prompts = Prompt.objects.filter(prompt_set__arena=snapshot.arena)
    if set_id is not None:
        prompts = prompts.filter(prompt_set=set_id)
    added = dict(prompts.values_list("pk", "created_at"))
    judged = votes_on(snapshot, prompts)
    asked = judged.prompt >= 0
    data, prompt = judged.data, judged.prompt[asked]
    voter = None if data.voter is None else data.voter[asked]
    data = ratings.comparisons(
        data.names, data.a[asked], data.b[asked], data.outcome[asked], voter=voter, weight=data.weight[asked]
    )
    day = since or halving_day([added[code].astimezone(UTC).date() for code in sorted(set(prompt.tolist()))])
    if day is None:
        return Found((), None, len(set(prompt.tolist())), 0, "one_day")
    start = datetime.combine(day, time.min, UTC)
    found = old_against_fresh(data, prompt, [added[code] < start for code in prompt.tolist()])
    rows = sorted(_rows(found), key=lambda row: (not row.flagged, row.difference is None, -(row.difference or 0)))
    return Found(tuple(rows), day, found.prompts_old, found.prompts_fresh, found.status, found.scale)


def halving_day(days: Sequence[date]) -> date | None:
    """The day from which prompts are fresh so that both sides have as many as can be; None where all are of one day."""
    ordered = sorted(days)
    starts = sorted(set(ordered))[1:]
    return min(starts, key=lambda day: abs(2 * bisect_left(ordered, day) - len(ordered)), default=None)


def _rows(found: Freshness) -> list[Row]:
    return [
        Row(
            name, round(found.votes_old[i]), round(found.votes_fresh[i]), _number(found.old[i] + MEAN_RATING),
            _number(found.fresh[i] + MEAN_RATING), _number(found.difference[i]), _number(found.lower[i]),
            _number(found.upper[i]), bool(found.flagged[i]),
        )
        for i, name in enumerate(found.names)
    ]  # fmt: skip


def _number(value: float) -> float | None:
    return float(value) if isfinite(value) else None


def sentence(found: Found) -> str:
    """What the page says first."""
    few = _("Each side needs %(prompts)d judged prompts, and a competitor %(votes)d votes on each. Here are %(old)d "
            "old prompts with votes and %(fresh)d fresh ones: nobody can tell yet.")  # fmt: skip
    counts = {"prompts": MIN_PROMPTS, "votes": round(MIN_VOTES), "old": found.prompts_old, "fresh": found.prompts_fresh}
    if found.status == "one_day":
        return _("All judged prompts were added on one day, so none is older than another. Add fresh ones, or give "
                 "their dates when you import them.")  # fmt: skip
    if found.status != "ok":
        return few % counts
    if not any(row.lower is not None for row in found.rows):
        return _("The votes come from too few voters or prompts to say how sure the differences are.")
    if found.flagged:
        says = _(
            "Surely better on old prompts than on fresh ones, against the same competitors: %(names)s. That is what a "
            "competitor looks like that has seen the old prompts before; other reasons are possible."
        )
        return says % {"names": ", ".join(found.flagged)}
    return _("No competitor is surely better on old prompts than on fresh ones.")


def csv_of(found: Found) -> str:
    """The same rows as a file; empty cells where nobody can tell."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEADER)
    for row in found.rows:
        figures = (row.old, row.fresh, row.difference, row.lower, row.upper)
        said = "true" if row.flagged else "false" if row.lower is not None else ""
        writer.writerow([safe_cell(row.name), row.votes_old, row.votes_fresh, *figures, said])
    return out.getvalue()
