"""W1: Bradley-Terry with ties, and people: heavy users, tastes, a minority, apathy, side bias, tie habits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from ratings.data import Floats
from ratings.scale import POINTS
from ratings.served import Codes, served
from tests.redteam.worlds import World, bursts, in_clusters, lives, moments, rng_of, votes_each, vouch, with_abandoned

GAMED = np.array([2.0, 1.0])


@dataclass(frozen=True)
class Tastes:
    """The world's knobs, with the values of the plain world; log-odds unless said otherwise.

    Attributes
    ----------
    span : float
        Points between the first and the last.
    cap : int
        Most votes of one voter.
    ability, apathetic : float
        Lognormal spread of how sharply a voter sees; share of voters who see nothing.
    minority, minority_sd : float
        Share of voters who have tastes in common, and how strong these are.
    blocs : sequence of (float, float)
        Share of voters and what they all add to one competitor: a bloc each.
    never_tie, indifferent, repel : float
        Shares: of voters who never tie, of voters who nearly always do, of competitors that repel ties.
    aged : float
        Share of the votes by aged or vouched accounts; 0 leaves it as it comes.
    style : sequence of float
        What a standard deviation of each style covariate adds.
    gamer : int
        The competitor that writes longer and more marked-up: two and one standard deviations of the first two.
    cycle : float
        How strongly competitors beat each other in a circle, which no ranking can hold.
    """

    n: int = 20
    votes: int = 50_000
    span: float = 400.0
    cap: int = 300
    ability: float = 0.3
    apathetic: float = 0.05
    taste: float = 0.25
    minority: float = 0.10
    minority_sd: float = 0.6
    tie: float = 0.86
    tie_spread: float = 0.6
    bias: float = 0.06
    bias_sd: float = 0.15
    charm: float = 0.05
    blocs: Sequence[tuple[float, float]] = ()
    never_tie: float = 0.0
    indifferent: float = 0.0
    repel: float = 0.0
    aged: float = 0.0
    style: Sequence[float] = ()
    gamer: int = -1
    cycle: float = 0.0


def tastes(design: Tastes, seed: int) -> World:
    """One world; the same design and seed give the same log."""
    rng = rng_of(seed, 1)
    votes = votes_each(design.votes, design.cap, rng)
    account, voted, accounts = with_abandoned(votes, rng)
    start, stay = lives(accounts, rng)
    at = moments(account, start, stay, rng)
    strength = np.linspace(design.span / 2, -design.span / 2, design.n) / POINTS
    strength += rng.normal(0, 0.02, design.n)
    a = rng.integers(0, design.n, account.size)
    b = (a + rng.integers(1, design.n, account.size)) % design.n
    liking, group, groups = _liking(design, accounts, rng)
    phase = rng.uniform(0, 2 * np.pi, design.n)
    style = rng.normal(0, 1, (account.size, len(design.style)))
    style += (((a == design.gamer) * 1 - (b == design.gamer))[:, None] * GAMED)[:, : len(design.style)]
    d = _sharpness(design, accounts, rng)[account] * (
        strength[a] - strength[b] + liking[account, a] - liking[account, b]
        + rng.normal(0, design.charm * np.sqrt(2), account.size) + design.cycle * np.sin(phase[a] - phase[b])
        + style @ np.asarray(design.style, dtype=np.float64)
    ) + rng.normal(design.bias, design.bias_sd, accounts)[account]  # fmt: skip
    outcome = outcomes(d, _tie_weight(design, account, a, b, accounts, rng), rng)
    first = np.full(accounts, np.inf)
    np.minimum.at(first, account, at)
    log = served(
        [f"m{i:03d}" for i in range(design.n)], a, b, np.where(voted, outcome, -1), account, at,
        clusters={"address": in_clusters(accounts, 0.1, 4, rng), "burst": bursts(first)},
        vouched=vouch(account, voted, at, accounts, design.aged, rng),
        style=style if design.style else None,
    )  # fmt: skip
    return World(log, strength, np.ones(accounts, dtype=np.bool_), group, groups)


def outcomes(d: Floats, tie: Floats, rng: np.random.Generator) -> Codes:
    """Davidson's model: P(a), P(b), P(tie) in proportion to e^(d/2), e^(-d/2), `tie`; one tie in eight is both bad."""
    first, second = expit(d), expit(-d)
    tied = tie * np.sqrt(first * second)
    u = rng.random(d.size) * (1 + tied)
    kind = np.where(rng.random(d.size) < 0.125, 3, 2)
    return np.where(u < first, 0, np.where(u < 1, 1, kind)).astype(np.int32)


def _liking(design: Tastes, accounts: int, rng: np.random.Generator) -> tuple[Floats, Codes, tuple[str, ...]]:
    """What each account adds to each competitor, and the groups that share it: a minority, blocs."""
    own = rng.normal(0, design.taste, (accounts, design.n))
    group = np.full(accounts, -1, dtype=np.int32)
    u = rng.random(accounts)
    group[u < design.minority] = 0
    own[group == 0] += rng.normal(0, design.minority_sd, design.n)
    edge = design.minority
    for number, (share, lift) in enumerate(design.blocs, start=1):
        group[(u >= edge) & (u < edge + share)] = number
        own[group == number, rng.integers(design.n)] += lift
        edge += share
    return own, group, ("minority", *(f"bloc of {share:.0%}, {lift:+g}" for share, lift in design.blocs))


def _sharpness(design: Tastes, accounts: int, rng: np.random.Generator) -> Floats:
    sees = np.exp(rng.normal(0, design.ability, accounts))
    return np.asarray(np.where(rng.random(accounts) < design.apathetic, 0.0, sees))


def _tie_weight(design: Tastes, account: Codes, a: Codes, b: Codes, accounts: int, rng: np.random.Generator) -> Floats:
    habit = design.tie * np.exp(rng.normal(0, design.tie_spread, accounts))
    u = rng.random(accounts)
    habit[u < design.never_tie] = 0.0
    habit[u > 1 - design.indifferent] = 8.0
    propensity = np.where(np.arange(design.n) < design.repel * design.n, 0.35, 1.0)[rng.permutation(design.n)]
    return np.asarray(habit[account] * propensity[a] * propensity[b])
