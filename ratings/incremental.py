"""Ratings that follow the votes one at a time: a state of counts, strengths and inverse Hessian, one step a vote.

One vote adds x x' p (1 - p) to the information (x = e_a - e_b) and x (y - p) to the gradient. Sherman and Morrison's
formula updates the inverse, and one Newton step with it the strengths: O(n²), against O(p + n³) for a fit. What the
step leaves behind (the curvature at older strengths, squares of small steps) is taken up by an exact fit every
`refresh_every` votes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratings.bradley_terry import fit_bradley_terry, gradient
from ratings.data import SCORE_OF_A, Cells, Floats, Outcome
from ratings.errors import BadInput, SelfComparison

REFRESH_EVERY = 2_000
"""Votes between exact fits; in between, strengths drift by less than a hundredth of their standard error."""
REFRESH_SHARE = 0.05
"""Share of new votes from which on the curvature is too old, whatever their number: young boards are fitted often."""


@dataclass(frozen=True, slots=True)
class BoardState:
    """A plain board between two votes. Nothing in it changes; `with_vote` gives the next one.

    Attributes
    ----------
    count, score : float64, shape (n, n)
        Comparisons by (shown first, shown second), and wins of the first with half of the ties.
    strength : float64, shape (n,)
        theta, natural log-odds, mean zero.
    covariance : float64, shape (n, n)
        Inverse Hessian under mean zero.
    prior : float
        Votes of ties of each competitor against the mean.
    since : int
        Votes since the last exact fit.
    """

    count: Floats
    score: Floats
    strength: Floats
    covariance: Floats
    prior: float
    since: int

    @property
    def cells(self) -> Cells:
        """The counts as a fit takes them."""
        a, b = np.nonzero(self.count)
        return Cells(self.strength.size, a, b, self.count[a, b], self.score[a, b])


def start(table: Cells, *, prior: float = 0.0) -> BoardState:
    """The state after an exact fit of these counts.

    Raises
    ------
    NotStronglyConnected
        Without a prior, when no finite estimate exists.
    """
    count, score = np.zeros((table.n, table.n)), np.zeros((table.n, table.n))
    np.add.at(count, (table.a, table.b), table.count)
    np.add.at(score, (table.a, table.b), table.score)
    fit = fit_bradley_terry(table, prior=prior)
    return BoardState(count, score, fit.strength, fit.covariance[: table.n, : table.n], prior, 0)


def with_vote(state: BoardState, a: int, b: int, outcome: Outcome, *, refresh_every: int = REFRESH_EVERY) -> BoardState:
    """The state after one more vote; an exact fit every `refresh_every` votes and while the board is young.

    theta <- theta + C' g with C' = C - (C x)(C x)' w / (1 + w x' C x), w = p (1 - p), and the gradient g = x (y - p)
    of the new vote, for that of the others is zero at their estimate.

    Parameters
    ----------
    a, b : int
        Positions of the competitors, by the side on which each was shown.

    Raises
    ------
    BadInput
        A position is out of range.
    SelfComparison

    References
    ----------
    Sherman, J. & Morrison, W. J. (1950). Annals of Mathematical Statistics 21, 124-127.

    Examples
    --------
    >>> from ratings.data import cells, comparisons
    >>> state = start(cells(comparisons("xy", [0] * 40, [1] * 40, [0, 1] * 20)))
    >>> with_vote(state, 0, 1, Outcome.A).strength.round(4).tolist()
    [0.0244, -0.0244]
    """
    n = state.strength.size
    if not (0 <= a < n and 0 <= b < n):
        raise BadInput(f"a vote on competitors {a} and {b}, and only 0 to {n - 1} are known.")
    if a == b:
        raise SelfComparison(str(a))
    score_of_a = float(SCORE_OF_A[outcome])
    count, score = state.count.copy(), state.score.copy()
    count[a, b] += 1.0
    score[a, b] += score_of_a
    p = 1.0 / (1.0 + float(np.exp(state.strength[b] - state.strength[a])))
    weight = p * (1.0 - p)
    lever = state.covariance[a] - state.covariance[b]
    shrink = weight / (1.0 + weight * float(lever[a] - lever[b]))
    covariance = state.covariance - np.outer(shrink * lever, lever)
    strength = state.strength + (score_of_a - p) * (covariance[a] - covariance[b])
    following = BoardState(count, score, strength, covariance, state.prior, state.since + 1)
    due = following.since >= min(refresh_every, max(1.0, REFRESH_SHARE * float(count.sum())))
    return refresh(following) if due else following


def refresh(state: BoardState) -> BoardState:
    """The same votes, fitted exactly."""
    return start(state.cells, prior=state.prior)


def residual_gradient(state: BoardState) -> float:
    """Largest absolute gradient entry at the state's strengths, in votes: how far it is from the exact fit."""
    slope = gradient(state.cells, np.append(state.strength, 0.0), side_effect=False, prior=state.prior)
    return float(np.abs(slope).max(initial=0.0))
