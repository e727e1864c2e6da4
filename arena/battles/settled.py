"""The highest ids below which no row is still on its way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, models, transaction

from arena.battles.models import Battle, Response, Vote

TABLES: tuple[type[models.Model], ...] = (Battle, Response, Vote)


@contextmanager
def frozen_tables(*tables: type[models.Model]) -> Iterator[None]:
    """A transaction in which no row of these tables is half written; without any: no vote, battle or response.

    An id is taken from its sequence before its row is committed, so that a higher id can be visible while a lower one
    is still on its way; a cut-off read then would miss the lower one now and find it later. Writers take their table
    lock before they take an id: once this lock is granted, every id below the highest is settled. On SQLite the
    transaction is IMMEDIATE and there is one writer at a time anyway.
    """
    with transaction.atomic():
        if connection.vendor == "postgresql":
            names = ", ".join(f'"{model._meta.db_table}"' for model in tables or TABLES)
            with connection.cursor() as cursor:
                cursor.execute(f"LOCK TABLE {names} IN SHARE MODE")
        yield
