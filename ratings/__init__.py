"""Bradley-Terry boards with honest intervals, from votes; numpy and scipy only. `python -m ratings --help`."""

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if sys.argv[:1] == ["-m"]:  # `python -m ratings` imports this first: at these sizes threads cost more than they bring
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from ratings.board import Board, BoardOptions, BoardRow, PairRow, make_board
from ratings.bootstrap import bootstrap_by_vote, bootstrap_by_voter
from ratings.bradley_terry import BradleyTerryFit, fit_bradley_terry
from ratings.data import Cells, Comparisons, Outcome, cells, comparisons
from ratings.davidson import DavidsonFit, fit_davidson
from ratings.errors import BadInput, DuplicateVote, NotStronglyConnected, RatingsError, SelfComparison, UnknownLabel
from ratings.firth import fit_firth
from ratings.sandwich import sandwich_by_vote, sandwich_by_voter
from ratings.style import StyleFit, fit_style
from ratings.writing import board_csv, board_json

if TYPE_CHECKING:
    from ratings import incremental, sampling
    from ratings.agreement import Agreement, measure_agreement
    from ratings.arrays import from_columns
    from ratings.campaigns import Screening, ScreenOptions, screen
    from ratings.incremental import BoardState
    from ratings.influence import Influence, flip_first
    from ratings.reading import read_votes
    from ratings.sampling import PairWeights
    from ratings.served import ServedLog, voted_only
    from ratings.verdicts import Top, Verdict, all_verdicts, compare, top

LATER = {
    "Agreement": "agreement", "measure_agreement": "agreement", "ScreenOptions": "campaigns", "Screening": "campaigns",
    "screen": "campaigns", "BoardState": "incremental", "Influence": "influence", "flip_first": "influence",
    "read_votes": "reading", "PairWeights": "sampling", "Verdict": "verdicts", "all_verdicts": "verdicts",
    "compare": "verdicts", "Top": "verdicts", "top": "verdicts", "from_columns": "arrays", "ServedLog": "served",
    "voted_only": "served",
}  # fmt: skip
"""Names by the module that holds them, loaded by whoever asks: a board does without."""
ROOMS = ("incremental", "sampling")
"""Modules whose names are words of their own room, as `sampling.uniform` and `incremental.start`; loaded likewise."""

__all__ = [
    "Agreement",
    "BadInput",
    "Board",
    "BoardOptions",
    "BoardRow",
    "BoardState",
    "BradleyTerryFit",
    "Cells",
    "Comparisons",
    "DavidsonFit",
    "DuplicateVote",
    "Influence",
    "NotStronglyConnected",
    "Outcome",
    "PairRow",
    "PairWeights",
    "RatingsError",
    "ScreenOptions",
    "Screening",
    "SelfComparison",
    "ServedLog",
    "StyleFit",
    "Top",
    "UnknownLabel",
    "Verdict",
    "all_verdicts",
    "board_csv",
    "board_json",
    "bootstrap_by_vote",
    "bootstrap_by_voter",
    "cells",
    "compare",
    "comparisons",
    "fit_bradley_terry",
    "fit_davidson",
    "fit_firth",
    "fit_style",
    "flip_first",
    "from_columns",
    "incremental",
    "make_board",
    "measure_agreement",
    "read_votes",
    "sampling",
    "sandwich_by_vote",
    "sandwich_by_voter",
    "screen",
    "top",
    "voted_only",
]


def __getattr__(name: str) -> Any:
    """PEP 562: a name of LATER from its module, or one of ROOMS."""
    if name in ROOMS:
        return import_module(f"ratings.{name}")
    if name in LATER:
        return getattr(import_module(f"ratings.{LATER[name]}"), name)
    raise AttributeError(f"module 'ratings' has no attribute {name!r}")
