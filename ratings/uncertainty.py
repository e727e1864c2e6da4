"""One connected component: its fit, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from ratings import bootstrap, ranks, sandwich
from ratings.bradley_terry import BradleyTerryFit, fit_bradley_terry
from ratings.connectivity import strong_components
from ratings.data import Comparisons, Floats, Ints, cells
from ratings.errors import NotStronglyConnected
from ratings.options import BoardOptions

PRIOR_VOTES = 0.5
"""Votes of ties against the component's mean, where no finite estimate exists otherwise."""


@dataclass(frozen=True, slots=True)
class Part:
    """One component with its fit, in log-odds; arrays have the length of `members`."""

    members: Ints
    strength: Floats
    covariance: Floats
    half: Floats
    pairs: ranks.PairIntervals
    provisional: Floats
    interval: str
    prior: float
    separated: int


def fit_component(data: Comparisons, members: Ints, options: BoardOptions, by: str, notes: list[str]) -> Part:
    inside = np.isin(data.a, members)
    part = Comparisons(
        tuple(data.names[i] for i in members), np.searchsorted(members, data.a[inside]),
        np.searchsorted(members, data.b[inside]), data.outcome[inside], data.weight[inside],
        None if data.voter is None else data.voter[inside],
    )  # fmt: skip
    table = cells(part)
    strong = strong_components(table)
    finite = bool((strong == 0).all())
    if not finite and not options.prior:
        raise NotStronglyConnected(
            [[part.names[i] for i in np.flatnonzero(strong == label)] for label in np.unique(strong)]
        )
    prior = 0.0 if finite else PRIOR_VOTES
    fit = fit_bradley_terry(table, side_effect=options.side_effect, prior=prior)
    if not finite:
        notes.append(
            f"No finite maximum-likelihood estimate exists for {', '.join(part.names[:6])}"
            f"{' …' if len(part.names) > 6 else ''}: each was given half a vote of ties against their mean."
        )
    return _with_uncertainty(part, members, fit, options, by, finite, notes)


def _with_uncertainty(
    part: Comparisons, members: Ints, fit: BradleyTerryFit, options: BoardOptions, by: str, finite: bool,
    notes: list[str],
) -> Part:  # fmt: skip
    n = members.size
    normal = float(ndtri(0.5 + options.level / 2))
    kind = "sandwich" if options.interval == "auto" else options.interval
    by = by if part.voters >= 2 else "vote"
    model = sandwich.model_covariance(fit)
    separated, weak = 0, np.zeros(n, dtype=bool)
    rng = np.random.Generator(np.random.PCG64([options.seed, 1]))
    if kind == "bootstrap":
        resample = bootstrap.bootstrap_by_voter if by == "voter" else bootstrap.bootstrap_by_vote
        replicates = resample(part, fit, rounds=options.rounds, seed=options.seed, side_effect=options.side_effect)
        draws, separated = replicates.strength, replicates.separated
        covariance = np.atleast_2d(np.cov(draws, rowvar=False))
        tails = np.quantile(draws - fit.strength, [(1 - options.level) / 2, (1 + options.level) / 2], axis=0)
        half, widen = np.abs(tails).max(axis=0), 1.0
        if separated:
            notes.append(f"{separated} of {options.rounds} replicates had no finite estimate; a weak prior held them.")
    else:
        chosen = model if kind == "model" else _robust(part, fit, by)
        covariance, weak = _never_narrower(chosen, model, part, fit, by)
        error = np.sqrt(np.diag(covariance))
        quantile = np.where(
            np.isfinite(chosen.df), stdtrit(np.maximum(chosen.df, 1.0), 0.5 + options.level / 2), normal
        )
        half = error * quantile
        widen = float(quantile.max(initial=normal)) / normal
        draws = _draw(covariance, options.rounds, rng)
    flat = half < 1e-9
    if n > 1 and flat.any():
        half = np.where(flat, normal * np.sqrt(np.diag(model.matrix)), half)
        weak |= flat
    pairs = ranks.pair_intervals(fit.strength, draws, level=options.level, widen=widen, covariance=covariance)
    provisional = weak | (not finite)
    return Part(members, fit.strength, covariance, half, pairs, provisional.astype(float), kind, fit.prior, separated)


def _robust(part: Comparisons, fit: BradleyTerryFit, by: str) -> sandwich.Covariance:
    return sandwich.sandwich_by_voter(part, fit) if by == "voter" else sandwich.sandwich_by_vote(part, fit)


def _never_narrower(
    chosen: sandwich.Covariance, model: sandwich.Covariance, part: Comparisons, fit: BradleyTerryFit, by: str
) -> tuple[Floats, NDArray[np.bool_]]:
    """Where a clustered variance rests on less than one degree of freedom, the widest of all three, and a flag."""
    weak = chosen.df < 1.0
    matrix = chosen.matrix
    if weak.any():
        others = [model.matrix, matrix] + ([sandwich.sandwich_by_vote(part, fit).matrix] if by == "voter" else [])
        widest = np.max([np.diag(m) for m in others], axis=0)
        own = np.maximum(np.diag(matrix), 1e-300)
        scale = np.sqrt(np.where(weak, widest / own, 1.0))
        matrix = (
            model.matrix * 1.0 if not np.isfinite(scale).all() or scale.max() > 1e3 else matrix * np.outer(scale, scale)
        )
    return matrix, np.asarray(weak)


def _draw(covariance: Floats, rounds: int, rng: np.random.Generator) -> Floats:
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    return np.asarray(rng.standard_normal((rounds, covariance.shape[0])) @ root.T)
