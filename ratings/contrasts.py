"""Variances of differences between competitors, and how far to trust each: what verdicts rest on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, log_expit

from ratings.bradley_terry import BradleyTerryFit, fit_bradley_terry, log_likelihood
from ratings.connectivity import strong_components
from ratings.data import SCORE_OF_A, Cells, Comparisons, Floats, Ints, cells, sums_by_key
from ratings.firth import fit_firth
from ratings.sandwich import sandwich_by_vote, sandwich_by_voter

PSEUDO_INFORMATION = 1.0
"""Four even votes of the model's own dispersion: no run of equal votes makes an error of zero."""
WHISPER = 1e-3
"""Votes of prior that make any constrained fit finite and move no likelihood that matters."""
GROUPS = 500
"""Groups of voters for degrees of freedom; folding light voters together can only lower them."""


@dataclass(frozen=True, slots=True)
class Contrasts:
    """Differences between some competitors of one component.

    Attributes
    ----------
    names : tuple of str, length n
    strength : float64, shape (n,), log-odds
    place : int64, shape (n,)
        Where each competitor stands among the c columns that were asked for; -1 where it was not.
    model, by_vote, variance : float64, shape (c, c), log-odds squared
        Variance of e_i - e_j by the inverse Hessian, with votes taken as independent, and the larger of that and the
        clustered one.
    df : float64, shape (c, c)
        Degrees of freedom; below 1.0 the variance says nothing.
    table : Cells
    fit : BradleyTerryFit
    """

    names: tuple[str, ...]
    strength: Floats
    place: Ints
    model: Floats
    by_vote: Floats
    variance: Floats
    df: Floats
    table: Cells
    fit: BradleyTerryFit


def contrasts(part: Comparisons, columns: Ints, *, unit: str, side_effect: bool = False) -> Contrasts:
    """Strengths and variances of differences from one fit of one component, as the board's ratings are.

    That is maximum likelihood, or Firth's estimate where no finite one exists. The vote-level variance is the larger of
    the robust one and the model's times a dispersion that starts at one, so that neither early luck nor a row of ties
    makes a difference look certain.

    Parameters
    ----------
    part : Comparisons
        Of competitors that were all compared with each other, directly or through others.
    columns : int64, shape (c,)
        Positions of the competitors whose differences are wanted.
    unit : {'voter', 'vote'}
    side_effect : bool
    """
    table = cells(part)
    finite = not strong_components(table).any()
    fit = fit_bradley_terry(table, side_effect=side_effect) if finite else fit_firth(table, side_effect=side_effect)
    n = len(part.names)
    model = _of_differences(fit.covariance[:n, :n], columns)
    by_vote = np.maximum(_of_differences(sandwich_by_vote(part, fit).matrix, columns), _dispersion(part, fit) * model)
    variance, df = by_vote, np.full(by_vote.shape, max(part.votes - n, 1.0))
    if unit == "voter" and part.voters < 2:
        df = np.zeros(by_vote.shape)
    elif unit == "voter":
        variance = np.maximum(by_vote, _of_differences(sandwich_by_voter(part, fit).matrix, columns))
        df = satterthwaite_of_differences(part, fit, columns)
    place = np.full(n, -1)
    place[columns] = np.arange(columns.size)
    return Contrasts(part.names, fit.strength, place, model, by_vote, variance, df, table, fit)


def drop_if_equal(evidence: Contrasts, i: int, j: int) -> float:
    """How much the log-likelihood falls when competitors i and j (positions in `names`) are held equal.

    Examples
    --------
    >>> from ratings.data import comparisons
    >>> found = contrasts(comparisons("xy", [0] * 4, [1] * 4, [0, 0, 0, 1]), np.array([0, 1]), unit="vote")
    >>> round(drop_if_equal(found, 0, 1), 4)  # 3 ln(3/4) + ln(1/4) - 4 ln(1/2)
    0.5232
    """
    table, fit = evidence.table, evidence.fit
    place = np.arange(table.n) - (np.arange(table.n) > j)
    place[j] = place[i]
    side = bool(fit.covariance[-1, -1] > 0)
    told = (place[table.a] != place[table.b]) | side  # votes between the two still tell the side effect, else nothing
    merged = Cells(table.n - 1, *(x[told] for x in (place[table.a], place[table.b], table.count, table.score)))
    held = fit_bradley_terry(merged, side_effect=side, prior=WHISPER)
    equal = log_likelihood(merged, np.append(held.strength, held.side_effect)) - table.count[~told].sum() * np.log(2)
    return log_likelihood(table, np.append(fit.strength, fit.side_effect)) - float(equal)


def divergence(gap: Floats, other: Floats | float) -> Floats:
    """Kullback-Leibler divergence of one vote, of log-odds `other` from log-odds `gap`; in nats."""
    p = expit(gap)
    return np.asarray(
        p * (log_expit(gap) - log_expit(other))
        + (1 - p) * (log_expit(-np.asarray(gap)) - log_expit(-np.asarray(other)))
    )


def toward_zero(gap: Floats) -> Floats:
    """Variance of a difference on the way to zero over that at its estimate, were all its votes direct ones.

    Far from zero each vote says little about how far, and much about which: after 300 wins of 300 the error of the
    log-odds is as large as they are, though nobody doubts who is better. gap² / 2 over the fall of the log-likelihood
    is the variance that matters there; the ratio is gap² p (1 - p) / (2 KL(p, 1/2)), one at zero and falling.

    Examples
    --------
    >>> toward_zero(np.array([0.001, 1.0, 6.0])).round(3).tolist()
    [1.0, 0.886, 0.066]
    """
    p = expit(gap)
    return np.asarray(gap**2 * p * (1 - p) / (2 * divergence(gap, 0.0)))


def _dispersion(part: Comparisons, fit: BradleyTerryFit) -> float:
    """Squared residuals over their expectation without ties, held towards one; ties make it less than one."""
    p = expit(fit.strength[part.a] - fit.strength[part.b] + fit.side_effect)
    seen = part.weight @ (SCORE_OF_A[part.outcome] - p) ** 2
    return float((seen + PSEUDO_INFORMATION) / (part.weight @ (p * (1 - p)) + PSEUDO_INFORMATION))


def _of_differences(matrix: Floats, columns: Ints) -> Floats:
    """Variances of e_i - e_j for the columns, (..., c, c), of one covariance or a stack."""
    chosen = matrix[..., columns[:, None], columns[None, :]]
    diagonal = np.diagonal(chosen, axis1=-2, axis2=-1)
    return np.asarray(np.maximum(diagonal[..., :, None] + diagonal[..., None, :] - 2 * chosen, 0.0))


def satterthwaite_of_differences(part: Comparisons, fit: BradleyTerryFit, columns: Ints) -> Floats:
    """Degrees of freedom of the clustered variance of each difference e_i - e_j among `columns`.

    df = (sum_g q_g)² / sum_g q_g² - 1 with q_g = c' H^-1 X_g' W_g X_g H^-1 c, voter g's share of the variance under the
    working model. Beyond `GROUPS` voters the lighter ones are folded together, which can only lower df.

    Parameters
    ----------
    part : Comparisons, with voters
    fit : BradleyTerryFit
    columns : int64, shape (c,)

    Returns
    -------
    float64, shape (c, c)
        0.0 where no voter carries any of the variance, and on the diagonal.

    References
    ----------
    Bell, R. M. & McCaffrey, D. F. (2002). Survey Methodology 28, 169-181.
    """
    n = len(part.names)
    group, size = _voter_groups(part)
    key, weight = sums_by_key((group * n + part.a) * n + part.b, size * n * n, part.weight)
    group, a, b = key // (n * n), key // n % n, key % n
    p = expit(fit.strength[a] - fit.strength[b] + fit.side_effect)
    weight = weight * p * (1 - p)
    rows = fit.covariance[columns]
    total, squares = np.zeros((2, columns.size, columns.size))
    every = np.arange(columns.size)
    chunk = max(1, min(size, 4_000_000 // (n + 1) ** 2))
    for start in range(0, size, chunk):
        inside = slice(*np.searchsorted(group, [start, start + chunk]))
        information = _informations(group[inside] - start, a[inside], b[inside], weight[inside], chunk, n)
        shares = _of_differences(rows @ information @ rows.T, every)
        total += shares.sum(axis=0)
        squares += (shares**2).sum(axis=0)
    return np.asarray(np.where(squares > 0, total**2 / np.where(squares > 0, squares, 1.0) - 1.0, 0.0))


def _voter_groups(part: Comparisons) -> tuple[Ints, int]:
    """The group of each row; the heaviest half of `GROUPS` voters stay by themselves, the others are dealt out."""
    codes, where = np.unique(np.zeros(part.a.size, np.int64) if part.voter is None else part.voter, return_inverse=True)
    if codes.size <= GROUPS:
        return where.ravel(), int(codes.size)
    order = np.argsort(-np.bincount(where, part.weight), kind="stable")
    deal = np.empty(codes.size, dtype=np.int64)
    alone = GROUPS // 2
    deal[order[:alone]] = np.arange(alone)
    deal[np.sort(order[alone:])] = alone + np.arange(codes.size - alone) % (GROUPS - alone)
    return deal[where.ravel()], GROUPS


def _informations(group: Ints, a: Ints, b: Ints, weight: Floats, groups: int, n: int) -> Floats:
    """X_g' W_g X_g with rows e_a - e_b and 1 for the side effect, shape (groups, n + 1, n + 1)."""
    size = n + 1
    side = np.full(a.size, n)
    stack = np.zeros(groups * size * size)
    for row, column, sign in (
        (a, a, 1), (b, b, 1), (a, b, -1), (b, a, -1), (a, side, 1), (side, a, 1), (b, side, -1), (side, b, -1),
        (side, side, 1),
    ):  # fmt: skip
        stack += sign * np.bincount((group * size + row) * size + column, weight, minlength=stack.size)
    return stack.reshape(groups, size, size)
