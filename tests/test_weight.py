"""What a web process carries before anybody asks for a fit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from arena.battles.words import Winner
from arena.leaderboards import claims
from arena.leaderboards.counting import OUTCOMES
from ratings import Outcome, deciding

ROOT = Path(__file__).resolve().parent.parent
LOADED = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "arena.settings"
import arena.asgi, arena.urls
print(",".join(name for name in ("numpy", "scipy", "ratings") if name in sys.modules))
"""


def test_serving_battles_and_boards_loads_no_statistics() -> None:
    """numpy and scipy are 50 MB of the 120 that an idle web process may have."""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", LOADED], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""


def test_what_is_said_twice_for_that_is_said_alike() -> None:
    assert {winner: Outcome(code) for winner, code in OUTCOMES.items()} == {
        Winner.A: Outcome.A, Winner.B: Outcome.B, Winner.TIE: Outcome.TIE, Winner.BOTH_BAD: Outcome.BOTH_BAD,
    }  # fmt: skip
    for word in ("BETTER", "NO_DIFFERENCE", "CANNOT_TELL", "TOO_FEW"):
        assert getattr(claims, word) == getattr(deciding, word)


def test_every_process_of_ours_counts_with_one_thread() -> None:
    """A board is published by the worker and verified by a command: their sums must come in one order."""
    code = "import arena.settings, os; print(os.environ['OPENBLAS_NUM_THREADS'], 'numpy' in sys.modules)"
    bare = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; {code}"], cwd=ROOT, env=bare, capture_output=True, text=True
    )
    assert done.stdout.split() == ["1", "False"], done.stderr
