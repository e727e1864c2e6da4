"""The format of a backup: one zip file, a JSON line a row, and a manifest that says what must be in it.

It holds no SQL, so that what was kept in SQLite can be restored into PostgreSQL, and the other way round. Values are
written without loss: times to the microsecond, floats in their shortest round-trip form.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any
from uuid import UUID
from zipfile import BadZipFile, ZipFile

from django.db.models import BinaryField, DurationField, Field, Model

from arena.upkeep.errors import BadArchive

FORMAT = "blindfold-backup-1"
MANIFEST = "manifest.json"
SECRET_KEY = "secret-key"  # noqa: S105  # the name of a member of the archive
if TYPE_CHECKING:
    AnyField = Field[Any, Any]
else:  # Django's class takes no type arguments when the program runs
    AnyField = Field


@dataclass(frozen=True, slots=True)
class Table:
    """One model's rows: where they are in the archive, and what they must be."""

    label: str
    fields: tuple[str, ...]
    rows: int
    sha256: str

    @property
    def member(self) -> str:
        return member_of(self.label)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says about itself; `migrations` are the last ones of each app."""

    format: str
    code_version: str
    made_at: str
    migrations: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...]


def member_of(label: str) -> str:
    """The archive's member that holds a model's rows."""
    return f"tables/{label}.jsonl"


def fields_of(model: type[Model]) -> list[AnyField]:
    """The columns of a model's table, in a fixed order."""
    return list(model._meta.local_concrete_fields)


def line_of(values: tuple[Any, ...]) -> bytes:
    """A row as a line of JSON."""
    return json.dumps(values, default=_plain, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def value_of(field: AnyField, plain: Any) -> Any:
    """A value of a row as the model's field holds it; the inverse of what `line_of` wrote."""
    if plain is None:
        return None
    if isinstance(field, BinaryField):
        return base64.b64decode(plain)
    if isinstance(field, DurationField):
        return timedelta(microseconds=plain)
    return field.to_python(plain)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, UUID | Decimal):
        return str(value)
    if isinstance(value, bytes | memoryview | bytearray):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(value, timedelta):
        return value // timedelta(microseconds=1)
    raise TypeError(f"A value of type {type(value).__name__} cannot be kept in a backup.")


def manifest_of(archive: ZipFile, path: str) -> Manifest:
    """The archive's manifest. Raises BadArchive."""
    try:
        told = json.loads(archive.read(MANIFEST))
        tables = tuple(
            Table(table["label"], tuple(table["fields"]), table["rows"], table["sha256"]) for table in told["tables"]
        )
        leaves = tuple((app, name) for app, name in told["migrations"])
        found = Manifest(told["format"], told["code_version"], told["made_at"], leaves, tables)
    except (KeyError, ValueError, TypeError, BadZipFile) as error:
        raise BadArchive(path, f"its {MANIFEST} is missing or damaged") from error
    if found.format != FORMAT:
        raise BadArchive(path, f"its format is {found.format!r}, and this release reads {FORMAT!r}")
    return found


def rows_of(archive: ZipFile, table: Table) -> Iterator[list[Any]]:
    """A table's rows, one after the other."""
    with archive.open(table.member) as lines:
        for line in lines:
            yield json.loads(line)


def check(archive: ZipFile, manifest: Manifest, path: str) -> None:
    """Reads every table once and compares it with the manifest. Raises BadArchive, which names the table."""
    for table in manifest.tables:
        try:
            with archive.open(table.member) as lines:
                count, digest = digest_of(lines)
        except (KeyError, BadZipFile, EOFError, OSError) as error:
            raise BadArchive(path, f"{table.member} is missing or damaged") from error
        if (count, digest) != (table.rows, table.sha256):
            raise BadArchive(path, f"{table.member} holds {count} rows that are not the {table.rows} of its manifest")


def digest_of(lines: IO[bytes]) -> tuple[int, str]:
    """How many lines there are, and the SHA-256 of all."""
    digest, count = hashlib.sha256(), 0
    for line in lines:
        digest.update(line)
        count += 1
    return count, digest.hexdigest()
