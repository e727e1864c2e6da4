"""Agreement: against textbook tables, slow implementations by definition, published data, and at the edges."""

from __future__ import annotations

import csv
import itertools
import json
from collections import Counter, defaultdict
from dataclasses import asdict
from math import log2
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from ratings import BadInput, Comparisons, comparisons
from ratings.agreement import alpha_interval, disputed_items, fleiss_kappa, krippendorff_alpha, measure_agreement
from ratings.attention import self_consistency, side_bias, voter_attention, wilson_interval
from ratings.items import items, label_counts
from ratings.kappa import kappa_matrix, voter_pairs

Row = tuple[int, int, int, int, int]
"""Prompt, a, b, outcome, voter."""
TURN = (1, 0, 2, 3)


def votes(rows: list[Row], names: str = "xyz") -> tuple[Comparisons, list[int]]:
    columns = list(zip(*rows, strict=True)) or [()] * 5
    return comparisons(list(names), columns[1], columns[2], columns[3], voter=columns[4]), list(columns[0])


def labels_by_item(rows: list[Row]) -> dict[tuple[int, frozenset[int]], dict[int, int]]:
    """Item -> voter -> first label, turned to the sides of the item's first row; one row at a time."""
    side: dict[tuple[int, frozenset[int]], int] = {}
    found: dict[tuple[int, frozenset[int]], dict[int, int]] = defaultdict(dict)
    for prompt, a, b, outcome, voter in rows:
        key = (prompt, frozenset((a, b)))
        label = outcome if side.setdefault(key, a) == a else TURN[outcome]
        found[key].setdefault(voter, label)
    return found


def coincidences(units: list[list[int]]) -> float:
    """Krippendorff's alpha as the textbook builds it: every ordered pair of values into a coincidence matrix."""
    matrix: dict[tuple[int, int], float] = defaultdict(float)
    for values in units:
        for x, y in itertools.permutations(values, 2):
            matrix[x, y] += 1 / (len(values) - 1)
    total: dict[int, float] = defaultdict(float)
    for (x, _y), mass in matrix.items():
        total[x] += mass
    n = sum(total.values())
    observed = sum(mass for (x, y), mass in matrix.items() if x != y)
    expected = sum(total[x] * total[y] for x in total for y in total if x != y) / (n - 1)
    return 1 - observed / expected


def cohen(left: list[int], right: list[int]) -> float | None:
    m = len(left)
    observed = sum(x == y for x, y in zip(left, right, strict=True)) / m
    chance = sum(left.count(k) * right.count(k) for k in range(4)) / m**2
    return None if chance == 1 else (observed - chance) / (1 - chance)


def table_of(units: list[list[int]], labels: int = 5) -> np.ndarray:
    return np.array([np.bincount(unit, minlength=labels) for unit in units])


random_rows = st.lists(
    st.tuples(
        st.integers(0, 2), st.sampled_from([(0, 1), (1, 0), (1, 2), (2, 1)]), st.integers(0, 3), st.integers(0, 4)
    ),
    min_size=1, max_size=60,
).map(lambda found: [(prompt, *pair, outcome, voter) for prompt, pair, outcome, voter in found])  # fmt: skip


def test_alpha_of_krippendorffs_own_example() -> None:
    # Krippendorff (2011), "Computing Krippendorff's alpha-reliability", part C: 4 observers, 12 units, missing data.
    # Nominal alpha is printed as .743.
    gone = None
    observers = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, gone, gone, gone],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, gone, 3],
        [gone, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, gone],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, gone],
    ]
    units = [[value - 1 for value in unit if value is not None] for unit in zip(*observers, strict=True)]
    assert krippendorff_alpha(table_of(units)) == pytest.approx(0.743, abs=5e-4)


def test_kappa_of_fleiss_own_kind_of_example() -> None:
    # The worked example of "Fleiss' kappa" (Wikipedia): 14 raters, 10 subjects, 5 categories; P 0.378, P_e 0.213.
    table = np.array([
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ])  # fmt: skip
    assert fleiss_kappa(table) == pytest.approx(0.210, abs=5e-4)


def test_cohens_kappa_of_two_voters_is_the_textbooks() -> None:
    # "Cohen's kappa" (Wikipedia): 50 grants, both yes 20, both no 15, A alone 5, B alone 10; kappa .40.
    cases = [(0, 0)] * 20 + [(0, 1)] * 5 + [(1, 0)] * 10 + [(1, 1)] * 15
    rows = [(item, 0, 1, pair[voter], voter) for item, pair in enumerate(cases) for voter in (0, 1)]
    (pair,) = voter_pairs(items(*votes(rows)))
    assert (pair.first, pair.second, pair.common) == (0, 1, 50)
    assert pair.agreement == pytest.approx(0.7)
    assert pair.kappa == pytest.approx(0.4)


def test_llmfao_agrees_as_published(validation_data: Path) -> None:
    with (validation_data / "llmfao" / "crowd-comparisons.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = sorted({row[side] for row in rows for side in ("left", "right")})
    workers = list(dict.fromkeys(row["worker"] for row in rows))
    data = comparisons(
        names, *([names.index(row[side]) for row in rows] for side in ("left", "right")),
        [{"left": 0, "right": 1, "tie": 2}[row["winner"]] for row in rows],
        voter=[workers.index(row["worker"]) for row in rows],
    )  # fmt: skip
    prompts = [int(row["prompt"]) for row in rows]
    found = measure_agreement(data, prompts)
    assert found.alpha == pytest.approx(0.2906, abs=1e-5)  # the figure published with the data
    assert found.voters == 124
    plain = [(prompts[i], int(data.a[i]), int(data.b[i]), int(data.outcome[i]), workers.index(rows[i]["worker"]))
             for i in range(len(rows))]  # fmt: skip
    several = [list(unit.values()) for unit in labels_by_item(plain).values() if len(unit) > 1]
    assert found.alpha == pytest.approx(coincidences(several), abs=1e-12)
    assert (found.items, found.votes) == (len(several), sum(map(len, several)))
    assert found.alpha_lower < 0.2906 < found.alpha_upper
    json.dumps(asdict(found), allow_nan=False)


@settings(max_examples=150, deadline=None)
@given(random_rows)
def test_alpha_and_kappa_follow_from_the_definition(rows: list[Row]) -> None:
    found = measure_agreement(*votes(rows), rounds=20, min_common=1)
    units = {key: unit for key, unit in labels_by_item(rows).items() if len(unit) > 1}
    values = [list(unit.values()) for unit in units.values()]
    assert found.items == len(values)
    if len({value for unit in values for value in unit}) < 2:
        assert (found.alpha, found.kappa) == (None, None)
        assert found.status in ("no_shared_items", "one_label")
        return
    assert found.alpha == pytest.approx(coincidences(values), abs=1e-12)
    same = [sum(x == y for x, y in itertools.permutations(unit, 2)) / (len(unit) * (len(unit) - 1)) for unit in values]
    chance = sum(np.mean([unit.count(k) / len(unit) for unit in values]) ** 2 for k in range(4))
    assert found.agreement == pytest.approx(np.mean(same))
    assert found.kappa == pytest.approx((np.mean(same) - chance) / (1 - chance))
    for pair in found.pairs:
        both = [unit for unit in units.values() if pair.first in unit and pair.second in unit]
        expected = cohen([unit[pair.first] for unit in both], [unit[pair.second] for unit in both])
        assert pair.common == len(both)
        assert pair.kappa == (None if expected is None else pytest.approx(expected, abs=1e-12))
    everyone = itertools.combinations(sorted({row[4] for row in rows}), 2)
    met = {pair for pair in everyone if any(set(pair) <= set(unit) for unit in units.values())}
    assert {(pair.first, pair.second) for pair in found.pairs} == met


@settings(max_examples=100, deadline=None)
@given(random_rows, st.data())
def test_sides_and_codes_do_not_matter(rows: list[Row], draw: st.DataObject) -> None:
    """Later rows of an item shown the other way round, other prompt codes, other weights: the same figures."""
    seen: set[tuple[int, frozenset[int]]] = set()
    turned = []
    for prompt, a, b, outcome, voter in rows:
        later = (prompt, frozenset((a, b))) in seen
        seen.add((prompt, frozenset((a, b))))
        turn = later and draw.draw(st.booleans())
        turned.append(
            (prompt * 17 + 3, b, a, TURN[outcome], voter) if turn else (prompt * 17 + 3, a, b, outcome, voter)
        )
    data, prompts = votes(turned)
    heavy = comparisons(data.names, data.a, data.b, data.outcome, voter=data.voter, weight=np.full(len(rows), 3.0))
    plain, other = measure_agreement(*votes(rows), rounds=20), measure_agreement(heavy, prompts, rounds=20)
    for name in ("alpha", "alpha_lower", "alpha_upper", "kappa", "agreement", "items", "pairs"):
        assert getattr(plain, name) == getattr(other, name)


@settings(max_examples=50, deadline=None)
@given(random_rows, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_bit(rows: list[Row], random: Random) -> None:
    """Where an item is always shown with the same sides and nobody repeats; else its first row decides."""
    fixed = list({(prompt, frozenset((a, b)), voter): (prompt, *sorted((a, b)), outcome, voter)
                  for prompt, a, b, outcome, voter in rows}.values())  # fmt: skip
    plain = measure_agreement(*votes(fixed), rounds=20, min_common=1)
    random.shuffle(fixed)
    other = measure_agreement(*votes(fixed), rounds=20, min_common=1)
    for name in (
        "alpha",
        "alpha_lower",
        "alpha_upper",
        "kappa",
        "agreement",
        "items",
        "pairs",
        "side_bias",
        "attention",
    ):
        assert getattr(plain, name) == getattr(other, name)


@settings(max_examples=100, deadline=None)
@given(random_rows)
def test_disputed_items_are_the_most_split(rows: list[Row]) -> None:
    found = disputed_items(items(*votes(rows)), most=1000)
    expected = []
    for (prompt, pair), unit in labels_by_item(rows).items():
        shares = [count / len(unit) for count in Counter(unit.values()).values()]
        if len(shares) > 1:
            entropy = -sum(share * log2(share) for share in shares)
            expected.append((-round(entropy, 9), -len(unit), prompt, pair, Counter(unit.values())))
    expected.sort(key=lambda entry: entry[:2])  # stable: equally split items stay in the order of their first rows
    assert [(-round(x.entropy, 9), -x.voters, x.prompt) for x in found] == [entry[:3] for entry in expected]
    for item, (*_, pair, counts) in zip(found, expected, strict=True):
        assert {item.model_a, item.model_b} == {"xyz"[i] for i in pair}
        assert [item.wins_a, item.wins_b, item.ties, item.both_bad] == [counts[k] for k in range(4)]


def test_the_interval_of_alpha_is_that_of_drawing_items_one_by_one() -> None:
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 3, 120)
    units = [[int(k) if rng.random() < 0.7 else int(rng.integers(0, 3)) for _ in range(4)] for k in truth]
    table = table_of(units, 4)
    lower, upper, undefined = alpha_interval(table, rounds=4000, seed=5)
    slow = [krippendorff_alpha(table[rng.integers(0, 120, 120)]) for _ in range(4000)]
    # Monte-Carlo error of a 2.5 % quantile of 4,000 draws is .04 SD; four of them for each side of the difference.
    assert [lower, upper] == pytest.approx(np.quantile(slow, [0.025, 0.975]).tolist(), abs=0.23 * float(np.std(slow)))
    assert undefined == 0
    assert (lower, upper) == alpha_interval(table, rounds=4000, seed=5)[:2]
    assert (lower, upper) != alpha_interval(table, rounds=4000, seed=6)[:2]


def test_alpha_recovers_how_often_voters_guess() -> None:
    """A voter knows the label with probability q and else guesses: two agree beyond chance q² of the time."""
    rng = np.random.default_rng(2)
    q, truth = 0.8, rng.integers(0, 3, 20_000)
    said = np.where(rng.random((20_000, 3)) < q, truth[:, None], rng.integers(0, 3, (20_000, 3)))
    table = np.stack([(said == k).sum(axis=1) for k in range(3)], axis=1)
    assert krippendorff_alpha(table) == pytest.approx(q**2, abs=0.015)  # standard error about .004
    assert fleiss_kappa(table) == pytest.approx(q**2, abs=0.015)


def test_replicates_without_two_labels_are_counted() -> None:
    table = np.array([[2, 0, 0, 0]] * 3 + [[1, 1, 0, 0]])
    _, _, undefined = alpha_interval(table, rounds=2000, seed=0)
    assert undefined / 2000 == pytest.approx(0.75**4, abs=0.05)  # four draws that all miss the split item


def test_repeats_compare_a_voter_with_their_first_look() -> None:
    rows = [
        (1, 0, 1, 0, 0), (1, 1, 0, 1, 0), (1, 1, 0, 0, 0),  # flipped twice: once the same winner, once the same side
        (1, 0, 1, 2, 1), (1, 0, 1, 2, 1),                    # not flipped, the same tie
        (2, 0, 1, 0, 0), (2, 1, 0, 0, 1),                    # two voters: no repeat
        (2, 0, 2, 0, 0), (3, 2, 0, 1, 0),                    # another prompt: no repeat
    ]  # fmt: skip
    found = self_consistency(items(*votes(rows)))
    assert (found.flipped.repeats, found.flipped.agreed, found.flipped.share) == (2, 1, 0.5)
    assert (found.unflipped.repeats, found.unflipped.agreed, found.unflipped.share) == (1, 1, 1.0)
    first = voter_attention(items(*votes(rows)), min_votes=1)[0]
    assert (first.voter, first.repeats, first.agreed) == (0, 2, 1)
    nothing = self_consistency(items(votes(rows)[0]))  # without prompts nobody knows what was repeated
    assert (nothing.flipped.repeats, nothing.unflipped.repeats, nothing.flipped.share) == (0, 0, None)


def test_a_repeat_is_no_second_opinion() -> None:
    once = [(1, 0, 1, 0, 0), (1, 0, 1, 1, 1), (2, 0, 1, 0, 0), (2, 0, 1, 0, 1)]
    again = once + [(1, 0, 1, 1, 0)] * 5
    assert measure_agreement(*votes(again)).alpha == measure_agreement(*votes(once)).alpha


def test_side_bias_counts_decided_votes_by_weight() -> None:
    data = comparisons("xy", [0] * 5, [1] * 5, [0, 0, 1, 2, 3], voter=[0, 0, 0, 0, 1], weight=[2, 1, 1, 9, 9])
    bias = side_bias(data)
    assert bias is not None
    assert (bias.decided, bias.share_a) == (4.0, 0.75)
    (only,) = voter_attention(items(data), min_votes=1)
    assert (only.voter, only.decided, only.share_a) == (0, 4.0, 0.75)


def test_only_the_voter_who_clicks_one_side_is_called_biased() -> None:
    rng = np.random.default_rng(3)
    voter = np.repeat(np.arange(300), 40)
    outcome = rng.integers(0, 2, voter.size)
    outcome[voter == 7] = 0
    data = comparisons("xy", np.zeros(voter.size), np.ones(voter.size), outcome, voter=voter)
    found = voter_attention(items(data))
    assert [x.voter for x in found if x.biased] == [7]
    assert sum(x.lower > 0.5 or x.upper < 0.5 for x in found) > 5  # one by one, 5 % are


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 500), st.data(), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_wilsons_interval_is_scipys(total: int, draw: st.DataObject, level: float) -> None:
    won = draw.draw(st.integers(0, total))
    expected = binomtest(won, total).proportion_ci(level, "wilson")
    assert [float(x) for x in wilson_interval(won, total, level)] == pytest.approx([*expected], abs=1e-12)


def test_experts_get_a_symmetric_matrix() -> None:
    rng = np.random.default_rng(4)
    rows = [(item, 0, 1, int(rng.integers(0, 4)), voter) for item in range(30) for voter in range(4)]
    found = measure_agreement(*votes(rows), experts=[3, 1]).experts
    assert found is not None
    pair = next(pair for pair in voter_pairs(items(*votes(rows))) if (pair.first, pair.second) == (1, 3))
    assert found.voters == (3, 1)
    assert found.common == ((30, 30), (30, 30))
    assert found.kappa == ((1.0, pair.kappa), (pair.kappa, 1.0))
    assert found.agreement == ((1.0, pair.agreement), (pair.agreement, 1.0))
    with pytest.raises(BadInput, match="voter 9"):
        kappa_matrix(items(*votes(rows)), [1, 9])
    with pytest.raises(BadInput, match="twice"):
        kappa_matrix(items(*votes(rows)), [1, 1])


def test_busiest_voters_are_compared_when_there_are_too_many() -> None:
    rows = [(item, 0, 1, item % 2, voter) for voter in range(5) for item in range(10 + voter)]
    found = voter_pairs(items(*votes(rows)), most=2)
    assert [(pair.first, pair.second) for pair in found] == [(3, 4)]


@pytest.mark.parametrize(
    ("rows", "status", "shared"),
    [
        ([], "no_votes", 0),
        ([(0, 0, 1, 0, 0)], "no_shared_items", 0),
        ([(0, 0, 1, 0, 0), (0, 0, 1, 1, 0), (1, 1, 2, 3, 0)], "no_shared_items", 0),
        ([(0, 0, 1, 0, 0), (1, 0, 1, 0, 1)], "no_shared_items", 0),
        ([(0, 0, 1, 0, 0), (0, 1, 0, 1, 1), (1, 1, 2, 0, 0), (1, 1, 2, 0, 1)], "one_label", 2),
    ],
    ids=["no votes", "one vote", "one voter", "other prompts", "all the same label"],
)
def test_what_is_not_defined_is_said(rows: list[Row], status: str, shared: int) -> None:
    found = measure_agreement(*votes(rows), rounds=10)
    assert (found.status, found.items, found.alpha, found.kappa) == (status, shared, None, None)
    assert (found.alpha_lower, found.alpha_upper) == (None, None)
    assert found.agreement == (1.0 if shared else None)
    json.dumps(asdict(found), allow_nan=False)


def test_votes_without_voters_have_no_agreement() -> None:
    found = measure_agreement(comparisons("xy", [0, 0], [1, 1], [0, 1]), [1, 1])
    assert (found.status, found.alpha, found.voters, found.attention, found.pairs) == ("no_voters", None, 0, (), ())
    assert found.side_bias is not None


def test_without_prompts_a_pair_is_the_item_and_an_unknown_prompt_is_its_own() -> None:
    rows = [(1, 0, 1, 0, 0), (2, 1, 0, 1, 1), (3, 0, 1, 1, 2)]
    data, _ = votes(rows)
    assert (measure_agreement(data).items, measure_agreement(data).unit) == (1, "pair")
    assert label_counts(items(data))[1].tolist() == [[2, 1, 0, 0]]
    assert measure_agreement(data, [-1, -1, -1]).items == 0
    assert measure_agreement(data, [5, -1, 5]).items == 1


def test_inputs_that_cannot_be_used_are_refused() -> None:
    data, prompts = votes([(1, 0, 1, 0, 0), (1, 0, 1, 0, 1)])
    with pytest.raises(BadInput, match="1 prompts"):
        measure_agreement(data, prompts[:1])
    with pytest.raises(BadInput, match="level"):
        measure_agreement(data, prompts, level=95)
    with pytest.raises(BadInput, match="rounds"):
        measure_agreement(data, prompts, rounds=1)


def test_the_package_says_first_what_the_command_promises() -> None:
    found = asdict(measure_agreement(*votes([(1, 0, 1, 0, 0), (1, 0, 1, 1, 1)]), rounds=10))
    assert list(found)[:4] == ["alpha", "kappa", "items", "voters"]
    assert [type(found[name]) for name in ("alpha", "kappa", "items", "voters")] == [float, float, int, int]
