"""`compare VOTES A B`: is one better, however often somebody looks."""

from __future__ import annotations

import argparse

from ratings.commands.common import Commands, as_json, command, interval, number_or_zero, out
from ratings.outputs import Output, to
from ratings.verdicts import MARGIN, MIN_VOTES, Verdict, compare
from ratings.votefile import VoteFile


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Tells the parser."""
    parser = command(commands, "compare", run, "whether one of two is better, safe under a look after every vote")
    parser.add_argument("first", metavar="A", help="one competitor's name")
    parser.add_argument("second", metavar="B", help="the other one's")
    out(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--margin", type=number_or_zero, default=MARGIN, metavar=f"{MARGIN:g}",
        help="points within which a difference is of no practical use",
    )  # fmt: skip
    parser.add_argument(
        "--min-votes", type=number_or_zero, default=MIN_VOTES, metavar=f"{MIN_VOTES:g}",
        help="rated votes that each of the two needs",
    )  # fmt: skip
    interval(parser)
    parser.add_argument("--side-effect", action="store_true", help="put the effect of being shown first into the fit")


def run(file: VoteFile, options: argparse.Namespace) -> Output:
    """The verdict in a sentence, or as JSON."""
    found = compare(
        file.counted(), options.first, options.second, margin=options.margin, min_votes=options.min_votes,
        level=options.level, by=options.by, side_effect=options.side_effect,
    )  # fmt: skip
    return to(as_json(found.as_json()) if options.json else _said(found, options.margin), options.out)


def _said(found: Verdict, margin: float) -> str:
    """Two sentences: the verdict, and what it rests on."""
    a, b = found.first, found.second
    verdict = {
        "better": f"{found.better} is better than {b if found.better == a else a}.",
        "no_practical_difference": f"{a} and {b} do not differ by more than {margin:g} points.",
        "cannot_tell": f"It cannot be told yet whether {a} or {b} is better.",
        "too_few": f"There are too few votes on {a} and {b}, or nothing connects them.",
    }[found.verdict]
    if found.difference is None:
        return f"{verdict}\n"
    bounds = "" if found.lower is None else f" ({found.lower:+.1f} to {found.upper:+.1f})"
    rest = f"{a} minus {b}: {found.difference:+.1f} points{bounds}, by {found.unit}, from {found.votes:,g} votes."
    if found.more_votes:
        who = " by new voters" if found.needs_new_voters else ""
        rest += f" About {found.more_votes:,} more votes{who} would settle it."
    return f"{verdict} {rest}\n"
