"""Fields that take what the schema says and nothing that only looks like it: no true for 1, no 7 for "7"."""

from __future__ import annotations

from typing import Any

from django.db import models
from rest_framework import serializers


class Text(serializers.CharField):
    """A text of JSON."""

    def to_internal_value(self, data: Any) -> str:
        """Raises ValidationError for anything else."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Number(serializers.FloatField):
    """A number of JSON."""

    def to_internal_value(self, data: Any) -> float:
        """Raises ValidationError for anything else, true and false among it."""
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        return super().to_internal_value(data)


class Whole(serializers.IntegerField):
    """A whole number of JSON."""

    def to_internal_value(self, data: Any) -> int:
        """Raises ValidationError for anything else, true and false among it."""
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        return super().to_internal_value(data)


STRICT: dict[type[models.Field[Any, Any]], type[serializers.Field[Any, Any, Any, Any]]] = {
    **serializers.ModelSerializer.serializer_field_mapping,
    models.CharField: Text,
    models.TextField: Text,
    models.FloatField: Number,
    models.PositiveIntegerField: Whole,
}
"""For the `serializer_field_mapping` of a serializer of what comes in."""
