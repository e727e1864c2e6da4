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
        `auto` is the leverage-corrected sandwich by the unit with t quantiles, around Firth's estimate, chosen by its
        coverage in large, small, sparse and unbalanced arenas (docs/coverage.md).
    rounds : int
        Bootstrap replicates, or draws for the simultaneous ranks.
    level : float
    anchor : str or None
        A competitor pinned to `anchor_rating`; None pins the mean.
    side_effect : bool
        Put the effect of being shown first into the ratings' fit; it is estimated and reported either way.
    prior : bool
        Allow the stated prior where no finite estimate exists.
    ties : {'half', 'davidson'}
        Half a win each, or Davidson's outcome of their own with nu estimated. Scales of the two do not compare.
    style : tuple of str
        Names of covariates to control for; their coefficients are fitted jointly, without a penalty.
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
    ties: str = "half"
    style: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "style", tuple(self.style))  # JSON gives a list


def check(data: Comparisons, options: BoardOptions) -> None:
    if not 0 < options.level < 1:
        raise BadInput(f"the level {options.level} must lie between 0 and 1, for example 0.95.")
    if options.rounds < 2:
        raise BadInput(f"{options.rounds} rounds are too few: use at least 2, usually 1000.")
    for value, allowed, name in (
        (options.by, ("auto", "voter", "vote"), "by"),
        (options.interval, ("auto", "bootstrap", "sandwich", "model"), "interval"),
        (options.ties, ("half", "davidson"), "ties"),
    ):
        if value not in allowed:
            raise BadInput(f"{name} {value!r} is not known: use {', '.join(allowed)}.")
    if options.anchor is not None and options.anchor not in data.names:
        raise BadInput(f"the anchor {options.anchor!r} is none of the competitors.")
    if options.by == "voter" and data.voter is None and data.a.size:
        raise BadInput("--by voter needs a voter column; these votes have none. Take --by vote.")
    _check_model(data, options)


def _check_model(data: Comparisons, options: BoardOptions) -> None:
    for name in options.style:
        if name not in data.covariate_names and data.a.size:
            known = ", ".join(data.covariate_names) or "none"
            raise BadInput(f"the style covariate {name!r} is not in these votes, which have {known}.")
    if options.style and options.ties != "half":
        raise BadInput("style control takes ties as half wins: leave out --style or --ties davidson.")
    if options.interval == "bootstrap" and (options.style or options.ties != "half"):
        raise BadInput("the bootstrap refits Bradley-Terry with half-win ties only: take --interval sandwich.")
