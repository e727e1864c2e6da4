"""Recorded answers come in from a file, one row an answer: the whole file or nothing, and every problem at once.

The only writer of recorded answers. Competitors that answered elsewhere are made as they are met, without an endpoint.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.dateparse import parse_datetime

from arena.competitors import catalogue, versions
from arena.competitors.models import Competitor
from arena.competitors.providers import clean
from arena.prompts.importing import LONGEST_PROMPT, key_of
from arena.prompts.models import Prompt, PromptSet, RecordedAnswer
from arena.prompts.recording import hash_of
from arena.prompts.rows import ImportRefused, Problem, Row, Table, read_table
from arena.prompts.style import style_fields
from arena.teams.models import Arena

LONGEST_ANSWER = 32_000
"""One length cap for live and recorded answers; a longer one would be cut on the page."""
KEPT = ("prompt_id", "prompt", "model", "response", "organization", "license", "latency_ms", "total_ms",
        "first_token_ms", "input_tokens", "output_tokens", "settings", "sampling", "conditions", "revision",
        "generated_at", "turn")  # fmt: skip
OWN = ("prompt_key", "conditions_hash")  # as generate_answers writes them
PASSED_OVER = ("cost", "category", "language", "finish_reason")
# Conditions that are a competitor's own settings: a competitor made by an import is described by them.
DESCRIBING = ("model_id", "revision", "system_prompt", "temperature", "top_p", "max_tokens", "stop")


@dataclass(slots=True)
class AnswerImport:
    """What an import of answers did, and what it passed over."""

    prompt_set: PromptSet
    added: int = 0
    unchanged: int = 0
    new_prompts: int = 0
    new_competitors: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Wanted:
    line: int
    prompt_key: str
    prompt_text: str
    model: str
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


def import_answers(
    path: Path, arena: Arena, *, now: datetime, set_name: str = "", dry_run: bool = False
) -> AnswerImport:
    """Read recorded answers for the prompts of one set, by default the arena's only one, in one transaction.

    A row names its prompt by `prompt_id`, or by the text itself, which is added when new. Idempotent: an answer that
    is there already with the same text is passed over. An answer never changes, and one competitor answers under one
    set of conditions. Raises ImportRefused with all problems; then nothing was written.
    """
    table = read_table(path)
    wanted = _read_answers(table)
    with transaction.atomic():
        done = AnswerImport(_set_of(arena, set_name, path))
        prompts = _prompts(done, table, wanted)
        competitors = _competitors(done, arena, table, wanted)
        new = _new_answers(done, table, wanted, prompts, competitors)
        if table.problems:
            raise ImportRefused(table.problems)
        RecordedAnswer.objects.bulk_create(new, batch_size=500)
        # What was recorded is bound to the settings it was recorded under, also before anybody votes on it.
        versions.seal({answer.competitor_id for answer in new}, now=now)
        done.added = len(new)
        done.notes = [f"Not kept: the column {name}." for name in table.columns() if name in PASSED_OVER]
        transaction.set_rollback(dry_run)
    return done


def _read_answers(table: Table) -> list[_Wanted]:
    columns = table.columns()
    for name in ("model", "response"):
        if table.rows and name not in columns and "messages" not in columns:
            says = f"is missing. Write one row an answer with prompt_id, model, response; here is {', '.join(columns)}."
            table.refuse(1, name, None, says)
    if table.problems and not columns:
        return []
    for name in sorted(set(columns) - {*KEPT, *OWN, *PASSED_OVER, "messages"}):
        table.refuse(0, name, None, f"is no known column. Use {', '.join(KEPT)}, or remove it.")
    wanted = [answer for row in table.rows if (answer := _read_answer(table, row))]
    seen: dict[tuple[str, str], int] = {}
    for answer in wanted:
        first = seen.setdefault((answer.prompt_key or key_of(answer.prompt_text), answer.model), answer.line)
        if first != answer.line:
            says = f"answers this prompt on line {first} already. Keep one of the two."
            table.refuse(answer.line, "model", answer.model, says)
    return wanted


def _read_answer(table: Table, row: Row) -> _Wanted | None:
    before = len(table.problems)
    turn = table.whole(row, "turn")
    if row.values.get("messages") or turn not in (None, 1):
        says = "conversations of several turns cannot be imported yet. Give one prompt and one response."
        table.refuse(row.line, "messages" if row.values.get("messages") else "turn", turn, says)
        return None
    key = table.text(row, "prompt_id", "prompt_key", longest=80)
    text = table.text(row, "prompt", required=not key, longest=LONGEST_PROMPT)
    answered = _read_text(table, row)
    conditions, named = _read_conditions(table, row)
    first_token = table.number(row, "first_token_ms")
    total = table.number(row, "total_ms")
    answer = _Wanted(
        line=row.line,
        prompt_key=key,
        prompt_text=text,
        model=table.text(row, "model", required=True, longest=80),
        text=answered,
        organization=table.text(row, "organization", longest=120),
        license=table.text(row, "license", longest=120),
        conditions=conditions,
        conditions_hash=named,
        generated_at=_read_time(table, row),
        first_token_ms=first_token,
        total_ms=total if total is not None else table.number(row, "latency_ms"),
        input_tokens=table.whole(row, "input_tokens"),
        output_tokens=table.whole(row, "output_tokens"),
    )
    return answer if len(table.problems) == before else None


def _read_text(table: Table, row: Row) -> str:
    """The answer as a live one would be shown: other files keep leading blanks, role echoes, thoughts and end tokens.

    Those would name the model that made them.
    """
    raw = table.text(row, "response", required=True)
    text = clean(raw, max_chars=len(raw))
    if len(text) > LONGEST_ANSWER:
        table.refuse(row.line, "response", text, f"has {len(text)} characters. Use at most {LONGEST_ANSWER}.")
    if raw and not text:
        table.refuse(row.line, "response", raw, "holds thoughts or tokens of a template alone. Leave the row out.")
    return text


def _read_conditions(table: Table, row: Row) -> tuple[Mapping[str, Any], str]:
    """The conditions with the revision among them, and their hash, which must be the one given where one is."""
    settings, revision = _read_settings(table, row), table.text(row, "revision", longest=80)
    try:
        named = hash_of(settings, revision)
    except ValueError:  # a lone surrogate has no UTF-8, NaN no JSON
        says = "holds what no database keeps. Remove surrogates, NaN and Infinity."
        table.refuse(row.line, "settings", ascii(settings), says)
        return {}, ""
    given = table.text(row, "conditions_hash")
    if given and given != named:
        table.refuse(row.line, "conditions_hash", given, f"is not the hash of these settings, {named}. Record again.")
    return ({**settings, "revision": revision} if revision else settings), named


def _read_settings(table: Table, row: Row) -> Mapping[str, Any]:
    for name in ("conditions", "settings", "sampling"):
        value = row.values.get(name)
        if not value:
            continue
        if isinstance(value, str):  # a CSV cell
            try:
                value = json.loads(value)
            except ValueError:
                value = None
        if isinstance(value, dict):
            return value
        table.refuse(
            row.line, name, row.values[name], 'is no JSON object. Write {"temperature": 0.7} or leave it empty.'
        )
        break
    return {}


def _read_time(table: Table, row: Row) -> datetime | None:
    raw = table.text(row, "generated_at")
    if not raw:
        return None
    try:
        moment = parse_datetime(raw)
    except ValueError:
        moment = None
    if moment is None:
        table.refuse(row.line, "generated_at", raw, "is no date and time. Write 2026-11-24T12:00:00Z.")
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _set_of(arena: Arena, name: str, path: Path) -> PromptSet:
    sets = PromptSet.objects.filter(arena=arena, purpose=PromptSet.Purpose.BATTLES)
    if not name:
        names = list(sets.order_by("name").values_list("name", flat=True))
        if len(names) > 1:
            says = f"{arena.slug} has several prompt sets: say which with --set ({', '.join(names)})."
            raise ImportRefused([Problem(path.name, 0, "", "", says)])
        name = names[0] if names else path.stem[:80]
    if PromptSet.objects.filter(arena=arena, name=name, purpose=PromptSet.Purpose.SUGGESTIONS).exists():
        says = "holds suggestions, which are not answered beforehand. Give another name with --set."
        raise ImportRefused([Problem(path.name, 0, "set", name, says)])
    return sets.get_or_create(arena=arena, name=name, defaults={"source": path.name[:200]})[0]


def _prompts(done: AnswerImport, table: Table, wanted: list[_Wanted]) -> dict[int, Prompt]:
    """The prompt of each line; texts met for the first time join the set."""
    by_key = {prompt.key: prompt for prompt in done.prompt_set.prompts.all()}
    by_text = {prompt.text: prompt for prompt in by_key.values()}
    found: dict[int, Prompt] = {}
    new: list[Prompt] = []
    for answer in wanted:
        prompt = by_key.get(answer.prompt_key) if answer.prompt_key else by_text.get(answer.prompt_text)
        if prompt is None and not answer.prompt_text:
            says = (
                f"is no prompt of the set {done.prompt_set.name}. Import its prompts first, or add a column `prompt`."
            )
            table.refuse(answer.line, "prompt_id", answer.prompt_key, says)
            continue
        if prompt is None:
            key = answer.prompt_key or key_of(answer.prompt_text)
            prompt = Prompt(prompt_set=done.prompt_set, key=key, text=answer.prompt_text)
            by_key[key] = by_text[answer.prompt_text] = prompt
            new.append(prompt)
        elif answer.prompt_text and prompt.text != answer.prompt_text:
            says = "is another text than the prompt of this id has. Correct the id, or leave the text out."
            table.refuse(answer.line, "prompt", answer.prompt_text, says)
        found[answer.line] = prompt
    if not table.problems:
        Prompt.objects.bulk_create(new, batch_size=500)
        done.new_prompts = len(new)
    return found


def _competitors(done: AnswerImport, arena: Arena, table: Table, wanted: list[_Wanted]) -> dict[str, Competitor]:
    """The competitor of each model, by its label in the arena; unknown ones are made, for recorded answers only."""
    known = {competitor.label: competitor for competitor in Competitor.objects.filter(arena=arena)}
    hashes = _conditions_on_record(arena)
    made: dict[str, Competitor] = {}
    for answer in wanted:
        competitor = known.get(answer.model)
        if competitor is None and answer.model not in hashes:
            made[answer.model] = _described(arena, answer)
        elif competitor is not None and competitor.retired_at is not None:
            says = "is retired. Name its present version, or give the model a new name."
            table.refuse(answer.line, "model", answer.model, says)
        if hashes.setdefault(answer.model, answer.conditions_hash) != answer.conditions_hash:
            says = (
                f"was made under other conditions than the answers of {answer.model} before it. "
                "One competitor answers under one: give this one another name in `model`."
            )
            table.refuse(answer.line, "conditions", json.dumps(answer.conditions, ensure_ascii=False), says)
    for label, competitor in made.items():
        try:
            catalogue.save_new(competitor)
        except ValidationError as error:
            line = next(answer.line for answer in wanted if answer.model == label)
            table.refuse(line, "model", label, " ".join(error.messages))
    done.new_competitors = list(made)
    return {**known, **made}


def _conditions_on_record(arena: Arena) -> dict[str, str]:
    """The conditions' hash of every competitor that has recorded answers, by its label."""
    rows = RecordedAnswer.objects.filter(competitor__arena=arena).order_by("competitor_id", "pk")
    pairs = rows.values_list("competitor_id", "conditions_hash").distinct()
    of_competitor = dict(pairs)
    return {c.label: of_competitor[c.pk] for c in Competitor.objects.filter(pk__in=of_competitor)}


def _described(arena: Arena, answer: _Wanted) -> Competitor:
    described = {name: answer.conditions[name] for name in DESCRIBING if answer.conditions.get(name) is not None}
    described.setdefault("model_id", answer.model)
    return Competitor(
        arena=arena, name=answer.model, organization=answer.organization, license=answer.license, **described
    )


def _new_answers(
    done: AnswerImport,
    table: Table,
    wanted: list[_Wanted],
    prompts: Mapping[int, Prompt],
    competitors: Mapping[str, Competitor],
) -> list[RecordedAnswer]:
    stored = {
        (prompt_id, competitor_id): text
        for prompt_id, competitor_id, text in RecordedAnswer.objects.filter(
            prompt__prompt_set=done.prompt_set
        ).values_list("prompt_id", "competitor_id", "text")
    }
    new = []
    for answer in wanted:
        prompt, competitor = prompts.get(answer.line), competitors.get(answer.model)
        if prompt is None or competitor is None:
            continue
        text = stored.get((prompt.pk, competitor.pk))
        if text is None:
            new.append(_answer(prompt, competitor, answer))
        elif text == answer.text:
            done.unchanged += 1
        else:
            says = (
                f"is another answer than the one {answer.model} gave to {prompt.key} before. An answer never changes."
            )
            table.refuse(answer.line, "response", answer.text, says)
    return new


def _answer(prompt: Prompt, competitor: Competitor, wanted: _Wanted) -> RecordedAnswer:
    return RecordedAnswer(
        prompt=prompt,
        competitor=competitor,
        text=wanted.text,
        conditions=dict(wanted.conditions),
        conditions_hash=wanted.conditions_hash,
        generated_at=wanted.generated_at,
        first_token_ms=wanted.first_token_ms,
        total_ms=wanted.total_ms,
        input_tokens=wanted.input_tokens,
        output_tokens=wanted.output_tokens,
        **style_fields(wanted.text),
    )
