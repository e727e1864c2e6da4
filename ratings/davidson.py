"""Davidson's model: ties as an outcome of their own, with the side effect.

P(a) : P(b) : P(tie) = pi_a e^gamma : pi_b : nu sqrt(pi_a e^gamma pi_b) with pi = e^theta. With d = theta_a - theta_b +
gamma they are e^(d/2) : e^(-d/2) : nu over their sum. Equal competitors tie with probability nu / (2 + nu).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratings.bradley_terry import side_is_identifiable
from ratings.connectivity import refuse_groups, strong_components
from ratings.data import SCORE_OF_A, Comparisons, Floats, Ints, Outcome, cells, ordered_pair, sums_by_key
from ratings.linear import Rows
from ratings.newton import maximise


@dataclass(frozen=True, slots=True)
class DavidsonFit:
    """A converged fit.

    Attributes
    ----------
    strength : float64, shape (n,)
        theta, natural log-odds of decided comparisons, mean zero.
    side_effect : float
        gamma, log-odds in favour of the first shown; 0.0 when it was not in the fit.
    tie : float
        nu; 0.0 without any tie.
    covariance : float64, shape (n + 2, n + 2)
        Inverse information under mean zero; behind the strengths gamma and log nu (zeros where they were not fitted).
    log_likelihood : float
    iterations : int
    gradient_norm : float
        Largest absolute gradient entry, in votes.
    prior : float
        Votes of ties that each competitor was given against the mean; 0.0 for maximum likelihood.
    held : tuple of int
        n for gamma and n + 1 for log nu where one vote of ties had to hold it, as when every comparison was a tie.
    """

    strength: Floats
    side_effect: float
    tie: float
    covariance: Floats
    log_likelihood: float
    iterations: int
    gradient_norm: float
    prior: float
    held: tuple[int, ...]

    def rows(self, data: Comparisons) -> Rows:
        """Two rows a vote: what it says of d, and what is left about log nu."""
        score, tied = SCORE_OF_A[data.outcome], (data.outcome >= Outcome.TIE).astype(np.float64)
        d = self.strength[data.a] - self.strength[data.b] + self.side_effect
        return _rows(self.strength.size, data.a, data.b, data.weight, d, self.tie, score, tied)


def fit_davidson(data: Comparisons, *, side_effect: bool = False, prior: float = 0.0) -> DavidsonFit:
    """Maximum likelihood of strengths, side effect and nu by Newton's method; both-bad counts as a tie.

    Parameters
    ----------
    data : Comparisons
    side_effect : bool
        Fit gamma jointly; left out where no comparison could tell it from the strengths.
    prior : float
        Votes of ties of each competitor against the mean. Any positive value makes strengths finite.

    Raises
    ------
    NotStronglyConnected
        Without a prior, when no finite estimate exists.

    References
    ----------
    Davidson, R. R. (1970). On extending the Bradley-Terry model to accommodate ties in paired comparison experiments.
    J. Amer. Statist. Assoc. 65, 317-328, equations 2.1 to 2.5.

    Examples
    --------
    As many ties as decisions between equals: nu = 2.

    >>> from ratings.data import comparisons
    >>> fit = fit_davidson(comparisons("xy", [0, 0, 0, 0], [1, 1, 1, 1], [0, 1, 2, 2]))
    >>> round(fit.tie, 6), fit.strength.round(6).tolist()
    (2.0, [0.0, 0.0])
    """
    table = cells(data)
    if prior <= 0:
        refuse_groups(strong_components(table), data.names)
    n = table.n
    a, b, count, score, tied = _counts(data)
    any_tie = bool(tied.any())
    free = np.ones(n + 2, dtype=bool)
    free[n], free[n + 1] = side_effect and side_is_identifiable(table), any_tie

    def evaluate(x: Floats) -> tuple[float, Rows]:
        d, log_tie = x[a] - x[b] + x[n], x[n + 1] if any_tie else -np.inf
        total = np.logaddexp(np.logaddexp(d / 2, -d / 2), log_tie)
        value = float((score - count / 2) @ d - count @ total) + (float(tied.sum() * log_tie) if any_tie else 0.0)
        nu = float(np.exp(log_tie))
        return value, _rows(n, a, b, count, d, nu, score / count, tied / count)

    start = np.zeros(n + 2)
    if any_tie:
        start[n + 1] = np.log(2 * tied.sum() / max(count.sum() - tied.sum(), 1.0))
    held = () if (count > tied).any() else (n + 1,)  # nothing but ties: nu has no finite estimate
    found = maximise(evaluate, start, free, n=n, prior=prior, held=held if any_tie else ())
    return DavidsonFit(
        strength=found.parameters[:n], side_effect=float(found.parameters[n]),
        tie=float(np.exp(found.parameters[n + 1])) if any_tie else 0.0, covariance=found.covariance,
        log_likelihood=found.value, iterations=found.iterations, gradient_norm=found.gradient_norm, prior=prior,
        held=found.held,
    )  # fmt: skip


def _counts(data: Comparisons) -> tuple[Ints, Ints, Floats, Floats, Floats]:
    """By ordered pair: who was shown first and second, comparisons, scores of the first, ties."""
    n = max(len(data.names), 1)
    tied = data.weight * (data.outcome >= Outcome.TIE)
    keys, count, score, ties = sums_by_key(
        ordered_pair(data), n * n, data.weight, data.weight * SCORE_OF_A[data.outcome], tied
    )
    return keys // n, keys % n, count, score, ties


def _rows(n: int, a: Ints, b: Ints, mass: Floats, d: Floats, tie: float, score: Floats, tied: Floats) -> Rows:
    """Variance and covariance of (score, tie) split by Cholesky: x + (C / V) e_nu with V, and e_nu with T - C² / V."""
    first, second = np.exp(np.minimum(d, 0)), np.exp(np.minimum(-d, 0))  # P(a) : P(b), the larger being one
    root = tie * np.sqrt(first * second)
    total = first + second + root
    p_first, p_tie = first / total, root / total
    mean = p_first + p_tie / 2
    spread = p_first + p_tie / 4 - mean**2
    both = p_tie / 2 - mean * p_tie
    ratio = both / np.maximum(spread, 1e-60)
    off = score - mean
    m, nothing = a.size, np.zeros(a.size)
    return Rows(
        n,
        np.concatenate([a, a]),
        np.concatenate([b, a]),
        np.concatenate([mass, mass]),
        np.concatenate([off, tied - p_tie - ratio * off]),
        np.concatenate([spread, np.maximum(p_tie * (1 - p_tie) - ratio * both, 0.0)]),
        np.tile(np.arange(m), 2),
        np.concatenate([np.ones(m), nothing]),
        np.concatenate([ratio, np.ones(m)])[:, None],
    )
