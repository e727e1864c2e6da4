"""What a prompt tells of its competitors: dead ones are found, live ones are left alone, few votes are not judged."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from ratings import comparisons, fit_bradley_terry
from ratings.data import SCORE_OF_A, cells
from ratings.errors import BadInput
from ratings.separation import PRIOR, Separates, saturation, separations
from tests.ratings.prompt_worlds import world

LIVE = ["live"] * 40
MIXED = ["live"] * 25 + ["ceiling"] * 6 + ["floor"] * 5 + ["even"] * 4


@pytest.mark.parametrize("votes", [12, 30, 60])
def test_a_set_without_dead_prompts_is_left_alone(votes: int) -> None:
    """Ten worlds of 40 prompts, of which each differs from the others in who is good at it: none may be called dead."""
    found = [word for seed in range(10) for word in separations(*world(LIVE, votes, seed)).verdict]
    assert found.count(Separates.NOTHING) == 0


def test_dead_prompts_are_found_and_ceiling_is_told_from_floor() -> None:
    """44 prompts at their ceiling or floor in four worlds; 87 % were found when this was written."""
    dead, right, wrong = 0, 0, 0
    for seed in range(4):
        found = separations(*world(MIXED, 60, seed))
        for kind, verdict, said in zip(MIXED, found.verdict, found.kind, strict=True):
            wrong += kind == "live" and verdict == Separates.NOTHING
            dead += kind in ("ceiling", "floor")
            right += kind in ("ceiling", "floor") and said == kind
    assert wrong == 0
    assert right >= 0.7 * dead


def test_votes_that_fall_like_coins_separate_nothing_once_there_are_many() -> None:
    """Coins take hundreds of votes to tell from a small difference: of 12 such prompts with 800 votes each, 8 when this
    was written."""
    kinds = ["live"] * 12 + ["even"] * 6
    dead, said = [], set()
    for seed in (5, 6):
        found = separations(*world(kinds, 800, seed))
        dead += found.verdict[12:]
        said |= {kind for kind in found.kind if kind}
    assert dead.count(Separates.NOTHING) >= 6
    assert Separates.YES not in dead
    assert said == {"even"}


def test_the_slope_is_that_of_votes_on_what_other_prompts_expect() -> None:
    """Prompt 0 by hand, in a world of so few prompts that each is a fold; sums of squares are corrected for noise."""
    data, prompt = world(["live"] * 5, 200, 3)
    rest = prompt != 0
    kept = comparisons(data.names, data.a[rest], data.b[rest], data.outcome[rest])
    fit = fit_bradley_terry(cells(kept), side_effect=True, prior=PRIOR)
    a, b = data.a[~rest], data.b[~rest]
    p = 1 / (1 + np.exp(fit.strength[b] - fit.strength[a]))
    c = fit.covariance
    noise = (p * (1 - p)) ** 2 * (c[a, a] + c[b, b] - 2 * c[a, b])
    z = SCORE_OF_A[data.outcome[~rest]] - 0.5
    expected = ((p - 0.5) @ z) / ((p - 0.5) ** 2 - noise).sum()
    assert separations(data, prompt).estimate[0] == pytest.approx(expected, rel=1e-12)


def test_live_prompts_show_what_the_ratings_expect_on_average() -> None:
    """Prompts without tastes of their own have s = 1; the mean of 30 with an error of .25 each is within .15."""
    found = separations(*world(["live"] * 30, 100, 8, own=0.0, taste=0.0))
    assert np.mean(found.estimate) == pytest.approx(1.0, abs=0.15)


def test_few_votes_are_drawn_to_the_mean_more_than_many() -> None:
    data, prompt = world(["live"] * 30, 100, 4)
    thin = (prompt >= 15) & (np.arange(prompt.size) % 100 >= 12)
    part = comparisons(data.names, data.a[~thin], data.b[~thin], data.outcome[~thin], voter=data.voter[~thin])
    found = separations(part, prompt[~thin])
    moved = np.abs(found.shrunk - found.estimate)
    assert np.nanmean(moved[15:]) > 2 * np.nanmean(moved[:15])
    assert np.all((found.upper - found.lower)[:15] >= (found.shrunk_upper - found.shrunk_lower)[:15] * 0.99)


def test_a_prompt_that_turns_the_order_round_is_no_dead_one() -> None:
    data, prompt = world(["live"] * 20, 150, 6, own=0.0)
    turned = np.where((prompt == 0) & (data.outcome < 2), 1 - data.outcome, data.outcome)
    found = separations(comparisons(data.names, data.a, data.b, turned, voter=data.voter), prompt)
    assert found.verdict[0] == Separates.OTHERWISE
    assert found.upper[0] < 0


def test_voters_who_agree_about_two_equally_rated_competitors_keep_a_prompt_alive() -> None:
    """Ratings expect nothing of x against y, who are level elsewhere: that twelve voters all prefer x is news."""
    a, b = [0] * 12 + [0] * 40, [1] * 12 + [1] * 40
    outcome, prompt = [0] * 12 + [0, 1] * 20, [0] * 12 + [1] * 20 + [2] * 20
    found = separations(comparisons("xy", a, b, outcome, voter=range(52)), prompt)
    assert found.verdict[0] == Separates.OTHERWISE
    assert found.accord[0] > 3


def test_of_thirteen_published_prompts_one_separates_nothing(validation_data: Path) -> None:
    """LLMFAO's prompt 2, on which 86 % of 701 votes are ties; on every other voters agree about what is better."""
    with (validation_data / "llmfao/crowd-comparisons.csv").open(newline="", encoding="utf-8") as file:
        votes = list(csv.DictReader(file))
    names = sorted({vote[side] for vote in votes for side in ("left", "right")})
    outcome = [{"left": 0, "right": 1, "tie": 2}[vote["winner"]] for vote in votes]
    a, b = ([names.index(vote[side]) for vote in votes] for side in ("left", "right"))
    voter, prompt = ([int(vote[column]) for vote in votes] for column in ("worker", "prompt"))
    found = separations(comparisons(names, a, b, outcome, voter=voter), prompt)
    verdicts = dict(zip(found.prompt.tolist(), found.verdict, strict=True))
    assert verdicts.pop(2) == Separates.NOTHING
    assert set(verdicts.values()) == {Separates.YES}


def test_too_few_votes_and_a_single_voter_are_not_judged() -> None:
    data, prompt = world(["live"] * 6, 9, 1)
    assert set(separations(data, prompt).verdict) == {Separates.TOO_FEW}
    data, prompt = world(["live"] * 6, 30, 1)
    alone = comparisons(data.names, data.a, data.b, data.outcome, voter=np.where(prompt == 0, 0, data.voter + 1))
    found = separations(alone, prompt)
    assert np.isnan(found.lower[0])
    assert found.verdict[0] == Separates.CANNOT_TELL
    ties = comparisons("xy", [0] * 30, [1] * 30, [2] * 30, voter=[0] * 20 + list(range(10)))
    assert separations(ties, [0] * 20 + [1] * 10).verdict[0] == Separates.CANNOT_TELL


def test_votes_without_a_prompt_rate_competitors_and_stand_in_no_row() -> None:
    data, prompt = world(["live"] * 3, 50, 2)
    found = separations(data, np.where(prompt == 2, -1, prompt))
    assert found.prompt.tolist() == [0, 1]
    assert found.votes.tolist() == [50, 50]


def test_no_votes_at_all_are_a_defined_empty_answer() -> None:
    found = separations(comparisons("xy", [], [], []), [])
    assert found.verdict == ()
    worn = saturation(found)
    assert (worn.judged, worn.share, worn.decided) == (0, None, None)


def test_a_code_a_vote_is_asked_for() -> None:
    with pytest.raises(BadInput, match="1 prompts were given for 2 comparisons"):
        separations(comparisons("xy", [0, 0], [1, 1], [0, 1]), [1])


def test_the_meter_counts_those_in_service_and_its_interval_holds_whatever_the_unsure_are() -> None:
    found = separations(*world(MIXED, 60, 1))
    worn = saturation(found)
    assert worn.judged == worn.nothing + worn.separates + worn.otherwise + worn.cannot_tell == 40
    assert worn.nothing == worn.ceiling + worn.floor + worn.even
    assert worn.lower is not None and worn.share is not None and worn.upper is not None
    assert worn.lower < worn.share < (worn.nothing + worn.cannot_tell) / 40 < worn.upper
    assert worn.lower < 15 / 40 < worn.upper
    chosen = [verdict != Separates.NOTHING for verdict in found.verdict]
    assert saturation(found, chosen).nothing == 0
