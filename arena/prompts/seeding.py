"""What a fresh instance holds: an arena to vote in live, one with recorded answers, and one that shows a full board.

Only what is missing is added: whatever an operator changed since stays as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from arena.competitors import catalogue
from arena.competitors.health import LOCAL_MODEL
from arena.competitors.local import LOCAL_COMPETITORS
from arena.competitors.models import Competitor, Endpoint
from arena.prompts.answers import import_answers
from arena.prompts.importing import import_prompts
from arena.prompts.models import PromptSet
from arena.prompts.rows import ImportRefused
from arena.teams.models import Arena

DATA = Path(__file__).parent / "data"
STARTER = "starter"
SUGGESTIONS = "suggestions"

# Made up for the sample board, with the strength in log-odds that its simulated voters see. No such model exists.
FICTIONAL: tuple[tuple[str, str, float], ...] = (
    ("Quillfish Grande", "Imaginary Harbour Works", 1.15),
    ("Lampwright 9", "Society of Invented Lanterns", 0.95),
    ("Mossback Orator", "Fictional Fen Collective", 0.90),
    ("Thistledown XL", "Imaginary Harbour Works", 0.55),
    ("Umbrella Sonata", "Makebelieve Parasol Co.", 0.40),
    ("Pocket Heron", "Fictional Fen Collective", 0.10),
    ("Lampwright 3", "Society of Invented Lanterns", -0.10),
    ("Velvet Abacus", "Nowhere Institute of Sums", -0.35),
    ("Tin Nightingale", "Makebelieve Parasol Co.", -0.70),
    ("Quillfish Petite", "Imaginary Harbour Works", -1.05),
    ("Drowsy Almanac", "Nowhere Institute of Sums", -1.85),
)


@dataclass(slots=True)
class Seeded:
    """The three arenas, and what could not be added to them."""

    live: Arena
    recorded: Arena
    sample: Arena
    strengths: list[tuple[Competitor, float]]
    notes: list[str] = field(default_factory=list)


def data_hash() -> str:
    """Names everything that seeding would add; another release with other data seeds again."""
    digest = hashlib.sha256(repr((LOCAL_COMPETITORS, FICTIONAL)).encode())
    for name in ("prompts.jsonl", "answers.jsonl", "suggestions.jsonl"):
        digest.update(name.encode())
        if (DATA / name).exists():
            digest.update((DATA / name).read_bytes())
    return digest.hexdigest()[:16]


def is_seeded() -> bool:
    """Whether this very data was seeded, to the end, before. One query."""
    return PromptSet.objects.filter(arena__slug="recorded", source=_mark()).exists()


def mark_seeded() -> None:
    """Remember that seeding went through to the end; called last, so that one cut short is done again."""
    PromptSet.objects.filter(arena__slug="recorded", name=STARTER).update(source=_mark())


def seed(*, now: datetime) -> Seeded:
    """Add what is missing of the three arenas, their competitors, prompts and recorded answers."""
    live = _arena("live", "Live models", Arena.Kind.LIVE, LIVE_SAYS)
    recorded = _arena("recorded", "Recorded answers", Arena.Kind.RECORDED, RECORDED_SAYS)
    sample = _arena(
        "sample", "A sample board", Arena.Kind.LIVE, SAMPLE_SAYS, is_simulated=True, sampling=Arena.Sampling.UNIFORM
    )
    endpoint, _ = Endpoint.objects.get_or_create(name="Local model", defaults={"base_url": LOCAL_MODEL})
    for name, settings in _local_competitors():
        catalogue.ensure_competitor(name, arena=live, endpoint=endpoint, **settings)
    # An arena of this name that is not simulated is somebody's own: nothing made up goes into it.
    fictional = list(_fictional(sample)) if sample.is_simulated else []
    seeded = Seeded(live, recorded, sample, fictional)
    seeded.notes = [*_suggest(live), *_record(recorded, now=now)]
    return seeded


LIVE_SAYS = (
    "One small open model under several settings and system prompts, running on this machine. "
    "Write a prompt and judge two answers blind."
)
RECORDED_SAYS = "Prompts with answers made beforehand by the same small model. No model is needed to vote here."
SAMPLE_SAYS = "Simulated votes on made-up competitors, to show what a full board looks like. None of them exists."


def _local_competitors() -> Iterator[tuple[str, dict[str, Any]]]:
    for local in LOCAL_COMPETITORS:
        settings = asdict(local)
        yield settings.pop("name"), settings


def _mark() -> str:
    return f"comes with Blindfold ({data_hash()})"


def _arena(slug: str, title: str, kind: Arena.Kind, description: str, **fields: Any) -> Arena:
    settings = {"title": title, "kind": kind, "description": description, "access": Arena.Access.OPEN, **fields}
    return Arena.objects.get_or_create(
        slug=slug, defaults={**settings, "publish_after_votes": 5, "publish_after_seconds": 60}
    )[0]


def _fictional(sample: Arena) -> Iterator[tuple[Competitor, float]]:
    for name, organization, strength in FICTIONAL:
        yield (
            catalogue.ensure_competitor(
                name,
                arena=sample,
                model_id=f"fictional/{name.lower().replace(' ', '-')}",
                organization=organization,
                license="Fictional",
                description="Made up for this sample board. No such model exists.",
            ),
            strength,
        )


def _suggest(live: Arena) -> list[str]:
    file = DATA / "suggestions.jsonl"
    if not file.exists():
        return ["There are no suggestions to seed."]
    try:
        import_prompts(file, live, set_name=SUGGESTIONS, purpose=PromptSet.Purpose.SUGGESTIONS)
    except ImportRefused as refused:
        return [_kept(live, refused)]
    return []


def _record(recorded: Arena, *, now: datetime) -> list[str]:
    prompts, answers = DATA / "prompts.jsonl", DATA / "answers.jsonl"
    PromptSet.objects.get_or_create(arena=recorded, name=STARTER)
    try:
        import_prompts(prompts, recorded, set_name=STARTER)
        if not answers.exists():
            return ["There are no recorded answers to seed: generate_answers makes them."]
        for name, settings in _local_competitors():
            catalogue.ensure_competitor(name, arena=recorded, **settings)
        import_answers(answers, recorded, now=now, set_name=STARTER)
    except ImportRefused as refused:
        return [_kept(recorded, refused)]
    return []


def _kept(arena: Arena, refused: ImportRefused) -> str:
    return f"The arena {arena.slug} keeps what it has: the data of this release do not go with it. {refused}"
