"""Writes a backup: everything that the database holds at one moment, while votes go on."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.models import Model

from arena.upkeep.archive import FORMAT, MANIFEST, SECRET_KEY, Manifest, Table, fields_of, line_of, member_of
from arena.upkeep.errors import CannotWrite, InTheWay

LEFT_OUT = {"sessions.Session", "teams.Heartbeat"}
"""What means nothing after a restore: who was signed in, and which process was alive."""
ROWS_AT_ONCE = 2000


def write_backup(path: Path, *, now: datetime) -> Manifest:
    """Writes the archive whole or not at all, readable by its owner only. Voters do not wait meanwhile.

    It also holds `var/secret-key`, unless the key comes from the environment: without the key no cookie that a voter
    holds would be known again.

    Raises InTheWay, CannotWrite.
    """
    if path.exists():
        raise InTheWay(str(path))
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with (
            os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out,
            ZipFile(out, "w", ZIP_DEFLATED, compresslevel=6) as archive,
        ):
            manifest = _write(archive, now)
        part.replace(path)
    except OSError as error:
        raise CannotWrite(str(path), error.strerror or str(error)) from error
    finally:
        part.unlink(missing_ok=True)
    return manifest


def _write(archive: ZipFile, now: datetime) -> Manifest:
    with _one_moment():
        tables = tuple(_write_table(archive, model) for model in kept_models())
        leaves = applied_leaves()
    manifest = Manifest(FORMAT, settings.CODE_VERSION, now.isoformat(), leaves, tables)
    archive.writestr(MANIFEST, json.dumps(asdict(manifest), indent=1))
    key = settings.VAR_DIR / SECRET_KEY
    if key.exists() and key.read_text().strip() == settings.SECRET_KEY:
        archive.writestr(SECRET_KEY, settings.SECRET_KEY)
    return manifest


def kept_models() -> list[type[Model]]:
    """Every model with a table of its own, in a fixed order, but for what is left out."""
    models = [model for model in apps.get_models(include_auto_created=True) if model._meta.managed]
    kept = [model for model in models if not model._meta.proxy and model._meta.label not in LEFT_OUT]
    return sorted(kept, key=lambda model: model._meta.label)


def applied_leaves() -> tuple[tuple[str, str], ...]:
    """The last applied migration of each app."""
    loader = MigrationLoader(connection)
    applied = set(loader.applied_migrations)
    inner = {parent.key for key in applied if key in loader.graph.nodes for parent in loader.graph.node_map[key].parents
             if parent.key[0] == key[0]}  # fmt: skip
    return tuple(sorted(key for key in applied - inner if key in loader.graph.nodes))


def _write_table(archive: ZipFile, model: type[Model]) -> Table:
    names = tuple(field.attname for field in fields_of(model))
    digest, count = hashlib.sha256(), 0
    rows = model._base_manager.order_by("pk").values_list(*names).iterator(chunk_size=ROWS_AT_ONCE)
    with archive.open(member_of(model._meta.label), "w", force_zip64=True) as out:
        for values in rows:
            line = line_of(values)
            digest.update(line)
            out.write(line)
            count += 1
    return Table(model._meta.label, names, count, digest.hexdigest())


@contextmanager
def _one_moment() -> Iterator[None]:
    """Every query inside sees the database as it was at the first one, and hinders no writer."""
    if connection.vendor == "postgresql":
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
        return
    with connection.cursor() as cursor:
        cursor.execute("BEGIN DEFERRED")  # not as `atomic` begins here, which is to write and holds up every vote
        try:
            yield
        finally:
            cursor.execute("COMMIT")
