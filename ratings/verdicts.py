"""Which of two is better, in words that stay true however often one looks.

A team looks after every vote, and a fixed interval looked at often enough excludes the truth sooner or later. A verdict
rests on a confidence sequence instead: an interval that holds at all times at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ratings.connectivity import components
from ratings.contrasts import Contrasts, contrasts
from ratings.data import Comparisons, Floats, Ints, canonical, cells
from ratings.deciding import (
    BETTER,
    CANNOT_TELL,
    FARTHEST,
    NO_DIFFERENCE,
    TOO_FEW,
    Pairs,
    Rule,
    asked_by_likelihood,
    more_votes,
    words_of,
)  # fmt: skip
from ratings.errors import BadInput, SelfComparison
from ratings.scale import POINTS
from ratings.sequences import EXPECTED_INFORMATION
from ratings.uncertainty import component

MARGIN = 10.0
"""Points within which a difference does not matter."""
MIN_VOTES = 10


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the votes say about two competitors, in points.

    Attributes
    ----------
    first, second : str
    verdict : {'better', 'no_practical_difference', 'cannot_tell', 'too_few'}
    better : str or None
        The better one's name, where the verdict is 'better'.
    difference, lower, upper : float or None
        Rating of `first` minus that of `second`, and the confidence sequence around it now. None where nothing can be
        said: not connected, or (bounds only) less than one degree of freedom.
    votes : float
        Rated votes in which at least one of the two took part.
    more_votes : int or None
        About how many more such votes would settle it, were all votes and voters to keep coming in their present
        proportions and the estimate to stay; 0 when settled, None when unknown or beyond `FARTHEST` times the present.
    direct_votes : float
        Rated votes between the two.
    unit : {'voter', 'vote'}
        'vote' takes every vote as independent; with a single voter the verdict is about this voter only.
    df : float
        Degrees of freedom of the t quantile; 0.0 where there are none.
    needs_new_voters : bool
        Votes of the present voters alone would not settle it: their tastes differ too much, or they are too few.
    """

    first: str
    second: str
    verdict: str
    better: str | None
    difference: float | None
    lower: float | None
    upper: float | None
    votes: float
    more_votes: int | None
    direct_votes: float
    unit: str
    df: float
    needs_new_voters: bool

    def as_json(self) -> dict[str, object]:
        """The stable fields of `compare --json`."""
        names = ("verdict", "better", "difference", "lower", "upper", "votes", "more_votes")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class Top:
    """Who leads, and who cannot be told apart from the leader.

    At the stated level and at all times at once, the best competitor with enough votes is the leader, one of `level`,
    or one of `undecided`.

    Attributes
    ----------
    leader : str or None
        The highest estimate; None without votes enough, or when those with enough were never all compared.
    level, undecided, behind : tuple of str
        No practical difference to the leader; cannot be told; told to be worse. Best estimate first.
    too_few : tuple of str
    """

    leader: str | None
    level: tuple[str, ...]
    undecided: tuple[str, ...]
    behind: tuple[str, ...]
    too_few: tuple[str, ...]


def compare(
    data: Comparisons, a: str, b: str, *, margin: float = MARGIN, min_votes: float = MIN_VOTES, level: float = 0.95,
    by: str = "auto", side_effect: bool = False, expected_information: float = EXPECTED_INFORMATION,
) -> Verdict:  # fmt: skip
    """Whether a or b is better, from all the votes, safe under a look after every vote.

    With d the estimated difference, s its standard error and I = 1/s², |d - delta| <= s² sqrt((I + rho) log((I + rho) /
    (rho alpha²))) holds at all times at once with probability 1 - alpha, where rho = I* / (-2 ln alpha + ln(1 - 2 ln
    alpha)) makes it tightest at the expected information I*. Here s² = max(clustered by voter, vote-level) (t_df / z)²
    with Satterthwaite df; below one degree of freedom nothing is claimed. The bound is exact for normal sums with known
    variances, and asymptotic here; tests/bench/peeking.py shows what is left of it with few votes and voters.

    A far pair (winless, unbeaten) that its exploding standard error leaves open is asked by likelihood: s² is then the
    variance on the way to zero, d² / 2 over the fall of the log-likelihood when the two are held equal.

    'no_practical_difference' comes before 'better': an interval of [2, 8] points inside a margin of 10 is no reason
    to choose. 'too_few' is fewer than `min_votes` rated votes on either, or no chain of comparisons between the two.

    Parameters
    ----------
    data : Comparisons
    a, b : str
    margin : float, points, non-negative
    min_votes : float
    level : float
    by : {'auto', 'voter', 'vote'}
        'auto' is by voter where there are at least two; with one the verdict is about this voter, whose every vote is
        taken as independent.
    side_effect : bool
        Put the effect of being shown first into the fit.
    expected_information : float, log-odds to the power of -2

    Raises
    ------
    BadInput
        An unknown name, a level outside (0, 1), a negative margin, by voter without two voters.
    SelfComparison

    References
    ----------
    Robbins, H. (1970). Statistical methods related to the law of the iterated logarithm. Ann. Math. Statist. 41.
    Waudby-Smith, I., Arbour, D., Sinha, R., Kennedy, E. H. & Ramdas, A. (2021). Time-uniform central limit theory and
    asymptotic confidence sequences. arXiv:2103.06476 (the asymptotic form, and how to choose rho).

    Examples
    --------
    >>> from ratings.data import comparisons
    >>> data = comparisons(["x", "y"], [0] * 200, [1] * 200, [0] * 150 + [1] * 50)
    >>> verdict = compare(data, "x", "y")
    >>> verdict.verdict, verdict.better, round(verdict.difference), round(verdict.lower), round(verdict.upper)
    ('better', 'x', 191, 101, 281)
    """
    for name in (a, b):
        if name not in data.names:
            raise BadInput(f"{name!r} is none of the competitors: {', '.join(data.names[:10]) or 'there are none'}.")
    if a == b:
        raise SelfComparison(a)
    rule = Rule(margin, min_votes, level, by, side_effect, expected_information)
    data, unit = _prepared(data, rule)
    first, second = data.names.index(a), data.names.index(b)
    labels = components(cells(data))
    evidence = None
    if labels[first] == labels[second]:
        members = np.flatnonzero(labels == labels[first])
        local = np.searchsorted(members, [first, second])
        evidence = contrasts(component(data, members), local, unit=unit, side_effect=side_effect)
    return _verdicts(data, np.array([first]), np.array([second]), evidence, rule, unit)[0]


def all_verdicts(
    data: Comparisons, *, margin: float = MARGIN, min_votes: float = MIN_VOTES, level: float = 0.95, by: str = "auto",
    side_effect: bool = False, expected_information: float = EXPECTED_INFORMATION,
) -> tuple[Verdict, ...]:  # fmt: skip
    """The verdict of every pair, each at `level` on its own, from one fit a component; better estimate first.

    Parameters and errors are those of `compare`. Pairs come in the order of their names when nothing is known.

    Examples
    --------
    >>> from ratings.data import comparisons
    >>> data = comparisons("xyz", [0] * 200 + [1] * 5, [1] * 200 + [2] * 5, [0] * 150 + [1] * 50 + [2] * 5)
    >>> [(found.first, found.second, found.verdict) for found in all_verdicts(data)]
    [('x', 'y', 'better'), ('x', 'z', 'too_few'), ('y', 'z', 'too_few')]
    """
    rule = Rule(margin, min_votes, level, by, side_effect, expected_information)
    data, unit = _prepared(data, rule)
    return tuple(_whole_board(data, rule, unit))


def top(
    data: Comparisons, *, margin: float = MARGIN, min_votes: float = MIN_VOTES, level: float = 0.95, by: str = "auto",
    side_effect: bool = False, expected_information: float = EXPECTED_INFORMATION,
) -> Top:  # fmt: skip
    """Who leads and who might: the level holds for the whole statement (alpha / (n - 1) for each pair).

    The statement fails only if the truly best is called worse than somebody, which is one of n - 1 pairs.

    Parameters and errors are those of `compare`.

    Examples
    --------
    >>> from ratings.data import comparisons
    >>> found = top(comparisons("xy", [0] * 200, [1] * 200, [0] * 150 + [1] * 50))
    >>> found.leader, found.behind, found.undecided
    ('x', ('y',), ())
    """
    rule = Rule(margin, min_votes, level, by, side_effect, expected_information)
    data, unit = _prepared(data, rule)
    counts = _votes_on(data)
    enough = np.flatnonzero((counts >= min_votes) & (counts > 0))
    few = tuple(name for name, count in zip(data.names, counts.tolist(), strict=True) if count < min_votes or not count)
    labels = components(cells(data))
    if enough.size < 2 or np.unique(labels[enough]).size > 1:
        return Top(None, (), (), (), few)
    members = np.flatnonzero(labels == labels[enough[0]])
    part = component(data, members)
    strict = replace(rule, level=1 - (1 - level) / (enough.size - 1))
    evidence = contrasts(part, np.arange(members.size), unit=unit, side_effect=side_effect)
    order = sorted(enough.tolist(), key=lambda i: (-evidence.strength[np.searchsorted(members, i)], data.names[i]))
    rest = np.array(order[1:])
    found = _verdicts(data, np.full(rest.size, order[0]), rest, evidence, strict, unit)
    words = {NO_DIFFERENCE: "level", BETTER: "behind", CANNOT_TELL: "undecided"}
    groups: dict[str, list[str]] = {"level": [], "undecided": [], "behind": []}
    for verdict in found:
        groups[words[verdict.verdict]].append(verdict.second)
    return Top(data.names[order[0]], **{word: tuple(names) for word, names in groups.items()}, too_few=few)


def _prepared(data: Comparisons, rule: Rule) -> tuple[Comparisons, str]:
    rule.check()
    if rule.by == "voter" and data.a.size and data.voters < 2:
        raise BadInput(f"--by voter needs at least two voters; these votes have {data.voters}. Take --by vote.")
    unit = "vote" if rule.by == "vote" or data.voters < 2 else "voter"
    return canonical(data), unit


def _votes_on(data: Comparisons) -> Floats:
    n = len(data.names)
    return np.asarray(np.bincount(data.a, data.weight, minlength=n) + np.bincount(data.b, data.weight, minlength=n))


def _whole_board(data: Comparisons, rule: Rule, unit: str) -> list[Verdict]:
    n = len(data.names)
    labels = components(cells(data)) if n else np.zeros(0, np.int64)
    found: dict[tuple[int, int], Verdict] = {}
    first, second = np.triu_indices(n, 1)
    apart = labels[first] != labels[second]
    across = _verdicts(data, first[apart], second[apart], None, rule, unit)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        if members.size < 2:
            continue
        part, every = component(data, members), np.arange(members.size)
        evidence = contrasts(part, every, unit=unit, side_effect=rule.side_effect)
        order = members[np.lexsort((members, -evidence.strength))]
        i, j = np.triu_indices(members.size, 1)
        pairs = _verdicts(data, order[i], order[j], evidence, rule, unit)
        found.update(zip(zip(order[i].tolist(), order[j].tolist(), strict=True), pairs, strict=True))
    return [*found.values(), *across]


def _verdicts(
    data: Comparisons, first: Ints, second: Ints, evidence: Contrasts | None, rule: Rule, unit: str
) -> list[Verdict]:
    """Verdicts of pairs by their positions in `data`; without evidence they are not connected."""
    n = len(data.names)
    on = _votes_on(data)
    direct = np.zeros((n, n))
    np.add.at(direct, (data.a, data.b), data.weight)
    between = (direct + direct.T)[first, second]
    votes = on[first] + on[second] - between
    if evidence is None:
        return [
            Verdict(data.names[i], data.names[j], TOO_FEW, None, None, None, None, v, None, d, unit, 0.0, False)
            for i, j, v, d in zip(first.tolist(), second.tolist(), votes.tolist(), between.tolist(), strict=True)
        ]
    local = {name: i for i, name in enumerate(evidence.names)}
    i, j = (np.array([local[data.names[k]] for k in side.tolist()], dtype=np.int64) for side in (first, second))
    gap = evidence.strength[i] - evidence.strength[j]
    row, column = evidence.place[i], evidence.place[j]
    plain = Pairs(gap, evidence.by_vote[row, column], evidence.variance[row, column], evidence.df[row, column])
    far_end = np.abs(gap) + plain.half(1.0, rule)
    pairs, near = asked_by_likelihood(plain, evidence, np.stack([i, j]), rule)
    words = words_of(near, plain, np.minimum(on[first], on[second]), rule)
    more = more_votes(pairs, words, votes, rule, np.stack([on[first], on[second]]))
    stuck = np.array([word == CANNOT_TELL for word in words]) & ~pairs.settled(FARTHEST, rule, new_voters=False)
    out = []
    for k, word in enumerate(words):
        names = data.names[first[k]], data.names[second[k]]
        better = (names[0] if gap[k] > 0 else names[1]) if word == BETTER else None
        ends = sorted(np.sign(gap[k] or 1.0) * np.array([near[k], far_end[k]]))
        lower, upper = (float(POINTS * end) for end in ends) if pairs.df[k] >= 1 else (None, None)
        out.append(
            Verdict(
                *names, word, better, float(POINTS * gap[k]), lower, upper, float(votes[k]), more[k],
                float(between[k]), unit, float(pairs.df[k]), bool(stuck[k]) and unit == "voter",
            )
        )  # fmt: skip
    return out
