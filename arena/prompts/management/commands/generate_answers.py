"""Answer the starter prompts with the local competitors, so that an arena can serve them without a model."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from arena.competitors.local import LOCAL_COMPETITORS
from arena.competitors.local_model import LocalModelUnavailable, running_local_model
from arena.competitors.providers import EndpointAddress, OpenAICompatibleProvider
from arena.prompts.recording import (
    Progress,
    PromptLine,
    RecordedAnswerLine,
    RecordingError,
    append_answer,
    read_answers,
    read_prompts,
    record_answers,
    write_answers,
)

DATA = Path(__file__).resolve().parents[2] / "data"


class Command(BaseCommand):
    help = (
        "Record every local competitor's answer to every prompt. Answers made before under the same conditions are "
        "kept, so a run that was stopped goes on where it was."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--prompts", type=Path, default=DATA / "prompts.jsonl", metavar="FILE", help="what to ask, JSONL"
        )
        parser.add_argument(
            "--out", type=Path, default=DATA / "answers.jsonl", metavar="FILE", help="where answers are kept, JSONL"
        )
        parser.add_argument("--base-url", help="a server of the same model; without it the local model is started")
        parser.add_argument("--concurrency", type=int, default=1, help="above 1 the recorded timings say less")

    def handle(self, *args: Any, **options: Any) -> None:
        base_url, out = options["base_url"], options["out"]
        if options["concurrency"] < 1:
            raise CommandError(f"--concurrency is {options['concurrency']}. Give at least 1.")
        model: AbstractContextManager[str] = nullcontext(base_url) if base_url else running_local_model()
        try:
            prompts, existing = read_prompts(options["prompts"]), read_answers(out)
            with model as url:
                lines = asyncio.run(self._record(prompts, existing, url, out, options["concurrency"]))
            write_answers(out, lines)
        except (LocalModelUnavailable, RecordingError) as error:
            raise CommandError(str(error)) from None
        wanted = len(prompts) * len(LOCAL_COMPETITORS)
        self.stdout.write(f"{len(lines)} answers to {len(prompts)} prompts are in {out.name}.")
        if len(lines) < wanted:
            raise CommandError(f"{wanted - len(lines)} answers are missing. Run it again to ask for them once more.")

    async def _record(
        self, prompts: list[PromptLine], existing: list[RecordedAnswerLine], url: str, out: Path, concurrency: int
    ) -> list[RecordedAnswerLine]:
        provider = OpenAICompatibleProvider(EndpointAddress(url))

        def on_progress(progress: Progress) -> None:
            if progress.line:
                append_answer(out, progress.line)
            says = progress.problem or f"{progress.line.total_ms / 1000 if progress.line else 0:.1f} s"
            self.stdout.write(f"{progress.done}/{progress.total} {progress.prompt_key} {progress.model}: {says}")

        return await record_answers(
            prompts,
            LOCAL_COMPETITORS,
            lambda _competitor: provider,
            now=timezone.now,
            concurrency=concurrency,
            on_progress=on_progress,
            existing=existing,
        )
