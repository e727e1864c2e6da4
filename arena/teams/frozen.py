"""Rows that are written once: votes, and what was published. Only SQL of one's own can change them, and that is found.

`verify_snapshot` compares published boards with the votes, byte by byte.
"""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

from django.db import models

_Row = TypeVar("_Row", bound=models.Model, covariant=True)


class ImmutableRow(Exception):
    """A row that is written once was about to change or to go."""


class FrozenQuerySet(models.QuerySet[_Row]):
    """Reads and adds; refuses to change or delete."""

    def _refuse(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Raises ImmutableRow."""
        raise ImmutableRow(f"{self.model._meta.verbose_name} rows are written once and cannot change.")

    update = delete = bulk_update = update_or_create = _refuse
    _refuse.alters_data = True  # type: ignore[attr-defined]  # templates may not call it


class FrozenRow(models.Model):
    """A model whose rows are inserted and nothing else."""

    objects = FrozenQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Raises ImmutableRow for a row that is stored already."""
        if not self._state.adding:
            raise ImmutableRow(f"{self._named()} is written once and cannot change. Write a new one instead.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raises ImmutableRow."""
        raise ImmutableRow(f"{self._named()} is written once and cannot be deleted.")

    def _named(self) -> str:
        return f"{str(self._meta.verbose_name).capitalize()} {self.pk}"
