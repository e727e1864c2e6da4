"""Which votes count, as of a cut-off: the same answer for the same rows, whenever it is asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db.models import Count, Max, Q, QuerySet

from arena.battles.models import Vote
from arena.integrity.models import Exclusion, Screening, ScreeningPolicy
from arena.teams.models import Arena, Voter

BATCH = 500
Judged = tuple[int, int, int, str, int]
"""Voter, competitor on a, competitor on b, winner, votes."""


@dataclass(frozen=True, slots=True)
class InForce:
    """The decisions in force: whole voters, voters on one competitor, and single votes."""

    voters: frozenset[int] = frozenset()
    on: tuple[tuple[int, frozenset[int]], ...] = ()
    votes: frozenset[int] = frozenset()
    all: frozenset[int] = frozenset()
    """Everybody of whom anything is set aside."""

    def __bool__(self) -> bool:
        return bool(self.all)

    def q(self) -> Q:
        """The votes that do not count."""
        found = Q(voter__in=self.voters) | Q(pk__in=self.votes)
        for competitor, voters in self.on:
            met = Q(battle__competitor_a=competitor) | Q(battle__competitor_b=competitor)
            found |= Q(voter__in=voters) & met
        return found


@dataclass(frozen=True, slots=True)
class Withheld:
    """Votes that were cast and do not count: as counts, and what is left of the voters who cast them.

    `gone` are voters without any vote that counts; `lost` the competitors by voter of whom this voter's votes no
    longer judge any.
    """

    counts: tuple[Judged, ...] = ()
    gone: frozenset[int] = frozenset()
    lost: tuple[tuple[int, frozenset[int]], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.counts)

    @property
    def votes(self) -> int:
        return sum(row[4] for row in self.counts)

    @property
    def voters(self) -> frozenset[int]:
        return frozenset(row[0] for row in self.counts)


def screening_of(arena: Arena) -> Screening:
    """How an arena is screened: as set, else automatically where anybody may vote and votes are people's."""
    known = ScreeningPolicy.objects.filter(arena=arena).values_list("mode", flat=True).first()
    if known is not None:
        return Screening(known)
    watched = arena.access == Arena.Access.OPEN and not arena.is_simulated
    return Screening.AUTOMATIC if watched else Screening.OFF


def last_decision() -> int:
    """The id up to which decisions are made; a snapshot's cut-off. The caller holds `frozen_tables(Exclusion)`."""
    return Exclusion.objects.aggregate(top=Max("id"))["top"] or 0


def decisions(arena: Arena, *, through: int | None = None) -> QuerySet[Exclusion]:
    """Exclusions in force among those with ids up to `through`, or among all."""
    rows = Exclusion.objects.filter(arena=arena)
    reversals = Exclusion.objects.filter(arena=arena, reverses__isnull=False)
    if through is not None:
        rows, reversals = rows.filter(pk__lte=through), reversals.filter(pk__lte=through)
    return rows.exclude(action=Exclusion.Action.CLEARED).exclude(pk__in=reversals.values("reverses"))


def in_force(arena: Arena, *, through: int | None = None) -> InForce:
    """What a board as of decision `through` leaves out."""
    whole: set[int] = set()
    votes: set[int] = set()
    on: dict[int, set[int]] = defaultdict(set)
    concerned: set[int] = set()
    rows = decisions(arena, through=through).order_by("pk").values_list("voter_id", "competitor_id", "votes")
    for voter, competitor, single in rows:
        if voter is not None:
            concerned.add(voter)
        if single:
            votes.update(single)
        elif voter is not None and competitor is None:
            whole.add(voter)
        elif voter is not None and competitor is not None:
            on[competitor].add(voter)
    if votes:
        concerned |= set(Vote.objects.filter(pk__in=votes).values_list("voter_id", flat=True))
    by_competitor = tuple((competitor, frozenset(voters - whole)) for competitor, voters in sorted(on.items()))
    return InForce(frozenset(whole), by_competitor, frozenset(votes), frozenset(concerned))


def counted(votes: QuerySet[Vote], arena: Arena, *, through: int | None) -> QuerySet[Vote]:
    """Those of these votes of an arena that count as of decision `through`; None for a board before any decision."""
    known = in_force(arena, through=through) if through else InForce()
    return votes.filter(~known.q()) if known else votes


def withheld(arena: Arena, votes: QuerySet[Vote], *, through: int | None) -> Withheld:
    """What `counted` leaves out of these votes, counted by the database. Costs nothing where nothing is in force."""
    known = in_force(arena, through=through) if through else InForce()
    if not known:
        return Withheld()
    out, left = list[Judged](), defaultdict[int, set[int]](set)
    for some in _batches(sorted(known.all)):
        own = votes.filter(voter__in=some)
        out += _counts(own.filter(known.q()))
        for voter, a, b, *_ in _counts(own.filter(~known.q())):
            left[voter] |= {a, b}
    judged: dict[int, set[int]] = defaultdict(set)
    for voter, a, b, *_ in out:
        judged[voter] |= {a, b}
    lost = {voter: frozenset(competitors - left[voter]) for voter, competitors in judged.items()}
    gone = frozenset(voter for voter in judged if not left[voter])
    return Withheld(tuple(sorted(out)), gone, tuple(sorted((voter, those) for voter, those in lost.items() if those)))


def held_votes(voter: Voter, arena: Arena) -> frozenset[int]:
    """Ids of this voter's votes that do not count at present: to the voter they are held for review, never why."""
    known = in_force(arena)
    if voter.pk not in known.all:
        return frozenset()
    return frozenset(Vote.objects.filter(known.q(), battle__arena=arena, voter=voter).values_list("pk", flat=True))


def _counts(votes: QuerySet[Vote]) -> list[Judged]:
    columns = ("voter_id", "battle__competitor_a_id", "battle__competitor_b_id", "winner")
    return list(votes.order_by().values_list(*columns).annotate(votes=Count("id")))


def _batches(items: list[int]) -> Iterator[Iterable[int]]:
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))
