"""What is checked, as an operator writes it: `{"json": true, "max_words": 80, "contains": ["Paris"]}`."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from arena.prompts.checks.languages import CODES

MAX_PATTERN = 500
MAX_ITEMS = 20
MAX_LENGTH = 20_000
Spec = Mapping[str, Any]


class BadSpec(ValueError):
    """A check that cannot be run; the sentence names it, its value and what is allowed."""


def validated(spec: Any) -> dict[str, Any]:
    """The specification with lists for single values, in a fixed order. Raises BadSpec."""
    if spec in (None, ""):
        return {}
    if not isinstance(spec, dict):
        raise BadSpec(
            _("Checks are an object such as {“json”: true, “max_words”: 80}, not %(value)s.") % {"value": _short(spec)}
        )
    unknown = [name for name in spec if name not in KINDS]
    if unknown:
        raise BadSpec(
            _("“%(name)s” is no check: use some of %(allowed)s.")
            % {"name": _short(unknown[0]), "allowed": ", ".join(KINDS)}
        )
    try:
        _check_storable(spec)
        return {name: KINDS[name](name, spec[name]) for name in KINDS if name in spec}
    except RecursionError:
        raise BadSpec(_("These checks are nested too deeply to be read.")) from None


def parsed(text: str) -> dict[str, Any]:
    """The specification that somebody wrote as JSON; blank for none. Raises BadSpec."""
    if not text.strip():
        return {}
    try:
        spec = json.loads(text)
    except (ValueError, RecursionError) as error:
        where = {"value": _short(text.strip()), "why": str(error)}
        raise BadSpec(
            _("%(value)s is no JSON (%(why)s). Write {“max_words”: 80}, with straight quotes.") % where
        ) from None
    return validated(spec)


def written(spec: Spec) -> str:
    """As `parsed` reads it, for people to change: a line a check; blank for none."""
    lines = [f" {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in spec.items()]
    return "{\n" + ",\n".join(lines) + "\n}" if lines else ""


def combined(of_set: Spec, own: Spec) -> dict[str, Any]:
    """What is checked of a prompt: its own checks on top of its set's. Lists add up, else its own value counts."""
    both = {**of_set, **own}
    for name in of_set.keys() & own.keys():
        if isinstance(own[name], list):
            both[name] = list(dict.fromkeys([*of_set[name], *own[name]]))
    return {name: both[name] for name in KINDS if name in both}


def digest(spec: Spec) -> str:
    """A specification's name in sixteen characters: answers are checked anew when it changes."""
    return hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()[:16]


def _check_storable(spec: Spec) -> None:
    """Raises BadSpec for what no database keeps, or nobody would write."""
    try:
        text = json.dumps(spec, allow_nan=False)
    except (TypeError, ValueError):
        raise BadSpec(_("Checks hold texts, numbers, lists and objects; NaN and infinity are none.")) from None
    if len(text) > MAX_LENGTH:
        raise BadSpec(
            _("These checks have %(long)s characters. Use at most %(most)s.") % {"long": len(text), "most": MAX_LENGTH}
        )
    if re.search(r"\\u(0000|d[89a-f])", text):
        raise BadSpec(_("Checks hold characters no database keeps. Remove NUL and surrogates."))


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:59] + "…"


def _yes(name: str, value: Any) -> bool:
    if value is not True:
        raise BadSpec(
            _("“%(name)s” is switched on by true; it was given %(value)s.") % {"name": name, "value": _short(value)}
        )
    return True


def _words(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 100_000:
        raise BadSpec(
            _("“%(name)s” is a whole number from 1 to 100000; it was given %(value)s.")
            % {"name": name, "value": _short(value)}
        )
    return value


def _texts(name: str, value: Any) -> list[str]:
    items = [value] if isinstance(value, str) else value
    right = isinstance(items, list) and 0 < len(items) <= MAX_ITEMS
    if not right or not all(isinstance(item, str) and 0 < len(item) <= MAX_PATTERN for item in items):
        raise BadSpec(
            _(
                "“%(name)s” is a text or a list of up to %(most)s texts of up to %(long)s characters; "
                "it was given %(value)s."
            )
            % {"name": name, "most": MAX_ITEMS, "long": MAX_PATTERN, "value": _short(value)}
        )
    return list(items)


def _patterns(name: str, value: Any) -> list[str]:
    import re2

    items = _texts(name, value)
    options = re2.Options()
    options.log_errors = False
    for item in items:
        try:
            re2.compile(item, options)
        except re2.error as error:
            raise BadSpec(
                _(
                    "The pattern %(value)s cannot be used (%(why)s). Patterns follow RE2: no look-around, "
                    "no back-references."
                )
                % {"value": _short(item), "why": error.args[0].decode(errors="replace")}
            ) from None
    return items


def _schema(name: str, value: Any) -> Any:
    from jsonschema import SchemaError
    from jsonschema.validators import validator_for

    if not isinstance(value, dict) or _refers_outside(value):
        raise BadSpec(
            _("“%(name)s” is a JSON schema, an object that refers to nothing outside itself.") % {"name": name}
        )
    try:
        validator_for(value).check_schema(value)
    except SchemaError as error:
        why = {"name": name, "why": _short(error.message)}
        raise BadSpec(_("“%(name)s” is no JSON schema: %(why)s.") % why) from None
    if _names_by_pattern(value):
        raise BadSpec(_("“%(name)s” may not use patternProperties: name the properties.") % {"name": name})
    for pattern in _patterns_in(value):
        _patterns("pattern", pattern)
    return value


def _refers_outside(value: Any) -> bool:
    """Whether something would have to be fetched to use a schema."""
    if isinstance(value, dict):
        if any(not str(value.get(word, "#")).startswith("#") for word in ("$ref", "$dynamicRef")):
            return True
        return any(_refers_outside(inner) for inner in value.values())
    return isinstance(value, list) and any(_refers_outside(inner) for inner in value)


def _names_by_pattern(value: Any) -> bool:
    """Whether names of properties are matched by patterns, which jsonschema does in an engine that can hang."""
    if isinstance(value, dict):
        return "patternProperties" in value or any(_names_by_pattern(inner) for inner in value.values())
    return isinstance(value, list) and any(_names_by_pattern(inner) for inner in value)


def _patterns_in(value: Any) -> Iterator[Any]:
    """Every pattern of a schema: they are held to RE2 as all patterns are, so that no answer can hang one."""
    if isinstance(value, dict):
        if isinstance(value.get("pattern"), str):
            yield value["pattern"]
        for inner in value.values():
            yield from _patterns_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _patterns_in(inner)


def _language(name: str, value: Any) -> str:
    code = str(value).lower() if isinstance(value, str) else ""
    if code not in CODES:
        raise BadSpec(
            _("“%(name)s” is a language's code, such as en or de; it was given %(value)s.")
            % {"name": name, "value": _short(value)}
        )
    return code


KINDS: dict[str, Callable[[str, Any], Any]] = {
    "json": _yes,
    "json_schema": _schema,
    "regex": _patterns,
    "contains": _texts,
    "not_contains": _texts,
    "max_words": _words,
    "language": _language,
}
"""The checks that a prompt or a set may ask for, in the order of the board's columns."""
