"""Prompt to battle: the only writer of new battles and turns."""

from __future__ import annotations

import random
import secrets
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Q
from django.utils.translation import gettext as _

from arena.battles import addresses, lifecycle, marking, quotas
from arena.battles.addresses import NOWHERE, Visit
from arena.battles.assignment import Item, next_item
from arena.battles.errors import (
    ArenaClosed,
    BattleClosed,
    NotYours,
    PromptEmpty,
    PromptNotText,
    PromptTooLong,
    TooManyTurns,
    VotingEnded,
)
from arena.battles.matchmaking import Draw, Pair, Policy, TooFewCandidates, Weighing, coverage_weights, draw_pair
from arena.battles.models import Battle, Turn
from arena.battles.recording import record_recorded_answers
from arena.battles.words import OPEN_STATES, BattleState
from arena.competitors.affiliation import barred_for, names_several
from arena.competitors.health import claim_probes, healthy_filter
from arena.competitors.models import Competitor
from arena.teams.arenas import is_closed
from arena.teams.models import Arena, Voter
from arena.teams.person import Person

LIFETIME = timedelta(hours=24)


def new_seed() -> str:
    """128 bits from the operating system's generator, as hex."""
    return secrets.token_hex(16)


def check_prompt(text: str, *, limit: int) -> str:
    """The prompt with line ends unified and outer blanks removed.

    Raises PromptEmpty, PromptTooLong or PromptNotText.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if len(text) > limit:
        raise PromptTooLong(length=len(text), limit=limit)
    strange = next((c for c in text if (unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t")), None)
    if strange is not None:
        raise PromptNotText(found=f"U+{ord(strange):04X}")
    if not any(unicodedata.category(c)[0] not in ("Z", "C") for c in text):
        raise PromptEmpty
    return text


def open_battle(
    voter: Voter,
    arena: Arena,
    prompt: str | None,
    *,
    seed: str,
    now: datetime,
    policy: Policy | None = None,
    redraw_of: Battle | None = None,
    visit: Visit = NOWHERE,
) -> Battle:
    """One battle with its first turn, drawn and stored in one transaction before any text exists.

    `prompt` is the voter's own text, or None for the next item of the arena's prompt set. `policy` weighs the pairs of
    the candidates; without it the arena's own policy does, as far as it needs no ratings. An open battle of the same
    voter and arena is set aside as skipped when the voter sends a new prompt, and is returned again when they only ask
    for the next item: asking twice never redraws a pair. `visit` is where the wish came from.

    Raises PromptRefused kinds, ArenaClosed, NothingLeft, TooManyBattles, and SkipNotOffered where an open battle has to
    be judged first.
    """
    if arena.is_simulated:
        raise ArenaClosed(reason=_("its votes are simulated."))
    if is_closed(arena, now=now):
        raise ArenaClosed(reason=_("it is closed to votes."))
    if names_several(voter, arena):
        raise ArenaClosed(reason=_("your profile names several makers of models. Name the one for whom you work."))
    own_text = check_prompt(prompt, limit=arena.max_prompt_chars) if prompt is not None else None
    if (own_text is None) != (arena.kind == Arena.Kind.RECORDED) and arena.kind != Arena.Kind.MIXED:
        raise PromptEmpty if own_text is None else ArenaClosed(reason=_("it serves its own prompts only."))
    rng = random.Random(seed)
    with transaction.atomic():
        _one_at_a_time(voter)
        current = current_battle(voter, arena, now=now)
        if current and own_text is None and redraw_of is None:
            return current
        origin = quotas.check(voter, arena, visit, now=now)
        if current:
            lifecycle.skip(current.public_id, voter, now=now)
        item = next_item(arena, voter, rng=rng) if own_text is None else None
        candidates = item.competitor_ids if item else _live_candidates(arena, voter, now=now)
        drawn_by, draw = _draw(arena, item, candidates, policy, rng=rng)
        battle = Battle.objects.create(
            arena=arena,
            voter=voter,
            prompt=item.prompt if item else None,
            competitor_a_id=draw.a,
            competitor_b_id=draw.b,
            policy=drawn_by,
            draw_probability=draw.probability,
            seed=seed,
            stream_mode=arena.stream_mode,
            served_at=now,
            expires_at=now + LIFETIME,
            redraw_of=redraw_of,
            repeat_of_id=item.repeat_of_id if item else None,
        )
        addresses.remember(battle, origin)
        texts = item.prompt.messages if item else [str(own_text)]
        turns = [
            Turn.objects.create(battle=battle, index=index, prompt=text, created_at=now)
            for index, text in enumerate(texts, 1)
        ]
        if item:
            record_recorded_answers(battle, turns, item.prompt, now=now)
        else:
            marking.mark_prompt(turns[0], now=now)
            claim_probes([draw.a, draw.b], now=now)
    return battle


def redraw_battle(
    battle: Battle, voter: Voter, *, seed: str, now: datetime, policy: Policy | None = None, visit: Visit = NOWHERE
) -> Battle:
    """A new pair for the prompt of a void battle; the same new battle however often it is asked for.

    Raises NotYours, BattleClosed (when the battle is not void or had a follow-up), and what open_battle raises.
    """
    if battle.voter_id != voter.pk:
        raise NotYours
    existing = Battle.objects.filter(redraw_of=battle).first()
    if existing:
        return existing
    turns = list(battle.turns.values_list("prompt", flat=True))
    if battle.state != BattleState.VOID or (len(turns) > 1 and not battle.prompt_id):
        raise BattleClosed
    prompt = None if battle.prompt_id else turns[0]
    with transaction.atomic():
        locked = Battle.objects.select_for_update(of=("self",)).get(pk=battle.pk)
        existing = Battle.objects.filter(redraw_of=locked).first()
        return existing or open_battle(
            voter, battle.arena, prompt, seed=seed, now=now, policy=policy, redraw_of=locked, visit=visit
        )


def follow_up(battle: Battle, voter: Voter, prompt: str, *, now: datetime) -> Turn:
    """The next user message to the same blind pair.

    Raises what lifecycle.reopen raises, PromptRefused kinds, VotingEnded.
    """
    if is_closed(battle.arena, now=now):
        raise VotingEnded
    text = check_prompt(prompt, limit=battle.arena.max_prompt_chars)
    if battle.prompt_id:
        raise TooManyTurns(limit=battle.turns.count())  # recorded answers have no continuation
    with transaction.atomic():
        locked = lifecycle.reopen(battle.public_id, voter, now=now)
        index = locked.turns.count() + 1
        if index > locked.arena.max_turns:
            raise TooManyTurns(limit=locked.arena.max_turns)
        turn = Turn.objects.create(battle=locked, index=index, prompt=text, created_at=now)
        marking.mark_prompt(turn, now=now)
    return turn


def forget_prompts(voter: Voter) -> int:
    """Deletes the text of what this voter wrote to competitors; battles and votes stay. Says how many texts."""
    return Turn.objects.filter(battle__voter=voter, battle__prompt__isnull=True).exclude(prompt="").update(prompt="")


def current_battle(voter: Voter, arena: Arena, *, now: datetime) -> Battle | None:
    """This voter's open battle here, with this very arena: served, answering or complete, not voted, not expired."""
    still_open = arena.battle_set.filter(voter=voter, state__in=OPEN_STATES, vote__isnull=True, expires_at__gt=now)
    return still_open.order_by("-id").first()


def untold_since(person: Person, arena: Arena, *, now: datetime) -> datetime | None:
    """When this person's open battle here was served: who first answered, failed, was probed or retired since may be
    one of its two."""
    voter = person.voter()
    battle = current_battle(voter, arena, now=now) if voter else None
    return battle.served_at if battle else None


def _one_at_a_time(voter: Voter) -> None:
    """Locks the voter until the transaction ends.

    Two tabs that ask at one moment would else both pass the quota and get two battles, perhaps with one answer in
    both: the reveal of the first would name it in the second.
    """
    list(Voter.objects.select_for_update().filter(pk=voter.pk).values_list("pk"))


def _draw(
    arena: Arena, item: Item | None, candidates: list[int], policy: Policy | None, *, rng: random.Random
) -> tuple[str, Draw]:
    """The policy's name and its draw; an item that repeats or overlaps brings both."""
    if item and item.draw:
        return item.policy, item.draw
    weighed = policy(candidates) if policy else own_policy(arena, candidates)
    try:
        return weighed.policy, draw_pair(candidates, weighed.weights, rng=rng, floor=weighed.floor)
    except TooFewCandidates:
        raise ArenaClosed(reason=_("fewer than two competitors can answer.")) from None


def _live_candidates(arena: Arena, voter: Voter, *, now: datetime) -> list[int]:
    drawable = Competitor.objects.filter(arena=arena, retired_at__isnull=True, endpoint__isnull=False)
    able = drawable.filter(healthy_filter(now)).values_list("pk", flat=True)
    return sorted(set(able) - barred_for(voter, arena))


def own_policy(arena: Arena, candidates: Sequence[int]) -> Weighing:
    """What the served log alone can say: uniform where the arena wants that, else coverage."""
    if arena.sampling == Arena.Sampling.UNIFORM:
        return Weighing(str(Arena.Sampling.UNIFORM))
    return Weighing(str(Arena.Sampling.COVERAGE), coverage_weights(candidates, _compared(arena, candidates)))


def _compared(arena: Arena, candidates: Sequence[int]) -> dict[Pair, int]:
    """Battles per unordered pair, those set aside left out; counted by the database."""
    among = Q(competitor_a__in=candidates, competitor_b__in=candidates)
    rows = (
        Battle.objects.filter(among, arena=arena, state__in=OPEN_STATES)
        .values_list("competitor_a_id", "competitor_b_id")
        .annotate(battles=Count("id"))
        .order_by()
    )
    compared: dict[Pair, int] = defaultdict(int)
    for first, second, battles in rows:
        compared[min(first, second), max(first, second)] += battles
    return compared
