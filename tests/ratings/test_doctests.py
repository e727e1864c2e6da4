"""Every example of the package runs and gives what it says; those of `campaigns` are run beside its tests."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import ratings

MODULES = [
    module.name for module in pkgutil.iter_modules(ratings.__path__)
    if not module.ispkg and ">>> " in Path(ratings.__path__[0], f"{module.name}.py").read_text(encoding="utf-8")
]  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_examples_hold(name: str) -> None:
    found = doctest.testmod(importlib.import_module(f"ratings.{name}"))
    assert found.attempted > 0
    assert found.failed == 0


def test_examples_are_found() -> None:
    assert {"board", "verdicts", "arrays", "errors"} <= set(MODULES)
