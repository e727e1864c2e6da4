"""What a screen is told: which rules, and the stated constants."""

from __future__ import annotations

from dataclasses import dataclass

from ratings.errors import BadInput

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class ScreenOptions:
    """One switch a rule, and the constants that were measured (docs on gaming name the worlds).

    Attributes
    ----------
    d1 : bool
        Campaign E-values by account, selection alone, and one-side accounts.
    d2 : bool
        Strata gate: aged accounts against new ones.
    d3 : bool
        Drift alarms; they change no weight.
    d4 : bool
        Campaign E-values by cluster.
    d5 : bool
        Declared clones: 1 / (g_a g_b) a vote, 0 inside a group.
    d6 : bool
        Fresh votes only for a chosen variant; joint shrinkage of its group until there are some.
    d7 : bool
        Style covariates in the fit, where the log has them.
    d8 : bool
        At most `prompt_cap` votes a prompt cluster.
    alpha : float
        Chance of any false campaign in an honest arena, nominal.
    few : int
        Votes below which a unit is never excluded, only quarantined on one competitor.
    claim : float
        Least log L of an excluded unit.
    other_half : float
        How much the outcomes must add to the selection, log E, before anything is a campaign.
    stratum : float
        Least log E of the small units themselves before any of them is quarantined.
    spread : float
        Least sum of a cluster's members' positive log L without the largest.
    rounds : int
        Refits at most.
    aged : float
        Seconds from an account's first battle until its votes count as aged.
    gate : float
        Least |z| between aged and new accounts' strengths from which new accounts' votes on a competitor are dropped;
        more where many competitors are compared, so that an honest arena loses none but with chance alpha.
    slack, drift, settled : float
        D3's least delta, its threshold (log), and the largest standard error at which it starts.
    trusted : float
        Least share of the votes by aged accounts for D2 to compare anything.
    one_side : float
        Least share of an account's votes on one side to be flagged.
    prompt_cap : int
    """

    d1: bool = True
    d2: bool = True
    d3: bool = True
    d4: bool = True
    d5: bool = True
    d6: bool = True
    d7: bool = True
    d8: bool = True
    alpha: float = 0.01
    few: int = 5
    claim: float = 3.0
    other_half: float = 5.0
    stratum: float = 3.0
    spread: float = 1.0
    rounds: int = 4
    aged: float = 30 * DAY
    gate: float = 3.0
    slack: float = 0.02
    drift: float = 7.0
    settled: float = 0.1
    trusted: float = 0.5
    one_side: float = 0.9
    prompt_cap: int = 20

    def __post_init__(self) -> None:
        if not 0 < self.alpha < 1:
            raise BadInput(f"alpha {self.alpha} must lie between 0 and 1, for example 0.01.")
        if self.rounds < 1:
            raise BadInput(f"{self.rounds} rounds are too few: use at least 1, usually 4.")
        if self.prompt_cap < 1:
            raise BadInput(f"a cap of {self.prompt_cap} votes a prompt cluster leaves nothing: use at least 1.")
