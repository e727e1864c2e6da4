"""Recorded answers come in from files: the whole file or nothing, and every problem at once.

The only writer of recorded answers. Competitors that answered elsewhere are made as they are met, without an endpoint.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from arena.competitors import catalogue, versions
from arena.competitors.models import Competitor
from arena.prompts.answer_rows import LONGEST_ANSWER as LONGEST_ANSWER
from arena.prompts.answer_rows import Conversation, Part, read_conversations
from arena.prompts.decoding import read_table
from arena.prompts.importing import alike_notes, named_set, new_prompt
from arena.prompts.mapping import mapped, strictly
from arena.prompts.models import Prompt, PromptSet, RecordedAnswer, Upload
from arena.prompts.prompt_rows import key_of
from arena.prompts.rows import ImportRefused, Problem, Table
from arena.prompts.style import style_fields
from arena.teams.models import Arena

# Conditions that are a competitor's own settings: a competitor made by an import is described by them.
DESCRIBING = ("model_id", "revision", "system_prompt", "temperature", "top_p", "max_tokens", "stop")


class Mixed(StrEnum):
    """What becomes of answers of one model that were made under several conditions."""

    REFUSE = "refuse"
    SPLIT = "split"
    """A competitor for each: the first keeps the name, the others become its versions."""


@dataclass(slots=True)
class AnswerImport:
    """What an import of answers did, and what it passed over."""

    prompt_set: PromptSet
    added: int = 0
    unchanged: int = 0
    new_prompts: int = 0
    new_competitors: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def import_answers(
    path: Path,
    arena: Arena,
    *,
    now: datetime,
    set_name: str = "",
    mixed: Mixed = Mixed.REFUSE,
    columns: Mapping[str, str] | None = None,
    sealed: bool = False,
    dry_run: bool = False,
) -> AnswerImport:
    """Read recorded answers of one file for the prompts of one set; columns go by their names unless their meanings
    are given. Raises ImportRefused."""
    table = read_table(path)
    mapping = strictly(table, Upload.Kind.ANSWERS) if columns is None else columns
    shaped = mapped(table, mapping, Upload.Kind.ANSWERS)
    return store_answers(shaped, arena, now=now, set_name=set_name, mixed=mixed, sealed=sealed, dry_run=dry_run)


def store_answers(
    table: Table,
    arena: Arena,
    *,
    now: datetime,
    set_name: str = "",
    mixed: Mixed = Mixed.REFUSE,
    sealed: bool = False,
    dry_run: bool = False,
) -> AnswerImport:
    """Store the answers of a mapped table in one transaction, in the set of this name or the arena's only one.

    A row names its prompt by `prompt_id`, or by the text itself, which is added when new. Idempotent: an answer that
    is there already with the same text is passed over. An answer never changes, and one competitor answers under one
    set of conditions. Raises ImportRefused with all problems; then nothing was written.
    """
    wanted = read_conversations(table)
    with transaction.atomic():
        prompt_set = _set_of(table, arena, set_name, sealed=sealed)
        done = AnswerImport(prompt_set, notes=list(table.notes))
        prompts = _prompts(done, table, wanted)
        competitors = _Field(arena, mixed)
        chosen = [competitors.of(table, conversation) for conversation in wanted]
        new = _new_answers(done, table, wanted, prompts, chosen)
        if table.problems:
            raise ImportRefused(table.problems)
        RecordedAnswer.objects.bulk_create(new, batch_size=500)
        # What was recorded is bound to the settings it was recorded under, also before anybody votes on it.
        versions.seal({answer.competitor_id for answer in new}, now=now)
        done.added, done.new_competitors = len(new), [row.label for row in competitors.made]
        transaction.set_rollback(dry_run)
    return done


def _set_of(table: Table, arena: Arena, name: str, *, sealed: bool) -> PromptSet:
    if not name:
        sets = PromptSet.objects.filter(arena=arena, purpose=PromptSet.Purpose.BATTLES)
        names = list(sets.order_by("name").values_list("name", flat=True))
        if len(names) > 1:
            says = _("%(arena)s has several prompt sets: say which one (%(names)s).")
            says %= {"arena": arena.slug, "names": ", ".join(names)}
            raise ImportRefused([*table.problems, Problem(table.file, 0, "set", "", says)])
        name = names[0] if names else Path(table.file).stem[:80]
    return named_set(table, arena, name, PromptSet.Purpose.BATTLES, sealed=sealed)


def _prompts(done: AnswerImport, table: Table, wanted: Sequence[Conversation]) -> list[Prompt | None]:
    """The prompt of each conversation; messages met for the first time join the set."""
    stored = list(done.prompt_set.prompts.all())
    by_key = {prompt.key: prompt for prompt in stored}
    by_text = {tuple(prompt.messages): prompt for prompt in stored}
    found: list[Prompt | None] = []
    new: list[tuple[Prompt, int]] = []
    for said in wanted:
        prompt = by_key.get(said.prompt_key) if said.prompt_key else by_text.get(tuple(said.asked))
        if prompt is None and not all(said.asked):
            says = _("is no prompt of the set %(set)s. Import its prompts first, or add a column `prompt`.")
            table.refuse(said.row, "prompt_id", said.prompt_key, says % {"set": done.prompt_set.name})
        elif prompt is None:
            key = said.prompt_key or key_of(said.asked)
            prompt = new_prompt(done.prompt_set, key, said.asked, said.facts)
            by_key[key] = by_text[tuple(said.asked)] = prompt
            new.append((prompt, said.row.line))
        else:
            _check_asked(table, said, prompt)
        found.append(prompt)
    if not table.problems:
        Prompt.objects.bulk_create([prompt for prompt, _line in new], batch_size=500)
        done.new_prompts = len(new)
        done.notes += alike_notes(stored, [(line, prompt.messages) for prompt, line in new])
    return found


def _check_asked(table: Table, said: Conversation, prompt: Prompt) -> None:
    """The answers belong to this very prompt, and to all of its messages."""
    for part, message in zip(said.parts, prompt.messages, strict=False):
        if part.asked and part.asked != message:
            says = _("is another text than the prompt of this id has. Correct the id, or leave the text out.")
            table.refuse(part.row, "prompt", part.asked, says)
    if len(said.parts) != prompt.turn_count:
        says = _("has %(messages)d messages, and %(model)s answers %(answers)d. Give an answer to each.")
        numbers = {"messages": prompt.turn_count, "model": said.model, "answers": len(said.parts)}
        table.refuse(said.row, "prompt_id" if said.prompt_key else "prompt", prompt.key, says % numbers)


class _Field:
    """The arena's competitors by name and by the conditions they answer under; new ones are made as they are met."""

    def __init__(self, arena: Arena, mixed: Mixed) -> None:
        self.arena, self.mixed = arena, mixed
        self.made: list[Competitor] = []
        self._known = {row.label: row for row in Competitor.objects.filter(arena=arena)}
        self._hashes = _conditions_on_record(arena)
        self._refused: set[str] = set()

    def of(self, table: Table, said: Conversation) -> Competitor | None:
        """Who gave these answers; None where that was refused."""
        odd = next((part for part in said.parts if part.conditions_hash != said.conditions_hash), None)
        if odd is not None:
            self._refuse_mixed(table, odd, said.model)
            return None
        competitor = self._named(said)
        if competitor is None:
            return self._make(table, said)
        if competitor.retired_at is not None:
            says = _("is retired. Name its present version, or give the model a new name.")
            table.refuse(said.row, "model", said.model, says)
        if self._hashes.setdefault(competitor.label, said.conditions_hash) != said.conditions_hash:
            self._refuse_mixed(table, said.parts[0], said.model)
            return None
        return competitor

    def _named(self, said: Conversation) -> Competitor | None:
        """The competitor of this name, among its versions the one with these conditions where they may be split."""
        named = self._known.get(said.model)
        if self.mixed == Mixed.REFUSE or named is None:
            return named
        family = [row for row in self._known.values() if row.name == named.name]
        fitting = (row for row in family if self._hashes.get(row.label) in (None, said.conditions_hash))
        return next((row for row in fitting if row.retired_at is None), None)

    def _make(self, table: Table, said: Conversation) -> Competitor | None:
        """A new competitor, or the next version of one that answered under other conditions."""
        if said.model in self._refused:
            return None
        named = self._known.get(said.model)
        family = [row for row in self._known.values() if named is not None and row.name == named.name]
        described = {name: said.conditions[name] for name in DESCRIBING if said.conditions.get(name) is not None}
        described.setdefault("model_id", named.model_id if named else said.model)
        first = said.parts[0]
        competitor = Competitor(
            arena=self.arena,
            name=named.name if named else said.model,
            version=max((row.version for row in family), default=0) + 1,
            organization=first.organization or (named.organization if named else ""),
            license=first.license or (named.license if named else ""),
            **described,
        )
        try:
            catalogue.save_new(competitor)
        except ValidationError as error:
            self._refused.add(said.model)
            table.refuse(said.row, "model", said.model, " ".join(error.messages))
            return None
        self._known[competitor.label] = competitor
        self._hashes[competitor.label] = said.conditions_hash
        self.made.append(competitor)
        return competitor

    def _refuse_mixed(self, table: Table, part: Part, model: str) -> None:
        says = _(
            "was made under other conditions than the answers of %(model)s before it. One competitor answers under "
            "one: give this one another name in `model`, or let the import split them."
        )
        value = json.dumps(part.conditions, ensure_ascii=False)
        table.refuse(part.row, "settings", value, says % {"model": model})


def _conditions_on_record(arena: Arena) -> dict[str, str]:
    """The conditions' hash of every competitor that has recorded answers, by its label."""
    rows = RecordedAnswer.objects.filter(competitor__arena=arena).order_by("competitor_id", "pk")
    of_competitor = dict(rows.values_list("competitor_id", "conditions_hash").distinct())
    return {c.label: of_competitor[c.pk] for c in Competitor.objects.filter(pk__in=of_competitor)}


def _new_answers(
    done: AnswerImport,
    table: Table,
    wanted: Sequence[Conversation],
    prompts: Sequence[Prompt | None],
    competitors: Sequence[Competitor | None],
) -> list[RecordedAnswer]:
    columns = ("prompt_id", "competitor_id", "turn", "text")
    rows = RecordedAnswer.objects.filter(prompt__prompt_set=done.prompt_set).values_list(*columns)
    stored = {(prompt_id, competitor_id, turn): text for prompt_id, competitor_id, turn, text in rows}
    new = []
    for said, prompt, competitor in zip(wanted, prompts, competitors, strict=True):
        if prompt is None or competitor is None:
            continue
        for part in said.parts:
            text = stored.get((prompt.pk, competitor.pk, part.turn))
            if text is None:
                new.append(_answer(prompt, competitor, part))
            elif text == part.text:
                done.unchanged += 1
            else:
                says = _("is another answer than the one %(model)s gave to %(key)s before. An answer never changes.")
                table.refuse(part.row, "response", part.text, says % {"model": part.model, "key": prompt.key})
    return new


def store_generated(new: Sequence[RecordedAnswer], *, now: datetime) -> None:
    """Store the answers of one competitor to all messages of one prompt, made here; all of them or none.

    A prompt that the competitor has answered meanwhile keeps the answers that it has.
    """
    prompt, competitor = new[0].prompt_id, new[0].competitor_id
    with transaction.atomic():
        Competitor.objects.select_for_update().get(pk=competitor)
        if RecordedAnswer.objects.filter(prompt=prompt, competitor=competitor).exists():
            return
        RecordedAnswer.objects.bulk_create(new)
        versions.seal({competitor}, now=now)


def _answer(prompt: Prompt, competitor: Competitor, part: Part) -> RecordedAnswer:
    return RecordedAnswer(
        prompt=prompt,
        competitor=competitor,
        turn=part.turn,
        text=part.text,
        conditions=dict(part.conditions),
        conditions_hash=part.conditions_hash,
        generated_at=part.generated_at,
        first_token_ms=part.first_token_ms,
        total_ms=part.total_ms,
        input_tokens=part.input_tokens,
        output_tokens=part.output_tokens,
        **style_fields(part.text),
    )
