"""Likelihood of a stake's votes for every addition x to the competitor's strength, and honest tastes over it.

h_tau(x) = 97 % N(0, tau²) + 3 % N(0, (2.5 tau)²): tastes, and the pet prompts that make their tails heavy.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import CubicSpline

from ratings.campaigns.calibration import Calibration
from ratings.campaigns.habits import Habits
from ratings.campaigns.stakes import Stakes, Whole, log_sum, sums
from ratings.data import Floats

NODES = np.linspace(-6, 6, 25)
"""Log-odds x. A step of half a logit integrates what tastes of .45 and ten votes leave; more votes need finer ones."""
FINE = np.linspace(-6, 6, 193)
TO_FINE = CubicSpline(NODES, np.eye(NODES.size))(FINE)
"""Log-likelihoods are smooth in x: values at NODES tell those at FINE, shape (193, 25)."""
MANY = 10
"""Votes of a stake from which the finer nodes are used."""
PETS, PET_SCALE = 0.03, 2.5
LIFTS = np.array([0.35, 0.9, 2.0])
"""How far a campaign may have moved a competitor already, log-odds: judged by a strength that it has itself made, a
large campaign looks like agreement."""
TASTES = np.array([0.45, 0.5, 0.56, 0.63, 0.7, 0.8, 0.9, 1.0, 1.2, 1.4, 1.7, 2.0])
"""tau, the least one being the least allowed."""
SHARED_TASTES = np.array([0.3, 0.36, *TASTES])
ATTACKERS, REACH = 0.05, 4.0
"""Share of a flat likelihood on [-REACH, REACH] in each unit, so that attackers cannot inflate tau."""
FEWEST, MOST, SAMPLE = 3, 40, 20_000
"""Votes of the stakes that teach tau, and how many stakes, evenly spaced."""
BLOCK = 1 << 15


def log_likelihoods(
    stakes: Stakes, calibration: Calibration, habits: Habits, lead: Floats, chosen: Whole, outcome: int | None = None
) -> Floats:
    """ln Π_i P(o_i | kappa s d_i + x, nu e^m) at NODES, shape (chosen, 25).

    Parameters
    ----------
    lead : float64, shape (voted,)
        +1 where a won, -1 where b did, 0 for a tie.
    chosen : int64
        Positions of stakes.
    outcome : int, optional
        +1 or -1: as if all of these votes had gone that way.
    """
    result = np.empty((chosen.size, NODES.size))
    for part in blocks(stakes, chosen):
        rows, start = stakes.entries(chosen[part])
        z, log_tie, sign = entry_terms(stakes, calibration, habits, lead, chosen[part], rows, start)
        if outcome is not None:
            sign = np.full(sign.size, float(outcome))
        fixed = sums(sign * z / 2 + (sign == 0) * log_tie, start)
        up = np.exp(z / 2)[:, None] * np.exp(NODES / 2)
        up += 1 / up
        up += np.exp(log_tie)[:, None]
        np.log(up, out=up)
        result[part] = fixed[:, None] + sums(sign, start)[:, None] * (NODES / 2) - sums(up, start)
    return result


def entry_terms(
    stakes: Stakes, calibration: Calibration, habits: Habits, lead: Floats, chosen: Whole, rows: Whole, start: Whole
) -> tuple[Floats, Floats, Floats]:
    """Log-odds for the competitor, ln nu and what was said (+1 it won, -1 it lost, 0 tie) of each entry."""
    vote, side = stakes.vote[rows], stakes.side[rows]
    length = np.diff(start)
    z = side * calibration.z[vote] * np.repeat(habits.slope[chosen], length)
    log_tie = calibration.log_tie[vote] + np.repeat(habits.tie[chosen], length)
    return z, log_tie, side * lead[vote]


def blocks(stakes: Stakes, chosen: Whole) -> list[slice]:
    """Runs of these stakes with about BLOCK entries each."""
    upto = np.cumsum(stakes.voted[chosen], dtype=np.int64)
    total = int(upto[-1]) if upto.size else 0
    cuts = np.searchsorted(upto, np.arange(BLOCK, total, BLOCK), side="right")
    edges = np.unique(np.concatenate([[0], cuts, [chosen.size]]))
    return [slice(a, b) for a, b in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)]


def log_weights(tau: float, nodes: Floats) -> Floats:
    """ln h_tau at these nodes, normalised over them."""
    part = np.exp(-0.5 * (nodes / tau) ** 2) / tau
    wide = np.exp(-0.5 * (nodes / (PET_SCALE * tau)) ** 2) / (PET_SCALE * tau)
    mixed = (1 - PETS) * part + PETS * wide
    return np.asarray(np.log(mixed / mixed.sum() + 1e-300))


def flat_weights(nodes: Floats) -> Floats:
    """ln of the flat density on [-REACH, REACH]."""
    inside = np.abs(nodes) <= REACH
    return np.where(inside, -np.log(inside.sum()), -np.inf)


def integrated(likelihood: Floats, votes: Whole, weights: Floats, fine_weights: Floats) -> Floats:
    """ln of the integral of each row's likelihood against a density given at NODES and at FINE."""
    result = log_sum(likelihood + weights)
    many = np.flatnonzero(votes > MANY)
    for begin in range(0, many.size, BLOCK):
        some = many[begin : begin + BLOCK]
        result[some] = log_sum(likelihood[some] @ TO_FINE.T + fine_weights)
    return result


def honest(likelihood: Floats, votes: Whole, tau: float) -> Floats:
    """ln P0: the likelihood of each row integrated over honest tastes.

    Examples
    --------
    >>> bool(abs(honest(np.zeros((1, 25)), np.array([0]), 0.45)[0]) < 1e-12)
    True
    """
    return integrated(likelihood, votes, log_weights(tau, NODES), log_weights(tau, FINE))


def shifted(likelihood: Floats, votes: Whole, tau: float) -> Floats:
    """ln P0 if the competitor were as strong as thought, and by each of LIFTS weaker and stronger, shape (rows, 7)."""
    steps = np.concatenate([[0.0], LIFTS, -LIFTS])
    coarse, fine = (np.exp([log_weights(tau, nodes + step) for step in steps]).T for nodes in (NODES, FINE))
    top = likelihood.max(axis=1, keepdims=True, initial=-np.inf)
    result = np.log(np.exp(likelihood - top) @ coarse + 1e-300) + top
    many = np.flatnonzero(votes > MANY)
    for begin in range(0, many.size, BLOCK):
        some = many[begin : begin + BLOCK]
        values = likelihood[some] @ TO_FINE.T
        top = values.max(axis=1, keepdims=True)
        result[some] = np.log(np.exp(values - top) @ fine + 1e-300) + top
    return np.asarray(result)


def taste_of(likelihood: Floats, votes: Whole, tastes: Floats = TASTES) -> float:
    """tau by maximum likelihood on a grid, with a share of attackers; the least one where nothing teaches it."""
    if not likelihood.shape[0]:
        return float(tastes[0])
    flat = np.log(ATTACKERS) + integrated(likelihood, votes, flat_weights(NODES), flat_weights(FINE))
    value = [
        np.logaddexp(np.log(1 - ATTACKERS) + honest(likelihood, votes, tau), flat).sum() for tau in tastes.tolist()
    ]
    return float(tastes[int(np.argmax(value))])


def teachers(stakes: Stakes, teaches: np.ndarray) -> Whole:
    """Stakes that teach tau."""
    votes = stakes.voted
    found = np.flatnonzero((votes >= FEWEST) & (votes <= MOST) & teaches[stakes.account])
    if found.size > SAMPLE:
        found = found[np.linspace(0, found.size - 1, SAMPLE).astype(np.int64)]
    return found
