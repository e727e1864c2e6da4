"""A first fit with robust standard errors, in a process of its own: read, count, fit; printed as JSON by name.

python tests/bench/ratings_first.py VOTES
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))

import numpy as np

from ratings.bradley_terry import fit_bradley_terry
from ratings.data import cells
from ratings.reading import read_votes
from ratings.sandwich import sandwich_by_vote
from ratings.scale import POINTS

if __name__ == "__main__":
    data = read_votes(sys.argv[1])
    fit = fit_bradley_terry(cells(data))
    error = np.sqrt(np.diag(sandwich_by_vote(data, fit).matrix))
    rows = zip(data.names, (POINTS * fit.strength).tolist(), (POINTS * error).tolist(), strict=True)
    print(json.dumps({name: [point, spread] for name, point, spread in rows}))
