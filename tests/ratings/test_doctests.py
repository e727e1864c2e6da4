"""Every example of the numerical modules runs and gives what it says."""

from __future__ import annotations

import doctest
import importlib

import pytest

MODULES = (
    "board", "bootstrap", "bradley_terry", "connectivity", "data", "davidson", "electorate", "firth", "freshness",
    "linear", "ranks", "sandwich", "scale", "separation", "simulate", "style", "tallies",
)  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_examples_hold(name: str) -> None:
    found = doctest.testmod(importlib.import_module(f"ratings.{name}"))
    assert found.failed == 0
