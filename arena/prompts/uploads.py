"""Files wait here between their upload and the choice of what their columns mean. The only writer of uploads."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from arena.prompts.decoding import File
from arena.prompts.intake import check_size
from arena.prompts.models import Upload
from arena.teams.models import Arena

KEPT = timedelta(days=1)


def keep(files: Sequence[File], arena: Arena, user_id: int | None, kind: str, *, now: datetime) -> Upload:
    """Store what was sent; uploads of the day before go. Raises ImportRefused where it is nothing or too much."""
    check_size(files)
    forget(now=now)
    return Upload.objects.create(
        arena=arena,
        user_id=user_id,
        kind=kind,
        names=[file.name for file in files],
        content=_packed(files),
        created_at=now,
    )


def forget(*, now: datetime) -> None:
    """Deletes what nobody finished within a day: it may hold what is to be sealed. The worker's duty too."""
    Upload.objects.filter(created_at__lt=now - KEPT).delete()


def files_of(upload: Upload) -> list[File]:
    """What was sent, in its order; nothing once it was imported."""
    if not upload.content:
        return []
    with zipfile.ZipFile(io.BytesIO(bytes(upload.content))) as archive:
        return [File(name, archive.read(str(place))) for place, name in enumerate(upload.names)]


def waiting(arena: Arena, public_id: UUID) -> Upload | None:
    """The upload of this id in this arena, locked until the caller's transaction ends."""
    return Upload.objects.select_for_update().filter(arena=arena, public_id=public_id).first()


def change_kind(upload: Upload, kind: str) -> None:
    """Take the same files as the other kind of table."""
    upload.kind = kind
    upload.save(update_fields=["kind"])


def finish(upload: Upload, result: Mapping[str, Any]) -> None:
    """Keep what came of it and drop the content."""
    upload.content, upload.result = b"", dict(result)
    upload.save(update_fields=["content", "result"])


def _packed(files: Sequence[File]) -> bytes:
    """One archive; entries are numbered, for two files may have one name."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, file in enumerate(files):
            archive.writestr(str(place), file.content)
    return packed.getvalue()
