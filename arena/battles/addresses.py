"""Where battles are asked from, as keyed hashes of address blocks: enough to count and to cluster, too little to find.

A block is a /24, or a /64 of IPv6: what one household or office has. Keys are random, live for a while and are deleted
with what needs them no more; from then on a hash is the name of a cluster and nothing else. The only writer of both.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Min
from django.http import HttpRequest

from arena.battles.models import AddressKey, Battle, ServedFrom
from arena.teams.models import Arena

KEY_LIFE = timedelta(days=14)
LONGEST_WINDOW = timedelta(days=1)
"""How far back limits look: a key outlives its use by so much."""
LONGEST_WORK = 300


@dataclass(frozen=True, slots=True)
class Visit:
    """What is known of a wish for a battle besides whose it is: the peer's address, and work that came with it."""

    address: str = ""
    work: str = ""


NOWHERE = Visit()
"""Not from a browser: a command, a test."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A visit as it may be stored. `blocks` are the block's hashes under every living key, the present one first."""

    blocks: tuple[str, ...] = ()
    is_first: bool = False
    work: str = ""
    challenge: str | None = None


def block_of(address: str) -> str:
    """The /24 or /64 around an address; "" for what is no address. An IPv4 address in IPv6 clothes is IPv4."""
    try:
        parsed = ipaddress.ip_address(address.strip().partition("%")[0])
    except ValueError:
        return ""
    mapped = getattr(parsed, "ipv4_mapped", None)
    return str(
        ipaddress.ip_network(f"{mapped or parsed}/{24 if (mapped or parsed).version == 4 else 64}", strict=False)
    )


def hashes_of(address: str, *, now: datetime) -> tuple[str, ...]:
    """The block's names under the living keys, the present one first; nothing for what is no address."""
    block = block_of(address)
    return tuple(_hashed(block, key) for key in _keys(now=now)) if block else ()


def remember(battle: Battle, origin: Origin) -> None:
    """Stores where a new battle was asked from; the caller holds the transaction."""
    if origin.blocks:
        ServedFrom.objects.create(
            battle=battle,
            block=origin.blocks[0],
            served_at=battle.served_at,
            is_first=origin.is_first,
            work=origin.work,
            challenge=origin.challenge,
        )


def forget(*, now: datetime) -> int:
    """The worker's duty: deletes hashes that are too old, and keys that nothing needs. Returns how many hashes."""
    AddressKey.objects.filter(made_at__lte=now - KEY_LIFE - LONGEST_WINDOW).delete()
    oldest = now - timedelta(days=settings.ADDRESS_DAYS)
    return ServedFrom.objects.filter(served_at__lte=oldest).delete()[0]


def forget_voters(voters: Iterable[int], *, now: datetime) -> None:
    """Deletes where these voters' battles were asked from, but for what limits still count and spent work.

    Who goes must not make room for the next new cookie of the same block.
    """
    ServedFrom.objects.filter(battle__voter__in=list(voters), served_at__lte=now - LONGEST_WINDOW).delete()


def clusters(arena: Arena) -> dict[str, set[int]]:
    """Voters by address block, as far as it is remembered: groups for screening, not evidence of one person."""
    found: dict[str, set[int]] = defaultdict(set)
    rows = ServedFrom.objects.filter(battle__arena=arena).values_list("block", "battle__voter_id").distinct()
    for block, voter in rows:
        found[block].add(voter)
    return dict(found)


def first_served(voters: Iterable[int]) -> dict[int, datetime]:
    """When each voter was served for the first time, anywhere on this instance: the age of an account."""
    rows = Battle.objects.filter(voter__in=list(voters)).values_list("voter_id").annotate(first=Min("served_at"))
    return dict(rows.order_by())


def _keys(*, now: datetime) -> list[str]:
    """The present key, made when there is none, and the one before it while limits still look back so far."""
    alive = list(AddressKey.objects.filter(made_at__gt=now - KEY_LIFE - LONGEST_WINDOW).order_by("id"))
    young = [row for row in alive if row.made_at > now - KEY_LIFE]
    # Of two that were made at one moment, everybody takes the first.
    present = young[0] if young else AddressKey.objects.create(key=secrets.token_hex(32), made_at=now)
    return [present.key, *(row.key for row in alive if row != present)]


def _hashed(block: str, key: str) -> str:
    return hmac.new(bytes.fromhex(key), block.encode(), hashlib.sha256).hexdigest()[:32]


def visit_of(request: HttpRequest) -> Visit:
    """What a request tells. Its peer is the server's word, which reads forwarding headers of trusted proxies alone."""
    return Visit(request.META.get("REMOTE_ADDR", ""), request.headers.get("X-Work", "")[:LONGEST_WORK])
