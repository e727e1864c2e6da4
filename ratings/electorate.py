"""Who voted, and how many voters are dealt into groups, so that the cost of a board does not grow with its voters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ratings.data import Comparisons, canonical
from ratings.tallies import tally

MAX_GROUPS = 500
"""Voters beyond this number are dealt into as many groups, each of which counts as one unit."""


@dataclass(frozen=True, slots=True)
class Electorate:
    """How many voted, and how many on each competitor; what counts by group of voters can no longer tell.

    Attributes
    ----------
    voters : int
    judges : mapping of name to int
        Distinct voters in comparisons of each competitor.
    """

    voters: int
    judges: Mapping[str, int]


def electorate(data: Comparisons) -> Electorate:
    """Counted from comparisons that carry their voters.

    Examples
    --------
    >>> from ratings.data import comparisons
    >>> electorate(comparisons("xyz", [0, 0, 1], [1, 1, 2], [0, 0, 0], voter=[0, 1, 1]))
    Electorate(voters=2, judges={'x': 2, 'y': 2, 'z': 1})
    """
    return Electorate(data.voters, dict(zip(data.names, tally(data).voters.tolist(), strict=True)))


def dealt(data: Comparisons, groups: int = MAX_GROUPS) -> Comparisons:
    """The same comparisons by group of voters where there are more voters than groups, else as they are.

    Voters are dealt in turn by their code, which is the order of first votes and never an id: a pseudonymised export
    gives the same groups. A group's votes hang together no more than its voters' do, so that a covariance clustered by
    group is as honest as one by voter, on at most `groups` - 1 degrees of freedom.

    Examples
    --------
    >>> from ratings.data import comparisons
    >>> votes = comparisons("xy", [0, 0, 0], [1, 1, 1], [0, 0, 1], voter=[0, 1, 2])
    >>> dealt(votes, groups=2).voter.tolist(), dealt(votes, groups=2).weight.tolist()
    ([0, 0, 1], [1.0, 1.0, 1.0])
    """
    if data.voter is None or data.voters <= groups:
        return data
    _, place = np.unique(data.voter, return_inverse=True)
    return canonical(replace(data, voter=place % groups))
