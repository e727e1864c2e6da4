"""D1, and what every kind of unit needs: the likelihood of honesty, of promotion and of demotion for each stake."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from ratings.campaigns import readiness, selection, taste
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
    log_rates : float64, shape (c, 10)
        By rates; see `readiness.log_rates`.
    teaches : bool, shape (v,)
        Accounts whose votes the fit counts.
    """

    stakes: Stakes
    calibration: Calibration
    habits: Habits
    lead: Floats
    taste: float
    log_selection: Floats
    log_rates: Floats
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
    return Honest(
        stakes, calibration, habits, lead, tau, selection.log_selection(stakes, teaches),
        readiness.log_rates(stakes, teaches), teaches,
    )  # fmt: skip


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
    """ln of promoter and demoter by q over honest without selection, shape (chosen, 2, 3), and `lifted` of them."""
    p0 = taste.shifted(honest.likelihoods(chosen, outcome), honest.stakes.voted[chosen], honest.taste)
    return np.asarray(promises(honest, chosen, outcome) - p0[:, :1, None]), lifted(p0)


def mean_promise(told: Floats) -> Floats:
    """ln of the mean over q."""
    return np.asarray(log_sum(told) - np.log(told.shape[-1]))


def lifted(p0: Floats) -> Floats:
    """ln of honest at a strength that a campaign has not moved over honest at the fitted one, shape (rows, 2, lifts).

    For promotion the competitor is weaker than fitted, for demotion stronger.
    """
    return np.asarray((p0[:, 1:] - p0[:, :1]).reshape(-1, 2, taste.LIFTS.size))


def account_units(honest: Honest, options: ScreenOptions) -> Units:
    """Accounts as units: every stake, also those never voted on, which say something by their selection."""
    stakes = honest.stakes
    log_selection = selection.factor(honest.log_selection)
    told = np.zeros((stakes.account.size, 2, PROMISES.size))
    moved = np.zeros((stakes.account.size, 2, taste.LIFTS.size))
    chosen = np.flatnonzero(stakes.voted)
    for begin in range(0, chosen.size, BLOCK):
        some = chosen[begin : begin + BLOCK]
        told[some], moved[some] = campaign_ratio(honest, some)
    return Units(
        n=stakes.n, competitor=stakes.competitor.astype(np.int64), unit=stakes.account.astype(np.int64),
        begin=stakes.begin, large=stakes.all_voted[stakes.account] >= options.few,
        log_l=mean_promise(told) + log_selection[:, None], log_lifted=moved, log_selection=log_selection, told=told,
        chosen=honest.log_selection, rates=honest.log_rates, claimed=np.zeros(stakes.v, dtype=np.bool_),
    )  # fmt: skip


def plain_ones(units: Units, finding: Finding, large: bool, options: ScreenOptions) -> Whole:
    """Claimed rows of one size whose log L is plain."""
    return np.asarray(finding.rows[(units.large[finding.rows] == large) & (finding.log_l >= options.claim)])


def quarantined(honest: Honest, units: Units, finding: Finding, large: bool, options: ScreenOptions) -> Whole:
    """Stakes on one competitor that would be suspected had all their votes on it gone as told, the most suspect first.

    Not what they voted but only what they could vote decides, so that dropping them favours nobody. Those that are
    plain come before all others.
    """
    stakes = honest.stakes
    rows = np.arange(units.begin[finding.competitor], units.begin[finding.competitor + 1])
    rows = rows[(units.large[rows] == large) & (stakes.voted[rows] > 0)]
    odds = finding.log_odds(units, rows, *campaign_ratio(honest, rows, finding.sign))
    known = np.isin(rows, plain_ones(units, finding, large, options))
    order = np.lexsort((-odds, ~known))
    return np.asarray(rows[order][(known | (odds >= (HELD_LARGE if large else HELD)))[order]])


def asks_for_holds(units: Units, finding: Finding, large: bool, options: ScreenOptions) -> bool:
    """Whether there may be campaigners of one size beside those who are plain: others speak for themselves, or are
    expected, and fewer than the plain ones. A single plain account is no ground to hold dozens of others.
    """
    if finding.left[0 if large else 1] > options.stratum:
        return True
    plain = plain_ones(units, finding, large, options)
    others = np.arange(units.begin[finding.competitor], units.begin[finding.competitor + 1])
    others = np.setdiff1d(others[units.large[others] == large], plain)
    return bool(expit(finding.log_odds(units, others)).sum() <= plain.size)


def worth_holding(units: Units, rows: Whole, finding: Finding, counted: Floats, plain: int = 0) -> int:
    """How many of these stakes, the first ones, are best held: bias and noise together are least then.

    The first `plain` of them are held alone where more would hardly matter.

    Of N votes on the competitor, A of the held ones are expected to be the campaign's and H honest, and B of the
    campaign's stay. At even votes these move it by 2 B / (N - A - H) log-odds, and its variance is 4 / (N - A - H),
    without bound where next to nothing would be left.

    Parameters
    ----------
    rows : int64
        All of one size, the most suspect first; B is of all units of this size.
    counted : float64, shape (c,)
        Votes of each stake that still count, were nothing held.
    """
    if not rows.size:
        return 0
    alike = np.arange(units.begin[finding.competitor], units.begin[finding.competitor + 1])
    votes = counted[alike].sum()
    alike = alike[units.large[alike] == units.large[rows[0]]]
    theirs = counted[alike] @ expit(finding.log_odds(units, alike))
    told = np.append(0.0, np.cumsum(counted[rows] * expit(finding.log_odds(units, rows))))
    stay = np.maximum(theirs - told, 0.0)
    left = np.maximum(votes - np.append(0.0, np.cumsum(counted[rows])), LEAST_LEFT)
    error = (stay / left) ** 2 + 1 / left
    best = int(np.argmin(error))
    return best if error[plain] - error[best] > HARDLY / votes else min(best, plain)


HARDLY = 0.02
"""Of the variance: a bias of a seventh of a standard error, for which no honest vote need be held."""
LEAST_LEFT = 1e-9
"""Votes: who holds all others has no estimate."""
HELD = -np.log(10)
"""ln odds from which a small unit is held: one in ten. Whom this holds in vain costs precision and no bias."""
HELD_LARGE = 0.0
"""The same for a large unit that is not excluded; lower, and too few honest votes would be left to measure by."""
BLOCK = 1 << 17
"""Stakes whose likelihoods are held at once."""
