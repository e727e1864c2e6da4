"""What a voter may know of a battle: before the vote sides and text, after it names. The only door to names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef

from arena.battles.assignment import is_done
from arena.battles.errors import NotYetVoted, RevealLater, RevealWithheld
from arena.battles.marking import standing_marks
from arena.battles.models import Battle, Response, Turn, Vote, VoteNote
from arena.battles.votes import CastVote
from arena.battles.words import BattleState, Side, Winner
from arena.competitors.models import Competitor
from arena.teams.models import Arena, Voter


@dataclass(frozen=True, slots=True)
class BlindTurn:
    """A user message and, once both are complete, both answers. No timing, no length in tokens, no ending."""

    index: int
    prompt: str
    answers: Mapping[Side, str]


@dataclass(frozen=True, slots=True)
class BlindBattle:
    """All that templates, serializers and sockets are handed before the vote."""

    id: UUID
    state: BattleState
    turns: tuple[BlindTurn, ...]
    is_recorded: bool
    voted: bool
    void_reason: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class RevealedSide:
    """Who answered on a side, under which conditions."""

    side: Side
    competitor_id: int
    name: str
    organization: str
    license: str
    model_id: str
    revision: str
    system_prompt: str
    temperature: float | None
    top_p: float | None
    max_tokens: int


@dataclass(frozen=True, slots=True)
class Reveal:
    """Both names, in the order of the sides, and the committed vote that earned them with its note."""

    winner: Winner
    sides: tuple[RevealedSide, RevealedSide]
    tags: tuple[str, ...] = ()
    comment: str = ""


@dataclass(frozen=True, slots=True)
class RevealedBattle:
    """A judged battle in one line: its first prompt, the vote, and both names."""

    prompt: str
    winner: Winner
    name_a: str
    name_b: str


@dataclass(frozen=True, slots=True)
class OwnVote:
    """A vote as its voter may see it again: names blank where they are not revealed to this voter by now."""

    battle_id: UUID
    prompt: str
    is_sealed: bool
    winner: Winner
    at: datetime
    name_a: str
    name_b: str
    tags: tuple[str, ...]
    comment: str
    is_rated: bool
    """False where a text said whose it is: the vote is kept, and the board goes without it."""


def blind(battle: Battle) -> BlindBattle:
    """The battle without a trace of who answers. An answer appears only when both sides of its turn are complete."""
    turns = list(Turn.objects.filter(battle=battle))
    untouched = battle.state == BattleState.SERVED and len(turns) == 1  # no answer yet, so that nothing is looked for
    texts = {} if untouched else _answers(battle)
    return BlindBattle(
        id=battle.public_id,
        state=BattleState(battle.state),
        turns=tuple(BlindTurn(turn.index, turn.prompt, _both(texts.get(turn.pk, {}), battle)) for turn in turns),
        is_recorded=battle.prompt_id is not None,
        voted=not untouched and Vote.objects.filter(battle=battle).exists(),
        void_reason=battle.void_reason,
        expires_at=battle.expires_at,
    )


def reveal(battle: Battle, cast: CastVote | None = None) -> Reveal:
    """Who answered. `cast` is this battle's vote when it was committed just now, which saves looking for it.

    Raises NotYetVoted before the vote is committed, RevealWithheld where the arena says never, or not until the end.
    """
    vote, note = _committed(battle, cast)
    _check_told(battle.arena, battle.voter)
    competitors = Competitor.objects.order_by().only(*_NAMED).in_bulk([pk for _, pk in battle.competitor_ids()])
    first, second = (_named(side, competitors[pk]) for side, pk in battle.competitor_ids())
    return Reveal(Winner(vote.winner), (first, second), tuple(note.tags) if note else (), note.comment if note else "")


def noted(battle: Battle) -> tuple[tuple[str, ...], str]:
    """The tags and the comment beside this battle's committed vote, whether names are revealed or not.

    Raises NotYetVoted before the vote.
    """
    _vote, note = _committed(battle, None)
    return (tuple(note.tags), note.comment) if note else ((), "")


def reveal_all(arena: Arena, voter: Voter) -> list[RevealedBattle]:
    """Who answered in all battles that this voter judged, in their order; at the end of an arena that reveals there.

    Raises RevealWithheld before the end, and in an arena that never reveals.
    """
    _check_told(arena, voter)
    votes = Vote.objects.filter(voter=voter, battle__arena=arena, battle__repeat_of__isnull=True).order_by("id")
    names = {row.pk: row.label for row in Competitor.objects.filter(arena=arena)}
    columns = ("battle__turns__prompt", "winner", "battle__competitor_a_id", "battle__competitor_b_id")
    rows = votes.filter(battle__turns__index=1).values_list(*columns)
    return [RevealedBattle(prompt, Winner(winner), names[a], names[b]) for prompt, winner, a, b in rows]


def is_told(arena: Arena, voter: Voter) -> bool:
    """Whether this voter knows by now who answered in what they judged here."""
    try:
        _check_told(arena, voter)
    except RevealWithheld:
        return False
    return True


def own_votes(arena: Arena, voter: Voter, *, most: int | None = None) -> list[OwnVote]:
    """This voter's votes here, the latest first, repeats among them like any other: they are not told apart."""
    names: Mapping[int, str] = {}
    if is_told(arena, voter):
        names = {row.pk: row.label for row in Competitor.objects.filter(arena=arena)}
    votes = Vote.objects.filter(voter=voter, battle__arena=arena, battle__turns__index=1).order_by("-id")
    columns = ("battle__public_id", "battle__turns__prompt", "battle__prompt__prompt_set__is_sealed", "winner",
               "created_at", "battle__competitor_a_id", "battle__competitor_b_id", "note__tags",
               "note__comment", "is_marked")  # fmt: skip
    votes = votes.annotate(is_marked=Exists(standing_marks().filter(battle=OuterRef("battle"))))
    return [
        OwnVote(battle, prompt, bool(sealed), Winner(winner), at, names.get(a, ""), names.get(b, ""),
                tuple(tags or ()), comment or "", not is_marked)
        for battle, prompt, sealed, winner, at, a, b, tags, comment, is_marked in votes.values_list(*columns)[:most]
    ]  # fmt: skip


def _check_told(arena: Arena, voter: Voter) -> None:
    if arena.reveal == Arena.Reveal.NEVER:
        raise RevealWithheld
    if arena.reveal == Arena.Reveal.END and not is_done(arena, voter):
        raise RevealLater


def _committed(battle: Battle, cast: CastVote | None) -> tuple[Vote, VoteNote | None]:
    """The battle's vote and what was noted beside it. A vote that is new has no note yet."""
    if cast is not None and not cast.repeated and cast.vote.battle_id == battle.pk:
        return cast.vote, None
    vote = next(iter(Vote.objects.filter(battle_id=battle.pk).select_related("note")), None)
    if vote is None:
        raise NotYetVoted
    return vote, getattr(vote, "note", None)


def _answers(battle: Battle) -> dict[int, dict[Side, str]]:
    """The text of each side that answered, by turn."""
    texts: dict[int, dict[Side, str]] = {}
    rows = Response.objects.filter(turn__battle=battle, error_code="").values_list(
        "turn_id", "side", "text", "recorded_answer__text"
    )
    for turn_id, side, text, recorded in rows:
        texts.setdefault(turn_id, {})[Side(side)] = text if recorded is None else recorded
    return texts


def _both(answers: dict[Side, str], battle: Battle) -> dict[Side, str]:
    return answers if len(answers) == len(Side) and battle.state != BattleState.VOID else {}


_NAMED = ("name", "version", "organization", "license", "model_id", "revision", "system_prompt", "temperature", "top_p",
          "max_tokens")  # fmt: skip
"""The columns of a competitor that `_named` reads."""


def _named(side: Side, competitor: Competitor) -> RevealedSide:
    return RevealedSide(
        side=side,
        competitor_id=competitor.pk,
        name=competitor.label,
        organization=competitor.organization,
        license=competitor.license,
        model_id=competitor.model_id,
        revision=competitor.revision,
        system_prompt=competitor.system_prompt,
        temperature=competitor.temperature,
        top_p=competitor.top_p,
        max_tokens=competitor.max_tokens,
    )
