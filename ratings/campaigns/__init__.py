"""Campaigns against a board, screened from the served log: who selects whom to vote on, and votes as told.

`screen` runs every rule; each has a module of its own. Letters are those of `ratings.served`.
"""

from ratings.campaigns.options import ScreenOptions
from ratings.campaigns.results import Alarm, Exclusion, Screening
from ratings.campaigns.screening import screen

__all__ = ["Alarm", "Exclusion", "ScreenOptions", "Screening", "screen"]
