"""Bootstrap replicates, all refitted at once on counts: by vote, and by voter (exact or in groups).

A replicate reweights the resampled unit with Poisson(1) frequencies, keeps the counts per ordered cell, and is refitted
by chord iterations from the estimate: theta += H^-1 gradient, with the estimate's own inverse Hessian.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array

from ratings.bradley_terry import BradleyTerryFit
from ratings.data import (
    FEW_KEYS,
    SCORE_OF_A,
    Cells,
    Comparisons,
    Floats,
    Ints,
    Outcome,
    cells,
    group,
    ordered_pair,
    pair_of_cell,
    sums_by_key,
    unordered,
)
from ratings.poisson import poisson
from ratings.refits import make_model, refit

MAX_GROUPS = 500
CHUNK = 256
"""Replicates drawn together: part of what a seed means."""
BLOCK = 32
"""Replicates refitted together: the working set stays in the cache."""
SINGLE_DRAWS = 64
"""A Poisson(1) draw above it has a chance of 10^-90."""


@dataclass(frozen=True, slots=True)
class Replicates:
    """Refitted strengths.

    Attributes
    ----------
    strength : float64, shape (r, n)
        Mean zero in each row.
    unit : {'voter', 'vote'}
    units : int
        How many units were resampled.
    separated : int
        Replicates without a finite maximum-likelihood estimate; they were refitted under a weak prior (half a vote of
        ties against the mean), and kept.
    """

    strength: Floats
    unit: str
    units: int
    separated: int


def bootstrap_by_vote(
    data: Comparisons, fit: BradleyTerryFit, *, rounds: int, seed: int, side_effect: bool = False
) -> Replicates:
    """Resamples votes, as if each were independent of all others. The same seed gives the same bits.

    Examples
    --------
    >>> from ratings.bradley_terry import fit_bradley_terry
    >>> from ratings.data import comparisons
    >>> votes = comparisons("xy", [0, 0, 0, 1], [1, 1, 1, 0], [0, 0, 1, 0])
    >>> fit = fit_bradley_terry(cells(votes))
    >>> bootstrap_by_vote(votes, fit, rounds=10, seed=1).strength.shape
    (10, 2)
    """
    table, mass = _by_cell_and_score(data, merge=_by_pair_suffices(fit, side_effect))
    rng = np.random.Generator(np.random.PCG64(seed))
    model = make_model(table, fit, side_effect)
    parts, separated = [], 0
    for start in range(0, rounds, CHUNK):
        chunk = poisson(mass.ravel(), min(CHUNK, rounds - start), rng)
        lost, tied, won = chunk.reshape(3, table.count.size, -1)
        for columns in _blocks(chunk.shape[1]):
            score = np.asarray(0.5 * tied[:, columns], dtype=np.float64)
            count = np.asarray(lost[:, columns] + tied[:, columns] + won[:, columns], dtype=np.float64)
            score += won[:, columns]
            strength, without = refit(model, count, model.design @ score, partial(_column, score))
            parts.append(strength)
            separated += without
    return Replicates(_stack(parts, table.n), "vote", round(data.votes), separated)


def bootstrap_by_voter(
    data: Comparisons,
    fit: BradleyTerryFit,
    *,
    rounds: int,
    seed: int,
    side_effect: bool = False,
    max_groups: int | None = MAX_GROUPS,
) -> Replicates:
    """Resamples voters with all their votes; above `max_groups` voters, groups of voters dealt by their first vote.

    Voters are dealt in turn by their code, which is the order of first votes, never by an id: a pseudonymised export
    gives the same bits.

    Parameters
    ----------
    data : Comparisons
    fit : BradleyTerryFit
        Where refits start, and whether they hold a prior.
    rounds, seed : int
    side_effect : bool
        Refit gamma as well.
    max_groups : int or None
        None resamples every voter by itself.

    Raises
    ------
    ValueError
        The votes carry no voters.

    Examples
    --------
    >>> from ratings.bradley_terry import fit_bradley_terry
    >>> from ratings.data import comparisons
    >>> votes = comparisons("xy", [0, 0, 0, 1], [1, 1, 1, 0], [0, 0, 1, 0], voter=[0, 1, 2, 2])
    >>> found = bootstrap_by_voter(votes, fit_bradley_terry(cells(votes)), rounds=10, seed=1)
    >>> found.strength.shape, found.units
    ((10, 2), 3)
    """
    if data.voter is None:
        raise ValueError("these votes carry no voters; take bootstrap_by_vote.")
    voters, groups, who = _dealt(data.voter, max_groups)
    n, shown = len(data.names), ordered_pair(data)
    keys, seen = sums_by_key(shown, n * n, data.weight)
    table = Cells(n, keys // max(n, 1), keys % max(n, 1), seen, np.zeros(keys.size))  # only counts matter to refits
    where = np.arange(keys.size)
    lead, merge = SCORE_OF_A[data.outcome], _by_pair_suffices(fit, side_effect)
    if merge:
        table, where, _ = _by_pair(table, where)
        lead -= data.a > data.b  # a pair counts from its lower place: the score of a vote is the size of its lead
    lead *= data.weight
    model = make_model(table, fit, side_effect)
    leads = _leads(data, lead, who, groups, side_effect)
    key = _row_of(keys, where, shown, n)
    key *= groups
    key += who
    del who, shown
    shape = (table.count.size, groups)
    counts = _by_cell_and_group(key, data.weight, shape, float(table.count.max(initial=0.0)))

    @cache
    def scores() -> Any:  # only where a replicate has to be fitted by itself
        return _by_cell_and_group(key, np.abs(lead), shape, np.inf)

    def score_of(column: int, drawn: Ints) -> Floats:
        return np.asarray(scores() @ drawn[:, column])

    rng = np.random.Generator(np.random.PCG64(seed))
    parts, separated = [], 0
    for start in range(0, rounds, CHUNK):
        chunk = poisson(np.ones(groups), min(CHUNK, rounds - start), rng)
        led = leads @ chunk.astype(np.float64)
        for columns, count in _weighted(counts, chunk):
            strength, lost = refit(model, count, led[:, columns], partial(score_of, drawn=chunk[:, columns]))
            parts.append(strength)
            separated += lost
    return Replicates(_stack(parts, table.n), "voter", voters, separated)


def _dealt(voter: Ints, max_groups: int | None) -> tuple[int, int, Ints]:
    """How many voters and groups there are, and the group of each vote."""
    low = int(voter.min(initial=0))
    space = int(voter.max(initial=0)) - low + 1
    if space > max(4 * voter.size, FEW_KEYS):
        codes, who = group(voter - low, space)
        voters, place = int(codes.size), np.arange(codes.size)
    else:
        who = voter - low if low else voter
        place = np.cumsum(np.bincount(who, minlength=space) > 0) - 1
        voters = int(place[-1]) + 1
    groups = voters if max_groups is None else min(voters, max_groups)
    return voters, groups, (place % max(groups, 1))[who]


def _column(table: Floats, column: int) -> Floats:
    return table[:, column]


def _leads(data: Comparisons, lead: Floats, who: Ints, groups: int, side_effect: bool) -> Any:
    """What a group adds to the leads of the competitors and, with the side effect, to all scores: (n + 1, groups)."""
    n, m = len(data.names), lead.size
    if groups * (n + 1) <= max(4 * m, FEW_KEYS):
        total = np.zeros((n + 1, groups))
        total[:n] = np.bincount(data.a * groups + who, lead, minlength=n * groups).reshape(n, groups)
        total[:n] -= np.bincount(data.b * groups + who, lead, minlength=n * groups).reshape(n, groups)
        if side_effect:
            total[n] = np.bincount(who, lead, minlength=groups)
        return total
    rows, columns, values = [data.a, data.b], [who, who], [lead, -lead]
    if side_effect:
        rows, columns, values = [*rows, np.full(m, n)], [*columns, who], [*values, lead]
    places = (np.concatenate(rows), np.concatenate(columns))
    return coo_array((np.concatenate(values), places), shape=(n + 1, groups)).tocsr()


def _weighted(counts: Any, chunk: Ints) -> Iterator[tuple[slice, Floats]]:
    """Counts under drawn weights, block by block; dense products are quickest when they are wide."""
    drawn = chunk.astype(counts.dtype)
    whole = counts @ drawn if isinstance(counts, np.ndarray) else None
    for columns in _blocks(chunk.shape[1]):
        yield columns, counts @ drawn[:, columns] if whole is None else whole[:, columns]


def _by_cell_and_group(key: Ints, values: Floats, shape: tuple[int, int], largest: float) -> Any:
    """Sums of values, shape (p, groups), from keys row · groups + column; dense where a fifth could be filled.

    Whole numbers below 2^24 are exact in single precision, and so are their sums in any order; no row's sum is above
    `largest`.
    """
    size = shape[0] * shape[1]
    exact = SINGLE_DRAWS * largest < 1 << 24 and bool((np.trunc(values) == values).all())
    kind = np.float32 if exact else np.float64
    if key.size <= 0.2 * size:
        return coo_array((values.astype(kind), np.divmod(key, shape[1])), shape=shape).tocsr()
    return np.bincount(key, values, minlength=size).astype(kind).reshape(shape)


def _blocks(rounds: int) -> Iterator[slice]:
    for start in range(0, rounds, BLOCK):
        yield slice(start, min(start + BLOCK, rounds))


def _stack(parts: list[Floats], n: int) -> Floats:
    return np.concatenate(parts) if parts else np.zeros((0, n))


def _by_cell_and_score(data: Comparisons, *, merge: bool) -> tuple[Cells, Floats]:
    """The cells, or with `merge` the unordered pairs, and how much was lost, tied and won by a: shape (3, p).

    Sums of independent Poisson draws are Poisson, so what counts alike is drawn once.
    """
    table = cells(data)
    key = ordered_pair(data)
    key *= len(Outcome)
    key += data.outcome
    keys, mass = sums_by_key(key, len(Outcome) * table.n**2, data.weight)
    pair, outcome = np.divmod(keys, len(Outcome))
    where = np.asarray(np.searchsorted(table.a * table.n + table.b, pair), dtype=np.int64)
    halves = (2 * SCORE_OF_A[outcome]).astype(np.int64)
    if merge:
        table, where, turned = _by_pair(table, where)
        halves = np.where(turned, 2 - halves, halves)
    size = table.count.size
    return table, np.bincount(halves * size + where, mass, minlength=3 * size).astype(np.float64).reshape(3, size)


def _row_of(keys: Ints, where: Ints, key: Ints, n: int) -> Ints:
    """The row `where` of the cell with the key a · n + b of each comparison, shape (m,); the cells' `keys` in order."""
    if n * n > max(4 * key.size, FEW_KEYS):
        return where[np.searchsorted(keys, key)]
    row = np.zeros(n * n, dtype=np.int64)
    row[keys] = where
    return row[key]


def _by_pair_suffices(fit: BradleyTerryFit, side_effect: bool) -> bool:
    return not side_effect and fit.side_effect == 0.0


def _by_pair(table: Cells, where: Ints) -> tuple[Cells, Ints, NDArray[np.bool_]]:
    """Unordered pairs, which pair each of the rows that point at cells belongs to, and whether it is turned round."""
    _, pair, turned = pair_of_cell(table)
    return unordered(table), pair[where], turned[where]
