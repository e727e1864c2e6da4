"""From the likelihood ratios of units to the evidence for a campaign, and who is claimed by it.

E = mean over pi of Π_u (1 + pi (L_u - 1)): under honesty each L has mean one, so E has too, whatever share pi of the
units belongs to a campaign. Units of all sizes, of at least five votes, and of fewer are three tests; the largest
counts, less log 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratings.campaigns.options import ScreenOptions
from ratings.campaigns.stakes import Whole, log_sum
from ratings.data import Floats

SHARES = np.append(10.0 ** np.arange(-4, -0.4, 0.5), [0.56, 0.9])
"""pi, from one unit in ten thousand to nearly all: few honest accounts meet one of a hundred competitors."""
PROMISES = np.array([0.5, 0.9, 0.99])
"""q: how often a promoter does as told."""
MOST = 600.0
"""ln L is cut here, so that it can be exponentiated."""
PROMOTED, DEMOTED = 0, 1
SIGNS = (1, -1)
STRATA = 3
ALL, LARGE, SMALL = range(STRATA)


@dataclass
class Units:
    """Units of one kind with what they say on each competitor; one row a unit and competitor that met.

    Attributes
    ----------
    n : int
        Competitors.
    competitor, unit : int, shape (c,)
        Rows are in the order of competitors.
    begin : int64, shape (n + 1,)
    large : bool, shape (c,)
        The unit has at least `few` votes in all.
    log_l : float64, shape (c, 2)
        ln L as promoter and as demoter, selection included.
    log_selection : float64, shape (c,)
    claimed : bool, shape (units,)
        Count one from now on.
    """

    n: int
    competitor: Whole
    unit: Whole
    begin: Whole
    large: np.ndarray
    log_l: Floats
    log_selection: Floats
    claimed: np.ndarray


@dataclass(frozen=True)
class Finding:
    """One campaign that rang.

    Attributes
    ----------
    competitor, sign : int
    log_e : float
        The largest of the three tests, less log 3.
    small_log_e : float
        Of the small units alone.
    rows : int64
        Claimed rows of `Units`: posterior odds of at least one.
    odds : float64
        ln prior odds of a large and of a small unit, shape (2,).
    """

    competitor: int
    sign: int
    log_e: float
    small_log_e: float
    rows: Whole
    odds: Floats


@dataclass(frozen=True)
class _Test:
    """Evidence about one competitor: by sign, for both together, and for selection alone."""

    log_e: Floats
    both: float
    alone: float
    strata: Floats


def log_evidence(log_l: Floats, large: np.ndarray) -> Floats:
    """ln Π_u (1 + pi (L - 1)) by stratum and pi, shape (3, 10).

    Examples
    --------
    >>> float(log_evidence(np.zeros(3), np.ones(3, bool)).max())
    0.0
    """
    excess = np.expm1(np.minimum(log_l, MOST))
    each = np.empty((SHARES.size, 2))
    for i, share in enumerate(SHARES.tolist()):
        part = np.log1p(share * excess)
        big = float(part[large].sum())
        each[i] = big, float(part.sum()) - big
    return np.stack([each.sum(axis=1), each[:, 0], each[:, 1]])


def mixed(by_share: Floats) -> Floats:
    """ln of the mean over pi, by stratum."""
    return np.asarray(log_sum(by_share) - np.log(SHARES.size))


def largest(by_share: Floats) -> float:
    """The largest of the three tests, less log 3."""
    return float(mixed(by_share).max() - np.log(STRATA))


def find(units: Units, options: ScreenOptions) -> list[Finding]:
    """The strongest campaign first; whom it claims counts one in all later tests.

    The threshold is log(2 n / alpha), and what was voted must speak beside what was selected. Two opposed campaigns
    would hide each other, so L as the mean of promoter and demoter may speak in their place.
    """
    threshold = np.log(2 * units.n / options.alpha)
    tests = {t: _test(units, t) for t in range(units.n) if units.begin[t + 1] > units.begin[t]}
    open_ = {(t, sign) for t in tests for sign in (PROMOTED, DEMOTED)}
    found: list[Finding] = []
    while True:
        ringing = [
            (float(tests[t].log_e[sign]), -t, -sign) for t, sign in open_ if _rings(tests[t], sign, threshold, options)
        ]
        if not ringing:
            return found
        _, t, sign = max(ringing)
        t, sign = -t, -sign
        open_.discard((t, sign))
        finding = _claim(units, t, sign, tests[t])
        found.append(finding)
        before = units.claimed.copy()
        units.claimed[units.unit[finding.rows]] = True
        fresh = units.claimed & ~before
        touched = np.unique(units.competitor[fresh[units.unit]]).tolist()
        tests.update({other: _test(units, other) for other in touched if any(key[0] == other for key in open_)})


def _rings(test: _Test, sign: int, threshold: float, options: ScreenOptions) -> bool:
    log_e = float(test.log_e[sign])
    spoken = max(log_e, test.both) - test.alone
    return log_e > threshold and spoken >= options.other_half


def _test(units: Units, t: int) -> _Test:
    part = slice(int(units.begin[t]), int(units.begin[t + 1]))
    free = ~units.claimed[units.unit[part]]
    log_l, large = units.log_l[part][free], units.large[part][free]
    strata = np.stack([log_evidence(log_l[:, sign], large) for sign in (PROMOTED, DEMOTED)])
    either = np.logaddexp(log_l[:, 0], log_l[:, 1]) - np.log(2)
    return _Test(
        np.array([largest(strata[sign]) for sign in (PROMOTED, DEMOTED)]),
        largest(log_evidence(either, large)),
        largest(log_evidence(units.log_selection[part][free], large)),
        strata,
    )


def _claim(units: Units, t: int, sign: int, test: _Test) -> Finding:
    """Rows whose posterior odds are at least one, at the share of campaigners that their own stratum suggests."""
    part = np.arange(units.begin[t], units.begin[t + 1])
    part = part[~units.claimed[units.unit[part]]]
    odds = np.array([_log_odds(test.strata[sign], stratum) for stratum in (LARGE, SMALL)])
    small = (~units.large[part]).astype(np.int64)
    rows = part[units.log_l[part, sign] + odds[small] >= 0]
    return Finding(t, SIGNS[sign], float(test.log_e[sign]), float(mixed(test.strata[sign])[SMALL]), rows, odds)


def _log_odds(by_share: Floats, stratum: int) -> float:
    """ln pi / (1 - pi) at the posterior mean of pi, by this stratum where it speaks and by all units where not."""
    logs = by_share[stratum] if mixed(by_share)[stratum] > 0 else by_share[ALL]
    weight = np.exp(logs - logs.max())
    share = float(weight @ SHARES / weight.sum())
    return float(np.log(share) - np.log1p(-share))
