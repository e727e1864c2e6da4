"""What is left when votes are taken away: exact refits on counts, and the search for the fewest that turn a gap.

Votes of one kind (pair, sides, score) are alike, so everything here works on kinds and costs the same for any number
of votes. What is taken comes out of *pools*: a kind holds as many votes as were cast, a voter is taken whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from scipy.special import expit

from ratings.bradley_terry import fit_bradley_terry
from ratings.connectivity import components, strong_components
from ratings.data import Cells, Floats, Ints

CLEAR = 1e-9
"""Log-odds by which the order must have turned; refits stop far below it."""
STAGES = 16
"""Times that effects are computed anew on the way to a flip."""
WHOLE = 6
"""Votes, voters or clusters up to which every subset is tried: small teams get the fewest there are."""
NEAR = 4
"""Removals found that are so small or smaller are checked against smaller ones, tried exactly:"""
TRIED = (24, 8)
"""so many of the strongest alone, and in twos."""


@dataclass(frozen=True, slots=True)
class Kinds:
    """Votes counted by kind.

    Attributes
    ----------
    n : int
        Competitors.
    a, b : int64, shape (kinds,)
    score, mass : float64, shape (kinds,)
        Score of a (1, ½, 0), and votes.
    side_effect : bool
        Whether refits hold the effect of being shown first.
    prior, fallback : float
        Votes of ties against the mean in every refit, and in refits that have no finite estimate without.
    """

    n: int
    a: Ints
    b: Ints
    score: Floats
    mass: Floats
    side_effect: bool
    prior: float
    fallback: float


@dataclass(frozen=True, slots=True)
class Refit:
    """A fit to what is left, for the competitors that can still be compared with `first`.

    Attributes
    ----------
    strength : float64, shape (n,)
        NaN outside the component of `first`.
    side_effect : float
    covariance : float64, shape (n + 1, n + 1)
        Zero outside.
    provisional : bool
        No finite estimate exists without a prior.
    """

    strength: Floats
    side_effect: float
    covariance: Floats
    provisional: bool


def refit(kinds: Kinds, removed: Floats, first: int) -> Refit:
    """Exact fit to the votes that are left, as a board would fit them: by component, with a prior where it must be."""
    table = left_over(kinds, removed)
    labels = components(table)
    members = np.flatnonzero(labels == labels[first])
    if members.size < kinds.n:
        inside = labels[table.a] == labels[first]
        table = Cells(
            members.size, np.searchsorted(members, table.a[inside]), np.searchsorted(members, table.b[inside]),
            table.count[inside], table.score[inside],
        )  # fmt: skip
    weak = bool(strong_components(table).any())
    prior = kinds.prior or (kinds.fallback if weak else 0.0)
    fit = fit_bradley_terry(table, side_effect=kinds.side_effect, prior=prior)
    strength, covariance = np.full(kinds.n, np.nan), np.zeros((kinds.n + 1, kinds.n + 1))
    strength[members] = fit.strength
    own = np.append(members, kinds.n)
    covariance[np.ix_(own, own)] = fit.covariance
    return Refit(strength, fit.side_effect, covariance, weak)


def left_over(kinds: Kinds, removed: Floats) -> Cells:
    """Counts of what is left."""
    left = kinds.mass - removed
    some = left > CLEAR
    return Cells(kinds.n, kinds.a[some], kinds.b[some], left[some], left[some] * kinds.score[some])


def removal_effect(kinds: Kinds, fit: Refit, first: int, second: int, *, leverage: bool = False) -> Floats:
    """−c'H⁻¹x (y − p) of one vote of each kind, c = e_first − e_second; over 1 − h with `leverage`. Shape (kinds,).

    h = p (1 − p) x'H⁻¹x makes the step that of the Hessian without the vote, which matters where votes are few.
    """
    inverse, n, a, b = fit.covariance, kinds.n, kinds.a, kinds.b
    lever = inverse[first] - inverse[second]
    p = expit(fit.strength[a] - fit.strength[b] + fit.side_effect)
    effect = -(lever[a] - lever[b] + lever[n]) * (kinds.score - p)
    if leverage:
        spread = inverse[a, a] + inverse[b, b] - 2 * inverse[a, b]
        spread += 2 * (inverse[a, n] - inverse[b, n]) + inverse[n, n]
        effect /= np.maximum(1 - p * (1 - p) * spread, 1e-6)
    return np.asarray(np.nan_to_num(effect, nan=0.0))


@dataclass(frozen=True, slots=True)
class VotePools:
    """Single votes; a kind's pool holds its votes, a last part of one counted as one."""

    kinds: Kinds

    @property
    def capacity(self) -> Ints:
        return np.asarray(np.ceil(self.kinds.mass - CLEAR), dtype=np.int64)

    def removed(self, taken: Ints) -> Floats:
        return np.asarray(np.minimum(taken, self.kinds.mass), dtype=np.float64)

    def effect(self, fit: Refit, first: int, second: int) -> Floats:
        return removal_effect(self.kinds, fit, first, second, leverage=True)


@dataclass(frozen=True, slots=True)
class GroupPools:
    """Whole voters or clusters: `group`, `kind`, `mass` say who cast how many of which kind."""

    kinds: Kinds
    size: int
    group: Ints
    kind: Ints
    mass: Floats

    @property
    def capacity(self) -> Ints:
        return np.ones(self.size, dtype=np.int64)

    def removed(self, taken: Ints) -> Floats:
        gone = np.where(taken[self.group] > 0, self.mass, 0.0)
        return np.bincount(self.kind, gone, minlength=self.kinds.mass.size).astype(np.float64)

    def effect(self, fit: Refit, first: int, second: int) -> Floats:
        one = removal_effect(self.kinds, fit, first, second)
        return np.bincount(self.group, one[self.kind] * self.mass, minlength=self.size).astype(np.float64)


Pools = VotePools | GroupPools


@dataclass(frozen=True, slots=True)
class Flip:
    """What was taken from each pool so that `second` stands before `first`, and the fit to the rest."""

    taken: Ints
    fit: Refit

    @property
    def size(self) -> int:
        return int(self.taken.sum())


def estimated(pools: Pools, fit: Refit, first: int, second: int) -> int | None:
    """How many must go by the one-step effects alone, largest first; None where all of them are too few."""
    taken = np.zeros(pools.capacity.size, dtype=np.int64)
    order, effect = _order(pools, fit, first, second, taken)
    each = pools.capacity[order]
    reached = np.cumsum(-effect[order] * each)
    gap = fit.strength[first] - fit.strength[second]
    place = int(np.searchsorted(reached, gap))
    if place == reached.size:
        return None
    before = reached[place - 1] if place else 0.0
    return int(each[:place].sum() + np.ceil((gap - before) / -effect[order[place]])) or 1


def fewest(pools: Pools, fit: Refit, first: int, second: int, *, below: int | None = None) -> Flip | None:
    """The smallest removal found that puts `second` before `first` in an exact refit, fewer than `below`; or None.

    First by the effects at the full fit, bisecting their sorted prefix; then with effects computed anew in stages; then
    by trying the strongest alone and in twos. What it finds is exact; that nothing smaller exists is sure only where
    there are at most `WHOLE` to take, for then every subset is tried.
    """
    none = np.zeros(pools.capacity.size, dtype=np.int64)
    best = _along(pools, fit, first, second, none, limit=None)
    if best is not None:
        best = _staged(pools, fit, first, second, best)
    best = _tried(pools, fit, first, second, best)
    return best if best is None or below is None or best.size < below else None


def _staged(pools: Pools, fit: Refit, first: int, second: int, best: Flip) -> Flip:
    step = -(-best.size // STAGES)
    taken = np.zeros_like(best.taken)
    while int(taken.sum()) < best.size:
        found = _along(pools, fit, first, second, taken, limit=step)
        if found is not None:
            return found if found.size < best.size else best
        order, _ = _order(pools, fit, first, second, taken)
        further = _prefix(taken, order, (pools.capacity - taken)[order], step)
        if np.array_equal(further, taken):
            return best
        taken = further
        fit = refit(pools.kinds, pools.removed(taken), first)
        if np.isnan(fit.strength[second]):
            return best
    return best


def _tried(pools: Pools, fit: Refit, first: int, second: int, best: Flip | None) -> Flip | None:
    """Something smaller than `best`, where so little is there that all, or best so small that most, can be tried."""
    total = int(pools.capacity.sum())
    if total <= WHOLE:
        plan = [(size, np.arange(pools.capacity.size)) for size in range(1, total if best is None else best.size)]
    elif best is not None and best.size <= NEAR:
        order, _ = _order(pools, fit, first, second, np.zeros_like(best.taken))
        plan = [(size, order[:most]) for size, most in enumerate(TRIED, start=1) if size < best.size]
    else:
        return best
    for size, places in plan:
        for chosen in _multisets(pools, places, size):
            found = _exact(pools, chosen, first, second)
            if found is not None:
                return found
    return best


def _multisets(pools: Pools, places: Ints, size: int) -> Iterator[Ints]:
    capacity = pools.capacity
    for chosen in combinations_with_replacement(places.tolist(), size):
        taken = np.bincount(chosen, minlength=capacity.size)
        if (taken <= capacity).all():
            yield taken


def _along(pools: Pools, fit: Refit, first: int, second: int, taken: Ints, *, limit: int | None) -> Flip | None:
    """The shortest prefix of the sorted effects, after what is taken already, that turns the gap; by bisection."""
    order, effect = _order(pools, fit, first, second, taken)
    each = (pools.capacity - taken)[order]
    low, high, found = 0, limit or _reach(fit.strength[first] - fit.strength[second], -effect[order], each), None
    while found is None and low < (high := min(high, int(each.sum()))):
        found = _exact(pools, _prefix(taken, order, each, high), first, second)
        if found is None and _apart(pools, _prefix(taken, order, each, high), first, second):
            each = _held_back(pools, taken, order, each, (low, high), first, second)
        elif found is None:
            low, high = high, high if limit else 2 * high
    while found is not None and high - low > 1:
        middle = (low + high) // 2
        closer = _exact(pools, _prefix(taken, order, each, middle), first, second)
        low, high, found = (low, middle, closer) if closer is not None else (middle, high, found)
    return found


def _reach(gap: float, effect: Floats, each: Ints) -> int:
    """How many close the gap by their effects alone, at least 1."""
    place = int(np.searchsorted(np.cumsum(effect * each), gap))
    return max(int(each[: place + 1].sum()), 1)


def _held_back(
    pools: Pools, taken: Ints, order: Ints, each: Ints, bounds: tuple[int, int], first: int, second: int
) -> Ints:
    """`each` without what would part the two: beyond comparison nobody is before the other."""
    low, high = bounds
    while high - low > 1:  # whoever is parted stays so when more is taken
        middle = (low + high) // 2
        apart = _apart(pools, _prefix(taken, order, each, middle), first, second)
        low, high = (low, middle) if apart else (middle, high)
    held = each.copy()
    place = int(np.searchsorted(np.cumsum(each), high))
    held[place] = high - 1 - int(each[:place].sum())
    return held


def _apart(pools: Pools, taken: Ints, first: int, second: int) -> bool:
    labels = components(left_over(pools.kinds, pools.removed(taken)))
    return bool(labels[first] != labels[second])


def _order(pools: Pools, fit: Refit, first: int, second: int, taken: Ints) -> tuple[Ints, Floats]:
    """Pools with something left whose removal narrows the gap, strongest first; and the effects of all."""
    effect = pools.effect(fit, first, second)
    helpful = np.flatnonzero((effect < 0) & (taken < pools.capacity))
    return helpful[np.argsort(effect[helpful], kind="stable")], effect


def _prefix(taken: Ints, order: Ints, each: Ints, size: int) -> Ints:
    """`taken` and the first `size` of what there is to take, `each` of a pool, in this order."""
    further = taken.copy()
    further[order] += np.clip(size - (np.cumsum(each) - each), 0, each)
    return further


def _exact(pools: Pools, taken: Ints, first: int, second: int) -> Flip | None:
    fit = refit(pools.kinds, pools.removed(taken), first)
    return Flip(taken, fit) if fit.strength[second] - fit.strength[first] > CLEAR else None
