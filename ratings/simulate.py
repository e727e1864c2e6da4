"""Worlds with known truth: voters with tastes, sparse and unbalanced pairs, ties, a side effect, a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from ratings.bradley_terry import fit_bradley_terry
from ratings.data import Cells, Comparisons, Floats, Ints, Outcome, comparisons

NODES, NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(41)


@dataclass(frozen=True, slots=True)
class Design:
    """How votes come about.

    Attributes
    ----------
    models, votes, voters : int
    spread : float
        Standard deviation of the strengths, log-odds.
    taste : float
        Standard deviation of a voter's own addition to each strength, log-odds: what makes votes of one voter alike.
    popularity : float
        0 draws competitors evenly; 1 draws the i-th as often as 1/i.
    density : float
        Share of the pairs that are ever shown; a ring always is.
    activity : float
        0 gives every voter as many votes; 1 gives the g-th as many as 1/g.
    tie : float
        Davidson's nu: 0 for none.
    side_effect : float
        gamma, log-odds in favour of the first shown.
    """

    models: int = 10
    votes: int = 2000
    voters: int = 100
    spread: float = 1.0
    taste: float = 0.0
    popularity: float = 0.0
    density: float = 1.0
    activity: float = 0.0
    tie: float = 0.0
    side_effect: float = 0.0


@dataclass(frozen=True, slots=True)
class World:
    """Votes, and what they were drawn from.

    Attributes
    ----------
    data : Comparisons
    strength : float64, shape (n,)
        theta of the voter without tastes, mean zero.
    target : float64, shape (n,)
        What a fit estimates: theta of the Bradley-Terry model nearest to the mean over voters. Tastes draw it towards
        zero, as logistic-normal mixtures do, and so do ties that count half.
    """

    data: Comparisons
    strength: Floats
    target: Floats


def simulate(design: Design, seed: int) -> World:
    """One world; the same design and seed give the same votes.

    P(a), P(b), P(tie) are in proportion to e^(d/2), e^(-d/2), nu, with d = theta_a + t_va - theta_b - t_vb + gamma.

    References
    ----------
    Davidson, R. R. (1970). On extending the Bradley-Terry model to accommodate ties in paired comparison experiments.
    J. Amer. Statist. Assoc. 65, 317-328.

    Examples
    --------
    >>> simulate(Design(models=4, votes=50, voters=5), seed=1).data.votes
    50.0
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    n = design.models
    strength = rng.normal(0, design.spread, n)
    strength -= strength.mean()
    chance = _pair_chances(design, rng)
    voter = _voters(design, rng)
    drawn = rng.choice(n * n, design.votes, p=chance.ravel())
    a, b = np.divmod(drawn, n)
    own = rng.normal(0, 1, (design.voters, n)) * design.taste
    d = strength[a] - strength[b] + own[voter, a] - own[voter, b] + design.side_effect
    names = [f"m{i:03d}" for i in range(n)]
    data = comparisons(names, a, b, _outcomes(d, design.tie, rng), voter=voter)
    return World(data, strength, _target(design, strength, chance))


def simulate_style(design: Design, coefficients: Sequence[float], seed: int) -> World:
    """A world whose voters also like one side's style: standard normal covariates, log-odds `coefficients` each.

    `covariates` of its data have variance one, `target` is the strength of a voter without tastes: use neither ties nor
    tastes to recover it exactly.

    Examples
    --------
    >>> simulate_style(Design(models=4, votes=50), [0.4, 0.1], seed=1).data.covariates.shape
    (50, 2)
    """
    rng = np.random.Generator(np.random.PCG64([seed, 1]))
    plain = simulate(design, seed)
    covariates = rng.normal(0, 1, (design.votes, len(coefficients)))
    d = plain.strength[plain.data.a] - plain.strength[plain.data.b] + design.side_effect
    d += covariates @ np.asarray(coefficients)
    own = rng.normal(0, 1, (design.voters, design.models)) * design.taste
    if plain.data.voter is not None:
        d += own[plain.data.voter, plain.data.a] - own[plain.data.voter, plain.data.b]
    names = [f"style{i}" for i in range(len(coefficients))]
    data = comparisons(
        plain.data.names, plain.data.a, plain.data.b, _outcomes(d, design.tie, rng), voter=plain.data.voter,
        covariates=covariates, covariate_names=names,
    )  # fmt: skip
    return World(data, plain.strength, plain.strength)


def _outcomes(d: Floats, tie: float, rng: np.random.Generator) -> Ints:
    first, tied = outcome_chances(d, tie)
    u = rng.random(d.size)
    return np.asarray(np.where(u < first, Outcome.A, np.where(u < first + tied, Outcome.TIE, Outcome.B)))


def outcome_chances(d: Floats, tie: float) -> tuple[Floats, Floats]:
    """P(a) and P(tie) of Davidson's model at log-odds d = theta_a - theta_b + gamma; `tie` is nu.

    Examples
    --------
    >>> [float(x) for x in outcome_chances(np.array(0.0), 2.0)]
    [0.25, 0.5]
    """
    first, second = expit(d), expit(-d)
    tied = tie * np.sqrt(first * second)
    return first / (1 + tied), tied / (1 + tied)


def _pair_chances(design: Design, rng: np.random.Generator) -> Floats:
    """Chance of each ordered pair, shape (n, n)."""
    n = design.models
    popularity = rng.permutation(np.arange(1.0, n + 1) ** -design.popularity)
    shown = rng.random((n, n)) < design.density
    ring = rng.permutation(n)
    shown[ring, np.roll(ring, 1)] = True
    shown = np.triu(shown | shown.T, 1)
    chance = np.outer(popularity, popularity) * (shown | shown.T)
    return np.asarray(chance / chance.sum())


def _voters(design: Design, rng: np.random.Generator) -> np.ndarray:
    """The voter of each vote, coded in the order of the first vote."""
    weight = np.arange(1.0, design.voters + 1) ** -design.activity
    if design.activity == 0:
        drawn = rng.permutation(np.arange(design.votes) % design.voters)
    else:
        drawn = rng.choice(design.voters, design.votes, p=weight / weight.sum())
    _, first, code = np.unique(drawn, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[code])


def _target(design: Design, strength: Floats, chance: Floats) -> Floats:
    n = design.models
    a, b = np.nonzero(chance)
    d = strength[a] - strength[b] + design.side_effect
    tastes = design.taste * np.sqrt(2) * NODES
    first, tie = outcome_chances(d[:, None] + tastes, design.tie)
    score = (first + tie / 2) @ NODE_WEIGHTS / NODE_WEIGHTS.sum()
    count = chance[a, b] * 1e4
    table = Cells(n, a, b, count, count * score)
    return fit_bradley_terry(table, side_effect=design.side_effect != 0).strength
