"""What the lockout counts failed sign-ins by: the account that was tried, and a masked address."""

from __future__ import annotations

import ipaddress
from typing import Any

from django.http import HttpRequest
from django.utils.crypto import salted_hmac

UNIQUE_LOCAL = 0xFD << 120


def name_tried(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """The e-mail address or user name that somebody tried to sign in with, in one spelling."""
    given = credentials or {}
    tried = given.get("email") or given.get("username") or given.get("login") or request.POST.get("login") or ""
    return str(tried).strip().casefold()[:255]


def whose_address(raw: str) -> str:
    """What one caller has: an IPv4 address, but a whole /64 of IPv6, out of which each try could come from another."""
    try:
        parsed = ipaddress.ip_address(raw.partition("%")[0])
    except ValueError:
        return raw
    mapped = getattr(parsed, "ipv4_mapped", None) or parsed
    if mapped.version == 4:
        return str(mapped)
    return str(ipaddress.ip_network((mapped, 64), strict=False).network_address)


def masked_address(request: HttpRequest) -> str:
    """A keyed hash of the caller's address, written as a local IPv6 one: the table must hold an address, not theirs."""
    raw = whose_address(str(request.META.get("REMOTE_ADDR", "")))
    hashed = salted_hmac("arena.teams.lockout", raw, algorithm="sha256").digest()
    return str(ipaddress.IPv6Address(UNIQUE_LOCAL | int.from_bytes(hashed[:15], "big")))
