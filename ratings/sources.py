"""Bytes of a vote file, packed or not, in blocks of whole lines; never more than a block and a line is held."""

from __future__ import annotations

import gzip
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import numpy as np

from ratings.errors import BadInput

BLOCK = 1 << 22
"""Bytes read at once."""
MAX_LINE = 1 << 24
"""Bytes of the longest line, and characters of the longest cell, that are read."""
STRANGERS = {
    b"\xff\xfe": "is UTF-16: save it as UTF-8.",
    b"\xfe\xff": "is UTF-16: save it as UTF-8.",
    b"PAR1": "is Parquet: convert it to CSV or JSON Lines.",
    b"PK\x03\x04": "is a zip archive or a spreadsheet: save the votes as CSV.",
    b"\x28\xb5\x2f\xfd": "is packed with zstd: unpack it, or pack it with gzip.",
    b"BZh": "is packed with bzip2: unpack it, or pack it with gzip.",
}
"""How files begin that are none of ours."""
BOM = b"\xef\xbb\xbf"
GZIP = b"\x1f\x8b"
NEWLINE = 10


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a file: its bytes, the number of its first line, from 1, and how many lines end in it."""

    data: bytes
    line: int
    ends: int

    def text(self, path: str) -> str:
        """The block as text.

        Raises
        ------
        BadInput
            With the line, the byte and what stands around it.
        """
        try:
            return self.data.decode("utf-8")
        except UnicodeDecodeError as error:
            line = self.line + self.data.count(b"\n", 0, error.start)
            raise not_utf8(self.data, error.start, path, line) from None


def not_utf8(data: bytes, place: int, path: str, line: int) -> BadInput:
    """What is said of a byte that is no UTF-8, with what stands around it on its line."""
    first = max(data.rfind(b"\n", 0, place) + 1, place - 20)
    after = data.find(b"\n", place)
    near = data[first : min(len(data) if after < 0 else after, place + 20)].decode("latin-1").strip()
    return BadInput(f"byte 0x{data[place]:02X} in {near!r} is not UTF-8: save the file as UTF-8.", file=path, line=line)


@contextmanager
def opened(path: str) -> Iterator[IO[bytes]]:
    """The bytes of a file, unpacked where it is gzip whatever it is called; `-` is standard input.

    What cannot be read twice (a pipe) is laid into an unnamed file first: duplicates need a second look.

    Raises
    ------
    BadInput
        The file is missing, a directory, unreadable, cut short, damaged, or of a kind that is not understood.
    """
    if "\0" in path:
        raise BadInput(f"{path!r} is no name of a file.")
    try:
        with _raw(path) as file:
            start = file.read(4)
            file.seek(0)
            if start[:2] != GZIP and path.endswith(".gz") and start:
                raise BadInput("ends in .gz and is not gzip.", file=path)
            if start[:2] == GZIP:
                with gzip.open(file) as unpacked:
                    yield unpacked  # type: ignore[misc]
            else:
                yield file
    except EOFError:
        raise BadInput("cannot be read: the packed file is cut short. Fetch or pack it again.", file=path) from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise BadInput(
            f"cannot be read: the packed file is damaged ({error}). Fetch or pack it again.", file=path
        ) from None
    except IsADirectoryError:
        raise BadInput("is a directory: name one file in it.", file=path) from None
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror or error}.", file=path) from None


@contextmanager
def _raw(path: str) -> Iterator[IO[bytes]]:
    with Path(path).open("rb") if path != "-" else open(0, "rb", closefd=False) as file:
        if file.seekable() and file.tell() == 0:
            yield file
            return
        with TemporaryFile() as copy:
            shutil.copyfileobj(file, copy)
            copy.seek(0)
            yield copy


def chunks(file: IO[bytes], path: str) -> Iterator[Block]:
    """Blocks that may end within a line; without byte order mark, old line ends turned into \\n.

    Raises
    ------
    BadInput
        A stranger's signature, or a NUL byte.
    """
    file.seek(0)
    line, old = 1, False
    for number, data in enumerate(iter(lambda: file.read(BLOCK), b"")):
        if number == 0:
            stranger = next((said for mark, said in STRANGERS.items() if data.startswith(mark)), None)
            if stranger:
                raise BadInput(stranger, file=path)
            data = data.removeprefix(BOM)
            old = b"\n" not in data and b"\r" in data
        nul = data.find(b"\0")
        if nul >= 0:
            raise BadInput(
                "holds a NUL byte: it is not text, or not UTF-8.", file=path, line=line + data.count(b"\n", 0, nul)
            )
        if old:
            data = data.replace(b"\r", b"\n")
        ends = int(np.count_nonzero(np.frombuffer(data, np.uint8) == NEWLINE))
        yield Block(data, line, ends)
        line += ends


def too_long(path: str, line: int, item: int | None = None) -> BadInput:
    """What is said of a line, or of one vote of a JSON list, that is longer than `MAX_LINE`."""
    return BadInput(
        f"is longer than {MAX_LINE:,} bytes: is this a file of votes, one a line?", file=path, line=line, item=item
    )


def whole_lines(file: IO[bytes], path: str) -> Iterator[Block]:
    """Blocks that end with a line, or with the file.

    Raises
    ------
    BadInput
        A line is longer than `MAX_LINE`.
    """
    rest, line = b"", 1
    for block in chunks(file, path):
        cut = block.data.rfind(b"\n") + 1
        if len(rest) + (cut or len(block.data)) > MAX_LINE and b"\n" not in block.data[: MAX_LINE - len(rest)]:
            raise too_long(path, line)
        if not cut:
            rest += block.data
            continue
        yield Block(rest + block.data[:cut], line, block.ends)
        line = block.line + block.ends
        rest = block.data[cut:]
    if rest:
        yield Block(rest, line, 0)
