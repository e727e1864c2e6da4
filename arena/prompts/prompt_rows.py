"""Rows of prompts: a key, one or several messages, and what is known of them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from arena.prompts.checks import specs
from arena.prompts.checks.specs import BadSpec
from arena.prompts.rows import Row, Table
from arena.prompts.transcripts import BadTranscript, read_list, read_transcript

LONGEST_PROMPT = 200_000
LONGEST_TAG, MOST_TAGS = 40, 20


@dataclass(frozen=True, slots=True)
class Facts:
    """What a row says of a prompt beside its messages; None where the file has no such column."""

    category: str | None = None
    language: str | None = None
    tags: tuple[str, ...] | None = None
    source: str | None = None
    created_at: datetime | None = None
    checks: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class WantedPrompt:
    """One prompt of a file."""

    row: Row
    key: str
    messages: list[str]
    facts: Facts


def key_of(messages: Sequence[str]) -> str:
    """The key of a prompt that came without one: the same messages get the same key in every import."""
    text = messages[0] if len(messages) == 1 else json.dumps(messages, ensure_ascii=False)
    return "t-" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def read_prompts(table: Table) -> list[WantedPrompt]:
    """Every prompt of a mapped table; keys that come twice are refused."""
    wanted = [prompt for row in table.rows if (prompt := _read_prompt(table, row))]
    seen: dict[str, Row] = {}
    for prompt in wanted:
        first = seen.setdefault(prompt.key, prompt.row)
        if first is not prompt.row:
            says = _("is on line %(line)d already. Give each prompt its own id.") % {"line": first.line}
            table.refuse(prompt.row, "id", prompt.key, says)
    return wanted


def _read_prompt(table: Table, row: Row) -> WantedPrompt | None:
    before = len(table.problems)
    messages = _read_messages(table, row)
    key = table.text(row, "id", longest=80)
    facts = read_facts(table, row)
    if len(table.problems) > before:
        return None
    return WantedPrompt(row, key or key_of(messages), messages, facts)


def _read_messages(table: Table, row: Row) -> list[str]:
    """From `turns`, a list; or `messages`, a conversation without answers; or `prompt`, one text."""
    name = next((name for name in ("turns", "messages") if row.values.get(name)), None)
    if name is None:
        return [table.text(row, "prompt", required=True, longest=LONGEST_PROMPT)]
    try:
        messages = read_list(row.values[name]) if name == "turns" else _asked(row.values[name])
    except BadTranscript as bad:
        table.refuse(row, name, None, str(bad))
        return []
    if not messages:
        table.refuse(row, name, None, _("is empty. Fill it in."))
    return [
        table.text(Row(row.line, {name: text}, row.file, row.names), name, required=True, longest=LONGEST_PROMPT)
        for text in messages
    ]


def _asked(value: object) -> list[str]:
    entries = read_list(value)
    roles = [entry.get("role") for entry in entries if isinstance(entry, dict)]
    if "system" in roles or "developer" in roles:
        raise BadTranscript(_("a prompt's own system message is not kept. Set the system prompt on the competitors."))
    if "assistant" in roles or "tool" in roles:
        raise BadTranscript(_("holds answers. A prompt is the user's messages alone; import answers as answers."))
    # Two user messages in a row are two turns here: the answers come between them.
    return [message for entry in entries for message in read_transcript([entry]).messages]


def read_facts(table: Table, row: Row) -> Facts:
    """Category, language, tags, source, date and checks of a row."""
    has = row.values.keys()
    return Facts(
        category=table.text(row, "category", longest=60) if "category" in has else None,
        language=table.text(row, "language", longest=20) if "language" in has else None,
        tags=_read_tags(table, row) if "tags" in has else None,
        source=table.text(row, "source", longest=200) if "source" in has else None,
        created_at=table.moment(row, "created_at") if "created_at" in has else None,
        checks=_read_checks(table, row) if "checks" in has else None,
    )


def _read_checks(table: Table, row: Row) -> dict[str, Any]:
    """An object, or its JSON where the file has cells of text."""
    value = row.values.get("checks")
    try:
        return specs.parsed(value) if isinstance(value, str) else specs.validated(value)
    except BadSpec as bad:
        table.refuse(row, "checks", None, str(bad))
        return {}


def split_tags(text: str) -> list[str]:
    """Tags written in one line, between commas or semicolons; each once, in their order."""
    words = (word.strip() for word in re.split(r"[,;\n]", text))
    return list(dict.fromkeys(word for word in words if word))


def _read_tags(table: Table, row: Row) -> tuple[str, ...]:
    value = row.values.get("tags")
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            value = str(value)
    if isinstance(value, list) and all(isinstance(tag, str) for tag in value):
        value = ",".join(value)
    text = table.text(Row(row.line, {"tags": value}, row.file, row.names), "tags")
    tags = tuple(split_tags(text))
    if len(tags) > MOST_TAGS or any(len(tag) > LONGEST_TAG for tag in tags):
        says = _("holds too much. Use at most %(most)d tags of %(longest)d characters.")
        table.refuse(row, "tags", text, says % {"most": MOST_TAGS, "longest": LONGEST_TAG})
    return tags
