"""Bradley-Terry boards with honest intervals, from votes; numpy and scipy only. `python -m ratings --help`."""

import os
import sys

if sys.argv[:1] == ["-m"]:  # `python -m ratings` imports this first: at these sizes threads cost more than they bring
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from ratings.board import Board, BoardOptions, BoardRow, PairRow, make_board
from ratings.bootstrap import bootstrap_by_vote, bootstrap_by_voter
from ratings.bradley_terry import BradleyTerryFit, fit_bradley_terry
from ratings.data import Cells, Comparisons, Outcome, cells, comparisons
from ratings.davidson import DavidsonFit, fit_davidson
from ratings.errors import BadInput, NotStronglyConnected, RatingsError, SelfComparison, UnknownLabel
from ratings.firth import fit_firth
from ratings.sandwich import sandwich_by_vote, sandwich_by_voter
from ratings.style import StyleFit, fit_style
from ratings.writing import board_csv, board_json

__all__ = [
    "BadInput",
    "Board",
    "BoardOptions",
    "BoardRow",
    "BradleyTerryFit",
    "Cells",
    "Comparisons",
    "DavidsonFit",
    "NotStronglyConnected",
    "Outcome",
    "PairRow",
    "RatingsError",
    "SelfComparison",
    "StyleFit",
    "UnknownLabel",
    "board_csv",
    "board_json",
    "bootstrap_by_vote",
    "bootstrap_by_voter",
    "cells",
    "comparisons",
    "fit_bradley_terry",
    "fit_davidson",
    "fit_firth",
    "fit_style",
    "make_board",
    "sandwich_by_vote",
    "sandwich_by_voter",
]
