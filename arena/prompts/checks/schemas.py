"""JSON schemas whose patterns cannot hang: jsonschema with RE2 in place of Python's own regular expressions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import re2
from jsonschema import ValidationError
from jsonschema.validators import extend, validator_for
from referencing import Registry


def fits(value: Any, schema: Mapping[str, Any]) -> bool:
    """Whether a parsed value is what the schema describes. Nothing is fetched: a schema refers to itself alone."""
    kind = extend(validator_for(schema), {"pattern": _pattern})
    return bool(kind(schema, registry=Registry()).is_valid(value))


def _pattern(_validator: Any, pattern: str, value: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(value, str) and re2.search(pattern, value) is None:
        yield ValidationError(f"{value!r} does not match {pattern!r}")
