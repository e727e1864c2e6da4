"""Links to the parts of a board, and what the part on show says of itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.utils.formats import date_format
from django.utils.translation import get_language_info, ngettext
from django.utils.translation import gettext as _

from arena.leaderboards.charts import signed
from arena.leaderboards.reading import Choice, PublishedBoard
from arena.leaderboards.slices import ACCOUNT, ANONYMOUS, EVERY, IMPORTED, OFF, OWN, STYLES, Slice


@dataclass(frozen=True, slots=True)
class Chip:
    """One link: what it is called, where it goes, and whether this is where we are."""

    name: str
    query: str
    current: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Links of which one is current."""

    name: str
    chips: tuple[Chip, ...]


def context(choice: Choice, published: PublishedBoard, *, sort: str, style_by_default: bool = False) -> dict[str, Any]:
    """Everything that the page says of parts: the links to them, and what was counted in this one.

    Where style is held equal by default, links to a plain board have to say so.
    """
    part, sorting = choice.part, {} if sort == "rating" else {"sort": sort}
    plainly = {"style": OFF} if style_by_default else {}
    sorting |= plainly
    query = urlencode(part.query())
    about = published.about_part
    return {
        "filters": list(_groups(choice, sorting)),
        "styles": _styles(choice, sorting),
        "counts": _counts(choice, sorting),
        "part": part,
        "is_part": not part.is_whole,
        "imported": choice.facets.has_imported,
        "query": f"?{query}" if query else "",
        "sort_start": f"?{urlencode({**plainly, **part.query()})}&" if query or plainly else "?",
        "counted": published.data,
        "effects": list(_effects(published)),
        "untold": [style_name(name) for name in about.get("styles_that_cannot_be_told", ())],
        "uncounted": about.get("votes_without_counts", 0),
        "older": about.get("older_votes_left_out", 0),
    }


def style_name(name: str) -> str:
    """A style as a reader knows it."""
    return {"length": _("length"), "headers": _("headers"), "lists": _("list items"), "bold": _("bold passages")}[name]


def language_name(code: str) -> str:
    """The language's name in the reader's; codes that nobody knows stay codes."""
    try:
        return str(get_language_info(code)["name_translated"])
    except KeyError:
        return code


def _groups(choice: Choice, sorting: dict[str, str]) -> Iterator[Group]:
    """Only what has votes behind it, and only where there is something to choose."""
    part, facets = choice.part, choice.facets
    words = (
        (_("Category"), "category", [(word, word) for word in facets.categories]),
        (_("Language"), "language", [(word, language_name(word)) for word in facets.languages]),
        (_("Prompts"), "prompt_set", [(word, word) for word in facets.prompt_sets]),
    )
    for name, field, options in words:
        if len(options) > 1 or getattr(part, field):
            yield Group(name, _chips(part, field, options, sorting))
    if facets.has_both_voters or part.voters:
        kinds = [(ACCOUNT, _("With an account")), (ANONYMOUS, _("Anonymous"))]
        yield Group(_("Voters"), _chips(part, "voters", kinds, sorting))
    if (facets.has_imported and facets.has_own) or part.source:
        kinds = [(OWN, _("Cast here")), (IMPORTED, _("Imported"))]
        yield Group(_("Source"), _chips(part, "source", kinds, sorting))
    if facets.windows or part.since or part.until:
        yield Group(_("Votes since"), tuple(_since(choice, sorting)))


def _chips(part: Slice, field: str, options: Sequence[tuple[str, str]], sorting: dict[str, str]) -> tuple[Chip, ...]:
    here = getattr(part, field)

    def chip(word: str, name: str) -> Chip:
        chosen: dict[str, Any] = {field: word}
        return Chip(name, _query(replace(part, **chosen), sorting), here == word)

    return (chip("", _("All")), *(chip(word, name) for word, name in options))


def _since(choice: Choice, sorting: dict[str, str]) -> Iterator[Chip]:
    """Windows back from the publication; days of an address's own stand beside them as they are."""
    part = choice.part
    yield Chip(_("The start"), _query(replace(part, since=None, until=None), sorting), not (part.since or part.until))
    known = False
    for days, start in choice.facets.windows:
        here = part.since == start and part.until is None
        known |= here
        name = ngettext("%(days)s day", "%(days)s days", days) % {"days": days}
        yield Chip(name, _query(replace(part, since=start, until=None), sorting), here)
    if (part.since or part.until) and not known:
        yield Chip(_days(part), _query(part, sorting), True)


def _days(part: Slice) -> str:
    first, last = (date_format(day, "SHORT_DATE_FORMAT") if day else "" for day in (part.since, part.until))
    if not last:
        return first
    return _("%(first)s to %(last)s") % {"first": first, "last": last} if first else _("until %(day)s") % {"day": last}


def _styles(choice: Choice, sorting: dict[str, str]) -> tuple[Chip, ...]:
    part = choice.part
    if not (choice.facets.has_styles or part.style):
        return ()
    # The column “plain” is on the controlled board only.
    unsorted = {name: word for name, word in sorting.items() if (name, word) != ("sort", "plain")}
    controlled = replace(part, style=part.style or STYLES)
    return (
        Chip(_("Plain"), _query(replace(part, style=()), unsorted), not part.style),
        Chip(_("Style-controlled"), _query(controlled, sorting), bool(part.style)),
    )


def _counts(choice: Choice, sorting: dict[str, str]) -> tuple[Chip, ...]:
    """Without the votes that are set aside, or of every vote; only where some are."""
    part = choice.part
    if not choice.facets.has_set_aside:
        return ()
    return (
        Chip(_("Defended"), _query(replace(part, votes=""), sorting), not part.votes),
        Chip(_("All votes"), _query(replace(part, votes=EVERY), sorting), bool(part.votes)),
    )


def _effects(published: PublishedBoard) -> Iterator[dict[str, str]]:
    """A style's name, what twice as much is worth, and its coefficient; figures with their intervals."""
    worth = published.about_part.get("worth_of_twice_as_much", {})
    for name, found in published.style.items():
        points = worth[name]
        yield {
            "name": style_name(name),
            "points": signed(round(points["points"])),
            "points_lower": signed(round(points["lower"])),
            "points_upper": signed(round(points["upper"])),
            "estimate": f"{found['estimate']:+.3f}".replace("-", "−"),
            "lower": f"{found['lower']:+.3f}".replace("-", "−"),
            "upper": f"{found['upper']:+.3f}".replace("-", "−"),
        }


def _query(part: Slice, sorting: dict[str, str]) -> str:
    """The address of a part; never empty, for an empty link goes to where one already is."""
    asked = part.query()
    return f"?{urlencode({**asked, **{name: word for name, word in sorting.items() if name not in asked}})}"
