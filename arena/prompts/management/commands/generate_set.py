"""Runs a prompt set against live competitors, from the command line."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from arena.competitors.models import Competitor
from arena.prompts.generation import runs
from arena.prompts.generation.errors import GenerationRefused
from arena.prompts.generation.working import carry_out
from arena.prompts.models import GenerationRun, PromptSet
from arena.teams.arenas import UnknownArena, arena_named
from arena.teams.models import Arena


class Command(BaseCommand):
    help = (
        "Asks an arena's live competitors about every prompt of a set and stores what they answer. Only what is "
        "missing is asked for, so that running it again completes a run that was cut off."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("arena", help="the arena's slug")
        parser.add_argument("--set", default="", help="the prompt set's name; needed where the arena has several")
        parser.add_argument("--competitor", action="append", default=[], metavar="NAME", help="who is asked; else all")
        parser.add_argument("--concurrency", type=int, default=2, help="answers asked of one endpoint at a time")
        parser.add_argument("--attempts", type=int, default=3, help="how often one answer is asked for")
        parser.add_argument("--budget", type=float, help="what may be spent, in the currency of the prices")
        parser.add_argument("--no-wait", action="store_true", help="leave the run to the worker")
        parser.add_argument("--status", action="store_true", help="only say how the last run stands")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            arena = arena_named(options["arena"])
            if options["status"]:
                self.stdout.write(described(last_run(arena)))
                return
            run = runs.start(
                prompt_set_of(arena, options["set"]), competitors_of(arena, options["competitor"]), now=timezone.now(),
                concurrency=options["concurrency"], attempts=options["attempts"], budget=options["budget"],
            )  # fmt: skip
        except (UnknownArena, GenerationRefused) as error:
            raise CommandError(str(error), returncode=2) from error
        except ValidationError as error:
            raise CommandError(
                "; ".join(f"--{name}: {' '.join(says)}" for name, says in error.message_dict.items())
            ) from error
        if options["no_wait"]:
            self.stdout.write(f"{described(run)} The worker carries it out.")
            return
        claimed = runs.claim(now=timezone.now())
        if claimed == run:
            carry_out(claimed)
        run.refresh_from_db()
        self.stdout.write(described(run))
        for failure in run.failures:
            self.stderr.write(f"{failure['prompt']}, {failure['competitor']}: {failure['says']}")
        if runs.progress(run).missing:
            raise CommandError("Answers are missing. Run it again to ask for them once more.", returncode=1)


def described(run: GenerationRun) -> str:
    """One line: state, progress, cost."""
    progress = runs.progress(run)
    return f"{run.get_state_display()}: {progress.answered} of {progress.wanted} answers, spent {run.spent:.2f}."


def last_run(arena: Arena) -> GenerationRun:
    run = GenerationRun.objects.filter(prompt_set__arena=arena).order_by("-pk").first()
    if run is None:
        raise CommandError(f"No prompt set of {arena.slug} was ever run. Start one without --status.", returncode=2)
    return run


def prompt_set_of(arena: Arena, name: str) -> PromptSet:
    sets = {row.name: row for row in PromptSet.objects.filter(arena=arena, purpose=PromptSet.Purpose.BATTLES)}
    if name and name in sets:
        return sets[name]
    if not name and len(sets) == 1:
        return next(iter(sets.values()))
    known = ", ".join(sets) or "none yet: import one with import_prompts"
    raise CommandError(f"--set {name!r}: say which of the arena's prompt sets ({known}).", returncode=2)


def competitors_of(arena: Arena, names: list[str]) -> list[Competitor]:
    here = {row.label: row for row in runs.askable(arena)}
    for name in names:
        if name not in here:
            known = ", ".join(here) or "none yet: add one with add_competitor --endpoint"
            raise CommandError(f"--competitor {name!r} cannot be asked here. Known: {known}.", returncode=2)
    return [here[name] for name in names] if names else list(here.values())
