"""Brings a backup back: into an empty database of either kind, and up to this release's schema."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from django.conf import settings
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.models import Model

from arena.upkeep import archive as archives
from arena.upkeep.archive import SECRET_KEY, AnyField, Manifest, Table, fields_of, value_of
from arena.upkeep.errors import BadArchive, NewerRelease, NotEmpty

ROWS_AT_ONCE = 1000
USED = ("teams_arena", "teams_voter", "auth_user")
"""Tables in which an instance that was ever used has a row."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back, and where the database went that was there."""

    manifest: Manifest
    aside: Path | None


def restore(path: Path, *, aside_stamp: str = "") -> Restored:
    """Checks the archive whole, builds the schema it was made with, loads all rows in one transaction, then upgrades.

    `aside_stamp` moves an SQLite database that is there to a name with this stamp, once the archive is known to be
    whole. Raises BadArchive, NewerRelease, NotEmpty; nothing is then stored.
    """
    try:
        archive = ZipFile(path)
    except (BadZipFile, OSError) as error:
        raise BadArchive(str(path), getattr(error, "strerror", None) or "it is no zip file") from error
    with archive:
        manifest = archives.manifest_of(archive, str(path))
        archives.check(archive, manifest, str(path))
        _refuse_newer(manifest, str(path))
        models = _models(manifest, str(path))
        aside = _set_aside(aside_stamp) if aside_stamp else None
        _refuse_unless_empty()
        MigrationExecutor(connection).migrate(list(manifest.migrations))
        with transaction.atomic():
            for model in models.values():
                _empty(model)  # what migrations put there is in the backup, too
            for table in manifest.tables:
                _load(archive, table, models[table.label])
            _continue_ids(list(models.values()))
        _restore_key(archive)
    call_command("migrate", verbosity=0, interactive=False)
    return Restored(manifest, aside)


def _refuse_unless_empty() -> None:
    """Raises NotEmpty where an instance has ever been used."""
    there = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for table in there.intersection(USED):
            cursor.execute(f"SELECT 1 FROM {connection.ops.quote_name(table)} LIMIT 1")  # noqa: S608  # our own name
            if cursor.fetchone():
                raise NotEmpty(_name_of_database(), _advice())


def _name_of_database() -> str:
    return str(connection.settings_dict["NAME"])


def _advice() -> str:
    if connection.vendor == "sqlite":
        return "Say --set-aside to keep it under another name, or point DATABASE_URL elsewhere."
    return "Make a new database and name it in DATABASE_URL."


def _refuse_newer(manifest: Manifest, path: str) -> None:
    known = MigrationLoader(None).graph.nodes
    unknown = [f"{app}.{name}" for app, name in manifest.migrations if (app, name) not in known]
    if unknown:
        raise NewerRelease(path, unknown)


def _models(manifest: Manifest, path: str) -> dict[str, type[Model]]:
    """The models of the time when the backup was made, by label. Raises BadArchive where its columns are not theirs."""
    then = MigrationLoader(None).project_state(list(manifest.migrations)).apps
    known = {model._meta.label: model for model in then.get_models(include_auto_created=True)}
    for table in manifest.tables:
        model = known.get(table.label)
        if model is None or {field.attname for field in fields_of(model)} != set(table.fields):
            raise BadArchive(path, f"its table {table.label} does not fit the migrations that it names")
    return {table.label: known[table.label] for table in manifest.tables}


def _empty(model: type[Model]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {connection.ops.quote_name(model._meta.db_table)}")  # noqa: S608  # our own name


def _load(archive: ZipFile, table: Table, model: type[Model]) -> None:
    """Inserts rows as they were written: no model's `save`, default or present time takes part."""
    by_name = {field.attname: field for field in fields_of(model)}
    fields = [by_name[name] for name in table.fields]
    quoted = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    insert = f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} ({quoted}) VALUES ({marks})"  # noqa: S608
    with connection.cursor() as cursor:
        for some in _in_batches(archives.rows_of(archive, table)):
            cursor.executemany(insert, [_prepared(fields, row) for row in some])


def _prepared(fields: list[AnyField], row: list[Any]) -> list[Any]:
    return [
        field.get_db_prep_save(value_of(field, plain), connection) for field, plain in zip(fields, row, strict=True)
    ]


def _in_batches(rows: Iterable[list[Any]]) -> Iterator[list[list[Any]]]:
    source = iter(rows)
    while some := list(islice(source, ROWS_AT_ONCE)):
        yield some


def _continue_ids(models: list[type[Model]]) -> None:
    """New rows get ids above the restored ones."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), models):
            cursor.execute(statement)


def _restore_key(archive: ZipFile) -> None:
    """The key that signed voters' cookies, unless the environment gives one; the one that was here is kept aside."""
    if SECRET_KEY not in archive.namelist() or os.environ.get("SECRET_KEY"):
        return
    place: Path = settings.VAR_DIR / SECRET_KEY
    key = archive.read(SECRET_KEY).decode()
    if place.exists() and place.read_text().strip() != key:
        place.replace(place.with_name(f"{SECRET_KEY}.before-restore"))
    place.touch(mode=0o600)
    place.write_text(key)


def _set_aside(stamp: str) -> Path | None:
    """Moves an SQLite database out of the way under a name with this stamp; None where there is none."""
    place = Path(_name_of_database())
    if connection.vendor != "sqlite" or not place.exists():
        return None
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    aside = place.with_name(f"{place.stem}.before-restore-{stamp}{place.suffix}")
    place.replace(aside)
    for beside in ("-wal", "-shm"):
        place.with_name(place.name + beside).unlink(missing_ok=True)
    return aside
