"""Do voters agree? Krippendorff's alpha with an interval, Fleiss' and Cohen's kappa, and the items they dispute.

An item is an unordered pair of competitors on one prompt; its labels are those of `Outcome`, turned to the sides of the
item's first row. A voter counts once an item: repeats belong to `ratings.attention`, and weights count for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ratings.attention import SelfConsistency, SideBias, VoterAttention, self_consistency, side_bias, voter_attention
from ratings.data import Comparisons, Floats, Ints
from ratings.errors import BadInput
from ratings.items import Items, items, label_counts
from ratings.kappa import MIN_COMMON, KappaMatrix, VoterPair, kappa_matrix, voter_pairs

MOST_DRAWS = 1 << 22
"""Cells of bootstrap counts held at once."""


@dataclass(frozen=True, slots=True)
class DisputedItem:
    """An item and how its voters split; `row` is its first row among the comparisons, `entropy` in bits."""

    model_a: str
    model_b: str
    prompt: int | None
    row: int
    voters: int
    entropy: float
    wins_a: int
    wins_b: int
    ties: int
    both_bad: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far voters agree with each other and with themselves; None is "not defined", which is not zero.

    Attributes
    ----------
    alpha, alpha_lower, alpha_upper : float or None
        Krippendorff's alpha (nominal), and its percentile interval over items.
    kappa : float or None
        Fleiss' kappa, generalised to items with different numbers of voters.
    items, voters : int
        Items that at least two voters judged, and voters in all.
    votes : int
        First votes on those items.
    agreement : float or None
        Chance that two voters of one item, drawn at random, gave one label; the mean over items.
    status : {'ok', 'no_votes', 'no_voters', 'no_shared_items', 'one_label'}
    unit : {'pair_prompt', 'pair'}
        What an item is; 'pair' where no prompts are known.
    level, rounds, seed, undefined_rounds
        Of the interval; `undefined_rounds` counts replicates that drew one label only.
    pairs : tuple of VoterPair
        Voters with enough common items, least agreeing first.
    experts : KappaMatrix or None
        The matrix of the named voters.
    disputed : tuple of DisputedItem
        Most split first.
    consistency : SelfConsistency
    side_bias : SideBias or None
        Of all votes; None where nobody decided.
    attention : tuple of VoterAttention
    """

    alpha: float | None
    kappa: float | None
    items: int
    voters: int
    alpha_lower: float | None
    alpha_upper: float | None
    votes: int
    agreement: float | None
    status: str
    unit: str
    level: float
    rounds: int
    seed: int
    undefined_rounds: int
    pairs: tuple[VoterPair, ...]
    experts: KappaMatrix | None
    disputed: tuple[DisputedItem, ...]
    consistency: SelfConsistency
    side_bias: SideBias | None
    attention: tuple[VoterAttention, ...]


def measure_agreement(
    data: Comparisons,
    prompt: ArrayLike | None = None,
    *,
    experts: Sequence[int] | None = None,
    rounds: int = 1000,
    seed: int = 0,
    level: float = 0.95,
    min_common: int = MIN_COMMON,
    disputed: int = 20,
) -> Agreement:
    """Everything about agreement in one frozen, JSON-ready result.

    Parameters
    ----------
    data : Comparisons
        The order of rows matters in one thing: labels are turned to the sides of an item's first row.
    prompt : array_like of int, shape (m,), optional
        Codes of the prompts; without them a pair is an item, and nothing is known of repeats.
    experts : sequence of int, optional
        Voters whose full matrix is wanted; codes of `data.voter`.
    rounds, seed, level
        Of the bootstrap over items.
    min_common : int
        Common items that a pair of voters needs, and decided votes or repeats that a voter needs, to be listed.
    disputed : int
        How many disputed items to list.

    Raises
    ------
    BadInput
        A level outside (0, 1), fewer than two rounds, an unknown expert, prompts of another length.

    Examples
    --------
    >>> from ratings.data import comparisons
    >>> data = comparisons("xy", [0, 0, 0, 1], [1, 1, 1, 0], [0, 0, 1, 0], voter=[0, 1, 0, 1])
    >>> found = measure_agreement(data, [1, 1, 2, 2])
    >>> found.alpha, found.items, found.voters
    (1.0, 2, 2)
    """
    if not 0 < level < 1:
        raise BadInput(f"the level {level} must lie between 0 and 1, for example 0.95.")
    if rounds < 2:
        raise BadInput(f"{rounds} rounds are too few: use at least 2, usually 1000.")
    judged = items(data, prompt)
    shared, table = label_counts(judged)
    alpha = krippendorff_alpha(table)
    lower, upper, undefined = alpha_interval(table, rounds=rounds, seed=seed, level=level)
    return Agreement(
        alpha=_known(alpha), kappa=_known(fleiss_kappa(table)), items=int(shared.size), voters=data.voters,
        alpha_lower=_known(lower), alpha_upper=_known(upper), votes=int(table.sum()),
        agreement=_known(_observed(table)), status=_status(judged, alpha, shared.size),
        unit="pair" if judged.prompt is None else "pair_prompt", level=level, rounds=rounds, seed=seed,
        undefined_rounds=undefined, pairs=voter_pairs(judged, min_common=min_common),
        experts=None if experts is None else kappa_matrix(judged, experts),
        disputed=disputed_items(judged, most=disputed), consistency=self_consistency(judged, level=level),
        side_bias=side_bias(data, level=level), attention=voter_attention(judged, level=level, min_votes=min_common),
    )  # fmt: skip


def krippendorff_alpha(table: Ints | Floats) -> float:
    """1 − observed over expected disagreement, for nominal labels and any number of voters an item.

    With n_uk voters of item u giving label k, n_u = Σ_k n_uk and N = Σ n_u over items with n_u ≥ 2:
    alpha = 1 − (N − 1) · Σ_u Σ_k n_uk (n_u − n_uk) / (n_u − 1) / (N² − Σ_k (Σ_u n_uk)²).

    Parameters
    ----------
    table : shape (items, labels)
        Voters by label, as `label_counts` gives them.

    Returns
    -------
    float
        NaN where fewer than two labels occur: nothing could have been disagreed about.

    References
    ----------
    Krippendorff, K. (2011). Computing Krippendorff's alpha-reliability. University of Pennsylvania, part C.

    Examples
    --------
    >>> krippendorff_alpha(np.array([[2, 0], [0, 2], [1, 1]]))
    0.4444444444444444
    """
    voters = table.sum(axis=1)
    table, voters = table[voters >= 2], voters[voters >= 2]
    return float(_alpha(_total(_disagreements(table, voters)), table.sum(axis=0)[None, :])[0])


def alpha_interval(table: Ints, *, rounds: int = 1000, seed: int = 0, level: float = 0.95) -> tuple[float, float, int]:
    """Percentile interval of alpha over items drawn with replacement; the same seed gives the same bits.

    Returns
    -------
    lower, upper : float
        NaN where alpha is not defined.
    undefined : int
        Replicates in which one label only was drawn; they are left out of the interval.

    References
    ----------
    Efron, B. & Tibshirani, R. (1993). An Introduction to the Bootstrap, ch. 13.
    """
    table = table[table.sum(axis=1) >= 2]
    if np.isnan(krippendorff_alpha(table)):
        return np.nan, np.nan, 0
    # Items with equal counts are alike, so drawing how often each kind comes is drawing the items themselves.
    kinds, count = np.unique(table, axis=0, return_counts=True)
    parts = np.column_stack([_disagreements(kinds, kinds.sum(axis=1)), kinds])
    rng = np.random.Generator(np.random.PCG64(seed))
    step = max(1, MOST_DRAWS // count.size)
    draws = [
        rng.multinomial(table.shape[0], count / table.shape[0], size=min(step, rounds - start)) @ parts
        for start in range(0, rounds, step)
    ]
    drawn = np.asarray(np.concatenate(draws), dtype=np.float64)
    values = _alpha(drawn[:, 0], drawn[:, 1:])
    defined = values[~np.isnan(values)]
    lower, upper = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2]) if defined.size else (np.nan, np.nan)
    return float(lower), float(upper), int(rounds - defined.size)


def fleiss_kappa(table: Ints) -> float:
    """(P − P_e)/(1 − P_e) with P the mean of Σ_k n_uk (n_uk − 1) / (n_u (n_u − 1)) and P_e = Σ_k (mean n_uk/n_u)².

    Fleiss' kappa where every item has as many voters, and its usual generalisation where not; NaN with one label only.

    References
    ----------
    Fleiss, J. L. (1971). Measuring nominal scale agreement among many raters. Psychol. Bull. 76, 378-382.
    Gwet, K. L. (2014). Handbook of Inter-Rater Reliability, 4th ed., ch. 2.

    Examples
    --------
    >>> round(fleiss_kappa(np.array([[2, 0], [0, 2], [1, 1]])), 6)
    0.333333
    """
    table = table[table.sum(axis=1) >= 2]
    if (table.sum(axis=0) > 0).sum() < 2:
        return float("nan")
    share = table / table.sum(axis=1, keepdims=True)
    chance = float(((_total(share) / table.shape[0]) ** 2).sum())
    return (_observed(table) - chance) / (1 - chance)


def disputed_items(judged: Items, *, most: int = 20) -> tuple[DisputedItem, ...]:
    """Items whose voters gave different labels: largest entropy first, then most voters, then first come."""
    shared, table = label_counts(judged)
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    logs = np.log2(share, out=np.zeros_like(share), where=share > 0)
    entropy = np.round(-(share * logs).sum(axis=1), 12) + 0.0  # equal splits must compare equal
    order = np.lexsort((shared, -table.sum(axis=1), -entropy))
    order = order[entropy[order] > 0][:most]
    data, found = judged.data, []
    for place in order.tolist():
        row = int(judged.first[shared[place]])
        prompt = None if judged.prompt is None else int(judged.prompt[row])
        wins_a, wins_b, ties, bad = table[place].tolist()
        names = data.names[data.a[row]], data.names[data.b[row]]
        voters = wins_a + wins_b + ties + bad
        found.append(DisputedItem(*names, prompt, row, voters, float(entropy[place]), wins_a, wins_b, ties, bad))
    return tuple(found)


def _disagreements(table: Ints | Floats, voters: Ints | Floats) -> Floats:
    """Σ_k n_uk (n_u − n_uk) / (n_u − 1) of each item: its disagreeing pairs of values in the coincidence matrix."""
    return np.asarray((voters**2 - (table**2).sum(axis=1)) / np.maximum(voters - 1, 1), dtype=np.float64)


def _total(values: Floats) -> Floats:
    """Sums over items, to the bit whatever the order of the items; shape (1,) or (1, labels)."""
    return np.asarray(np.sort(values, axis=0).sum(axis=0, keepdims=True))


def _alpha(disagreement: Floats, totals: Ints | Floats) -> Floats:
    """Alpha from summed disagreement and totals of each label, NaN where one label only occurs."""
    votes = totals.sum(axis=-1)
    expected = np.asarray(votes**2 - (totals**2).sum(axis=-1), dtype=np.float64)
    ratio = np.divide(disagreement * (votes - 1), expected, out=np.full(expected.shape, np.nan), where=expected > 0)
    return np.asarray(1 - ratio)


def _observed(table: Ints) -> float:
    voters = table.sum(axis=1)
    if not voters.size:
        return float("nan")
    return float(_total((table * (table - 1)).sum(axis=1) / (voters * (voters - 1)))[0] / voters.size)


def _status(judged: Items, alpha: float, shared: int) -> str:
    if not judged.data.a.size:
        return "no_votes"
    if judged.data.voter is None:
        return "no_voters"
    if not shared:
        return "no_shared_items"
    return "one_label" if np.isnan(alpha) else "ok"


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
