"""What a screen found: weights, two boards, and every decision with its evidence."""

from __future__ import annotations

from dataclasses import dataclass

from ratings.data import Floats


@dataclass(frozen=True, slots=True)
class Exclusion:
    """One unit whose votes count less in the defended fit, and why.

    Attributes
    ----------
    kind : str
        "account", or the kind of a cluster ("address", "domain", "invite", "burst").
    unit : int
        Its number in the log.
    competitor : int
        Position of the competitor concerned; -1 for none in particular.
    sign : int
        +1 promoted, -1 demoted, 0 neither.
    action : {'excluded', 'quarantined', 'flagged'}
        All of its votes weigh nothing; only those on the competitor, whatever they said; or none, but somebody should
        look.
    rule : {'D1', 'D4', 'selection', 'one side'}
    log_e : float
        Evidence that the campaign exists at all (natural log); 0.0 where none was asked for.
    log_l : float
        Evidence that this unit is part of it.
    votes : int
        Votes concerned.
    sentence : str
    """

    kind: str
    unit: int
    competitor: int
    sign: int
    action: str
    rule: str
    log_e: float
    log_l: float
    votes: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """A rule that spoke about a competitor, or about nobody in particular (-1).

    Attributes
    ----------
    rule : {'D1', 'D2', 'D3', 'D4', 'selection', 'one side'}
    competitor : int
    sign : int
        +1 too much in favour, -1 against.
    statistic, threshold : float
        log E for D1 and D4, |z| for D2, log of the mixed sums for D3, minus ln of a bound on the chance for selection.
    sentence : str
    at_vote : int
        For D3 the battle (position in the log) at which it rang; else -1.
    kind : str
        The kind of unit that was tested.
    """

    rule: str
    competitor: int
    sign: int
    statistic: float
    threshold: float
    sentence: str
    at_vote: int = -1
    kind: str = "account"


@dataclass(frozen=True)
class Screening:
    """Two boards from one log.

    Attributes
    ----------
    weight : float64, shape (m,)
        Of each battle in the defended fit; 0 where excluded or never voted.
    plain, defended : float64, shape (n,)
        Strengths, natural log-odds, mean zero per connected component of all votes. `plain` weighs every vote alike.
    exclusions : tuple of Exclusion
    alarms : tuple of Alarm
    rounds : int
        Refits that were made.
    """

    weight: Floats
    plain: Floats
    defended: Floats
    exclusions: tuple[Exclusion, ...]
    alarms: tuple[Alarm, ...]
    rounds: int
