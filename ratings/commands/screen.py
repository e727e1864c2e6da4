"""`screen VOTES`: campaigns against the board, and the board without them."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

import numpy as np

from ratings.campaigns import Exclusion, Screening, ScreenOptions, screen
from ratings.commands.common import Commands, as_json, command, emptiness, out, share
from ratings.commands.serving import BLANK, CLUSTER, TIME, WINNER, log_of
from ratings.data import Floats
from ratings.errors import BadInput
from ratings.excluding import COLUMNS
from ratings.outputs import Output, table, to
from ratings.scale import to_points
from ratings.served import ServedLog
from ratings.votefile import VoteFile

MOST = 40
"""Exclusions that are printed one by one; --json has them all."""


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Tells the parser."""
    parser = command(
        commands, "screen", run, "campaigns against the board, and the board without them", wanted=[WINNER, TIME]
    )
    parser.set_defaults(understood=BLANK)
    out(parser)
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object with all decisions and their evidence"
    )
    parser.add_argument(
        "--served", default="", metavar="FILE",
        help="battles that were shown and never voted on: rows without a winner, which VOTES may hold itself too",
    )  # fmt: skip
    parser.add_argument(
        "--clusters", type=_columns, default=CLUSTER, metavar="COLUMN,...",
        help="columns that put voters together: an address block, a domain, an invitation",
    )  # fmt: skip
    parser.add_argument(
        "--alpha", type=share, default=0.01, metavar="0.01", help="chance of any false campaign in an honest arena"
    )


def _columns(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def run(file: VoteFile, options: argparse.Namespace) -> Output:
    """Decisions in plain words and both boards, or one JSON object."""
    if file.voter is None and file.a.size:
        raise BadInput("has no column that names the voter, and without accounts there is nothing to screen.",
                       file=file.file)  # fmt: skip
    notes = emptiness(file)
    given = log_of(file, options)
    log, voters, clusters = given.log, given.voters, given.clusters
    found = screen(log, ScreenOptions(alpha=options.alpha))
    if options.out.endswith(".csv"):
        return to(_exclusions(found, log, voters, clusters), options.out, notes)
    if options.json:
        return to(as_json({**_named(found, log, voters, clusters), "notes": [*file.notes, *notes]}), options.out)
    return to(_said(found, log, voters, clusters), options.out, notes)


def _unit(exclusion: Exclusion, voters: list[str], clusters: dict[str, list[str]]) -> str:
    return voters[exclusion.unit] if exclusion.kind == "account" else clusters[exclusion.kind][exclusion.unit]


def _boards(found: Screening) -> tuple[Floats, Floats]:
    return to_points(found.plain), to_points(found.defended)


def _named(found: Screening, log: ServedLog, voters: list[str], clusters: dict[str, list[str]]) -> dict[str, Any]:
    """The result with names for codes."""
    plain, defended = _boards(found)
    order = np.argsort(-defended, kind="stable").tolist()
    counts = found.weight > 0
    return {
        "battles": log.battles, "votes": int(log.voted.sum()), "votes_counted": int(counts.sum()),
        "accounts": log.accounts, "rounds": found.rounds,
        "competitors": [
            {"model_name": log.names[i], "plain": float(plain[i]), "defended": float(defended[i]),
             "difference": float(defended[i] - plain[i])} for i in order
        ],
        "alarms": [
            {**asdict(alarm), "competitor": _name(log, alarm.competitor)} for alarm in found.alarms
        ],
        "exclusions": [
            {**asdict(one), "unit": _unit(one, voters, clusters), "competitor": _name(log, one.competitor),
             "number": one.unit} for one in found.exclusions
        ],
    }  # fmt: skip


def _exclusions(found: Screening, log: ServedLog, voters: list[str], clusters: dict[str, list[str]]) -> str:
    """Whose votes do not count, a row a voter, as `board --exclusions` reads them; but for what is only flagged."""
    rows = []
    for one in found.exclusions:
        if one.action == "flagged":
            continue
        cluster = "" if one.kind == "account" else _unit(one, voters, clusters)
        accounts = [one.unit] if one.kind == "account" else np.flatnonzero(log.clusters[one.kind] == one.unit).tolist()
        model = "" if one.action == "excluded" else _name(log, one.competitor)
        rows += [
            ("", voters[account], cluster, model, DIRECTION[one.sign], one.votes, one.log_l, ACTION[one.action],
             one.sentence) for account in accounts if voters[account]
        ]  # fmt: skip
    return table(COLUMNS, rows)


DIRECTION = {1: "promote", -1: "demote", 0: ""}
ACTION = {"excluded": "exclude", "quarantined": "quarantine"}


def _name(log: ServedLog, competitor: int) -> str | None:
    return log.names[competitor] if competitor >= 0 else None


def _said(found: Screening, log: ServedLog, voters: list[str], clusters: dict[str, list[str]]) -> str:
    votes, counted = int(log.voted.sum()), int((found.weight > 0).sum())
    lines = [
        f"{votes:,} votes on {log.battles:,} battles served to {log.accounts:,} accounts; {counted:,} votes count."
    ]
    lines += [alarm.sentence for alarm in found.alarms] or ["No alarm."]
    for one in found.exclusions[:MOST]:
        what = "voter" if one.kind == "account" else one.kind
        lines.append(f"{one.sentence} ({what} {_unit(one, voters, clusters) or 'without a name'})")
    if len(found.exclusions) > MOST:
        lines.append(f"{len(found.exclusions) - MOST:,} more decisions; --json names them all.")
    plain, defended = _boards(found)
    width = max((len(name) for name in log.names), default=5)
    lines.append(f"{'':{width}}   plain  defended  difference")
    for i in np.argsort(-defended, kind="stable").tolist():
        lines.append(f"{log.names[i]:{width}} {plain[i]:7.1f} {defended[i]:9.1f} {defended[i] - plain[i]:+11.1f}")
    return "".join(f"{line}\n" for line in lines)
