"""From the likelihood ratios of units to the evidence for a campaign, and who is claimed by it.

E = mean over pi of Π_u (1 + pi (L_u - 1)): under honesty each L has mean one, so E has too, whatever share pi of the
units belongs to a campaign. Units of all sizes, of at least five votes, and of fewer are three tests; the largest
counts, less log 3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ratings.campaigns.options import ScreenOptions
from ratings.campaigns.stakes import Whole, log_sum
from ratings.data import Floats

SHARES = np.append(10.0 ** np.arange(-4, -0.4, 0.5), [0.56, 0.9])
"""pi, from one unit in ten thousand to nearly all: few honest accounts meet one of a hundred competitors."""
MOVED_SHARES = np.array([0.001, 0.01, 0.05, 0.2, 0.56, 0.9])
"""pi where the campaign is taken to have moved the fit: a coarser grid will do."""
PROMISES = np.array([0.5, 0.9, 0.99])
"""q: how often a promoter does as told."""
MOST = 600.0
"""ln L is cut here, so that it can be exponentiated."""
STEPS, ALONE, RARE, TINY = 8, 0.2, 0.02, 1e-300
"""Of what a campaign's units have in common: steps; the share that is left to every style alike, whatever others do, so
that a decoy cannot hide other accounts; and the same where honest people's votes are to be held beside it."""
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
    told : float64, shape (c, 2, 3)
        ln of the promise kept at each of PROMISES over honest, as promoter and as demoter, without selection.
    chosen : float64, shape (c, omegas)
        ln of the selection at each omega over that at one. `log_l` is the mean of both over all of these styles.
    rates : float64, shape (c, rates)
        ln of what was voted on at each of a campaign's rates over honest people's; see `readiness`.
    claimed : bool, shape (units,)
        Count one from now on.
    gated : bool, shape (c,), optional
        The strata gate took all votes of these rows; nothing need be held for their sake.
    eager : callable, optional
        `log_selection` if every competitor's answers made people vote more readily than any are thought to; asked only
        where selection alone would be proof.
    witness : bool, shape (c,), optional
        Rows of claimed units that were claimed for this very competitor: they still tell how many more there may be.
    """

    n: int
    competitor: Whole
    unit: Whole
    begin: Whole
    large: np.ndarray
    log_l: Floats
    log_lifted: Floats
    log_selection: Floats
    told: Floats
    chosen: Floats
    rates: Floats
    claimed: np.ndarray
    gated: np.ndarray | None = None
    witness: np.ndarray | None = None
    eager: Callable[[], Floats] | None = None

    def choices(self, rows: Whole) -> Floats:
        """ln of what was chosen to be voted on, by selection and then by rates, shape (rows, omegas + rates)."""
        return np.concatenate([self.chosen[rows], self.rates[rows]], axis=1)

    def free(self, part: slice | Whole) -> np.ndarray:
        """Which of these rows speak: nobody has claimed their unit, or only for the same competitor."""
        open_ = ~self.claimed[self.unit[part]]
        return open_ if self.witness is None else open_ | self.witness[part]


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
    lift : int
        How far the campaign has moved the fit: 0 not at all, k by the k-th of LIFTS.
    style : float64, shape (2, 3, omegas + rates)
        ln of how much of the campaign keeps which promise and chooses its battles how; of large units and of small.
    left : float64, shape (2,)
        What large and small units still say without the claimed ones whose log L is plain, log E; of the large ones
        beyond selection and strength.
    """

    competitor: int
    sign: int
    log_e: float
    by_stratum: Floats
    rows: Whole
    log_l: Floats
    odds: Floats
    lift: int
    style: Floats
    left: Floats

    def log_odds(self, units: Units, rows: Whole, told: Floats | None = None, moved: Floats | None = None) -> Floats:
        """ln posterior odds that units are part of it, by its style, shape (rows,).

        With `told` and `moved`, shaped as `Units` has them, as if these had been their votes on the competitor.
        """
        column = PROMOTED if self.sign > 0 else DEMOTED
        told, moved = units.told[rows] if told is None else told, units.log_lifted[rows] if moved is None else moved
        away = moved[:, column, self.lift - 1] if self.lift else 0.0
        size = (~units.large[rows]).astype(np.int64)
        return np.asarray(_in_style(told[:, column], units.choices(rows), self.style, size) - away + self.odds[size])


@dataclass(frozen=True)
class _Test:
    """Evidence about one competitor: by sign, for both together, for selection alone by sign and at one strength."""

    log_e: Floats
    both: float
    alone: Floats
    strata: Floats
    chosen: float


def points(lifts: int) -> tuple[Whole, Floats]:
    """Lift and pi of every alternative: all SHARES at the fitted strength, MOVED_SHARES at each other one."""
    lift = np.concatenate([np.zeros(SHARES.size, np.int64), np.repeat(np.arange(1, lifts + 1), MOVED_SHARES.size)])
    return lift, np.concatenate([SHARES, np.tile(MOVED_SHARES, lifts)])


def log_evidence(log_l: Floats, moved: Floats, large: np.ndarray) -> Floats:
    """ln Π_u ((1 - pi) r + pi L) by size and alternative, shape (2, alternatives); r is one at the fitted strength.

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
    each = np.empty((2, share.size))
    for i, (where, pi) in enumerate(zip(lift.tolist(), share.tolist(), strict=True)):
        part = np.log((1 - pi) * rest[where] + pi * told)
        big = float(part[large].sum())
        each[:, i] = big, float(part.sum()) - big
    return each


def by_lift(each: Floats, lifts: int) -> Floats:
    """ln of the mean over pi at each lift, shape (2, lifts + 1)."""
    lift, _ = points(lifts)
    return np.stack([log_sum(each[:, lift == k]) - np.log((lift == k).sum()) for k in range(lifts + 1)], axis=1)


def mixed(each: Floats, lifts: int) -> Floats:
    """log E of all, of large and of small units; together they share the lift, and each have a pi of their own."""
    found = by_lift(each, lifts)
    return np.asarray(log_sum(np.stack([found.sum(axis=0), *found])) - np.log(lifts + 1))


def largest(each: Floats, lifts: int) -> float:
    """The largest of the three tests, less log 3."""
    return float(mixed(each, lifts).max() - np.log(STRATA))


def find(units: Units, options: ScreenOptions) -> list[Finding]:
    """The strongest campaign first; whom it claims counts one in all later tests.

    The threshold is log(2 n / alpha), and what was voted must speak beside what was selected. Two opposed campaigns
    would hide each other, so L as the mean of promoter and demoter may speak in their place. Where a crowd has moved
    the fit so far that its votes say nothing new, selection may stand alone, if it does at a greater pull too.
    """
    threshold = np.log(2 * units.n / options.alpha)
    tests = {t: _test(units, t) for t in range(units.n) if units.begin[t + 1] > units.begin[t]}
    open_ = {(t, sign) for t in tests for sign in (PROMOTED, DEMOTED)}
    found: list[Finding] = []
    while True:
        ringing = [
            (float(tests[t].log_e[sign]), -t, -sign)
            for t, sign in open_
            if _rings(units, t, tests[t], sign, threshold, options)
        ]
        if not ringing:
            return found
        _, t, sign = max(ringing)
        t, sign = -t, -sign
        open_.discard((t, sign))
        finding = _claim(units, t, sign, tests[t], options)
        found.append(finding)
        before = units.claimed.copy()
        units.claimed[units.unit[finding.rows]] = True
        if units.witness is not None:
            units.witness[finding.rows] = False
        fresh = units.claimed & ~before
        touched = np.unique(np.append(units.competitor[fresh[units.unit]], t)).tolist()
        tests.update({other: _test(units, other) for other in touched if any(key[0] == other for key in open_)})


def _rings(units: Units, t: int, test: _Test, sign: int, threshold: float, options: ScreenOptions) -> bool:
    log_e = float(test.log_e[sign])
    if log_e <= threshold:
        return False
    if max(log_e, test.both) - test.alone[sign] >= options.other_half:
        return True
    if units.eager is None or test.chosen <= threshold:
        return False
    part = np.arange(units.begin[t], units.begin[t + 1])
    part = part[units.free(part)]
    return largest(log_evidence(units.eager()[part], np.zeros((part.size, 0)), units.large[part]), 0) > threshold


def _test(units: Units, t: int) -> _Test:
    part = slice(int(units.begin[t]), int(units.begin[t + 1]))
    free = units.free(part)
    log_l, moved, large = units.log_l[part][free], units.log_lifted[part][free], units.large[part][free]
    chosen = units.log_selection[part][free]
    strata = np.stack([log_evidence(log_l[:, sign], moved[:, sign], large) for sign in (PROMOTED, DEMOTED)])
    alone = [_alone(chosen, moved[:, sign], large) for sign in (PROMOTED, DEMOTED)]
    either = np.logaddexp(log_l[:, 0], log_l[:, 1]) - np.log(2)
    lifts = moved.shape[2]
    return _Test(
        np.array([largest(strata[sign], lifts) for sign in (PROMOTED, DEMOTED)]),
        largest(log_evidence(either, moved[:, 0, :0], large), 0), np.array(alone), strata,
        largest(log_evidence(chosen, moved[:, 0, :0], large), 0),
    )  # fmt: skip


def _alone(chosen: Floats, moved: Floats, large: np.ndarray) -> float:
    """What selection and another strength explain without anybody who votes as told: r (1 + pi (selection - 1))."""
    select = log_evidence(chosen, moved[:, :0], large)
    lift, share = points(moved.shape[1])
    other = np.stack([moved[large].sum(axis=0), moved[~large].sum(axis=0)])
    at = [int(np.argmin(np.abs(np.log(SHARES / pi)))) for pi in share.tolist()]
    return largest(select[:, at] + np.column_stack([np.zeros(2), other])[:, lift], moved.shape[1])


def _claim(units: Units, t: int, sign: int, test: _Test, options: ScreenOptions) -> Finding:
    """Rows whose posterior odds are at least one, at the share of campaigners that their own size suggests."""
    part = np.arange(units.begin[t], units.begin[t + 1])
    part = part[units.free(part)]
    lifts = units.log_lifted.shape[2]
    each = test.strata[sign]
    lift = int(np.argmax(by_lift(each, lifts).sum(axis=0)))
    odds = np.array([_log_odds(row, lift, lifts) for row in each])
    away = np.zeros(part.size) if lift == 0 else units.log_lifted[part, sign, lift - 1]
    large = units.large[part]
    told, choices, size = units.told[part, sign] - away[:, None], units.choices(part), (~large).astype(np.int64)
    even = _even(told.shape[1], units.chosen.shape[1], units.rates.shape[1])
    shared = [_shared(told[size == i], choices[size == i], even, odds[i]) for i in (0, 1)]
    odds = np.array([own for own, _ in shared])
    style = np.array([own for _, own in shared])
    log_l = _in_style(told, choices, np.log((1 - ALONE) * style + ALONE * even + TINY), size)
    claimed = log_l + odds[size] >= 0
    log_l = np.where(large, log_l, np.minimum(log_l, units.log_l[part, sign] - away))  # a vote or two are never plain
    stays = ~(claimed & (log_l >= options.claim))
    for gone in (units.gated, units.witness):
        if gone is not None:
            stays &= ~gone[part]
    left = np.array([_left(units, part[stays & large], sign, True), _left(units, part[stays & ~large], sign, False)])
    return Finding(
        t, SIGNS[sign], float(test.log_e[sign]), mixed(each, lifts), part[claimed], log_l[claimed], odds, lift,
        np.log((1 - RARE) * style + RARE * even + TINY),
        left,
    )  # fmt: skip


def _in_style(told: Floats, choices: Floats, style: Floats, size: Whole) -> Floats:
    """ln Σ style · promise · choice, shape (rows,)."""
    found = np.empty(size.size)
    for i in (0, 1):
        mine = size == i
        found[mine] = log_sum(log_sum(told[mine, :, None] + choices[mine, None, :] + style[i]))
    return found


def _even(promises: int, omegas: int, rates: int) -> Floats:
    """Every promise and selection alike, and no rate, which would be another for others than for this campaign."""
    return np.tile(np.append(np.full(omegas, 1 / (promises * omegas)), np.zeros(rates)), (promises, 1))


def _shared(told: Floats, choices: Floats, even: Floats, odds: float) -> tuple[float, Floats]:
    """ln odds of a unit, and the style, shape (3, choices), that a campaign's units of one size have in common.

    Beside a hundred that vote on nothing but the competitor, one that merely leans towards it is more likely one of the
    honest; among many that evade, those who do so are plainer. A style counts by how well it explains all units, and
    the share of campaigners is what posterior odds at this style add up to.
    """
    ratio, style = np.exp(np.minimum(told[:, :, None] + choices[:, None, :], MOST)), even
    if not ratio.shape[0]:
        return odds, style
    for _ in range(STEPS):
        value = np.log1p(np.exp(odds) * ratio).sum(axis=0)
        best = np.exp(value - value.max())
        style = best / best.sum()
        part = np.exp(odds) * (((1 - ALONE) * style + ALONE * even) * ratio).sum(axis=(1, 2))
        share = float(np.clip(np.mean(part / (1 + part)), SHARES[0], SHARES[-1]))
        odds = np.log(share) - np.log1p(-share)
    return odds, np.asarray(style)


def _left(units: Units, rest: Whole, sign: int, large: bool) -> float:
    moved, size = units.log_lifted[rest, sign], np.full(rest.size, large)
    said = largest(log_evidence(units.log_l[rest, sign], moved, size), moved.shape[1])
    return said - max(0.0, _alone(units.log_selection[rest], moved, size)) if large else said


def _log_odds(by_point: Floats, at: int, lifts: int) -> float:
    """ln pi / (1 - pi) at the posterior mean of pi, given the lift."""
    lift, share = points(lifts)
    logs = by_point[lift == at]
    weight = np.exp(logs - logs.max())
    pi = float(weight @ share[lift == at] / weight.sum())
    return float(np.log(pi) - np.log1p(-pi))
