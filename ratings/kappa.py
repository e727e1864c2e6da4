"""Cohen's kappa of every two voters over the items that both judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, vstack

from ratings.data import Floats, Ints, Outcome
from ratings.errors import BadInput
from ratings.items import Items, first_votes

COMPARED = 200
"""Voters who are compared one by one unless they are named: those with the most shared items."""
MIN_COMMON = 10
"""Common items below which a kappa of two voters says nothing."""


@dataclass(frozen=True, slots=True)
class VoterPair:
    """Two voters on their common items; `kappa` is None where both gave one and the same label throughout."""

    first: int
    second: int
    common: int
    agreement: float
    kappa: float | None


@dataclass(frozen=True, slots=True)
class KappaMatrix:
    """Cohen's kappa of every two of these voters: voters × voters, None without a common item or without variation.

    Attributes
    ----------
    voters : tuple of int
        Codes of `Comparisons.voter`.
    common : tuple of tuple of int
        Items that both judged; on the diagonal, the items of that voter.
    agreement, kappa : tuple of tuple of float or None
    """

    voters: tuple[int, ...]
    common: tuple[tuple[int, ...], ...]
    agreement: tuple[tuple[float | None, ...], ...]
    kappa: tuple[tuple[float | None, ...], ...]


def kappa_matrix(judged: Items, voters: Sequence[int]) -> KappaMatrix:
    """Cohen's kappa, (p_o − p_e)/(1 − p_e), of every two of these voters over their common items.

    p_e = Σ_k p_ik p_jk with the shares of both voters' labels on the items that both judged.

    Raises
    ------
    BadInput
        A voter who is not among the votes, or is named twice.

    References
    ----------
    Cohen, J. (1960). A coefficient of agreement for nominal scales. Educ. Psychol. Meas. 20, 37-46.
    """
    codes = np.asarray(voters, dtype=np.int64).ravel()
    known = np.zeros(0, np.int64) if judged.data.voter is None else judged.data.voter
    for code in codes[~np.isin(codes, known)].tolist():
        raise BadInput(f"the voter {code} cast none of these votes.")
    if np.unique(codes).size < codes.size:
        raise BadInput("a voter is named twice in the matrix of voters.")
    common, same, kappa = _kappas(judged, codes)
    return KappaMatrix(
        tuple(codes.tolist()), tuple(tuple(row) for row in common.tolist()), _rows(_share(same, common)), _rows(kappa)
    )


def voter_pairs(judged: Items, *, min_common: int = MIN_COMMON, most: int = COMPARED) -> tuple[VoterPair, ...]:
    """Every two voters with at least `min_common` common items, least agreeing first; of the `most` busiest voters."""
    rows = first_votes(judged)
    if judged.data.voter is None or not rows.size:
        return ()
    several = np.bincount(judged.item[rows])[judged.item[rows]] >= 2
    who, count = np.unique(judged.data.voter[rows[several]], return_counts=True)
    busy = np.sort(who[np.lexsort((who, -count))[:most]])
    common, same, kappa = _kappas(judged, busy)
    i, j = np.nonzero(np.triu(common >= max(min_common, 1), 1))
    worth = np.where(np.isnan(kappa[i, j]), np.inf, kappa[i, j])
    order = np.lexsort((j, i, worth))
    return tuple(
        VoterPair(int(busy[x]), int(busy[y]), int(common[x, y]), float(same[x, y] / common[x, y]), _known(kappa[x, y]))
        for x, y in zip(i[order].tolist(), j[order].tolist(), strict=True)
    )


def _kappas(judged: Items, codes: Ints) -> tuple[Ints, Ints, Floats]:
    """Common items, items with one label, and kappa (NaN where not defined) for every two voters."""
    size, kinds, rows = codes.size, len(Outcome), first_votes(judged)
    if not size or judged.data.voter is None:
        return np.zeros((size, size), np.int64), np.zeros((size, size), np.int64), np.full((size, size), np.nan)
    order = np.argsort(codes)
    place = np.minimum(np.searchsorted(codes[order], judged.data.voter[rows]), size - 1)
    who = order[place]
    inside = codes[who] == judged.data.voter[rows]
    rows, who = rows[inside], who[inside]
    ones, shape = np.ones(rows.size, dtype=np.int64), (size, judged.first.size)
    said = [
        csr_array((ones[chosen], (who[chosen], judged.item[rows[chosen]])), shape=shape)
        for chosen in (judged.label[rows] == kind for kind in range(kinds))
    ]
    seen = csr_array((ones, (who, judged.item[rows])), shape=shape)
    common = (seen @ seen.T).toarray()
    same = sum((one @ one.T).toarray() for one in said)
    margin = (vstack(said) @ seen.T).toarray().reshape(kinds, size, size)  # i's labels on the items that j judged too
    chance = _share((margin * margin.transpose(0, 2, 1)).sum(axis=0), common**2)
    varied = (margin * margin.transpose(0, 2, 1)).sum(axis=0) < common**2
    kappa = np.divide(_share(same, common) - chance, 1 - chance, out=np.full(chance.shape, np.nan), where=varied)
    return common, np.asarray(same), kappa


def _share(part: Ints | Floats, whole: Ints) -> Floats:
    return np.asarray(np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0))


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _rows(matrix: Floats) -> tuple[tuple[float | None, ...], ...]:
    return tuple(tuple(_known(value) for value in row) for row in matrix.tolist())
