"""Prompts and answers that votes refer to, from a file beside them: one row a pair, as LLMFAO has it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from arena.battles.importing_rows import PairTexts
from arena.prompts.rows import ImportRefused, Problem

ANSWERS = (("result_x", "result_y"), ("response_a", "response_b"), ("answer_a", "answer_b"))
PROMPTS = ("text", "prompt_text", "prompt")
CATEGORIES = ("category", "type")


def read_pairs(path: Path) -> dict[str, PairTexts]:
    """What was asked and answered, by the pair's id. JSON Lines or CSV, packed by gzip or not.

    Raises ImportRefused with all problems.
    """
    found: dict[str, PairTexts] = {}
    problems: list[Problem] = []
    for line, row in rows_of(path):
        key = _text(row, ("id", "pair_id", "question_id"))
        sides = next((pair for pair in ANSWERS if all(name in row for name in pair)), None)
        prompt = _text(row, PROMPTS)
        if not key or sides is None or not prompt:
            names = " or ".join("/".join(pair) for pair in ANSWERS)
            says = f"needs an id, a prompt in {' or '.join(PROMPTS)}, and answers in {names}."
            problems.append(Problem(path.name, line, "", ", ".join(row), says))
            continue
        prompt_id = _text(row, ("prompt_id",)) or (_text(row, ("prompt",)) if "text" in row else "")
        answers = _text(row, sides[:1]), _text(row, sides[1:])
        found[key] = PairTexts(prompt_id, prompt, _text(row, CATEGORIES), answers)
    if problems:
        raise ImportRefused(problems)
    return found


def read_models(path: Path) -> dict[str, dict[str, str]]:
    """Organisation and licence by the competitor's name. Raises ImportRefused."""
    found = {}
    for line, row in rows_of(path):
        name = _text(row, ("name", "model_name", "model"))
        if not name:
            raise ImportRefused([Problem(path.name, line, "name", "", "is empty. Every model has its name.")])
        found[name] = {
            "organization": _text(row, ("organization", "org"))[:120], "license": _text(row, ("license",))[:120],
        }  # fmt: skip
    return found


def rows_of(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Lines and rows of a small file of any form that votes may have. Raises ImportRefused."""
    from ratings.columns import at
    from ratings.errors import BadInput
    from ratings.reading import batches
    from ratings.sources import opened

    try:
        with opened(str(path)) as file:
            for batch in batches(file, str(path), []):
                columns = {
                    name: batch.values(name) if batch.values else _cells(batch.column(name), batch.size, at)
                    for name in batch.header
                }
                for row in range(batch.size):
                    yield batch.line(row), {name: values[row] for name, values in columns.items()}
    except BadInput as error:
        raise ImportRefused([Problem(path.name, error.line or 0, error.column, "", error.problem)]) from None


def _cells(column: Any, size: int, at: Any) -> list[str]:
    return [at(column, row) for row in range(size)]


def _text(row: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """The first of these that is filled, as text."""
    from ratings.json_rows import as_text

    return next((text for name in names if (text := as_text(row.get(name))).strip()), "")
