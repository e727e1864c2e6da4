"""A minute of the live red team: forbidden things do not get through, and what a campaign gets is told apart."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.redteam import live, live_report
from tests.redteam.live_attacks import told_by_time


@pytest.mark.processes
def test_nothing_forbidden_gets_through_a_running_server(tmp_path: Path) -> None:
    """One campaign without limits and with them, each attack, and a page that says so."""
    outcome = live.attack(tmp_path, seconds=4, battles=8, honest=300, plans=(live.PLANS[1], live.PLANS[4]))
    assert [(row.what, row.through) for row in outcome.forbidden if row.through] == []
    assert all(row.tried >= 5 for row in outcome.forbidden)
    sybils, asking = (run for run in outcome.runs if not run.limited)
    assert sybils.done.votes > 0, "an attacker who is never counted proves nothing"
    assert asking.standing["unrated"] == asking.standing["votes"] > 0
    page = live_report.page(outcome, seconds=4)
    assert "| double votes | 28 | 0 |" in page


def test_the_classifier_of_times_tells_what_differs_and_nothing_else() -> None:
    """So that it could find a leak: speeds two spreads apart are told, equal ones are not."""
    rng = random.Random(5)
    apart = [([rng.gauss(2.0 * (n % 2), 1), rng.gauss(0, 1)], n % 2 == 1) for n in range(400)]
    alike = [([rng.gauss(0, 1), rng.gauss(0, 1)], n % 2 == 1) for n in range(400)]
    assert told_by_time(apart).share > told_by_time(apart).allowed
    assert told_by_time(alike).share <= told_by_time(alike).allowed
