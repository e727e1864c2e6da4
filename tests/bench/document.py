"""Tables of benchmarks, and their places in a document."""

from __future__ import annotations

import datetime
import platform
from collections.abc import Sequence
from pathlib import Path


def line(columns: Sequence[str]) -> str:
    """A row of a Markdown table."""
    return "| " + " | ".join(text.replace("|", "/").replace("\n", " ") for text in columns) + " |"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Its lines."""
    return [line(head), "|---" * len(head) + "|", *map(line, rows)]


def machine() -> str:
    """When and on what."""
    model = [text.split(":")[1].strip() for text in Path("/proc/cpuinfo").read_text().splitlines()
             if text.startswith("model name")]  # fmt: skip
    today = datetime.datetime.now(datetime.UTC).date()
    return f"{today}, {len(model)} × {model[0] if model else platform.machine()}, {platform.system()}"


def between(page: str, mark: str, text: str) -> str:
    """The document with this text between `<!-- mark -->` and `<!-- end of mark -->`."""
    begin, end = marks(mark)
    if begin not in page or end not in page:
        raise SystemExit(f"the document needs the marks {begin} and {end}.")
    before, rest = page.split(begin, 1)
    return f"{before}{begin}\n\n{text}\n{end}{rest.split(end, 1)[1]}"


def marks(mark: str) -> tuple[str, str]:
    return f"<!-- {mark} -->", f"<!-- end of {mark} -->"


def write(path: Path, mark: str, lines: Sequence[str]) -> None:
    """Puts lines into a document on disk."""
    path.write_text(between(path.read_text(encoding="utf-8"), mark, "\n".join(lines) + "\n"), encoding="utf-8")
