"""What a command gives: text to print, and files that appear whole, all of them or none."""

from __future__ import annotations

import csv
import io
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ratings.errors import BadInput
from ratings.writing import safe_cell


@dataclass(frozen=True, slots=True)
class Output:
    """Text for standard output, texts by file, and what whoever reads them should know, for standard error."""

    printed: str = ""
    files: Mapping[Path, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def deliver(self) -> None:
        """Writes the files, then prints.

        Raises
        ------
        BadInput
            A file cannot be written; none is then there that was not there before.
        """
        write_all(self.files)
        if self.printed:
            sys.stdout.buffer.write(_bytes(self.printed))
            sys.stdout.buffer.flush()


def to(text: str, out: str, notes: tuple[str, ...] = ()) -> Output:
    """A text printed, or laid into the file that was named."""
    return Output(files={Path(out): text}, notes=notes) if out else Output(text, notes=notes)


def write_all(files: Mapping[Path, str]) -> None:
    """Writes each file beside its place, then renames all: a reader sees the old one or the new one, never half of it.

    Raises
    ------
    BadInput
        With the file.
    """
    parts = {path: path.parent / f".{path.name}.{os.getpid()}.part" for path in files}
    path = Path()
    try:
        for path, text in files.items():
            if path.is_dir():
                raise IsADirectoryError(None, "it is a directory")
            parts[path].write_bytes(_bytes(text))
        for path, part in parts.items():
            part.replace(path)
    except OSError as error:
        for part in parts.values():
            with suppress(OSError):
                part.unlink(missing_ok=True)
        raise BadInput(f"cannot be written: {error.strerror or error}.", file=str(path)) from None


def _bytes(text: str) -> bytes:
    """UTF-8; half a character, which JSON may hold and UTF-8 may not, as its escape."""
    return text.encode("utf-8", "backslashreplace")


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """RFC 4180 text: shortest round-trip numbers, whole ones without a point, no cell that a spreadsheet would run."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return safe_cell(value) if isinstance(value, str) else value
