"""Record answers to prompts from live competitors, once, so that an arena can serve them without a model.

Pure: no database, no settings. `arena.prompts.management.commands.generate_answers` is its command.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

from arena.competitors.providers import Cleaner, Delta, Finish, GenerationSettings, Message, Provider, ProviderError

SEED = 1


class RecordingError(Exception):
    """A file of prompts or answers cannot be read; names file, line and what to do."""


class RecordedCompetitor(Protocol):
    """What a recording needs to know of a competitor."""

    @property
    def name(self) -> str: ...
    @property
    def model_id(self) -> str: ...
    @property
    def system_prompt(self) -> str: ...
    @property
    def temperature(self) -> float | None: ...
    @property
    def top_p(self) -> float | None: ...
    @property
    def max_tokens(self) -> int: ...
    @property
    def revision(self) -> str: ...


@dataclass(frozen=True, slots=True)
class PromptLine:
    """One line of a prompts file."""

    key: str
    prompt: str
    category: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class RecordedAnswerLine:
    """One line of an answers file: an answer and the conditions under which it was made."""

    prompt_key: str
    model: str
    response: str
    settings: Mapping[str, Any]
    revision: str
    generated_at: str
    first_token_ms: float | None
    total_ms: float
    input_tokens: int | None
    output_tokens: int | None
    finish_reason: str
    conditions_hash: str

    @property
    def identity(self) -> tuple[str, str, str]:
        return self.prompt_key, self.model, self.conditions_hash


@dataclass(frozen=True, slots=True)
class Progress:
    """After each answer: either the new line, or the problem for which there is none."""

    done: int
    total: int
    prompt_key: str
    model: str
    line: RecordedAnswerLine | None
    problem: str = ""


async def record_answers(
    prompts: Sequence[PromptLine],
    competitors: Sequence[RecordedCompetitor],
    provider_for: Callable[[RecordedCompetitor], Provider],
    *,
    now: Callable[[], datetime],
    concurrency: int = 1,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
    existing: Iterable[RecordedAnswerLine] = (),
    clock: Callable[[], float] = time.perf_counter,
) -> list[RecordedAnswerLine]:
    """Every competitor's answer to every prompt, in the order of the prompts.

    Answers in `existing` under the same conditions are kept and not asked for again. Failed and empty answers are
    reported through `on_progress`, never stored; run again to try them once more.
    """
    kept = {line.identity: line for line in existing}
    wanted = [(prompt, one, settings_of(one, concurrency)) for prompt in prompts for one in competitors]
    identities = [(prompt.key, one.name, hash_of(settings, one.revision)) for prompt, one, settings in wanted]
    missing = [ask for ask, identity in zip(wanted, identities, strict=True) if identity not in kept]
    free = asyncio.Semaphore(concurrency)
    done = len(wanted) - len(missing)

    async def answer(prompt: PromptLine, competitor: RecordedCompetitor, settings: Mapping[str, Any]) -> None:
        nonlocal done
        line, problem = None, ""
        async with free:
            try:
                line = await _ask(prompt, competitor, provider_for(competitor), settings, now, clock)
                problem = "" if line else "empty"
            except ProviderError as error:
                problem = str(error)
        if line:
            kept[line.identity] = line
        done += 1
        on_progress(Progress(done, len(wanted), prompt.key, competitor.name, line, problem))

    async with asyncio.TaskGroup() as group:
        for ask in missing:
            group.create_task(answer(*ask))
    return [kept[identity] for identity in identities if identity in kept]


async def _ask(
    prompt: PromptLine,
    competitor: RecordedCompetitor,
    provider: Provider,
    settings: Mapping[str, Any],
    now: Callable[[], datetime],
    clock: Callable[[], float],
) -> RecordedAnswerLine | None:
    messages = [Message("system", competitor.system_prompt)] if competitor.system_prompt else []
    messages.append(Message("user", prompt.prompt))
    asked = GenerationSettings(
        competitor.model_id, competitor.temperature, competitor.top_p, competitor.max_tokens, seed=SEED
    )
    cleaner, pieces, finish = Cleaner(), [], Finish("")
    began, first = clock(), None
    async for event in provider.stream(messages, asked):
        if isinstance(event, Finish):
            finish = event
        elif isinstance(event, Delta) and (text := cleaner.feed(event.text)):
            first = clock() if first is None else first
            pieces.append(text)
    pieces.append(cleaner.finish())
    ended = clock()
    response = "".join(pieces)
    if not response:
        return None
    return RecordedAnswerLine(
        prompt_key=prompt.key,
        model=competitor.name,
        response=response,
        settings=settings,
        revision=competitor.revision,
        generated_at=now().astimezone(UTC).isoformat(timespec="seconds"),
        first_token_ms=round(((first if first is not None else ended) - began) * 1000, 1),
        total_ms=round((ended - began) * 1000, 1),
        input_tokens=finish.input_tokens,
        output_tokens=finish.output_tokens,
        finish_reason=finish.reason,
        conditions_hash=hash_of(settings, competitor.revision),
    )


def settings_of(competitor: RecordedCompetitor, concurrency: int) -> dict[str, Any]:
    """The conditions manifest; `concurrency` belongs to it because the timings depend on it."""
    return {
        "model_id": competitor.model_id,
        "system_prompt": competitor.system_prompt,
        "temperature": competitor.temperature,
        "top_p": competitor.top_p,
        "max_tokens": competitor.max_tokens,
        "seed": SEED,
        "concurrency": concurrency,
    }


def hash_of(settings: Mapping[str, Any], revision: str) -> str:
    """SHA-256 of the canonical JSON (sorted keys, no blanks, UTF-8) of settings and revision."""
    conditions = {"settings": settings, "revision": revision}
    text = json.dumps(conditions, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def read_prompts(path: Path) -> list[PromptLine]:
    """The prompts of a JSONL file. Raises RecordingError."""
    prompts = [_made(PromptLine, values, path, number) for number, values in _lines(path)]
    seen: set[str] = set()
    for prompt in prompts:
        if prompt.key in seen:
            raise RecordingError(f"{path.name}: the key {prompt.key!r} is there twice. Give each prompt its own.")
        seen.add(prompt.key)
    return prompts


def read_answers(path: Path) -> list[RecordedAnswerLine]:
    """The lines of an answers file; none when there is no file, and without a last line that was cut off.

    Raises RecordingError.
    """
    if not path.exists():
        return []
    return [_made(RecordedAnswerLine, values, path, number) for number, values in _lines(path, forgive_last=True)]


def append_answer(path: Path, line: RecordedAnswerLine) -> None:
    """Add one line, after removing a line that an earlier run could not finish."""
    with path.open("ab+") as file:
        _cut_unfinished_line(file)
        file.write(_encoded(line))


def write_answers(path: Path, lines: Iterable[RecordedAnswerLine]) -> None:
    """Replace the file by these lines, whole or not at all."""
    beside = path.with_name(path.name + ".part")
    beside.write_bytes(b"".join(map(_encoded, lines)))
    beside.replace(path)


def _encoded(line: RecordedAnswerLine) -> bytes:
    return json.dumps(asdict(line), ensure_ascii=False).encode() + b"\n"


def _cut_unfinished_line(file: Any) -> None:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    whole = file.read().rfind(b"\n") + 1
    if whole < size:
        file.truncate(whole)
    file.seek(0, os.SEEK_END)


def _lines(path: Path, *, forgive_last: bool = False) -> list[tuple[int, Any]]:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise RecordingError(f"{path.name} cannot be read ({error.strerror}). Check the path.") from None
    numbered = [(number, line) for number, line in enumerate(raw.split(b"\n"), 1) if line.strip()]
    if forgive_last and numbered and not raw.endswith(b"\n"):
        numbered.pop()
    return [(number, _decoded(line, path, number)) for number, line in numbered]


def _decoded(line: bytes, path: Path, number: int) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise RecordingError(f"{path.name}:{number}: no JSON ({error}). Correct or remove the line.") from None


Line = TypeVar("Line", PromptLine, RecordedAnswerLine)


def _made(kind: type[Line], values: Any, path: Path, number: int) -> Line:
    try:
        return kind(**values)
    except TypeError as error:
        raise RecordingError(
            f"{path.name}:{number}: {error}. The fields are {', '.join(field.name for field in fields(kind))}."
        ) from None
