"""Read the environment once, strictly: an unknown word names the variable, its value and the allowed words."""

from __future__ import annotations

import atexit
import ipaddress
import os
import re
import secrets
import shutil
from pathlib import Path
from tempfile import mkdtemp, mkstemp
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

DEFAULT_PORTS = {"http": 80, "https": 443}
SQLITE = "django.db.backends.sqlite3"
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
    """Scheme, host and port of a public address as browsers write them in `Origin`, or "" when unset."""
    raw = os.environ.get(name, "").strip()
    if not raw:
        return ""
    try:
        parts = urlsplit(raw.rstrip("/"))
        port = parts.port
        understood = parts.scheme in DEFAULT_PORTS and bool(bare_host(parts.hostname or "")) and port != 0
    except ValueError:  # a port that is no number, a bracket that is not closed
        understood = False
    if not understood or "@" in parts.netloc or parts.path or parts.query or parts.fragment:
        raise ImproperlyConfigured(
            f"{name}={_without_password(raw)!r} is not understood: use https://host or http://host:port, no path."
        )
    shown = f":{port}" if port and port != DEFAULT_PORTS[parts.scheme] else ""
    return f"{parts.scheme}://{in_url(parts.hostname or '')}{shown}"


def bare_host(raw: str) -> str:
    """A host name or an address, lower case, without brackets; "" for anything else, patterns like `*` among it."""
    try:
        return str(ipaddress.ip_address(raw.removeprefix("[").removesuffix("]")))
    except ValueError:
        return raw.lower() if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}", raw) else ""


def in_url(host: str) -> str:
    """The host as it stands in an address: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def host(name: str, default: str) -> str:
    """A host name or an address to listen on. Raises ImproperlyConfigured."""
    raw = os.environ.get(name, "").strip() or default
    if not bare_host(raw):
        raise ImproperlyConfigured(
            f"{name}={raw!r} is not understood: use 127.0.0.1, 0.0.0.0, or a name or address of this machine."
        )
    return bare_host(raw)


def addresses(name: str) -> list[str]:
    """IP addresses and networks. Raises ImproperlyConfigured: `*` and host names would trust anybody's headers."""
    given = names(name)
    for item in given:
        try:
            ipaddress.ip_network(item)
        except ValueError:
            raise ImproperlyConfigured(
                f"{name}={item!r} is not understood: use IP addresses or networks, for example 127.0.0.1,10.0.0.0/8."
            ) from None
    return given


def folder(name: str, default: Path, *, throwaway: bool) -> Path:
    """The folder that holds all files; for tests a new one, so that they never touch an installation's."""
    raw = os.environ.get(name, "").strip()
    if throwaway:
        made = Path(mkdtemp(prefix="blindfold-tests-"))
        atexit.register(shutil.rmtree, made, ignore_errors=True)
        return made
    return Path(raw).resolve() if raw else default


def names(name: str) -> list[str]:
    """A comma-separated list without blanks."""
    return [item.strip() for item in os.environ.get(name, "").split(",") if item.strip()]


def database(default_file: Path) -> dict[str, Any]:
    """Django's settings for DATABASE_URL: SQLite in WAL with IMMEDIATE transactions, or PostgreSQL with a pool.

    Without IMMEDIATE, concurrent votes on SQLite fail with "database is locked": a transaction that begins by
    reading cannot always be upgraded to a writing one.
    """
    url = os.environ.get("DATABASE_URL", "").strip()
    pool_size = whole_number("DATABASE_POOL", 12, low=1, high=500)
    # Without a URL the path is taken as it is: in a URL its `?`, `#` and `%` would mean something.
    config: dict[str, Any] = {"ENGINE": SQLITE, "NAME": str(default_file)} if not url else _database_of(url)
    if config["ENGINE"] == SQLITE:
        config["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16000;"
            " PRAGMA temp_store=MEMORY;",
        }
        config["CONN_MAX_AGE"] = None  # a connection lives as long as its thread
        return config
    config["ENGINE"] = "django.db.backends.postgresql"
    config["OPTIONS"] = {**config.get("OPTIONS", {}), "pool": {"min_size": 1, "max_size": pool_size, "timeout": 10}}
    config["CONN_MAX_AGE"] = 0
    return config


def _database_of(url: str) -> dict[str, Any]:
    """What a DATABASE_URL says. Raises ImproperlyConfigured, which never repeats its password."""
    use = "use sqlite:////absolute/path or postgres://user@host/name"
    scheme, colon, _rest = url.partition(":")
    if not colon or scheme not in ("sqlite", "postgres", "postgresql"):
        raise ImproperlyConfigured(f"DATABASE_URL begins with {scheme[:12]!r}: {use}.")
    try:
        config = dict(_env.db_url_config(url))
        has_port = urlsplit(url).port != 0
    except ValueError:  # a port that is no number, a bracket that is not closed
        has_port = False
    if not has_port:
        raise ImproperlyConfigured(f"DATABASE_URL={_without_password(url)!r} has a bad host or port: {use}.")
    if config["NAME"] in ("", ":memory:"):
        raise ImproperlyConfigured(f"DATABASE_URL={_without_password(url)!r} names no database: {use}.")
    if scheme == "sqlite" and not Path(config["NAME"]).is_absolute():
        raise ImproperlyConfigured(f"DATABASE_URL={url!r} depends on where it is started from: {use}.")
    return config


def _without_password(url: str) -> str:
    return re.sub(r"//.*@", "//…@", url)


def secret_key(path: Path) -> str:
    """SECRET_KEY from the environment, else the one made on the first start and kept in `path`."""
    given = os.environ.get("SECRET_KEY", "").strip()
    if given:
        return given
    if not path.exists():
        _make_key(path)
    kept = path.read_text().strip()
    if not kept:
        raise ImproperlyConfigured(
            f"{path} is empty: restore it from a backup, or remove it, which makes a new key and signs everybody out."
        )
    return kept


def _make_key(path: Path) -> None:
    """Appears whole or not at all; of several processes one is first, and all use its key."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = mkstemp(dir=path.parent, prefix=".secret-key-")  # mode 600
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_urlsafe(50))
    try:
        os.link(name, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without links, where two first starts at once are nobody's habit
        Path(name).replace(path)
    Path(name).unlink(missing_ok=True)


def origin_with_path(name: str) -> str:
    """An http(s) address without a trailing slash, or "" when unset."""
    raw = os.environ.get(name, "").strip().rstrip("/")
    if raw and not _is_address(raw, ("http", "https")):
        raise ImproperlyConfigured(f"{name}={_without_password(raw)!r} is not understood: use http://host:port/path.")
    return raw


def redis_url(name: str) -> str:
    """A Redis address, or "" when unset."""
    raw = os.environ.get(name, "").strip()
    numbered = raw.startswith("unix://") or (
        _is_address(raw, ("redis", "rediss")) and re.fullmatch(r"/?[0-9]*", urlsplit(raw).path)
    )
    if raw and not numbered:
        raise ImproperlyConfigured(
            f"{name}={_without_password(raw)!r} is not understood: use redis://host:port/number."
        )
    return raw


def text(name: str, default: str) -> str:
    """Any words on one line."""
    return os.environ.get(name, "").strip() or default


def email(name: str) -> dict[str, Any]:
    """Django's mail settings for `smtp+tls://user:password@host:587`; without an address nothing is ever sent.

    Raises ImproperlyConfigured, which never repeats the password.
    """
    raw = os.environ.get(name, "").strip()
    if not raw:
        return {"EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend"}
    schemes = ("smtp", "smtps", "smtp+tls", "smtp+ssl")
    if not _is_address(raw, schemes):
        raise ImproperlyConfigured(
            f"{name}={_without_password(raw)!r} is not understood: use smtp+tls://user:password@host:587."
        )
    config = dict(_env.email_url_config(raw))
    return {key: value for key, value in config.items() if key.startswith("EMAIL_") and key != "EMAIL_FILE_PATH"}


def oidc() -> dict[str, Any]:
    """The account library's settings for the organization that people sign in at; empty without OIDC_ISSUER.

    Raises ImproperlyConfigured where the issuer is no address, or the client is missing.
    """
    issuer = origin_with_path("OIDC_ISSUER")
    client, secret = text("OIDC_CLIENT_ID", ""), text("OIDC_CLIENT_SECRET", "")
    if not issuer:
        return {}
    if not client:
        raise ImproperlyConfigured(f"OIDC_ISSUER={issuer!r} needs OIDC_CLIENT_ID, and most need OIDC_CLIENT_SECRET.")
    named = text("OIDC_NAME", urlsplit(issuer).hostname or "OpenID")
    app = {"provider_id": "oidc", "name": named, "client_id": client, "secret": secret}
    return {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [{**app, "settings": {"server_url": issuer}}]}}


def _is_address(raw: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(raw)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, a bracket that is not closed
        return False
