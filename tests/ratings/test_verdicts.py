"""Verdicts: against the integral that defines them, dense algebra, simulated truth under peeking, and at the edges."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit

from ratings import BadInput, Comparisons, Outcome, SelfComparison, cells, comparisons, fit_bradley_terry
from ratings import contrasts as contrasts_module
from ratings.bradley_terry import log_likelihood
from ratings.contrasts import contrasts, divergence, drop_if_equal, satterthwaite_of_differences
from ratings.deciding import rounded
from ratings.reading import read_votes
from ratings.sandwich import sandwich_by_vote, sandwich_by_voter
from ratings.scale import POINTS
from ratings.sequences import half_width, t_over_z
from ratings.verdicts import Verdict, all_verdicts, compare, top
from tests.bench import peeking


def world(
    seed: int,
    *,
    n: int = 6,
    m: int = 1200,
    voters: int = 30,
    taste: float = 0.3,
    spread: float = 0.6,
    side: float = 0.0,
) -> Comparisons:
    rng = np.random.default_rng(seed)
    strength, own = rng.normal(0, spread, n), rng.normal(0, taste, (voters, n))
    voter, a = rng.integers(0, voters, m), rng.integers(0, n, m)
    b = (a + rng.integers(1, n, m)) % n
    d = strength[a] + own[voter, a] - strength[b] - own[voter, b] + side
    outcome = np.where(rng.random(m) < expit(d), Outcome.A, Outcome.B)
    outcome[rng.random(m) < 0.15] = Outcome.TIE
    return comparisons([f"m{i}" for i in range(n)], a, b, outcome, voter=voter)


def two(wins: int, losses: int, ties: int = 0, *, voters: int = 0, names: str = "xy") -> Comparisons:
    outcome = [Outcome.A] * wins + [Outcome.B] * losses + [Outcome.TIE] * ties
    voter = np.arange(len(outcome)) % voters if voters else None
    return comparisons(names, [0] * len(outcome), [1] * len(outcome), outcome, voter=voter)


# The sequence


@pytest.mark.parametrize("information", [3.0, 40.0, 100.0, 2500.0])
def test_the_bound_is_where_the_normal_mixture_reaches_one_over_alpha(information: float) -> None:
    """Ville: the mixture of exp(λS - λ²t/2) over λ ~ N(0, 1/ρ) is a martingale, and stays below 1/α with 1 - α."""
    alpha = 0.05
    rho = 100 / (-2 * np.log(alpha) + np.log(1 - 2 * np.log(alpha)))
    total = information * float(half_width(1 / information))

    def density(x: float) -> float:
        return float(np.exp(x * total - x**2 * information / 2 - rho * x**2 / 2) * np.sqrt(rho / (2 * np.pi)))

    centre, scale = total / (information + rho), 1 / np.sqrt(information + rho)
    assert quad(density, centre - 12 * scale, centre + 12 * scale)[0] == pytest.approx(1 / alpha, rel=1e-9)


def test_the_sequence_is_tightest_at_the_expected_information() -> None:
    """The closed form for rho is an approximation (Waudby-Smith et al. 2021): within a thousandth of the best width."""
    best = minimize_scalar(lambda log: float(half_width(0.01, expected_information=np.exp(log))), bounds=(0, 10)).fun
    assert float(half_width(0.01, expected_information=100)) == pytest.approx(best, rel=1e-3)


def test_a_random_walk_seldom_ever_leaves_the_sequence() -> None:
    """2,000 Gaussian walks of 3,000 steps; the bound of 5 % holds for all time, about 3 % are reached here (± .4)."""
    steps = np.arange(1, 3001)
    walks = np.random.default_rng(4).standard_normal((2000, steps.size)).cumsum(axis=1) / steps
    left = (np.abs(walks) > half_width(1 / steps)).any(axis=1).mean()
    assert 0.015 < left <= 0.05
    assert (np.abs(walks) > 1.96 / np.sqrt(steps)).any(axis=1).mean() > 0.5, "a fixed interval would be wrong by then"


def test_few_degrees_of_freedom_widen_by_students_quantiles() -> None:
    """12.7062, 2.7764 and 1.9600 are the two-sided 95 % quantiles for 1, 4 and infinite df (any t table)."""
    assert t_over_z([1, 4, np.inf], 0.95) == pytest.approx(np.array([12.7062, 2.7764, 1.95996]) / 1.95996, rel=1e-4)


# Variances and degrees of freedom


@pytest.mark.parametrize("side_effect", [False, True])
def test_degrees_of_freedom_agree_with_dense_algebra(side_effect: bool) -> None:
    data = world(1, voters=7, m=400, side=0.4)
    fit = fit_bradley_terry(cells(data), side_effect=side_effect)
    n, rows = 6, np.arange(data.a.size)
    design = np.zeros((rows.size, n + 1))
    design[rows, data.a], design[rows, data.b], design[:, n] = 1, -1, side_effect
    p = expit(design @ np.append(fit.strength, fit.side_effect))
    contrast = np.eye(n + 1)[1] - np.eye(n + 1)[4]
    push = (design @ fit.covariance @ contrast) ** 2 * p * (1 - p)
    shares = np.array([push[data.voter == voter].sum() for voter in range(7)])
    expected = shares.sum() ** 2 / (shares**2).sum() - 1
    assert satterthwaite_of_differences(data, fit, np.array([1, 4]))[0, 1] == pytest.approx(expected, rel=1e-9)


def test_folding_light_voters_together_never_adds_degrees_of_freedom(monkeypatch: pytest.MonkeyPatch) -> None:
    data = world(2, voters=60)
    fit, every = fit_bradley_terry(cells(data)), np.arange(6)
    exact = satterthwaite_of_differences(data, fit, every)
    monkeypatch.setattr(contrasts_module, "GROUPS", 20)
    folded = satterthwaite_of_differences(data, fit, every)
    off = ~np.eye(6, dtype=bool)
    assert (folded[off] < exact[off]).all()
    assert (folded[off] > 10).all()


def test_the_variance_is_the_larger_of_clustered_and_vote_level() -> None:
    data = world(3, voters=8, taste=0.8)
    fit, c = fit_bradley_terry(cells(data)), np.array([1.0, 0, 0, -1, 0, 0])
    found = contrasts(data, np.array([0, 3]), unit="voter")
    by_vote, by_voter = (c @ cov.matrix @ c for cov in (sandwich_by_vote(data, fit), sandwich_by_voter(data, fit)))
    assert by_voter > by_vote
    assert found.variance[0, 1] == pytest.approx(by_voter, rel=1e-9)
    assert found.by_vote[0, 1] == pytest.approx(by_vote, rel=0.03), "the dispersion is held towards one by four votes"


def test_the_closed_forms_of_the_simulation_are_the_librarys_vote_for_vote() -> None:
    """Two competitors, three voters, 15 % ties; the first eleven votes go one way, where only a prior is finite."""
    rng = np.random.default_rng(5)
    score = np.append(np.ones(11), rng.choice([0.0, 0.5, 1.0], 60, p=[0.35, 0.15, 0.5]))
    voter = rng.integers(0, 3, score.size)
    outcome = np.select([score == 1, score == 0], [Outcome.A, Outcome.B], Outcome.TIE)
    state = peeking.TwoCompetitors(1, 3)
    for m in range(1, score.size + 1):
        state.add(voter[m - 1 : m], score[m - 1 : m])
        if m < 10:
            continue
        at = state.estimate()
        verdict = compare(comparisons("xy", [0] * m, [1] * m, outcome[:m], voter=voter[:m]), "x", "y")
        assert verdict.difference == pytest.approx(POINTS * at["d"][0], rel=1e-7)
        assert verdict.df == pytest.approx(at["df"][0], rel=1e-9)
        half = POINTS * peeking.halves(at)["ours"][0]
        expected = pytest.approx(verdict.difference + half, rel=1e-6) if at["df"][0] >= 1 else None
        assert verdict.upper == expected


def test_six_competitors_are_simulated_as_they_are_fitted() -> None:
    """Estimates and degrees of freedom alike; the simulation's CR1 is within a tenth of CR2 for 20 even voters."""
    rng, state = np.random.default_rng(16), peeking.ManyCompetitors(1, 20, 6)
    voter, pair, score = rng.integers(0, 20, 600), rng.integers(0, 15, 600), rng.integers(0, 2, 600)
    for vote in range(600):
        state.add(voter[vote : vote + 1], pair[vote : vote + 1], score[vote : vote + 1].astype(float))
    at = state.estimate()
    a, b = state.pairs[pair].T
    found = contrasts(comparisons("abcdef", a, b, 1 - score, voter=voter), np.arange(6), unit="voter")
    i, j = state.pairs.T
    assert at["d"][0] == pytest.approx(found.strength[i] - found.strength[j], abs=1e-6)
    assert at["df"][0] == pytest.approx(found.df[i, j], rel=1e-5)
    assert at["variance"][0] == pytest.approx(found.variance[i, j], rel=0.1)


@pytest.mark.parametrize("side_effect", [False, True])
def test_the_fall_of_the_likelihood_is_that_of_a_constrained_optimum(side_effect: bool) -> None:
    data = world(15, n=4, m=200, side=0.3)
    found = contrasts(data, np.array([1, 3]), unit="vote", side_effect=side_effect)

    def loss(x: np.ndarray) -> float:
        return -log_likelihood(found.table, np.array([x[0], x[1], -x[0] - 2 * x[1], x[1], side_effect * x[2]]))

    best = -minimize(loss, np.zeros(3), method="BFGS", options={"gtol": 1e-8}).fun
    free = log_likelihood(found.table, np.append(found.strength, found.fit.side_effect))
    assert drop_if_equal(found, 1, 3) == pytest.approx(free - best, abs=1e-5)


# Peeking


@pytest.mark.parametrize(("voters", "taste"), [(5, 0.5), (10, 0.5), (20, 0.0), (100, 0.5)])
def test_a_look_after_every_vote_seldom_finds_a_difference_that_is_not_there(voters: int, taste: float) -> None:
    """800 runs of 600 votes. The long simulation finds 0 to 3 % by 2,000 votes, so 5 % is four standard errors away."""
    looks = peeking.simulate(peeking.World(voters, taste, votes=600), 800, seed=11)
    assert looks.wrong["ours"].mean() <= 0.05
    assert looks.wrong["fixed, clustered t"].mean() > 0.15, "the world does tempt: the usual interval falls for it"


def test_voters_who_come_one_after_another_fool_nobody() -> None:
    looks = peeking.simulate(peeking.World(20, 0.5, votes=600, in_turn=True), 800, seed=12)
    assert looks.wrong["ours"].mean() <= 0.05
    assert looks.wrong["sequence, clustered"].mean() > 0.5


def test_true_differences_are_found() -> None:
    """A difference of 120 points among 20 voters of one mind takes a median of about 123 votes in the simulation."""
    looks = peeking.simulate(peeking.World(20, 0.0, difference=120, votes=500), 200, seed=13)
    assert (looks.first["ours"] > 0).mean() > 0.98
    assert 100 < np.median(looks.first["ours"]) < 150
    assert looks.wrong["ours"].mean() == 0


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


# Edges


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
