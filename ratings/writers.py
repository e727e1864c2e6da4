"""Votes as files: the public arena's columns by its own names, ours after them; streamed, a row at a time.

The shape is arena-human-preference-140k's. CSV is for spreadsheets: cells that one would run as formulas begin with an
apostrophe, so that a name like `@cf/meta` is not read back to the letter. JSON Lines and Parquet keep every character.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from ratings.errors import BadInput
from ratings.writing import safe_cell

VoteRow = Mapping[str, Any]
"""A vote by column: texts, numbers, truth values, lists and objects as JSON has them; what is missing or None is not
known."""
PUBLIC = (
    "id", "model_a", "model_b", "winner", "evaluation_session_id", "evaluation_order", "conversation_a",
    "conversation_b", "full_conversation", "conv_metadata", "category_tag", "language", "is_code", "timestamp",
)  # fmt: skip
"""The columns of arena-human-preference-140k, in its order."""
OURS = (
    "judge", "prompt_id", "category", "rated", "source", "policy", "draw_probability", "weight", "voter_since",
    "cluster",
)  # fmt: skip
"""What the public set has no column for. `rated` is false for a vote that no rating counts."""
LEAN = (
    "id", "model_a", "model_b", "winner", "category_tag", "language", "timestamp", "judge", "prompt_id", "category",
    "rated", "source", "policy", "draw_probability",
)  # fmt: skip
"""What a file of votes without texts needs."""
FORMATS = ("csv", "jsonl", "parquet")
PIECE = 1 << 16
"""Bytes of a piece, about."""


def csv_pieces(rows: Iterable[VoteRow], columns: Sequence[str] = (*PUBLIC, *OURS)) -> Iterator[bytes]:
    r"""RFC 4180 with a header; lists and objects as JSON, unknown as an empty cell.

    Parameters
    ----------
    rows : iterable of mapping
    columns : sequence of str
        Those that are written, in this order.

    Yields
    ------
    bytes
        Whole rows, about `PIECE` bytes of them; the rows are never all held.

    Examples
    --------
    >>> b"".join(csv_pieces([{"id": 7, "model_a": "x", "is_code": False}], ("id", "model_a", "is_code", "judge")))
    b'id,model_a,is_code,judge\r\n7,x,false,\r\n'
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(column)) for column in columns])
        if out.tell() > PIECE:
            yield _bytes(out.getvalue())
            out.seek(0)
            out.truncate()
    yield _bytes(out.getvalue())


def jsonl_pieces(rows: Iterable[VoteRow], columns: Sequence[str] = (*PUBLIC, *OURS)) -> Iterator[bytes]:
    r"""JSON Lines, one object a vote; what is not known is left out but for the public set's columns, which are null.

    Examples
    --------
    >>> b"".join(jsonl_pieces([{"id": "7", "winner": "tie", "judge": None}], ("id", "winner", "is_code", "judge")))
    b'{"id": "7", "winner": "tie", "is_code": null}\n'
    """
    held: list[str] = []
    size = 0
    for row in rows:
        known = {name: row.get(name) for name in columns}
        kept = {name: value for name, value in known.items() if value is not None or name in PUBLIC}
        held.append(json.dumps(kept, ensure_ascii=False, allow_nan=False))
        size += len(held[-1])
        if size > PIECE:
            yield _bytes("\n".join([*held, ""]))
            held, size = [], 0
    if held:
        yield _bytes("\n".join([*held, ""]))


PIECES = {"csv": csv_pieces, "jsonl": jsonl_pieces}


def write_votes(
    rows: Iterable[VoteRow], path: Path, kind: str, columns: Sequence[str] = (*PUBLIC, *OURS)
) -> None:  # fmt: skip
    """A file of votes in one of `FORMATS`, whole or not at all: written beside its place and then renamed.

    Raises
    ------
    BadInput
        The format is unknown or pyarrow is missing, or the file cannot be written.
    """
    if kind not in FORMATS:
        raise BadInput(f"the format {kind!r} is not known: use {', '.join(FORMATS)}.")
    if kind == "parquet":
        from ratings import parquet  # which needs a package of its own

        parquet.arrow()  # before anything is written
    try:
        with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", suffix=".part", delete=False) as part:
            beside = Path(part.name)
            try:
                if kind == "parquet":
                    parquet.write_parquet(rows, beside, columns)
                else:
                    part.writelines(PIECES[kind](rows, columns))
                    part.flush()
                beside.chmod(0o644)
                beside.replace(path)
            finally:
                with suppress(OSError):
                    beside.unlink(missing_ok=True)
    except OSError as error:
        raise BadInput(f"cannot be written: {error.strerror or error}.", file=str(path)) from None


def when(seconds: float) -> str:
    """Seconds since 1970 as the timestamps of a file: ISO 8601 in UTC, without fractions.

    Examples
    --------
    >>> when(1700000000.9)
    '2023-11-14T22:13:20Z'
    """
    return datetime.fromtimestamp(int(seconds // 1), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def said(turns: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    """A side's conversation as the public set has it, from turns of (user, assistant).

    Examples
    --------
    >>> said([("Hi", "Hello")])[1]
    {'role': 'assistant', 'content': [{'type': 'text', 'text': 'Hello'}]}
    """
    return [
        {"role": role, "content": [{"type": "text", "text": text}]}
        for turn in turns
        for role, text in zip(("user", "assistant"), turn, strict=True)
    ]


def both_said(turns: Iterable[tuple[str, str, str]]) -> list[dict[str, Any]]:
    """The public set's `full_conversation`, from turns of (user, answer of a, answer of b)."""
    return [
        {
            "user": said([(user, "")])[0],
            "model_side_a": said([("", a)])[1],
            "model_side_b": said([("", b)])[1],
        }
        for user, a, b in turns
    ]


def as_cell(value: Any) -> str:
    """A value that is no text, as text: lists, objects and truth values as JSON, whole numbers without a point."""
    if isinstance(value, (dict, list, bool)):
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return safe_cell(value) if isinstance(value, str) else as_cell(value)


def _bytes(text: str) -> bytes:
    """UTF-8; half a character, which JSON may hold and UTF-8 may not, as its escape."""
    return text.encode("utf-8", "backslashreplace")
