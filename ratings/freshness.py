"""Is a competitor better on old prompts than on fresh ones, as one is that has seen the old ones before?"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from ratings.connectivity import components
from ratings.data import Comparisons, Floats, Ints, cells
from ratings.errors import BadInput
from ratings.firth import fit_firth
from ratings.linear import scores
from ratings.sandwich import Covariance, sandwich_by_vote, sandwich_by_voter
from ratings.scale import POINTS

MIN_VOTES = 20.0
"""Votes of a competitor on each side of the date from which it is compared."""
MIN_PROMPTS = 5
"""Prompts on each side from which anything is: the date parts prompts, and fewer are no sample."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """One row a competitor; made by `old_against_fresh`.

    Attributes
    ----------
    names : tuple of str, length n
    votes_old, votes_fresh : float64, shape (n,)
    old, fresh : float64, shape (n,), points
        Against the mean of the competitors that are compared, which is 0 on both sides; nan for the others.
    difference, lower, upper : float64, shape (n,), points
        old - fresh, with an interval that holds for all competitors at once; nan where nobody can tell.
    flagged : bool, shape (n,)
        Whether the whole interval lies above 0, and that of theta_old - scale · theta_fresh too: better on old prompts,
        and not only because everybody lies further apart there.
    scale : float
        How many times as far apart the competitors lie on old prompts as on fresh ones.
    prompts_old, prompts_fresh : int
    status : {'ok', 'few_prompts', 'few_votes'}
    """

    names: tuple[str, ...]
    votes_old: Floats
    votes_fresh: Floats
    old: Floats
    fresh: Floats
    difference: Floats
    lower: Floats
    upper: Floats
    flagged: NDArray[np.bool_]
    scale: float
    prompts_old: int
    prompts_fresh: int
    status: str


def old_against_fresh(
    data: Comparisons, prompt: ArrayLike, is_old: ArrayLike, *, level: float = 0.95, min_votes: float = MIN_VOTES
) -> Freshness:
    """Ratings on old prompts less those on fresh ones, each relative to the same competitors, with intervals.

    delta_i = c_i' (theta_old - theta_fresh), c_i = e_i - 1/k over the k competitors compared, theta by Firth's estimate
    with the side effect on each side. Var delta = max(V_vote, V_prompt, V_voter, V_voter + V_prompt - V_vote): votes of
    one voter are alike, and so are votes on one prompt, which are what the date parts. V_voter sums each voter's
    influence over both sides, so that a taste which a voter has on both cancels. Intervals take t at the degrees of
    freedom of both sides (Welch) and at level^(1/k), which holds for all k at once (Šidák).

    Prompts that are worn, or merely easy, draw all competitors together, and the best would then look better on the
    others. So `flagged` also asks for delta with theta_fresh times `scale`, the ratio of the two sides' root sums of
    squares less their own variance; what remains is a change of order.

    The mean is the others' as well: where one of few is much better on old prompts, the rest look worse there.

    Parameters
    ----------
    data : Comparisons
    prompt : array_like of int, shape (m,)
    is_old : array_like of bool, shape (m,)
        Alike for all votes on a prompt.
    level : float
    min_votes : float
        A competitor with fewer on either side is not compared, and its votes are left out.

    Raises
    ------
    BadInput
        Another number of prompts or dates than of rows.

    References
    ----------
    Cameron, A. C., Gelbach, J. B. & Miller, D. L. (2011). Robust inference with multiway clustering. J. Business &
    Economic Statistics 29, 238-249, equation 2.11. Welch, B. L. (1947). Biometrika 34, 28-35. Šidák, Z. (1967).
    J. Amer. Statist. Assoc. 62, 626-633.

    Examples
    --------
    >>> from ratings.data import comparisons
    >>> votes = comparisons("xy", [0] * 80, [1] * 80, [0, 0, 0, 1] * 10 + [0, 1] * 20)
    >>> found = old_against_fresh(votes, np.arange(80) // 8, np.arange(80) < 40)
    >>> found.status, found.difference.round().tolist()
    ('ok', [93.0, -93.0])
    """
    asked, old = np.asarray(prompt, dtype=np.int64).ravel(), np.asarray(is_old, dtype=bool).ravel()
    if not asked.size == old.size == data.a.size:
        raise BadInput(f"{asked.size} prompts and {old.size} ages were given for {data.a.size} comparisons.")
    n = len(data.names)
    nothing = np.full(n, np.nan)
    unknown = Freshness(
        names=data.names, votes_old=_votes(data, old), votes_fresh=_votes(data, ~old), old=nothing, fresh=nothing,
        difference=nothing, lower=nothing, upper=nothing, flagged=np.zeros(n, dtype=bool), scale=1.0,
        prompts_old=int(np.unique(asked[old]).size), prompts_fresh=int(np.unique(asked[~old]).size),
        status="few_prompts",
    )  # fmt: skip
    if min(unknown.prompts_old, unknown.prompts_fresh) < MIN_PROMPTS:
        return unknown
    members, inside = _compared(data, old, min_votes)
    if members.size < 2:
        return replace(unknown, status="few_votes")
    old_side, fresh_side = (_rated(data, asked, inside & side, members) for side in (old, ~old))
    scale = _scale(old_side, fresh_side)
    reach = stdtrit(_welch(old_side, fresh_side), 0.5 + level ** (1 / members.size) / 2)
    reach[old_side.weak | fresh_side.weak] = np.nan
    difference = old_side.strength - fresh_side.strength
    half = reach * np.sqrt(_variance(old_side, fresh_side, 1.0))
    matched = old_side.strength - scale * fresh_side.strength - reach * np.sqrt(_variance(old_side, fresh_side, scale))

    def placed(values: Floats) -> Floats:
        row = nothing.copy()
        row[members] = POINTS * values
        return row

    flagged = np.zeros(n, dtype=bool)
    flagged[members] = (difference - half > 0) & (matched > 0)
    return replace(
        unknown, status="ok", flagged=flagged, scale=scale, old=placed(old_side.strength),
        fresh=placed(fresh_side.strength), difference=placed(difference), lower=placed(difference - half),
        upper=placed(difference + half),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Side:
    """One side of the date: variances with votes, and with prompts, as what is independent; each voter's influence."""

    strength: Floats
    by_vote: Floats
    by_prompt: Floats
    df: Floats
    weak: NDArray[np.bool_]
    voters: Ints
    influence: Floats


def _votes(data: Comparisons, chosen: NDArray[np.bool_]) -> Floats:
    n, weight = len(data.names), data.weight[chosen]
    return np.asarray(sum(np.bincount(x[chosen], weight, minlength=n) for x in (data.a, data.b)), dtype=np.float64)


def _compared(data: Comparisons, old: NDArray[np.bool_], min_votes: float) -> tuple[Ints, NDArray[np.bool_]]:
    """The most competitors with enough votes among themselves on both sides, in one group on each; and their votes."""
    members = np.ones(len(data.names), dtype=bool)
    while True:
        inside = members[data.a] & members[data.b]
        enough = np.minimum(_votes(data, inside & old), _votes(data, inside & ~old)) >= min_votes
        kept = members & enough
        for side in (inside & old, inside & ~old):
            groups = components(cells(_part(data, side)))
            sizes = np.bincount(groups[kept], minlength=1)
            kept &= groups == sizes.argmax()
        if (kept == members).all() or not kept.any():
            return np.flatnonzero(kept), kept[data.a] & kept[data.b]
        members = kept


def _part(data: Comparisons, chosen: NDArray[np.bool_]) -> Comparisons:
    voter = None if data.voter is None else data.voter[chosen]
    return Comparisons(
        data.names, data.a[chosen], data.b[chosen], data.outcome[chosen], data.weight[chosen], voter
    )  # fmt: skip


def _rated(data: Comparisons, prompt: Ints, chosen: NDArray[np.bool_], members: Ints) -> _Side:
    place = np.full(len(data.names), -1)
    place[members] = np.arange(members.size)
    part = _part(data, chosen)
    part = replace(part, names=tuple(data.names[i] for i in members), a=place[part.a], b=place[part.b])
    fit = fit_firth(cells(part), side_effect=True)
    by_vote, by_prompt = sandwich_by_vote(part, fit), sandwich_by_voter(replace(part, voter=prompt[chosen]), fit)
    found, voters, influence = [by_vote, by_prompt], np.zeros(0, np.int64), np.zeros((0, members.size))
    if part.voter is not None and part.voters >= 2:
        found.append(sandwich_by_voter(part, fit))
        voters, where = np.unique(part.voter, return_inverse=True)
        influence = (scores(fit.rows(part), where.ravel(), voters.size) @ fit.covariance)[:, : members.size]
    df = np.minimum.reduce([one.df for one in found])
    return _Side(
        fit.strength, np.diag(by_vote.matrix), np.diag(by_prompt.matrix), df, (df < 1) | _any_weak(found), voters,
        influence,
    )  # fmt: skip


def _variance(old: _Side, fresh: _Side, scale: float) -> Floats:
    """Var(theta_old - scale · theta_fresh), a voter's votes on both sides together, so that one's taste cancels."""
    by_vote, by_prompt = old.by_vote + scale**2 * fresh.by_vote, old.by_prompt + scale**2 * fresh.by_prompt
    voters, where = np.unique(np.concatenate([old.voters, fresh.voters]), return_inverse=True)
    if voters.size < 2:
        return np.maximum(by_vote, by_prompt)
    each = np.zeros((voters.size, old.strength.size))
    np.add.at(each, where.ravel(), np.concatenate([old.influence, -scale * fresh.influence]))
    by_voter = (each**2).sum(axis=0) * voters.size / (voters.size - 1)
    return np.asarray(np.maximum.reduce([by_vote, by_prompt, by_voter, by_voter + by_prompt - by_vote]))


def _scale(old: _Side, fresh: _Side) -> float:
    """Spread on old prompts over that on fresh ones; 1.0 where either is not more than chance makes of it."""
    spread = [side.strength @ side.strength - np.maximum(side.by_vote, side.by_prompt).sum() for side in (old, fresh)]
    return float(np.sqrt(spread[0] / spread[1])) if min(spread) > 0 else 1.0


def _any_weak(found: list[Covariance]) -> NDArray[np.bool_]:
    """Whose variance rests on one voter or one prompt."""
    return np.asarray(
        np.logical_or.reduce([np.zeros(one.df.size, bool) if one.weak is None else one.weak for one in found])
    )


def _welch(one: _Side, other: _Side) -> Floats:
    """(V1 + V2)² / (V1² / df1 + V2² / df2), at least 1."""
    first, second = (np.maximum(side.by_vote, side.by_prompt) for side in (one, other))
    spread = first**2 / np.maximum(one.df, 1.0) + second**2 / np.maximum(other.df, 1.0)
    return np.maximum(np.where(spread > 0, (first + second) ** 2 / np.where(spread > 0, spread, 1.0), 1.0), 1.0)
