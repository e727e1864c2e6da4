"""Many replicates of the counts, refitted together by chord iterations from the estimate.

theta += S H^-1 S gradient, with the estimate's own inverse Hessian and a scale S for each replicate; whatever does not
converge so is fitted by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array, vstack

from ratings.bradley_terry import BradleyTerryFit, fit_bradley_terry
from ratings.data import Cells, Floats
from ratings.errors import NotStronglyConnected
from ratings.firth import leverages

MAX_ITERATIONS = 60
TOLERANCE = 3e-6
"""Log-odds: 0.0005 points."""
SEPARATED = 12.0
"""Log-odds from the mean beyond which a replicate has no finite estimate worth the name."""
FALLBACK_PRIOR = 0.5
FARTHEST = 5.0
"""How many times a replicate's information about somebody may differ from the estimate's, to be believed."""


@dataclass(frozen=True, slots=True)
class Model:
    """What all refits share.

    Attributes
    ----------
    design : sparse, shape (n + 1, p)
        +1 where a cell's first shown is, -1 where its second is; the side effect's ones, or zeros, below.
    start : sparse, shape (2 n + 2, p)
        Times counts: their expected leads at the estimate, and their information about each by its diagonal.
    held : float64, shape (n + 1, 1)
        That diagonal at the estimate, prior included.
    """

    table: Cells
    fit: BradleyTerryFit
    side_effect: bool
    design: Any
    start: Any
    held: Floats


def make_model(table: Cells, fit: BradleyTerryFit, side_effect: bool) -> Model:
    """What refits of these counts share; only the counts of `table` matter."""
    n, p = table.n, table.count.size
    cells = np.arange(p)
    ends, signs = [table.a, table.b], [np.ones(p), -np.ones(p)]
    if side_effect:
        ends, signs = [*ends, np.full(p, n)], [*signs, np.ones(p)]
    places = (np.concatenate(ends), np.tile(cells, len(ends)))
    design = csr_array((np.concatenate(signs), places), shape=(n + 1, p))
    chance = _expit(fit.strength[table.a] - fit.strength[table.b] + fit.side_effect)
    start = vstack([design * chance, abs(design) * (chance * (1.0 - chance))]).tocsr()
    held = (start @ table.count)[n + 1 :, None] + _prior_curvature(fit)
    return Model(table, fit, side_effect, design, start, held)


def _prior_curvature(fit: BradleyTerryFit) -> Floats:
    """What the prior adds to the diagonal of the information at the estimate, shape (n + 1, 1)."""
    share = _expit(fit.strength.copy())
    return np.append(fit.prior * share * (1.0 - share), 0.0)[:, None]


def refit(model: Model, count: Floats, led: Floats, score_of: Callable[[int], Floats]) -> tuple[Floats, int]:
    """Strengths of all replicates, shape (r, n), and how many separate.

    `count` has shape (p, r), the leads `led` = design · scores (n + 1, r); `score_of` gives one replicate's scores.
    """
    table, fit, n, rounds = model.table, model.fit, model.table.n, count.shape[1]
    count = np.asarray(count, dtype=np.float64)
    pseudo = np.zeros((0, 0))
    if fit.bias_reduced:  # Jeffreys' prior as the half-votes that it comes to at the estimate
        pseudo = leverages(table, fit)[:, None]
        count, led = count + pseudo, led + model.design @ pseudo / 2
    expected, drawn = np.vsplit(model.start @ count, 2)
    scale = _scale(model.held, drawn + _prior_curvature(fit))
    theta = np.repeat(np.append(fit.strength, fit.side_effect)[:, None], rounds, axis=1)
    active, before = np.arange(rounds), np.full(rounds, np.inf)
    for iteration in range(MAX_ITERATIONS):
        whole = active.size == rounds
        now = theta if whole else theta[:, active]
        if iteration:
            expected = _expected(model, now, count if whole else count[:, active])
        slope = (led if whole else led[:, active]) - expected
        if fit.prior:
            slope[:n] += fit.prior * (0.5 - _expit(now[:n].copy()))
        own = scale if whole else scale[:, active]
        slope *= own
        step = fit.covariance @ slope
        step *= own
        size = np.abs(step).max(axis=0, initial=0.0)
        step *= np.minimum(1.0, 2.0 / np.maximum(size, 1e-300))
        theta[:, active] += step
        going = _remaining(size, before[active]) > TOLERANCE
        before[active] = size
        if not going.any():
            active = active[going]
            break
        if np.count_nonzero(going) <= active.size / 2:  # copying the rest costs as much as another step of all
            active = active[going]
        if np.abs(theta[:n, active]).max() > 4 * SEPARATED:
            break
    far = np.abs(theta[:n]).max(axis=0, initial=0) > SEPARATED
    separated = 0
    for column in sorted({*active.tolist(), *np.flatnonzero(far).tolist()}):
        score = score_of(column) + (pseudo[:, 0] / 2 if pseudo.size else 0.0)
        replicate = Cells(n, table.a, table.b, count[:, column], score)
        theta[:n, column], lost = _exactly(replicate, model.side_effect, fit.prior)
        separated += lost
    return np.asarray((theta[:n] - theta[:n].mean(axis=0)).T), separated


def _expected(model: Model, theta: Floats, count: Floats) -> Floats:
    """Leads that strengths and side effect (n + 1, r) let expect, shape (n + 1, r)."""
    odds = np.exp(theta)
    chance = np.take(odds, model.table.a, axis=0)
    if model.side_effect:
        chance *= odds[-1]
    both = np.take(odds, model.table.b, axis=0)
    both += chance
    chance /= both
    chance *= count
    return np.asarray(model.design @ chance)


def _scale(held: Floats, drawn: Floats) -> Floats:
    """S of shape (n + 1, r), so that S H^-1 S is closer to the inverse Hessian of a replicate than H^-1 is.

    By the diagonals of both at the estimate, h and h_r: S = (h / h_r)^(1/2). Whoever compared little is resampled to
    half or twice the information, and would take a dozen steps of the wrong length.
    """
    ratio = np.ones(drawn.shape)
    np.divide(held, np.maximum(drawn, 1e-300), out=ratio, where=held > 0)
    return np.sqrt(np.clip(ratio, 1 / FARTHEST, FARTHEST))


def _remaining(size: Floats, before: Floats) -> Floats:
    """What all further steps could add up to, shape (r,): chord steps shrink by a ratio that stays or falls.

    Never trusted below a tenth: a step can be short by accident.
    """
    ratio = np.clip(size / np.maximum(before, 1e-300), 0.1, 0.5)
    return np.asarray(size * ratio / (1.0 - ratio))


def _expit(x: Floats) -> Floats:
    """sigma(x) in place; by the hyperbolic tangent, which numpy has in vector instructions."""
    x *= 0.5
    np.tanh(x, out=x)
    x *= 0.5
    x += 0.5
    return x


def _exactly(table: Cells, side_effect: bool, prior: float) -> tuple[Floats, int]:
    """One replicate by Newton's method; under the weak prior, and counted, where no finite estimate exists."""
    kept = table.count > 0
    seen = Cells(table.n, table.a[kept], table.b[kept], table.count[kept], table.score[kept])
    try:
        return fit_bradley_terry(seen, side_effect=side_effect, prior=prior).strength, 0
    except NotStronglyConnected:
        return fit_bradley_terry(seen, side_effect=side_effect, prior=FALLBACK_PRIOR).strength, 1
