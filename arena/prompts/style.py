"""How an answer is dressed: counts that can sway a vote beside what is said (the public arena's style features)."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass

FENCED = re.compile(r"^(?P<fence>`{3,}|~{3,}).*?(?:^(?P=fence)|\Z)", re.DOTALL | re.MULTILINE)
WORD = re.compile(r"\w+|[^\w\s]")
HEADER = re.compile(r"^ {0,3}#{1,6}[ \t]+\S", re.MULTILINE)
LIST = re.compile(r"^[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+\S", re.MULTILINE)
BOLD = re.compile(r"\*\*(?=\S)[^*\n]+?\*\*|(?<!\w)__(?=\S)[^_\n]+?__(?!\w)")


@dataclass(frozen=True, slots=True)
class Style:
    """Counts of one answer, or of a side's answers of a whole battle.

    `length` is in words and punctuation marks, one measure for all: competitors' own tokens are not comparable.
    """

    length: int
    headers: int
    lists: int
    bold: int


def style_fields(text: str) -> dict[str, int]:
    """The counts under the names of their columns."""
    return {f"style_{name}": count for name, count in asdict(style_of(text)).items()}


def style_of(text: str) -> Style:
    """Counts of Markdown headers, list items and bold passages outside of fenced code, and the length with it.

    Linear in the text, whatever it holds.
    """
    plain = FENCED.sub("", text)
    return Style(
        length=sum(1 for _ in WORD.finditer(text)),
        headers=len(HEADER.findall(plain)),
        lists=len(LIST.findall(plain)),
        bold=len(BOLD.findall(plain)),
    )
