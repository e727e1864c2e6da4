"""Prompt sets come in from files: the whole file or nothing, and every problem at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from arena.prompts.alike import near_duplicates
from arena.prompts.decoding import read_table
from arena.prompts.mapping import mapped, strictly
from arena.prompts.models import Prompt, PromptSet, Upload
from arena.prompts.prompt_rows import Facts, WantedPrompt, read_prompts
from arena.prompts.rows import ImportRefused, Problem, Table
from arena.teams.models import Arena

MOST_ALIKE = 50
"""Pairs of an import that are told one by one."""
UPDATED = ("category", "language", "tags", "source", "checks")


@dataclass(slots=True)
class PromptImport:
    """What an import of prompts did, and what it passed over."""

    prompt_set: PromptSet
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    notes: list[str] = field(default_factory=list)


def import_prompts(
    path: Path,
    arena: Arena,
    *,
    set_name: str = "",
    purpose: PromptSet.Purpose = PromptSet.Purpose.BATTLES,
    columns: Mapping[str, str] | None = None,
    sealed: bool = False,
    dry_run: bool = False,
) -> PromptImport:
    """Read prompts of one file into the set of this name, by default the file's; columns go by their names unless
    their meanings are given. Raises ImportRefused."""
    table = read_table(path)
    mapping = strictly(table, Upload.Kind.PROMPTS) if columns is None else columns
    shaped = mapped(table, mapping, Upload.Kind.PROMPTS)
    name = set_name or path.stem[:80]
    return store_prompts(shaped, arena, set_name=name, purpose=purpose, sealed=sealed, dry_run=dry_run)


def store_prompts(
    table: Table,
    arena: Arena,
    *,
    set_name: str,
    purpose: PromptSet.Purpose = PromptSet.Purpose.BATTLES,
    sealed: bool = False,
    dry_run: bool = False,
) -> PromptImport:
    """Store the prompts of a mapped table in one transaction.

    Idempotent by key (`id`, else a hash of the messages). Category, language, tags, source and checks follow
    the file where it has them; messages never change under their key. Raises ImportRefused with all problems; then
    nothing was written.
    """
    wanted = read_prompts(table)
    with transaction.atomic():
        prompt_set = named_set(table, arena, set_name, purpose, sealed=sealed)
        done = PromptImport(prompt_set, notes=list(table.notes))
        _store(done, table, wanted)
        if table.problems:
            raise ImportRefused(table.problems)
        transaction.set_rollback(dry_run)
    return done


def named_set(table: Table, arena: Arena, name: str, purpose: PromptSet.Purpose, *, sealed: bool = False) -> PromptSet:
    """The set of this name and purpose, made if there is none. Raises ImportRefused where it cannot be."""
    name = name.strip()
    if not name or len(name) > 80 or "\x00" in name:
        says = _("is no name of a prompt set. Use 1 to 80 characters.")
        raise ImportRefused([*table.problems, Problem(table.file, 0, "set", name, says)])
    prompt_set, is_new = PromptSet.objects.get_or_create(
        arena=arena, name=name, defaults={"purpose": purpose, "source": table.file[:200], "is_sealed": sealed}
    )
    if prompt_set.purpose != purpose:
        says = _("is a set of the other purpose (%(purpose)s). Give another name.") % {"purpose": prompt_set.purpose}
        raise ImportRefused([*table.problems, Problem(table.file, 0, "set", name, says)])
    if sealed and not is_new and not prompt_set.is_sealed:
        PromptSet.objects.filter(pk=prompt_set.pk).update(is_sealed=True)
        prompt_set.is_sealed = True
    return prompt_set


def new_prompt(prompt_set: PromptSet, key: str, messages: Sequence[str], facts: Facts) -> Prompt:
    """An unsaved prompt."""
    return Prompt(
        prompt_set=prompt_set,
        key=key,
        text=messages[0],
        follow_ups=list(messages[1:]),
        turn_count=len(messages),
        category=facts.category or "",
        language=facts.language or "",
        tags=list(facts.tags or ()),
        source=facts.source or "",
        checks=facts.checks or {},
        created_at=_added(facts.created_at),
    )


def _added(given: datetime | None) -> datetime:
    now = timezone.now()
    return min(given, now) if given else now


def _store(done: PromptImport, table: Table, wanted: list[WantedPrompt]) -> None:
    stored = {prompt.key: prompt for prompt in done.prompt_set.prompts.all()}
    new, changed = [], []
    for prompt in wanted:
        old = stored.get(prompt.key)
        if old is None:
            new.append(prompt)
        elif old.messages != prompt.messages:
            says = _("has another text in the set %(set)s. A prompt never changes: give it a new id.")
            table.refuse(prompt.row, "id", prompt.key, says % {"set": done.prompt_set.name})
        elif _update(old, prompt.facts):
            changed.append(old)
        else:
            done.unchanged += 1
    if table.problems:
        return
    made = [new_prompt(done.prompt_set, prompt.key, prompt.messages, prompt.facts) for prompt in new]
    Prompt.objects.bulk_create(made, batch_size=500)
    Prompt.objects.bulk_update(changed, UPDATED, batch_size=500)
    done.added, done.updated = len(new), len(changed)
    done.notes += alike_notes(list(stored.values()), [(prompt.row.line, prompt.messages) for prompt in new])


def _update(old: Prompt, facts: Facts) -> bool:
    """Take over what the file says; whether anything differs."""
    said = {name: getattr(facts, name) for name in UPDATED if getattr(facts, name) is not None}
    if "tags" in said:
        said["tags"] = list(said["tags"])
    differs = any(getattr(old, name) != value for name, value in said.items())
    for name, value in said.items():
        setattr(old, name, value)
    return differs


def alike_notes(stored: Sequence[Prompt], new: Sequence[tuple[int, Sequence[str]]]) -> list[str]:
    """A sentence on every new prompt that reads like another: nothing stops at it, the operator should know."""
    present = [prompt for prompt in stored if prompt.retired_at is None]
    texts = ["\n".join(prompt.messages) for prompt in present] + ["\n".join(messages) for _line, messages in new]
    found = near_duplicates(texts, new_from=len(present))
    pairs = found.pairs

    def named(place: int) -> str:
        if place < len(present):
            return _("prompt %(key)s") % {"key": present[place].key}
        return _("line %(line)d") % {"line": new[place - len(present)][0]}

    notes = [
        _("Nearly alike: %(first)s and %(second)s (%(share)d %% of word pairs). Each counts as a prompt of its own.")
        % {"first": named(pair.first), "second": named(pair.second), "share": round(100 * pair.share)}
        for pair in pairs[:MOST_ALIKE]
    ]
    if len(pairs) > MOST_ALIKE:
        notes.append(_("Nearly alike: %(count)d more pairs.") % {"count": len(pairs) - MOST_ALIKE})
    if not found.is_whole:
        notes.append(
            _("There are too many prompts to compare all of them: pairs that are nearly alike may be missing.")
        )
    return notes
