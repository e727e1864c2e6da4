"""How much each prompt tells competitors apart: its votes against what the votes on other prompts say of the pairs.

Letters: q prompts; of a vote, z = y - 1/2 with y the score of a, and x = sigma(theta_a - theta_b) - 1/2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, stdtrit

from ratings.attention import wilson_interval
from ratings.bradley_terry import fit_bradley_terry
from ratings.data import SCORE_OF_A, Comparisons, Floats, Ints, Outcome, cells
from ratings.errors import BadInput

MIN_VOTES = 10.0
"""Votes from which anything is said of a prompt."""
BOUND = 1 / 3
"""A prompt separates nothing when it surely shows less than this share of the differences that the ratings expect."""
DECIDED_BOUND = 0.2
"""Or when surely fewer than this share of its votes name a winner: no difference can be larger than that share."""
ACCORD = 1.645
"""Standard errors from which voters agree about answers more than chance would have it (one-sided, 5 %)."""
FOLDS = 20
"""Parts of the prompts that are rated by the others; up to as many prompts each stands alone."""
PRIOR = 0.5
"""Votes of ties of each competitor against the mean: every fold's fit is finite, whoever is missing from it."""
PSEUDO_VOTES = 2.0
"""Decided votes added to the residuals: no row of ties makes an error of zero."""
KNOWN = 0.5
"""Of the squared differences that the ratings expect on a prompt, how much must be more than their own error."""


class Separates(StrEnum):
    """What can be said of a prompt."""

    TOO_FEW = "too_few"
    CANNOT_TELL = "cannot_tell"
    NOTHING = "nothing"
    YES = "separates"
    OTHERWISE = "otherwise"
    """It tells competitors apart, and not as the ratings do."""


class Kind(StrEnum):
    """Why a prompt separates nothing."""

    CEILING = "ceiling"
    """At least half of its votes are level, most of those ties."""
    FLOOR = "floor"
    """At least half of its votes are level, most of those "both bad"."""
    EVEN = "even"
    """Most of its votes name a winner, now this one, now that."""


@dataclass(frozen=True, slots=True)
class Separations:
    """One row a prompt; made by `separations`.

    Attributes
    ----------
    prompt : int64, shape (q,)
        Codes, in order.
    votes, ties, both_bad : float64, shape (q,)
    estimate, lower, upper : float64, shape (q,)
        The share s of the expected differences that the votes show; nan where the ratings cannot say what to expect, or
        where one voter is all there is.
    shrunk, shrunk_lower, shrunk_upper : float64, shape (q,)
        The same drawn towards the mean of the prompts, the more the fewer votes there are.
    accord : float64, shape (q,)
        How far voters agree about the very same two answers, in standard errors; 0.0 where no two voters judged them.
    verdict : tuple of Separates, length q
    kind : tuple of Kind or None, length q
        For those that separate nothing.
    """

    prompt: Ints
    votes: Floats
    ties: Floats
    both_bad: Floats
    estimate: Floats
    lower: Floats
    upper: Floats
    shrunk: Floats
    shrunk_lower: Floats
    shrunk_upper: Floats
    accord: Floats
    verdict: tuple[Separates, ...]
    kind: tuple[Kind | None, ...]


def separations(data: Comparisons, prompt: ArrayLike, *, level: float = 0.95) -> Separations:
    """How much of the differences between competitors, as the other prompts have them, shows in each prompt's votes.

    s_q = sum w x z / sum w (x² - Var x), the slope of what was voted on what the ratings expect: 1 where the prompt
    separates as the ratings do, 0 where its votes are level or fall like coins, below 0 where they go the other way.
    Ratings come from the votes on the other prompts (each twentieth of the prompts is left out in turn): a prompt that
    judged itself would always look good. Var x, the variance of the fit, is taken out, for noise in x draws a slope to
    zero. The standard error is the larger of the one by vote and the one by voter, with t on Satterthwaite's degrees of
    freedom. `shrunk` is the normal-normal posterior mean, its variance between prompts by moments.

    A prompt separates nothing when both intervals lie inside ±`BOUND`, or the Wilson interval of its decided votes
    below `DECIDED_BOUND`, unless voters agree about its answers, who may know something that the ratings do not, or its
    votes amount to fewer than two voters. It separates when its interval lies above 0, or the estimate does,
    reaches `BOUND` with its interval, and voters agree; otherwise than the ratings when the interval lies below 0, or
    voters agree about something else.

    Parameters
    ----------
    data : Comparisons
        Sides drawn at random, so that a side effect cancels.
    prompt : array_like of int, shape (m,)
        Any codes. Votes with a negative one help to rate the competitors, and belong to no prompt.
    level : float

    Raises
    ------
    BadInput
        Another number of prompts than of rows.

    References
    ----------
    Lord, F. M. & Novick, M. R. (1968). Statistical theories of mental test scores, chapter 15: an item's
    discrimination against the rest of the test. Fuller, W. A. (1987). Measurement error models, section 1.2: the slope
    with known error variance. DerSimonian, R. & Laird, N. (1986). Controlled Clinical Trials 7, 177-188, equation 8.

    Examples
    --------
    >>> from ratings.data import comparisons
    >>> votes = comparisons("xy", [0] * 60, [1] * 60, [0] * 18 + [1] * 2 + [2] * 20 + [0] * 18 + [1] * 2)
    >>> [str(word) for word in separations(votes, [0] * 20 + [1] * 20 + [2] * 20).verdict]
    ['separates', 'nothing', 'separates']
    """
    given = np.asarray(prompt, dtype=np.int64).ravel()
    if given.size != data.a.size:
        raise BadInput(
            f"{given.size} prompts were given for {data.a.size} comparisons; rows of weight zero are dropped."
        )
    asked = given >= 0
    codes, inside = np.unique(given[asked], return_inverse=True)
    where = np.full(given.size, -1)
    where[asked] = inside.ravel()
    x, noise = _expected(data, where, codes.size)
    group = _groups(data, where)
    rows = _Rows(
        where[asked], codes.size, data.weight[asked], x[asked], noise[asked],
        SCORE_OF_A[data.outcome[asked]] - 0.5, group[asked],
    )  # fmt: skip
    votes = rows.sums(np.ones(rows.x.size))
    ties, bad = (rows.sums((data.outcome[asked] == what).astype(float)) for what in (Outcome.TIE, Outcome.BOTH_BAD))
    estimate, error, df = _slopes(rows, votes)
    mean, spread = _shrunk(estimate, error)
    reach = np.where(df >= 1, stdtrit(np.maximum(df, 1.0), 0.5 + level / 2), np.nan)
    ends = (estimate - reach * error, estimate + reach * error, mean - reach * spread, mean + reach * spread)
    accord = _accord(data, where, codes.size, group)
    verdict = _verdicts(votes, ties + bad, ends, accord, _heard(rows), level)
    kind = tuple(
        _kind(*row) if word == Separates.NOTHING else None
        for word, *row in zip(verdict, votes.tolist(), ties.tolist(), bad.tolist(), strict=True)
    )
    return Separations(
        codes, votes, ties, bad, estimate, ends[0], ends[1], mean, ends[2], ends[3], accord, verdict, kind
    )


@dataclass(frozen=True, slots=True)
class _Rows:
    """Votes on prompts, `where` from 0 to q - 1, and the voter's votes on that prompt as one group."""

    where: Ints
    q: int
    weight: Floats
    x: Floats
    noise: Floats
    z: Floats
    group: Ints

    def sums(self, values: Floats) -> Floats:
        return np.bincount(self.where, self.weight * values, minlength=self.q).astype(np.float64)


def _expected(data: Comparisons, where: Ints, q: int) -> tuple[Floats, Floats]:
    """x of each row and its variance, by ratings from the prompts of other folds; zeros outside of prompts."""
    x, noise = np.zeros((2, where.size))
    for mine in _folds(where, q):
        rest = ~mine
        kept = Comparisons(data.names, data.a[rest], data.b[rest], data.outcome[rest], data.weight[rest], None)
        fit = fit_bradley_terry(cells(kept), side_effect=True, prior=PRIOR)
        a, b = data.a[mine], data.b[mine]
        p = expit(fit.strength[a] - fit.strength[b])
        variance = fit.covariance[a, a] + fit.covariance[b, b] - 2 * fit.covariance[a, b]
        x[mine], noise[mine] = p - 0.5, (p * (1 - p)) ** 2 * variance
    return x, noise


def _folds(where: Ints, q: int) -> Iterator[NDArray[np.bool_]]:
    """Rows of the prompts 0, 20, 40, …, then of 1, 21, …: no fold is older than another."""
    for fold in range(min(FOLDS, q)):
        yield (where >= 0) & (where % FOLDS == fold)


def _groups(data: Comparisons, where: Ints) -> Ints:
    """Votes of one voter on one prompt; by vote where fewer than two voters are known."""
    if data.voter is None or data.voters < 2:
        return np.arange(where.size)
    return np.asarray(np.unique(np.stack([where, data.voter]), axis=1, return_inverse=True)[1]).ravel()


def _slopes(rows: _Rows, votes: Floats) -> tuple[Floats, Floats, Floats]:
    """s, its standard error and degrees of freedom, by prompt."""
    square, known = rows.sums(rows.x**2), rows.sums(rows.x**2 - rows.noise)
    known = np.where(known >= KNOWN * square, known, np.nan)
    known[~(known > 0)] = np.nan
    slope = rows.sums(rows.x * rows.z) / known
    left = rows.z - np.nan_to_num(slope)[rows.where] * rows.x
    dispersion = (rows.sums(left**2) + PSEUDO_VOTES / 4) / (votes + PSEUDO_VOTES)
    by_vote = dispersion * square
    groups, first, code = np.unique(rows.group, return_index=True, return_inverse=True)
    owner, code = rows.where[first], code.ravel()
    score = np.bincount(code, rows.weight * rows.x * left, minlength=groups.size)
    share = np.bincount(code, rows.weight * rows.x**2, minlength=groups.size)
    count, squares, shares = (
        np.bincount(owner, values, minlength=rows.q) for values in (np.ones(groups.size), score**2, share**2)
    )
    by_voter = squares * count / np.maximum(count - 1, 1)
    df = np.where(shares > 0, square**2 / np.where(shares > 0, shares, 1.0) - 1, 0.0)
    return slope, np.sqrt(np.maximum(by_vote, by_voter)) / known, df


def _heard(rows: _Rows) -> Floats:
    """How many voters a prompt's votes amount to, (sum w)² / sum w², by prompt."""
    _, first, code = np.unique(rows.group, return_index=True, return_inverse=True)
    each = np.bincount(code.ravel(), rows.weight, minlength=first.size)
    total, squares = (np.bincount(rows.where[first], each**k, minlength=rows.q) for k in (1, 2))
    return np.asarray(total**2 / np.maximum(squares, 1.0))


def _shrunk(estimate: Floats, error: Floats) -> tuple[Floats, Floats]:
    """Posterior means and standard deviations, with what is not known of the mean; as given for fewer than three."""
    some = np.isfinite(estimate) & np.isfinite(error)
    if some.sum() < 3:
        return estimate, error
    s, square = estimate[some], error[some] ** 2
    weight = 1 / square
    mean = weight @ s / weight.sum()
    between = weight @ (s - mean) ** 2 - (s.size - 1)
    between = max(0.0, float(between / (weight.sum() - weight @ weight / weight.sum())))
    weight = 1 / (square + between)
    mean, of_mean = weight @ s / weight.sum(), 1 / weight.sum()
    pull = error**2 / (error**2 + between)
    return pull * mean + (1 - pull) * estimate, np.sqrt((1 - pull) * error**2 + pull**2 * of_mean)


def _accord(data: Comparisons, where: Ints, q: int, group: Ints) -> Floats:
    """T / sqrt(Var T), T = sum over items of sum_{k≠l} r_k r_l, r_k = what voter k said of an item, for it or against.

    E T is the squared win difference, of different voters. Under "nobody prefers either answer" signs are coins, so
    that Var T = 2 sum over items of sum_{k≠l} r_k² r_l².
    """
    n, asked = len(data.names), where >= 0
    low, high = np.minimum(data.a, data.b)[asked], np.maximum(data.a, data.b)[asked]
    _, item = np.unique((where[asked] * n + low) * n + high, return_inverse=True)
    said = (2 * SCORE_OF_A[data.outcome[asked]] - 1) * np.where(data.a[asked] == low, 1, -1) * data.weight[asked]
    both, first, own = np.unique(np.stack([item.ravel(), group[asked]]), axis=1, return_index=True, return_inverse=True)
    r, items = np.bincount(own.ravel(), said, minlength=first.size), both[0]
    total, square, fourth = (np.bincount(items, r**k) for k in (1, 2, 4))
    owner = np.zeros(total.size, dtype=np.int64)
    owner[items] = where[asked][first]
    found = np.bincount(owner, total**2 - square, minlength=q)
    variance = np.bincount(owner, 2 * (square**2 - fourth), minlength=q)
    return np.where(variance > 0, found / np.sqrt(np.where(variance > 0, variance, 1.0)), 0.0)


def _verdicts(
    votes: Floats, level_votes: Floats, ends: tuple[Floats, ...], accord: Floats, heard: Floats, level: float
) -> tuple[Separates, ...]:
    lower, upper, shrunk_lower, shrunk_upper = ends
    estimate = (lower + upper) / 2
    _, decided = wilson_interval(votes - level_votes, votes, level)
    inside = (np.maximum(upper, shrunk_upper) < BOUND) & (np.minimum(lower, shrunk_lower) > -BOUND)
    silent = (inside | (decided < DECIDED_BOUND)) & (accord < ACCORD) & (heard >= 2)
    agreed = accord >= ACCORD
    conditions = [
        votes < MIN_VOTES,
        silent,
        (lower > 0) | (agreed & (estimate > 0) & (upper >= BOUND)),
        (upper < 0) | agreed,
    ]
    words = [Separates.TOO_FEW, Separates.NOTHING, Separates.YES, Separates.OTHERWISE]
    chosen = np.select(conditions, np.arange(len(words)), len(words))
    return tuple([*words, Separates.CANNOT_TELL][number] for number in chosen.tolist())


def _kind(votes: float, ties: float, both_bad: float) -> Kind:
    if 2 * (ties + both_bad) < votes:
        return Kind.EVEN
    return Kind.FLOOR if both_bad > ties else Kind.CEILING


@dataclass(frozen=True, slots=True)
class Saturation:
    """How worn a set is.

    Attributes
    ----------
    judged : int
        Prompts with at least `MIN_VOTES` votes.
    too_few : int
    nothing, ceiling, floor, even : int
        Those that separate nothing, and why.
    separates, otherwise, cannot_tell : int
    share, lower, upper : float or None
        nothing / judged, a lower bound as long as there are prompts of which nobody can tell. From the Wilson end of
        that share to the one of the share with those added, so that the interval holds whatever they are.
    decided, ties, both_bad : float or None
        Shares of the votes on all prompts given.
    """

    judged: int
    too_few: int
    nothing: int
    ceiling: int
    floor: int
    even: int
    separates: int
    otherwise: int
    cannot_tell: int
    share: float | None
    lower: float | None
    upper: float | None
    decided: float | None
    ties: float | None
    both_bad: float | None


def saturation(found: Separations, chosen: ArrayLike | None = None, *, level: float = 0.95) -> Saturation:
    """How many of a set's prompts have ceased to tell competitors apart.

    Parameters
    ----------
    found : Separations
    chosen : array_like of bool, shape (q,), optional
        The prompts that are in service; all by default.
    level : float

    Examples
    --------
    >>> from ratings.data import comparisons
    >>> votes = comparisons("xy", [0] * 60, [1] * 60, [0] * 18 + [1] * 2 + [2] * 20 + [0] * 18 + [1] * 2)
    >>> worn = saturation(separations(votes, [0] * 20 + [1] * 20 + [2] * 20))
    >>> worn.nothing, worn.ceiling, worn.judged
    (1, 1, 3)
    """
    kept = np.ones(found.votes.size, dtype=bool) if chosen is None else np.asarray(chosen, dtype=bool)
    words = [word for word, stays in zip(found.verdict, kept, strict=True) if stays]
    kinds = [kind for kind, stays in zip(found.kind, kept, strict=True) if stays]
    nothing, unsure, few = (words.count(w) for w in (Separates.NOTHING, Separates.CANNOT_TELL, Separates.TOO_FEW))
    judged = len(words) - few
    lower = float(wilson_interval(nothing, judged, level)[0]) if judged else None
    upper = float(wilson_interval(nothing + unsure, judged, level)[1]) if judged else None
    votes, ties, bad = (float(part[kept].sum()) for part in (found.votes, found.ties, found.both_bad))
    return Saturation(
        judged=judged, too_few=few, nothing=nothing, ceiling=kinds.count(Kind.CEILING), floor=kinds.count(Kind.FLOOR),
        even=kinds.count(Kind.EVEN), separates=words.count(Separates.YES),
        otherwise=words.count(Separates.OTHERWISE), cannot_tell=unsure,
        share=nothing / judged if judged else None, lower=lower, upper=upper,
        decided=(votes - ties - bad) / votes if votes else None, ties=ties / votes if votes else None,
        both_bad=bad / votes if votes else None,
    )  # fmt: skip
