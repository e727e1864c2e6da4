"""`matrix VOTES`: who beat whom how often."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ratings.commands.common import MANY_NAMES, Commands, command, emptiness, out
from ratings.data import Comparisons, Outcome
from ratings.outputs import Output, table, to
from ratings.votefile import VoteFile

HEADER = ("model_a", "model_b", "wins_a", "ties", "both_bad", "wins_b", "votes", "win_rate_a")
TURNED = np.array([Outcome.B, Outcome.A, Outcome.TIE, Outcome.BOTH_BAD])


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Tells the parser."""
    out(command(commands, "matrix", run, "who beat whom how often", most_names=MANY_NAMES))


def run(file: VoteFile, options: argparse.Namespace) -> Output:
    """CSV, one row a pair that met, names in order."""
    return to(table(HEADER, pairs(replace(file, voter=None).counted())), options.out, emptiness(file))


def pairs(data: Comparisons) -> Iterator[list[object]]:
    """Counts of every pair that met, whichever side each was shown on; names of `data` are in order."""
    n, low = max(len(data.names), 1), np.minimum(data.a, data.b)
    keys, where = np.unique(low * n + np.maximum(data.a, data.b), return_inverse=True)
    outcome = np.where(data.a == low, data.outcome, TURNED[data.outcome])
    cell = where.ravel() * len(Outcome) + outcome
    counts = np.bincount(cell, data.weight, minlength=keys.size * len(Outcome)).reshape(-1, len(Outcome))
    for key, (wins_a, wins_b, ties, bad) in zip(keys.tolist(), counts.tolist(), strict=True):
        votes = wins_a + wins_b + ties + bad
        share = (wins_a + (ties + bad) / 2) / votes
        yield [data.names[key // n], data.names[key % n], wins_a, ties, bad, wins_b, votes, share]
