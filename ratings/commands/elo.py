"""`elo VOTES`: online Elo, which depends on the order of the votes."""

from __future__ import annotations

import argparse

import numpy as np

from ratings.commands.common import MANY_NAMES, Commands, command, emptiness, finite, out
from ratings.elo import elo
from ratings.outputs import Output, table, to
from ratings.scale import MEAN_RATING
from ratings.votefile import VoteFile


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Tells the parser."""
    parser = command(commands, "elo", run, "online Elo, which depends on the order of the votes", most_names=MANY_NAMES)
    out(parser)
    parser.add_argument("--k", type=finite, default=4.0, metavar="4", help="points that a surprise moves at most")
    parser.add_argument("--init", type=finite, default=MEAN_RATING, metavar="1000", help="the rating to start from")


def run(file: VoteFile, options: argparse.Namespace) -> Output:
    """CSV, best first."""
    data = file.comparisons()
    rating = elo(data, k=options.k, initial=options.init).tolist()
    votes = np.bincount(np.concatenate([data.a, data.b]), np.tile(data.weight, 2), minlength=len(data.names)).tolist()
    order = sorted(range(len(data.names)), key=lambda i: (-rating[i], data.names[i]))
    rows = ([data.names[i], rating[i], float(votes[i])] for i in order)
    return to(table(("model_name", "rating", "vote_count"), rows), options.out, emptiness(file))
