"""The last snapshot, for the page, the CSV and the JSON alike: three formats, one source."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import ratings
from arena.leaderboards.models import Snapshot
from arena.leaderboards.verdicts import PairVerdict, opened
from arena.teams.models import Arena
from ratings.writing import safe_cell

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
}


@dataclass(frozen=True, slots=True)
class PublishedBoard:
    """A snapshot as the page needs it."""

    snapshot: Snapshot
    rows: list[dict[str, Any]]
    method: dict[str, Any]
    side_effect: dict[str, float] | None
    notes: list[str]
    apart: set[frozenset[str]]
    verdicts: dict[tuple[str, str], PairVerdict]
    matrix: list[list[Any]]
    facts: dict[str, Any]


def latest_snapshot(arena: Arena) -> Snapshot | None:
    """The arena's last published snapshot."""
    return Snapshot.objects.filter(arena=arena).first()


def published_board(arena: Arena) -> PublishedBoard | None:
    """The last snapshot, opened; None before the first one."""
    snapshot = latest_snapshot(arena)
    if snapshot is None:
        return None
    body = json.loads(snapshot.board_json)
    return PublishedBoard(
        snapshot=snapshot,
        rows=body["board"],
        method=body["method"],
        side_effect=body["parameters"].get("side_effect"),
        notes=body["notes"],
        apart={frozenset(pair) for pair in snapshot.page["apart"]},
        verdicts=opened(snapshot.page["verdicts"]),
        matrix=snapshot.page["matrix"],
        facts=snapshot.page["facts"],
    )


def board_json_of(arena: Arena) -> str:
    """The published JSON, byte for byte; before the first snapshot a defined, empty board."""
    snapshot = latest_snapshot(arena)
    return snapshot.board_json if snapshot else ratings.board_json(_empty())


def board_csv_of(arena: Arena) -> str:
    """The published CSV, byte for byte; before the first snapshot the header alone."""
    snapshot = latest_snapshot(arena)
    return snapshot.board_csv if snapshot else ratings.board_csv(_empty())


def sorted_rows(rows: list[dict[str, Any]], word: str) -> list[dict[str, Any]]:
    """Rows by one of the columns, best first, blanks last; an unknown word sorts by rating."""
    key, falling = SORTS.get(word, SORTS["rating"])
    known = sorted((row for row in rows if row[key] is not None), key=lambda row: row[key], reverse=falling)
    return known + [row for row in rows if row[key] is None]


def _empty() -> ratings.Board:
    return ratings.make_board(ratings.comparisons([], [], [], []))


__all__ = [
    "SORTS",
    "PublishedBoard",
    "board_csv_of",
    "board_json_of",
    "latest_snapshot",
    "published_board",
    "safe_cell",
    "sorted_rows",
]
