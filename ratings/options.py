"""What a board can be told, and what of it has a meaning for these votes."""

from __future__ import annotations

from dataclasses import dataclass

from ratings.data import Comparisons
from ratings.errors import BadInput
from ratings.scale import MEAN_RATING


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


def check(data: Comparisons, options: BoardOptions) -> None:
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
