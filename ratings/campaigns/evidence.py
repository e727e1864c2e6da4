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
MOVED_SHARES = np.array([0.01, 0.05, 0.2, 0.56, 0.9])
"""pi where the campaign is taken to have moved the fit: small ones cannot."""
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
    log_lifted : float64, shape (c, 2, lifts)
        ln of honest at a strength not moved by the campaign over honest at the fitted one.
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
    log_lifted: Floats
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
    by_stratum : float64, shape (3,)
        Of all, of large and of small units.
    rows : int64
        Claimed rows of `Units`: posterior odds of at least one.
    log_l : float64
        ln L of each, against honesty at the strength that the campaign has not moved.
    odds : float64, shape (2,)
        ln prior odds of a large and of a small unit.
    lift : int64, shape (2,)
        How far the campaign has moved the fit, by large and small units: 0 not at all, k by the k-th of LIFTS.
    """

    competitor: int
    sign: int
    log_e: float
    by_stratum: Floats
    rows: Whole
    log_l: Floats
    odds: Floats
    lift: Whole


@dataclass(frozen=True)
class _Test:
    """Evidence about one competitor: by sign, for both together, and for selection alone by sign."""

    log_e: Floats
    both: float
    alone: Floats
    strata: Floats


def points(lifts: int) -> tuple[Whole, Floats]:
    """Lift and pi of every alternative: all SHARES at the fitted strength, MOVED_SHARES at each other one."""
    lift = np.concatenate([np.zeros(SHARES.size, np.int64), np.repeat(np.arange(1, lifts + 1), MOVED_SHARES.size)])
    return lift, np.concatenate([SHARES, np.tile(MOVED_SHARES, lifts)])


def log_evidence(log_l: Floats, moved: Floats, large: np.ndarray) -> Floats:
    """ln Π_u ((1 - pi) r + pi L) by stratum and alternative, shape (3, alternatives); r is one at the fitted strength.

    Parameters
    ----------
    log_l : float64, shape (c,)
    moved : float64, shape (c, lifts)
        ln r.
    large : bool, shape (c,)

    Examples
    --------
    >>> float(log_evidence(np.zeros(3), np.zeros((3, 0)), np.ones(3, bool)).max())
    0.0
    """
    told = np.exp(np.minimum(log_l, MOST))
    rest = [np.ones(1), *np.exp(moved.T)]
    lift, share = points(moved.shape[1])
    each = np.empty((share.size, 2))
    for i, (where, pi) in enumerate(zip(lift.tolist(), share.tolist(), strict=True)):
        part = np.log((1 - pi) * rest[where] + pi * told)
        big = float(part[large].sum())
        each[i] = big, float(part.sum()) - big
    return np.stack([each.sum(axis=1), each[:, 0], each[:, 1]])


def mixed(by_point: Floats) -> Floats:
    """ln of the mean over alternatives, by stratum."""
    return np.asarray(log_sum(by_point) - np.log(by_point.shape[-1]))


def largest(by_point: Floats) -> float:
    """The largest of the three tests, less log 3."""
    return float(mixed(by_point).max() - np.log(STRATA))


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
    spoken = max(log_e, test.both) - test.alone[sign]
    return bool(log_e > threshold and spoken >= options.other_half)


def _test(units: Units, t: int) -> _Test:
    part = slice(int(units.begin[t]), int(units.begin[t + 1]))
    free = ~units.claimed[units.unit[part]]
    log_l, moved, large = units.log_l[part][free], units.log_lifted[part][free], units.large[part][free]
    chosen = units.log_selection[part][free]
    strata = np.stack([log_evidence(log_l[:, sign], moved[:, sign], large) for sign in (PROMOTED, DEMOTED)])
    alone = [_alone(chosen, moved[:, sign], large) for sign in (PROMOTED, DEMOTED)]
    either = np.logaddexp(log_l[:, 0], log_l[:, 1]) - np.log(2)
    return _Test(
        np.array([largest(strata[sign]) for sign in (PROMOTED, DEMOTED)]),
        largest(log_evidence(either, moved[:, 0, :0], large)), np.array(alone), strata,
    )  # fmt: skip


def _alone(chosen: Floats, moved: Floats, large: np.ndarray) -> float:
    """What selection and another strength explain without anybody who votes as told: r (1 + pi (selection - 1))."""
    select = log_evidence(chosen, moved[:, :0], large)
    lift, share = points(moved.shape[1])
    other = np.stack([moved.sum(axis=0), moved[large].sum(axis=0), moved[~large].sum(axis=0)])
    at = [int(np.argmin(np.abs(SHARES - pi))) for pi in share.tolist()]
    by_point = select[:, at] + np.column_stack([np.zeros(STRATA), other])[:, lift]
    return largest(by_point)


def _claim(units: Units, t: int, sign: int, test: _Test) -> Finding:
    """Rows whose posterior odds are at least one, at the share of campaigners that their own stratum suggests."""
    part = np.arange(units.begin[t], units.begin[t + 1])
    part = part[~units.claimed[units.unit[part]]]
    likeliest = [_likeliest(test.strata[sign], stratum, units.log_lifted.shape[2]) for stratum in (LARGE, SMALL)]
    odds, lift = np.array([x[0] for x in likeliest]), np.array([x[1] for x in likeliest])
    which = (~units.large[part]).astype(np.int64)
    away = np.column_stack([np.zeros(part.size), units.log_lifted[part, sign]])[np.arange(part.size), lift[which]]
    log_l = units.log_l[part, sign] - away
    claimed = log_l + odds[which] >= 0
    return Finding(
        t, SIGNS[sign], float(test.log_e[sign]), mixed(test.strata[sign]), part[claimed], log_l[claimed],
        odds, lift,
    )  # fmt: skip


def _likeliest(by_point: Floats, stratum: int, lifts: int) -> tuple[float, int]:
    """ln pi / (1 - pi) at the posterior mean of pi, and the likeliest lift, by this stratum where it speaks, else by
    all units."""
    logs = by_point[stratum] if mixed(by_point)[stratum] > 0 else by_point[ALL]
    lift, share = points(lifts)
    best = int(lift[np.argmax(logs)])
    here = lift == best
    weight = np.exp(logs[here] - logs[here].max())
    pi = float(weight @ share[here] / weight.sum())
    return float(np.log(pi) - np.log1p(-pi)), best
