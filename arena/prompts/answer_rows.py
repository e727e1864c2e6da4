"""Rows of answers to conversations: one model's answers to all messages of one prompt, with the conditions of each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from arena.competitors.providers import clean
from arena.prompts.prompt_rows import LONGEST_PROMPT, Facts, key_of, read_facts
from arena.prompts.recording import hash_of
from arena.prompts.rows import Row, Table
from arena.prompts.transcripts import BadTranscript, read_answers, read_transcript

LONGEST_ANSWER = 32_000
"""One length cap for live and recorded answers; a longer one would be cut on the page."""
MOST_TURNS = 50


@dataclass(frozen=True, slots=True)
class Part:
    """One answer to one message, as a row has it."""

    row: Row
    prompt_key: str
    model: str
    turn: int
    asked: str
    text: str
    organization: str
    license: str
    conditions: Mapping[str, Any]
    conditions_hash: str
    generated_at: datetime | None
    first_token_ms: float | None
    total_ms: float | None
    input_tokens: int | None
    output_tokens: int | None


@dataclass(frozen=True, slots=True)
class Conversation:
    """A model's answers to a prompt, in the order of its messages."""

    parts: tuple[Part, ...]
    facts: Facts

    @property
    def row(self) -> Row:
        return self.parts[0].row

    @property
    def model(self) -> str:
        return self.parts[0].model

    @property
    def prompt_key(self) -> str:
        return self.parts[0].prompt_key

    @property
    def asked(self) -> list[str]:
        """The prompt's messages; "" where the file leaves one to the prompt's id."""
        return [part.asked for part in self.parts]

    @property
    def conditions(self) -> Mapping[str, Any]:
        return self.parts[0].conditions

    @property
    def conditions_hash(self) -> str:
        return self.parts[0].conditions_hash


def read_conversations(table: Table) -> list[Conversation]:
    """Every conversation of a mapped table; what cannot be one is refused with its line."""
    grouped: dict[tuple[str, str], list[Part]] = {}
    facts: dict[tuple[str, str], Facts] = {}
    for row in table.rows:
        before = len(table.problems)
        said = read_facts(table, row)
        parts = list(_parts(table, row))
        if len(table.problems) > before:
            continue
        for part in parts:
            ident = (part.prompt_key or key_of([part.asked for part in parts]), part.model)
            grouped.setdefault(ident, []).append(part)
            facts.setdefault(ident, said)
    read = (_conversation(table, parts, facts[ident]) for ident, parts in grouped.items())
    return [conversation for conversation in read if conversation is not None]


def _conversation(table: Table, parts: list[Part], facts: Facts) -> Conversation | None:
    """In the order of turns, each there once and none missing."""
    by_turn: dict[int, Part] = {}
    for part in parts:
        first = by_turn.setdefault(part.turn, part)
        if first is not part:
            says = _("answers this prompt on line %(line)d already. Keep one of the two.") % {"line": first.row.line}
            table.refuse(part.row, "model", part.model, says)
            return None
    turns = sorted(by_turn)
    missing = next((turn for turn in range(1, turns[-1] + 1) if turn not in by_turn), None)
    if missing is not None:
        says = _("is answered by %(model)s, and turn %(missing)d is not. Add it, or leave the later turns out.")
        row = by_turn[turns[-1]].row
        table.refuse(row, "turn", turns[-1], says % {"model": parts[0].model, "missing": missing})
        return None
    return Conversation(tuple(by_turn[turn] for turn in turns), facts)


def _parts(table: Table, row: Row) -> Iterator[Part]:
    """The answers of one row: one, or all of a whole conversation."""
    key = table.text(row, "prompt_id", longest=80)
    model = table.text(row, "model", required=True, longest=80)
    if row.values.get("messages"):
        yield from _of_transcript(table, row, key, model)
        return
    if row.values.get("responses"):
        yield from _of_list(table, row, key, model)
        return
    turn = table.whole(row, "turn")
    turn = 1 if turn is None else turn
    if not 1 <= turn <= MOST_TURNS:
        table.refuse(row, "turn", turn, _("is no turn. Count from 1 to %(most)d.") % {"most": MOST_TURNS})
    if turn > 1 and not key:
        table.refuse(row, "turn", turn, _("needs the prompt's id, which says whose turn it is. Add prompt_id."))
    asked = table.text(row, "prompt", required=not key, longest=LONGEST_PROMPT)
    raw = table.text(row, "response", required=True)
    yield _part(table, row, key, model, turn, asked, raw, "")


def _of_list(table: Table, row: Row, key: str, model: str) -> Iterator[Part]:
    """Answers to a prompt that is known by its id, or to one message, in the order of its messages."""
    try:
        answers = read_answers(row.values["responses"])
    except BadTranscript as bad:
        table.refuse(row, "responses", None, str(bad))
        return
    asked = table.text(row, "prompt", required=not key, longest=LONGEST_PROMPT)
    if len(answers) > MOST_TURNS or (len(answers) > 1 and not key):
        says = _("holds %(count)d answers. Add the prompt's id, which says to what, and give up to %(most)d.")
        table.refuse(row, "responses", None, says % {"count": len(answers), "most": MOST_TURNS})
        return
    names = {**row.names, "response": row.names.get("responses", "responses")}
    for turn, raw in enumerate(answers, 1):
        own = Row(row.line, {**row.values, "response": raw}, row.file, names)
        said = table.text(own, "response", required=True)
        yield _part(table, own, key, model, turn, asked if turn == 1 else "", said, "")


def _of_transcript(table: Table, row: Row, key: str, model: str) -> Iterator[Part]:
    try:
        said = read_transcript(row.values["messages"])
    except BadTranscript as bad:
        table.refuse(row, "messages", None, str(bad))
        return
    if len(said.answers) < len(said.messages) or len(said.messages) > MOST_TURNS:
        says = _("has %(asked)d messages and %(answered)d answers. Give an answer to each, up to %(most)d.")
        numbers = {"asked": len(said.messages), "answered": len(said.answers), "most": MOST_TURNS}
        table.refuse(row, "messages", None, says % numbers)
        return
    for turn, (asked, raw) in enumerate(zip(said.messages, said.answers, strict=True), 1):
        own = Row(row.line, {**row.values, "prompt": asked, "response": raw}, row.file, row.names)
        asked = table.text(own, "prompt", required=True, longest=LONGEST_PROMPT)
        yield _part(table, own, key, model, turn, asked, table.text(own, "response", required=True), said.system)


def _part(table: Table, row: Row, key: str, model: str, turn: int, asked: str, raw: str, system: str) -> Part:
    conditions, named = _read_conditions(table, row, system)
    return Part(
        row=row,
        prompt_key=key,
        model=model,
        turn=turn,
        asked=asked,
        text=_cleaned(table, row, raw),
        organization=table.text(row, "organization", longest=120),
        license=table.text(row, "license", longest=120),
        conditions=conditions,
        conditions_hash=named,
        generated_at=table.moment(row, "generated_at"),
        first_token_ms=table.number(row, "first_token_ms"),
        total_ms=table.number(row, "total_ms"),
        input_tokens=table.whole(row, "input_tokens"),
        output_tokens=table.whole(row, "output_tokens"),
    )


def _cleaned(table: Table, row: Row, raw: str) -> str:
    """The answer as a live one would be shown: other files keep leading blanks, role echoes, thoughts and end tokens.

    Those would name the model that made them.
    """
    text = clean(raw, max_chars=len(raw))
    if len(text) > LONGEST_ANSWER:
        says = _("has %(length)d characters. Use at most %(most)d.") % {"length": len(text), "most": LONGEST_ANSWER}
        table.refuse(row, "response", text, says)
    if raw and not text:
        says = _("holds thoughts or tokens of a template alone. Leave the row out.")
        table.refuse(row, "response", raw, says)
    return text


def _read_conditions(table: Table, row: Row, system: str) -> tuple[Mapping[str, Any], str]:
    """The conditions with the revision among them, and their hash, which must be the one given where one is."""
    settings, revision = _read_settings(table, row), table.text(row, "revision", longest=80)
    if system:
        settings = {"system_prompt": system, **settings}
    try:
        named = hash_of(settings, revision)
    except ValueError:  # a lone surrogate has no UTF-8, NaN no JSON
        says = _("holds what no database keeps. Remove surrogates, NaN and Infinity.")
        table.refuse(row, "settings", ascii(settings), says)
        return {}, ""
    given = table.text(row, "conditions_hash")
    if given and given != named:
        says = _("is not the hash of these settings, %(hash)s. Record again.") % {"hash": named}
        table.refuse(row, "conditions_hash", given, says)
    return ({**settings, "revision": revision} if revision else settings), named


def _read_settings(table: Table, row: Row) -> Mapping[str, Any]:
    value = row.values.get("settings")
    if not value:
        return {}
    name = row.names.get("settings", "settings")
    if isinstance(value, str) and value.lstrip()[:1] != "{":
        # A word that names a set of conditions, as "nucleus9", says whether two answers were made alike.
        word = table.text(row, "settings", longest=80)
        return {name: word} if word else {}
    if isinstance(value, str):  # a CSV cell
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = None
    if isinstance(value, dict):
        return value
    says = _('is no JSON object. Write {"temperature": 0.7} or leave it empty.')
    table.refuse(row, "settings", row.values["settings"], says)
    return {}
