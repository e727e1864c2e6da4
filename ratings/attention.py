"""Does a voter agree with themselves, and do they favour a side? Repeats and side bias, with intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from ratings.data import Comparisons, Floats, Ints, Outcome, group
from ratings.items import Items, first_rows

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Repeats:
    """Second looks at an item by the same voter; `share` of them agree with the first look (None without any)."""

    repeats: int
    agreed: int
    share: float | None
    lower: float | None
    upper: float | None


@dataclass(frozen=True, slots=True)
class SelfConsistency:
    """Repeats with the sides flipped, which show attention, and with the sides as before, which also show memory."""

    flipped: Repeats
    unflipped: Repeats


@dataclass(frozen=True, slots=True)
class SideBias:
    """Votes that chose a side, and the share of them that chose a, the side shown first; Wilson interval."""

    decided: float
    share_a: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class VoterAttention:
    """One voter: side bias, and repeats that agree.

    Attributes
    ----------
    voter : int
        Code of `Comparisons.voter`.
    decided : float
        Votes for a or b, by weight.
    share_a, lower, upper : float or None
        Share of side a with its Wilson interval; None where nothing was decided.
    biased : bool
        Whether ½ lies outside the interval that holds for all voters at once (Šidák), so that among a thousand honest
        voters the chance of any false alarm is 1 − level.
    repeats, agreed : int
        Second looks at an item with the sides flipped, and how many of them agree with the first.
    """

    voter: int
    decided: float
    share_a: float | None
    lower: float | None
    upper: float | None
    biased: bool
    repeats: int
    agreed: int


def wilson_interval(successes: ArrayLike, total: ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """Score interval of a share, (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n); 0 to 1 where n = 0.

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. JASA 22, 209-212.

    Examples
    --------
    >>> lower, upper = wilson_interval(8, 10)
    >>> round(float(lower), 4), round(float(upper), 4)
    (0.4902, 0.9433)
    """
    won, n = np.asarray(successes, dtype=np.float64), np.asarray(total, dtype=np.float64)
    square = float(ndtri(0.5 + level / 2)) ** 2
    centre = won + square / 2
    half = np.sqrt(square * (np.divide(won * (n - won), n, out=np.zeros_like(n), where=n > 0) + square / 4))
    return np.maximum((centre - half) / (n + square), 0.0), np.minimum((centre + half) / (n + square), 1.0)


def self_consistency(judged: Items, *, level: float = 0.95) -> SelfConsistency:
    """Of a voter's second and later looks at an item, how many give the label of the first look, sides turned back.

    Without prompts a pair met again is no repeat, so that there are none.

    Examples
    --------
    >>> from ratings.data import comparisons
    >>> from ratings.items import items
    >>> votes = comparisons("xy", [0, 1, 1], [1, 0, 0], [0, 1, 0], voter=[0, 0, 0])
    >>> both = self_consistency(items(votes, [1, 1, 1])).flipped
    >>> both.repeats, both.agreed
    (2, 1)
    """
    _, agreed, flipped = _repeats(judged)
    return SelfConsistency(
        _counted(int(flipped.sum()), int((agreed & flipped).sum()), level),
        _counted(int((~flipped).sum()), int((agreed & ~flipped).sum()), level),
    )


def side_bias(data: Comparisons, *, level: float = 0.95) -> SideBias | None:
    """Share of side a among all votes for a side; None where there are none."""
    won, decided = (float(x.sum()) for x in _decided(data))
    if not decided:
        return None
    lower, upper = wilson_interval(won, decided, level)
    return SideBias(decided, won / decided, float(lower), float(upper))


def voter_attention(judged: Items, *, level: float = 0.95, min_votes: int = 10) -> tuple[VoterAttention, ...]:
    """Side bias and flipped repeats of each voter with at least `min_votes` decided votes, or with a flipped repeat.

    A share of raw votes: it says something of the voter where sides were drawn at random, as the arena does.
    """
    data = judged.data
    if data.voter is None or not data.a.size:
        return ()
    codes, who = np.unique(data.voter, return_inverse=True)
    won, decided = (np.bincount(who.ravel(), x, minlength=codes.size) for x in _decided(data))
    rows, agreed, flipped = _repeats(judged)
    repeats = np.bincount(who.ravel()[rows[flipped]], minlength=codes.size)
    right = np.bincount(who.ravel()[rows[flipped & agreed]], minlength=codes.size)
    listed = np.flatnonzero((decided >= max(min_votes, 1)) | (repeats > 0))
    lower, upper = wilson_interval(won, decided, level)
    low, high = wilson_interval(won, decided, level ** (1 / max(listed.size, 1)))
    biased = (decided > 0) & ((low > 0.5) | (high < 0.5))
    return tuple(
        VoterAttention(
            int(codes[i]), float(decided[i]), float(won[i] / decided[i]) if decided[i] else None,
            float(lower[i]) if decided[i] else None, float(upper[i]) if decided[i] else None, bool(biased[i]),
            int(repeats[i]), int(right[i]),
        )
        for i in listed.tolist()
    )  # fmt: skip


def _decided(data: Comparisons) -> tuple[Floats, Floats]:
    """Weights of the votes for side a, and for either side."""
    first = np.where(data.outcome == Outcome.A, data.weight, 0.0)
    return first, np.where(data.outcome <= Outcome.B, data.weight, 0.0)


def _repeats(judged: Items) -> tuple[Ints, Flags, Flags]:
    """Rows that are a voter's second or later look at an item; whether each agrees with the first, and is flipped."""
    voter = judged.data.voter
    if voter is None or judged.prompt is None or not voter.size:
        return np.zeros(0, np.int64), np.zeros(0, bool), np.zeros(0, bool)
    _, who = np.unique(voter, return_inverse=True)
    count = judged.first.size
    _, code = group(who.ravel() * count + judged.item, (int(who.max()) + 1) * count)
    start = first_rows(code)[code]
    rows = np.flatnonzero(start != np.arange(code.size))
    start = start[rows]
    return rows, judged.label[rows] == judged.label[start], judged.data.a[rows] != judged.data.a[start]


def _counted(repeats: int, agreed: int, level: float) -> Repeats:
    if not repeats:
        return Repeats(0, 0, None, None, None)
    lower, upper = wilson_interval(agreed, repeats, level)
    return Repeats(repeats, agreed, agreed / repeats, float(lower), float(upper))
