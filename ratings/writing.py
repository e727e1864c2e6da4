"""Boards as CSV and JSON: the public leaderboard's columns first, shortest round-trip numbers, whole files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ratings.board import Board, BoardRow

Meta = Mapping[str, Mapping[str, Any]]
"""By model name: what votes cannot know (organization, license, service figures, publish date)."""
PUBLIC = (
    "model_name", "organization", "license", "rating", "rating_lower", "rating_upper", "variance", "vote_count", "rank",
    "category", "leaderboard_publish_date",
)  # fmt: skip
OURS = (
    "rank_lower", "rank_upper", "win_rate", "tie_rate", "both_bad_rate", "status", "rating_plain", "voters",
    "battles_served", "median_first_token_ms", "tokens_per_second", "cost_per_1k_answers", "error_rate", "component",
)  # fmt: skip


CHECK = "check_"
"""How names of further columns begin, which come after ours where `meta` has them: objective checks of answers."""


def columns_of(meta: Meta) -> tuple[str, ...]:
    """All columns of a board to which `meta` is joined."""
    checks = (name for joined in meta.values() for name in joined if name.startswith(CHECK))
    return (*PUBLIC, *OURS, *dict.fromkeys(checks))


def row_values(row: BoardRow, meta: Meta, columns: Sequence[str]) -> dict[str, Any]:
    """One row with what `meta` joins to it, in the order of the columns."""
    known = {**asdict(row), "category": "all", "rating_plain": row.rating, **meta.get(row.model_name, {})}
    return {column: known.get(column) for column in columns}


def board_csv(board: Board, meta: Meta | None = None) -> str:
    """The board as RFC 4180 text; cells that a spreadsheet would run as formulas are neutralised by an apostrophe.

    Parameters
    ----------
    board : Board
    meta : mapping of model name to values by column, optional
        What votes cannot know: organization, license, service figures, publish date.

    Returns
    -------
    str
        The public leaderboard's columns first, numbers as the shortest that read back the same.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    columns = columns_of(meta or {})
    writer.writerow(columns)
    for row in board.rows:
        writer.writerow([_cell(value) for value in row_values(row, meta or {}, columns).values()])
    return out.getvalue()


def board_json(board: Board, meta: Meta | None = None, **extra: Any) -> str:
    """The board as one JSON object: board, parameters, method, components, data, notes.

    Parameters
    ----------
    board : Board
    meta : mapping of model name to values by column, optional
        As in `board_csv`.
    **extra
        Further keys of the object.

    Returns
    -------
    str
    """
    parameters: dict[str, Any] = {}
    columns = columns_of(meta or {})
    if board.side_effect is not None:
        parameters["side_effect"] = _bounds("estimate", board.side_effect)
    if board.tie is not None:
        parameters["tie"] = _bounds("nu", board.tie)
    if board.style:
        parameters["style"] = {name: _bounds("estimate", found) for name, found in board.style.items()}
    body = {
        "board": [row_values(row, meta or {}, columns) for row in board.rows],
        "parameters": parameters,
        "method": board.method,
        "components": board.components,
        "data": {"votes": board.votes, "voters": board.voters, "sha256": board.sha256},
        "notes": board.notes,
        **extra,
    }
    return json.dumps(body, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _bounds(word: str, found: tuple[float, float, float]) -> dict[str, float]:
    return dict(zip((word, "lower", "upper"), found, strict=True))


def safe_cell(text: str) -> str:
    """Text that no spreadsheet runs as a formula."""
    return f"'{text}" if text[:1] in "=+-@\t\r" and text else text


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return safe_cell(value) if isinstance(value, str) else str(value)
