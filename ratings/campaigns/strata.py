"""D2: aged accounts against new ones. An identity costs time, so an attack tends to be new."""

from __future__ import annotations

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


def aged(log: ServedLog, options: ScreenOptions) -> np.ndarray:
    """Which battles belong to accounts that were aged then, or vouched for, shape (m,)."""
    old = log.at - log.first_served()[log.account] >= options.aged
    return old if log.vouched is None else old | log.vouched[log.account]


def least_z(log: ServedLog, options: ScreenOptions) -> float:
    """The gate's threshold: more where many are compared."""
    return max(options.gate, float(ndtri(1 - options.alpha / (2 * max(log.n, 1)))))


def gate(log: ServedLog, weight: Floats, options: ScreenOptions) -> list[tuple[int, float]]:
    """Competitors whom new accounts rate otherwise than aged ones, with z = (theta_new - theta_aged) / SE.

    The farthest first; its votes by new accounts leave their fit before the next is looked at, since one that is
    pushed pushes all others the other way. Standard errors are by voter. Nothing is compared where aged accounts carry
    too few of the votes to stand alone.
    """
    old = aged(log, options)
    by_aged = np.where(old, weight, 0.0)
    by_new = np.where(old, 0.0, weight)
    found: list[tuple[int, float]] = []
    if not by_new.any() or by_aged.sum() < options.trusted * weight.sum():
        return found
    reference = _strengths(log.comparisons(by_aged))
    enough = _votes(log, by_aged) >= FEWEST
    least = least_z(log, options)
    for _ in range(log.n):
        fresh = _strengths(log.comparisons(by_new))
        compared = enough & (_votes(log, by_new) >= FEWEST)
        if compared.sum() < 2:
            break
        gap = fresh[0] - reference[0]
        gap = gap - np.median(gap[compared])
        z = np.where(compared, gap / np.sqrt(fresh[1] + reference[1]), 0.0)
        t = int(np.argmax(np.abs(z)))
        if abs(z[t]) <= least:
            break
        found.append((t, float(z[t])))
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
