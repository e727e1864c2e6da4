"""The last snapshot, for the page, the CSV and the JSON alike: three formats, one source."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from arena.leaderboards.beside import note_of
from arena.leaderboards.claims import PairVerdict, opened
from arena.leaderboards.facets import Facets, facets_of
from arena.leaderboards.models import Snapshot
from arena.leaderboards.reserving import Reasons, hold_back, published_reasons
from arena.leaderboards.slices import PartWithheld, Slice, parsed
from arena.leaderboards.withholding import why_withheld
from arena.teams.models import Arena
from arena.teams.permissions import Action, may
from arena.teams.person import Person

SORTS = {
    "rating": ("rating", True),
    "name": ("model_name", False),
    "votes": ("vote_count", True),
    "win": ("win_rate", True),
    "tie": ("tie_rate", True),
    "bad": ("both_bad_rate", True),
    "first": ("median_first_token_ms", False),
    "speed": ("tokens_per_second", True),
    "cost": ("cost_per_1k_answers", False),
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
    reasons: Reasons | None
    """What rows are held back for, beside what the fit says of them."""
    set_aside: str
    """What is said of votes that do not count; empty where all do."""


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
    known = Facets(has_styles=facets.has_styles, has_set_aside=facets.has_set_aside)
    return Choice(snapshot, known, part)


def published_board(arena: Arena) -> PublishedBoard | None:
    """The last snapshot, opened; None before the first one."""
    return board_of_choice(Choice(latest_snapshot(arena), Facets(), Slice()))


def board_of_choice(choice: Choice) -> PublishedBoard | None:
    """The snapshot's board or the slice's, opened; None before the first snapshot."""
    snapshot = choice.snapshot
    if snapshot is None:
        return None
    text, _csv, page = _shown(choice, snapshot)
    body = json.loads(text)
    reasons = published_reasons(body)
    return PublishedBoard(
        snapshot=snapshot,
        part=choice.part,
        rows=hold_back(body["board"], reasons),
        method=body["method"],
        data=body["data"],
        side_effect=body["parameters"].get("side_effect"),
        style=body["parameters"].get("style", {}),
        about_part=body.get("slice", {}),
        notes=body["notes"],
        reasons=reasons,
        apart={frozenset(pair) for pair in page.get("apart", [])},
        verdicts=opened(page.get("verdicts", [])),
        matrix=page["matrix"],
        facts=page["facts"],
        set_aside=note_of(json.loads(snapshot.board_json)) if snapshot.plain_json else "",
    )


def json_of_choice(choice: Choice) -> str:
    """The published JSON, byte for byte, or the slice's; before the first snapshot a defined, empty board."""
    return _shown(choice, choice.snapshot)[0] if choice.snapshot else _empty()[0]


def csv_of_choice(choice: Choice) -> str:
    """The published CSV, byte for byte, or the slice's; before the first snapshot the header alone."""
    return _shown(choice, choice.snapshot)[1] if choice.snapshot else _empty()[1]


def _shown(choice: Choice, snapshot: Snapshot) -> tuple[str, str, dict[str, Any]]:
    """JSON, CSV and page: as published, of every vote as published, or of a part that is made when asked for."""
    if choice.part.is_whole:
        return snapshot.board_json, snapshot.board_csv, snapshot.page
    if choice.part.is_plain_whole:
        return snapshot.plain_json, snapshot.plain_csv, snapshot.page["plain"]
    from arena.leaderboards.sliced import board_of  # fits: numpy and scipy, which reading snapshots does without

    made = board_of(snapshot, choice.part)
    return made.json, made.csv, made.page


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
