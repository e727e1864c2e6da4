"""D2: aged accounts against new ones. An identity costs time, so an attack tends to be new."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from scipy.sparse import coo_array
from scipy.special import ndtri

from ratings.bradley_terry import BradleyTerryFit, fit_bradley_terry
from ratings.campaigns.options import ScreenOptions
from ratings.connectivity import strong_components
from ratings.data import Comparisons, Floats, cells
from ratings.served import ServedLog
from ratings.uncertainty import PRIOR_VOTES

FEWEST = 30
"""Votes on a competitor in either stratum below which nothing is compared."""
RULES = 4
"""Rules that accuse: accounts, clusters, crowds, and this gate."""
KNOWN = 2.0
"""Least |z| beside a campaign that something else has shown: what is dropped is then more bias than noise."""


def aged(log: ServedLog, options: ScreenOptions) -> np.ndarray:
    """Which battles belong to accounts that were aged then, or vouched for, shape (m,)."""
    old = log.at - log.first_served()[log.account] >= options.aged
    return old if log.vouched is None else old | log.vouched[log.account]


def least_z(log: ServedLog, options: ScreenOptions) -> float:
    """The gate's threshold: more where many are compared, and its share of alpha among RULES."""
    return max(options.gate, float(ndtri(1 - options.alpha / (2 * RULES * max(log.n, 1)))))


def gate(
    log: ServedLog, weight: Floats, options: ScreenOptions, known: Collection[tuple[int, int]] = ()
) -> list[tuple[int, float, float]]:
    """Competitors whom new accounts rate otherwise than aged ones, with z = (theta_new - theta_aged) / SE and the
    threshold that it passed: a lower one in the direction of a campaign that is `known` by competitor and sign, since
    the gate need not prove then that there is one.

    The farthest first; its votes by new accounts leave their fit before the next is looked at, since one that is
    pushed pushes all others the other way. Standard errors are by voter. Nothing is compared where aged accounts carry
    too few of the votes to stand alone.
    """
    old = aged(log, options)
    by_aged = np.where(old, weight, 0.0)
    by_new = np.where(old, 0.0, weight)
    found: list[tuple[int, float, float]] = []
    if not by_new.any() or by_aged.sum() < options.trusted * weight.sum():
        return found
    reference = _strengths(log.comparisons(by_aged))
    enough = _votes(log, by_aged) >= FEWEST
    least = np.full((log.n, 2), least_z(log, options))
    for competitor, sign in known:
        least[competitor, 0 if sign > 0 else 1] = KNOWN
    for _ in range(log.n):
        fresh = _strengths(log.comparisons(by_new))
        compared = enough & (_votes(log, by_new) >= FEWEST)
        if compared.sum() < 2:
            break
        gap = fresh[0] - reference[0]
        gap = gap - np.median(gap[compared])
        z = np.where(compared, gap / np.sqrt(fresh[1] + reference[1]), 0.0)
        asked = np.where(z > 0, least[:, 0], least[:, 1])
        t = int(np.argmax(np.abs(z) / asked))
        if abs(z[t]) <= asked[t]:
            break
        found.append((t, float(z[t]), float(asked[t])))
        by_new[(log.a == t) | (log.b == t)] = 0.0
    return found


def dropped(log: ServedLog, competitor: int, options: ScreenOptions) -> np.ndarray:
    """New accounts' votes on this competitor, shape (m,)."""
    return np.asarray(~aged(log, options) & ((log.a == competitor) | (log.b == competitor)))


def _votes(log: ServedLog, weight: Floats) -> np.ndarray:
    counts = weight > 0
    return np.asarray(np.bincount(log.a[counts], minlength=log.n) + np.bincount(log.b[counts], minlength=log.n))


def _strengths(data: Comparisons) -> tuple[Floats, Floats]:
    """theta and its variance by voter."""
    table = cells(data)
    prior = PRIOR_VOTES if strong_components(table).any() else 0.0
    fit = fit_bradley_terry(table, side_effect=True, prior=prior)
    return fit.strength, by_voter(data, fit)


def by_voter(data: Comparisons, fit: BradleyTerryFit) -> Floats:
    """Diagonal of H^-1 (Σ_u s_u s_u') H^-1 · v / (v - 1), shape (n,): right when one voter's votes are alike."""
    rows = fit.rows(data)
    n = len(data.names)
    who = np.arange(data.a.size) if data.voter is None else data.voter
    pull = rows.mass * rows.residual
    scores = coo_array(
        (np.concatenate([pull, -pull]), (np.tile(who, 2), np.concatenate([data.a, data.b]))),
        shape=(int(who.max(initial=0)) + 1, n),
    ).tocsr()  # fmt: skip
    voters = max(data.voters, 2)
    inverse = fit.covariance[:n, :n]
    return np.asarray(np.diag(inverse @ (scores.T @ scores).toarray() @ inverse) * voters / (voters - 1))
