"""`screen VOTES`: campaigns against the board, and the board without them."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

import numpy as np

from ratings.campaigns import Exclusion, Screening, ScreenOptions, screen
from ratings.commands.common import Commands, as_json, command, out, share
from ratings.data import Floats
from ratings.errors import BadInput
from ratings.formats import pairs
from ratings.outputs import Output, to
from ratings.reading import read_table
from ratings.scale import to_points
from ratings.served import NEVER_VOTED, ServedLog, served
from ratings.votefile import VoteFile

WINNER, TIME = "winner", "timestamp"
BLANK = {"": "tie"}
"""A row without a winner is a battle that was shown and never voted on; the reader needs some outcome to pass by."""
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
        "--clusters", type=_columns, default=("cluster",), metavar="COLUMN,...",
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
    log, voters, clusters = _log(file, options)
    found = screen(log, ScreenOptions(alpha=options.alpha))
    if options.json:
        return to(as_json({**_named(found, log, voters, clusters), "notes": list(file.notes)}), options.out)
    return to(_said(found, log, voters, clusters), options.out)


def _log(file: VoteFile, options: argparse.Namespace) -> tuple[ServedLog, list[str], dict[str, list[str]]]:
    """The served log of one or two files, voters by their code, and clusters by kind and code."""
    files = [file]
    if options.served:
        other = read_table(
            options.served, columns=pairs(options.columns, "--columns"),
            labels={**BLANK, **pairs(options.labels, "--labels")}, wanted=[WINNER, TIME, *options.clusters],
        )  # fmt: skip
        files.append(other.at(_unvoted(other)))
    names = sorted({name for part in files for name in part.names})
    place = {name: i for i, name in enumerate(names)}
    known: dict[str, int] = {}
    voters: list[str] = []
    columns: dict[str, list[Any]] = {key: [] for key in ("a", "b", "outcome", "account", "at")}
    for part in files:
        rows = np.repeat(np.arange(part.a.size), _times(part))
        code = np.array([place[name] for name in part.names], dtype=np.int32)
        columns["a"].append(code[part.a[rows]])
        columns["b"].append(code[part.b[rows]])
        columns["outcome"].append(np.where(_unvoted(part), NEVER_VOTED, part.outcome)[rows])
        columns["account"].append(_accounts(part, known, voters)[rows])
        columns["at"].append(part.numbers[TIME][rows] if TIME in part.numbers else np.full(rows.size, np.nan))
    whole = {key: np.concatenate(values) for key, values in columns.items()}
    if np.isnan(whole["at"]).any():  # without all times the order of the rows must do
        whole["at"] = np.arange(whole["at"].size, dtype=np.float64)
    kinds: dict[str, list[str]] = {}
    clusters = {}
    for kind in options.clusters:
        if any(kind in part.texts for part in files):
            clusters[kind], kinds[kind] = _clusters(files, kind, known, len(voters))
        elif options.clusters != ("cluster",):
            raise BadInput(f"has no column {kind!r} for --clusters.", file=file.file)
    log = served(names, **whole, clusters=clusters)
    return log, voters, kinds


def _unvoted(part: VoteFile) -> np.ndarray:
    """Rows without a winner."""
    if WINNER not in part.texts:
        return np.zeros(part.a.size, np.bool_)
    return np.asarray(part.texts[WINNER].codes < 0)


def _times(part: VoteFile) -> np.ndarray:
    """How often each row stands for a vote."""
    if part.weight is None:
        return np.ones(part.a.size, np.int64)
    times = part.weight.astype(np.int64)
    wrong = np.flatnonzero(times != part.weight)
    if wrong.size:
        raise BadInput(
            f"vote {wrong[0] + 1} weighs {part.weight[wrong[0]]}, and a screen counts whole votes.", file=part.file
        )
    return times


def _accounts(part: VoteFile, known: dict[str, int], voters: list[str]) -> np.ndarray:
    """Codes by name over all files; a row without a voter is an account of its own."""
    if part.voter is None:
        begin = len(voters)
        voters.extend([""] * part.a.size)
        return np.arange(begin, begin + part.a.size)
    code = np.empty(len(part.voters), np.int64)
    for i, name in enumerate(part.voters):
        if not name or name not in known:
            if name:
                known[name] = len(voters)
            code[i] = len(voters)
            voters.append(name)
        else:
            code[i] = known[name]
    return code[part.voter]


def _clusters(files: list[VoteFile], kind: str, known: dict[str, int], accounts: int) -> tuple[np.ndarray, list[str]]:
    """The first value of each account that is not blank."""
    names: dict[str, int] = {}
    of_account = np.full(accounts, -1, np.int32)
    for part in files:
        if kind not in part.texts or part.voter is None:
            continue
        texts = part.texts[kind]
        code = np.array([names.setdefault(value, len(names)) for value in texts.values], dtype=np.int32)
        account = np.array([known.get(name, -1) for name in part.voters], dtype=np.int64)[part.voter]
        rows = np.flatnonzero((texts.codes >= 0) & (account >= 0))[::-1]  # of several the one written last stays
        rows = rows[of_account[account[rows]] < 0]
        of_account[account[rows]] = code[texts.codes[rows]]
    return of_account, list(names)


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
