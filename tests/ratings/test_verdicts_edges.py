"""Verdicts on too little, on one voter, on ties alone, on winless and unbeaten: defined, and not certain too soon."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from ratings import BadInput, Outcome, SelfComparison, comparisons
from ratings.contrasts import contrasts, divergence, drop_if_equal
from ratings.verdicts import all_verdicts, compare, top
from tests.ratings.verdict_worlds import two


def test_too_few_votes_are_named_and_counted() -> None:
    verdict = compare(two(4, 0), "x", "y")
    assert (verdict.verdict, verdict.more_votes) == ("too_few", 6)
    assert compare(two(4, 0), "x", "y", min_votes=4).verdict == "cannot_tell"
    assert compare(two(5, 5), "x", "y").verdict == "cannot_tell"


def test_competitors_that_were_never_compared_are_not() -> None:
    data = comparisons("wxyz", [0] * 50 + [2] * 50, [1] * 50 + [3] * 50, [0, 1] * 50)
    verdict = compare(data, "w", "z")
    assert verdict.verdict == "too_few"
    assert (verdict.difference, verdict.lower, verdict.upper, verdict.more_votes) == (None, None, None, None)
    assert [v.verdict for v in all_verdicts(data)].count("too_few") == 4
    assert top(data).leader is None


def test_one_voter_speaks_for_one_voter() -> None:
    verdict = compare(two(150, 50, voters=1), "x", "y")
    assert (verdict.verdict, verdict.unit) == ("better", "vote")
    with pytest.raises(BadInput, match="two voters"):
        compare(two(150, 50, voters=1), "x", "y", by="voter")


def test_a_pair_that_one_of_several_voters_judged_cannot_be_told() -> None:
    data = comparisons(
        "xyz", [0] * 100 + [1] * 100, [1] * 100 + [2] * 100, [0] * 95 + [1] * 5 + [0, 1] * 50,
        voter=[0] * 100 + [1, 2, 3, 4] * 25,
    )  # fmt: skip
    verdict = compare(data, "x", "y")
    assert (verdict.verdict, verdict.lower, verdict.upper) == ("cannot_tell", None, None)
    assert verdict.df < 1
    assert verdict.needs_new_voters
    assert compare(data, "x", "y", by="vote").verdict == "better"


@pytest.mark.parametrize("voters", [0, 2, 10])
def test_a_row_of_ties_is_not_certain(voters: int) -> None:
    verdict = compare(two(0, 0, 40, voters=voters), "x", "y")
    assert verdict.verdict == "cannot_tell"
    assert verdict.lower < -20 < 20 < verdict.upper


def test_a_run_of_wins_is_finite_and_not_certain_too_soon() -> None:
    early = compare(two(12, 0, voters=6), "x", "y")
    assert early.verdict == "cannot_tell"
    assert np.isfinite(early.difference)
    assert 5 <= early.more_votes <= 60
    for losses in (0, 1):
        late = compare(two(100, losses, voters=10), "x", "y")
        assert late.better == "x", "the error of the log-odds explodes, and the likelihood still tells"
        assert 0 < late.lower < late.difference < late.upper


def test_an_unbeaten_competitor_of_many_is_told_from_all() -> None:
    rng = np.random.default_rng(14)
    a = rng.integers(0, 5, 600)
    b = (a + rng.integers(1, 5, 600)) % 5
    outcome = np.where(rng.random(600) < 0.5, Outcome.A, Outcome.B)
    outcome = np.select([a == 0, b == 0], [Outcome.A, Outcome.B], outcome)
    data = comparisons("abcde", a, b, outcome, voter=rng.integers(0, 25, 600))
    found = {(v.first, v.second): v for v in all_verdicts(data)}
    assert all(found["a", other].better == "a" and found["a", other].lower > 0 for other in "bcde")
    assert all(v.verdict == "cannot_tell" for v in found.values() if v.first != "a")


def test_a_chain_of_few_votes_is_not_taken_for_direct_ones() -> None:
    """x beats y and y beats z, 11 to 1 each: far apart, and yet only as sure as its weaker link lets it be."""
    data = comparisons("xyz", [0] * 12 + [1] * 12, [1] * 12 + [2] * 12, ([0] * 11 + [1]) * 2)
    found = contrasts(data, np.arange(3), unit="vote")
    chain, direct = drop_if_equal(found, 0, 2), drop_if_equal(found, 0, 1)
    gap = found.strength[[0]] - found.strength[[2]]
    bound = divergence(gap, 0.0)[0] / (expit(gap) * expit(-gap) * found.model[0, 2])[0]
    assert direct == pytest.approx(11 * np.log(11 / 12) + np.log(1 / 12) + 12 * np.log(2), rel=1e-6)
    assert direct < chain < bound, "what direct votes would say is the most there can be"


@pytest.mark.parametrize("names", ["", "x", "xy"])
def test_no_votes_are_a_defined_result(names: str) -> None:
    data = comparisons(names, [], [], [])
    assert [v.verdict for v in all_verdicts(data)] == ["too_few"] * (len(names) == 2)
    found = top(data)
    assert (found.leader, found.too_few) == (None, tuple(names))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"level": 1.0}, "level 1.0"),
        ({"level": 0.0}, "level 0.0"),
        ({"margin": -1}, "margin -1"),
        ({"margin": float("nan")}, "margin nan"),
        ({"by": "person"}, "'person'"),
        ({"by": "voter"}, "these votes have 0"),
        ({"expected_information": 0}, "information 0"),
    ],
)
def test_options_without_meaning_are_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        compare(two(5, 5), "x", "y", **options)  # type: ignore[arg-type]


def test_unknown_names_and_self_comparisons_are_refused() -> None:
    with pytest.raises(BadInput, match="'q' is none of the competitors: x, y"):
        compare(two(5, 5), "x", "q")
    with pytest.raises(SelfComparison, match="'x'"):
        compare(two(5, 5), "x", "x")
