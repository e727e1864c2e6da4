"""Bootstrap replicates, all refitted at once on counts: by vote, and by voter (exact or in groups).

A replicate reweights the resampled unit with Poisson(1) frequencies, keeps the counts per ordered cell, and is refitted
by chord iterations from the estimate: theta += H^-1 gradient, with the estimate's own inverse Hessian.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.special import expit, pdtr

from ratings.bradley_terry import BradleyTerryFit, fit_bradley_terry
from ratings.data import SCORE_OF_A, Cells, Comparisons, Floats, Ints, cells
from ratings.errors import NotStronglyConnected

MAX_GROUPS = 500
CHUNK = 256
"""Replicates refitted together: the working set stays in the cache."""
MAX_ITERATIONS = 60
TOLERANCE = 1e-6
"""Log-odds: 0.0002 points."""
SEPARATED = 12.0
"""Log-odds from the mean beyond which a replicate has no finite estimate worth the name."""
FALLBACK_PRIOR = 0.5


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
    table, keys, mass = _by_cell_and_outcome(data)
    rng = np.random.Generator(np.random.PCG64(seed))
    cell = keys // 4
    scores = SCORE_OF_A[keys % 4]
    size = table.count.size
    sum_counts = csr_array((np.ones(keys.size), (cell, np.arange(keys.size))), shape=(size, keys.size))
    sum_scores = csr_array((scores, (cell, np.arange(keys.size))), shape=(size, keys.size))
    parts, separated = [], 0
    for start in range(0, rounds, CHUNK):
        drawn = _poisson(mass, min(CHUNK, rounds - start), rng)
        strength, lost = _refit(table, fit, sum_counts @ drawn, sum_scores @ drawn, side_effect)
        parts.append(strength)
        separated += lost
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
    codes, who = np.unique(data.voter, return_inverse=True)
    groups = codes.size if max_groups is None else min(codes.size, max_groups)
    where = np.searchsorted(table.a * table.n + table.b, data.a * table.n + data.b)
    shape = (table.count.size, groups)
    counts = csr_array((data.weight, (where, who % groups)), shape=shape)
    scores = csr_array((data.weight * SCORE_OF_A[data.outcome], (where, who % groups)), shape=shape)
    dense = counts.nnz > 0.2 * table.count.size * groups
    left, right = (counts.toarray(), scores.toarray()) if dense else (counts, scores)
    rng = np.random.Generator(np.random.PCG64(seed))
    parts, separated = [], 0
    for start in range(0, rounds, CHUNK):
        drawn = rng.poisson(1.0, size=(groups, min(CHUNK, rounds - start))).astype(np.float64)
        strength, lost = _refit(table, fit, left @ drawn, right @ drawn, side_effect)
        parts.append(strength)
        separated += lost
    return Replicates(_stack(parts, table.n), "voter", int(codes.size), separated)


def _stack(parts: list[Floats], n: int) -> Floats:
    return np.concatenate(parts) if parts else np.zeros((0, n))


def _by_cell_and_outcome(data: Comparisons) -> tuple[Cells, Ints, Floats]:
    table = cells(data)
    where = np.searchsorted(table.a * table.n + table.b, data.a * table.n + data.b)
    keys, inverse = np.unique(where * 4 + data.outcome, return_inverse=True)
    mass = np.bincount(inverse, data.weight, minlength=keys.size).astype(np.float64)
    return table, keys, mass


def _poisson(mass: Floats, rounds: int, rng: np.random.Generator) -> Floats:
    """Poisson draws with means `mass`, shape (len(mass), rounds), by inverse distribution functions on a 16-bit grid.

    numpy's own draws would cost more than all the refits. The grid's error of 2^-17 in probability is far below what
    a thousand replicates can show.
    """
    drawn = np.empty((mass.size, rounds))
    uniform = rng.integers(0, 1 << 16, size=(mass.size, rounds), dtype=np.uint16)
    grid = (np.arange(1 << 16) + 0.5) / (1 << 16)
    means, where = np.unique(mass, return_inverse=True)
    order = np.argsort(where, kind="stable")
    bounds = np.searchsorted(where[order], np.arange(means.size + 1))
    for number, mean in enumerate(means.tolist()):
        rows = order[bounds[number] : bounds[number + 1]]
        top = np.arange(int(mean + 12 * np.sqrt(mean) + 20))
        table = np.searchsorted(pdtr(top, mean), grid).astype(np.float64)
        drawn[rows] = table[uniform[rows]]
    return drawn


def _refit(table: Cells, fit: BradleyTerryFit, count: Floats, score: Floats, side_effect: bool) -> tuple[Floats, int]:
    """Strengths of all replicates, shape (r, n), and how many separate; `count`, `score` have shape (p, r)."""
    n, rounds = table.n, count.shape[1]
    rows = np.arange(table.count.size)
    ends = np.concatenate([table.a, table.b])
    signs = np.concatenate([np.ones(rows.size), -np.ones(rows.size)])
    design = csr_array((signs, (ends, np.concatenate([rows, rows]))), shape=(n, rows.size))
    theta = np.repeat(fit.strength[:, None], rounds, axis=1)
    gamma = np.full(rounds, fit.side_effect)
    inverse = fit.covariance
    active = np.arange(rounds)
    for _ in range(MAX_ITERATIONS):
        now = theta[:, active]
        residual = score[:, active] - count[:, active] * expit(now[table.a] - now[table.b] + gamma[active])
        slope = np.vstack([design @ residual, residual.sum(axis=0) if side_effect else np.zeros(active.size)])
        slope[:n] += fit.prior * (0.5 - expit(now))
        step = inverse @ slope
        size = np.abs(step).max(axis=0, initial=0.0)
        step *= np.minimum(1.0, 2.0 / np.maximum(size, 1e-300))
        theta[:, active] += step[:n]
        gamma[active] += step[n]
        active = active[size > TOLERANCE]
        if not active.size or np.abs(theta[:, active]).max() > 4 * SEPARATED:
            break
    odd = sorted(set(active.tolist()) | set(np.flatnonzero(np.abs(theta).max(axis=0, initial=0) > SEPARATED).tolist()))
    separated = 0
    for column in odd:
        replicate = Cells(n, table.a, table.b, count[:, column], score[:, column])
        theta[:, column], lost = _exactly(replicate, side_effect, fit.prior)
        separated += lost
    return np.asarray((theta - theta.mean(axis=0)).T), separated


def _exactly(table: Cells, side_effect: bool, prior: float) -> tuple[Floats, int]:
    """One replicate by Newton's method; under the weak prior, and counted, where no finite estimate exists."""
    kept = table.count > 0
    seen = Cells(table.n, table.a[kept], table.b[kept], table.count[kept], table.score[kept])
    try:
        return fit_bradley_terry(seen, side_effect=side_effect, prior=prior).strength, 0
    except NotStronglyConnected:
        return fit_bradley_terry(seen, side_effect=side_effect, prior=FALLBACK_PRIOR).strength, 1
