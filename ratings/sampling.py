"""Which pair to show next: how likely each pair should be, so that the probability can be stored with the draw.

A policy is a pure function of the candidates and of what is known of them; `arena.battles.matchmaking.draw_pair` draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.csgraph import connected_components
from scipy.special import expit

from ratings.bradley_terry import fit_bradley_terry
from ratings.data import Cells, Floats, Ints
from ratings.errors import BadInput

FLOOR = 0.2
"""Share of draws that `informative` leaves uniform: no pair is impossible, and every competitor stays in sight."""
SHARPNESS = 4.0
"""Power of the gain; chosen by `tests/bench/sampling_sim.py`, whose table is in docs/verdicts.md."""
PRIOR_VOTES = 0.5
"""Votes of ties against the mean for whoever is still unconnected: a newcomer is uncertain, not unknown."""


@dataclass(frozen=True, slots=True)
class PairWeights:
    """Probabilities of unordered pairs.

    Attributes
    ----------
    first, second : int64, shape (p,)
        Candidate ids, the lower one first; pairs in the order of `np.triu_indices`.
    weight : float64, shape (p,)
        Sums to one.
    """

    first: Ints
    second: Ints
    weight: Floats

    def mapping(self) -> dict[tuple[int, int], float]:
        """{(low id, high id): probability}, as `draw_pair` takes it."""
        return dict(zip(zip(self.first.tolist(), self.second.tolist(), strict=True), self.weight.tolist(), strict=True))

    def shares(self) -> dict[int, float]:
        """Each candidate's expected share of places in battles, adding to one: unequal shares favour whoever has more.

        Examples
        --------
        >>> uniform([7, 8]).shares()
        {7: 0.5, 8: 0.5}
        """
        ids, where = np.unique(np.concatenate([self.first, self.second]), return_inverse=True)
        total = np.bincount(where, np.tile(self.weight, 2) / 2, minlength=ids.size)
        return dict(zip(ids.tolist(), total.tolist(), strict=True))


def uniform(candidates: Sequence[int], *, served: ArrayLike | None = None) -> PairWeights:
    """Every pair alike.

    Parameters
    ----------
    candidates : sequence of int, length n
        Distinct ids.
    served : array_like of bool, shape (n, n), optional
        Pairs that can be shown, in the order of the candidates; symmetric. All by default.

    Raises
    ------
    BadInput
        Fewer than two candidates, an id that stands twice, a wrong shape, or no pair that can be shown.

    Examples
    --------
    >>> uniform([3, 1, 2]).mapping()[(1, 3)] == 1 / 3
    True
    """
    grid = _Grid.of(candidates, served)
    return grid.weights(np.ones(grid.i.size))


def coverage(candidates: Sequence[int], compared: ArrayLike, *, served: ArrayLike | None = None) -> PairWeights:
    """Connect the graph first, then even out: the least compared of the pairs that help most, alike among them.

    While comparisons fall into several components only pairs that bridge two of them count; afterwards all do.

    Parameters
    ----------
    candidates : sequence of int, length n
    compared : array_like of float, shape (n, n)
        Comparisons so far in the order of the candidates; both triangles are added, the diagonal is ignored.
    served : array_like of bool, shape (n, n), optional

    Raises
    ------
    BadInput
        As `uniform`.

    Examples
    --------
    >>> coverage([1, 2, 3], [[0, 5, 0], [0, 0, 0], [0, 0, 0]]).mapping()
    {(1, 2): 0.0, (1, 3): 0.5, (2, 3): 0.5}
    """
    grid = _Grid.of(candidates, served)
    counts = _square(compared, len(candidates), "compared")
    counts = counts + counts.T
    _number, label = connected_components(counts > 0, directed=False)
    bridges = grid.served & (label[grid.i] != label[grid.j])
    useful = bridges if bridges.any() else grid.served
    have = np.where(useful, counts[grid.i, grid.j], np.inf)
    return grid.weights((have == have.min()).astype(np.float64))


def informative(
    candidates: Sequence[int], strength: ArrayLike, covariance: ArrayLike, *, floor: float = FLOOR,
    sharpness: float = SHARPNESS, served: ArrayLike | None = None,
) -> PairWeights:  # fmt: skip
    """More often the pairs of which one more vote tells most about all ratings.

    One vote on (i, j) adds w (e_i - e_j)(e_i - e_j)' to the information, w = p (1 - p). By Sherman and Morrison the sum
    of all variances, tr C, falls by gain = w ||u||² / (1 + w u'(e_i - e_j)) with u = C (e_i - e_j). A pair's weight is
    floor / pairs + (1 - floor) gain^sharpness / sum gain^sharpness.

    Proportional to the gain itself (sharpness 1) saves little, for the gains of pairs differ by small factors. Always
    the largest gain (infinite sharpness) saves a little more than a power of four, but anybody could foresee the next
    pair. On a board without outliers no policy beats uniform by much; newcomers are where this one pays.

    Parameters
    ----------
    candidates : sequence of int, length n
    strength : array_like of float, shape (n,), log-odds
    covariance : array_like of float, shape (n, n), log-odds squared
        C of the strengths in the order of the candidates: the model's, for it says what the next vote would add.
    floor : float, 0 to 1
        Share of draws that stay uniform over the pairs that can be shown.
    sharpness : float, non-negative
    served : array_like of bool, shape (n, n), optional

    Raises
    ------
    BadInput
        As `uniform`; also a floor outside 0 to 1, a negative sharpness, or a value that is not finite.

    References
    ----------
    Atkinson, A. C. & Donev, A. N. (1992). Optimum Experimental Designs, chapters 9 to 11 (A-optimality, sequential
    construction). Sherman, J. & Morrison, W. J. (1950). Ann. Math. Statist. 21, 124-127.

    Examples
    --------
    >>> weights = informative([1, 2, 3], [0, 0, 0], [[0.1, 0, 0], [0, 0.1, 0], [0, 0, 0.9]])
    >>> weights.weight.round(3).tolist()
    [0.067, 0.467, 0.467]
    """
    grid = _Grid.of(candidates, served)
    if not 0 <= floor <= 1:
        raise BadInput(f"the floor {floor} must lie between 0 and 1, for example {FLOOR}.")
    if not 0 <= sharpness < np.inf:
        raise BadInput(f"the sharpness {sharpness} must be a finite number, zero or more.")
    gain = np.maximum(gains(strength, covariance, len(candidates)), 0.0)[grid.i, grid.j] * grid.served
    top = float(gain.max())
    if top <= 0:
        return grid.weights(np.ones(grid.i.size))
    drawn = grid.weights((gain / top) ** sharpness).weight
    even = grid.weights(np.ones(grid.i.size)).weight
    return grid.weights(floor * even + (1 - floor) * drawn)


def informative_from_counts(
    candidates: Sequence[int], table: Cells, *, floor: float = FLOOR, sharpness: float = SHARPNESS,
    served: ArrayLike | None = None,
) -> PairWeights:  # fmt: skip
    """`informative`, from counts: strengths and covariance of a fit that also holds who has no votes yet.

    Parameters
    ----------
    candidates : sequence of int, length n
    table : Cells
        Counts among the candidates, by their positions: `table.n` is n.

    Raises
    ------
    BadInput
        As `informative`, or when the table is of another number of competitors.
    """
    if table.n != len(candidates):
        raise BadInput(f"the counts are of {table.n} competitors, and there are {len(candidates)} candidates.")
    fit = fit_bradley_terry(table, prior=PRIOR_VOTES)
    covariance = fit.covariance[: table.n, : table.n]
    return informative(candidates, fit.strength, covariance, floor=floor, sharpness=sharpness, served=served)


def gains(strength: ArrayLike, covariance: ArrayLike, n: int) -> Floats:
    """How much one vote on each pair takes from the sum of variances, shape (n, n), log-odds squared; diagonal zero.

    Raises
    ------
    BadInput
        A wrong shape, or a value that is not finite.
    """
    theta = np.asarray(strength, dtype=np.float64)
    matrix = _square(covariance, n, "covariance")
    if theta.shape != (n,) or not np.isfinite(theta).all():
        raise BadInput(f"strength must be {n} finite numbers, one a candidate.")
    p = expit(theta[:, None] - theta[None, :])
    w = p * (1 - p)
    squared = matrix.T @ matrix
    length, spread = np.diag(squared), np.diag(matrix)
    moved = length[:, None] + length[None, :] - squared - squared.T
    variance = spread[:, None] + spread[None, :] - matrix - matrix.T
    return np.asarray(w * moved / (1 + w * variance))


@dataclass(frozen=True, slots=True)
class _Grid:
    """All unordered pairs of the candidates by position, and which of them can be shown."""

    ids: Ints
    i: Ints
    j: Ints
    served: NDArray[np.bool_]

    @classmethod
    def of(cls, candidates: Sequence[int], served: ArrayLike | None) -> _Grid:
        ids = np.asarray(candidates, dtype=np.int64)
        if ids.size < 2:
            raise BadInput(f"{ids.size} candidate(s): a pair needs two.")
        if np.unique(ids).size < ids.size:
            raise BadInput(f"a candidate stands twice in {sorted(candidates)[:10]}.")
        i, j = np.triu_indices(ids.size, 1)
        shown = np.ones(i.size, bool) if served is None else _square(served, ids.size, "served")[i, j] != 0
        if not shown.any():
            raise BadInput("no pair of these candidates can be shown.")
        return cls(ids, i, j, shown)

    def weights(self, relative: Floats) -> PairWeights:
        kept = np.where(self.served, relative, 0.0)
        first, second = self.ids[self.i], self.ids[self.j]
        return PairWeights(np.minimum(first, second), np.maximum(first, second), kept / kept.sum())


def _square(values: ArrayLike, n: int, name: str) -> Floats:
    matrix = np.asarray(values, dtype=np.float64)
    if matrix.shape != (n, n) or not np.isfinite(matrix).all():
        raise BadInput(f"{name} must be {n} by {n} finite numbers, in the order of the candidates.")
    return matrix
