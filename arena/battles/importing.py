"""Votes cast elsewhere come into an arena: battles that are judged already, marked as imported, whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from arena.battles.importing_rows import Survey, Told, Wanted, surveyed, wanted
from arena.battles.importing_texts import read_models, read_pairs
from arena.battles.models import Battle, Response, Turn, Vote
from arena.battles.recording import text_hash
from arena.battles.votes import store_imported_votes
from arena.battles.words import BattleState, Side
from arena.competitors import catalogue, versions
from arena.competitors.models import Competitor
from arena.prompts.answers import LONGEST_ANSWER, import_answers
from arena.prompts.importing import import_prompts
from arena.prompts.models import Prompt, RecordedAnswer
from arena.prompts.rows import ImportRefused, Problem
from arena.prompts.style import style_fields
from arena.teams.models import Arena, Voter

POLICY = "imported"
LIFETIME = timedelta(hours=24)
CHUNK = 1_000
Progress = Callable[[int], None]


@dataclass(slots=True)
class VoteImport:
    """What an import of votes did, and what it passed over."""

    votes: int = 0
    unchanged: int = 0
    new_voters: int = 0
    new_prompts: int = 0
    new_answers: int = 0
    new_competitors: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def import_votes(
    path: Path,
    arena: Arena,
    *,
    now: datetime,
    source: str = "",
    columns: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    texts: Path | None = None,
    models: Path | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> VoteImport:
    """Reads votes of any public shape into battles that are judged already, in one transaction.

    The file is read through before anything is written, and all problems are told at once. Voters become pseudonyms.
    A vote is the same one when source, id, voter and pair are: importing a file again changes nothing, and one that
    broke off begins where nothing is. Where the file tells what was asked and answered, or `texts` does, prompts with
    an id join the set of the source's name, with one recorded answer a competitor. Raises ImportRefused.
    """
    if arena.is_simulated:
        says = "its votes are simulated, and votes of people would be taken for such. Make another arena."
        raise ImportRefused([Problem(path.name, 0, "arena", arena.slug, says)])
    told = Told(
        path, arena.pk, source or path.name.partition(".")[0][:80], columns or {}, labels or {},
        read_pairs(texts) if texts else {},
    )  # fmt: skip
    survey = surveyed(told)
    done = VoteImport(notes=survey.notes)
    with transaction.atomic():
        _refuse(survey)
        competitors = _competitors(done, survey, arena, path, read_models(models) if models else {})
        prompts = _prompts(done, survey, arena, told, now=now)
        writing = _Writing(done, arena, now, competitors, prompts, _recorded(survey, prompts))
        rows = wanted(told)
        while chunk := list(islice(rows, CHUNK)):
            writing.store(chunk)
            if progress:
                progress(done.votes + done.unchanged)
        if writing.problems:
            raise ImportRefused(writing.problems)
        versions.seal([row.pk for row in competitors.values()], now=now)
        transaction.set_rollback(dry_run)
    return done


def _refuse(survey: Survey) -> None:
    if survey.more_problems:
        survey.problems.append(Problem("", 0, "", "", f"and {survey.more_problems:,} more problems."))
    if survey.problems:
        raise ImportRefused(survey.problems)


def _competitors(
    done: VoteImport, survey: Survey, arena: Arena, path: Path, about: Mapping[str, Mapping[str, str]]
) -> dict[str, Competitor]:
    """By name, retired ones too; unknown ones are made without an endpoint."""
    known = {row.label: row for row in Competitor.objects.filter(arena=arena)}
    problems = []
    for name in survey.names:
        if name in known:
            continue
        made = Competitor(arena=arena, name=name, model_id=name[:200], **about.get(name, {}))
        try:
            known[name] = catalogue.save_new(made)
        except ValidationError as error:
            problems.append(Problem(path.name, 0, "model", name, " ".join(error.messages)))
        done.new_competitors.append(name)
    if problems:
        raise ImportRefused(problems)
    return {name: known[name] for name in survey.names}


def _prompts(
    done: VoteImport, survey: Survey, arena: Arena, told: Told, *, now: datetime
) -> dict[str, Prompt]:  # fmt: skip
    """Prompts by key, with their recorded answers, written by those who write them. A prompt that is named without its
    text is one that the arena has already."""
    named = Prompt.objects.filter(prompt_set__arena=arena, key__in=survey.mentioned - survey.prompts.keys())
    there = {prompt.key: prompt for prompt in named}
    if not survey.prompts:
        return there
    asked = [
        {"id": key, "prompt": text, "category": category, "language": language}
        for key, (text, category, language) in survey.prompts.items()
    ]
    answered = [
        {"prompt_id": key, "model": name, "response": text}
        for (key, name), text in survey.answers.items()
        if len(text) <= LONGEST_ANSWER
    ]
    with _as_file(told.path, asked) as file:
        kept = import_prompts(file, arena, set_name=told.source)
    done.new_prompts = kept.added
    if answered:
        with _as_file(told.path, answered) as file:
            done.new_answers = import_answers(file, arena, now=now, set_name=told.source).added
    return there | {prompt.key: prompt for prompt in kept.prompt_set.prompts.filter(key__in=survey.prompts)}


@contextmanager
def _as_file(named: Path, rows: Sequence[Mapping[str, Any]]) -> Iterator[Path]:
    """Rows as a file, under the name by which problems in it will be told."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{named.name.partition('.')[0]}.jsonl"
        path.write_text("".join(json.dumps(row) + os.linesep for row in rows), encoding="utf-8", newline="")
        yield path


def _recorded(survey: Survey, prompts: Mapping[str, Prompt]) -> dict[tuple[int, int], tuple[str, RecordedAnswer]]:
    """Recorded answers by prompt and competitor, each with the text that the file has for it."""
    keys = {prompt.pk: key for key, prompt in prompts.items()}
    rows = RecordedAnswer.objects.filter(prompt__in=keys, turn=1).select_related("competitor")
    found = {}
    for row in rows:
        text = survey.answers.get((keys[row.prompt_id], row.competitor.label))
        if text is not None:
            found[row.prompt_id, row.competitor_id] = text, row
    return found


@dataclass(slots=True)
class _Writing:
    """Chunks of votes on their way into the tables."""

    done: VoteImport
    arena: Arena
    now: datetime
    competitors: Mapping[str, Competitor]
    prompts: Mapping[str, Prompt]
    recorded: Mapping[tuple[int, int], tuple[str, RecordedAnswer]]
    problems: list[Problem] = field(default_factory=list)

    def store(self, chunk: Sequence[Wanted]) -> None:
        """Those that are not there yet. One that is there with another outcome is a problem: a vote never changes."""
        there = dict(
            Vote.objects.filter(battle__public_id__in=[row.battle for row in chunk])
            .values_list("battle__public_id", "winner")
        )  # fmt: skip
        new: dict[UUID, Wanted] = {}
        for row in chunk:
            winner = there.get(row.battle, new[row.battle].winner if row.battle in new else None)
            if winner is None:
                new[row.battle] = row
            elif row.battle in there and winner != row.winner:
                says = (
                    f"was imported as {winner} before. A vote never changes: correct the file, or name another source."
                )
                self.problems.append(Problem("", row.line, "winner", row.winner, says))
            else:
                self.done.unchanged += row.battle in there
        voters = self._voters([row.voter for row in new.values()])
        battles = Battle.objects.bulk_create([self._battle(row, voters[row.voter]) for row in new.values()])
        turns = Turn.objects.bulk_create(
            Turn(battle=battle, index=index, prompt=turn[0], created_at=battle.served_at)
            for battle, row in zip(battles, new.values(), strict=True)
            for index, turn in enumerate(row.turns, 1)
        )
        said = [turn for row in new.values() for turn in row.turns]
        Response.objects.bulk_create(
            [answer for turn, texts in zip(turns, said, strict=True) for answer in self._responses(turn, texts)]
        )
        store_imported_votes(
            [Vote(battle=battle, voter_id=battle.voter_id, winner=row.winner, created_at=battle.served_at)
             for battle, row in zip(battles, new.values(), strict=True)]
        )  # fmt: skip
        self.done.votes += len(battles)

    def _voters(self, wanted: Sequence[UUID]) -> dict[UUID, int]:
        """Voters by their pseudonym, those who are new in the order of their first vote."""
        known = dict(Voter.objects.filter(public_id__in=wanted).values_list("public_id", "pk"))
        fresh = [public_id for public_id in dict.fromkeys(wanted) if public_id not in known]
        made = Voter.objects.bulk_create([Voter(public_id=public_id) for public_id in fresh])
        self.done.new_voters += len(made)
        return known | {row.public_id: row.pk for row in made}

    def _battle(self, row: Wanted, voter_id: int) -> Battle:
        at = min(row.at or self.now, self.now)
        return Battle(
            public_id=row.battle, arena=self.arena, voter_id=voter_id,
            prompt=self.prompts.get(row.prompt_id) if len(row.turns) < 2 else None,
            competitor_a=self.competitors[row.names[0]], competitor_b=self.competitors[row.names[1]],
            policy=POLICY, draw_probability=1.0, seed="", is_imported=True, state=BattleState.COMPLETE,
            stream_mode=self.arena.stream_mode, served_at=at, completed_at=at, expires_at=at + LIFETIME,
        )  # fmt: skip

    def _responses(self, turn: Turn, texts: tuple[str, str, str]) -> Iterator[Response]:
        """Recorded answers are referred to; a text of this vote's own is kept with it."""
        battle = turn.battle
        for side, text in zip(Side, texts[1:], strict=True):
            competitor = battle.competitor_on(side)
            raw, row = self.recorded.get((battle.prompt_id or 0, competitor.pk), ("", None))
            common: dict[str, Any] = {
                "turn": turn, "side": side, "competitor": competitor, "created_at": turn.created_at,
            }  # fmt: skip
            if row is not None and raw == text:
                styles = {name: getattr(row, name) for name in style_fields("")}
                yield Response(**common, **styles, recorded_answer=row, text_sha256=text_hash(row.text))
            else:
                yield Response(**common, **style_fields(text), text=text, text_sha256=text_hash(text))
