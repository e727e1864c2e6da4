"""D1, and what every kind of unit needs: the likelihood of honesty, of promotion and of demotion for each stake."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from ratings.campaigns import selection, taste
from ratings.campaigns.calibration import Calibration, calibrate, fit_strengths
from ratings.campaigns.evidence import PROMISES, Finding, Units
from ratings.campaigns.habits import Habits, habits_of
from ratings.campaigns.options import ScreenOptions
from ratings.campaigns.stakes import Stakes, Whole, log_sum, sums
from ratings.data import SCORE_OF_A, Floats
from ratings.served import ServedLog


@dataclass(frozen=True)
class Honest:
    """What honest accounts look like at one fit.

    Attributes
    ----------
    stakes : Stakes
    calibration : Calibration
    habits : Habits
    lead : float64, shape (voted,)
        +1 where a won, -1 where b did, 0 for a tie.
    taste : float
        tau.
    log_selection : float64, shape (c, 5)
        By omega.
    teaches : bool, shape (v,)
        Accounts whose votes the fit counts.
    """

    stakes: Stakes
    calibration: Calibration
    habits: Habits
    lead: Floats
    taste: float
    log_selection: Floats
    teaches: np.ndarray

    def likelihoods(self, chosen: Whole, outcome: int | None = None) -> Floats:
        """ln Π P(o | x) of these stakes at `taste.NODES`; `outcome` as if all had gone that way."""
        return taste.log_likelihoods(self.stakes, self.calibration, self.habits, self.lead, chosen, outcome)


def learn(log: ServedLog, stakes: Stakes, weight: Floats, excluded: np.ndarray, options: ScreenOptions) -> Honest:
    """Fit, calibration, habits, taste and readiness; `excluded`, bool, shape (v,), teach nothing."""
    fit = fit_strengths(log, weight, style=options.d7)
    calibration = calibrate(log, fit.d, weight)
    lead = 2 * SCORE_OF_A[log.outcome[log.voted]] - 1
    teaches = ~excluded
    habits = habits_of(stakes, calibration, lead, teaches)
    some = taste.teachers(stakes, teaches)
    likelihood = taste.log_likelihoods(stakes, calibration, habits, lead, some)
    tau = taste.taste_of(likelihood, stakes.voted[some])
    return Honest(stakes, calibration, habits, lead, tau, selection.log_selection(stakes, teaches), teaches)


def promises(honest: Honest, chosen: Whole, outcome: int | None = None) -> Floats:
    """ln Π [(1 - q) P(o) + q 1(as told)] for promoter and demoter by q, shape (chosen, 2, 3)."""
    stakes = honest.stakes
    result = np.empty((chosen.size, 2, PROMISES.size))
    for part in taste.blocks(stakes, chosen):
        rows, start = stakes.entries(chosen[part])
        z, log_tie, sign = taste.entry_terms(
            stakes, honest.calibration, honest.habits, honest.lead, chosen[part], rows, start
        )
        if outcome is not None:
            sign = np.full(sign.size, float(outcome))
        up, tie = np.exp(z / 2), np.exp(log_tie)
        chance = np.where(sign > 0, up, np.where(sign < 0, 1 / up, tie)) / (up + 1 / up + tie)
        for i, told in enumerate((1, -1)):
            done = sign == told
            for j, q in enumerate(PROMISES.tolist()):
                result[part, i, j] = sums(np.log((1 - q) * chance + q * done), start)
    return result


def campaign_ratio(honest: Honest, chosen: Whole, outcome: int | None = None) -> tuple[Floats, Floats]:
    """ln of promoter and demoter over honest without selection, shape (chosen, 2), and `lifted` of them."""
    p0 = taste.shifted(honest.likelihoods(chosen, outcome), honest.stakes.voted[chosen], honest.taste)
    told = log_sum(promises(honest, chosen, outcome)) - np.log(PROMISES.size)
    return np.asarray(told - p0[:, :1]), lifted(p0)


def lifted(p0: Floats) -> Floats:
    """ln of honest at a strength that a campaign has not moved over honest at the fitted one, shape (rows, 2, lifts).

    For promotion the competitor is weaker than fitted, for demotion stronger.
    """
    return np.asarray((p0[:, 1:] - p0[:, :1]).reshape(-1, 2, taste.LIFTS.size))


def account_units(honest: Honest, options: ScreenOptions) -> Units:
    """Accounts as units: every stake, also those never voted on, which say something by their selection."""
    stakes = honest.stakes
    log_selection = selection.factor(honest.log_selection)
    log_l = np.repeat(log_selection[:, None], 2, axis=1)
    moved = np.zeros((stakes.account.size, 2, taste.LIFTS.size))
    chosen = np.flatnonzero(stakes.voted)
    for begin in range(0, chosen.size, BLOCK):
        some = chosen[begin : begin + BLOCK]
        ratio, moved[some] = campaign_ratio(honest, some)
        log_l[some] += ratio
    return Units(
        n=stakes.n, competitor=stakes.competitor.astype(np.int64), unit=stakes.account.astype(np.int64),
        begin=stakes.begin, large=stakes.all_voted[stakes.account] >= options.few, log_l=log_l, log_lifted=moved,
        log_selection=log_selection, claimed=np.zeros(stakes.v, dtype=np.bool_),
    )  # fmt: skip


def suspicion(units: Units, rows: Whole, told: Floats, moved: Floats, finding: Finding) -> Floats:
    """ln posterior odds of rows with these likelihood ratios, selection left out of them."""
    column, which = (0 if finding.sign > 0 else 1), (~units.large[rows]).astype(np.int64)
    away = moved[:, column, finding.lift - 1] if finding.lift else 0.0
    return np.asarray(told[:, column] - away + units.log_selection[rows] + finding.odds[which])


def quarantined(honest: Honest, units: Units, finding: Finding, large: bool) -> Whole:
    """Stakes on one competitor that would be suspected had all their votes on it gone as told.

    Not what they voted but only what they could vote decides, so that dropping them favours nobody.
    """
    stakes = honest.stakes
    rows = np.arange(units.begin[finding.competitor], units.begin[finding.competitor + 1])
    rows = rows[(units.large[rows] == large) & (stakes.voted[rows] > 0)]
    odds = suspicion(units, rows, *campaign_ratio(honest, rows, finding.sign), finding)
    return np.asarray(rows[odds >= (HELD_LARGE if large else HELD)])


def worth_holding(units: Units, rows: Whole, finding: Finding, counted: Floats) -> bool:
    """Whether holding these stakes takes more bias out than it puts noise in.

    Of N votes on the competitor, A of the held ones are expected to be the campaign's and H honest. At even votes A
    moves it by 2 A / N log-odds, and doing without H raises the variance from 4 / (N - A) to 4 / (N - A - H), without
    bound where next to nothing would be left.

    Parameters
    ----------
    counted : float64, shape (c,)
        Votes of each stake that still count, were nothing held.
    """
    column = 0 if finding.sign > 0 else 1
    away = units.log_lifted[rows, column, finding.lift - 1] if finding.lift else 0.0
    odds = units.log_l[rows, column] - away + finding.odds[(~units.large[rows]).astype(np.int64)]
    theirs = expit(odds)
    told, lost = float(counted[rows] @ theirs), float(counted[rows] @ (1 - theirs))
    votes = float(counted[units.begin[finding.competitor] : units.begin[finding.competitor + 1]].sum())
    rest = votes - told
    return told**2 * rest * (rest - lost) > lost * votes**2


HELD = -np.log(10)
"""ln odds from which a small unit is held: one in ten. Whom this holds in vain costs precision and no bias."""
HELD_LARGE = 0.0
"""The same for a large unit that is not excluded; lower, and too few honest votes would be left to measure by."""
BLOCK = 1 << 17
"""Stakes whose likelihoods are held at once."""
