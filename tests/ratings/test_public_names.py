"""What `import ratings` offers, and what it costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

import ratings


@pytest.mark.parametrize("name", ratings.__all__)
def test_every_public_name_says_what_it_is(name: str) -> None:
    """More than the signature that a dataclass writes for itself."""
    said = getattr(ratings, name).__doc__ or ""
    assert len(said) > 20 and not said.startswith(f"{name}(")


def test_a_name_that_is_none_is_refused_by_name() -> None:
    with pytest.raises(AttributeError, match="no attribute 'boards'"):
        ratings.boards  # noqa: B018


def test_what_a_board_does_without_is_loaded_by_whoever_asks() -> None:
    modules = sorted({f"ratings.{module}" for module in ratings.LATER.values()})
    code = f"import sys, ratings; print([m for m in {modules} if m in sys.modules]); print(ratings.compare.__module__)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.split("\n")[:2] == ["[]", "ratings.verdicts"]
