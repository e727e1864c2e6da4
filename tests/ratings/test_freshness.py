"""Old prompts against fresh ones: honest worlds raise no alarm, one who has seen the old prompts is named."""

from __future__ import annotations

import numpy as np
import pytest

from ratings import comparisons
from ratings.errors import BadInput
from ratings.freshness import old_against_fresh
from tests.ratings.prompt_worlds import world


@pytest.mark.parametrize(
    ("design", "worlds"),
    [
        ({}, 100),
        ({"own": 1.0, "taste": 0.0}, 60),
        ({"voters": 4, "taste": 1.0}, 50),
    ],
)
def test_honest_worlds_are_flagged_at_most_once_in_twenty(design: dict[str, float], worlds: int) -> None:
    """Votes on a prompt are alike, and those of a voter. By votes alone the second design flags 1 world in 3."""
    flagged = 0
    for seed in range(worlds):
        data, prompt = world(["live"] * 40, 20, seed, **design)  # type: ignore[arg-type]
        flagged += bool(old_against_fresh(data, prompt, prompt < 20).flagged.any())
    assert flagged <= 0.05 * worlds


def test_prompts_that_are_worn_make_nobody_look_as_if_the_others_had_been_seen() -> None:
    """Half of the fresh prompts are at their ceiling, so that ratings lie half as far apart there: the best lose there
    what the worst gain. 60 honest worlds."""
    kinds, flagged, scales = ["live"] * 30 + ["ceiling"] * 10, 0, []
    for seed in range(60):
        data, prompt = world(kinds, 30, seed)
        found = old_against_fresh(data, prompt, prompt < 20)
        flagged += bool(found.flagged.any())
        scales.append(found.scale)
    assert np.median(scales) > 1.5
    assert flagged <= 3


def test_a_competitor_that_is_better_on_old_prompts_alone_is_flagged_and_no_other() -> None:
    """By 1.6 log-odds, 278 points, on 30 of 60 prompts with 30 votes each."""
    hits, others = 0, 0
    for seed in range(20):
        data, prompt = world(["seen"] * 30 + ["live"] * 30, 30, seed, boost=1.6)
        found = old_against_fresh(data, prompt, prompt < 30)
        hits += bool(found.flagged[0])
        others += bool(found.flagged[1:].any())
        assert found.difference[0] > 0
    assert hits >= 16
    assert others <= 1


def test_the_interval_holds_what_is_true_for_all_competitors_at_once() -> None:
    """Without effects of prompts or voters the truth is 0 for all: 95 % of 100 worlds, less three standard errors."""
    held = 0
    for seed in range(100):
        data, prompt = world(["live"] * 40, 20, seed, own=0.0, taste=0.0)
        found = old_against_fresh(data, prompt, prompt < 20)
        held += bool(np.all((found.lower <= 0) & (found.upper >= 0)))
    assert held >= 88


def test_differences_are_against_the_same_competitors_on_both_sides() -> None:
    """m5 came late: it is not compared, and its votes move nobody."""
    data, prompt = world(["live"] * 30, 40, 2)
    late = (prompt < 15) & ((data.a == 5) | (data.b == 5))
    part = comparisons(data.names, data.a[~late], data.b[~late], data.outcome[~late], voter=data.voter[~late])
    found = old_against_fresh(part, prompt[~late], prompt[~late] < 15)
    assert np.isnan(found.difference[5]) and found.votes_fresh[5] > 100 and not found.flagged[5]
    without = (data.a != 5) & (data.b != 5)
    same = comparisons(
        data.names, data.a[without], data.b[without], data.outcome[without], voter=data.voter[without]
    )  # fmt: skip
    alone = old_against_fresh(same, prompt[without], prompt[without] < 15)
    assert alone.difference[:5] == pytest.approx(found.difference[:5])
    assert np.nansum(found.difference) == pytest.approx(0, abs=1e-6)


def test_few_prompts_or_few_votes_are_no_ground_for_suspicion() -> None:
    data, prompt = world(["live"] * 12, 60, 1)
    few = old_against_fresh(data, prompt, prompt < 4)
    assert (few.status, few.prompts_old, few.prompts_fresh) == ("few_prompts", 4, 8)
    assert not few.flagged.any() and np.isnan(few.difference).all()
    thin = old_against_fresh(data, prompt, prompt < 6, min_votes=1000)
    assert thin.status == "few_votes"


def test_one_voter_is_no_obstacle_and_prompts_still_stand_together() -> None:
    data, prompt = world(["live"] * 40, 20, 1)
    alone = comparisons(data.names, data.a, data.b, data.outcome, voter=np.zeros(prompt.size, dtype=int))
    found = old_against_fresh(alone, prompt, prompt < 20)
    assert found.status == "ok"
    assert np.isfinite(found.upper).all()


def test_a_prompt_and_an_age_a_vote_are_asked_for() -> None:
    with pytest.raises(BadInput, match="1 prompts and 2 ages were given for 2 comparisons"):
        old_against_fresh(comparisons("xy", [0, 0], [1, 1], [0, 1]), [1], [True, False])
