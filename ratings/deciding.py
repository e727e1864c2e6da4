"""From estimates and their variances to a word, and to how many more votes it would take."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from ratings.contrasts import Contrasts, divergence, drop_if_equal, toward_zero
from ratings.data import Floats, Ints
from ratings.errors import BadInput
from ratings.scale import POINTS
from ratings.sequences import half_width, t_over_z

BETTER, NO_DIFFERENCE, CANNOT_TELL, TOO_FEW = "better", "no_practical_difference", "cannot_tell", "too_few"
FAR = 1.0
"""Log-odds from which a pair that its error leaves open is also asked by likelihood: Wald's error explodes there."""
FARTHEST = 20.0
"""Times the present votes beyond which a forecast is a guess."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What `compare` was asked, checked."""

    margin: float
    min_votes: float
    level: float
    by: str
    side_effect: bool
    expected: float

    def check(self) -> None:
        if not 0 < self.level < 1:
            raise BadInput(f"the level {self.level} must lie between 0 and 1, for example 0.95.")
        if not self.margin >= 0:
            raise BadInput(f"the margin {self.margin} must be a number of points, zero or more.")
        if not self.expected > 0:
            raise BadInput(f"the expected information {self.expected} must be positive.")
        if self.by not in ("auto", "voter", "vote"):
            raise BadInput(f"by {self.by!r} is not known: use auto, voter, vote.")


def asked_by_likelihood(plain: Pairs, evidence: Contrasts, ij: Ints, rule: Rule) -> tuple[Pairs, Floats]:
    """Pairs with the variance that matters on the way to zero, and how near to zero each sequence comes.

    That variance differs for far pairs that their error leaves open: there a refit that holds the two equal says how
    much the likelihood falls. It is made only where the fall could be enough if all votes were direct ones, which is
    the most there can be; elsewhere that guess serves the forecast.
    """
    size = np.abs(plain.gap)
    near = size - plain.half(1.0, rule)
    open_far = (near <= 0) & (size > FAR) & (plain.df >= 1)
    ratio = np.where(open_far, toward_zero(np.where(open_far, size, FAR)), 1.0)
    told = open_far & (plain.scaled(ratio).half(1.0, rule) < size)
    for k in np.flatnonzero(told).tolist():
        i, j = ij[:, k].tolist()
        model = float(evidence.model[evidence.place[i], evidence.place[j]])
        drop = max(drop_if_equal(evidence, i, j), 1e-12)
        ratio[k] = min(size[k] ** 2 / (2 * drop * model), 1.0)
        inflation = float(plain.variance[k]) / model * float(t_over_z(plain.df[k], rule.level)) ** 2
        bound = _near_bound(float(size[k]), drop / float(divergence(size[k], 0.0)), inflation, rule)
        near[k] = near[k] if bound is None else bound
    return plain.scaled(ratio), near


def _near_bound(gap: float, votes: float, inflation: float, rule: Rule) -> float | None:
    """Where the sequence ends towards zero, by the variance of the stretch between; None when it holds zero."""

    def left(x: float) -> float:
        secant = (gap - x) ** 2 / (2 * votes * float(divergence(np.array(gap), x)))
        return gap - x - float(half_width(inflation * secant, level=rule.level, expected_information=rule.expected))

    return float(brentq(left, 0.0, gap * 0.999)) if left(0.0) > 0 else None


def words_of(near: Floats, plain: Pairs, fewest: Floats, rule: Rule) -> list[str]:
    """The word of each pair, from the near and the far end of its sequence."""
    words = np.full(near.size, CANNOT_TELL, dtype=object)
    words[near > 0] = BETTER
    words[np.abs(plain.gap) + plain.half(1.0, rule) <= rule.margin / POINTS] = NO_DIFFERENCE
    words[plain.df < 1] = CANNOT_TELL
    words[fewest < rule.min_votes] = TOO_FEW
    return [str(word) for word in words]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Estimates of pairs, and what they would be after more votes."""

    gap: Floats
    by_vote: Floats
    variance: Floats
    df: Floats

    def scaled(self, ratio: Floats) -> Pairs:
        return Pairs(self.gap, self.by_vote * ratio, self.variance * ratio, self.df)

    def half(self, times: Floats | float, rule: Rule, *, new_voters: bool = True) -> Floats:
        """Half-width at `times` the present votes: voters growing with them, or the same ones voting on."""
        if new_voters:
            variance, df = self.variance / times, (self.df + 1) * times - 1
        else:
            variance, df = self.variance - self.by_vote + self.by_vote / times, self.df
        widened = variance * t_over_z(df, rule.level) ** 2
        return half_width(widened, level=rule.level, expected_information=rule.expected)

    def settled(self, times: Floats | float, rule: Rule, *, new_voters: bool = True) -> NDArray[np.bool_]:
        size = np.abs(self.gap)
        goal = np.where(size > FAR, size, np.maximum(size, rule.margin / POINTS - size))
        return np.asarray((self.half(times, rule, new_voters=new_voters) < goal) & (self.df >= 1))


def more_votes(pairs: Pairs, words: list[str], votes: Floats, rule: Rule, on: Floats) -> list[int | None]:
    """By bisection on how many times the present votes; the half-width falls as votes grow."""
    low, high = np.ones(pairs.gap.size), np.full(pairs.gap.size, FARTHEST)
    reachable = pairs.settled(high, rule)
    for _ in range(30):
        middle = np.sqrt(low * high)
        done = pairs.settled(middle, rule)
        low, high = np.where(done, low, middle), np.where(done, middle, high)
    result: list[int | None] = []
    for k, word in enumerate(words):
        if word == TOO_FEW:  # how many until both have the least, at their present shares of the votes
            missing = np.maximum(rule.min_votes - on[:, k], 0.0)
            result.append(int(np.ceil((missing / on[:, k] * votes[k]).max())))
        elif word != CANNOT_TELL:
            result.append(0)
        else:
            result.append(rounded(float(votes[k] * (high[k] - 1))) if reachable[k] else None)
    return result


def rounded(votes: float) -> int:
    """A forecast as coarse as it deserves: whole below 10, then steps of 5 in the second digit.

    Examples
    --------
    >>> [rounded(x) for x in (0.2, 7, 43, 128, 1730)]
    [1, 7, 45, 150, 1500]
    """
    if votes < 10:
        return max(1, round(votes))
    unit: int = 5 * 10 ** (len(str(int(votes))) - 2)
    return max(unit, round(votes / unit) * unit)
