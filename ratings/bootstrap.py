"""Bootstrap replicates, all refitted at once on counts: by vote, and by voter (exact or in groups).

A replicate reweights the resampled unit with Poisson(1) frequencies, keeps the counts per ordered cell, and is refitted
by chord iterations from the estimate: theta += H^-1 gradient, with the estimate's own inverse Hessian.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from ratings.bradley_terry import BradleyTerryFit, fit_bradley_terry
from ratings.data import (
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
from ratings.errors import NotStronglyConnected
from ratings.firth import leverages
from ratings.poisson import poisson

MAX_GROUPS = 500
CHUNK = 256
"""Replicates drawn together: part of what a seed means."""
BLOCK = 16
"""Replicates refitted together: the working set stays in the cache."""
SINGLE_DRAWS = 64
"""A Poisson(1) draw above it has a chance of 10^-90."""
MAX_ITERATIONS = 60
TOLERANCE = 1e-6
"""Log-odds: 0.0002 points."""
SEPARATED = 12.0
"""Log-odds from the mean beyond which a replicate has no finite estimate worth the name."""
FALLBACK_PRIOR = 0.5
FARTHEST = 5.0
"""How many times a replicate's information about somebody may differ from the estimate's, to be believed."""


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
    >>> from ratings.data import comparisons
    >>> votes = comparisons("xy", [0, 0, 0, 1], [1, 1, 1, 0], [0, 0, 1, 0])
    >>> fit = fit_bradley_terry(cells(votes))
    >>> bootstrap_by_vote(votes, fit, rounds=10, seed=1).strength.shape
    (10, 2)
    """
    table, mass = _by_cell_and_score(data, merge=_by_pair_suffices(fit, side_effect))
    rng = np.random.Generator(np.random.PCG64(seed))
    design = _design(table)
    parts, separated = [], 0
    for start in range(0, rounds, CHUNK):
        chunk = poisson(mass.ravel(), min(CHUNK, rounds - start), rng)
        lost, tied, won = chunk.reshape(3, table.count.size, -1)
        for columns in _blocks(chunk.shape[1]):
            score = np.asarray(0.5 * tied[:, columns], dtype=np.float64)
            count = np.asarray(lost[:, columns] + tied[:, columns] + won[:, columns], dtype=np.float64)
            score += won[:, columns]
            strength, without = _refit(table, fit, design, count, score, side_effect)
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
    gives the same bits. `max_groups=None` resamples every voter by itself.

    Raises
    ------
    ValueError
        The votes carry no voters.
    """
    if data.voter is None:
        raise ValueError("these votes carry no voters; take bootstrap_by_vote.")
    table = cells(data)
    low = int(data.voter.min(initial=0))
    codes, who = group(data.voter - low, int(data.voter.max(initial=0)) - low + 1)
    groups = codes.size if max_groups is None else min(codes.size, max_groups)
    keys, shape = table.a * table.n + table.b, (table.count.size, groups)
    where, turned = np.arange(table.count.size), None
    if _by_pair_suffices(fit, side_effect):
        table, where, turned = _by_pair(table, where)
        shape = (table.count.size, groups)
    cell, scores = _cell_of(keys, table.n, data), SCORE_OF_A[data.outcome]
    if turned is not None:
        np.subtract(1.0, scores, out=scores, where=turned[cell])
    key = where[cell]
    del cell
    key *= groups
    who %= groups
    key += who
    del who
    scores *= data.weight
    left, right = _by_cell_and_group(key, data.weight, scores, shape)
    del key, scores
    rng = np.random.Generator(np.random.PCG64(seed))
    design = _design(table)
    parts, separated = [], 0
    for start in range(0, rounds, CHUNK):
        chunk = poisson(np.ones(groups), min(CHUNK, rounds - start), rng)
        for count, score in _weighted(left, right, chunk):
            strength, lost = _refit(table, fit, design, count, score, side_effect)
            parts.append(strength)
            separated += lost
    return Replicates(_stack(parts, table.n), "voter", int(codes.size), separated)


def _weighted(left: Any, right: Any, chunk: Ints) -> Iterator[tuple[Floats, Floats]]:
    """Counts and scores under drawn weights, block by block; dense products are quickest when they are wide."""
    if not isinstance(left, np.ndarray):
        for columns in _blocks(chunk.shape[1]):
            drawn = chunk[:, columns].astype(left.dtype)
            yield left @ drawn, right @ drawn
        return
    drawn = chunk.astype(left.dtype)
    count, score = left @ drawn, right @ drawn
    for columns in _blocks(chunk.shape[1]):
        yield count[:, columns], score[:, columns]


def _by_cell_and_group(key: Ints, weight: Floats, scores: Floats, shape: tuple[int, int]) -> tuple[Any, Any]:
    """Counts and scores, shape (p, groups), from keys row · groups + column; dense where a fifth could be filled.

    Halves below 2^23 are exact in single precision, and so are their sums in any order.
    """
    size = shape[0] * shape[1]
    largest = np.bincount(key // shape[1], weight, minlength=1).max(initial=0.0)
    exact = bool((weight % 1 == 0).all()) and 2 * SINGLE_DRAWS * largest < 1 << 23
    kind = np.float32 if exact else np.float64
    if key.size <= 0.2 * size:
        row, column = np.divmod(key, shape[1])
        table = coo_array((weight.astype(kind), (row, column)), shape=shape).tocsr()
        return table, coo_array((scores.astype(kind), (row, column)), shape=shape).tocsr()
    counts = np.bincount(key, weight, minlength=size).astype(kind).reshape(shape)
    return counts, np.bincount(key, scores, minlength=size).astype(kind).reshape(shape)


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


def _cell_of(keys: Ints, n: int, data: Comparisons) -> Ints:
    """The place among the cells' sorted keys a · n + b of each comparison, shape (m,)."""
    return group(ordered_pair(data), n**2)[1] if keys.size else np.zeros(0, np.int64)


def _by_pair_suffices(fit: BradleyTerryFit, side_effect: bool) -> bool:
    return not side_effect and fit.side_effect == 0.0


def _by_pair(table: Cells, where: Ints) -> tuple[Cells, Ints, NDArray[np.bool_]]:
    """Unordered pairs, which pair each of the rows that point at cells belongs to, and whether it is turned round."""
    _, pair, turned = pair_of_cell(table)
    return unordered(table), pair[where], turned[where]


def _design(table: Cells) -> Any:
    """+1 where a cell's first shown is, -1 where its second is: sparse, shape (n, p)."""
    rows = np.arange(table.count.size)
    ends = np.concatenate([table.a, table.b])
    signs = np.concatenate([np.ones(rows.size), -np.ones(rows.size)])
    return csr_array((signs, (ends, np.concatenate([rows, rows]))), shape=(table.n, rows.size))


def _refit(
    table: Cells, fit: BradleyTerryFit, design: Any, count: Floats, score: Floats, side_effect: bool
) -> tuple[Floats, int]:
    """Strengths of all replicates, shape (r, n), and how many separate; `count`, `score` have shape (p, r)."""
    n, rounds = table.n, count.shape[1]
    count, score = np.asarray(count, dtype=np.float64), np.asarray(score, dtype=np.float64)
    if fit.bias_reduced:  # Jeffreys' prior as the half-votes that it comes to at the estimate
        pseudo = leverages(table, fit)[:, None]
        count, score = count + pseudo, score + pseudo / 2
    theta = np.repeat(fit.strength[:, None], rounds, axis=1)
    gamma = np.full(rounds, fit.side_effect)
    scale = _scale(table, fit, abs(design), count, side_effect)
    active, before = np.arange(rounds), np.full(rounds, np.inf)
    for iteration in range(MAX_ITERATIONS):
        whole = active.size == rounds
        now = theta[:, :1] if not iteration else theta if whole else theta[:, active]  # all start at the estimate
        chance = np.take(now, table.a, axis=0)
        chance -= np.take(now, table.b, axis=0)
        if side_effect:
            chance += gamma[active] if iteration else fit.side_effect
        residual = _expit(chance) * (count if whole else count[:, active])
        np.subtract(score if whole else score[:, active], residual, out=residual)
        slope = np.vstack([design @ residual, residual.sum(axis=0) if side_effect else np.zeros(active.size)])
        if fit.prior:
            slope[:n] += fit.prior * (0.5 - _expit(now.copy()))
        own = scale if whole else scale[:, active]
        slope *= own
        step = fit.covariance @ slope
        step *= own
        size = np.abs(step).max(axis=0, initial=0.0)
        step *= np.minimum(1.0, 2.0 / np.maximum(size, 1e-300))
        theta[:, active] += step[:n]
        gamma[active] += step[n]
        going = _remaining(size, before[active]) > TOLERANCE
        before[active] = size
        active = active[going]
        if not active.size or np.abs(theta[:, active]).max() > 4 * SEPARATED:
            break
    odd = sorted(set(active.tolist()) | set(np.flatnonzero(np.abs(theta).max(axis=0, initial=0) > SEPARATED).tolist()))
    separated = 0
    for column in odd:
        replicate = Cells(n, table.a, table.b, count[:, column], score[:, column])
        theta[:, column], lost = _exactly(replicate, side_effect, fit.prior)
        separated += lost
    return np.asarray((theta - theta.mean(axis=0)).T), separated


def _scale(table: Cells, fit: BradleyTerryFit, ends: Any, count: Floats, side_effect: bool) -> Floats:
    """S of shape (n + 1, r), so that S H^-1 S is closer to the inverse Hessian of a replicate than H^-1 is.

    By the diagonals of both at the estimate, h and h_r: S = (h / h_r)^(1/2). Whoever compared little is resampled to
    half or twice the information, and would take a dozen steps of the wrong length.
    """
    d = fit.strength[table.a] - fit.strength[table.b] + fit.side_effect
    weight = _expit(d)
    weight *= 1.0 - weight
    share = _expit(fit.strength.copy())
    prior = (fit.prior * share * (1.0 - share))[:, None]
    drawn = count * weight[:, None]
    held = ends @ (table.count * weight)[:, None] + prior
    ratio = np.ones((table.n + 1, count.shape[1]))
    np.divide(held, np.maximum(ends @ drawn + prior, 1e-300), out=ratio[:-1], where=held > 0)
    if side_effect:
        ratio[-1] = (table.count @ weight) / np.maximum(drawn.sum(axis=0), 1e-300)
    return np.sqrt(np.clip(ratio, 1 / FARTHEST, FARTHEST))


def _remaining(size: Floats, before: Floats) -> Floats:
    """What all further steps could add up to, shape (r,): chord steps shrink by a ratio that stays or falls.

    Never trusted below a tenth: a step can be short by accident.
    """
    ratio = np.clip(size / np.maximum(before, 1e-300), 0.1, 0.5)
    return np.asarray(size * ratio / (1.0 - ratio))


def _expit(x: Floats) -> Floats:
    """sigma(x) in place; by the hyperbolic tangent, which numpy has in vector instructions."""
    x *= 0.5
    np.tanh(x, out=x)
    x *= 0.5
    x += 0.5
    return x


def _exactly(table: Cells, side_effect: bool, prior: float) -> tuple[Floats, int]:
    """One replicate by Newton's method; under the weak prior, and counted, where no finite estimate exists."""
    kept = table.count > 0
    seen = Cells(table.n, table.a[kept], table.b[kept], table.count[kept], table.score[kept])
    try:
        return fit_bradley_terry(seen, side_effect=side_effect, prior=prior).strength, 0
    except NotStronglyConnected:
        return fit_bradley_terry(seen, side_effect=side_effect, prior=FALLBACK_PRIOR).strength, 1
