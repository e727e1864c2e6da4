"""What a vote weighs before anybody is accused: clones (D5), fresh votes (D6), prompt clusters (D8)."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from ratings.campaigns.options import ScreenOptions
from ratings.data import Floats
from ratings.served import ServedLog


def base_weights(log: ServedLog, options: ScreenOptions) -> Floats:
    """Of each battle, shape (m,); 0 where never voted.

    Examples
    --------
    >>> from ratings.served import served
    >>> log = served("xyz", [0, 0, 1], [1, 2, 2], [0, 0, 0], [0, 1, 2], clone_group=[0, 0, -1])
    >>> base_weights(log, ScreenOptions()).tolist()
    [0.0, 0.5, 0.5]
    """
    weight = log.voted.astype(np.float64)
    if options.d5 and log.clone_group is not None:
        weight *= _clones(log)
    if options.d6 and log.selected_at is not None:
        weight[_stale(log)] = 0.0
    if options.d8 and log.prompt_cluster is not None:
        weight *= _capped(log, options.prompt_cap)
    return weight


def _clones(log: ServedLog) -> Floats:
    """1 / (g_a g_b), so that a family has one voice however many enter; nothing between its members."""
    group = np.asarray(log.clone_group)
    voted = log.voted
    alive = np.zeros(log.n, np.bool_)
    alive[log.a[voted]] = alive[log.b[voted]] = True
    declared = group >= 0
    size = np.bincount(group[declared & alive], minlength=int(group.max(initial=-1)) + 1)
    g = np.ones(log.n)
    g[declared] = np.maximum(size[group[declared]], 1)
    within = declared[log.a] & (group[log.a] == group[log.b])
    return np.where(within, 0.0, 1 / (g[log.a] * g[log.b]))


def _stale(log: ServedLog) -> np.ndarray:
    """Votes on a chosen variant from before it was chosen, wherever it has fresh ones at all."""
    since = np.where(np.isnan(chosen_at(log)), -np.inf, chosen_at(log))
    old = np.zeros(log.battles, np.bool_)
    has = fresh(log)
    for side in (log.a, log.b):
        old |= has[side] & (log.at < since[side])
    return old


def chosen_at(log: ServedLog) -> Floats:
    """When each competitor was chosen among private variants; nan for never."""
    return np.full(log.n, np.nan) if log.selected_at is None else log.selected_at


def fresh(log: ServedLog) -> np.ndarray:
    """Which chosen variants have votes since then, shape (n,)."""
    since = chosen_at(log)
    found = np.zeros(log.n, np.bool_)
    for side in (log.a, log.b):
        late = log.voted & (log.at >= np.where(np.isnan(since), np.inf, since)[side])
        found[side[late]] = True
    return found


def _capped(log: ServedLog, cap: int) -> Floats:
    """min(1, cap / votes) in each prompt cluster: a template that is sent often says no more than `cap` prompts."""
    cluster = np.asarray(log.prompt_cluster)
    inside = cluster >= 0
    votes = np.bincount(cluster[inside & log.voted], minlength=int(cluster.max(initial=-1)) + 1)
    share = np.minimum(1.0, cap / np.maximum(votes, 1))
    weight = np.ones(log.battles)
    weight[inside] = share[cluster[inside]]
    return weight


def shrunk(log: ServedLog, theta: Floats, weight: Floats) -> Floats:
    """The best of many private variants is the luckiest too: variants of a group shrink towards their mean together.

    theta' = mean + max(0, 1 - SE² / S²) (theta - mean) within each declared group that has a chosen variant without
    fresh votes; S² is the variance of the variants' estimates, SE² the mean of their squared standard errors.

    References
    ----------
    Efron, B. & Morris, C. (1973). Stein's estimation rule and its competitors: an empirical Bayes approach. J. Amer.
    Statist. Assoc. 68, 117-130.
    """
    result = theta.copy()
    if log.clone_group is None or log.selected_at is None:
        return result
    stale = ~np.isnan(log.selected_at) & ~fresh(log)
    variance = _own_variance(log, theta, weight)
    for group in np.unique(log.clone_group[stale & (log.clone_group >= 0)]).tolist():
        members = np.flatnonzero((log.clone_group == group) & np.isfinite(variance))
        if members.size < 2:
            continue
        mean = float(theta[members].mean())
        spread = float(theta[members].var(ddof=1))
        keep = 0.0 if spread <= 0 else max(0.0, 1 - float(variance[members].mean()) / spread)
        result[members] = mean + keep * (theta[members] - mean)
    return result


def _own_variance(log: ServedLog, theta: Floats, weight: Floats) -> Floats:
    """1 / Σ p (1 - p) over each competitor's votes that count, inf without any."""
    rows = np.flatnonzero(weight > 0)
    p = expit(theta[log.a[rows]] - theta[log.b[rows]])
    known = sum(np.bincount(side[rows], p * (1 - p), minlength=log.n) for side in (log.a, log.b))
    with np.errstate(divide="ignore"):
        return np.asarray(1 / known)
