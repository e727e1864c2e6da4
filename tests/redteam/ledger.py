"""Results as JSON lines by key, so that a long run goes on where it stopped, and only while the code is the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("ratings/campaigns/*.py", "ratings/served.py", "tests/redteam/*.py")
NOT_MEASURING = ("run.py", "report.py", "test_quick.py", "__main__.py")


def code() -> str:
    """A hash of what measures and what is measured: other code, other results."""
    digest = hashlib.sha256()
    for pattern in SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            if path.name not in NOT_MEASURING and not path.name.startswith("live_"):
                digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


class Ledger:
    """What has been measured; `once` measures what has not, and writes it down at once."""

    def __init__(self, path: Path | None, version: str, say: Callable[[str], None]) -> None:
        self.path, self.version, self.say = path, version, say
        self.rows: dict[str, dict[str, Any]] = {}
        for line in path.read_text(encoding="utf-8").splitlines() if path and path.exists() else ():
            record = json.loads(line)
            if record["code"] == version:
                self.rows[record["key"]] = record["row"]

    def once(self, key: str, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        if key not in self.rows:
            self.rows[key] = measure()
            if self.path:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                with self.path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({"code": self.version, "key": key, "row": self.rows[key]}) + "\n")
            self.say(key)
        return self.rows[key]

    def under(self, *prefix: str) -> dict[str, dict[str, Any]]:
        start = "|".join(prefix) + "|"
        return {key: row for key, row in self.rows.items() if key.startswith(start)}


def key_of(*parts: Any) -> str:
    return "|".join(str(part) for part in parts)


def by_last(keys: Iterable[str]) -> list[str]:
    return sorted({key.rpartition("|")[2] for key in keys}, key=lambda text: (len(text), text))
