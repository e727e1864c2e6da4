"""Read the environment once, strictly: an unknown word names the variable, its value and the allowed words."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

_env = environ.Env()


def word(name: str, default: str, allowed: tuple[str, ...]) -> str:
    """One of the allowed words. Raises ImproperlyConfigured naming variable, value and words."""
    value = os.environ.get(name, "").strip().lower() or default
    if value not in allowed:
        raise ImproperlyConfigured(f"{name}={value!r} is not understood: use one of {', '.join(allowed)}.")
    return value


def whole_number(name: str, default: int, *, low: int, high: int) -> int:
    """A whole number within bounds. Raises ImproperlyConfigured naming variable, value and bounds."""
    raw = os.environ.get(name, "").strip()
    if not raw:
        return default
    if not re.fullmatch(r"\d{1,9}", raw) or not low <= int(raw) <= high:
        raise ImproperlyConfigured(f"{name}={raw!r} is not understood: use a whole number from {low} to {high}.")
    return int(raw)


def origin(name: str) -> str:
    """Scheme, host and port of a public address, or "" when unset."""
    raw = os.environ.get(name, "").strip().rstrip("/")
    if not raw:
        return ""
    parts = urlsplit(raw)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
        raise ImproperlyConfigured(f"{name}={raw!r} is not understood: use https://host or http://host:port, no path.")
    return raw


def folder(name: str, default: Path, *, throwaway: bool) -> Path:
    """The folder that holds all files; for tests a new one, so that they never touch an installation's."""
    raw = os.environ.get(name, "").strip()
    if throwaway:
        return Path(mkdtemp(prefix="blindfold-tests-"))
    return Path(raw).resolve() if raw else default


def names(name: str) -> list[str]:
    """A comma-separated list without blanks."""
    return [item.strip() for item in os.environ.get(name, "").split(",") if item.strip()]


def database(default_file: Path) -> dict[str, Any]:
    """Django's settings for DATABASE_URL: SQLite in WAL with IMMEDIATE transactions, or PostgreSQL with a pool.

    Without IMMEDIATE, concurrent votes on SQLite fail with "database is locked": a transaction that begins by
    reading cannot always be upgraded to a writing one.
    """
    url = os.environ.get("DATABASE_URL", "").strip() or f"sqlite:///{default_file}"
    scheme = urlsplit(url).scheme
    if scheme not in ("sqlite", "postgres", "postgresql"):
        raise ImproperlyConfigured(
            f"DATABASE_URL begins with {scheme or url[:12]!r}: use sqlite:////absolute/path or postgres://user@host/name."
        )
    config: dict[str, Any] = dict(_env.db_url_config(url))
    if scheme == "sqlite":
        config["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16000;"
            " PRAGMA temp_store=MEMORY;",
        }
        return config
    config["ENGINE"] = "django.db.backends.postgresql"
    pool_size = whole_number("DATABASE_POOL", 12, low=1, high=500)
    config["OPTIONS"] = {**config.get("OPTIONS", {}), "pool": {"min_size": 1, "max_size": pool_size, "timeout": 10}}
    config["CONN_MAX_AGE"] = 0
    return config


def secret_key(path: Path) -> str:
    """SECRET_KEY from the environment, else the one made on the first start and kept in `path`."""
    given = os.environ.get("SECRET_KEY", "").strip()
    if given:
        return given
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(50))
    except FileExistsError:  # another process was faster: both must use the same key
        pass
    return path.read_text().strip()


def origin_with_path(name: str) -> str:
    """An http(s) address without a trailing slash, or "" when unset."""
    raw = os.environ.get(name, "").strip().rstrip("/")
    parts = urlsplit(raw)
    if raw and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ImproperlyConfigured(f"{name}={raw!r} is not understood: use http://host:port/path.")
    return raw


def redis_url(name: str) -> str:
    """A Redis address, or "" when unset."""
    raw = os.environ.get(name, "").strip()
    if raw and urlsplit(raw).scheme not in ("redis", "rediss", "unix"):
        raise ImproperlyConfigured(f"{name}={raw!r} is not understood: use redis://host:port/number.")
    return raw
