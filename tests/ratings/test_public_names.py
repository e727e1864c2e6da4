"""What `import ratings` offers, and what it costs."""

from __future__ import annotations

import inspect
import subprocess
import sys
from types import ModuleType

import pytest

import ratings

SECTIONS = ("Parameters", "Attributes", "Returns", "Examples")


@pytest.mark.parametrize("name", ratings.__all__)
def test_every_public_name_says_what_it_is_and_what_it_takes(name: str) -> None:
    """A sentence of its own, and at least one of numpydoc's sections; a module's names have theirs."""
    what = getattr(ratings, name)
    said = inspect.getdoc(what) or ""  # without its indent, which Python 3.13 leaves out anyway
    assert len(said) > 20 and not said.startswith(f"{name}(")
    assert isinstance(what, ModuleType) or any(f"\n{word}\n---" in said for word in SECTIONS)


@pytest.mark.parametrize("room", ratings.ROOMS)
def test_what_a_module_offers_says_what_it_is(room: str) -> None:
    module = getattr(ratings, room)
    own = [what for name, what in vars(module).items()
           if not name.startswith("_") and getattr(what, "__module__", "") == module.__name__]  # fmt: skip
    assert own and all(len(what.__doc__ or "") > 20 for what in own)


def test_every_public_name_is_there_and_in_order() -> None:
    assert list(ratings.__all__) == sorted(set(ratings.__all__))
    assert {*ratings.LATER, *ratings.ROOMS} <= set(ratings.__all__)


def test_a_name_that_is_none_is_refused_by_name() -> None:
    with pytest.raises(AttributeError, match="no attribute 'boards'"):
        ratings.boards  # noqa: B018


def test_what_a_board_does_without_is_loaded_by_whoever_asks() -> None:
    modules = sorted({f"ratings.{module}" for module in (*ratings.LATER.values(), *ratings.ROOMS)})
    modules += ["scipy.optimize", "scipy.stats", "gzip"]
    code = f"import sys, ratings; print([m for m in {modules} if m in sys.modules]); print(ratings.compare.__module__)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.split("\n")[:2] == ["[]", "ratings.verdicts"]
