"""The served log of files of votes: every battle shown, voted or not, as screening needs it."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ratings.errors import BadInput
from ratings.formats import pairs
from ratings.reading import read_table
from ratings.served import NEVER_VOTED, ServedLog, served
from ratings.votefile import VoteFile

WINNER, TIME = "winner", "timestamp"
CLUSTER = ("cluster",)
BLANK = {"": "tie"}
"""A row without a winner is a battle that was shown and never voted on; the reader needs some outcome to pass by."""


@dataclass(frozen=True, slots=True)
class Served:
    """A served log with names for its codes, and where its rows stood."""

    log: ServedLog
    voters: list[str]
    clusters: dict[str, list[str]]
    """By kind and code."""
    order: NDArray[np.intp]
    """Of each row of the log, its place among the rows of the files, one that weighs k standing k times."""


def log_of(file: VoteFile, options: argparse.Namespace) -> Served:
    """The served log of one or two files."""
    files = [file]
    if options.served:
        other = read_table(
            options.served, columns=pairs(options.columns, "--columns"),
            labels={**BLANK, **pairs(options.labels, "--labels")}, wanted=[WINNER, TIME, *options.clusters],
        )  # fmt: skip
        files.append(other.at(unvoted(other)))
    names = sorted({name for part in files for name in part.names})
    place = {name: i for i, name in enumerate(names)}
    known: dict[str, int] = {}
    voters: list[str] = []
    columns: dict[str, list[Any]] = {key: [] for key in ("a", "b", "outcome", "account", "at")}
    for part in files:
        rows = np.repeat(np.arange(part.a.size), times(part))
        code = np.array([place[name] for name in part.names], dtype=np.int32)
        columns["a"].append(code[part.a[rows]])
        columns["b"].append(code[part.b[rows]])
        columns["outcome"].append(np.where(unvoted(part), NEVER_VOTED, part.outcome)[rows])
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
        elif options.clusters != CLUSTER:
            raise BadInput(f"has no column {kind!r} for --clusters.", file=file.file)
    log = served(names, **whole, clusters=clusters)
    return Served(log, voters, kinds, np.argsort(whole["at"], kind="stable"))


def unvoted(part: VoteFile) -> np.ndarray:
    """Rows without a winner."""
    if WINNER not in part.texts:
        return np.zeros(part.a.size, np.bool_)
    return np.asarray(part.texts[WINNER].codes < 0)


def times(part: VoteFile) -> np.ndarray:
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
