"""Accounts that were served a handful of battles: alone they cannot select, but their crowd can.

Of who was served one battle and voted on it nothing is conditional on voting at all, so D1's selection is silent there.
A crowd of accounts each dropped after its first battles shows in another figure: how many of the battles served to such
accounts were voted on, with a competitor and without. No strength enters it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, xlogy

from ratings.campaigns.options import ScreenOptions
from ratings.campaigns.stakes import Stakes, Whole
from ratings.data import Floats

PULL = 1.6
"""Log-odds by which a competitor's answers may make honest people vote more readily; twice D1's, since nothing else
has to speak."""
FEWEST = 200
"""Battles served without the competitor below which the usual readiness is not known."""


@dataclass(frozen=True)
class Crowd:
    """Accounts served so few battles that vote on one competitor's far too often.

    Attributes
    ----------
    competitor : int
    size : int
        Battles that each of the accounts was served.
    stakes : int64
        All voted stakes of such accounts on the competitor, whatever they said.
    here, elsewhere : tuple of int
        Voted and served battles with the competitor, and without.
    log_bound, threshold : float
        Minus ln of a bound on the chance of as many votes, and what it passed.
    """

    competitor: int
    size: int
    stakes: Whole
    here: tuple[int, int]
    elsewhere: tuple[int, int]
    log_bound: float
    threshold: float


def crowds(stakes: Stakes, options: ScreenOptions) -> list[Crowd]:
    """Every competitor and number of battles served (under `few`) where turnout passes the bound.

    Chernoff's bound on k of s at the usual turnout moved by PULL, over the battles of an account as if they were one:
    ln P(K >= k) <= -s KL(k / s, p) / size.

    References
    ----------
    Hoeffding, W. (1963). Probability inequalities for sums of bounded random variables. J. Amer. Statist. Assoc. 58,
    13-30 (theorem 1).
    """
    found = []
    threshold = float(np.log(max(stakes.n, 1) * (options.few - 1) / options.alpha))
    for size in range(1, options.few):
        alike = stakes.all_served == size
        mine = alike[stakes.account]
        here, voted = (
            np.bincount(stakes.competitor, mine * count, minlength=stakes.n).astype(np.float64)
            for count in (stakes.served, stakes.voted)
        )
        rest, rest_voted = size * alike.sum() - here, stakes.all_voted[alike].sum() - voted
        bound = _log_bound(voted, here, rest_voted, rest) / size
        for t in np.flatnonzero((bound > threshold) & (rest >= FEWEST)).tolist():
            part = stakes.of(t)
            held = part.start + np.flatnonzero(mine[part] & (stakes.voted[part] > 0))
            found.append(
                Crowd(t, size, held, (int(voted[t]), int(here[t])), (int(rest_voted[t]), int(rest[t])),
                      float(bound[t]), threshold)
            )  # fmt: skip
    return found


def _log_bound(voted: Floats, served: Floats, rest_voted: Floats, rest: Floats) -> Floats:
    """s KL(k / s, p) where k / s is above p, the rest's turnout moved by PULL, else 0.

    Examples
    --------
    >>> _log_bound(*(np.array([x]) for x in (50.0, 100.0, 500.0, 1000.0))).tolist()
    [0.0]
    >>> bool(_log_bound(*(np.array([x]) for x in (99.0, 100.0, 50.0, 1000.0)))[0] > 100)
    True
    """
    share = voted / np.maximum(served, 1)
    usual = np.asarray(expit(logit((rest_voted + 1) / (rest + 2)) + PULL))
    apart = xlogy(share, share / usual) + xlogy(1 - share, (1 - share) / (1 - usual))
    return np.where(share > usual, served * apart, 0.0)
