"""How few votes, voters or clusters, if removed, change who is first: an approximation, always confirmed by a refit.

Removing vote i moves the gap theta_j − theta_k by about −c'H⁻¹x_i (y_i − p_i), with c = e_j − e_k, H the Hessian,
x_i = e_a − e_b (and 1 for the side effect), y_i the score of a and p_i its chance. Sorted and added up, these effects
say what to remove; `ratings.removal` searches from there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from ratings.bradley_terry import BradleyTerryFit
from ratings.connectivity import components, strong_components
from ratings.data import SCORE_OF_A, Cells, Comparisons, Floats, Ints, cells, sums_by_key
from ratings.errors import BadInput, SelfComparison
from ratings.removal import (
    WHOLE,
    Flip,
    GroupPools,
    Kinds,
    Pools,
    Refit,
    VotePools,
    estimated,
    fewest,
    refit,
    removal_effect,
)
from ratings.uncertainty import PRIOR_VOTES

CANDIDATES = 5
"""Competitors after the first that may take its place with the fewest removals."""
FAR = 2
"""How many times the smallest removal found an estimate may be, for the next candidate to be searched at all."""
WORDS = ("model_b", "tie", "model_a")
"""Winner by twice the score of a; a tie and both-bad are alike to the fit."""


@dataclass(frozen=True, slots=True)
class RemovedVotes:
    """So many votes of one kind; `winner` is `model_a`, `model_b` or `tie` (both-bad among them)."""

    model_a: str
    model_b: str
    winner: str
    votes: int


@dataclass(frozen=True, slots=True)
class GroupFlip:
    """The fewest whole voters or clusters found whose removal changes who is first.

    Attributes
    ----------
    second : str
        Who is first then.
    groups : int
        How many.
    votes, share : float
        Their votes, and the share of all votes.
    confirmed, provisional : bool
        As in `Influence`.
    who : tuple of int
        Their codes.
    """

    second: str
    groups: int
    votes: float
    share: float
    confirmed: bool
    provisional: bool
    who: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Influence:
    """k votes by h voters, if removed, change who is first. None is "not known" or "cannot be".

    Attributes
    ----------
    first, second : str or None
        Who is first, and who is first once the votes are gone (with `top`, the two named, in their order).
    votes_to_flip : int or None
        k: the fewest votes found. An upper bound of the fewest there are.
    votes_by : int or None
        h: voters who cast those k votes, few of them where votes are alike; None where voters are not known.
    voters_to_flip : int or None
        The fewest whole voters found, with all their votes: `by_voter.groups`.
    share : float or None
        k over all votes.
    confirmed : bool
        A refit without those votes puts `second` before `first`.
    who : tuple of int
        The h voters, codes of `Comparisons.voter`.
    status : {'ok', 'no_flip', 'no_votes', 'one_competitor', 'not_connected', 'not_strongly_connected'}
        `no_flip`: no removal of votes was found that does it.
    gap : float or None
        Log-odds between first and second.
    votes_estimated : int or None
        k by the approximation alone.
    provisional : bool
        Without the removed votes no finite estimate exists, so that the refit holds the stated prior, as a board would.
    removed : tuple of RemovedVotes
        The k votes by kind, most telling first.
    votes : float
        All votes.
    by_voter, by_cluster : GroupFlip or None
    """

    first: str | None = None
    second: str | None = None
    votes_to_flip: int | None = None
    votes_by: int | None = None
    voters_to_flip: int | None = None
    share: float | None = None
    confirmed: bool = False
    who: tuple[int, ...] = ()
    status: str = "ok"
    gap: float | None = None
    votes_estimated: int | None = None
    provisional: bool = False
    removed: tuple[RemovedVotes, ...] = ()
    votes: float = 0.0
    by_voter: GroupFlip | None = None
    by_cluster: GroupFlip | None = None


def removal_effects(data: Comparisons, fit: BradleyTerryFit, first: int, second: int) -> Floats:
    """Change of the gap theta_first − theta_second, in log-odds, when one vote of each row is removed; shape (m,).

    −c'H⁻¹x_i (y_i − p_i), to first order in 1/m. A row of weight 2 is two votes, each with this effect.

    References
    ----------
    Broderick, T., Giordano, R. & Meager, R. (2020). An automatic finite-sample robustness metric. arXiv:2011.14999,
    section 2.

    Examples
    --------
    >>> from ratings.bradley_terry import fit_bradley_terry
    >>> from ratings.data import cells, comparisons
    >>> data = comparisons("xy", [0, 0, 0], [1, 1, 1], [0, 0, 1], weight=[100, 1, 101])
    >>> removal_effects(data, fit_bradley_terry(cells(data)), 0, 1).round(4).tolist()
    [-0.0099, -0.0099, 0.0099]
    """
    lever = fit.covariance[first] - fit.covariance[second]
    return np.asarray(-(lever[data.a] - lever[data.b] + lever[-1]) * _residual(data, fit))


def effects_by_group(data: Comparisons, fit: BradleyTerryFit, groups: ArrayLike | None = None) -> tuple[Ints, Floats]:
    """Change of every strength, in log-odds, when all votes of a voter (or of any other group) are removed.

    Parameters
    ----------
    data : Comparisons
    fit : BradleyTerryFit
    groups : array_like of int, shape (m,), optional
        Codes of the groups; `data.voter` by default.

    Returns
    -------
    codes : int64, shape (v,)
        The groups, in order.
    effects : float64, shape (v, n)
        Row g is −H⁻¹ Σ_i w_i x_i (y_i − p_i) over the votes of group g; its influence on the gap between j and k is
        ``effects[g, j] - effects[g, k]``.

    Raises
    ------
    BadInput
        No groups: votes without voters, or another length.
    """
    codes, where = np.unique(_codes(data, groups), return_inverse=True)
    n, who = len(data.names), where.ravel()
    residual = data.weight * _residual(data, fit)
    size = codes.size * (n + 1)
    flat = np.bincount(who * (n + 1) + data.a, residual, minlength=size)
    flat -= np.bincount(who * (n + 1) + data.b, residual, minlength=size)
    scores = flat.reshape(codes.size, n + 1)
    scores[:, n] = np.bincount(who, residual, minlength=codes.size)
    return codes, np.asarray(-(scores @ fit.covariance)[:, :n])


def flip_first(
    data: Comparisons,
    *,
    cluster: ArrayLike | None = None,
    top: tuple[str, str] | None = None,
    side_effect: bool = False,
    prior: float = 0.0,
    candidates: int = CANDIDATES,
) -> Influence:
    """The fewest votes, voters and clusters found whose removal puts somebody else first; each confirmed by a refit.

    Parameters
    ----------
    data : Comparisons
    cluster : array_like of int, shape (m,), optional
        Codes of clusters of votes, such as sessions or campaigns.
    top : tuple of two str, optional
        Turn the order of these two instead of asking who is first.
    side_effect : bool
        As in the board's fit.
    prior : float
        Votes of ties against the mean in every fit; 0 is maximum likelihood, and then refits that have no finite
        estimate hold the stated prior and are called provisional.
    candidates : int
        How many competitors after the first are looked at.

    Raises
    ------
    BadInput
        An unknown name in `top`, clusters of another length.

    References
    ----------
    Broderick, T., Giordano, R. & Meager, R. (2020). An automatic finite-sample robustness metric. arXiv:2011.14999.

    Examples
    --------
    >>> from ratings.data import comparisons
    >>> data = comparisons("xy", [0, 0], [1, 1], [0, 1], weight=[12, 10], voter=[0, 1])
    >>> found = flip_first(data)
    >>> found.first, found.second, found.votes_to_flip, found.votes_by, found.confirmed
    ('x', 'y', 3, 1, True)
    """
    groups = None if cluster is None else _codes(data, cluster)
    case = _case(data, top, side_effect, prior)
    if isinstance(case, str):
        return Influence(status=case, votes=data.votes)
    first, seconds = case.ahead[0], case.ahead[1 : 1 + candidates]
    pools = VotePools(case.kinds)
    flip = _best(pools, case.full, first, seconds)
    guesses = [estimated(pools, case.full, first, second) for second in seconds]
    by_voter = None if data.voter is None else _by_group(data, data.voter, case, first, seconds)
    found = Influence(
        first=case.names[first], second=case.names[seconds[0]], status="no_flip", votes=data.votes,
        gap=float(case.full.strength[first] - case.full.strength[seconds[0]]),
        votes_estimated=min((guess for guess in guesses if guess is not None), default=None), by_voter=by_voter,
        voters_to_flip=None if by_voter is None else by_voter.groups,
        by_cluster=None if groups is None else _by_group(data, groups, case, first, seconds),
    )  # fmt: skip
    if flip is None:
        return found
    second = _new_first(flip, case)
    who = None if data.voter is None else _cast_by(_group_pools(data, data.voter, case), flip.taken)
    return replace(
        found, second=case.names[second], status="ok", votes_to_flip=flip.size, share=flip.size / data.votes,
        gap=float(case.full.strength[first] - case.full.strength[second]), provisional=flip.fit.provisional,
        confirmed=bool(flip.fit.strength[second] > flip.fit.strength[first]),
        removed=_removed(flip, case, first, second),
        votes_by=None if who is None else len(who),
        who=() if data.voter is None or who is None else tuple(np.unique(data.voter)[who].tolist()),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Case:
    """Everything in one component: names in order, kinds, the kind of each row (−1 outside), the full fit, best first.

    `ahead` is who may be first and second, `pair` whether they were named.
    """

    names: tuple[str, ...]
    kinds: Kinds
    kind: Ints
    full: Refit
    ahead: list[int]
    pair: bool


def _case(data: Comparisons, top: tuple[str, str] | None, side_effect: bool, prior: float) -> _Case | str:
    """The case, or the word for why there is none."""
    named = None if top is None else _named(data, top)
    if len(data.names) == 1:
        return "one_competitor"
    if not data.a.size:
        return "no_votes"
    labels = components(cells(data))
    voted = np.bincount(np.concatenate([data.a, data.b]), minlength=len(data.names)) > 0
    wanted = np.unique(labels[voted if named is None else named])
    if wanted.size > 1:
        return "not_connected"
    members = sorted(np.flatnonzero(labels == wanted[0]).tolist(), key=data.names.__getitem__)
    kinds, kind = _kinds(data, members, side_effect, prior)
    table = Cells(kinds.n, kinds.a, kinds.b, kinds.mass, kinds.mass * kinds.score)
    if prior <= 0 and strong_components(table).any():
        return "not_strongly_connected"
    full = refit(kinds, np.zeros(kinds.mass.size), 0)
    ahead = sorted(range(kinds.n), key=lambda i: (-round(float(full.strength[i]), 9), i))
    if named is not None:
        ahead = [i for i in ahead if members[i] in named]
    return _Case(tuple(data.names[i] for i in members), kinds, kind, full, ahead, named is not None)


def _named(data: Comparisons, top: tuple[str, str]) -> list[int]:
    for name in top:
        if name not in data.names:
            raise BadInput(f"{name!r} is none of the competitors.")
    if top[0] == top[1]:
        raise SelfComparison(top[0])
    return [data.names.index(name) for name in top]


def _kinds(data: Comparisons, members: list[int], side_effect: bool, prior: float) -> tuple[Kinds, Ints]:
    """Counts of alike votes among the members, and the kind of each row; by name, so that no order of rows matters."""
    n = len(members)
    place = np.full(len(data.names), -1, dtype=np.int64)
    place[members] = np.arange(n)
    twice = np.rint(2 * SCORE_OF_A[data.outcome]).astype(np.int64)
    key = (place[data.a] * n + place[data.b]) * 3 + twice
    inside = place[data.a] >= 0
    found, mass = sums_by_key(key[inside], 3 * n * n, data.weight[inside])
    pair, score = np.divmod(found, 3)
    kinds = Kinds(n, pair // n, pair % n, score / 2, mass, side_effect, prior, PRIOR_VOTES)
    return kinds, np.where(inside, np.searchsorted(found, key), -1)


def _group_pools(data: Comparisons, groups: Ints, case: _Case) -> GroupPools:
    codes, who = np.unique(groups, return_inverse=True)
    inside, size = case.kind >= 0, case.kinds.mass.size
    key, mass = sums_by_key(who.ravel()[inside] * size + case.kind[inside], codes.size * size, data.weight[inside])
    return GroupPools(case.kinds, codes.size, key // size, key % size, mass)


def _best(pools: Pools, full: Refit, first: int, seconds: list[int]) -> Flip | None:
    """The smallest flip over all who may come second, those that look nearest first."""
    guesses = [estimated(pools, full, first, second) for second in seconds]
    order = sorted(range(len(seconds)), key=lambda i: (guesses[i] is None, guesses[i] or 0, i))
    best: Flip | None = None
    for i in order:
        guess = guesses[i]
        far = guess is None or (best is not None and guess > FAR * (best.size + 1))
        if best is not None and far and pools.capacity.sum() > WHOLE:
            break
        found = fewest(pools, full, first, seconds[i], below=None if best is None else best.size)
        best = found or best
    return best


def _by_group(data: Comparisons, groups: Ints, case: _Case, first: int, seconds: list[int]) -> GroupFlip | None:
    pools = _group_pools(data, groups, case)
    flip = _best(pools, case.full, first, seconds)
    if flip is None:
        return None
    second, votes = _new_first(flip, case), float(pools.removed(flip.taken).sum())
    return GroupFlip(
        second=case.names[second], groups=flip.size, votes=votes, share=votes / data.votes,
        confirmed=bool(flip.fit.strength[second] > flip.fit.strength[first]), provisional=flip.fit.provisional,
        who=tuple(np.unique(groups)[np.flatnonzero(flip.taken)].tolist()),
    )  # fmt: skip


def _new_first(flip: Flip, case: _Case) -> int:
    if case.pair:
        return case.ahead[1]
    strength = np.round(np.nan_to_num(flip.fit.strength, nan=-np.inf), 9)
    return int(np.argmax(strength))


def _cast_by(pools: GroupPools, taken: Ints) -> Ints:
    """Voters who cast the taken votes; of alike votes, those of voters who cast most of what is taken."""
    need = taken[pools.kind]
    cover = np.bincount(pools.group, np.minimum(pools.mass, need), minlength=pools.size)
    order = np.lexsort((pools.group, -cover[pools.group], pools.kind))
    kind, mass = pools.kind[order], pools.mass[order]
    before = np.cumsum(mass) - mass
    before -= before[np.searchsorted(kind, kind)]  # votes of the kind that are spoken for already
    return np.unique(pools.group[order][before < need[order]])


def _removed(flip: Flip, case: _Case, first: int, second: int) -> tuple[RemovedVotes, ...]:
    kinds = case.kinds
    effect = removal_effect(kinds, case.full, first, second)
    some = np.flatnonzero(flip.taken)
    return tuple(
        RemovedVotes(case.names[kinds.a[i]], case.names[kinds.b[i]], WORDS[int(2 * kinds.score[i])], int(flip.taken[i]))
        for i in some[np.argsort(effect[some], kind="stable")].tolist()
    )


def _codes(data: Comparisons, groups: ArrayLike | None) -> Ints:
    given = data.voter if groups is None else np.asarray(groups, dtype=np.int64).ravel()
    if given is None:
        raise BadInput("these votes carry no voters; give the groups whose influence is asked for.")
    if given.size != data.a.size:
        raise BadInput(
            f"{given.size} groups were given for {data.a.size} comparisons; rows of weight zero are dropped."
        )
    return given


def _residual(data: Comparisons, fit: BradleyTerryFit) -> Floats:
    p = expit(fit.strength[data.a] - fit.strength[data.b] + fit.side_effect)
    return np.asarray(SCORE_OF_A[data.outcome] - p)
