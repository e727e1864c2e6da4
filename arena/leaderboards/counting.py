"""Votes to counts: the database groups and sums; no vote is ever loaded as an object."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from django.db.models import Avg, Count, Max, Min, Q, QuerySet

from arena.battles.marking import standing_marks
from arena.battles.models import Battle, Response, Vote
from arena.battles.words import Winner
from arena.competitors.models import Competitor
from arena.integrity.standing import last_decision
from arena.leaderboards.costs import cost_of_thousand
from arena.teams.models import Arena

if TYPE_CHECKING:
    from ratings import Comparisons

OUTCOMES = {Winner.A: 0, Winner.B: 1, Winner.TIE: 2, Winner.BOTH_BAD: 3}
"""`ratings.Outcome` by the stored word; a process that only reads boards need not load the statistics."""


LATEST_ANSWERS = 50_000
"""Answers of an arena of which speed and errors are published."""


@dataclass(frozen=True, slots=True)
class Cutoffs:
    """Rows up to and including these ids are counted."""

    vote: int
    battle: int
    response: int
    exclusion: int | None = None
    """None for boards of before there were any."""

    def as_json(self) -> dict[str, int]:
        """As published."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, slots=True)
class Service:
    """How a competitor served here, apart from what people thought of it. None means not known."""

    battles_served: int
    median_first_token_ms: float | None
    tokens_per_second: float | None
    cost_per_1k_answers: float | None
    error_rate: float | None


def cutoffs() -> Cutoffs:
    """The present ones; the caller holds `frozen_tables`."""
    highest = [model._default_manager.aggregate(top=Max("id"))["top"] or 0 for model in (Vote, Battle, Response)]
    return Cutoffs(vote=highest[0], battle=highest[1], response=highest[2], exclusion=last_decision())


def tellable(limits: Cutoffs, path: str = "") -> Q:
    """Battles whose competitors a board may count: those judged by the cut-off, and old ones that nobody can judge.

    An open battle must stay out: between two boards the figures of two competitors would move, and its voter knew who
    answers. So must one just set aside, whose answers may be shown again. Those come in a day later, by whole days.
    `path` leads to the battle ("turn__battle__"). The day is that of the last battle, not the clock's: see `verify`.
    """
    judged = Q(**{f"{path}vote__id__lte": limits.vote})
    last = Battle.objects.filter(id__lte=limits.battle).order_by("-id").values_list("served_at", flat=True).first()
    if last is None:
        return judged
    return judged | Q(**{f"{path}expires_at__lte": last.replace(hour=0, minute=0, second=0, microsecond=0)})


def entered(arena: Arena, limits: Cutoffs) -> dict[int, str]:
    """Label by id of every competitor of a battle that may be told, retired ones included."""
    served = Battle.objects.filter(tellable(limits), arena=arena, id__lte=limits.battle)
    ids = set(served.values_list("competitor_a_id", flat=True).distinct())
    ids |= set(served.values_list("competitor_b_id", flat=True).distinct())
    return {row.pk: row.label for row in Competitor.objects.filter(pk__in=ids)}


def rated(arena: Arena, through: int | None = None) -> QuerySet[Vote]:
    """The votes that count towards ratings, for a board whose last vote is `through` or for one of this moment.

    Every one but the second judgement of an item by the same voter, and those on battles whose texts said whose they
    are (`battles.marking`).
    """
    votes = Vote.objects.filter(is_rated(through, "battle__"), battle__arena=arena)
    return votes if through is None else votes.filter(id__lte=through)


def is_rated(through: int | None, path: str = "") -> Q:
    """The same as a condition on battles, or on rows that lead to one by `path`. Whoever asks for a few battles by
    their ids asks thus: a database that begins with all that were no repeats reads the whole arena."""
    marked = standing_marks(through).values("battle")
    return Q(**{f"{path}repeat_of__isnull": True}) & ~Q(**{f"{path}pk__in": marked})


def load_counts(arena: Arena, limits: Cutoffs, labels: dict[int, str]) -> Comparisons:
    """Votes of an arena counted by voter, pair, side and outcome."""
    return count(rated(arena, limits.vote), labels)


def labels_of(arena: Arena) -> dict[int, str]:
    """Label by id of every competitor that was ever entered."""
    return {row.pk: row.label for row in Competitor.objects.filter(arena=arena)}


def competitors_in(votes: QuerySet[Vote]) -> dict[int, str]:
    """Label by id of every competitor that these votes judged."""
    pairs = votes.order_by().values_list("battle__competitor_a_id", "battle__competitor_b_id").distinct()
    rows = Competitor.objects.filter(pk__in={pk for pair in pairs for pk in pair}).order_by("pk")
    return {row.pk: row.label for row in rows}


def count(votes: QuerySet[Vote], labels: dict[int, str]) -> Comparisons:
    """These votes by voter, pair, side and outcome.

    Voters are coded in the order of their first counted vote, so that pseudonyms change no byte downstream.
    """
    voters = places_in(votes)
    counted = (
        votes.values_list("voter_id", "battle__competitor_a_id", "battle__competitor_b_id", "winner")
        .annotate(votes=Count("id"))
        .order_by()
    )
    order = {competitor_id: place for place, competitor_id in enumerate(labels)}
    table = [
        (voters[voter], order[a], order[b], OUTCOMES[Winner(winner)], count) for voter, a, b, winner, count in counted
    ]
    columns: list[list[Any]] = [list(column) for column in zip(*table, strict=True)] or [[], [], [], [], []]
    voter, a, b, outcome, weight = columns
    from ratings import comparisons

    return comparisons(list(labels.values()), a, b, outcome, voter=voter, weight=weight)


def places_in(votes: QuerySet[Vote]) -> dict[int, int]:
    """Voters by the order of their first one of these votes."""
    first = votes.values_list("voter_id").annotate(first=Min("id")).order_by("first")
    return {voter_id: code for code, (voter_id, _first) in enumerate(first)}


def load_service(arena: Arena, limits: Cutoffs, labels: dict[int, str]) -> dict[int, Service]:
    """Service figures of each competitor up to the cut-offs: battles of the whole log, speed and errors of the latest
    answers, which is what an operator wants to know and keeps the cost of a long log bounded."""
    served = _served(arena, limits)
    rows = latest_answers(arena, limits)
    failures = {
        competitor: (total, failed)
        for competitor, total, failed in rows.values_list("competitor_id")
        .annotate(total=Count("id"), failed=Count("id", filter=~Q(error_code="")))
        .order_by()
    }
    first, speed = _timings(rows.filter(error_code=""))
    costs = _costs(rows.filter(error_code=""), labels)
    result = {}
    for pk in labels:
        total, failed = failures.get(pk, (0, 0))
        result[pk] = Service(
            battles_served=served.get(pk, 0),
            median_first_token_ms=_rounded(first.get(pk), 1),
            tokens_per_second=_rounded(speed.get(pk), 1),
            cost_per_1k_answers=_rounded(costs.get(pk), 6),
            error_rate=_rounded(failed / total, 6) if total else None,
        )
    return result


def latest_answers(arena: Arena, limits: Cutoffs) -> QuerySet[Response]:
    """The last `LATEST_ANSWERS` responses to battles of our own that may be told, failed ones too."""
    told = tellable(limits, "turn__battle__")
    rows = Response.objects.filter(
        told, turn__battle__arena=arena, turn__battle__is_imported=False, id__lte=limits.response
    )
    older = rows.order_by("-id").values_list("id", flat=True)[LATEST_ANSWERS : LATEST_ANSWERS + 1].first()
    return rows.filter(id__gt=older or 0)


def _served(arena: Arena, limits: Cutoffs) -> dict[int, int]:
    served: dict[int, int] = defaultdict(int)
    for side in ("competitor_a_id", "competitor_b_id"):
        told = Battle.objects.filter(tellable(limits), arena=arena, is_imported=False, id__lte=limits.battle)
        rows = told.values_list(side)
        for competitor, count in rows.annotate(count=Count("id")).order_by():
            served[competitor] += count
    return served


def _timings(rows: Any) -> tuple[dict[int, float], dict[int, float]]:
    """Median first token in ms and median tokens a second by competitor, in one pass over three plain columns."""
    first: dict[int, list[float]] = defaultdict(list)
    speed: dict[int, list[float]] = defaultdict(list)
    columns = ("competitor_id", "first_token_ms", "total_ms", "output_tokens")
    for competitor, began, ended, tokens in rows.order_by().values_list(*columns).iterator(chunk_size=5000):
        if began is not None:
            first[competitor].append(began)
            if ended is not None and tokens and ended > began:
                speed[competitor].append(tokens * 1000 / (ended - began))
    return {k: median(v) for k, v in first.items()}, {k: median(v) for k, v in speed.items()}


def _costs(rows: Any, labels: dict[int, str]) -> dict[int, float | None]:
    """What 1,000 answers as long as these cost at the present prices, by competitor."""
    lengths = (
        rows.values_list("competitor_id").annotate(read=Avg("input_tokens"), written=Avg("output_tokens")).order_by()
    )
    priced = Competitor.objects.in_bulk(list(labels))
    return {pk: cost_of_thousand(priced[pk], read, written) for pk, read, written in lengths if pk in priced}


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
