"""Online Elo, for teaching and comparison only: its result depends on the order of the votes."""

from __future__ import annotations

import numpy as np

from ratings.data import SCORE_OF_A, Comparisons, Floats
from ratings.errors import BadInput

MOST_VOTES = 100_000_000
"""Votes that are followed one after the other in minutes."""
STEEP = 300.0
"""Exponents of ten beyond which a chance is 0 or 1 to the last bit."""


def elo(data: Comparisons, *, k: float = 4.0, initial: float = 1000.0) -> Floats:
    """Ratings after all votes in file order, shape (n,), in points.

    E = 1 / (1 + 10^((R_b - R_a) / 400)); R_a += K (S_a - E), R_b the opposite. A row of weight w counts as w votes one
    after the other.

    Raises
    ------
    BadInput
        `k` is not positive, a weight is no whole number, or there are more than `MOST_VOTES` votes.

    References
    ----------
    Elo, A. (1978). The Rating of Chessplayers, Past and Present.

    Examples
    --------
    >>> from ratings.data import comparisons
    >>> elo(comparisons(["x", "y"], [0], [1], [0])).tolist()
    [1002.0, 998.0]
    """
    if not k > 0:
        raise BadInput(f"k is {k}: a surprise has to move ratings, by a positive number of points.")
    part = np.flatnonzero(data.weight != np.floor(data.weight))
    if part.size:
        raise BadInput(f"online Elo takes whole votes, and row {part[0]} has the weight {data.weight[part[0]]}.")
    if data.votes > MOST_VOTES:
        raise BadInput(f"online Elo follows every vote, and {data.votes:,.0f} are more than {MOST_VOTES:,}.")
    rating = np.full(len(data.names), float(initial)).tolist()
    scores = SCORE_OF_A[data.outcome].tolist()
    for a, b, score, times in zip(data.a.tolist(), data.b.tolist(), scores, data.weight.tolist(), strict=True):
        for _ in range(int(times)):
            steps = min((rating[b] - rating[a]) / 400, STEEP)
            gain = k * (score - 1 / (1 + 10**steps))
            rating[a] += gain
            rating[b] -= gain
    return np.asarray(rating)
