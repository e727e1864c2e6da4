"""Foreign votes as the arena would store them: every row checked before the first is written, every problem at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.utils.crypto import salted_hmac

from arena.battles.words import EXPORTED, Winner
from arena.competitors.providers import clean
from arena.prompts.rows import Problem

if TYPE_CHECKING:
    from ratings.converting import ForeignVote
    from ratings.errors import RatingsError

MOST_COMPETITORS = 2_000
"""More names than a board can hold are a column that holds no names."""
MOST_PROBLEMS = 1_000
MOST_OF_ONE = 10_000
"""Votes that one row of a table of counts may stand for."""
LONGEST_KEY = LONGEST_NAME = 80
SURROGATE = re.compile("[\ud800-\udfff]")
OF_EXPORTED = {word: winner for winner, word in EXPORTED.items()}
ISO = "%Y-%m-%dT%H:%M:%S%z"


@dataclass(frozen=True, slots=True)
class Told:
    """What the file says, and how to read it."""

    path: Path
    arena_id: int
    source: str
    columns: Mapping[str, str]
    labels: Mapping[str, str]
    texts: Mapping[str, PairTexts] = field(default_factory=dict)
    """What was asked and answered, by the votes' id, where that is in another file."""

    def uuid(self, kind: str, of: str) -> UUID:
        """The same thing under the same source has the same id in this arena; without the server's secret it says
        nothing of the name that it was made of."""
        digest = salted_hmac(
            "arena.battles.importing", "\x00".join((str(self.arena_id), self.source, kind, of)), algorithm="sha256"
        ).digest()
        return UUID(bytes=digest[:16], version=4)


@dataclass(frozen=True, slots=True)
class PairTexts:
    """The prompt of a pair, and the two answers by side."""

    prompt_id: str
    prompt: str
    category: str
    answers: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One vote as it will be stored."""

    line: int
    battle: UUID
    voter: UUID
    names: tuple[str, str]
    winner: Winner
    at: datetime | None
    prompt_id: str
    category: str
    language: str
    turns: tuple[tuple[str, str, str], ...]


@dataclass(slots=True)
class Survey:
    """What a first reading of the whole file found."""

    problems: list[Problem] = field(default_factory=list)
    more_problems: int = 0
    notes: list[str] = field(default_factory=list)
    votes: int = 0
    repeated: int = 0
    without_voter: int = 0
    without_texts: int = 0
    names: dict[str, None] = field(default_factory=dict)
    prompts: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    """Text, category and language by the prompt's key."""
    mentioned: set[str] = field(default_factory=set)
    """Keys of prompts, with or without their text."""
    answers: dict[tuple[str, str], str] = field(default_factory=dict)
    """The first text of each prompt's key and competitor."""

    def refuse(self, problem: Problem) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)
        else:
            self.more_problems += 1


def surveyed(told: Told) -> Survey:
    """Reads the file through; raises nothing, for everything that is wrong is a problem of the survey."""
    from ratings.errors import RatingsError

    survey, seen = Survey(), dict[bytes, tuple[int, Winner]]()
    try:
        for vote in wanted(told, survey):
            line, winner = seen.setdefault(vote.battle.bytes, (0, vote.winner))
            if not line:
                seen[vote.battle.bytes] = vote.line, vote.winner
                survey.votes += 1
                _learn(survey, told, vote)
            elif winner == vote.winner:
                survey.repeated += 1
            else:
                says = f"is the vote of line {line} with another outcome. Keep one of the two."
                survey.refuse(Problem(told.path.name, vote.line, "winner", vote.winner.value, says))
    except RatingsError as error:  # of the file as a whole
        survey.refuse(_problem(error, told.path))
    if len(survey.names) > MOST_COMPETITORS:
        says = f"has {len(survey.names):,} competitors; at most {MOST_COMPETITORS:,} can be rated together."
        survey.refuse(Problem(told.path.name, 0, "", "", says))
    survey.notes += list(_notes(survey))
    return survey


def wanted(told: Told, survey: Survey | None = None) -> Iterator[Wanted]:
    """The file's votes in its order, repeated ones too. Problems go to the survey, or raise where there is none."""
    from ratings.converting import raise_it, read_rows

    refuse = raise_it if survey is None else lambda error: survey.refuse(_problem(error, told.path))
    notes = None if survey is None else survey.notes
    counts: dict[bytes, int] = {}
    rows = read_rows(str(told.path), columns=told.columns, labels=told.labels, refuse=refuse, notes=notes)
    for row in rows:
        weight = row.values.get("weight", 1.0)
        if weight != int(weight) or weight > MOST_OF_ONE:
            says = f"is no number of votes. Give a whole one of at most {MOST_OF_ONE:,}."
            if survey is not None:
                survey.refuse(Problem(told.path.name, row.line, "weight", f"{weight:g}", says))
            continue
        key = _key(row, counts)
        if survey is not None and "judge" not in row.values:
            survey.without_voter += int(weight)
        for number in range(int(weight)):
            yield _wanted(told, row, f"{key}#{number}" if number else key)


def _wanted(told: Told, row: ForeignVote, key: str) -> Wanted:
    values, texts = row.values, told.texts.get(str(row.values.get("id", "")))
    turns = row.turns or (((texts.prompt, *texts.answers),) if texts else ())
    judge = values.get("judge")
    at = values.get("timestamp")
    return Wanted(
        line=row.line,
        battle=told.uuid("battle", key),
        voter=told.uuid("voter", f"named {judge}" if judge else f"of {key}"),
        names=(values["model_a"], values["model_b"]),
        winner=OF_EXPORTED[values["winner"]],
        at=datetime.strptime(at, ISO) if at else None,
        prompt_id=texts.prompt_id if texts else str(values.get("prompt_id", "")),
        category=str((texts.category if texts else "") or values.get("category", ""))[:60],
        language=str(values.get("language", ""))[:20],
        turns=turns,
    )


def _key(row: ForeignVote, counts: dict[bytes, int]) -> str:
    """What makes a vote the same one when the file comes again: its id, voter and pair; without an id all that it says,
    and how many rows before it said the same."""
    values = row.values
    said = [str(values.get(name, "")) for name in ("id", "judge", "model_a", "model_b")]
    if said[0]:
        return "\x00".join(["id", *said, values["winner"] if "weight" in values else ""])
    said += [str(values.get(name, "")) for name in ("winner", "timestamp", "prompt_id", "category")]
    said += [text for turn in row.turns for text in turn]
    digest = blake2b("\x00".join(said).encode("utf-8", "surrogatepass"), digest_size=16).digest()
    counts[digest] = counts.get(digest, 0) + 1
    return f"row\x00{digest.hex()}\x00{counts[digest]}"


def _learn(survey: Survey, told: Told, vote: Wanted) -> None:
    for side, name in zip(("model_a", "model_b"), vote.names, strict=True):
        if name not in survey.names and len(name) > LONGEST_NAME:
            says = f"has {len(name)} characters. Use at most {LONGEST_NAME}."
            survey.refuse(Problem(told.path.name, vote.line, side, name, says))
        survey.names[name] = None
    said = [*vote.names, vote.prompt_id, *(text for turn in vote.turns for text in turn)]
    if any("\x00" in text or (not text.isascii() and SURROGATE.search(text)) for text in said):
        says = "holds characters no database keeps. Remove NUL and surrogates."
        survey.refuse(Problem(told.path.name, vote.line, "", "", says))
    if 0 < len(vote.prompt_id) <= LONGEST_KEY:
        survey.mentioned.add(vote.prompt_id)
    if not vote.turns:
        survey.without_texts += 1
        return
    if vote.prompt_id not in survey.mentioned or len(vote.turns) != 1:
        return
    prompt, *answers = vote.turns[0]
    text, _, _ = survey.prompts.setdefault(vote.prompt_id, (prompt, vote.category, vote.language))
    if text != prompt:
        says = "is another text than the prompt of this id had before. Correct the id."
        survey.refuse(Problem(told.path.name, vote.line, "prompt_id", vote.prompt_id, says))
    for name, answer in zip(vote.names, answers, strict=True):
        if clean(answer, max_chars=len(answer)):
            survey.answers.setdefault((vote.prompt_id, name), answer)


def _notes(survey: Survey) -> Iterator[str]:
    if survey.repeated:
        yield f"{survey.repeated:,} votes stand in the file again and were passed over."
    if survey.without_voter:
        yield f"{survey.without_voter:,} votes carry no voter; each is taken for a voter of its own."
    if survey.without_texts:
        yield f"{survey.without_texts:,} votes come without texts: nothing can be measured by prompt or style on them."


def _problem(error: RatingsError, path: Path) -> Problem:
    line, column = (getattr(error, name, None) for name in ("line", "column"))
    says: Any = getattr(error, "problem", str(error))
    return Problem(path.name, line or 0, column or "", "", says)
