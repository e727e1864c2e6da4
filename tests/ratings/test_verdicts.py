"""Verdicts: their words, how many more votes they ask for, and who is at the top."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from ratings import Comparisons, Outcome, comparisons
from ratings.deciding import rounded
from ratings.reading import read_votes
from ratings.verdicts import Verdict, all_verdicts, compare, top
from tests.ratings.verdict_worlds import two, world

# Words


def test_many_even_votes_are_no_practical_difference() -> None:
    verdict = compare(two(20_000, 20_000), "x", "y")
    assert (verdict.verdict, verdict.better, verdict.more_votes) == ("no_practical_difference", None, 0)
    assert -10 < verdict.lower < 0 < verdict.upper < 10


def test_a_difference_inside_the_margin_is_no_reason_to_choose() -> None:
    data = two(600, 400)
    assert compare(data, "x", "y").verdict == "better"
    wide = compare(data, "x", "y", margin=150)
    assert wide.lower > 0
    assert (wide.verdict, wide.better) == ("no_practical_difference", None)


def test_the_better_one_is_named_whichever_is_asked_first() -> None:
    data = world(6)
    for verdict in all_verdicts(data):
        mirror = compare(data, verdict.second, verdict.first)
        assert mirror.difference == pytest.approx(-verdict.difference, rel=1e-12)
        assert (mirror.lower, mirror.upper) == (pytest.approx(-verdict.upper), pytest.approx(-verdict.lower))
        assert (mirror.verdict, mirror.better) == (verdict.verdict, verdict.better)


def test_the_board_of_verdicts_equals_the_verdicts_of_its_pairs() -> None:
    data = world(7)
    found = all_verdicts(data, side_effect=True)
    assert len(found) == 15
    assert {verdict.verdict for verdict in found} == {"better", "cannot_tell"}
    for verdict in found:
        alone = compare(data, verdict.first, verdict.second, side_effect=True)
        for field in Verdict.__dataclass_fields__:
            expected = getattr(verdict, field)
            near = pytest.approx(expected, rel=1e-9) if isinstance(expected, float) else expected
            assert getattr(alone, field) == near, field


def test_order_of_rows_names_and_voters_changes_nothing() -> None:
    data, rng = world(8), np.random.default_rng(0)
    order, names = rng.permutation(data.a.size), rng.permutation(6)
    place = np.argsort(names)
    other = comparisons(
        [data.names[i] for i in names], place[data.a[order]], place[data.b[order]], data.outcome[order],
        voter=data.voter[order],
    )  # fmt: skip
    assert all_verdicts(other) == all_verdicts(data)


def test_votes_are_those_that_either_took_part_in() -> None:
    data = comparisons("xyz", [0] * 12 + [1] * 20 + [2] * 3, [1] * 12 + [2] * 20 + [0] * 3, [0, 1, 1] * 11 + [0, 1])
    verdict = compare(data, "x", "y")
    assert (verdict.votes, verdict.direct_votes) == (35, 12)
    assert compare(data, "x", "z").direct_votes == 3


def test_the_fields_of_the_command_are_stable() -> None:
    assert list(compare(two(30, 10), "x", "y").as_json()) == [
        "verdict", "better", "difference", "lower", "upper", "votes", "more_votes",
    ]  # fmt: skip


def test_a_side_effect_is_no_difference() -> None:
    """Whoever is shown first wins 70 %, and x is mostly shown first."""
    outcome = ([Outcome.A] * 7 + [Outcome.B] * 3) * 100
    a = np.repeat([0, 1], [800, 200])
    data = comparisons("xy", a, 1 - a, outcome)
    assert compare(data, "x", "y").better == "x"
    assert compare(data, "x", "y", side_effect=True).verdict == "cannot_tell"
    assert compare(data, "x", "y", side_effect=True).difference == pytest.approx(0, abs=1e-6)


# How many more


def test_the_forecast_is_what_it_takes() -> None:
    data = two(120, 95)
    verdict = compare(data, "x", "y")
    assert verdict.verdict == "cannot_tell"
    for share, expected in ((0.9, "cannot_tell"), (1.1, "better")):
        times = 1 + share * verdict.more_votes / verdict.votes
        more = Comparisons(data.names, data.a, data.b, data.outcome, data.weight * times, None)
        assert compare(more, "x", "y").verdict == expected


def test_an_even_pair_is_forecast_to_be_settled_by_the_margin() -> None:
    verdict = compare(two(1000, 1000), "x", "y")
    assert verdict.verdict == "cannot_tell"
    assert 8_000 <= verdict.more_votes <= 12_000
    assert compare(two(40, 40), "x", "y").more_votes is None, "more than twenty times the votes is a guess"


def test_voters_who_disagree_need_others_not_more_votes() -> None:
    outcome = [Outcome.A] * 100 + [Outcome.B] * 100 + [Outcome.A] * 90 + [Outcome.B] * 10
    data = comparisons("xy", [0] * 300, [1] * 300, outcome, voter=np.arange(300) // 100)
    verdict = compare(data, "x", "y")
    assert verdict.verdict == "cannot_tell"
    assert verdict.needs_new_voters
    assert not compare(two(120, 95, voters=40), "x", "y").needs_new_voters


def test_forecasts_are_as_coarse_as_they_deserve() -> None:
    assert [rounded(x) for x in (0.1, 4.4, 9.6, 12, 99, 101, 2749, 123_456)] == [1, 4, 10, 10, 100, 100, 2500, 100_000]


# The top


def test_the_top_says_who_leads_and_who_might() -> None:
    rng = np.random.default_rng(9)
    strength, m = np.array([0.95, 0.9, 0.2, -2.0, 0.0]), 4000
    a = rng.integers(0, 4, m)
    b = (a + rng.integers(1, 4, m)) % 4
    outcome = np.where(rng.random(m) < expit(strength[a] - strength[b]), Outcome.A, Outcome.B)
    a, b, outcome = np.append(a, [4, 4, 0]), np.append(b, [0, 1, 4]), np.append(outcome, [1, 0, 0])
    found = top(comparisons("abcde", a, b, outcome))
    assert found.leader in "ab"
    assert set(found.undecided) == set("ab") - {found.leader}
    assert (found.behind, found.level, found.too_few) == (("c", "d"), (), ("e",))


def test_the_statement_about_the_top_is_stricter_than_single_verdicts() -> None:
    data = world(10, n=10, m=3000)
    found = top(data)
    beaten = {v.second for v in all_verdicts(data) if v.first == found.leader and v.verdict == "better"}
    assert set(found.behind) <= beaten
    assert len(found.behind) + len(found.undecided) + len(found.level) == 9


def test_published_crowd_votes_name_a_leader_and_who_might_be(validation_data: Path) -> None:
    """LLMFAO: 8,931 votes of 124 workers on 59 models; voters disagree, so fewer pairs are told than by vote."""
    data = read_votes(str(validation_data / "llmfao/crowd-comparisons.csv"))
    assert top(data).leader is not None
    told = [sum(v.verdict == "better" for v in all_verdicts(data, by=by)) for by in ("voter", "vote")]
    assert 0 < told[0] < told[1]
