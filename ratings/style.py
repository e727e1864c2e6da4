"""Style control: covariates of how answers look, fitted jointly with the strengths and without any penalty.

P(a beats b) = sigma(theta_a - theta_b + gamma + x · beta), x = (a - b) / (a + b) of a count (tokens, headers, lists,
bold) over its standard deviation. Ties count half a win each. theta is then the strength among answers of equal style.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from ratings.bradley_terry import fit_bradley_terry, side_is_identifiable
from ratings.connectivity import refuse_groups, strong_components
from ratings.data import SCORE_OF_A, Comparisons, Floats, cells, ordered_pair
from ratings.errors import BadInput
from ratings.linear import Rows, slices
from ratings.newton import maximise

LARGEST = 700.0
"""Log-odds whose odds can still be held."""


@dataclass(frozen=True, slots=True)
class StyleFit:
    """A converged fit.

    Attributes
    ----------
    strength : float64, shape (n,)
        theta, natural log-odds among answers of equal style, mean zero.
    side_effect : float
        gamma, log-odds in favour of the first shown; 0.0 when it was not in the fit.
    coefficients : float64, shape (k,)
        beta, log-odds for one standard deviation of each covariate.
    scale : float64, shape (k,)
        These standard deviations.
    covariance : float64, shape (n + 1 + k, n + 1 + k)
        Inverse information under mean zero; behind the strengths gamma (zeros when it was not fitted) and beta.
    log_likelihood : float
    iterations : int
    gradient_norm : float
        Largest absolute gradient entry, in votes.
    prior : float
        Votes of ties that each competitor was given against the mean; 0.0 for maximum likelihood.
    held : tuple of int
        Positions in the parameter vector that one vote of ties had to hold, for they ran beyond any finite estimate.
    """

    strength: Floats
    side_effect: float
    coefficients: Floats
    scale: Floats
    covariance: Floats
    log_likelihood: float
    iterations: int
    gradient_norm: float
    prior: float
    held: tuple[int, ...]

    def rows(self, data: Comparisons) -> Rows:
        """The votes as rows of a linear model at this fit."""
        design = _design(data, self.scale)
        x = np.concatenate([self.strength, [self.side_effect], self.coefficients])
        return _evaluate(_unfitted(data, design), SCORE_OF_A[data.outcome], x)[1]


def relative_difference(a: ArrayLike, b: ArrayLike) -> Floats:
    """(a - b) / (a + b) of counts on both sides, 0.0 where neither has any.

    Parameters
    ----------
    a, b : array_like of float, shape (m,) or (m, k), not negative

    Returns
    -------
    float64 of the same shape, -1 to 1

    Examples
    --------
    >>> relative_difference([30, 0, 5], [10, 0, 0]).tolist()
    [0.5, 0.0, 1.0]
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    total = first + second
    return np.asarray((first - second) / np.where(total > 0, total, 1.0))


def fit_style(data: Comparisons, *, side_effect: bool = False, prior: float = 0.0) -> StyleFit:
    """Maximum likelihood of strengths, side effect and coefficients by Newton's method.

    Covariates are divided by their standard deviation and not centred: exchanged sides change their sign, and a mean
    taken away would be a side effect in disguise.

    Parameters
    ----------
    data : Comparisons
        With `covariates`, float64, shape (m, k).
    side_effect : bool
        Fit gamma jointly; left out where no comparison could tell it from the strengths.
    prior : float
        Votes of ties of each competitor against the mean. Any positive value makes strengths finite.

    Raises
    ------
    BadInput
        There are no covariates, or one never differs between the sides, so that it says nothing.
    NotStronglyConnected
        Without a prior, when no finite estimate exists.

    References
    ----------
    Li, T., Angelopoulos, A. & Chiang, W.-L. (2024). Does style matter? Disentangling style and substance in Chatbot
    Arena (the model; its published code penalises beta, this does not).

    Examples
    --------
    >>> from ratings.simulate import Design, simulate_style
    >>> fit = fit_style(simulate_style(Design(models=4, votes=40_000), [0.4], seed=1).data)
    >>> fit.coefficients.round(1).tolist()
    [0.4]
    """
    if data.covariates is None or not data.covariates.shape[1]:
        raise BadInput("these votes carry no style covariates: give the columns of counts of both sides.")
    table = cells(data)
    if prior <= 0:
        refuse_groups(strong_components(table), data.names)
    scale = standard_deviations(data)
    rows, score = _unfitted(data, _design(data, scale)), SCORE_OF_A[data.outcome]
    n, k = table.n, scale.size
    plain = fit_bradley_terry(table, side_effect=side_effect, prior=prior)
    start = np.concatenate([plain.strength, [plain.side_effect], np.zeros(k)])
    free = np.ones(n + 1 + k, dtype=bool)
    free[n] = side_effect and side_is_identifiable(table)

    def evaluate(x: Floats) -> tuple[float, Rows]:
        return _evaluate(rows, score, x)

    found = maximise(evaluate, start, free, n=n, prior=prior)
    return StyleFit(
        strength=found.parameters[:n], side_effect=float(found.parameters[n]), coefficients=found.parameters[n + 1 :],
        scale=scale, covariance=found.covariance, log_likelihood=found.value, iterations=found.iterations,
        gradient_norm=found.gradient_norm, prior=prior, held=found.held,
    )  # fmt: skip


def standard_deviations(data: Comparisons) -> Floats:
    """Of each covariate over the votes, shape (k,).

    Raises
    ------
    BadInput
        A covariate has none.
    """
    covariates = np.zeros((0, 0)) if data.covariates is None else data.covariates
    total = max(data.votes, 1e-300)
    sums = np.zeros((2, covariates.shape[1]))
    for part in slices(data.a.size):
        sums[0] += data.weight[part] @ covariates[part]
        sums[1] += data.weight[part] @ covariates[part] ** 2
    scale = np.sqrt(np.maximum(sums[1] / total - (sums[0] / total) ** 2, 0.0))
    for name, value in zip(data.covariate_names, scale.tolist(), strict=True):
        if value < 1e-9:
            raise BadInput(f"the style covariate {name!r} is the same in all votes, so its effect cannot be told.")
    return np.asarray(scale)


def _design(data: Comparisons, scale: Floats) -> Floats:
    """Covariates in standard deviations, each in one piece."""
    covariates = np.zeros((data.a.size, 0)) if data.covariates is None else data.covariates
    columns = np.empty(covariates.shape[::-1])
    for part in slices(data.a.size):
        for column, values, unit in zip(columns, covariates[part].T, scale.tolist(), strict=True):
            np.divide(values, unit, out=column[part])
    return columns.T


def _unfitted(data: Comparisons, design: Floats) -> Rows:
    """The rows without residuals and curvatures."""
    m, nothing = data.a.size, np.zeros(0)
    return Rows(
        len(data.names), data.a, data.b, data.weight, nothing, nothing, np.arange(m), np.broadcast_to(1.0, m), design,
        ordered_pair(data),
    )  # fmt: skip


def _evaluate(rows: Rows, score: Floats, x: Floats) -> tuple[float, Rows]:
    """Log-likelihood and rows at x = (theta, gamma, beta)."""
    n, value, lost = rows.n, 0.0, 1.0 - score
    pair, few = rows.pair(), rows.a.size < n * n
    gaps = np.zeros(0) if few else np.subtract.outer(x[:n] + x[n], x[:n]).ravel()
    residual, curvature = np.empty(rows.a.size), np.empty(rows.a.size)
    for part in slices(rows.a.size):
        d = x[rows.a[part]] + x[n] - x[rows.b[part]] if few else np.take(gaps, pair[part])
        d += rows.covariates[part] @ x[n + 1 :]
        odds = np.negative(d)
        np.exp(np.minimum(odds, LARGEST, out=odds), out=odds)  # of b
        whole = 1.0 + odds
        d *= lost[part]
        d += np.log(whole)
        value -= float(rows.mass[part] @ d)
        np.reciprocal(whole, out=whole)
        np.subtract(score[part], whole, out=residual[part])
        odds *= whole
        np.multiply(odds, whole, out=curvature[part])
    return value, replace(rows, residual=residual, curvature=curvature)
