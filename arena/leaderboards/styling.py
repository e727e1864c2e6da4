"""Votes with the style of both sides' answers beside them, and which styles these votes can tell from strength."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from django.db.models import Count, Q, QuerySet, Sum

import ratings
from arena.battles.models import Vote
from arena.battles.words import Side, Winner
from arena.leaderboards.counting import OUTCOMES
from ratings.bradley_terry import side_is_identifiable
from ratings.connectivity import components
from ratings.scale import POINTS
from ratings.style import relative_difference, standard_deviations
from ratings.uncertainty import component

LATEST_VOTES = 200_000
"""Votes that a style-controlled board looks at, the latest: each is a row of its own, unlike counts."""
VOTES_PER_STYLE = 10
"""Votes for each covariate beyond one a competitor, below which nothing can be told."""
NOVELTY = 1e-3
"""Share of a covariate's variance that pairs, sides and the covariates before it must leave unexplained."""
TWICE = 1 / 3
"""(a - b) / (a + b) where a is twice b."""
ANSWERS = "battle__turns__responses"


@dataclass(frozen=True, slots=True)
class Styled:
    """Comparisons with covariates, and the votes that had to stay out."""

    data: ratings.Comparisons
    uncounted: int
    older: int


def load(votes: QuerySet[Vote], labels: dict[int, str], names: tuple[str, ...]) -> Styled:
    """Each vote as a row, with the counts of each side summed over its turns.

    Votes with an answer whose style nobody counted stay out, and so do all but the latest `LATEST_VOTES`.
    """
    total = votes.count()
    edge = votes.order_by("-id").values_list("id", flat=True)[LATEST_VOTES : LATEST_VOTES + 1].first()
    latest = votes.filter(id__gt=edge or 0)
    columns = [f"{side}_{name}" for side in Side for name in names]
    rows = (
        latest.order_by("id")
        .values_list("voter_id", "battle__competitor_a_id", "battle__competitor_b_id", "winner")
        .annotate(answers=Count(ANSWERS), counted=Count(ANSWERS, filter=_is_counted(names)), **_sums(names))
    )
    order = {competitor_id: place for place, competitor_id in enumerate(labels)}
    voters: dict[int, int] = {}
    kept: list[tuple[int, ...]] = []
    uncounted = 0
    for voter, a, b, winner, answers, counted, *sums in rows.values_list(
        *_PLAIN, "answers", "counted", *columns
    ).iterator(chunk_size=5000):
        if not answers or counted < answers or None in sums:
            uncounted += 1
            continue
        code = voters.setdefault(voter, len(voters))
        kept.append((code, order[a], order[b], int(OUTCOMES[Winner(winner)]), *sums))
    table = np.array(kept, dtype=np.int64).reshape(len(kept), 4 + len(columns))
    voter, a, b, outcome = table[:, :4].T
    sides = table[:, 4:].reshape(len(table), 2, len(names))
    data = ratings.comparisons(
        list(labels.values()), a, b, outcome, voter=voter,
        covariates=relative_difference(sides[:, 0], sides[:, 1]), covariate_names=names,
    )  # fmt: skip
    return Styled(data, uncounted, older=total - len(kept) - uncounted)


_PLAIN = ("voter_id", "battle__competitor_a_id", "battle__competitor_b_id", "winner")


def _is_counted(names: tuple[str, ...]) -> Q:
    return Q(**{f"{ANSWERS}__style_{name}__isnull": False for name in names})


def _sums(names: tuple[str, ...]) -> dict[str, Sum]:
    return {
        f"{side}_{name}": Sum(f"{ANSWERS}__style_{name}", filter=Q(**{f"{ANSWERS}__side": side}))
        for side in Side
        for name in names
    }


def tellable(data: ratings.Comparisons, names: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
    """Which of the styles these votes can tell from the strengths and from each other, and whether the side effect too.

    In every group of competitors that met: a covariate that never differs, that follows from who answered, or that
    repeats one named before it has no coefficient of its own, and few votes have none for any.
    """
    parts = [part for part in _parts(data) if part.votes]
    side = all(side_is_identifiable(ratings.cells(part)) for part in parts)
    kept: tuple[str, ...] = ()
    for name in names:
        if parts and all(_is_new(part, (*kept, name), side=side) for part in parts):
            kept = (*kept, name)
    return kept, side


def _parts(data: ratings.Comparisons) -> list[ratings.Comparisons]:
    groups = components(ratings.cells(data))
    return [component(data, np.flatnonzero(groups == label)) for label in np.unique(groups)]


def _is_new(part: ratings.Comparisons, names: tuple[str, ...], *, side: bool) -> bool:
    """Whether the last of these adds something to the columns before it."""
    if part.covariates is None or part.votes < len(part.names) + VOTES_PER_STYLE * len(names):
        return False
    size, rows = len(part.names), np.arange(part.a.size)
    design = np.zeros((part.a.size, size + 1 + len(names)))
    design[rows, part.a], design[rows, part.b] = 1.0, -1.0
    design[:, size] = side
    design[:, size + 1 :] = part.covariates[:, [part.covariate_names.index(name) for name in names]]
    squares = design.T @ (design * part.weight[:, None])
    before, last = squares[:-1, :-1], squares[:-1, -1]
    left = squares[-1, -1] - last @ np.linalg.pinv(before, hermitian=True) @ last
    return bool(left > NOVELTY * max(squares[-1, -1], 1e-9 * part.votes))


def effects(board: ratings.Board, data: ratings.Comparisons) -> dict[str, dict[str, float]]:
    """What twice as much of each style is worth in points, with its interval, for one standard deviation is no measure
    that anybody knows. Of the group with the most votes, as the coefficients are."""
    if not board.style:
        return {}
    largest = max(_parts(data), key=lambda part: part.votes)
    scale = standard_deviations(_only(largest, tuple(board.style)))
    return {
        name: dict(zip(("points", "lower", "upper"), (POINTS * TWICE / sd * value for value in found), strict=True))
        for (name, found), sd in zip(board.style.items(), scale.tolist(), strict=True)
    }


def _only(data: ratings.Comparisons, names: tuple[str, ...]) -> ratings.Comparisons:
    if data.covariates is None:
        return data
    places: Any = [data.covariate_names.index(name) for name in names]
    return replace(data, covariates=data.covariates[:, places], covariate_names=names)
