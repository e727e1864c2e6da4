"""Votes that were cast and do not count, by a file of exclusions: the defended board beside the plain one.

Voters keep the places, and above `electorate.MAX_GROUPS` the groups, that everybody's votes gave them: a decision about
one voter moves nobody else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ratings.columns import at
from ratings.csv_rows import csv_batches
from ratings.data import Comparisons
from ratings.electorate import MAX_GROUPS, Electorate, electorate
from ratings.errors import BadInput, quoted
from ratings.sources import opened
from ratings.votefile import VoteFile

COLUMNS = ("id", "voter", "cluster", "model_name", "direction", "votes", "log_evidence", "action", "reason")
"""Of a file of exclusions. A row is about the vote of its id, or about the votes of its voter, or about those of its
voter on battles with one competitor; the other columns are for people."""
READ = ("id", "voter", "model_name", "action")
OUT = ("exclude", "excluded", "quarantine", "held")
IN = ("cleared",)
Flags = NDArray[np.bool_]


@dataclass(slots=True)
class Exclusions:
    """What a file of exclusions names."""

    votes: list[tuple[str, str]] = field(default_factory=list)
    """Id and voter; the voter is empty where the file does not say."""
    voters: set[str] = field(default_factory=set)
    on: set[tuple[str, str]] = field(default_factory=set)
    """Voter and competitor."""


def read_exclusions(path: str) -> Exclusions:
    """A file of exclusions: CSV with `action`, and `id`, `voter` or both; `model_name` narrows a voter's row.

    Raises
    ------
    BadInput
        A column is missing, an action is unknown, or a row names neither vote nor voter.
    """
    found = Exclusions()
    with opened(path) as file:
        for batch in csv_batches(file, path):
            if "action" not in batch.header or not {"id", "voter"} & set(batch.header):
                raise BadInput("needs a column action, and id or voter.", file=path, line=1)
            cells = {name: batch.column(name) for name in READ if batch.has(name)}
            for row in range(batch.size):
                key, voter, model, action = (
                    at(cells[name], row).strip() if name in cells else "" for name in READ
                )  # fmt: skip
                if action not in (*OUT, *IN):
                    said = f"{quoted(action)} is no action: use {', '.join((*OUT, *IN))}."
                    raise BadInput(said, file=path, line=batch.line(row), column="action")
                if not key and not voter:
                    raise BadInput("names neither a vote nor a voter.", file=path, line=batch.line(row))
                if action in OUT:
                    _add(found, key, voter, model)
    return found


def _add(found: Exclusions, key: str, voter: str, model: str) -> None:
    if key:
        found.votes.append((key, voter))
    elif model:
        found.on.add((voter, model))
    else:
        found.voters.add(voter)


def left_out(file: VoteFile, out: Exclusions) -> Flags:
    """Which of these votes do not count, shape (m,); what names no vote of the file has no effect.

    Raises
    ------
    BadInput
        Voters or single votes are named, and the file was read without them.
    """
    flags = np.zeros(file.a.size, dtype=bool)
    if out.votes:
        flags |= _single(file, out.votes)
    if not out.voters and not out.on:
        return flags
    if file.voter is None:
        raise BadInput("has no voters, and the exclusions name some.", file=file.file)
    voters = {name: code for code, name in enumerate(file.voters)}
    names = {name: code for code, name in enumerate(file.names)}
    flags |= np.isin(file.voter, [voters[name] for name in out.voters if name in voters])
    n = len(file.names)
    keys = [voters[who] * n + names[what] for who, what in out.on if who in voters and what in names]
    base = file.voter.astype(np.int64) * n
    return flags | np.isin(base + file.a, keys) | np.isin(base + file.b, keys)


def _single(file: VoteFile, votes: Sequence[tuple[str, str]]) -> Flags:
    if "id" not in file.texts:
        raise BadInput("has no column id, and the exclusions name single votes.", file=file.file)
    ids = {value: code for code, value in enumerate(file.texts["id"].values)}
    voters = {name: code for code, name in enumerate(file.voters)}
    codes = file.texts["id"].codes.astype(np.int64)
    alone = [ids[key] for key, voter in votes if key in ids and not voter]
    flags: Flags = np.isin(codes, alone)
    if file.voter is not None:
        v = max(len(file.voters), 1)
        pairs = [ids[key] * v + voters[who] for key, who in votes if key in ids and who in voters]
        flags |= np.isin(codes * v + file.voter, pairs)
    return flags


def counted_without(file: VoteFile, out: Flags) -> tuple[Comparisons, Electorate | None]:
    """What counts, in the groups of everybody's votes, and who cast it.

    Parameters
    ----------
    out : bool, shape (m,)

    Returns
    -------
    Comparisons
        With all competitors of the file, those without a vote too.
    Electorate or None
        None where the votes carry no voters.
    """
    keep = ~out
    left = replace(
        file, a=file.a[keep], b=file.b[keep], outcome=file.outcome[keep],
        weight=None if file.weight is None else file.weight[keep],
        voter=None if file.voter is None else file.voter[keep], texts={}, numbers={},
    )  # fmt: skip
    if left.voter is None:
        return left.counted(), None
    who = electorate(left.counted())
    groups = left.voter % MAX_GROUPS if len(file.voters) > MAX_GROUPS else left.voter
    return replace(left, voter=groups.astype(np.int32)).counted(), who
