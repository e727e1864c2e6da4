"""The last snapshot, for the page, the CSV and the JSON alike: three formats, one source."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from arena.leaderboards.claims import PairVerdict, opened
from arena.leaderboards.facets import Facets, facets_of
from arena.leaderboards.models import Snapshot
from arena.leaderboards.slices import PartWithheld, Slice, parsed
from arena.leaderboards.withholding import why_withheld
from arena.teams.models import Arena
from arena.teams.permissions import Action, may
from arena.teams.person import Person

if TYPE_CHECKING:
    from arena.leaderboards.sliced import Sliced

SORTS = {
    "rating": ("rating", True),
    "name": ("model_name", False),
    "votes": ("vote_count", True),
    "win": ("win_rate", True),
    "tie": ("tie_rate", True),
    "bad": ("both_bad_rate", True),
    "first": ("median_first_token_ms", False),
    "speed": ("tokens_per_second", True),
    "errors": ("error_rate", False),
    "plain": ("rating_plain", True),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """What an address asks for: the last snapshot, what it can be parted by, and the part that is wanted."""

    snapshot: Snapshot | None
    facets: Facets
    part: Slice


@dataclass(frozen=True, slots=True)
class PublishedBoard:
    """A snapshot, or a part of what it counted, as the page needs it."""

    snapshot: Snapshot
    part: Slice
    rows: list[dict[str, Any]]
    method: dict[str, Any]
    data: dict[str, Any]
    side_effect: dict[str, float] | None
    style: dict[str, dict[str, float]]
    about_part: dict[str, Any]
    notes: list[str]
    apart: set[frozenset[str]]
    verdicts: dict[tuple[str, str], PairVerdict]
    matrix: list[list[Any]]
    facts: dict[str, Any]


def may_see_board(person: Person, arena: Arena, *, now: datetime) -> bool:
    """Whether this person may see the arena's board now, in any form; `check_board` says what to do where not."""
    return why_withheld(person, arena, now=now) is None


def check_board(person: Person, arena: Arena, *, now: datetime) -> None:
    """Raises BoardWithheld where this person may not see the board now."""
    withheld = why_withheld(person, arena, now=now)
    if withheld is not None:
        raise withheld


def latest_snapshot(arena: Arena) -> Snapshot | None:
    """The arena's last published snapshot."""
    return Snapshot.objects.filter(arena=arena).select_related("arena").first()


def chosen(
    arena: Arena, given: Mapping[str, Sequence[str]], person: Person, *, ignored: Sequence[str] = ("sort",)
) -> Choice:
    """What the parameters of an address ask for. Where names are not revealed after each vote, parts are for those who
    see the console.

    Raises
    ------
    SliceRefused
    """
    snapshot = latest_snapshot(arena)
    facets = facets_of(snapshot)
    part = parsed(given, facets, ignored=ignored)
    if arena.reveal == Arena.Reveal.EACH or may(person, Action.SEE_CONSOLE, arena):
        return Choice(snapshot, facets, part)
    if part.narrows:
        raise PartWithheld
    return Choice(snapshot, Facets(has_styles=facets.has_styles), part)


def published_board(arena: Arena) -> PublishedBoard | None:
    """The last snapshot, opened; None before the first one."""
    return board_of_choice(Choice(latest_snapshot(arena), Facets(), Slice()))


def board_of_choice(choice: Choice) -> PublishedBoard | None:
    """The snapshot's board or the slice's, opened; None before the first snapshot."""
    snapshot = choice.snapshot
    if snapshot is None:
        return None
    sliced = _sliced(choice)
    body = json.loads(sliced.json if sliced else snapshot.board_json)
    page = sliced.page if sliced else snapshot.page
    return PublishedBoard(
        snapshot=snapshot,
        part=choice.part,
        rows=body["board"],
        method=body["method"],
        data=body["data"],
        side_effect=body["parameters"].get("side_effect"),
        style=body["parameters"].get("style", {}),
        about_part=body.get("slice", {}),
        notes=body["notes"],
        apart={frozenset(pair) for pair in page.get("apart", [])},
        verdicts=opened(page.get("verdicts", [])),
        matrix=page["matrix"],
        facts=page["facts"],
    )


def json_of_choice(choice: Choice) -> str:
    """The published JSON, byte for byte, or the slice's; before the first snapshot a defined, empty board."""
    sliced = _sliced(choice)
    if sliced:
        return sliced.json
    return choice.snapshot.board_json if choice.snapshot else _empty()[0]


def csv_of_choice(choice: Choice) -> str:
    """The published CSV, byte for byte, or the slice's; before the first snapshot the header alone."""
    sliced = _sliced(choice)
    if sliced:
        return sliced.csv
    return choice.snapshot.board_csv if choice.snapshot else _empty()[1]


def _sliced(choice: Choice) -> Sliced | None:
    """The slice's board; None for the whole, which is published already, and before the first snapshot."""
    if choice.snapshot is None or choice.part.is_whole:
        return None
    from arena.leaderboards.sliced import board_of  # fits: numpy and scipy, which reading snapshots does without

    return board_of(choice.snapshot, choice.part)


def sorted_rows(rows: list[dict[str, Any]], word: str) -> list[dict[str, Any]]:
    """Rows by one of the columns, best first, blanks last; an unknown word sorts by rating."""
    key, falling = SORTS.get(word, SORTS["rating"])
    known = sorted((row for row in rows if row[key] is not None), key=lambda row: row[key], reverse=falling)
    return known + [row for row in rows if row[key] is None]


def safe_cell(text: str) -> str:
    """Text that no spreadsheet runs as a formula."""
    from ratings.writing import safe_cell as neutralised

    return neutralised(text)


def _empty() -> tuple[str, str]:
    """JSON and CSV of a board without votes."""
    import ratings

    board = ratings.make_board(ratings.comparisons([], [], [], []))
    return ratings.board_json(board), ratings.board_csv(board)


__all__ = [
    "SORTS",
    "Choice",
    "PublishedBoard",
    "board_of_choice",
    "check_board",
    "chosen",
    "csv_of_choice",
    "json_of_choice",
    "latest_snapshot",
    "may_see_board",
    "published_board",
    "safe_cell",
    "sorted_rows",
]
