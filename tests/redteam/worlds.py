"""What every world of the suite shares: accounts with a life, served battles with votes or without, and the truth.

A world is a pure function of its design and a seed. Times are seconds from the arena's opening.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ratings import cells, fit_bradley_terry
from ratings.data import Floats
from ratings.scale import POINTS
from ratings.served import Codes, Flags, ServedLog

DAY = 86_400.0
LIFE = 180 * DAY
"""How long an arena has been open when it is screened."""
AGED = 30 * DAY
"""From this age on an account belongs to the aged stratum (D2)."""
BURST_WINDOW = DAY / 4


@dataclass(frozen=True)
class World:
    """A served log and what is true about it.

    Attributes
    ----------
    log : ServedLog
    strength : float64, shape (n,)
        What the honest voters as a whole think, natural log-odds; the target of rank r is the r-th largest.
    honest : bool, shape (v,)
    group : int32, shape (v,)
        Position in `groups`, -1 for nobody's: no honest group may be treated worse than others.
    groups : tuple of str
    """

    log: ServedLog
    strength: Floats
    honest: Flags
    group: Codes
    groups: tuple[str, ...]

    def at_rank(self, rank: int) -> int:
        """The competitor that is truly in this place."""
        return int(np.argsort(-self.strength, kind="stable")[rank - 1])


def rng_of(*key: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(list(key)))


def plain_points(log: ServedLog) -> Floats:
    """The ratings that an arena without defences would print, in points around zero: Bradley-Terry, ties half."""
    return np.asarray(fit_bradley_terry(cells(log.comparisons()), side_effect=True).strength * POINTS)


def rank_of(points: Floats, competitor: int) -> int:
    return int(1 + (points > points[competitor]).sum())


def votes_each(votes: int, cap: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Votes by voter, Pareto(1.2) and capped, until there are `votes`: a few heavy users, a long tail of one vote."""
    drawn = np.minimum((1 - rng.random(votes)) ** (-1 / 1.2), cap).astype(np.int64)
    count = int(np.searchsorted(np.cumsum(drawn), votes)) + 1
    drawn = drawn[:count]
    drawn[-1] -= drawn.sum() - votes
    return np.asarray(drawn)


def with_abandoned(votes: NDArray[np.int64], rng: np.random.Generator) -> tuple[Codes, Flags, int]:
    """Accounts and whether each battle was voted on, when readiness differs; a quarter more accounts never vote."""
    ready = np.clip(expit(rng.normal(1.0, 1.2, votes.size)), 0.1, 0.98)
    unvoted = rng.negative_binomial(votes, ready)
    looked = rng.geometric(0.5, votes.size // 4)
    account = np.concatenate([
        np.repeat(np.arange(votes.size), votes), np.repeat(np.arange(votes.size), unvoted),
        np.repeat(votes.size + np.arange(looked.size), looked),
    ])  # fmt: skip
    voted = np.arange(account.size) < votes.sum()
    return account.astype(np.int32), voted, votes.size + looked.size


def lives(accounts: int, rng: np.random.Generator, *, newsletters: int = 0) -> tuple[Floats, Floats]:
    """When each account signs up and how long it stays; some sign up together within hours of a newsletter."""
    start = rng.uniform(0, LIFE, accounts)
    for moment in rng.uniform(0.1, 0.9, newsletters) * LIFE:
        some = rng.random(accounts) < 0.03
        start[some] = moment + rng.exponential(3 * 3600, int(some.sum()))
    start = np.minimum(start, LIFE - 60)
    return start, np.minimum(rng.exponential(20 * DAY, accounts), LIFE - start)


def moments(account: Codes, start: Floats, stay: Floats, rng: np.random.Generator) -> Floats:
    """When each battle was served: anywhere in the account's life, skewed to its beginning."""
    return np.asarray(start[account] + stay[account] * rng.random(account.size) ** 1.5)


def bursts(first: Floats) -> Codes:
    """Sign-up bursts as an operator sees them: quarter days with five standard deviations more than is usual."""
    window = np.where(np.isfinite(first), first, 0) // BURST_WINDOW
    count = np.bincount(window.astype(np.int64))
    usual = np.median(count[count > 0])
    loud = count > usual + 5 * np.sqrt(usual) + 5
    return np.where(loud[window.astype(np.int64)], window, -1).astype(np.int32)


def vouch(account: Codes, voted: Flags, at: Floats, accounts: int, share: float, rng: np.random.Generator) -> Flags:
    """Which accounts are invited, so that aged and vouched accounts together carry this share of the votes."""
    first = np.full(accounts, np.inf)
    np.minimum.at(first, account, at)
    old = (at - first[account] >= AGED) & voted
    new = np.bincount(account[voted & ~old], minlength=accounts)
    vouched = np.zeros(accounts, dtype=np.bool_)
    order = rng.permutation(accounts)
    needed = share * voted.sum() - old.sum()
    if needed > 0:
        vouched[order[: int(np.searchsorted(np.cumsum(new[order]), needed)) + 1]] = True
    return vouched


def in_clusters(accounts: int, share: float, size: int, rng: np.random.Generator) -> Codes:
    """Households and offices: this share of the accounts in clusters of 2 to `size`, the others alone (-1)."""
    cluster = np.full(accounts, -1, dtype=np.int32)
    some = rng.permutation(accounts)[: int(share * accounts)]
    sizes = rng.integers(2, size + 1, some.size)
    cluster[some] = np.repeat(np.arange(some.size), sizes)[: some.size]
    return cluster
