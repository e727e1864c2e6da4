"""Secrets that are handed out once: signed, so that a guess costs no look at the database, and kept as a hash only."""

from __future__ import annotations

import hashlib
import secrets

from django.conf import settings
from django.core import signing

from arena.environment import in_url


def mint(purpose: str) -> str:
    """A new secret of 144 bits with its signature; fit for an address."""
    return _signer(purpose).sign(secrets.token_urlsafe(18))


def is_genuine(token: str, purpose: str) -> bool:
    """Whether this server made it, for this purpose. Says nothing about whether it is still good."""
    try:
        _signer(purpose).unsign(token)
    except signing.BadSignature:
        return False
    return True


def digest(token: str) -> str:
    """What is stored of it. A plain hash will do: nobody can try 144 bits."""
    return hashlib.sha256(token.encode()).hexdigest()


def _signer(purpose: str) -> signing.Signer:
    return signing.Signer(salt=f"arena.teams.tokens.{purpose}", sep=".")


def address(path: str) -> str:
    """The whole address of a page here, for commands, which no request tells where we are."""
    host = "127.0.0.1" if settings.HOST in ("0.0.0.0", "::") else in_url(settings.HOST)  # noqa: S104
    return f"{settings.PUBLIC_URL or f'http://{host}:{settings.PORT}'}{path}"
