"""Which votes a board counts, and what it holds equal: a slice, read from an address, refused where it means nothing.

A slice narrows the votes that a snapshot counted, so that it changes with a publication and never between two.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, time
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from arena.battles.models import Vote
from arena.leaderboards.facets import Facets
from arena.refusals import Refusal

STYLES = ("length", "headers", "lists", "bold")
"""Counts of the answers that can be held equal, in the order in which they are named."""
PARAMETERS = ("category", "language", "set", "voters", "source", "since", "until", "votes", "style")
ACCOUNT, ANONYMOUS = "account", "anonymous"
OWN, IMPORTED = "own", "imported"
ON, OFF = "on", "off"
EVERY = "all"
"""Votes that are set aside count too."""
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
SHOWN_CHARS, SHOWN_WORDS = 60, 20


class SliceRefused(Refusal):
    """A parameter that means nothing here; says which, what it held and what it may hold."""

    status = 400
    code = "unknown_slice"
    sentence = gettext_lazy("“%(parameter)s=%(value)s” cannot be shown. Allowed for %(parameter)s: %(allowed)s.")


class UnknownParameter(SliceRefused):
    sentence = gettext_lazy("“%(parameter)s” chooses nothing on a board. Allowed parameters: %(allowed)s.")


class PartWithheld(SliceRefused):
    """Who waits for the names could find the own vote in a small part, and the same answers may come again."""

    status = 403
    code = "part_withheld"
    sentence = gettext_lazy(
        "Names are not revealed after each vote here, so parts of the board are shown to staff only."
    )


@dataclass(frozen=True, slots=True)
class Slice:
    """Votes on some prompts, by some voters, cast here or elsewhere, on some days (UTC, both ends included), and styles
    held equal.

    Empty means all of them; the whole with nothing held equal is the published board itself. Imported votes count in
    it: whoever imports votes wants them on the board, which says so and links to either part.
    """

    category: str = ""
    language: str = ""
    prompt_set: str = ""
    voters: str = ""
    source: str = ""
    since: date | None = None
    until: date | None = None
    votes: str = ""
    style: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether this is the published board."""
        return not any(getattr(self, field.name) for field in fields(self))

    @property
    def narrows(self) -> bool:
        """Whether it leaves votes out."""
        return not replace(self, style=(), votes="").is_whole

    @property
    def is_plain_whole(self) -> bool:
        """Whether this is the published board of every vote, set aside or not."""
        return self == Slice(votes=EVERY)

    def of(self, votes: QuerySet[Vote]) -> QuerySet[Vote]:
        """Those of these votes that belong to it."""
        by = {
            "battle__prompt__category": self.category,
            "battle__prompt__language": self.language,
            "battle__prompt__prompt_set__name": self.prompt_set,
            "created_at__gte": self.since and datetime.combine(self.since, time.min, UTC),
            "created_at__lte": self.until and datetime.combine(self.until, time.max, UTC),
        }
        found = votes.filter(**{path: value for path, value in by.items() if value})
        found = found.filter(battle__is_imported=self.source == IMPORTED) if self.source else found
        return found.filter(voter__user__isnull=self.voters == ANONYMOUS) if self.voters else found

    def as_json(self) -> dict[str, Any]:
        """Every parameter as it would stand in an address; null where it chooses nothing."""
        query = self.query()
        return {name: query.get(name) for name in PARAMETERS}

    def query(self) -> dict[str, str]:
        """The parameters of its address."""
        values = {
            "category": self.category, "language": self.language, "set": self.prompt_set, "voters": self.voters,
            "source": self.source,
            "since": self.since and self.since.isoformat(), "until": self.until and self.until.isoformat(),
            "votes": self.votes, "style": ON if self.style == STYLES else ",".join(self.style),
        }  # fmt: skip
        return {name: value for name, value in values.items() if value}


def parsed(given: Mapping[str, Sequence[str]], facets: Facets, *, ignored: Sequence[str] = ("sort",)) -> Slice:
    """The slice that an address asks for; a parameter that is given and left empty chooses nothing.

    An unknown parameter is refused: a mistyped one would show the whole board under the name of a part.

    Raises
    ------
    SliceRefused
    """
    for name in given:
        if name not in PARAMETERS and name not in ignored:
            raise UnknownParameter(parameter=_short(name), allowed=", ".join(PARAMETERS))
    values = {name: _single(name, given.get(name, ())) for name in PARAMETERS}
    since, until = (_day(name, values[name]) for name in ("since", "until"))
    if since and until and until < since:
        raise _refused("until", values["until"], [_("a day not before %(day)s") % {"day": since.isoformat()}])
    return Slice(
        category=_known("category", values["category"], facets.categories),
        language=_known("language", values["language"], facets.languages),
        prompt_set=_known("set", values["set"], facets.prompt_sets),
        voters=_known("voters", values["voters"], (ACCOUNT, ANONYMOUS)),
        source=_known("source", values["source"], (OWN, IMPORTED)),
        since=since,
        until=until,
        votes=_known("votes", values["votes"], (EVERY,)) if facets.has_set_aside else "",
        style=_styles(values["style"]),
    )


def _single(name: str, values: Sequence[str]) -> str:
    if len(values) > 1:
        raise _refused(name, " + ".join(values), [_("one value")])
    return values[0] if values else ""


def _known(name: str, value: str, allowed: Sequence[str]) -> str:
    if value and value not in allowed:
        raise _refused(name, value, allowed)
    return value


def _day(name: str, value: str) -> date | None:
    if not value:
        return None
    try:
        return date.fromisoformat(value if DAY.fullmatch(value) else "")
    except ValueError:
        raise _refused(name, value, [_("a day as YYYY-MM-DD")]) from None


def _styles(value: str) -> tuple[str, ...]:
    if value in ("", OFF, ON):
        return STYLES if value == ON else ()
    asked = value.split(",")
    if not set(asked) <= set(STYLES):
        raise _refused("style", value, [ON, OFF, *STYLES, ",".join(STYLES[:2])])
    return tuple(name for name in STYLES if name in asked)


def _refused(name: str, value: str, allowed: Sequence[str]) -> SliceRefused:
    more = ["…"] if len(allowed) > SHOWN_WORDS else []
    words = ", ".join([*allowed[:SHOWN_WORDS], *more]) or _("nothing, for no counted vote has one")
    return SliceRefused(parameter=name, value=_short(value), allowed=words)


def _short(value: str) -> str:
    """As much of what was given as a sentence can hold, in characters that can be shown."""
    cut = value if len(value) <= SHOWN_CHARS else f"{value[: SHOWN_CHARS - 1]}…"
    return "".join(char if char.isprintable() else "�" for char in cut)
