"""Runs checks over one answer. Each result is passed, failed, or left open where nothing can be said."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from arena.prompts.checks.languages import language_of
from arena.prompts.checks.refusals import refuses
from arena.prompts.checks.specs import Spec

Results = dict[str, bool | None]
ALWAYS = ("not_empty", "no_refusal", "not_cut_off")
"""What is told of every answer, asked for or not."""
RULES = 1
"""Raised when a check judges otherwise than before: what was checked by older rules is checked anew."""
_FENCE = re.compile(r"\A```(?:json)?\s*\n(.*?)\n?```\Z", re.DOTALL | re.IGNORECASE)


def run(text: str, spec: Spec, *, finish_reason: str = "") -> Results:
    """The results by name: those of every answer first, then the specified ones."""
    stripped = text.strip()
    found: Results = {
        "not_empty": bool(stripped),
        "no_refusal": not refuses(text) if stripped else None,
        "not_cut_off": finish_reason != "length" if finish_reason else None,
    }
    return found | {name: RUN[name](text, value) for name, value in spec.items()}


def _parsed(text: str) -> Any:
    """The JSON that an answer is; one code fence around the whole of it is forgiven. Raises ValueError."""
    stripped = text.strip()
    fenced = _FENCE.match(stripped)
    return json.loads(fenced[1] if fenced else stripped)


def _is_json(text: str, _value: Any) -> bool:
    try:
        _parsed(text)
    except (ValueError, RecursionError):
        return False
    return True


def _fits(text: str, schema: Mapping[str, Any]) -> bool:
    from arena.prompts.checks.schemas import fits

    try:
        return fits(_parsed(text), schema)
    except (ValueError, RecursionError):
        return False


def _matches(text: str, patterns: list[str]) -> bool:
    import re2

    return all(re2.search(pattern, text) is not None for pattern in patterns)


def _contains(text: str, wanted: list[str]) -> bool:
    folded = text.casefold()
    return all(word.casefold() in folded for word in wanted)


def _lacks(text: str, unwanted: list[str]) -> bool:
    folded = text.casefold()
    return not any(word.casefold() in folded for word in unwanted)


def _short_enough(text: str, most: int) -> bool:
    return len(text.split()) <= most


def _is_in(text: str, code: str) -> bool | None:
    told = language_of(text)
    return None if told is None else told == code


RUN: dict[str, Callable[[str, Any], bool | None]] = {
    "json": _is_json,
    "json_schema": _fits,
    "regex": _matches,
    "contains": _contains,
    "not_contains": _lacks,
    "max_words": _short_enough,
    "language": _is_in,
}
