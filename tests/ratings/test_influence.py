"""Influence: against removal by hand, every subset of tiny data, planted votes, published data, and at the edges."""

from __future__ import annotations

import itertools
import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratings import BadInput, Cells, Comparisons, SelfComparison, cells, comparisons, fit_bradley_terry
from ratings.connectivity import components, strong_components
from ratings.influence import Influence, effects_by_group, flip_first, removal_effects
from ratings.uncertainty import PRIOR_VOTES


def world(seed: int, *, n: int, m: int, voters: int = 5, sd: float = 0.6, side: float = 0.0) -> Comparisons:
    rng = np.random.default_rng(seed)
    strength = rng.normal(0, sd, n)
    a = rng.integers(0, n, m)
    b = (a + rng.integers(1, n, m)) % n
    outcome = (rng.random(m) > 1 / (1 + np.exp(strength[b] - strength[a] - side))).astype(int)
    outcome[rng.random(m) < 0.2] = rng.integers(2, 4)
    return comparisons([f"m{i}" for i in range(n)], a, b, outcome, voter=rng.integers(0, voters, m))


def keep(data: Comparisons, rows: np.ndarray, weight: np.ndarray | None = None) -> Comparisons:
    mass = data.weight if weight is None else weight
    voter = None if data.voter is None else data.voter[rows]
    return comparisons(data.names, data.a[rows], data.b[rows], data.outcome[rows], voter=voter, weight=mass[rows])


def lead_over_others(data: Comparisons, name: str) -> float:
    """How far `name` is ahead of the best other one that it can still be compared with, as a board would fit them."""
    table, who = cells(data), data.names.index(name)
    labels = components(table)
    members = np.flatnonzero(labels == labels[who])
    if members.size < 2:
        return np.inf
    inside = labels[table.a] == labels[who]
    ends = (np.searchsorted(members, side[inside]) for side in (table.a, table.b))
    part = Cells(members.size, *ends, table.count[inside], table.score[inside])
    strength = fit_bradley_terry(part, prior=PRIOR_VOTES if strong_components(part).any() else 0.0).strength
    own = int(np.searchsorted(members, who))
    return float(strength[own] - np.delete(strength, own).max())


def fewest_votes(data: Comparisons, first: str, most: int = 3) -> int | None:
    """By trying every subset of at most `most` rows; rows that are alike only once."""
    kinds = list(zip(data.a, data.b, np.minimum(data.outcome, 2), strict=True))
    for size in range(1, most + 1):
        tried = set()
        for rows in itertools.combinations(range(len(kinds)), size):
            key = tuple(sorted(kinds[row] for row in rows))
            if key not in tried and lead_over_others(keep(data, np.delete(np.arange(len(kinds)), rows)), first) < -1e-9:
                return size
            tried.add(key)
    return None


def fewest_groups(data: Comparisons, groups: np.ndarray, first: str) -> int | None:
    codes = np.unique(groups)
    for size in range(1, codes.size):
        for chosen in itertools.combinations(codes, size):
            if lead_over_others(keep(data, np.flatnonzero(~np.isin(groups, chosen))), first) < -1e-9:
                return size
    return None


def without(data: Comparisons, found: Influence) -> Comparisons:
    """The votes that are left once the removed ones are taken, vote by vote, from the rows of their kind."""
    weight = data.weight.copy()
    words = ["model_a", "model_b", "tie", "tie"]
    for kind in found.removed:
        left = kind.votes
        for row in range(weight.size):
            names = data.names[data.a[row]], data.names[data.b[row]], words[data.outcome[row]]
            if names == (kind.model_a, kind.model_b, kind.winner):
                gone = min(left, weight[row])
                weight[row] -= gone
                left -= gone
        assert left == 0, f"more votes than were cast: {kind}"
    return keep(data, np.arange(weight.size), weight)


@pytest.mark.parametrize("side_effect", [False, True])
def test_the_removal_effect_is_the_derivative_of_the_gap_by_a_votes_weight(side_effect: bool) -> None:
    data, step = world(1, n=5, m=120, side=0.4), 1e-4
    fit = fit_bradley_terry(cells(data), side_effect=side_effect)
    effect = removal_effects(data, fit, 3, 1)

    def gap(row: int, change: float) -> float:
        weight = data.weight.copy()
        weight[row] += change
        strength = fit_bradley_terry(cells(keep(data, np.arange(120), weight)), side_effect=side_effect).strength
        return float(strength[3] - strength[1])

    slopes = [(gap(row, -step) - gap(row, step)) / (2 * step) for row in range(0, 120, 7)]
    assert effect[::7] == pytest.approx(slopes, abs=1e-6)


def test_the_removal_effect_approaches_that_of_an_exact_refit() -> None:
    data = world(2, n=4, m=2000)
    fit = fit_bradley_terry(cells(data))
    effect = removal_effects(data, fit, 0, 1)
    for row in range(0, 2000, 400):
        strength = fit_bradley_terry(cells(keep(data, np.delete(np.arange(2000), row)))).strength
        change = (strength[0] - strength[1]) - (fit.strength[0] - fit.strength[1])
        assert effect[row] == pytest.approx(change, abs=1e-5)  # second order in 1/m


def test_effects_by_group_are_the_sums_of_their_votes() -> None:
    rng = np.random.default_rng(3)
    data = world(3, n=5, m=300, voters=7)
    data = keep(data, np.arange(300), rng.integers(1, 4, 300).astype(float))
    fit = fit_bradley_terry(cells(data), side_effect=True)
    codes, effects = effects_by_group(data, fit)
    assert codes.tolist() == list(range(7))
    assert effects.shape == (7, 5)
    for j, k in ((0, 1), (4, 2)):
        single = removal_effects(data, fit, j, k) * data.weight
        assert effects[:, j] - effects[:, k] == pytest.approx(np.bincount(data.voter, single), abs=1e-12)
    parity, halves = effects_by_group(data, fit, data.voter % 2)
    assert parity.tolist() == [0, 1]
    assert halves[0] == pytest.approx(effects[::2].sum(axis=0), abs=1e-12)
    assert effects.sum(axis=0) == pytest.approx(np.zeros(5), abs=1e-8)  # at the optimum the scores add up to nothing


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 4), st.integers(6, 18))
def test_what_is_claimed_holds_without_those_votes(seed: int, n: int, m: int) -> None:
    data = world(seed, n=n, m=m, voters=4)
    found = flip_first(data)
    first = str(found.first)
    if found.votes_to_flip is not None:
        assert lead_over_others(without(data, found), first) < -1e-9
        assert (fewest_votes(data, first, most=2) or 3) <= found.votes_to_flip == sum(x.votes for x in found.removed)
        assert 1 <= found.votes_by <= min(4, found.votes_to_flip)
    if found.by_voter is not None:
        gone = np.isin(data.voter, found.by_voter.who)
        assert lead_over_others(keep(data, np.flatnonzero(~gone)), first) < -1e-9
        assert found.by_voter.votes == gone.sum()
        assert len(found.by_voter.who) == found.by_voter.groups


@pytest.mark.parametrize("n", [2, 3, 4])
def test_no_smaller_removal_exists_in_tiny_data(n: int) -> None:
    """The search is greedy, and in these arenas as good as trying every subset of up to three votes."""
    known = 0
    for seed in range(12):
        data = world(seed, n=n, m=14, voters=4)
        found = flip_first(data)
        if found.status not in ("not_strongly_connected", "not_connected"):
            best, groups = fewest_votes(data, str(found.first)), fewest_groups(data, data.voter, str(found.first))
            known += best is not None
            assert found.votes_to_flip == best or (best is None and (found.votes_to_flip or 4) > 3)
            assert found.voters_to_flip == groups
    assert known >= 6


def planted() -> Comparisons:
    """Many votes that leave x one win ahead of y, and two winning votes of one voter that decide it."""
    rows = [("x", "z", 0, 300), ("x", "z", 1, 100), ("y", "z", 0, 300), ("y", "z", 1, 100), ("x", "y", 0, 50),
            ("x", "y", 1, 51), ("w", "z", 1, 200), ("w", "z", 0, 90)]  # fmt: skip
    names = ["w", "x", "y", "z"]
    columns = [[names.index(a) for a, *_ in rows], [names.index(b) for _, b, *_ in rows], [row[2] for row in rows]]
    a, b, outcome = (np.repeat(column, [row[3] for row in rows]) for column in columns)
    voter = np.arange(a.size) % 97
    a, b, outcome = np.append(a, [1, 1]), np.append(b, [2, 2]), np.append(outcome, [0, 0])
    return comparisons(names, a, b, outcome, voter=np.append(voter, [500, 500]))


def test_two_planted_votes_of_many_are_found_and_confirmed() -> None:
    data = planted()
    found = flip_first(data)
    assert (found.first, found.second, found.status) == ("x", "y", "ok")
    assert (found.votes_to_flip, found.votes_by, found.who, found.voters_to_flip) == (2, 1, (500,), 1)
    assert found.share == 2 / data.votes
    assert found.confirmed
    assert not found.provisional
    assert [asdict(kind) for kind in found.removed] == [
        {"model_a": "x", "model_b": "y", "winner": "model_a", "votes": 2}
    ]
    assert found.by_voter is not None
    assert (found.by_voter.second, found.by_voter.groups, found.by_voter.confirmed) == ("y", 1, True)
    rest = fit_bradley_terry(cells(without(data, found))).strength
    assert rest[2] > rest[1]
    kinds = {(a, b, what): row for row, (a, b, what) in enumerate(zip(data.a, data.b, data.outcome, strict=True))}
    for row in kinds.values():  # no single vote does it
        assert lead_over_others(keep(data, np.delete(np.arange(data.a.size), row)), "x") > -1e-9
    json.dumps(asdict(found), allow_nan=False)


def test_clusters_are_removed_whole() -> None:
    data = planted()
    cluster = np.where(data.voter == 500, 3, np.arange(data.a.size) % 2 + 10)
    found = flip_first(data, cluster=cluster).by_cluster
    assert found is not None
    assert (found.groups, found.who, found.votes) == (1, (3,), 2.0)


def test_who_comes_second_need_not_be_the_next() -> None:
    """y stands nearer to x, but on 6,000 votes; z, a little behind, hangs on a dozen of them."""
    rows = [(0, 1, 0, 1530), (0, 1, 1, 1470), (0, 2, 0, 11), (0, 2, 1, 10), (1, 3, 0, 1500), (1, 3, 1, 1400),
            (0, 3, 0, 1540), (0, 3, 1, 1420)]  # fmt: skip
    a, b, outcome, weight = zip(*rows, strict=True)
    found = flip_first(comparisons("xyzw", a, b, outcome, weight=weight))
    strength = fit_bradley_terry(cells(comparisons("xyzw", a, b, outcome, weight=weight))).strength
    assert strength[0] > strength[1] > strength[2]
    assert (found.first, found.second, found.votes_to_flip) == ("x", "z", 2)
    only_next = flip_first(comparisons("xyzw", a, b, outcome, weight=weight), candidates=1)
    assert only_next.second == "y"
    assert only_next.votes_to_flip > 20


def test_a_named_pair_is_turned_whoever_is_first() -> None:
    data = world(5, n=6, m=900, voters=30)
    strength = fit_bradley_terry(cells(data)).strength
    third, fourth = (data.names[i] for i in np.argsort(-strength)[2:4])
    found = flip_first(data, top=(fourth, third))
    assert (found.first, found.second) == (third, fourth)
    rest = fit_bradley_terry(cells(without(data, found))).strength
    assert rest[data.names.index(fourth)] > rest[data.names.index(third)]
    with pytest.raises(BadInput, match="'nobody'"):
        flip_first(data, top=("nobody", third))
    with pytest.raises(SelfComparison):
        flip_first(data, top=(third, third))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32))
def test_weights_order_and_names_change_nothing(seed: int) -> None:
    data, rng = world(seed, n=4, m=60), np.random.default_rng(seed)
    cluster = rng.integers(0, 6, 60)
    plain = flip_first(data, cluster=cluster)
    order, names = rng.permutation(60), rng.permutation(4)
    place = np.argsort(names)
    shuffled = comparisons(
        [data.names[i] for i in names], place[data.a[order]], place[data.b[order]], data.outcome[order],
        voter=data.voter[order],
    )  # fmt: skip
    assert flip_first(shuffled, cluster=cluster[order]) == plain
    twice = comparisons(data.names, *(np.repeat(x, 2) for x in (data.a, data.b, data.outcome)),
                        voter=np.repeat(data.voter, 2))  # fmt: skip
    heavy = comparisons(data.names, data.a, data.b, data.outcome, voter=data.voter, weight=np.full(60, 2.0))
    assert flip_first(heavy) == flip_first(twice)


def test_a_weight_of_two_is_two_votes_of_which_one_may_go() -> None:
    data = comparisons("xy", [0, 0], [1, 1], [0, 1], weight=[12, 10], voter=[4, 9])
    found = flip_first(data)
    assert (found.votes_to_flip, found.votes_by, found.who, found.share) == (3, 1, (4,), 3 / 22)
    assert found.removed[0].votes == 3
    assert found.voters_to_flip == 1
    assert (found.by_voter.votes, found.by_voter.provisional) == (12.0, True)  # nothing but losses is left to x


def test_planted_ballots_at_scale_are_counted_by_kind() -> None:
    """A gap made by k extra wins in an otherwise even arena needs more than half of them back, whatever m is."""
    n, each = 10, 2000
    a, b = np.array(list(itertools.combinations(range(n), 2))).T
    even = [np.tile(a, 2), np.tile(b, 2), np.repeat([0, 1], a.size), np.full(2 * a.size, float(each))]
    extra = 41
    data = comparisons(
        [f"m{i}" for i in range(n)], *(np.append(x, y) for x, y in zip(even[:3], (0, 1, 0), strict=True)),
        weight=np.append(even[3], extra),
    )  # fmt: skip
    found = flip_first(data)
    assert data.votes == 2 * a.size * each + extra
    assert (found.first, found.confirmed) == ("m0", True)
    # A win of m0 over mj moves both ends of their gap, an extra win over m1 moved one end only: half of 41 level
    # the two, and 21 turn them.
    assert found.votes_to_flip == 21
    assert found.votes_estimated == pytest.approx(21, abs=1)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (comparisons([], [], [], []), "no_votes"),
        (comparisons(["x"], [], [], []), "one_competitor"),
        (comparisons("xy", [], [], []), "no_votes"),
        (comparisons("wxyz", [0, 1, 2, 3], [1, 0, 3, 2], [0, 0, 0, 0]), "not_connected"),
        (comparisons("xy", [0], [1], [0]), "not_strongly_connected"),
        (comparisons("xyz", [0, 0, 1, 2], [1, 2, 2, 1], [0, 0, 0, 0]), "not_strongly_connected"),
    ],
    ids=["nothing", "one competitor", "no votes", "two components", "one vote", "an unbeaten one"],
)
def test_where_there_is_no_first_place_the_reason_is_named(data: Comparisons, status: str) -> None:
    found = flip_first(data)
    assert (found.status, found.first, found.votes_to_flip, found.confirmed) == (status, None, None, False)
    assert found.votes == data.votes
    json.dumps(asdict(found), allow_nan=False)


def test_with_a_prior_the_unbeaten_can_be_overtaken_but_not_by_cutting_it_off() -> None:
    """x beat y and z once each; taking both wins would leave nobody to compare x with, so one win stays."""
    data = comparisons("xyz", [0, 0, 1, 1], [1, 2, 2, 2], [0, 0, 0, 1], weight=[1, 1, 9, 2], voter=[7, 7, 7, 7])
    assert flip_first(data).status == "not_strongly_connected"
    found = flip_first(data, prior=0.5)
    assert (found.status, found.first, found.second, found.votes_to_flip) == ("ok", "x", "y", 3)
    assert [(kind.model_a, kind.model_b, kind.votes) for kind in found.removed] == [("x", "y", 1), ("y", "z", 2)]
    assert found.provisional
    rest = fit_bradley_terry(cells(without(data, found)), prior=0.5).strength
    assert rest[1] > rest[0]
    assert found.by_voter is None  # without the only voter nobody is first


def test_what_cannot_be_turned_is_said() -> None:
    """x and y only ever drew: no removal puts one before the other."""
    found = flip_first(comparisons("xy", [0, 0], [1, 1], [2, 2]))
    assert (found.status, found.first, found.gap, found.votes_to_flip, found.removed) == ("no_flip", "x", 0.0, None, ())


def test_competitors_without_votes_and_other_components_do_not_count_for_a_named_pair() -> None:
    data = comparisons("uvwxyz", [3, 3, 3, 4, 0], [4, 4, 4, 3, 1], [0, 0, 1, 2, 0])
    assert flip_first(data).status == "not_connected"
    found = flip_first(data, top=("y", "x"))
    assert (found.status, found.first, found.second, found.votes_to_flip) == ("ok", "x", "y", 2)
    assert flip_first(data, top=("x", "w")).status == "not_connected"
    assert flip_first(comparisons("xyz", [0, 0, 0], [1, 1, 1], [0, 0, 1])).first == "x"


def test_groups_of_another_length_are_refused() -> None:
    data = comparisons("xy", [0, 0], [1, 1], [0, 1])
    with pytest.raises(BadInput, match="1 groups"):
        flip_first(data, cluster=[1])
    with pytest.raises(BadInput, match="no voters"):
        effects_by_group(data, fit_bradley_terry(cells(data)))
