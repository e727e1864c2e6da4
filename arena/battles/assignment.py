"""What a voter is handed next from a prompt set: a new item, one that others judged, or an own one turned round.

Agreement between people needs items that several of them judged (designed overlap); self-consistency needs an item
that one person judges twice (flipped repeats). Both are shares that an arena sets, and both are drawn here.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import dataclass

from django.db.models import Count, F

from arena.battles.errors import NothingLeft
from arena.battles.matchmaking import Draw
from arena.battles.models import Battle, Vote
from arena.competitors.affiliation import barred_for
from arena.prompts.models import Prompt, PromptSet, RecordedAnswer
from arena.teams.models import Arena, Voter

OVERLAP, REPEAT = "overlap", "repeat"
REPEAT_AFTER = 5
"""Battles between an item and its repeat, so that a judgement is repeated and not remembered."""


@dataclass(frozen=True, slots=True)
class Item:
    """A prompt, who of those that answered it may meet, and the draw where it is settled by what was served before."""

    prompt: Prompt
    competitor_ids: list[int]
    draw: Draw | None = None
    policy: str = ""
    repeat_of_id: int | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far this voter is through a recorded arena, in battles."""

    done: int
    total: int


def next_item(arena: Arena, voter: Voter, *, rng: random.Random) -> Item:
    """By the arena's shares a repeat, an overlapping item, or a new one. Raises NothingLeft when no new one is left.

    A repeat or an overlap that cannot be had falls back to a new item; what is new decides when a voter is done.
    """
    open_items, served = _open_items(arena, voter, barred_for(voter, arena))
    if not open_items:
        raise NothingLeft
    lot = rng.random()
    if lot < arena.repeat_share:
        item = _repeat(arena, voter, rng=rng)
    elif lot < arena.repeat_share + arena.overlap_share:
        item = _overlap(arena, voter, open_items, rng=rng)
    else:
        item = None
    return item or _new(open_items, served, rng=rng)


def progress(arena: Arena, voter: Voter | None) -> Progress | None:
    """Battles judged and battles there are, in an arena with a prompt set; None where voters write prompts."""
    if arena.kind == Arena.Kind.LIVE:
        return None
    if voter is None:
        return Progress(0, _pairs_in(answers_by_prompt(arena)))
    mine = Vote.objects.filter(voter=voter, battle__arena=arena, battle__prompt__isnull=False)
    done = mine.filter(battle__repeat_of__isnull=True).count()
    # What is left is counted as the draw counts it: what was judged may have been retired since, or asked by oneself.
    return Progress(done, done + _pairs_in(_open_items(arena, voter, barred_for(voter, arena))[0]))


def is_done(arena: Arena, voter: Voter) -> bool:
    """Whether nothing new is left for this voter to judge in the prompt set, whatever house they work for.

    A declaration can be taken back: if it brought the end nearer, the judging would go on after the reveal.
    """
    return arena.kind != Arena.Kind.LIVE and not _open_items(arena, voter, frozenset())[0]


def _pairs_in(answers: dict[int, set[int]]) -> int:
    return sum(len(answered) // 2 for answered in answers.values())


def answers_by_prompt(arena: Arena) -> dict[int, set[int]]:
    """Who answered each prompt that is in service, to its last message, ids by id."""
    rows = RecordedAnswer.objects.filter(
        turn=F("prompt__turn_count"),
        prompt__prompt_set__arena=arena,
        prompt__prompt_set__purpose=PromptSet.Purpose.BATTLES,
        prompt__retired_at__isnull=True,
        competitor__retired_at__isnull=True,
    ).values_list("prompt_id", "competitor_id")
    answers: dict[int, set[int]] = defaultdict(set)
    for prompt_id, competitor_id in rows:
        answers[prompt_id].add(competitor_id)
    return answers


def _open_items(arena: Arena, voter: Voter, barred: frozenset[int]) -> tuple[dict[int, set[int]], Counter[int]]:
    """Prompts with two answers whose authors this voter does not know, and how often each was served to them.

    The reveal names both authors of a prompt's answers, so every later battle on that prompt draws among the others.
    Nobody is shown answers of the organization that they work for.
    """
    answers = {key: answered - barred for key, answered in answers_by_prompt(arena).items()}
    served: Counter[int] = Counter()
    mine = Battle.objects.filter(voter=voter, arena=arena, prompt__isnull=False)
    for prompt_id, first, second, voted in mine.values_list(
        "prompt_id", "competitor_a_id", "competitor_b_id", Count("vote")
    ):
        served[prompt_id] += 1
        if voted and prompt_id in answers:
            answers[prompt_id] -= {first, second}
    return {key: left for key, left in answers.items() if len(left) >= 2}, served


def _new(open_items: dict[int, set[int]], served: Counter[int], *, rng: random.Random) -> Item:
    """One of the prompts that this voter was served least."""
    fewest = min(served[key] for key in open_items)
    key = rng.choice(sorted(key for key in open_items if served[key] == fewest))
    return Item(Prompt.objects.get(pk=key), sorted(open_items[key]))


def _overlap(arena: Arena, voter: Voter, open_items: dict[int, set[int]], *, rng: random.Random) -> Item | None:
    """A pair of answers that the fewest others have judged, but somebody has; sides are drawn anew."""
    judged = (
        Battle.objects.filter(arena=arena, prompt__in=open_items, vote__isnull=False, repeat_of__isnull=True)
        .exclude(voter=voter)
        .values_list("prompt_id", "competitor_a_id", "competitor_b_id")
        .annotate(voters=Count("voter", distinct=True))
        .order_by()
    )
    voters: Counter[tuple[int, int, int]] = Counter()
    for prompt_id, first, second, count in judged:
        if {first, second} <= open_items[prompt_id]:
            voters[prompt_id, min(first, second), max(first, second)] += count
    if not voters:
        return None
    fewest = min(voters.values())
    chosen = sorted(item for item, count in voters.items() if count == fewest)
    prompt_id, first, second = rng.choice(chosen)
    if rng.random() < 0.5:
        first, second = second, first
    draw = Draw(first, second, 1 / (2 * len(chosen)))
    return Item(Prompt.objects.get(pk=prompt_id), [first, second], draw, OVERLAP)


def _repeat(arena: Arena, voter: Voter, *, rng: random.Random) -> Item | None:
    """An own judged battle with its sides exchanged, a while after; never where the names are known by now."""
    if arena.reveal == Arena.Reveal.EACH:
        return None
    mine = Battle.objects.filter(voter=voter, arena=arena, prompt__isnull=False)
    boundary = mine.order_by("-id").values_list("id", flat=True)[REPEAT_AFTER - 1 : REPEAT_AFTER].first()
    eligible = mine.filter(
        id__lt=boundary or 0, vote__isnull=False, repeat_of__isnull=True, repeat__isnull=True,
        prompt__retired_at__isnull=True, competitor_a__retired_at__isnull=True, competitor_b__retired_at__isnull=True,
    )  # fmt: skip
    barred = barred_for(voter, arena)
    eligible = eligible.exclude(competitor_a__in=barred).exclude(competitor_b__in=barred)
    battles = list(eligible.order_by("id").values_list("pk", "prompt_id", "competitor_a_id", "competitor_b_id"))
    if not battles:
        return None
    earlier, prompt_id, first, second = rng.choice(battles)
    draw = Draw(second, first, 1 / len(battles))
    return Item(Prompt.objects.get(pk=prompt_id), [second, first], draw, REPEAT, repeat_of_id=earlier)
