"""Bradley-Terry boards with honest intervals, from votes; numpy and scipy only. `python -m ratings --help`."""

from ratings.board import Board, BoardOptions, BoardRow, PairRow, make_board
from ratings.bootstrap import bootstrap_by_vote, bootstrap_by_voter
from ratings.bradley_terry import BradleyTerryFit, fit_bradley_terry
from ratings.data import Cells, Comparisons, Outcome, cells, comparisons
from ratings.errors import BadInput, NotStronglyConnected, RatingsError, SelfComparison, UnknownLabel
from ratings.writing import board_csv, board_json

__all__ = [
    "BadInput",
    "Board",
    "BoardOptions",
    "BoardRow",
    "BradleyTerryFit",
    "Cells",
    "Comparisons",
    "NotStronglyConnected",
    "Outcome",
    "PairRow",
    "RatingsError",
    "SelfComparison",
    "UnknownLabel",
    "board_csv",
    "board_json",
    "bootstrap_by_vote",
    "bootstrap_by_voter",
    "cells",
    "comparisons",
    "fit_bradley_terry",
    "make_board",
]
