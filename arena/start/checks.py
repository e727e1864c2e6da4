"""What must be right before anything starts; each failure is one sentence that says what to do."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import socket
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import IO
from urllib.parse import unquote


class CannotStart(Exception):
    """The one sentence that the operator reads."""


def port_of(environment: Mapping[str, str]) -> int:
    """PORT, 8000 by default. Raises CannotStart."""
    raw = environment.get("PORT", "").strip() or "8000"
    if not re.fullmatch("[0-9]{1,5}", raw) or not 1 <= int(raw) <= 65535:
        raise CannotStart(f"PORT={raw!r} is no port: use a whole number from 1 to 65535.")
    return int(raw)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket that the web processes inherit. Raises CannotStart when the port is taken."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(2048)
        except BaseException:
            listener.close()
            raise
    except PermissionError:
        raise CannotStart(f"Port {port} needs more rights: choose one above 1023, for example PORT=8000.") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CannotStart(
                f"Port {port} is taken, perhaps by Blindfold itself: stop the other program, or choose another port, "
                f"for example `make run PORT={port + 1}`."
            ) from None
        raise CannotStart(_bad_host(host, error.strerror or str(error))) from None
    except (TypeError, UnicodeError):  # a name that IDNA cannot write
        raise CannotStart(_bad_host(host, "it is no host name")) from None
    listener.set_inheritable(True)
    return listener


def _bad_host(host: str, why: str) -> str:
    return f"HOST={host!r} cannot be listened on ({why}): use 127.0.0.1, 0.0.0.0, or a name or address of this machine."


def make_folder(var: Path) -> None:
    """VAR_DIR, which only its owner may read. Raises CannotStart."""
    try:
        var.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(var, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "not writable")
    except OSError as error:
        raise CannotStart(
            f"The folder VAR_DIR={str(var)!r} cannot be used ({error.strerror}): give another, or its owner rights."
        ) from None


def lock_folder(var: Path) -> IO[str]:
    """Holds VAR_DIR for as long as the returned file is open; a killed process lets go of it. Raises CannotStart.

    Two instances on one folder would take each other's battles for orphans and each other's model for their own.
    """
    held = (var / "lock").open("a")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        held.close()
        raise CannotStart(
            f"Blindfold already runs on VAR_DIR={str(var)!r}: stop it first, or give this one another folder."
        ) from None
    return held


def check_database(url: str, default: Path) -> None:
    """An SQLite file must be readable, writable and a database; a PostgreSQL server must answer. Raises CannotStart."""
    url = url.strip()
    scheme = url.partition(":")[0]
    if scheme in ("postgres", "postgresql"):
        _check_postgres(url)
    elif not url:
        _check_sqlite(default)
    elif url.startswith("sqlite:///"):
        _check_sqlite(Path(unquote(url.removeprefix("sqlite:///").partition("?")[0])))


def _check_sqlite(path: Path) -> None:
    if not path.exists():
        if not os.access(path.parent, os.W_OK):
            raise CannotStart(
                f"The database {path} cannot be made: its folder is missing or not writable, so make it, or correct "
                "DATABASE_URL."
            )
        return
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)) as connection:
            connection.execute("PRAGMA schema_version").fetchone()
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if not os.access(path, os.W_OK):
            raise sqlite3.OperationalError("it is not writable")
    except sqlite3.Error as error:
        raise CannotStart(
            f"The database {path} cannot be used ({error}): restore it from a backup, or move it away to start afresh."
        ) from None


def _check_postgres(url: str) -> None:
    """Asks the server once; an address that is not understood is left to the settings, which say so."""
    import psycopg  # bootstrap has installed it by now

    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError as error:
        raise CannotStart(
            f"The database of DATABASE_URL does not answer ({_first_line(error)}): start it, or correct DATABASE_URL."
        ) from None
    except psycopg.Error:
        return


def check_redis(url: str) -> None:
    """The server of REDIS_URL must answer. Raises CannotStart; a malformed address is left to the settings."""
    import redis

    if not url.strip():
        return
    try:
        with redis.Redis.from_url(url.strip(), socket_connect_timeout=5, socket_timeout=5) as client:
            client.ping()
    except (redis.RedisError, OSError) as error:
        raise CannotStart(
            f"The server of REDIS_URL does not answer ({_first_line(error)}): start it, correct REDIS_URL, or leave it "
            "out with one web process."
        ) from None
    except ValueError:
        return


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def local_model_wanted(environment: Mapping[str, str]) -> bool:
    """LOCAL_MODEL, on by default. Raises CannotStart."""
    raw = environment.get("LOCAL_MODEL", "").strip().lower() or "on"
    if raw not in ("on", "off"):
        raise CannotStart(f"LOCAL_MODEL={raw!r} is not understood: use one of on, off.")
    return raw == "on"


def process_count(environment: Mapping[str, str]) -> int:
    """WEB_PROCESSES, 1 by default; several need Redis, which carries their frames. Raises CannotStart."""
    raw = environment.get("WEB_PROCESSES", "").strip() or "1"
    if not re.fullmatch("[0-9]{1,2}", raw) or not 1 <= int(raw) <= 64:
        raise CannotStart(f"WEB_PROCESSES={raw!r} is not understood: use a whole number from 1 to 64.")
    if int(raw) > 1 and not environment.get("REDIS_URL", "").strip():
        raise CannotStart(f"WEB_PROCESSES={raw} needs REDIS_URL: several processes share their streams through Redis.")
    return int(raw)
