"""Evidence in plain words and numbers."""

from __future__ import annotations

from math import exp

WORDS = {1: "for", -1: "against"}


def times(log_l: float) -> str:
    """A likelihood ratio as people say it.

    Examples
    --------
    >>> times(3.0), times(50.0)
    ('20 times', 'more than a billion times')
    """
    return "more than a billion times" if log_l > 20.7 else f"{exp(log_l):,.0f} times"


def unit(kind: str, number: int) -> str:
    """The unit by its number in the log."""
    return f"Account {number}" if kind == "account" else f"The {kind} cluster {number}"


def claimed(kind: str, number: int, name: str, sign: int, votes: int, log_l: float) -> str:
    """Why a unit is excluded by a campaign."""
    return (
        f"{unit(kind, number)}: what it left unvoted and how it voted are {times(log_l)} likelier for a campaign "
        f"{WORDS[sign]} {name} than for an honest voter; its {votes:,} votes weigh nothing."
    )


def quarantine(kind: str, number: int, name: str, sign: int, votes: int) -> str:
    """Why a small unit loses its votes on one competitor, whatever they said."""
    whose = "too few votes to be judged" if kind == "account" else "too few votes to be judged together"
    return (
        f"{unit(kind, number)}: {whose} while a campaign {WORDS[sign]} {name} runs among such; its {votes:,} "
        f"votes on {name} weigh nothing, whatever they said."
    )


def selection(number: int, name: str, here: tuple[int, int], elsewhere: tuple[int, int], log_s: float) -> str:
    """Why an account that chooses by name weighs nothing."""
    return (
        f"Account {number} voted on {here[0]:,} of {here[1]:,} battles with {name} and on {elsewhere[0]:,} of "
        f"{elsewhere[1]:,} others: {times(log_s)} likelier for somebody who knew whom they saw."
    )


def turnout(name: str, size: int, here: tuple[int, int], elsewhere: tuple[int, int]) -> str:
    """A crowd of accounts that leave after a battle or a few chooses by name."""
    battles = "one battle" if size == 1 else f"{size} battles"
    return (
        f"Accounts that were served {battles} voted on {here[0]:,} of {here[1]:,} with {name} and on {elsewhere[0]:,} "
        f"of {elsewhere[1]:,} others: many of them knew whom they saw."
    )


def in_crowd(number: int, name: str, size: int, votes: int) -> str:
    """Why an account of such a crowd loses its votes on one competitor, whatever they said."""
    battles = "one battle" if size == 1 else f"{size} battles"
    return (
        f"Account {number}: served {battles} like a crowd of accounts that votes far too often where {name} appears; "
        f"its {votes:,} votes on {name} weigh nothing, whatever they said."
    )


def one_side(number: int, side: str, votes: int, of: int, log_l: float) -> str:
    """Why an account is flagged that always chooses one side."""
    return (
        f"Account {number} chose side {side} in {votes:,} of {of:,} votes: {times(log_l)} likelier for somebody who "
        "looks at the side than for a voter who reads; they keep their weight."
    )


def campaign(kind: str, name: str, sign: int, units: int, log_e: float, threshold: float) -> str:
    """A campaign rang."""
    what = "accounts" if kind == "account" else f"{kind} clusters"
    return (
        f"A campaign {WORDS[sign]} {name} among {what}: log evidence {log_e:.1f} (threshold {threshold:.1f}), "
        f"{units:,} {what} claimed."
    )


def stratum(name: str, z: float, threshold: float, votes: int) -> str:
    """New accounts disagree with aged ones."""
    direction = "higher" if z > 0 else "lower"
    return (
        f"New accounts rate {name} {direction} than aged ones by {abs(z):.1f} standard errors (threshold "
        f"{threshold:.2g}); their {votes:,} votes on it weigh nothing."
    )


def drift(name: str, sign: int, at: int, statistic: float, threshold: float) -> str:
    """A competitor drifts from its frozen strength."""
    direction = "more" if sign > 0 else "less"
    return (
        f"Since about battle {at:,} {name} wins {direction} than its earlier strength allows: log evidence "
        f"{statistic:.1f} (threshold {threshold:g})."
    )
