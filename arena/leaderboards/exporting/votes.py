"""Votes in their order, a thousand at a time, whatever their number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db.models import Max, Min

from arena.battles.models import Battle, Vote
from arena.battles.words import EXPORTED, Winner
from arena.competitors.models import Competitor
from arena.integrity.models import Exclusion
from arena.integrity.standing import InForce, decisions, in_force
from arena.leaderboards.counting import is_rated, rated, tellable
from arena.leaderboards.exporting.scope import Scope
from arena.leaderboards.exporting.texts import talks_of
from arena.prompts.models import Prompt
from arena.teams.models import Voter

CHUNK = 1_000
"""Votes whose battles and texts are held at once."""
NEEDED = ("public_id", "voter_id", "prompt_id", "competitor_a_id", "competitor_b_id", "policy", "draw_probability",
          "is_imported")  # fmt: skip
"""Of a battle with a vote; its other columns cost more than these."""
SERVED = ("battle_id", "voter", "model_a", "model_b", "winner", "voted", "timestamp", "draw_probability", "policy",
          "state", "void_reason")  # fmt: skip
"""The served log: what `ratings` reads comes first; no winner, no vote."""


class _Vote(NamedTuple):
    pk: int
    battle_id: int
    voter_id: int
    winner: str
    created_at: datetime


@dataclass(slots=True)
class _Judge:
    """A voter's pseudonyms, and how many of the votes are written so far."""

    name: str
    session: str
    since: str
    votes: int = 0


@dataclass(slots=True)
class _Names:
    """Labels and prompts by id, looked up once."""

    labels: dict[int, str] = field(default_factory=dict)
    prompts: dict[int, Prompt] = field(default_factory=dict)

    def learn(self, battles: Sequence[Battle]) -> None:
        ids = {pk for battle in battles for _, pk in battle.competitor_ids()} - self.labels.keys()
        self.labels |= {row.pk: row.label for row in Competitor.objects.filter(pk__in=ids)}
        fresh = {battle.prompt_id for battle in battles if battle.prompt_id is not None} - self.prompts.keys()
        asked = Prompt.objects.filter(pk__in=fresh).select_related("prompt_set").defer("text")
        self.prompts |= {prompt.pk: prompt for prompt in asked}


def vote_rows(scope: Scope, *, before_exclusions: bool = False) -> Iterator[dict[str, Any]]:
    """Every vote that a snapshot could count, by the names of `ratings.writers`.

    `rated` is false for second looks, for battles whose texts said whose they are, and for votes that a decision leaves
    out, but for the last where exclusions are told apart.

    In chunks by id, each of a few plain questions: no transaction stays open while somebody reads slowly, and memory
    grows with the voters and prompts alone. Rows up to a snapshot never change, so that the chunks fit together.
    """
    names, voters = _Names(), dict[int, _Judge]()
    known = InForce() if before_exclusions else decided(scope)
    for chunk in _chunks(scope):
        battles = Battle.objects.only(*NEEDED).in_bulk([vote.battle_id for vote in chunk])
        names.learn(list(battles.values()))
        _meet(scope, voters, {vote.voter_id for vote in chunk})
        counts = counted_among(scope, chunk, known)
        told = [pk for pk, battle in battles.items() if _tells_texts(scope, battle, names)]
        talks = talks_of(told) if told else {}
        for vote in chunk:
            judge = voters[vote.voter_id]
            judge.votes += 1
            talk = talks.get(vote.battle_id)
            row = _row(scope, vote, battles[vote.battle_id], names, judge, counts=vote.pk in counts)
            yield row | talk.values() if talk else row


def exclusion_rows(scope: Scope) -> Iterator[dict[str, Any]]:
    """Each vote that a decision leaves out of the ratings, and why; in public the rule alone."""
    known = decided(scope)
    if not known:
        return
    why = _Reasons.of(scope)
    votes = rated(scope.arena, scope.limits.vote).filter(known.q()).select_related("battle").order_by("id")
    for vote in votes.iterator(chunk_size=CHUNK):
        action, reason = why.of_vote(vote, is_full=scope.is_full)
        yield {
            "id": _battle_id(scope, vote.battle), "voter": scope.pseudonym("voter", vote.voter_id), "votes": 1,
            "action": action, "reason": reason,
        }  # fmt: skip


def decided(scope: Scope) -> InForce:
    """What the snapshot left out by decision."""
    return in_force(scope.arena, through=scope.limits.exclusion) if scope.limits.exclusion else InForce()


def counted_among(scope: Scope, chunk: Sequence[_Vote], known: InForce) -> set[int]:
    """Those of these votes that count towards ratings."""
    asked = Battle.objects.filter(is_rated(scope.limits.vote), pk__in=[vote.battle_id for vote in chunk])
    battles = set(asked.values_list("pk", flat=True))
    found = {vote.pk for vote in chunk if vote.battle_id in battles}
    if known:
        found -= set(Vote.objects.filter(known.q(), pk__in=found).values_list("pk", flat=True))
    return found


@dataclass(slots=True)
class _Reasons:
    """Decisions in force, by single vote and by voter."""

    by_vote: dict[int, Exclusion] = field(default_factory=dict)
    by_voter: dict[int, list[Exclusion]] = field(default_factory=dict)

    @classmethod
    def of(cls, scope: Scope) -> _Reasons:
        found = cls()
        for row in decisions(scope.arena, through=scope.limits.exclusion).order_by("pk"):
            if row.votes:
                found.by_vote |= dict.fromkeys(row.votes, row)
            elif row.voter_id is not None:
                found.by_voter.setdefault(row.voter_id, []).append(row)
        return found

    def of_vote(self, vote: Vote, *, is_full: bool) -> tuple[str, str]:
        pair = {pk for _, pk in vote.battle.competitor_ids()}
        rows = [row for row in self.by_voter.get(vote.voter_id, ()) if row.competitor_id in (None, *pair)]
        row = self.by_vote.get(vote.pk) or rows[0]
        return row.action, row.sentence if is_full else row.rule


def _meet(scope: Scope, voters: dict[int, _Judge], ids: set[int]) -> None:
    """Gives pseudonyms to those of these voters that were not met before."""
    for pk, since in Voter.objects.filter(pk__in=ids - voters.keys()).values_list("pk", "created_at"):
        voters[pk] = _Judge(scope.pseudonym("voter", pk), scope.pseudonym("session", pk), _when(since))


def served_rows(scope: Scope) -> Iterator[dict[str, Any]]:
    """Every battle that was shown and may be told, voted or not, in the order of serving."""
    names, at = _Names(), 0
    told = Battle.objects.filter(tellable(scope.limits), arena=scope.arena, is_imported=False).order_by("id")
    every = Battle.objects.filter(id__lte=scope.limits.battle).order_by("id").values_list("pk", flat=True)
    while ids := list(every.filter(id__gt=at)[:CHUNK]):
        at, chunk = ids[-1], list(told.filter(pk__in=ids))
        names.learn(chunk)
        votes = Vote.objects.filter(battle__in=[row.pk for row in chunk], id__lte=scope.limits.vote)
        voted = dict(votes.values_list("battle_id", "winner"))
        for battle in chunk:
            yield {
                "battle_id": _battle_id(scope, battle),
                "voter": scope.pseudonym("voter", battle.voter_id),
                "model_a": names.labels[battle.competitor_a_id],
                "model_b": names.labels[battle.competitor_b_id],
                "winner": EXPORTED[Winner(voted[battle.pk])] if battle.pk in voted else None,
                "voted": int(battle.pk in voted),
                "timestamp": _when(battle.served_at),
                "draw_probability": battle.draw_probability,
                "policy": battle.policy,
                "state": battle.state,
                "void_reason": battle.void_reason or None,
            }


def _chunks(scope: Scope) -> Iterator[list[_Vote]]:
    """Votes by the primary key alone: a plan that began at the battles would sort all of them for each chunk."""
    votes = Vote.objects.filter(battle__arena=scope.arena, id__lte=scope.limits.vote)
    ends = votes.aggregate(first=Min("id"), last=Max("id"))
    at = (ends["first"] or 1) - 1
    while rows := list(
        Vote.objects.filter(id__gt=at, id__lte=ends["last"] or 0).order_by("id")
        .values_list("pk", "battle_id", "voter_id", "winner", "created_at")[:CHUNK]
    ):  # fmt: skip
        at = rows[-1][0]
        ours = set(
            Battle.objects.filter(pk__in=[row[1] for row in rows], arena=scope.arena).values_list("pk", flat=True)
        )
        yield [_Vote(*row) for row in rows if row[1] in ours]


def _tells_texts(scope: Scope, battle: Battle, names: _Names) -> bool:
    prompt = names.prompts.get(battle.prompt_id or 0)
    return scope.tells_texts(
        prompt_id=battle.prompt_id, is_sealed=prompt is not None and prompt.prompt_set.is_sealed
    )  # fmt: skip


def _row(scope: Scope, vote: _Vote, battle: Battle, names: _Names, judge: _Judge, *, counts: bool) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": _battle_id(scope, battle),
        "model_a": names.labels[battle.competitor_a_id],
        "model_b": names.labels[battle.competitor_b_id],
        "winner": EXPORTED[Winner(vote.winner)],
        "evaluation_session_id": judge.session,
        "evaluation_order": judge.votes,
        "category_tag": {},
        "timestamp": _when(vote.created_at),
        "judge": judge.name,
        "rated": counts,
        "source": "imported" if battle.is_imported else "own",
        "policy": battle.policy,
        "draw_probability": None if battle.is_imported else battle.draw_probability,
    }
    if scope.is_full:
        row["voter_since"] = judge.since
    if prompt := names.prompts.get(battle.prompt_id or 0):
        row |= {
            "prompt_id": _prompt_id(scope, prompt),
            "category": prompt.category or None,
            "category_tag": {"category": prompt.category} if prompt.category else {},
            "language": prompt.language or None,
        }
    return row


def _battle_id(scope: Scope, battle: Battle) -> str:
    """An operator finds a battle by its own id; to the public it would say whose votes belong together."""
    return str(battle.public_id) if scope.is_full else scope.pseudonym("battle", battle.pk)


def _prompt_id(scope: Scope, prompt: Prompt) -> str:
    """The key of a sealed prompt may say what it asks."""
    hidden = prompt.prompt_set.is_sealed and not scope.is_full
    return scope.pseudonym("prompt", prompt.pk) if hidden else prompt.key


def _when(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
