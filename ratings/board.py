"""One table out of all: connectivity, fit, uncertainty, ranks, and a word for whatever is not known."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from ratings import bootstrap, ranks, sandwich
from ratings.bradley_terry import BradleyTerryFit, fit_bradley_terry, side_is_identifiable
from ratings.connectivity import components, strong_components
from ratings.data import Comparisons, Floats, Ints, canonical, cells, fingerprint
from ratings.errors import BadInput, NotStronglyConnected
from ratings.scale import MEAN_RATING, POINTS
from ratings.tallies import Tallies, tally

VERSION = "0.1.0"
PRIOR_VOTES = 0.5
"""Votes of ties against the component's mean, where no finite estimate exists otherwise."""


@dataclass(frozen=True, slots=True)
class BoardOptions:
    """What a board is told; every field goes into its method.

    Attributes
    ----------
    by : {'auto', 'voter', 'vote'}
    interval : {'auto', 'bootstrap', 'sandwich', 'model'}
        `auto` is the sandwich by the resampled unit with a t quantile, which covers best for small and large arenas.
    rounds : int
        Bootstrap replicates, or draws for the simultaneous ranks.
    level : float
    anchor : str or None
        A competitor pinned to `anchor_rating`; None pins the mean.
    side_effect : bool
        Put the effect of being shown first into the ratings' fit; it is estimated and reported either way.
    prior : bool
        Allow the stated prior where no finite estimate exists.
    """

    by: str = "auto"
    interval: str = "auto"
    rounds: int = 1000
    seed: int = 0
    level: float = 0.95
    anchor: str | None = None
    anchor_rating: float = MEAN_RATING
    side_effect: bool = False
    prior: bool = True


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One competitor. Blank values are None: they are not known, which is not zero."""

    model_name: str
    component: int
    status: str
    rating: float | None = None
    rating_lower: float | None = None
    rating_upper: float | None = None
    variance: float | None = None
    vote_count: float = 0.0
    rank: int | None = None
    rank_lower: int | None = None
    rank_upper: int | None = None
    win_rate: float | None = None
    tie_rate: float | None = None
    both_bad_rate: float | None = None
    voters: int | None = None


@dataclass(frozen=True, slots=True)
class PairRow:
    """Two competitors of one component: difference in points with a simultaneous interval, and what would settle it."""

    first: str
    second: str
    difference: float
    lower: float
    upper: float
    votes: float
    more_votes: int | None

    @property
    def separated(self) -> bool:
        return self.lower > 0 or self.upper < 0


@dataclass(frozen=True, slots=True)
class Board:
    """A whole board, best first. `side_effect` is estimate, lower, upper in log-odds, or None without votes."""

    rows: tuple[BoardRow, ...]
    pairs: tuple[PairRow, ...]
    side_effect: tuple[float, float, float] | None
    method: dict[str, object]
    components: tuple[tuple[str, ...], ...]
    votes: float
    voters: int
    sha256: str
    notes: tuple[str, ...] = field(default=())


def make_board(data: Comparisons, options: BoardOptions | None = None) -> Board:
    """The board of these comparisons; the order of rows, threads and hash seeds change no byte of it.

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
    _check(data, options)
    data = canonical(data)
    notes: list[str] = []
    by = _unit(data, options, notes)
    table = cells(data)
    groups = components(table)
    voted = np.bincount(np.concatenate([data.a, data.b]), minlength=len(data.names)) > 0
    alive = list(dict.fromkeys(groups[voted].tolist()))
    parts = [_fit_component(data, np.flatnonzero(groups == label), options, by, notes) for label in alive]
    side = _side_effect(data, options, by)
    if side is None and data.a.size:
        notes.append("No pair was shown in both orders, so the effect of being shown first cannot be told.")
    rows, pairs = _assemble(data, parts, voted, options, comparable=len(alive) == 1)
    if not data.a.size:
        notes.append("There are no votes yet.")
    if len(alive) > 1:
        notes.append(f"{len(alive)} groups were never compared with each other; no ranks are given across them.")
    names = tuple(tuple(data.names[i] for i in part.members) for part in parts)
    return Board(
        rows, pairs, side, _method(options, by, parts), names, data.votes, data.voters, fingerprint(data),
        tuple(dict.fromkeys(notes)),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Part:
    """One component with its fit, in log-odds; arrays have the length of `members`."""

    members: Ints
    strength: Floats
    covariance: Floats
    half: Floats
    pairs: ranks.PairIntervals
    provisional: Floats
    interval: str
    prior: float
    separated: int


def _check(data: Comparisons, options: BoardOptions) -> None:
    if not 0 < options.level < 1:
        raise BadInput(f"the level {options.level} must lie between 0 and 1, for example 0.95.")
    if options.rounds < 2:
        raise BadInput(f"{options.rounds} rounds are too few: use at least 2, usually 1000.")
    for value, allowed, name in (
        (options.by, ("auto", "voter", "vote"), "by"),
        (options.interval, ("auto", "bootstrap", "sandwich", "model"), "interval"),
    ):
        if value not in allowed:
            raise BadInput(f"{name} {value!r} is not known: use {', '.join(allowed)}.")
    if options.anchor is not None and options.anchor not in data.names:
        raise BadInput(f"the anchor {options.anchor!r} is none of the competitors.")
    if options.by == "voter" and data.voter is None and data.a.size:
        raise BadInput("--by voter needs a voter column; these votes have none. Take --by vote.")


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


def _fit_component(data: Comparisons, members: Ints, options: BoardOptions, by: str, notes: list[str]) -> _Part:
    inside = np.isin(data.a, members)
    part = Comparisons(
        tuple(data.names[i] for i in members), np.searchsorted(members, data.a[inside]),
        np.searchsorted(members, data.b[inside]), data.outcome[inside], data.weight[inside],
        None if data.voter is None else data.voter[inside],
    )  # fmt: skip
    table = cells(part)
    strong = strong_components(table)
    finite = bool((strong == 0).all())
    if not finite and not options.prior:
        raise NotStronglyConnected(
            [[part.names[i] for i in np.flatnonzero(strong == label)] for label in np.unique(strong)]
        )
    prior = 0.0 if finite else PRIOR_VOTES
    fit = fit_bradley_terry(table, side_effect=options.side_effect, prior=prior)
    if not finite:
        notes.append(
            f"No finite maximum-likelihood estimate exists for {', '.join(part.names[:6])}"
            f"{' …' if len(part.names) > 6 else ''}: each was given half a vote of ties against their mean."
        )
    return _with_uncertainty(part, members, fit, options, by, finite, notes)


def _with_uncertainty(
    part: Comparisons, members: Ints, fit: BradleyTerryFit, options: BoardOptions, by: str, finite: bool,
    notes: list[str],
) -> _Part:  # fmt: skip
    n = members.size
    normal = float(ndtri(0.5 + options.level / 2))
    kind = "sandwich" if options.interval == "auto" else options.interval
    by = by if part.voters >= 2 else "vote"
    model = sandwich.model_covariance(fit)
    separated, weak = 0, np.zeros(n, dtype=bool)
    rng = np.random.Generator(np.random.PCG64([options.seed, 1]))
    if kind == "bootstrap":
        resample = bootstrap.bootstrap_by_voter if by == "voter" else bootstrap.bootstrap_by_vote
        replicates = resample(part, fit, rounds=options.rounds, seed=options.seed, side_effect=options.side_effect)
        draws, separated = replicates.strength, replicates.separated
        covariance = np.atleast_2d(np.cov(draws, rowvar=False))
        tails = np.quantile(draws - fit.strength, [(1 - options.level) / 2, (1 + options.level) / 2], axis=0)
        half, widen = np.abs(tails).max(axis=0), 1.0
        if separated:
            notes.append(f"{separated} of {options.rounds} replicates had no finite estimate; a weak prior held them.")
    else:
        chosen = model if kind == "model" else _robust(part, fit, by)
        covariance, weak = _never_narrower(chosen, model, part, fit, by)
        error = np.sqrt(np.diag(covariance))
        quantile = np.where(
            np.isfinite(chosen.df), stdtrit(np.maximum(chosen.df, 1.0), 0.5 + options.level / 2), normal
        )
        half = error * quantile
        widen = float(quantile.max(initial=normal)) / normal
        draws = _draw(covariance, options.rounds, rng)
    flat = half < 1e-9
    if n > 1 and flat.any():
        half = np.where(flat, normal * np.sqrt(np.diag(model.matrix)), half)
        weak |= flat
    pairs = ranks.pair_intervals(fit.strength, draws, level=options.level, widen=widen, covariance=covariance)
    provisional = weak | (not finite)
    return _Part(members, fit.strength, covariance, half, pairs, provisional.astype(float), kind, fit.prior, separated)


def _robust(part: Comparisons, fit: BradleyTerryFit, by: str) -> sandwich.Covariance:
    return sandwich.sandwich_by_voter(part, fit) if by == "voter" else sandwich.sandwich_by_vote(part, fit)


def _never_narrower(
    chosen: sandwich.Covariance, model: sandwich.Covariance, part: Comparisons, fit: BradleyTerryFit, by: str
) -> tuple[Floats, NDArray[np.bool_]]:
    """Where a clustered variance rests on less than one degree of freedom, the widest of all three, and a flag."""
    weak = chosen.df < 1.0
    matrix = chosen.matrix
    if weak.any():
        others = [model.matrix, matrix] + ([sandwich.sandwich_by_vote(part, fit).matrix] if by == "voter" else [])
        widest = np.max([np.diag(m) for m in others], axis=0)
        own = np.maximum(np.diag(matrix), 1e-300)
        scale = np.sqrt(np.where(weak, widest / own, 1.0))
        matrix = (
            model.matrix * 1.0 if not np.isfinite(scale).all() or scale.max() > 1e3 else matrix * np.outer(scale, scale)
        )
    return matrix, np.asarray(weak)


def _draw(covariance: Floats, rounds: int, rng: np.random.Generator) -> Floats:
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    return np.asarray(rng.standard_normal((rounds, covariance.shape[0])) @ root.T)


def _side_effect(data: Comparisons, options: BoardOptions, by: str) -> tuple[float, float, float] | None:
    """gamma with its interval by the resampled unit, whether or not it is in the ratings' fit."""
    if not data.a.size:
        return None
    table = cells(data)
    if not side_is_identifiable(table):
        return None
    finite = np.unique(strong_components(table)).size == 1
    fit = fit_bradley_terry(table, side_effect=True, prior=0.0 if finite else PRIOR_VOTES)
    n = len(data.names)
    swapped = sandwich.gamma_variance(data, fit, by_voter=by == "voter")
    error = float(np.sqrt(max(swapped, fit.covariance[n, n] if swapped <= 0 else 0.0)))
    half = float(ndtri(0.5 + options.level / 2)) * error
    return fit.side_effect, fit.side_effect - half, fit.side_effect + half


def _assemble(
    data: Comparisons, parts: list[_Part], voted: NDArray[np.bool_], options: BoardOptions, *, comparable: bool
) -> tuple[tuple[BoardRow, ...], tuple[PairRow, ...]]:
    tallies = tally(data)
    rows: list[BoardRow] = []
    pairs: list[PairRow] = []
    for number, part in enumerate(parts):
        rows += _rows_of(data, part, number, tallies, options, comparable)
        pairs += _pairs_of(data, part, tallies)
    for index in np.flatnonzero(~voted).tolist():
        voters = None if data.voter is None else 0
        rows.append(BoardRow(data.names[index], len(parts), "not_comparable", vote_count=0.0, voters=voters))
    rows.sort(key=lambda row: (row.rating is None, -(row.rating or 0.0), row.model_name))
    return tuple(rows), tuple(pairs)


def _rows_of(
    data: Comparisons, part: _Part, number: int, tallies: Tallies, options: BoardOptions, comparable: bool
) -> list[BoardRow]:
    members = part.members
    local = [data.names[i] for i in members].index(options.anchor) if options.anchor in {
        data.names[i] for i in members} else None  # fmt: skip
    variance = np.diag(part.covariance)
    zero, half, error = 0.0, part.half, np.sqrt(variance)
    if local is not None:  # intervals are those of differences to the anchor, whose own bounds are blank
        zero = float(part.strength[local])
        difference = variance + variance[local] - 2 * part.covariance[local]
        half = part.half / np.maximum(error, 1e-300) * np.sqrt(np.maximum(difference, 0.0))
        error = np.sqrt(np.maximum(difference, 0.0))
    rating = options.anchor_rating + POINTS * (part.strength - zero)
    lower, upper = rating - POINTS * half, rating + POINTS * half
    rank = ranks.rank(lower, upper)
    best, worst = ranks.rank_intervals(part.pairs)
    rows = []
    for i, index in enumerate(members.tolist()):
        alone = members.size == 1
        bounded = not alone and i != local
        ranked = comparable and not alone
        votes = float(tallies.votes[index])
        rows.append(
            BoardRow(
                model_name=data.names[index],
                component=number,
                status=_status(part, i, tallies.voters[index], data, comparable),
                rating=float(rating[i]),
                rating_lower=float(lower[i]) if bounded else None,
                rating_upper=float(upper[i]) if bounded else None,
                variance=float((POINTS * error[i]) ** 2) if bounded else None,
                vote_count=votes,
                rank=int(rank[i]) if ranked else None,
                rank_lower=int(best[i]) if ranked else None,
                rank_upper=int(worst[i]) if ranked else None,
                win_rate=float(tallies.wins[index] / votes),
                tie_rate=float(tallies.ties[index] / votes),
                both_bad_rate=float(tallies.both_bad[index] / votes),
                voters=None if data.voter is None else int(tallies.voters[index]),
            )
        )
    return rows


def _status(part: _Part, i: int, voters: int, data: Comparisons, comparable: bool) -> str:
    """The strongest reservation first."""
    if not comparable or part.members.size == 1:
        return "not_comparable"
    if part.provisional[i]:
        return "provisional"
    if data.voter is not None and voters < 2:
        return "preliminary"
    return "ranked"


def _pairs_of(data: Comparisons, part: _Part, tallies: Tallies) -> list[PairRow]:
    """All pairs of a component, the better one first."""
    order = sorted(range(part.members.size), key=lambda i: (-part.strength[i], data.names[part.members[i]]))
    votes = tallies.votes[part.members]
    rows = []
    for place, i in enumerate(order):
        for j in order[place + 1 :]:
            difference, lower, upper = (
                float(POINTS * x[i, j]) for x in (part.pairs.difference, part.pairs.lower, part.pairs.upper)
            )
            low, high = sorted((int(part.members[i]), int(part.members[j])))
            more = ranks.votes_to_separate(part.pairs, votes, i, j)
            names = data.names[part.members[i]], data.names[part.members[j]]
            rows.append(PairRow(*names, difference, lower, upper, tallies.pairs.get((low, high), 0.0), more))
    return rows


def _method(options: BoardOptions, by: str, parts: list[_Part]) -> dict[str, object]:
    anchor = {"name": options.anchor, "rating": options.anchor_rating}
    prior = f"half a vote of ties against the mean in {sum(p.prior > 0 for p in parts)} component(s)"
    return {
        "model": "Bradley-Terry",
        "ties": "half",
        "by": by,
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
