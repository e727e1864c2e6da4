"""Prompt sets and recorded answers come in from files: the whole file or nothing, and every problem at once.

The only writer of prompt sets, prompts and recorded answers.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from django.db import transaction

from arena.prompts.models import Prompt, PromptSet
from arena.prompts.rows import ImportRefused, Row, Table, read_table
from arena.teams.models import Arena

LONGEST_PROMPT = 200_000
KEPT = ("id", "key", "prompt", "category", "language")
PASSED_OVER = ("tags", "reference", "source", "created_at", "checks")
MULTI_TURN = ("messages", "turns")


@dataclass(slots=True)
class PromptImport:
    """What an import of prompts did, and what it passed over."""

    prompt_set: PromptSet
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Wanted:
    line: int
    key: str
    text: str
    category: str
    language: str


def import_prompts(
    path: Path,
    arena: Arena,
    *,
    set_name: str = "",
    purpose: PromptSet.Purpose = PromptSet.Purpose.BATTLES,
    dry_run: bool = False,
) -> PromptImport:
    """Read prompts into the set of this name, by default the file's, in one transaction.

    Idempotent by key (`id`, `key`, else a hash of the text). Category and language follow the file; a text never
    changes under its key. Raises ImportRefused with all problems; then nothing was written.
    """
    table = read_table(path)
    wanted = _read_prompts(table)
    with transaction.atomic():
        prompt_set, _ = PromptSet.objects.get_or_create(
            arena=arena, name=set_name or path.stem[:80], defaults={"purpose": purpose, "source": path.name[:200]}
        )
        done = PromptImport(prompt_set, notes=_notes(table, wanted))
        if prompt_set.purpose != purpose:
            says = f"is a set of the other purpose ({prompt_set.purpose}). Give another name with --set."
            table.refuse(0, "set", prompt_set.name, says)
        _store(done, table, wanted)
        if table.problems:
            raise ImportRefused(table.problems)
        transaction.set_rollback(dry_run)
    return done


def key_of(text: str) -> str:
    """The key of a prompt that came without one: the same text gets the same key in every import."""
    return "t-" + hashlib.sha256(text.encode()).hexdigest()[:16]


def retire(prompts: list[int], *, now: datetime) -> int:
    """Take prompts out of the draw; their battles and answers stay. Counts those newly retired."""
    return Prompt.objects.filter(pk__in=prompts, retired_at__isnull=True).update(retired_at=now)


def _read_prompts(table: Table) -> list[_Wanted]:
    columns = table.columns()
    if table.rows and "prompt" not in columns and not set(columns) & set(MULTI_TURN):
        table.refuse(1, "prompt", None, f"is missing. The columns are {', '.join(columns)}.")
        return []
    for name in sorted(set(columns) - {*KEPT, *PASSED_OVER, *MULTI_TURN, "system"}):
        table.refuse(0, name, None, f"is no known column. Use {', '.join(KEPT)}, or remove it.")
    wanted = [prompt for row in table.rows if (prompt := _read_prompt(table, row))]
    seen: dict[str, int] = {}
    for prompt in wanted:
        first = seen.setdefault(prompt.key, prompt.line)
        if first != prompt.line:
            table.refuse(prompt.line, "id", prompt.key, f"is on line {first} already. Give each prompt its own id.")
    return wanted


def _read_prompt(table: Table, row: Row) -> _Wanted | None:
    before = len(table.problems)
    for name in MULTI_TURN:
        if row.values.get(name):
            says = "prompts of several turns cannot be imported yet. Give one user message in `prompt`."
            table.refuse(row.line, name, None, says)
            return None
    if row.values.get("system"):
        says = "a prompt's own system message is not kept. Set the system prompt on the competitors."
        table.refuse(row.line, "system", row.values["system"], says)
    text = table.text(row, "prompt", required=True, longest=LONGEST_PROMPT)
    key = table.text(row, "id", "key", longest=80) or key_of(text)
    category = table.text(row, "category", longest=60)
    language = table.text(row, "language", longest=20)
    return _Wanted(row.line, key, text, category, language) if len(table.problems) == before else None


def _store(done: PromptImport, table: Table, wanted: list[_Wanted]) -> None:
    stored = {prompt.key: prompt for prompt in done.prompt_set.prompts.all()}
    new, changed = [], []
    for prompt in wanted:
        old = stored.get(prompt.key)
        if old is None:
            new.append(
                Prompt(
                    prompt_set=done.prompt_set,
                    key=prompt.key,
                    text=prompt.text,
                    category=prompt.category,
                    language=prompt.language,
                )
            )
        elif old.text != prompt.text:
            says = f"has another text in the set {done.prompt_set.name}. A prompt never changes: give it a new id."
            table.refuse(prompt.line, "id", prompt.key, says)
        elif (old.category, old.language) != (prompt.category, prompt.language):
            old.category, old.language = prompt.category, prompt.language
            changed.append(old)
        else:
            done.unchanged += 1
    if table.problems:
        return
    Prompt.objects.bulk_create(new, batch_size=500)
    Prompt.objects.bulk_update(changed, ["category", "language"], batch_size=500)
    done.added, done.updated = len(new), len(changed)


def _notes(table: Table, wanted: list[_Wanted]) -> list[str]:
    """What the operator should know and nothing stops at: columns passed over, prompts that read alike."""
    passed = [name for name in table.columns() if name in PASSED_OVER]
    notes = [f"Not kept: the columns {', '.join(passed)}."] if passed else []
    alike: dict[str, list[_Wanted]] = defaultdict(list)
    for prompt in wanted:
        alike[_folded(prompt.text)].append(prompt)
    for same in alike.values():
        if len(same) > 1:
            lines = ", ".join(str(prompt.line) for prompt in same)
            notes.append(f"Lines {lines} read alike. Each counts as a prompt of its own.")
    return notes


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold()
    return " ".join("".join(sign if sign.isalnum() else " " for sign in plain).split()) or plain
