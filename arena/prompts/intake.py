"""One door for pages and API: files and a choice of meanings in, a report out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from arena.prompts.answers import Mixed, store_answers
from arena.prompts.decoding import LARGEST, File, Reading, read_files
from arena.prompts.importing import store_prompts
from arena.prompts.mapping import mapped, strictly
from arena.prompts.models import PromptSet, Upload
from arena.prompts.rows import ImportRefused, Problem
from arena.teams.models import Arena

MOST_FILES = 50


@dataclass(frozen=True, slots=True)
class Choice:
    """How files are to be taken. Without a mapping columns go by their names, and unknown ones are refused."""

    kind: str
    mapping: Mapping[str, str] | None = None
    set_name: str = ""
    purpose: str = PromptSet.Purpose.BATTLES
    sealed: bool = False
    mixed: str = Mixed.REFUSE
    reading: Reading = field(default_factory=Reading)


@dataclass(frozen=True, slots=True)
class Report:
    """What an import made, or would make, what was there already, and what was passed over and why."""

    prompt_set: str
    prompts: int = 0
    competitors: list[str] = field(default_factory=list)
    answers: int = 0
    updated: int = 0
    unchanged: int = 0
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def check_size(files: Sequence[File]) -> None:
    """Raises ImportRefused where nothing was sent, or too much at once."""
    if not files:
        raise ImportRefused([Problem(_("upload"), 0, "", "", _("holds no file. Choose one, or paste a table."))])
    if len(files) > MOST_FILES:
        says = _("holds %(count)d files. Send at most %(most)d at once.") % {"count": len(files), "most": MOST_FILES}
        raise ImportRefused([Problem(_("upload"), 0, "", "", says)])
    refuse_too_large(sum(len(file.content) for file in files), files[0].name)


def refuse_too_large(size: int, name: str) -> None:
    """Raises ImportRefused above `LARGEST`."""
    if size > LARGEST:
        says = _("has %(size).1f MB. Send at most %(most)d MB at once: divide the file, or import it by command.")
        raise ImportRefused([Problem(name, 0, "", "", says % {"size": size / 1e6, "most": LARGEST // 1_000_000})])


def take_in(files: Sequence[File], arena: Arena, choice: Choice, *, now: datetime, dry_run: bool = False) -> Report:
    """Import everything in one transaction, or nothing. Raises ImportRefused with all problems."""
    check_size(files)
    table = read_files(files, choice.reading)
    mapping = choice.mapping if choice.mapping is not None else strictly(table, choice.kind)
    shaped = mapped(table, mapping, choice.kind)
    if choice.kind == Upload.Kind.PROMPTS:
        name, purpose = choice.set_name or set_name_for(files), PromptSet.Purpose(choice.purpose)
        prompts = store_prompts(shaped, arena, set_name=name, purpose=purpose, sealed=choice.sealed, dry_run=dry_run)
        return Report(prompts.prompt_set.name, prompts=prompts.added, updated=prompts.updated,
                      unchanged=prompts.unchanged, notes=prompts.notes)  # fmt: skip
    if arena.kind == Arena.Kind.LIVE:
        says = _("is a live arena, which serves no recorded answers. Make it a recorded or a mixed one.")
        raise ImportRefused([*shaped.problems, Problem(shaped.file, 0, "arena", arena.slug, says)])
    answers = store_answers(
        shaped, arena, now=now, set_name=choice.set_name, mixed=Mixed(choice.mixed), sealed=choice.sealed,
        dry_run=dry_run,
    )  # fmt: skip
    return Report(answers.prompt_set.name, prompts=answers.new_prompts, competitors=answers.new_competitors,
                  answers=answers.added, unchanged=answers.unchanged, notes=answers.notes)  # fmt: skip


def set_name_for(files: Sequence[File]) -> str:
    """A set's name where none is given: the file's."""
    return Path(files[0].name).stem[:80] or "prompts"
