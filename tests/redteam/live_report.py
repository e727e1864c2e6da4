"""The live suite's page, written from what was measured."""

# ruff: noqa: E501 - a page's lines are as long as those of the other documents
from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.redteam.live import Outcome, Run

TEXT = """# Attacks on a running server

Written by `make redteam-live`, from its own output. Attackers are programs that open battles, read both answers, know the
target by a habit of its answers (95 of 100 cases, and 5 of 100 of the others') and vote for it. The board holds {honest}
honest votes among six competitors; the target is last. Each campaign ran for {seconds:g} s from {at_once} connections, on
whatever machine wrote this: speeds are lower bounds of what an attacker can have.

## What a campaign gets, and what it costs

*An hour* is the speed that was measured, held to what the limits leave. *Plain* and *screened* are points by which the
target moved on the board of every vote and on the one screened from the served log. What 10 points cost is
reckoned from the plain board: an attacker who is also screened pays more, or gets nothing. A cookie stands for an account.

{campaigns}

The limits: one new cookie is served at most {newcomer:g} battles in its first hour; one /24 or /64 {block:g} battles and {cookies:g} new
cookies an hour. Accounts, members and arenas by invitation are not counted with their neighbours.

{asking}

## What must never get through

{forbidden}

## Time

Arrival times of frames, read by socket in {timed} battles with models of different speeds, told whether the target was among
the two in {share:.1%} of them; guessing the commoner answer is right in {chance:.1%}, and up to {allowed:.1%} is chance (3 standard
errors).

## What this does not show

Attackers here are few and on one machine: nobody was kept from voting by load. A person who recognizes a model can do all
that these programs do, slower; screening sees patterns, not one vote. What the screen finds on large boards is in the suite on
simulated worlds.
"""
HEAD = ("campaign", "limits", "votes", "cookies", "votes an hour", "not rated", "plain", "screened", "10 points cost")


def page(outcome: Outcome, *, seconds: float) -> str:
    """Markdown."""
    from tests.redteam.live_attacks import AT_ONCE

    rows = [HEAD, tuple("---" for _ in HEAD), *(cells(outcome, run) for run in outcome.runs)]
    barred = [("attempt", "tried", "got through"), ("---", "---:", "---:")]
    barred += [(row.what, str(row.tried), str(row.through)) for row in outcome.forbidden]
    told = outcome.timing
    return TEXT.format(
        honest=outcome.honest, seconds=seconds, at_once=AT_ONCE, campaigns="\n".join(lines(rows)),
        asking=asking(outcome), forbidden="\n".join(lines(barred)), timed=told.battles, share=told.share,
        chance=told.chance, allowed=told.allowed, **outcome.limits,
    )  # fmt: skip


def lines(rows: list[tuple[str, ...]]) -> Iterator[str]:
    return ("| " + " | ".join(row) + " |" for row in rows)


def cells(outcome: Outcome, run: Run) -> tuple[str, ...]:
    found = run.standing
    return (
        run.plan.key, "on" if run.limited else "off", str(run.done.votes), str(found["cookies"]),
        f"{an_hour(outcome, run):.0f}", str(found["unrated"]), f"{found['plain']:+.1f}", f"{found['defended']:+.1f}",
        cost(outcome, run),
    )  # fmt: skip


def an_hour(outcome: Outcome, run: Run) -> float:
    """Votes: as fast as was measured, and no faster than the limits leave."""
    measured = run.done.votes / run.done.seconds * 3600
    if not run.limited or not run.done.battles:
        return measured
    served = battles_an_hour(outcome, run) * run.done.votes / run.done.battles
    # Held for a minute at once, an attacker is served again when the window has moved on.
    return served if run.done.refused else min(served, measured)


def battles_an_hour(outcome: Outcome, run: Run) -> float:
    limits, plan = outcome.limits, run.plan
    if plan.each > 1000:
        return limits["newcomer"]
    return plan.addresses * min(limits["cookies"] * min(plan.each, limits["newcomer"]), limits["block"])


def cost(outcome: Outcome, run: Run) -> str:
    """Votes, cookies, blocks and hours for ten points on the plain board."""
    rated = run.standing["votes"] - run.standing["unrated"]
    if run.standing["plain"] < 0.5 or rated < 1:
        return "nothing that counts in this run"
    votes = rated * 10 / run.standing["plain"]
    each = max(1.0, run.done.votes / max(1, run.standing["cookies"]))
    blocks = "1 address block" if run.plan.addresses == 1 else f"{run.plan.addresses} address blocks"
    hours = votes / max(1e-9, an_hour(outcome, run))
    return f"{votes:.0f} votes, {max(1, votes / each):.0f} cookies, {blocks}, {hours * 60:.0f} min"


def asking(outcome: Outcome) -> str:
    """What became of votes on prompts that ask who answers."""
    asked = [run for run in outcome.runs if run.plan.prompt]
    votes, unrated = (
        (sum(count) for count in zip(*((run.done.votes, run.standing["unrated"]) for run in asked), strict=True))
        if asked
        else (0, 0)
    )
    return (
        f"Of {votes} votes on battles whose prompt asked which model answers, {unrated} were marked and are not rated."
    )
