"""D4: accounts that share an address block, a domain, an invitation or a burst of sign-ups, as one unit.

A company that likes one model is not a conspiracy: members share a taste x_c ~ h(tau_c) and have their own around it.
One planted culprit must not condemn a cluster either: a cluster goes only where several members speak.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratings.campaigns import selection, taste
from ratings.campaigns.accounts import HELD, Honest, lifted, mean_promise, promises
from ratings.campaigns.evidence import PROMISES, Finding, Units
from ratings.campaigns.options import ScreenOptions
from ratings.campaigns.stakes import Whole
from ratings.data import Floats


@dataclass(frozen=True)
class Clusters:
    """The clusters of one kind that have at least two voting members.

    Attributes
    ----------
    of_account : int64, shape (v,)
        -1 where none; excluded accounts have none.
    stakes : int64, shape (k,)
        Positions of their members' stakes, by competitor and cluster.
    begin : int64, shape (rows + 1,)
        Where each row's members begin in `stakes`.
    units : Units
        One row a cluster and competitor that met.
    """

    of_account: Whole
    stakes: Whole
    begin: Whole
    units: Units


def cluster_units(
    honest: Honest, of_account: Whole, excluded: np.ndarray, held: np.ndarray, options: ScreenOptions
) -> Clusters | None:
    """Clusters as units, without excluded accounts and stakes in quarantine; None where none has two voting members."""
    stakes = honest.stakes
    label = np.where(excluded, -1, of_account).astype(np.int64)
    size = int(label.max(initial=-1)) + 1
    voting = np.bincount(label[(label >= 0) & (stakes.all_voted > 0)], minlength=size)
    inside = np.flatnonzero(label >= 0)
    label[inside[voting[label[inside]] < 2]] = -1
    chosen = np.flatnonzero((label[stakes.account] >= 0) & ~held)
    if not chosen.size:
        return None
    key = stakes.competitor[chosen].astype(np.int64) * size + label[stakes.account[chosen]]
    order = np.argsort(key, kind="stable")
    chosen, key = chosen[order], key[order]
    head = np.flatnonzero(np.diff(key, prepend=-1))
    competitor, unit = np.divmod(key[head], size)
    begin = np.append(head, key.size)
    votes = np.bincount(label[label >= 0], stakes.all_voted[label >= 0], minlength=size)
    by_omega = np.add.reduceat(honest.log_selection[chosen], head, axis=0)
    log_selection = selection.factor(by_omega)
    ratio, moved = campaign_ratio(honest, chosen, begin)
    units = Units(
        n=stakes.n, competitor=competitor, unit=unit, begin=np.searchsorted(competitor, np.arange(stakes.n + 1)),
        large=votes[unit] >= options.few, log_l=mean_promise(ratio) + log_selection[:, None], log_lifted=moved,
        log_selection=log_selection, told=ratio, chosen=by_omega,
        rates=np.add.reduceat(honest.log_rates[chosen], head, axis=0), claimed=np.zeros(size, np.bool_),
    )  # fmt: skip
    return Clusters(label, chosen, begin, units)


def campaign_ratio(honest: Honest, chosen: Whole, begin: Whole, outcome: int | None = None) -> tuple[Floats, Floats]:
    """ln of promoter and demoter by q over honest for members' stakes without selection, shape (rows, 2, 3), and
    `lifted` of them."""
    shared = np.zeros((begin.size - 1, taste.NODES.size))
    told = np.zeros((begin.size - 1, 2, PROMISES.size))
    row = np.repeat(np.arange(begin.size - 1), np.diff(begin))
    kernels = _kernel(honest.taste, taste.NODES), _kernel(honest.taste, taste.FINE)
    for at in range(0, chosen.size, BLOCK):
        some, rows = chosen[at : at + BLOCK], row[at : at + BLOCK]
        np.add.at(shared, rows, _around(honest.likelihoods(some, outcome), honest.stakes.voted[some], kernels))
        np.add.at(told, rows, promises(honest, some, outcome))
    several = np.bincount(row, honest.stakes.voted[chosen] > 0, minlength=begin.size - 1) >= 2
    tau = taste.taste_of(shared[several], np.full(int(several.sum()), FINELY), taste.SHARED_TASTES)
    p0 = taste.shifted(shared, np.full(shared.shape[0], FINELY), tau)
    return np.asarray(told - p0[:, :1, None]), lifted(p0)


def spoken_by_several(clusters: Clusters, accounts: Units, row: int, sign: int, options: ScreenOptions) -> bool:
    """Whether members beside the loudest one speak for a campaign too."""
    members = clusters.stakes[clusters.begin[row] : clusters.begin[row + 1]]
    positive = np.maximum(accounts.log_l[members, 0 if sign > 0 else 1], 0.0)
    return bool(positive.sum() - positive.max() >= options.spread)


def quarantined(honest: Honest, clusters: Clusters, finding: Finding) -> Whole:
    """Small clusters that would be suspected had all their votes on the competitor gone as told."""
    units = clusters.units
    rows = np.arange(units.begin[finding.competitor], units.begin[finding.competitor + 1])
    rows = rows[~units.large[rows]]
    if not rows.size:
        return np.asarray(rows)
    first, last = clusters.begin[rows[0]], clusters.begin[rows[-1] + 1]
    begin = clusters.begin[rows[0] : rows[-1] + 2] - first
    told, moved = campaign_ratio(honest, clusters.stakes[first:last], begin, finding.sign)
    odds = finding.log_odds(units, rows, told[rows - rows[0]], moved[rows - rows[0]])
    return np.asarray(rows[odds >= HELD])


def _kernel(tau: float, nodes: Floats) -> Floats:
    """h(x) between each shared taste at NODES (rows) and each total at `nodes`, every row of sum one."""
    found = np.exp(np.array([taste.log_weights(tau, nodes - shared) for shared in taste.NODES]))
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def _around(likelihood: Floats, votes: Whole, kernels: tuple[Floats, Floats]) -> Floats:
    """ln of each member's likelihood at a shared taste, its own taste integrated out, shape (rows, 25)."""
    top = likelihood.max(axis=1, keepdims=True, initial=-np.inf)
    result = np.log(np.exp(likelihood - top) @ kernels[0].T + 1e-300) + top
    many = np.flatnonzero(votes > taste.MANY)
    if many.size:
        fine = likelihood[many] @ taste.TO_FINE.T
        top = fine.max(axis=1, keepdims=True)
        result[many] = np.log(np.exp(fine - top) @ kernels[1].T + 1e-300) + top
    return np.asarray(result)


BLOCK = 1 << 16
"""Stakes worked on at once."""
FINELY = taste.MANY + 1
"""As many votes as make the finer nodes be used: a cluster's shared taste is known better than one member's."""
