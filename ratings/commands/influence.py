"""`influence VOTES`: how few votes or voters, if removed, change who is first."""

from __future__ import annotations

import argparse
import csv
from dataclasses import asdict
from typing import Any

import numpy as np

from ratings.board import NO_VOTES
from ratings.commands.common import Commands, as_json, command, out
from ratings.errors import BadInput
from ratings.influence import GroupFlip, Influence, flip_first
from ratings.outputs import Output, to
from ratings.votefile import VoteFile

CLUSTER = "cluster"
WHY = {
    "no_flip": "No removal of votes was found that changes who is first.", "no_votes": NO_VOTES,
    "one_competitor": "There is one competitor only.",
    "not_connected": "They were never compared, not even in a chain.",
    "not_strongly_connected": "No finite estimate exists: some never won against, or never lost to, the rest.",
}  # fmt: skip


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Tells the parser."""
    parser = command(commands, "influence", run, "how few votes, if removed, change who is first", wanted=[CLUSTER])
    out(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object, with votes and voters")
    parser.add_argument("--top", default="", metavar="NAME,NAME", help="turn the order of these two instead")
    parser.add_argument("--side-effect", action="store_true", help="put the effect of being shown first into the fit")


def run(file: VoteFile, options: argparse.Namespace) -> Output:
    """The answer in a few lines, or as JSON with names for codes."""
    top = _top(options.top)
    if CLUSTER in file.texts and (file.texts[CLUSTER].codes >= 0).any():
        codes = file.texts[CLUSTER].codes.astype(np.int64)
        blank = np.flatnonzero(codes < 0)
        codes[blank] = len(file.texts[CLUSTER].values) + np.arange(blank.size)  # each its own
        found = flip_first(file.comparisons(), cluster=codes, top=top, side_effect=options.side_effect)
    else:
        found = flip_first(file.counted(), top=top, side_effect=options.side_effect)
    return to(as_json(_named(found, file)) if options.json else _said(found), options.out)


def _top(text: str) -> tuple[str, str] | None:
    names = [name.strip() for name in next(csv.reader([text], skipinitialspace=True), [])]
    if not names:
        return None
    if len(names) != 2 or not all(names):
        raise BadInput(f"--top {text!r} must read NAME,NAME; a name that holds a comma stands in quotes.")
    return names[0], names[1]


def _named(found: Influence, file: VoteFile) -> dict[str, Any]:
    """The result with voters and clusters by name."""
    body = asdict(found)
    body["who"] = [file.voters[code] for code in found.who]
    if found.by_voter is not None:
        body["by_voter"]["who"] = [file.voters[code] for code in found.by_voter.who]
    if found.by_cluster is not None:
        values = file.texts[CLUSTER].values
        body["by_cluster"]["who"] = [values[code] if code < len(values) else "" for code in found.by_cluster.who]
    return {**body, "notes": list(file.notes)}


def _said(found: Influence) -> str:
    lines = []
    if found.votes_to_flip is None:
        lines.append(WHY[found.status])
    else:
        by = "" if found.votes_by is None else f" by {found.votes_by:,} voters"
        sure = _sure(found)
        lines.append(
            f"{found.votes_to_flip:,} of {found.votes:,g} votes{by}, if removed, put {found.second} before "
            f"{found.first}{sure}."
        )
    for flip, what in ((found.by_voter, "voters"), (found.by_cluster, "clusters")):
        if flip is not None:
            lines.append(_groups(flip, what, found.first or ""))
    return "".join(f"{line}\n" for line in lines)


def _groups(flip: GroupFlip, what: str, first: str) -> str:
    return f"So do {flip.groups:,} whole {what} with {flip.votes:,g} votes: {flip.second} before {first}{_sure(flip)}."


def _sure(found: Influence | GroupFlip) -> str:
    if not found.confirmed:
        return " (not confirmed by a refit)"
    return " (under the stated prior)" if found.provisional else ""
