"""One table out of all: connectivity, fit, uncertainty, ranks, and a word for whatever is not known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ratings.board_rows import BoardRow, PairRow, assemble
from ratings.bradley_terry import fit_bradley_terry, side_is_identifiable
from ratings.connectivity import components, strong_components
from ratings.data import Comparisons, Ints, canonical, cells, fingerprint
from ratings.electorate import Electorate, dealt, electorate
from ratings.errors import NotStronglyConnected
from ratings.options import BoardOptions, check
from ratings.uncertainty import PRIOR_VOTES, Estimate, Part, fit_component, interval, robust

__all__ = ["Board", "BoardOptions", "BoardRow", "PairRow", "make_board"]

VERSION = "0.2.0"
NO_VOTES = "There are no votes yet."


@dataclass(frozen=True, slots=True)
class Board:
    """A whole board, best first.

    Attributes
    ----------
    rows : tuple of BoardRow
    pairs : tuple of PairRow
        Every pair of each component.
    side_effect : (estimate, lower, upper) or None
        Log-odds in favour of the first shown; None where it cannot be told.
    method : dict
        All that the numbers depend on beside the votes.
    components : tuple of tuple of str
        Competitors that were compared with each other, directly or through others.
    votes : float
        Sum of the weights.
    voters : int
        0 when unknown.
    sha256 : str
        Of the votes in canonical order.
    notes : tuple of str
        What whoever reads the numbers should know.
    tie : (estimate, lower, upper) or None
        Davidson's nu, where ties have an outcome of their own.
    style : dict of (estimate, lower, upper)
        Coefficients in log-odds for one standard deviation, by covariate.
    """

    rows: tuple[BoardRow, ...]
    pairs: tuple[PairRow, ...]
    side_effect: Estimate | None
    method: dict[str, object]
    components: tuple[tuple[str, ...], ...]
    votes: float
    voters: int
    sha256: str
    notes: tuple[str, ...] = field(default=())
    tie: Estimate | None = None
    style: dict[str, Estimate] = field(default_factory=dict)


def make_board(data: Comparisons, options: BoardOptions | None = None, *, voted: Electorate | None = None) -> Board:
    """The board of these comparisons; the order of rows, threads and hash seeds change no byte of it.

    Above `electorate.MAX_GROUPS` voters, groups of voters are the units. Comparisons that were counted by group already
    come with who `voted`.

    Raises
    ------
    BadInput
        An option has no meaning here: an unknown anchor, a level outside (0, 1), by voter without voters.
    NotStronglyConnected
        With `prior=False`, where no finite estimate exists.

    Examples
    --------
    >>> from ratings.data import comparisons
    >>> board = make_board(comparisons(["x", "y"], [0, 0, 0, 1], [1, 1, 1, 0], [0, 0, 1, 0]))
    >>> [(row.model_name, round(row.rating)) for row in board.rows]
    [('x', 1000), ('y', 1000)]
    """
    options = options or BoardOptions()
    check(data, options)
    data = canonical(_styled(data, options))
    who = voted or (None if data.voter is None else electorate(data))
    data = dealt(data)
    notes: list[str] = []
    by = _unit(data, options, notes)
    table = cells(data)
    groups = components(table)
    met = np.bincount(np.concatenate([data.a, data.b]), minlength=len(data.names)) > 0
    alive = list(dict.fromkeys(groups[met].tolist()))
    parts = _fitted(data, [np.flatnonzero(groups == label) for label in alive], options, by, notes)
    largest = max(parts, key=lambda part: part.votes, default=None)
    side = largest.side_effect if largest and largest.side_effect else _side_effect(data, options, by)
    if side is None and data.a.size:
        notes.append("No pair was shown in both orders, so the effect of being shown first cannot be told.")
    rows, pairs = assemble(data, parts, met, options, who, comparable=len(alive) == 1)
    if not data.a.size:
        notes.append(NO_VOTES)
    if len(alive) > 1:
        notes.append(f"{len(alive)} groups were never compared with each other; no ranks are given across them.")
        if largest and (largest.tie or largest.style):
            notes.append("Parameters are those of the group with the most votes.")
    names = tuple(tuple(data.names[i] for i in part.members) for part in parts)
    return Board(
        rows, pairs, side, _method(options, by, parts, data), names, data.votes, who.voters if who else 0,
        fingerprint(data), tuple(dict.fromkeys(notes)), largest.tie if largest else None,
        dict(largest.style) if largest else {},
    )  # fmt: skip


def _fitted(data: Comparisons, groups: Sequence[Ints], options: BoardOptions, by: str, notes: list[str]) -> list[Part]:
    """Each group by itself. Raises NotStronglyConnected, which names what is wrong in all of them."""
    parts: list[Part] = []
    apart: list[Sequence[str]] = []
    for members in groups:
        try:
            parts.append(fit_component(data, members, options, by, notes))
        except NotStronglyConnected as error:
            apart.extend(error.components)
    if apart:
        raise NotStronglyConnected(apart)
    return parts


def _styled(data: Comparisons, options: BoardOptions) -> Comparisons:
    """The covariates that are controlled for, and no others: without any, equal rows can be counted."""
    if data.covariates is None or not options.style:
        return replace(data, covariates=None, covariate_names=())
    columns = [data.covariate_names.index(name) for name in options.style]
    return replace(data, covariates=data.covariates[:, columns], covariate_names=options.style)


def _unit(data: Comparisons, options: BoardOptions, notes: list[str]) -> str:
    if data.voter is None or options.by == "vote":
        if data.a.size and data.voter is None:
            notes.append("The votes carry no voters, so intervals take every vote as independent.")
        return "vote"
    if data.voters < 2:
        if data.a.size:
            notes.append("There is one voter: the intervals describe this voter only.")
        return "vote"
    return "voter"


def _side_effect(data: Comparisons, options: BoardOptions, by: str) -> Estimate | None:
    """gamma with its interval by the resampled unit, whether or not it is in the ratings' fit."""
    if not data.a.size:
        return None
    table = cells(data)
    if not side_is_identifiable(table):
        return None
    finite = np.unique(strong_components(table)).size == 1
    fit = fit_bradley_terry(table, side_effect=True, prior=0.0 if finite else PRIOR_VOTES)
    return interval(fit.side_effect, robust(data, fit, by), fit.covariance, len(data.names), options.level)


def _method(options: BoardOptions, by: str, parts: list[Part], data: Comparisons) -> dict[str, object]:
    anchor = {"name": options.anchor, "rating": options.anchor_rating}
    plain = options.ties == "half" and not options.style
    word = "Jeffreys (Firth's bias reduction)" if plain else "half a vote of ties against the mean"
    prior = f"{word} in {sum(part.prior for part in parts)} component(s)"
    return {
        "model": "Bradley-Terry" if options.ties == "half" else "Davidson",
        "ties": options.ties,
        "style": list(options.style),
        "by": by,
        "units": data.voters if by == "voter" else round(data.votes),
        "interval": parts[0].interval if parts else options.interval,
        "interval_asked": options.interval,
        "rounds": options.rounds,
        "seed": options.seed,
        "level": options.level,
        "prior": prior if any(part.prior for part in parts) else "none",
        "anchor": anchor,
        "side_effect_in_fit": options.side_effect,
        "separated_replicates": sum(part.separated for part in parts),
        "version": VERSION,
    }
