"""A chain's end as a line of text, to be kept where nobody of this server can reach it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass


class BadHead(ValueError):
    """A line that is no head; says which and what one looks like."""

    def __init__(self, number: int, line: str) -> None:
        super().__init__(
            f"Line {number} is no head: {line[:80]!r}. A head is a line that manage.py audit_head prints, for example "
            '{"arena": "demo", "position": 17, "sha256": "…64 hexadecimal digits…"}.'
        )


@dataclass(frozen=True, slots=True)
class Head:
    """The last link of an arena's chain at some moment."""

    arena: str
    position: int
    sha256: str
    made_at: str = ""

    def line(self) -> str:
        return json.dumps(asdict(self))


def heads_in(lines: Iterable[str]) -> list[Head]:
    """Raises BadHead."""
    return [_head(number, line.strip()) for number, line in enumerate(lines, 1) if line.strip()]


def _head(number: int, line: str) -> Head:
    try:
        given = json.loads(line)
        head = Head(str(given["arena"]), int(given["position"]), str(given["sha256"]), str(given.get("made_at", "")))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadHead(number, line) from None
    if head.position < 1 or not re.fullmatch(r"[0-9a-f]{64}", head.sha256):
        raise BadHead(number, line)
    return head
