"""One connected component: its fit, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from ratings import bootstrap, ranks, sandwich
from ratings.bradley_terry import BradleyTerryFit, fit_bradley_terry
from ratings.connectivity import refuse_groups, strong_components
from ratings.data import Comparisons, Floats, Ints, cells
from ratings.davidson import DavidsonFit, fit_davidson
from ratings.firth import fit_firth
from ratings.options import BoardOptions
from ratings.style import StyleFit, fit_style

PRIOR_VOTES = 0.5
"""Votes of ties of each competitor against the mean, where Firth's fit has no form and another prior must hold."""
Flags = NDArray[np.bool_]
Estimate = tuple[float, float, float]
"""Estimate, lower, upper."""


@dataclass(frozen=True, slots=True)
class Part:
    """One component with its fit, in log-odds; arrays have the length of `members`.

    `strength` is what is shown (maximum likelihood where it exists), `centre` what the intervals lie around, `half` to
    either side.
    """

    members: Ints
    strength: Floats
    centre: Floats
    covariance: Floats
    half: Floats
    pairs: ranks.PairIntervals
    provisional: Flags
    interval: str
    prior: bool
    separated: int
    votes: float = 0.0
    side_effect: Estimate | None = None
    tie: Estimate | None = None
    style: tuple[tuple[str, Estimate], ...] = ()


@dataclass(frozen=True, slots=True)
class Spread:
    """Half-widths of the marginal intervals, and what the simultaneous ones are made of."""

    half: Floats
    covariance: Floats
    draws: Floats
    df: Floats | None
    weak: Flags
    separated: int = 0


def fit_component(data: Comparisons, members: Ints, options: BoardOptions, by: str, notes: list[str]) -> Part:
    """The fit and intervals of one connected component.

    Intervals lie around Firth's estimate, whose bias in thin data is smaller (docs/coverage.md). The rating is the
    maximum-likelihood estimate all the same, wherever it exists; where it does not, Firth's stands in.
    """
    part = component(data, members)
    table = cells(part)
    strong = strong_components(table)
    finite = not strong.any()
    if not options.prior:
        refuse_groups(strong, part.names)
    kind = "sandwich" if options.interval == "auto" else options.interval
    shown, centre = _fits(part, options, finite, kind)
    if not finite:
        stated = (
            "Jeffreys' prior (Firth's bias reduction)" if _plain(options) else "half a vote of ties against their mean"
        )
        notes.append(
            f"No finite maximum-likelihood estimate exists for {', '.join(part.names[:6])}"
            f"{' …' if len(part.names) > 6 else ''}: {stated} stands in."
        )
    if isinstance(shown, DavidsonFit | StyleFit) and shown.held:
        beside = part.covariate_names if isinstance(shown, StyleFit) else ("ties",)
        words = [*("the strengths" for _ in part.names), "the side effect", *beside]
        lost = ", ".join(dict.fromkeys(words[place] for place in shown.held))
        notes.append(f"No finite estimate exists for {lost}: one vote of ties each holds them.")
        finite = finite and shown.held[0] >= len(part.names)
    by = by if part.voters >= 2 else "vote"
    spread = _spread(part, centre, kind, by, options, notes)
    pairs = ranks.pair_intervals(
        shown.strength, spread.draws, level=options.level, covariance=spread.covariance, centre=centre.strength,
        df=spread.df,
    )  # fmt: skip
    return Part(
        members, shown.strength, centre.strength, spread.covariance, spread.half, pairs, spread.weak | (not finite),
        kind, not finite, spread.separated, part.votes, *_parameters(part, centre, kind, by, options),
    )  # fmt: skip


def _plain(options: BoardOptions) -> bool:
    return options.ties == "half" and not options.style


def _fits(part: Comparisons, options: BoardOptions, finite: bool, kind: str) -> tuple[sandwich.Fit, sandwich.Fit]:
    """What is shown, and what the intervals lie around."""
    prior = 0.0 if finite else PRIOR_VOTES
    if options.style:
        styled = fit_style(part, side_effect=options.side_effect, prior=prior)
        return styled, styled
    if options.ties == "davidson":
        tied = fit_davidson(part, side_effect=options.side_effect, prior=prior)
        return tied, tied
    table = cells(part)
    if not finite:
        reduced = fit_firth(table, side_effect=options.side_effect)
        return reduced, reduced
    fit = fit_bradley_terry(table, side_effect=options.side_effect)
    return fit, fit_firth(table, side_effect=options.side_effect) if kind == "sandwich" else fit


def _parameters(
    part: Comparisons, fit: sandwich.Fit, kind: str, by: str, options: BoardOptions
) -> tuple[Estimate | None, Estimate | None, tuple[tuple[str, Estimate], ...]]:
    """Side effect, nu and style coefficients of the fits that have them."""
    if not isinstance(fit, DavidsonFit | StyleFit):
        return None, None, ()
    found = sandwich.model_covariance(fit) if kind == "model" else robust(part, fit, by)
    n = len(part.names)
    fitted = fit.covariance[n, n] > 0
    side = interval(fit.side_effect, found, fit.covariance, n, options.level) if fitted else None
    if isinstance(fit, StyleFit):
        names, values = part.covariate_names, fit.coefficients.tolist()
        each = [interval(value, found, fit.covariance, n + 1 + i, options.level) for i, value in enumerate(values)]
        return side, None, tuple(zip(names, each, strict=True))
    if fit.tie == 0.0:
        return side, (0.0, 0.0, 0.0), ()
    lower, upper = interval(float(np.log(fit.tie)), found, fit.covariance, n + 1, options.level)[1:]
    return side, (fit.tie, float(np.exp(lower)), float(np.exp(upper))), ()


def component(data: Comparisons, members: Ints) -> Comparisons:
    """The comparisons among some competitors, who keep their order."""
    inside = np.isin(data.a, members)
    return Comparisons(
        tuple(data.names[i] for i in members), np.searchsorted(members, data.a[inside]),
        np.searchsorted(members, data.b[inside]), data.outcome[inside], data.weight[inside],
        None if data.voter is None else data.voter[inside],
        None if data.covariates is None else data.covariates[inside], data.covariate_names,
    )  # fmt: skip


def interval(estimate: float, robust: sandwich.Covariance, model: Floats, place: int, level: float) -> Estimate:
    """Estimate, lower and upper of the parameter at `place` of the full vector; never from a variance of zero."""
    if robust.full is None or robust.full_df is None:
        raise ValueError("this covariance holds strengths only.")
    variance, df = float(robust.full[place, place]), float(robust.full_df[place])
    if variance <= 0 or df < 1:
        variance = max(variance, float(model[place, place]))
    half = -float(stdtrit(min(max(df, 1.0), ranks.MOST_DF), 0.5 - level / 2)) * variance**0.5
    return estimate, estimate - half, estimate + half


def _spread(
    part: Comparisons, fit: sandwich.Fit, kind: str, by: str, options: BoardOptions, notes: list[str]
) -> Spread:
    model = sandwich.model_covariance(fit)
    if kind == "bootstrap" and isinstance(fit, BradleyTerryFit):
        found = _by_bootstrap(part, fit, by, options, notes)
    else:
        found = _by_covariance(part, fit, model, kind, by, options)
    flat = found.half < 1e-9
    if part.names and len(part.names) > 1 and flat.any():
        normal = float(ndtri(0.5 + options.level / 2))
        half = np.where(flat, normal * np.sqrt(np.diag(model.matrix)), found.half)
        return Spread(half, found.covariance, found.draws, found.df, found.weak | flat, found.separated)
    return found


def _by_bootstrap(part: Comparisons, fit: BradleyTerryFit, by: str, options: BoardOptions, notes: list[str]) -> Spread:
    resample = bootstrap.bootstrap_by_voter if by == "voter" else bootstrap.bootstrap_by_vote
    found = resample(part, fit, rounds=options.rounds, seed=options.seed, side_effect=options.side_effect)
    if found.separated:
        notes.append(
            f"{found.separated} of {options.rounds} replicates had no finite estimate; a weak prior held them."
        )
    covariance = np.atleast_2d(np.cov(found.strength, rowvar=False))
    tails = np.quantile(found.strength - fit.strength, [(1 - options.level) / 2, (1 + options.level) / 2], axis=0)
    sure = np.zeros(fit.strength.size, dtype=bool)
    return Spread(np.abs(tails).max(axis=0), covariance, found.strength, None, sure, found.separated)


def _by_covariance(
    part: Comparisons, fit: sandwich.Fit, model: sandwich.Covariance, kind: str, by: str, options: BoardOptions
) -> Spread:
    chosen = model
    if kind == "sandwich":
        chosen = robust(part, fit, by)
        chosen = replace(chosen, matrix=_not_below_zero(chosen.matrix))
    covariance, half, df, weak = chosen.matrix, *_plain_half(chosen, options.level)
    if weak.any():
        covariance, half, df = _never_narrower(chosen, model, part, fit, weak, half, options.level)
    rng = np.random.Generator(np.random.PCG64([options.seed, 1]))
    return Spread(half, covariance, _draw(covariance, options.rounds, rng), df, weak)


def _not_below_zero(covariance: Floats) -> Floats:
    """The same with variances of zero where rounding put them a hair below it."""
    found = covariance.copy()
    np.fill_diagonal(found, np.maximum(np.diag(found), 0.0))
    return found


def _plain_half(chosen: sandwich.Covariance, level: float) -> tuple[Floats, Floats, Flags]:
    """Half-widths by t quantiles of at least one degree of freedom, these, and who has less or stands on one unit."""
    df = np.clip(chosen.df, 1.0, ranks.MOST_DF)
    half = np.sqrt(np.diag(chosen.matrix)) * -stdtrit(df, 0.5 - level / 2)
    weak = chosen.df < 1.0
    return np.asarray(half), df, weak if chosen.weak is None else weak | chosen.weak


def robust(part: Comparisons, fit: sandwich.Fit, by: str) -> sandwich.Covariance:
    """The leverage-corrected sandwich by the unit."""
    sandwiches = {"voter": sandwich.sandwich_by_voter, "vote": sandwich.sandwich_by_vote}
    return sandwiches[by](part, fit, correction=True)


def _never_narrower(
    chosen: sandwich.Covariance, model: sandwich.Covariance, part: Comparisons, fit: sandwich.Fit, weak: Flags,
    half: Floats, level: float,
) -> tuple[Floats, Floats, Floats]:  # fmt: skip
    """Covariance, half-widths and degrees of freedom where some are weak: there the widest interval of all three.

    A competitor of one voter has the model's variance, which no degree of freedom was spent on. Two voters have one
    degree of freedom and its t quantile: that covers (.97 of a stated .95 in simulation), the model's interval .87.
    """
    single = np.zeros_like(weak) if chosen.weak is None else chosen.weak
    df = np.where(single, ranks.MOST_DF, np.clip(chosen.df, 1.0, ranks.MOST_DF))
    others = [model, chosen] + ([robust(part, fit, "vote")] if chosen.unit == "voter" else [])
    widest = np.max([np.diag(found.matrix) for found in others], axis=0)
    floor = np.sqrt(widest) * float(ndtri(0.5 + level / 2))
    half = np.where(single, floor, np.where(weak, np.maximum(half, floor), half))
    scale = np.sqrt(np.where(weak, widest / np.maximum(np.diag(chosen.matrix), 1e-30), 1.0))
    if not np.isfinite(scale).all() or scale.max() > 1e3:
        return model.matrix * 1.0, half, df
    return chosen.matrix * np.outer(scale, scale), half, df


def _draw(covariance: Floats, rounds: int, rng: np.random.Generator) -> Floats:
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    return np.asarray(rng.standard_normal((rounds, covariance.shape[0])) @ root.T)
