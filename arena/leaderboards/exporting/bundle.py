"""A reproduction bundle: everything from which one command of `ratings` rebuilds a published CSV byte for byte."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import platform
import shlex
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from arena.leaderboards.exporting.files import columns, served_pieces
from arena.leaderboards.exporting.scope import Scope
from arena.leaderboards.exporting.sidecar import about
from arena.leaderboards.exporting.votes import exclusion_rows, vote_rows
from arena.leaderboards.models import Snapshot
from arena.leaderboards.shares import cutoffs_of

VOTES, CATALOGUE, EXCLUSIONS, BOARD = "votes.jsonl", "catalogue.csv", "exclusions.csv", "leaderboard.csv"
REBUILT = "rebuilt.csv"
README = """# {title}: snapshot {number}

Everything from which the published board can be made again. With Python and Blindfold {code}, or its package `ratings`
alone beside numpy and scipy, in this folder:

    {command}

`{rebuilt}` is then `{board}` byte for byte, and the hash of its data is {sha256}.

* `{votes}`: every vote up to the snapshot in its order, by pseudonyms of this bundle alone. `rated` is false for second
  looks of one voter and for battles whose texts said whose they were.
* `{exclusions}`: votes that a decision left out of the ratings, and why. `rating_plain` counts them.
* `{catalogue}`: what votes cannot know of a competitor.
* `settings.json`: settings, seed, cut-off, hashes and versions. `SHA256SUMS`: of every file here.
{more}"""
PUBLIC_SAYS = """
This bundle is public: it holds no prompts and no answers, and pseudonyms nobody can resolve.
"""
FULL_SAYS = """
This bundle is full, for the owners of the arena alone: `votes.jsonl` holds prompts and answers, `served.csv` every
battle that was shown, and `key.txt` the key of the pseudonyms. Whoever has the key and the database can tell who voted.
"""


class NotByCommand(Exception):
    """A snapshot was published with a setting that the command line cannot be told."""


def bundle_pieces(snapshot: Snapshot, *, is_full: bool = False) -> Iterator[bytes]:
    """The bundle as a .zip, streamed: a thousand votes are held at once."""
    scope = Scope(snapshot.arena, cutoffs_of(snapshot), is_full, has_texts=is_full)
    pipe, sums = _Pipe(), dict[str, str]()
    with ZipFile(pipe, "w", ZIP_DEFLATED) as bundle:  # type: ignore[call-overload]  # all that it needs is a `write`
        for name, made in _parts(snapshot, scope).items():
            digest = hashlib.sha256()
            with bundle.open(_entry(name, snapshot), "w", force_zip64=True) as entry:
                for piece in made():
                    digest.update(piece)
                    entry.write(piece)
                    yield pipe.taken()
            sums[name] = digest.hexdigest()
        bundle.writestr(
            _entry("SHA256SUMS", snapshot), "".join(f"{value}  {name}\n" for name, value in sums.items())
        )  # fmt: skip
    yield pipe.taken()


def command_of(snapshot: Snapshot) -> list[str]:
    """The one command that rebuilds the board. Raises NotByCommand."""
    told = dict(snapshot.settings)
    command = [
        "python",
        "-m",
        "ratings",
        "board",
        VOTES,
        "--exclusions",
        EXCLUSIONS,
        "--meta",
        CATALOGUE,
        "--out",
        REBUILT,
    ]
    for name in ("ties", "by", "interval", "rounds", "seed", "level"):
        command += [f"--{name}", str(told.pop(name))]
    anchor, rating = told.pop("anchor"), told.pop("anchor_rating")
    if anchor is not None:
        command += ["--anchor", f"{anchor}={rating:g}"]
    if style := told.pop("style"):
        command += ["--style", ",".join(style)]
    command += ["--side-effect"] * bool(told.pop("side_effect")) + ["--no-prior"] * (not told.pop("prior"))
    if left := {name: value for name, value in told.items() if value}:
        raise NotByCommand(f"Snapshot {snapshot.pk} was published with {left}, which no command line says.")
    return command


def _parts(snapshot: Snapshot, scope: Scope) -> dict[str, Callable[[], Iterator[bytes]]]:
    """What stands in the bundle, each made when its turn comes."""
    parts: dict[str, Callable[[], Iterator[bytes]]] = {
        "README.md": lambda: iter([_readme(snapshot, scope).encode()]),
        "settings.json": lambda: iter([_settings(snapshot, scope).encode()]),
        BOARD: lambda: iter([snapshot.board_csv.encode()]),
        "leaderboard.json": lambda: iter([snapshot.board_json.encode()]),
        CATALOGUE: lambda: iter([_catalogue(snapshot).encode()]),
        EXCLUSIONS: lambda: _exclusions(scope),
        VOTES: lambda: _votes(scope),
    }
    if scope.is_full:
        parts |= {
            "served.csv": lambda: served_pieces(scope),
            "key.txt": lambda: iter([f"{scope.key.hex()}\n".encode()]),
        }
    return parts


def _votes(scope: Scope) -> Iterator[bytes]:
    from ratings.writers import LEAN, jsonl_pieces

    rows = vote_rows(scope, before_exclusions=True)
    return jsonl_pieces(rows, columns(scope) if scope.is_full else LEAN)


def _exclusions(scope: Scope) -> Iterator[bytes]:
    from ratings.excluding import COLUMNS
    from ratings.writers import csv_pieces

    return csv_pieces(exclusion_rows(scope), COLUMNS)


def _catalogue(snapshot: Snapshot) -> str:
    """As published: what an operator corrected since does not belong to this snapshot. Letter for letter: what is
    neutralised for spreadsheets is the board made of it."""
    from ratings.commands.board import JOINED
    from ratings.writing import CHECK

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    rows = json.loads(snapshot.board_json)["board"]
    joined = [*JOINED, *dict.fromkeys(name for row in rows for name in row if name.startswith(CHECK))]
    writer.writerow(["model_name", *joined])
    for row in rows:
        writer.writerow([row["model_name"], *("" if row.get(name) is None else row[name] for name in joined)])
    return out.getvalue()


def _settings(snapshot: Snapshot, scope: Scope) -> str:
    said: dict[str, Any] = {
        **about(snapshot), "command": shlex.join(command_of(snapshot)), "is_full": scope.is_full,
        "versions": {"python": platform.python_version(), **{name: version(name) for name in ("numpy", "scipy")}},
    }  # fmt: skip
    return json.dumps(said, ensure_ascii=False, indent=1) + "\n"


def _readme(snapshot: Snapshot, scope: Scope) -> str:
    return README.format(
        title=snapshot.arena.title, number=snapshot.number, code=snapshot.code_version,
        command=shlex.join(command_of(snapshot)), rebuilt=REBUILT, board=BOARD, sha256=snapshot.data_sha256,
        votes=VOTES, exclusions=EXCLUSIONS, catalogue=CATALOGUE, more=FULL_SAYS if scope.is_full else PUBLIC_SAYS,
    )  # fmt: skip


def _entry(name: str, snapshot: Snapshot) -> ZipInfo:
    """One file of the bundle, dated by the snapshot and not by the clock."""
    folder = f"{snapshot.arena.slug}-{snapshot.number}"
    info = ZipInfo(f"{folder}/{name}", max(snapshot.published_at.utctimetuple()[:6], (1980, 1, 1, 0, 0, 0)))
    info.compress_type = ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info


class _Pipe:
    """Where a ZipFile writes and an iterator takes; it cannot seek, so that nothing is ever kept for later."""

    def __init__(self) -> None:
        self.held = bytearray()

    def write(self, data: bytes) -> int:
        self.held += data
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def taken(self) -> bytes:
        data = bytes(self.held)
        self.held.clear()
        return data
