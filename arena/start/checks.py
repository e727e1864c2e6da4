"""What must be right before anything starts; each failure is one sentence that says what to do."""

from __future__ import annotations

import os
import socket
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit


class CannotStart(Exception):
    """The one sentence that the operator reads."""


def port_of(environment: Mapping[str, str]) -> int:
    """PORT, 8000 by default. Raises CannotStart."""
    raw = environment.get("PORT", "").strip() or "8000"
    if not raw.isdecimal() or not 1 <= int(raw) <= 65535:
        raise CannotStart(f"PORT={raw!r} is no port: use a whole number from 1 to 65535.")
    return int(raw)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket that the web processes inherit. Raises CannotStart when the port is taken."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except PermissionError:
        raise CannotStart(f"Port {port} needs more rights: choose one above 1023, for example PORT=8000.") from None
    except OSError as error:
        if error.errno in (98, 48):
            raise CannotStart(
                f"Port {port} is taken, perhaps by Blindfold itself: stop the other program, or choose another port, "
                f"for example `make run PORT={port + 1}`."
            ) from None
        raise CannotStart(f"HOST={host!r} and PORT={port} cannot be listened on: {error.strerror}.") from None
    listener.set_inheritable(True)
    return listener


def check_database(url: str, default: Path) -> None:
    """An SQLite file must be readable, writable and a database. Other servers are tried by the migration."""
    if url and urlsplit(url).scheme != "sqlite":
        return
    path = Path(url.removeprefix("sqlite:///")) if url else default
    if not path.exists():
        if not os.access(path.parent, os.W_OK):
            raise CannotStart(f"The database {path} cannot be made: its folder is missing or not writable.")
        return
    try:
        with sqlite3.connect(f"file:{path}?mode=rw", uri=True) as connection:
            connection.execute("PRAGMA schema_version").fetchone()
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        raise CannotStart(
            f"The database {path} cannot be read ({error}): restore it from a backup, or move it away to start afresh."
        ) from None


def process_count(environment: Mapping[str, str]) -> int:
    """WEB_PROCESSES, 1 by default; several need Redis, which carries their frames. Raises CannotStart."""
    raw = environment.get("WEB_PROCESSES", "").strip() or "1"
    if not raw.isdecimal() or not 1 <= int(raw) <= 64:
        raise CannotStart(f"WEB_PROCESSES={raw!r} is not understood: use a whole number from 1 to 64.")
    if int(raw) > 1 and not environment.get("REDIS_URL"):
        raise CannotStart(f"WEB_PROCESSES={raw} needs REDIS_URL: several processes share their streams through Redis.")
    return int(raw)
